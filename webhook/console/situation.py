"""What the console's pages work with: the ledger, the settings, the clock, and who is woken."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from flask import current_app

from config.settings import Settings
from workers.leavers import ExplanationId, JobId
from workers.ledger import Ledger


class Wakes(Protocol):
    """Sends wake-up calls, off the request's path."""

    def wake(self, jobs: Sequence[JobId]) -> None:
        """Wake workers for these jobs."""

    def ask(self, questions: Iterable[ExplanationId]) -> None:
        """Wake workers for these questions."""


@dataclass(frozen=True, slots=True)
class Situation:
    """The situation of one console."""

    ledger: Ledger
    settings: Settings
    waker: Wakes
    now: Callable[[], datetime]


def at() -> Situation:
    """The situation of the console that answers this request."""
    situation: Situation = current_app.extensions["leaver"]
    return situation
