"""`leaver up`: everything on one machine, whatever is done to it."""

import os
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import requests

from tests.installation import DEACTIVATED, Installation, Process
from tests.servers import free_port, wait_until
from workers.sandbox.people import LENA, TOM


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    """Nothing of it runs yet; its queue is the embedded one."""
    with Installation(tmp_path, queue_url="embedded") as installation:
        yield installation


@pytest.fixture
def up(installation: Installation) -> Process:
    """`leaver up`, ready."""
    return installation.start("up")


def descendants(pid: int) -> dict[int, str]:
    """All that a process has started, with their command lines."""
    found: dict[int, str] = {}
    with suppress(FileNotFoundError, ProcessLookupError):
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            command = Path(f"/proc/{child}/cmdline").read_bytes().replace(b"\0", b" ")
            found |= {int(child): command.decode().strip()} | descendants(int(child))
    return found


def child(up: Process, command: str) -> int:
    """The process id of the part that was started last for this command, once it runs."""

    def find() -> int | None:
        parts = {pid: words for pid, words in descendants(up.pid).items() if pid in up.children()}
        return next((pid for pid, words in parts.items() if command in words), None)

    pid = wait_until(find)
    assert pid is not None
    return pid


def lives(pid: int) -> bool:
    """Whether a process runs; a zombie does not."""
    with suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


@pytest.mark.parametrize("part", [" work", " serve", " console", "valkey-server"])
def test_a_part_that_is_killed_comes_back(installation, up, part):
    """Out of memory at night: nobody should be woken for it."""
    killed = child(up, part)

    os.kill(killed, signal.SIGKILL)
    wait_until(lambda: not lives(killed))

    assert child(up, part) != killed
    wait_until(lambda: answers(installation))
    installation.send(LENA.email)
    installation.wait_for_ends()
    assert installation.ends() == {LENA.email: DEACTIVATED}


def test_what_was_under_way_when_everything_was_killed_is_done_afterwards(installation, up):
    """Power comes and goes; a leaver that was accepted does not."""
    installation.sandbox.order("timeout")
    installation.send(LENA.email, TOM.email)
    wait_until(lambda: installation.sandbox.hanging() == 2)

    everything = [up.pid, *descendants(up.pid)]
    for pid in everything:
        with suppress(ProcessLookupError):  # The end of the first may have been its own.
            os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not any(lives(pid) for pid in everything))
    installation.sandbox.heal()
    installation.start("up")

    installation.wait_for_ends()
    assert installation.ends() == {LENA.email: DEACTIVATED, TOM.email: DEACTIVATED}


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells children of their parent")
def test_nothing_outlives_a_kill_9(up):
    """The ports must be free for the next start, and no worker may act that nobody watches."""
    everything = descendants(up.pid)
    assert len(everything) > 4  # queue, receiver, console and worker, with children of their own

    os.kill(up.pid, signal.SIGKILL)

    wait_until(lambda: not any(lives(pid) for pid in everything))


def test_all_of_it_ends_in_time_although_a_part_hangs(up):
    """Five seconds on a machine that has the time; a part that hangs would take for ever."""
    everything = [up.pid, *descendants(up.pid)]
    os.kill(child(up, " work"), signal.SIGSTOP)

    up.ask_to_stop()

    wait_until(lambda: not any(lives(pid) for pid in everything))


def test_a_frozen_queue_delays_no_answer(installation, up):
    """A wake-up is not worth the wait of a sender, who may not come again."""
    queue = child(up, "valkey-server")
    os.kill(queue, signal.SIGSTOP)

    answer = installation.send(LENA.email, timeout=1)
    os.kill(queue, signal.SIGCONT)

    assert answer.status_code == 202
    installation.wait_for_ends()
    assert installation.ends() == {LENA.email: DEACTIVATED}


@pytest.mark.parametrize("setting", ["server.listen", "console.listen"])
def test_a_taken_port_is_named(installation, setting):
    """The first thing that goes wrong on a machine where something runs already."""
    port = free_port()
    installation.configure({setting: f"127.0.0.1:{port}"})

    with socket.create_server(("127.0.0.1", port)):
        ended = installation.leaver("up")

    assert ended.returncode == 2
    said = f"port {port} ({setting}) is taken by another process: stop it or change {setting}"
    assert said in ended.stderr


@pytest.mark.usefixtures("up")
def test_a_second_one_in_the_same_folder_is_refused(installation):
    """On other ports it would still share the queue's file, and one would be watched by nobody."""
    others = {name: f"127.0.0.1:{free_port()}" for name in ("server.listen", "console.listen")}
    installation.configure(others)

    ended = installation.leaver("up")

    assert ended.returncode == 2
    assert "one `leaver up` for each folder" in ended.stderr


def answers(installation: Installation) -> bool:
    """Whether the receiver answers."""
    with suppress(requests.RequestException):
        return requests.get(f"http://127.0.0.1:{installation.port}/livez", timeout=5).ok
    return False
