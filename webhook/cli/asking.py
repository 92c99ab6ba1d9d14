"""Asking the workers for an explanation (webhook/acts/asking.py), from the command line."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

import click

from webhook.cli.situation import actor, now, waker

if TYPE_CHECKING:
    from config.settings import Settings
    from workers.explanation import Explanation
    from workers.ledger import Ledger
    from workers.ledger.explanations import Question


def answers(
    settings: "Settings", ledger: "Ledger", questions: "Sequence[Question]", timeout: timedelta
) -> "Iterator[Explanation]":
    """The answer to each question, in their order.  ClickException where none comes in time."""
    from webhook.acts import asking

    if not questions:
        return
    wake = waker(settings)
    if wake is None:
        raise click.ClickException("without the queue no worker can be asked")
    try:
        yield from asking.answers(
            ledger, wake, questions, actor=actor(), timeout=timeout, clock=now
        )
    except asking.Unanswered as error:
        raise click.ClickException(str(error)) from error
