"""`leaver console` as a process: where it listens, what it loads, and how it ends."""

import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.servers import free_port, wait_until
from tests.webhook.receiving import empty_ledger

#: What only workers load: it needs the keys of targets and HR systems.
OTHERS = ("workers.targets", "workers.deprov", "workers.hr.base", "workers.hr.systems", "apprise")

CONFIGURATION = """
[console]
listen = "127.0.0.1:{port}"

[policy]
timezone = "UTC"

[notify]
urls = ["json://127.0.0.1"]

[targets.cloud]
kind = "atlassian-org"
org_id = "test-org"
"""


@pytest.fixture
def port(tmp_path: Path, monkeypatch) -> int:
    """Where the console of this configuration listens.  Nobody can read its target's key."""
    monkeypatch.setenv("LEAVER_TARGETS__CLOUD__API_KEY_FILE", "/nowhere/key")
    port = free_port()
    (tmp_path / "leaver.toml").write_text(CONFIGURATION.format(port=port))
    (tmp_path / "var").mkdir()
    (tmp_path / "var" / "leaver.db").write_bytes(empty_ledger())
    return port


@pytest.fixture
def console(tmp_path: Path, port: int):
    """The process; its stderr tells which modules it loads, and what it logs."""
    command = [sys.executable, "-X", "importtime", "-m", "webhook.cli", "console"]
    with (tmp_path / "stderr").open("wb") as stderr:
        process = subprocess.Popen(command, cwd=tmp_path, stderr=stderr)
    try:
        wait_until(lambda: health(port), seconds=30)
        wait_until(lambda: "doctor done" in (tmp_path / "stderr").read_text(), seconds=30)
        yield process
    finally:
        process.terminate()
        process.wait(10)


def health(port: int) -> dict[str, Any]:
    """What it says of itself; nothing while it does not answer."""
    try:
        found: dict[str, Any] = requests.get(f"http://127.0.0.1:{port}/healthz", timeout=5).json()
    except requests.ConnectionError:
        return {}
    return found


def test_it_shows_metrics_without_any_secret_of_a_target(console, port):
    """Whoever breaks into the console must not find a key that deactivates people."""
    metrics = requests.get(f"http://127.0.0.1:{port}/metrics", timeout=5)

    assert (metrics.status_code, "leaver_ledger_up 1.0" in metrics.text) == (200, True)


def test_it_never_loads_the_code_of_a_target(console, port, tmp_path):
    """Neither at its start, when it examines what waits, nor for an answer."""
    requests.get(f"http://127.0.0.1:{port}/metrics", timeout=5).raise_for_status()

    told = (tmp_path / "stderr").read_text().splitlines()
    loaded = {line.rpartition("|")[2].strip() for line in told if line.startswith("import time:")}
    assert "webhook.console.metrics" in loaded
    assert not [name for name in loaded if name.startswith(OTHERS)]


def test_it_ends_in_good_order(console):
    """With success, and at once."""
    console.terminate()

    assert console.wait(30) == 0


def test_a_new_configuration_counts_after_a_sighup(console, port, tmp_path):
    """And nobody notices the change."""
    config = tmp_path / "leaver.toml"
    config.write_text(config.read_text() + '\n[ledger]\nurl = "sqlite:///var/none/leaver.db"\n')

    console.send_signal(signal.SIGHUP)

    wait_until(lambda: health(port).get("ledger") == "unavailable", seconds=10)


def test_a_wrong_configuration_is_refused_at_a_sighup(console, port, tmp_path):
    """What works goes on."""
    (tmp_path / "leaver.toml").write_text("nonsense")

    console.send_signal(signal.SIGHUP)

    wait_until(lambda: "configuration refused" in (tmp_path / "stderr").read_text(), seconds=10)
    assert health(port)["ledger"] == "ok"


def test_a_taken_port_stops_the_start(port, tmp_path):
    """With the setting that names another one."""
    with socket.create_server(("127.0.0.1", port)):
        command = [sys.executable, "-m", "webhook.cli", "console"]
        ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=30)

    assert ended.returncode == 2
    assert "console.listen" in ended.stderr.splitlines()[-1]
