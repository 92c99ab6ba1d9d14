"""Asking the workers: only they have the secrets of targets, so they answer through the ledger."""

import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import click

from webhook.cli.situation import actor, now, waker

if TYPE_CHECKING:
    from config.settings import Settings
    from webhook.acts.explain import Told
    from workers.dispatch import Waker
    from workers.ledger import Ledger
    from workers.ledger.explanations import Question

#: How often the answer is looked for, and how often a worker is woken again, in seconds.
LOOK_S = 0.1
WAKE_S = 3.0

#: So many questions are put at once: a large body must not keep the workers from leavers.
AT_ONCE = 4


def answers(
    settings: "Settings", ledger: "Ledger", questions: "Sequence[Question]", timeout: timedelta
) -> "Iterator[Told]":
    """The answer to each question, in their order.  ClickException where none comes in time."""
    if not questions:
        return
    wake = waker(settings)
    if wake is None:
        raise click.ClickException("without the queue no worker can be asked")
    for start in range(0, len(questions), AT_ONCE):
        yield from _answers(ledger, wake, questions[start : start + AT_ONCE], timeout)


def _answers(
    ledger: "Ledger", wake: "Waker", questions: "Sequence[Question]", timeout: timedelta
) -> "Iterator[Told]":
    from workers.ledger import explanations

    ids = explanations.ask(ledger, questions, actor=actor(), now=now())
    try:
        told: Mapping[Any, Told] = {}
        asked_at, woken_at = time.monotonic(), 0.0
        while len(told) < len(ids):
            if time.monotonic() - asked_at > timeout.total_seconds():
                raise click.ClickException(_nobody(ledger, timeout))
            if time.monotonic() - woken_at > WAKE_S:
                wake.ask(each for each in ids if each not in told)
                woken_at = time.monotonic()
            time.sleep(LOOK_S)
            told = explanations.answers(ledger, ids)
    finally:
        explanations.forget(ledger, ids)
    for each in ids:
        if "error" in told[each]:
            raise click.ClickException(f"a worker could not explain it: {told[each]['error']}")
        yield told[each]


def _nobody(ledger: "Ledger", timeout: timedelta) -> str:
    from workers.ledger.queries import condition

    waited = f"no worker answered within {timeout.total_seconds():.0f} s"
    if condition.workers(ledger, now=now()):
        return f"{waited}; they may be busy: try again with a longer --timeout"
    return f"{waited}, and none runs: `leaver work` starts one (`leaver up` starts everything)"
