"""The console without a network: the real app and a real ledger, in a time that stands."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from tests.webhook.receiving import empty_ledger
from tests.workers.records import NOW
from webhook.console.app import create_app
from workers.ledger import Ledger


@pytest.fixture
def ledger(opened: Callable[[str], Ledger], tmp_path: Path) -> Ledger:
    """An empty ledger."""
    file = tmp_path / "leaver.db"
    file.write_bytes(empty_ledger())
    return opened(f"sqlite:///{file}")


@pytest.fixture
def lost_ledger(opened: Callable[[str], Ledger], tmp_path: Path) -> Ledger:
    """A ledger that cannot be read."""
    return opened(f"sqlite:///{tmp_path}/no-folder/leaver.db")


@pytest.fixture
def console() -> Callable[..., FlaskClient]:
    """Makes a client of the console of a ledger, at a time."""

    def visit(ledger: Ledger, now: datetime = NOW) -> FlaskClient:
        return create_app(ledger, lambda: now).test_client()

    return visit
