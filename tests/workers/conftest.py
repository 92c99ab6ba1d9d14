"""What tests of the workers can ask for: a ledger, empty and up to date, on each database."""

from collections.abc import Iterator

import pytest

from workers.ledger import Ledger, open_ledger


@pytest.fixture
def ledger(ledger_url: str) -> Iterator[Ledger]:
    """A ledger of this version's schema, without a row."""
    ledger = open_ledger(ledger_url)
    ledger.migrate()
    yield ledger
    ledger.close()
