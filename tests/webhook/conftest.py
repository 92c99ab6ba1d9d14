"""What every test of the receiver, the console and the API can ask for."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from tests.webhook.receiving import Receiver, new_receiver
from tests.workers.records import NOW
from webhook.acts import asking
from webhook.console import explaining
from workers.explanation import Asked, Explanation, Matched, Next
from workers.leavers import Action, LeaverKind, Outcome, State
from workers.ledger import Ledger, explanations
from workers.ledger.queries import as_json

EXPLANATION = Explanation(
    source="operator",
    target="cloud",
    action=Action.DEACTIVATE,
    email="tom@example.com",
    employee_id="",
    kind=LeaverKind.TERMINATED,
    cutoff=NOW,
    reckoned="at once",
    job=None,
    state=None,
    outcome=None,
    reason="",
    detail="",
    first="replay",
    account=Matched("account-of-tom", "active", "deactivate"),
    rules=(Asked("exact match", "<b>one</b>", decides=True),),
    calls=(),
    next=Next(State.DONE, Outcome.DEACTIVATED, write="users.deactivate"),
)


@pytest.fixture
def receiver(sqlite_ledger: Ledger) -> Iterator[Receiver]:
    """A receiver with an empty ledger."""
    receiver = new_receiver(sqlite_ledger)
    yield receiver
    receiver.close()


@pytest.fixture
def worker(ledger, monkeypatch):
    """Answers each question at once, as workers/explain.py does."""

    def ask(_waker, questions):
        for each in questions:
            explanations.answer(ledger, each, as_json(EXPLANATION))

    monkeypatch.setattr("tests.workers.fakes.FakeWaker.ask", ask)
    monkeypatch.setattr(asking, "LOOK_S", 0)


@pytest.fixture
def nobody_works(monkeypatch):
    """No worker runs, and nobody waits for one for long."""
    monkeypatch.setattr(explaining, "TIMEOUT", timedelta())
