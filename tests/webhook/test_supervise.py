"""The supervisor, with real processes as children."""

import os
import pty
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from tests.servers import wait_until
from webhook.supervise import Child, Stop, Supervisor

STEADY = ("sleep", "1000")

#: A supervisor as a process of its own, with a child that has a child itself, and with deaf ones by
#: the names it is given.  Each child writes its process id to a file.  The configuration is refused
#: while the file "broken" is there.
PROGRAM = """
import os, sys
from pathlib import Path
from config.secret import ConfigurationError
from webhook.supervise import Child, Stop, Supervisor

def check():
    if Path("broken").exists():
        raise ConfigurationError("the file is broken")

def child(name, script, **options):
    return Child(name, ("sh", "-c", script), lambda _: Path(f"{name}.pid").exists(), **options)

try:
    with Supervisor(check) as supervisor:
        supervisor.start(
            child("last", "trap 'echo last >> ends; exit' TERM;"
                  "echo $$ > last.pid; while :; do sleep 0.05; done", last=True, reloads=False),
            child("parent", "trap 'echo parent >> ends; exit' TERM;"
                  "trap 'echo again >> reloads' HUP; sleep 1000 & echo $! > grandchild.pid;"
                  "echo $$ > parent.pid; while :; do sleep 0.05; done"),
            *[child(name, f"trap '' TERM; echo $$ > {name}.pid; while :; do sleep 1; done")
              for name in sys.argv[1:]],
        )
        while True:
            supervisor.watch(10)
except Stop as stop:
    sys.exit(stop.code)
"""


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Starts PROGRAM in an empty folder, and waits until its children run."""
    started: list[subprocess.Popen[bytes]] = []

    def run_it(*arguments: str, **options: Any) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-c", PROGRAM, *arguments]
        environ = os.environ | {"PYTHONPATH": os.getcwd()}
        with (tmp_path / "said").open("wb") as said:
            output: dict[str, Any] = {"stdout": said} | options
            program: subprocess.Popen[bytes] = subprocess.Popen(
                command, cwd=tmp_path, env=environ, **output
            )
        started.append(program)
        wait_until(lambda: len(pids(tmp_path)) == 3 + len(arguments))
        return program

    yield run_it
    for pid in pids(tmp_path).values():
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    for program in started:
        program.kill()
        program.wait()


def pids(folder: Path) -> dict[str, int]:
    """The process ids of the children of PROGRAM, by their names."""
    texts = {file.stem: file.read_text() for file in folder.glob("*.pid")}
    return {name: int(text) for name, text in texts.items() if text.endswith("\n")}


def lives(pid: int) -> bool:
    """Whether a process runs; a zombie does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    with suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def steady() -> Child:
    return Child("steady", STEADY, ready=lambda _: True)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_told_to_stop_it_stops_them_all(run, tmp_path, number):
    """systemd sends the first, Ctrl-C the second; either is a normal end."""
    program = run()
    children = pids(tmp_path)

    program.send_signal(number)

    assert program.wait(timeout=10) == 0
    assert not [name for name, pid in children.items() if lives(pid)]


def test_what_the_others_need_goes_last(run, tmp_path):
    """A worker that gives back its jobs still talks to the queue."""
    program = run()

    program.send_signal(signal.SIGTERM)
    program.wait()

    assert (tmp_path / "ends").read_text().split() == ["parent", "last"]


@pytest.mark.exhaustive
def test_a_child_that_does_not_stop_is_killed_in_time(run, tmp_path):
    """Five seconds is what we promise; systemd and people lose patience."""
    program = run("stubborn")
    children = pids(tmp_path)
    os.kill(children["last"], signal.SIGSTOP)

    program.send_signal(signal.SIGTERM)

    assert program.wait(timeout=10) == 0
    assert not [name for name, pid in children.items() if lives(pid)]


def test_a_second_ctrl_c_does_not_wait(run, tmp_path):
    """Whoever presses it again means it."""
    program = run("stubborn")
    children = pids(tmp_path)

    program.send_signal(signal.SIGINT)
    wait_until(lambda: not lives(children["parent"]))
    program.send_signal(signal.SIGINT)

    program.wait()
    assert "asked again" in (tmp_path / "said").read_text()
    assert not lives(children["stubborn"])


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells children of their parent")
def test_kill_9_leaves_no_child_behind(run, tmp_path):
    """The next start would find ports taken, and two workers of two configurations would run."""
    program = run("stubborn")
    children = pids(tmp_path)
    del children["grandchild"]  # Its own parent's business: gunicorn's workers look for it.

    program.kill()
    program.wait()

    wait_until(lambda: not [name for name, pid in children.items() if lives(pid)])


def test_sighup_is_passed_on(run, tmp_path):
    """`systemctl reload` reaches the supervisor only."""
    program = run()

    program.send_signal(signal.SIGHUP)

    wait_until((tmp_path / "reloads").exists)
    assert lives(pids(tmp_path)["last"])


def test_a_broken_configuration_is_not_passed_on(run, tmp_path):
    """A child that starts again later would refuse it, and the service would be down."""
    program = run()
    (tmp_path / "broken").touch()

    program.send_signal(signal.SIGHUP)
    wait_until(lambda: "the file is broken" in (tmp_path / "said").read_text())
    (tmp_path / "broken").unlink()
    program.send_signal(signal.SIGTERM)
    program.wait()

    assert not (tmp_path / "reloads").exists()


def test_a_closed_terminal_ends_it(run):
    """The terminal sends SIGHUP too, and nobody is left to press Ctrl-C."""
    ours, its = pty.openpty()
    program = run(stdin=its, stdout=its, stderr=its, start_new_session=True)
    os.close(its)

    os.close(ours)
    program.send_signal(signal.SIGHUP)

    assert program.wait(timeout=10) == 0


def test_a_killed_child_is_started_again():
    """kill -9, out of memory, a bug: the service must not need a person for it."""
    with Supervisor() as supervisor:
        supervisor.start(steady())
        first = supervisor.pid("steady")
        os.kill(first, signal.SIGKILL)

        assert supervisor.watch_until(lambda: supervisor.pid("steady") not in (None, first), 10)


def test_what_a_killed_child_leaves_is_killed_too(tmp_path):
    """Workers of a killed gunicorn would keep the port, and answer with an old configuration."""
    script = "sleep 1000 & echo $! > grandchild.pid; wait"
    parent = Child("parent", ("sh", "-c", f"cd {tmp_path}; {script}"), ready=lambda _: True)
    with Supervisor() as supervisor:
        supervisor.start(parent)
        assert supervisor.watch_until(lambda: bool(pids(tmp_path)), 10)
        grandchild = pids(tmp_path)["grandchild"]

        os.kill(supervisor.pid("parent"), signal.SIGKILL)

        assert supervisor.watch_until(lambda: not lives(grandchild), 10)


def test_pauses_between_starts_grow():
    """A child that cannot run must not eat the machine that the others run on."""
    with capture_logs() as logs, Supervisor() as supervisor:
        supervisor.start(Child("broken", ("false",), ready=lambda _: False))
        supervisor.watch_until(lambda: len(logs) == 3, 10)

    assert [entry["starts_again_in_s"] for entry in logs] == [0.5, 1.0, 2.0]


def test_one_childs_trouble_leaves_the_others_alone():
    """The receiver must take deliveries while the worker cannot run."""
    with capture_logs() as logs, Supervisor() as supervisor:
        supervisor.start(steady(), Child("broken", ("false",), ready=lambda _: False))
        before = supervisor.pid("steady")
        supervisor.watch_until(lambda: len(logs) == 2, 10)

        assert supervisor.pid("steady") == before


def test_a_child_that_cannot_be_started_again_is_tried_again(tmp_path):
    """No memory for a new process is no reason to stop those that run."""
    program = tmp_path / "program"
    program.symlink_to("/bin/cat")
    blocks = tmp_path / "blocks"
    os.mkfifo(blocks)
    with capture_logs() as logs, Supervisor() as supervisor:
        supervisor.start(Child("fragile", (str(program), str(blocks)), ready=lambda _: True))
        program.unlink()
        os.kill(supervisor.pid("fragile"), signal.SIGKILL)

        assert supervisor.watch_until(lambda: any("error" in line for line in logs), 10)

    assert logs[-1]["event"] == "child not started"


def test_a_refused_configuration_ends_the_start_at_once():
    """Nothing runs yet, and the child has just said on one line what is wrong."""
    choosy = Child("choosy", ("sh", "-c", "exit 2"), ready=lambda _: False)
    with capture_logs(), Supervisor() as supervisor:
        supervisor.start(steady())
        assert supervisor.watch_until(lambda: not supervisor.waits_for, 10)
        supervisor.start(choosy)

        with pytest.raises(Stop) as stop:
            supervisor.watch_until(lambda: False, 10)

    assert stop.value.code == 2


@pytest.mark.exhaustive
def test_a_configuration_refused_again_and_again_ends_it_later(tmp_path):
    """A first time may be chance, as with a queue that is just starting again."""
    accepted = tmp_path / "accepted"
    accepted.touch()
    script = f"echo started >> {tmp_path}/starts; test -e {accepted} || exit 2; sleep 1000"
    with capture_logs(), Supervisor() as supervisor:
        supervisor.start(Child("choosy", ("sh", "-c", script), ready=lambda _: True))
        assert supervisor.watch_until(lambda: not supervisor.waits_for, 10)
        accepted.unlink()
        os.kill(supervisor.pid("choosy"), signal.SIGKILL)

        with pytest.raises(Stop) as stop:
            supervisor.watch_until(lambda: False, 30)

    assert stop.value.code == 2
    assert len((tmp_path / "starts").read_text().split()) == 1 + 5


def test_a_child_that_ends_before_it_was_ready_can_be_helped(tmp_path):
    """The embedded queue puts its broken file aside."""
    cure = tmp_path / "cure"
    script = f"test -e {cure} && exec sleep 1000"
    ailing = Child(
        "ailing", ("sh", "-c", script), ready=lambda _: cure.exists(), ended_early=cure.touch
    )
    with capture_logs(), Supervisor() as supervisor:
        supervisor.start(ailing)

        assert supervisor.watch_until(lambda: not supervisor.waits_for, 10)


def test_a_child_is_not_ready_again_until_it_says_so(tmp_path):
    """A child that was just started again does no work yet."""
    with capture_logs(), Supervisor() as supervisor:
        supervisor.start(Child("slow", STEADY, ready=lambda _: (tmp_path / "ready").exists()))
        (tmp_path / "ready").touch()
        assert supervisor.watch_until(lambda: not supervisor.waits_for, 10)

        (tmp_path / "ready").unlink()
        os.kill(supervisor.pid("slow"), signal.SIGKILL)

        assert supervisor.watch_until(lambda: supervisor.waits_for, 10)


def test_children_have_the_output_and_the_environment_they_are_given(tmp_path):
    """The rehearsal keeps its children's logs out of the picture, and our settings out of them."""
    log = tmp_path / "log"
    says = Child(
        "says",
        ("/bin/sh", "-c", "echo $WHO; exec sleep 1000"),
        ready=lambda _: log.stat().st_size > 0,
    )
    with log.open("wb") as output, Supervisor(output=output, env={"WHO": "me"}) as supervisor:
        supervisor.start(says)

        assert supervisor.watch_until(lambda: not supervisor.waits_for, 10)

    assert log.read_text() == "me\n"
