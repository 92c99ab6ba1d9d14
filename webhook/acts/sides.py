"""Whole sources and targets, of which an operator says that they wait (workers/ledger/holds.py)."""

from dataclasses import dataclass
from datetime import datetime

from config.settings import Settings
from config.sources import OPERATOR
from workers.leavers import hr_target
from workers.ledger import Ledger, holds
from workers.ledger.holds import Kind, Side
from workers.ledger.queries.holds import known, waiting
from workers.ledger.queries.jobs import JobFilter


class UnknownSide(LookupError):
    """Neither the configuration nor the ledger knows it: to hold it would hold nothing, unnoticed.

    The message says which there are.
    """


@dataclass(frozen=True, slots=True)
class SideHeld:
    """A whole source or target after a word to hold it; `result` is empty if it was held before.

    Each of the `running` jobs stops before its next write.
    """

    kind: Kind
    name: str
    result: str
    running: int


@dataclass(frozen=True, slots=True)
class SideReleased:
    """A whole source or target after a word to release it; `result` is empty if it was not held.

    So many `jobs` go on by themselves.
    """

    kind: Kind
    name: str
    result: str
    jobs: int


def hold(ledger: Ledger, side: Side, *, actor: str, why: str, now: datetime) -> SideHeld:
    """Have the whole side wait."""
    new = holds.hold(ledger, side, actor=actor, why=why, now=now)
    running = len(holds.running(ledger, side))
    return SideHeld(side.kind, side.name, "held" if new else "", running)


def release(ledger: Ledger, side: Side, *, actor: str, why: str, now: datetime) -> SideReleased:
    """Let the whole side go."""
    jobs = waiting(ledger, side)
    released = holds.release(ledger, side, actor=actor, why=why, now=now)
    return SideReleased(side.kind, side.name, "released" if released else "", jobs)


def checked(settings: Settings, ledger: Ledger, side: Side) -> Side:
    """The side, if there is one of this name.  Raises UnknownSide."""
    configured = {
        "source": {OPERATOR, *settings.sources},
        "target": {*settings.targets, *map(hr_target, settings.apis)},
    }
    names = sorted(configured[side.kind] | known(ledger, side.kind))
    if side.name not in names:
        raise UnknownSide(f"no {side}; known: {', '.join(names)}")
    return side


def unfinished(side: Side) -> JobFilter:
    """All its jobs that have not ended."""
    source, target = (side.name if side.kind == kind else None for kind in ("source", "target"))
    return JobFilter(source=source, target=target, unfinished=True)
