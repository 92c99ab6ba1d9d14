"""What every test of the receiver can ask for."""

from collections.abc import Iterator

import pytest

from tests.webhook.receiving import Receiver, new_receiver
from workers.ledger import Ledger


@pytest.fixture
def receiver(sqlite_ledger: Ledger) -> Iterator[Receiver]:
    """A receiver with an empty ledger."""
    receiver = new_receiver(sqlite_ledger)
    yield receiver
    receiver.close()
