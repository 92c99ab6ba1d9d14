"""The servers and fixtures that other tests stand on."""

import os
import socket

import pytest
import redis
import sqlalchemy as sa

from tests.conftest import missing
from tests.servers import impatient_client, wait_until


def tables(url: str) -> list[str]:
    engine = sa.create_engine(url)
    try:
        return sa.inspect(engine).get_table_names()
    finally:
        engine.dispose()


def create_table(url: str) -> None:
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE leavers (id INTEGER)"))
    engine.dispose()


def test_a_ledger_is_empty_and_takes_tables(ledger_url):
    """Both databases are real: what is created is there for the next connection."""
    before = tables(ledger_url)

    create_table(ledger_url)

    assert (before, tables(ledger_url)) == ([], ["leavers"])


def test_two_databases_of_one_server_do_not_share_tables(postgres):
    """A test never sees what another one wrote."""
    first, second = postgres.database_url(), postgres.database_url()

    create_table(first)

    assert (tables(first), tables(second)) == (["leavers"], [])


def test_postgres_starts_again_with_what_it_held(postgres):
    """An outage of the ledger can be played and ends."""
    url = postgres.database_url()
    create_table(url)

    postgres.stop()
    with pytest.raises(sa.exc.OperationalError):
        tables(url)
    postgres.start()

    assert tables(url) == ["leavers"]


@pytest.fixture(params=["redis_server", "debian_redis"])
def queue(request):
    return request.getfixturevalue(request.param)


def test_a_frozen_queue_keeps_connections_and_answers_nothing(queue):
    """A frozen Redis is another fault than a stopped one: nobody is refused."""
    with redis.Redis.from_url(queue.url) as client, impatient_client(queue.url) as impatient:
        client.set("key", "value")

        queue.freeze()
        with pytest.raises(redis.TimeoutError):
            impatient.get("key")
        queue.thaw()

        assert client.get("key") == b"value"


def test_a_killed_queue_comes_back_on_the_same_port(queue):
    """Clients find it again, as they would after a crash."""
    queue.kill()
    with impatient_client(queue.url) as client, pytest.raises(redis.ConnectionError):
        client.ping()

    queue.start()

    with redis.Redis.from_url(queue.url) as client:
        assert client.ping()


def test_a_stopped_queue_keeps_its_keys_and_a_flushed_one_does_not(queue):
    """Restart and loss are two faults, and tests must be able to order either."""
    with redis.Redis.from_url(queue.url) as client:
        client.set("key", "value")

    queue.stop()
    queue.start()
    with redis.Redis.from_url(queue.url) as client:
        kept = client.get("key")
        queue.flushall()
        left = client.get("key")

    assert (kept, left) == (b"value", None)


def test_a_frozen_queue_can_be_stopped(redis_server):
    """A test that fails while its server is frozen leaves no process behind."""
    redis_server.freeze()
    pid = redis_server.pid

    redis_server.stop()

    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_server_that_cannot_start_says_why(redis_server):
    """A taken port is read in the failure, not guessed."""
    redis_server.stop()

    with socket.create_server(("127.0.0.1", redis_server.port)), pytest.raises(RuntimeError) as why:
        redis_server.start()

    assert "Address already in use" in str(why.value)


def test_waiting_for_what_never_comes_fails_with_what_was_there():
    """A deadline that passes says what was still wrong."""
    with pytest.raises(AssertionError, match=r"still \[\] after 0 s"):
        wait_until(list, seconds=0)


def test_whoever_starts_a_server_carries_the_mark(request, redis_server):
    """`pytest -m "not server"` needs nothing but Python, without anybody marking by hand."""
    assert request.node.get_closest_marker("server")


@pytest.fixture(scope="module")
def settings_of_my_own():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LEAVER_LEDGER__URL", "sqlite:///mine.db")
        patch.setenv("LEAVER_OPENAPI_DIR", "/descriptions")
        yield


def test_settings_from_outside_reach_no_test(settings_of_my_own):
    """Whoever runs Leaver in this shell does not test their own ledger."""
    assert [name for name in os.environ if name.startswith("LEAVER_")] == ["LEAVER_OPENAPI_DIR"]


def test_a_missing_server_skips_on_a_laptop(monkeypatch):
    """Whoever cannot install PostgreSQL can still run the rest."""
    monkeypatch.delenv("CI", raising=False)

    with pytest.raises(pytest.skip.Exception, match="apt-get install postgresql"):
        missing("postgresql")


def test_a_missing_server_fails_in_ci(monkeypatch):
    """A green run in CI means that the servers were there."""
    monkeypatch.setenv("CI", "true")

    with pytest.raises(pytest.fail.Exception, match="apt-get install postgresql"):
        missing("postgresql")
