"""What every test of the receiver can ask for."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.webhook.receiving import Receiver, new_receiver


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[Receiver]:
    """A receiver with an empty ledger."""
    receiver = new_receiver(tmp_path)
    yield receiver
    receiver.ledger.close()
