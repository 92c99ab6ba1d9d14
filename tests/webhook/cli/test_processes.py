"""What the processes have in common before they run: configuration, ports, warnings."""

import json
import signal
import socket
import subprocess
import sys

import pytest
import requests

from tests.servers import free_port


@pytest.mark.parametrize(
    ("command", "section", "code"),
    [("serve", "sources", "E001"), ("up", "sources", "E001"), ("work", "targets", "E002")],
)
def test_a_process_that_would_do_nothing_does_not_start(leaver, command, section, code):
    """A receiver without a source would answer 404 to every leaver."""
    leaver.config.write_text('[policy]\ntimezone = "UTC"\n')

    result = leaver.run(command)

    assert (result.exit_code, result.stderr.startswith(f"Error: {code} ")) == (2, True)
    assert f"[{section}.NAME]" in result.stderr


def test_a_warning_is_logged_at_the_start(leaver):
    """Shadow mode is easy to forget."""
    leaver.configure(mode="shadow")
    (leaver.folder / "var" / "leaver.db").unlink()  # So that it stops at once.

    ended = real(leaver, "work")

    first = json.loads(ended.stderr.splitlines()[0])
    assert (first["level"], first["event"], first["code"]) == ("warning", "configuration", "W003")
    assert ended.returncode == 2


@pytest.mark.parametrize("command", ["serve", "work"])
def test_a_part_does_not_start_without_the_embedded_queue(leaver, command):
    """Alone it would wait for ever for a queue that only `leaver up` starts."""
    leaver.configure(queue="embedded")

    result = leaver.run(command)

    assert (result.exit_code, "start `leaver up`" in result.stderr) == (2, True)


def test_a_taken_port_stops_the_sandbox(leaver):
    """One line, with the option that chooses another one."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ended = real(leaver, "sandbox", "--port", str(taken.getsockname()[1]))

    assert (ended.returncode, "choose another --port" in ended.stderr) == (2, True)


def test_the_sandbox_says_where_it_answers_and_ends_at_a_signal(leaver):
    """It is started beside the real thing, to rehearse."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "webhook.cli", "sandbox", "--port", str(port)],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout
        said = process.stdout.readline()
        people = requests.get(f"{said.split()[-1]}/sandbox/people", timeout=5)
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=10)

    assert f"http://127.0.0.1:{port}" in said
    assert people.status_code == 200
    assert process.returncode == 0


def real(leaver, *words):
    """What the real command says and how it ends."""
    command = [sys.executable, "-m", "webhook.cli", "--config", str(leaver.config), *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)
