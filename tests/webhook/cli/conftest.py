"""The command line with a configuration and a ledger of its own, in the test's process."""

import json
import os
import pty
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import structlog
from click.testing import CliRunner, Result

from tests.webhook.receiving import BAMBOOHR_KEYS, OKTA_SECRETS, STANDARD_KEYS, empty_ledger
from webhook.cli import main
from workers.ledger import Ledger, open_ledger

#: Nobody listens on port 1, so that waking the workers fails at once.
CONFIGURATION = """
[server]
listen = "{server}"

[queue]
url = "{queue}"

[notify]
urls = {urls}

[policy]
mode = "{mode}"
timezone = "Europe/Berlin"

[sources.hr]
kind = "bamboohr"
secrets = ["{bamboohr}"]

[sources.standard]
kind = "standard"
secrets = ["{standard}"]

[sources.okta]
kind = "okta"
secrets = ["{okta}"]

[targets.cloud]
kind = "atlassian-org"
base_url = "{base_url}"
org_id = "{org_id}"
api_key = "{api_key}"
operated_by = "it-admin@example.com"

[targets.labs]
kind = "atlassian-org"
base_url = "{base_url}"
org_id = "{org_id}"
api_key = "{api_key}"
operated_by = "it-admin@example.com"
"""
DEFAULTS = {
    "server": "127.0.0.1:1",
    "queue": "redis://127.0.0.1:1/0",
    "urls": "[]",
    "mode": "act",
    "bamboohr": BAMBOOHR_KEYS[0],
    "standard": STANDARD_KEYS[0],
    "okta": OKTA_SECRETS[0],
    "base_url": "http://127.0.0.1:1",
    "org_id": "test-org",
    "api_key": "test-key-not-a-secret",
}


@dataclass
class Leaver:
    """The command `leaver`, as an operator of one company types it."""

    folder: Path

    @property
    def config(self) -> Path:
        return self.folder / "leaver.toml"

    def configure(self, **values: str) -> None:
        """Write the configuration, with some of it changed."""
        self.config.write_text(CONFIGURATION.format(**DEFAULTS | values))

    def run(self, *words: object) -> Result:
        """Run a command whose output goes into a pipe, and whose input is empty."""
        arguments = ["--config", str(self.config), *map(str, words)]
        return CliRunner().invoke(main, arguments, prog_name="leaver")

    def json(self, *words: object) -> list[Any]:
        """What a command prints as JSON, line by line; it must end well."""
        result = self.run(*words, "--json")
        assert result.exit_code == 0, result.output
        return [json.loads(line) for line in result.stdout.splitlines()]

    def on_terminal(
        self, *words: object, answer: str = "", until: str | None = None
    ) -> tuple[int, str]:
        """Run the real command on a terminal 80 columns wide; its exit code and what was seen.

        Where `until` is seen it gets a Ctrl-C.
        """
        ours, theirs = pty.openpty()
        arguments = [sys.executable, "-m", "webhook.cli", "--config", str(self.config)]
        process = subprocess.Popen(
            [*arguments, *map(str, words)],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env=os.environ | {"TERM": "xterm", "COLUMNS": "80"},
        )
        os.close(theirs)
        os.write(ours, answer.encode())
        seen = b""
        while select.select([ours], [], [], 30)[0]:
            try:
                seen += os.read(ours, 4096)
            except OSError:  # Linux says so where the other end was closed.
                break
            if until and until in seen.decode(errors="ignore"):
                process.send_signal(signal.SIGINT)
                until = None
        os.close(ours)
        return process.wait(30), seen.decode()


@pytest.fixture
def leaver(tmp_path: Path) -> Leaver:
    """The command, configured, with an empty ledger."""
    command = Leaver(tmp_path)
    command.configure()
    (tmp_path / "var").mkdir()
    (tmp_path / "var" / "leaver.db").write_bytes(empty_ledger())
    return command


@pytest.fixture
def ledger(leaver: Leaver) -> Iterator[Ledger]:
    """The ledger that the command works on."""
    ledger = open_ledger(f"sqlite:///{leaver.folder / 'var' / 'leaver.db'}")
    yield ledger
    ledger.close()


@pytest.fixture
def now() -> datetime:
    """The real time, by which commands go."""
    return datetime.now(UTC)


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    """A command changes what is logged, for its whole process."""
    yield
    structlog.reset_defaults()
