"""What tests of messages can ask for: a worker that sends them, and where they arrive."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.workers.messages.inbox import Inbox, Office
from workers.ledger import Ledger


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    """Somebody who gets messages."""
    with Inbox() as inbox:
        yield inbox


@pytest.fixture
def other() -> Iterator[Inbox]:
    """Somebody else."""
    with Inbox(path="/other") as inbox:
        yield inbox


@pytest.fixture
def office(ledger: Ledger, tmp_path: Path) -> Iterator[Callable[..., Office]]:
    """Workers on one ledger that send to these URLs."""
    with ExitStack() as stack:

        def opened(*urls: str, **about: Any) -> Office:
            found = Office(ledger, tmp_path, *urls, **about)
            stack.callback(found.shop.close)
            return found

        yield opened
