"""Whole sources and targets, of which an operator says that they wait (workers/ledger/holds.py)."""

from config.settings import Settings
from config.sources import OPERATOR
from workers.leavers import hr_target
from workers.ledger import Ledger
from workers.ledger.holds import Side
from workers.ledger.queries.holds import known
from workers.ledger.queries.jobs import JobFilter


class UnknownSide(LookupError):
    """Neither the configuration nor the ledger knows it: to hold it would hold nothing, unnoticed.

    The message says which there are.
    """


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
