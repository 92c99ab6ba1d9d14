"""The console without a network: the real app and a real ledger, in a time that stands."""

import copy
import functools
import tempfile
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from config.settings import load
from tests.workers.fakes import FakeWaker
from tests.workers.records import NOW
from webhook.console.app import create_app
from workers.ledger import Ledger, open_ledger, sessions
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
def console() -> Callable[..., FlaskClient]:
    """Makes a client of the console of a ledger, at a time."""
    return lambda ledger, now=NOW: app_of(ledger, now).test_client()


def app_of(ledger: Ledger, now: datetime = NOW, **environ: str) -> Flask:
    """The console of a ledger, at a time, with more settings by environment variables."""
    known = _app(frozenset(environ.items()))
    app = copy.copy(known)
    own = replace(known.extensions["leaver"], ledger=ledger, now=lambda: now)
    app.extensions = known.extensions | {"leaver": own}
    return app


@functools.cache
def _app(environ: frozenset[tuple[str, str]]) -> Flask:
    """One of no ledger, to be copied: to make its routes takes longer than most tests."""
    with tempfile.TemporaryDirectory() as folder:
        configuration = Path(folder, "leaver.toml")
        configuration.write_text(CONFIGURATION)
        settings = load(configuration, dict(environ)).for_the_door()
        return create_app(settings, open_ledger(f"sqlite:///{folder}/none.db"), FakeWaker())


@pytest.fixture
def alice(ledger, console):
    """A browser in which an operator is signed in."""
    client = console(ledger)
    token = sessions.start(ledger, "alice", Role.OPERATOR, how="by a test", now=NOW)
    client.set_cookie("leaver_session", token)
    client.csrf = sessions.of(ledger, token, NOW).csrf
    return client
