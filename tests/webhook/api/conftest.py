"""The API without a network: the console's app and a real ledger, in a time that stands."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
from flask import Flask

from config.settings import load
from tests.webhook.console.conftest import CONFIGURATION
from tests.workers.fakes import FakeWaker
from tests.workers.records import DAY, NOW
from webhook.console.app import create_app
from workers.ledger import Ledger, tokens
from workers.ledger.users import Role


@pytest.fixture
def app(tmp_path: Path) -> Callable[..., Flask]:
    """Makes the app of a ledger, at a time."""
    configuration = tmp_path / "leaver.toml"
    configuration.write_text(CONFIGURATION)

    def make(ledger: Ledger, now: datetime = NOW) -> Flask:
        settings = load(configuration, {}).for_the_door()
        return create_app(settings, ledger, FakeWaker(), lambda: now)

    return make


@pytest.fixture
def program(app, ledger):
    """Makes a function that asks the API as a program with a role."""

    def allow(role: Role = Role.VIEWER, now: datetime = NOW):
        token = tokens.add(ledger, role, role, lasts=DAY, actor="root", now=NOW)
        headers = {"Authorization": f"Bearer {token}"}
        client = app(ledger, now).test_client()
        return lambda path, **query: client.get(
            f"/api/v1{path}", headers=headers, query_string=query
        )

    return allow
