"""The API without a network: the console's app and a real ledger, in a time that stands."""

import json
from collections.abc import Callable
from datetime import datetime

import pytest
from flask import Flask

from tests.webhook.console.conftest import app_of
from tests.workers.records import DAY, NOW
from workers.ledger import tokens
from workers.ledger.users import Role


@pytest.fixture
def app() -> Callable[..., Flask]:
    """Makes the app of a ledger, at a time, with more settings by environment variables."""
    return app_of


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
