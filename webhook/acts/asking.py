"""Asking the workers: only they have the secrets of targets, so they answer through the ledger."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol

from pydantic import TypeAdapter

from workers.explanation import Explanation
from workers.leavers import ExplanationId
from workers.ledger import Ledger, explanations
from workers.ledger.explanations import Question
from workers.ledger.queries import condition

#: What must come first where a job does not go on by itself.
FIRST = {
    "release": "once it is released",
    "approve": "once it is approved",
    "replay": "once it is replayed",
}

#: How often the answer is looked for, and how often a worker is woken again, in seconds.
LOOK_S = 0.1
WAKE_S = 3.0

#: So many questions are put at once: a large body must not keep the workers from leavers.
AT_ONCE = 4


_EXPLANATION = TypeAdapter(Explanation)


class Unanswered(Exception):
    """No worker has explained it; the message says why."""


class Asks(Protocol):
    """Wakes workers for questions, as workers.dispatch.Waker does."""

    def ask(self, questions: Iterable[ExplanationId]) -> None:
        """Have these questions answered soon."""


def answers(
    ledger: Ledger,
    waker: Asks,
    questions: Sequence[Question],
    *,
    actor: str,
    timeout: timedelta,
    clock: Callable[[], datetime],
) -> Iterator[Explanation]:
    """The answer to each question, in their order.  Unanswered where none comes in time.

    `timeout` is how long to wait for those that are put together.
    """
    for start in range(0, len(questions), AT_ONCE):
        ids = explanations.ask(ledger, questions[start : start + AT_ONCE], actor=actor, now=clock())
        try:
            told = _wait(ledger, waker, ids, timeout, clock)
        finally:
            explanations.forget(ledger, ids)
        for each in ids:
            if "error" in told[each]:
                raise Unanswered(f"a worker could not explain it: {told[each]['error']}")
            yield _EXPLANATION.validate_python(told[each])


def _wait(
    ledger: Ledger,
    waker: Asks,
    ids: Sequence[ExplanationId],
    timeout: timedelta,
    clock: Callable[[], datetime],
) -> Mapping[ExplanationId, Mapping[str, Any]]:
    told: Mapping[ExplanationId, Mapping[str, Any]] = {}
    asked_at, woken_at = time.monotonic(), 0.0
    while len(told) < len(ids):
        if time.monotonic() - asked_at > timeout.total_seconds():
            raise Unanswered(_nobody(ledger, timeout, clock()))
        if time.monotonic() - woken_at > WAKE_S:
            waker.ask([each for each in ids if each not in told])
            woken_at = time.monotonic()
        time.sleep(LOOK_S)
        told = explanations.answers(ledger, ids)
    return told


def _nobody(ledger: Ledger, timeout: timedelta, now: datetime) -> str:
    waited = f"no worker answered within {timeout.total_seconds():.0f} s"
    if condition.workers(ledger, now=now):
        return f"{waited}; they may be busy: try again"
    return f"{waited}, and none runs: `leaver work` starts one (`leaver up` starts everything)"
