"""The console without a network: the real app and a real ledger, in a time that stands."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from config.settings import load
from tests.workers.fakes import FakeWaker
from tests.workers.records import NOW
from webhook.console.app import create_app
from workers.ledger import Ledger, sessions
from workers.ledger.users import Role

CONFIGURATION = """
[policy]
mode = "act"
timezone = "UTC"

[sources.hr]
kind = "bamboohr"
secrets = ["test-key-not-a-secret"]

[targets.cloud]
kind = "atlassian-org"
org_id = "an-organization"
api_key = "test-key-not-a-secret"
operated_by = "it-admin@example.com"
"""


@pytest.fixture
def ledger(sqlite_ledger: Ledger) -> Ledger:
    """An empty ledger."""
    return sqlite_ledger


@pytest.fixture
def lost_ledger(opened: Callable[[str], Ledger], tmp_path: Path) -> Ledger:
    """A ledger that cannot be read."""
    return opened(f"sqlite:///{tmp_path}/no-folder/leaver.db")


@pytest.fixture
def console(tmp_path: Path) -> Callable[..., FlaskClient]:
    """Makes a client of the console of a ledger, at a time."""

    configuration = tmp_path / "leaver.toml"
    configuration.write_text(CONFIGURATION)

    def visit(ledger: Ledger, now: datetime = NOW) -> FlaskClient:
        settings = load(configuration, {}).for_the_door()
        return create_app(settings, ledger, FakeWaker(), lambda: now).test_client()

    return visit


@pytest.fixture
def alice(ledger, console):
    """A browser in which an operator is signed in."""
    client = console(ledger)
    token = sessions.start(ledger, "alice", Role.OPERATOR, how="by a test", now=NOW)
    client.set_cookie("leaver_session", token)
    client.csrf = sessions.of(ledger, token, NOW).csrf
    return client
