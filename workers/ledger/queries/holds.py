"""The standing holds, and which sources and targets the ledger knows."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from workers.leavers import State
from workers.ledger import holds as kept
from workers.ledger import tables as t
from workers.ledger import tallies
from workers.ledger.queries import lists
from workers.ledger.store import Ledger


@dataclass(frozen=True, slots=True)
class StandingHold:
    """A whole source or target that waits: by whose word, why, since when, and how many jobs."""

    kind: str
    name: str
    actor: str
    reason: str
    held_at: datetime
    jobs: int


def standing(ledger: Ledger) -> list[StandingHold]:
    """Those that stand, the oldest first."""
    query = sa.select(t.holds).where(t.holds.c.held_at.is_not(None))
    with ledger.read() as tx:
        return [
            StandingHold(
                kind=row.kind,
                name=row.name,
                actor=row.actor,
                reason=row.reason,
                held_at=row.held_at,
                jobs=_waiting(tx, kept.Side(row.kind, row.name)),
            )
            for row in tx.execute(query.order_by(t.holds.c.held_at, t.holds.c.kind))
        ]


def waiting(ledger: Ledger, side: kept.Side) -> int:
    """How many jobs were held with their side."""
    with ledger.read() as tx:
        return _waiting(tx, side)


def known(ledger: Ledger, kind: kept.Kind) -> set[str]:
    """The names of every source, or target, that ever had a job or a hold."""
    held = sa.select(t.holds.c.name).where(t.holds.c.kind == kind)
    with ledger.read() as tx:
        jobs = sa.select(tallies.kinds("jobs").c[kind])
        return {*tx.scalars(jobs), *tx.scalars(held)}


def _waiting(tx: sa.Connection, side: kept.Side) -> int:
    kept = t.tallies.c
    own = (kept.state == State.HELD, kept[side.kind] == side.name, kept.reason == side.reason)
    return lists.count(tx, "jobs", *own)
