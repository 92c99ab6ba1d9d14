"""The API without a network: the console's app and a real ledger, in a time that stands."""

import json
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
    """Makes the app of a ledger, at a time, with more settings by environment variables."""
    configuration = tmp_path / "leaver.toml"
    configuration.write_text(CONFIGURATION)

    def make(ledger: Ledger, now: datetime = NOW, **environ: str) -> Flask:
        settings = load(configuration, environ).for_the_door()
        return create_app(settings, ledger, FakeWaker(), lambda: now)

    return make


@pytest.fixture
def program(app, ledger):
    """Makes a function that asks the API as a program with a role."""

    def allow(role: Role = Role.VIEWER, now: datetime = NOW, **environ: str):
        token = tokens.add(ledger, role, role, lasts=DAY, actor="root", now=NOW)
        headers = {"Authorization": f"Bearer {token}"}
        client = app(ledger, now, **environ).test_client()
        return lambda path, **query: client.get(
            f"/api/v1{path}", headers=headers, query_string=query
        )

    return allow


@pytest.fixture
def poster(app, ledger):
    """Makes a function that posts as a program with a role."""

    def allow(role: Role = Role.OPERATOR, now: datetime = NOW, **environ: str):
        token = tokens.add(ledger, f"poster {role} {now}", role, lasts=DAY * 9, actor="r", now=NOW)
        client = app(ledger, now, **environ).test_client()

        def post(path, said, key="a key", **headers):
            headers |= {"Authorization": f"Bearer {token}", "Idempotency-Key": key}
            headers.setdefault("Content-Type", "application/json")
            data = said if isinstance(said, bytes) else json.dumps(said)
            return client.post(f"/api/v1{path}", data=data, headers=headers)

        return post

    return allow
