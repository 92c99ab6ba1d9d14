"""The arithmetic of the brake: has a sliding window room for one more leaver?  Pure.

    windows   so many leavers within so long, of policy.brake or sources.X.brake
    passed    the instants at which leavers passed, in any order

A leaver passes once in each round, however many targets and attempts follow.  Who may pass and who
waits is kept by workers/ledger/brakes.py.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from config.settings import Window


@dataclass(frozen=True, slots=True)
class Use:
    """How much of a window is used."""

    window: Window
    used: int

    @property
    def room(self) -> int:
        """How many leavers more it lets pass now; released ones may have gone beyond it."""
        return max(0, self.window.leavers - self.used)


def uses(windows: Iterable[Window], passed: Collection[datetime], now: datetime) -> tuple[Use, ...]:
    """How much of each window is used at `now`.

    Whoever passed exactly a window's length ago has left it.  What another clock put into the
    future counts.
    """
    return tuple(
        Use(window, sum(instant > now - window.per for instant in passed)) for window in windows
    )


def full(windows: Iterable[Window], passed: Collection[datetime], now: datetime) -> Window | None:
    """The first window without room, None if all have some."""
    return next((use.window for use in uses(windows, passed, now) if not use.room), None)
