"""`leaver demo`: what a newcomer runs first."""

import fcntl
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest
import requests

from tests.servers import wait_until

DEMO = (sys.executable, "-P", "-m", "webhook.cli", "demo")
STEPS = ("verified", "recorded", "woken", "found", "deactivated", "read back", "done")
USUAL_PORTS = (8000, 8001, 8002)

Started = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture(autouse=True)
def alone() -> Iterator[None]:
    """One rehearsal at a time: each of them takes the usual ports where they are free."""
    with (Path(tempfile.gettempdir()) / f"leaver-test-demo-{os.getuid()}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@pytest.fixture
def temp(tmp_path: Path) -> Path:
    """The temp folder of the rehearsals: too long a path for the socket of the queue."""
    folder = tmp_path / ("temp" * 20)
    folder.mkdir()
    return folder


@pytest.fixture
def start(tmp_path: Path, temp: Path) -> Iterator[Started]:
    """Starts a rehearsal; what it says is in the file `said`."""
    started: list[subprocess.Popen[bytes]] = []

    def start_it(*options: str, **environ: str) -> subprocess.Popen[bytes]:
        with (tmp_path / "said").open("w") as said:
            environ = os.environ | {"TMPDIR": str(temp)} | environ
            demo = subprocess.Popen[bytes](
                [*DEMO, *options], stdout=said, stderr=said, cwd=tmp_path, env=environ
            )
        started.append(demo)
        return demo

    yield start_it
    for demo in started:
        demo.send_signal(signal.SIGTERM)
        demo.wait(timeout=10)


@pytest.fixture
def said(tmp_path: Path) -> Callable[[], str]:
    """What the rehearsal has said so far."""
    return lambda: (tmp_path / "said").read_text()


def test_it_proves_a_deactivation_and_leaves_nothing_behind(start, said, temp):
    """Run twice in a row it works twice, and the machine is as it was."""
    for _ in range(2):
        ended = start("--once").wait(timeout=60)

        assert ended == 0, said()
        words = re.findall(r"^ +\d+\.\d\d s  (\w+(?: back)?)", said(), flags=re.MULTILINE)
        assert tuple(words) == STEPS
        assert "The sandbox itself, asked about lena.vogt@example.com: inactive" in said()
        assert list(temp.iterdir()) == []


def test_it_takes_other_ports_where_the_usual_ones_are_taken(start, said):
    """Port 8000 is everybody's; a first impression must not be an error."""
    with closing(Occupied()):
        ended = start("--once").wait(timeout=60)

    assert ended == 0, said()
    for port, server in zip(USUAL_PORTS, ("receiver", "console", "sandbox"), strict=True):
        assert f"port {port} is taken: the {server} listens on" in said()


def test_settings_of_the_environment_do_not_matter(start, said):
    """Whoever has configured a Leaver already must not rehearse on its ledger and targets."""
    environ = {"LEAVER_POLICY__MODE": "shadow", "LEAVER_CONFIG": "/nowhere"}
    ended = start("--once", HTTP_PROXY="http://127.0.0.1:1", **environ).wait(timeout=60)

    assert ended == 0, said()


def test_it_goes_on_until_ctrl_c_and_tells_what_else_happens(start, said, temp):
    """The hints it gives work as they stand."""
    demo = start()
    wait_until(lambda: "goes on until Ctrl-C" in said(), seconds=60)
    config = re.findall(r"export LEAVER_CONFIG=(\S+)", said())[0]
    [order] = re.findall(r"curl (http\S+/sandbox/faults) -H", said())
    [metrics] = re.findall(r"curl (http\S+/metrics)", said())

    requests.post(order, json={"fault": "503", "operation": "users.search"}, timeout=10)
    send = ("--config", config, "send", "bamboohr", "--email", "tom.berg@example.com")
    subprocess.run([*DEMO[:-1], *send], check=True, capture_output=True)

    wait_until(lambda: said().count("done         deactivated") == 2, seconds=60)
    assert "tom.berg@example.com leaves" in said()
    assert "answered     users.search: 503" in said()
    assert requests.get(metrics, timeout=10).ok
    demo.send_signal(signal.SIGINT)
    assert demo.wait(timeout=10) == 0
    assert list(temp.iterdir()) == []


def test_stopped_before_the_proof_it_has_failed(start, said):
    """`make demo ARGS=--once` is a check, and only a proof passes it."""
    demo = start("--once")
    wait_until(lambda: "receiver" in said(), seconds=60)

    demo.send_signal(signal.SIGINT)

    assert demo.wait(timeout=10) == 1


class Occupied:
    """Takes each usual port that nobody has taken."""

    def __init__(self) -> None:
        self._sockets = []
        for port in USUAL_PORTS:
            with suppress(OSError):
                self._sockets.append(socket.create_server(("127.0.0.1", port)))

    def close(self) -> None:
        for each in self._sockets:
            each.close()
