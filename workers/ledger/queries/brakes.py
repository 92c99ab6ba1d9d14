"""Where the brake stands: each window with its use, and who waits."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from config.settings import Window, spelled
from workers.brake import uses
from workers.leavers import State
from workers.ledger import brakes as kept
from workers.ledger import tables as t
from workers.ledger.queries import lists
from workers.ledger.store import Ledger


@dataclass(frozen=True, slots=True)
class WindowUse:
    """One window: so many leavers within `per`, as the file writes it."""

    leavers: int
    per: str
    used: int
    room: int


@dataclass(frozen=True, slots=True)
class Brake:
    """The brake over all sources (source None), or that of one."""

    source: str | None
    tripped_since: datetime | None
    waiting: int  # leavers
    allowance: int  # leavers who may pass beyond the windows
    windows: tuple[WindowUse, ...]


@dataclass(frozen=True, slots=True)
class Brakes:
    """All of them; each leaver who waits has one job or more."""

    tripped: bool
    waiting_leavers: int
    waiting_jobs: int
    brakes: tuple[Brake, ...]


def standing(ledger: Ledger, configured: kept.Brakes, *, now: datetime) -> Brakes:
    """Every brake that is configured, and every other one that is tripped or has an allowance."""
    with ledger.read() as tx:
        rows = {row["source"]: row for row in tx.execute(sa.select(t.brakes)).mappings()}
        live = [name for name, row in rows.items() if row["tripped_at"] or row["allowance"]]
        names = sorted({kept.ALL, *configured, *live})
        brakes = tuple(
            _brake(tx, name, rows.get(name), configured.get(name, ()), now) for name in names
        )
        held = (t.tallies.c.state == State.HELD, t.tallies.c.reason == "brake")
        return Brakes(
            tripped=any(brake.tripped_since for brake in brakes),
            waiting_leavers=kept.waiting(tx, None),
            waiting_jobs=lists.count(tx, "jobs", *held),
            brakes=brakes,
        )


def tripped(tx: sa.Connection) -> Mapping[str, int]:
    """Each brake that there ever was, by source, and 1 where it is tripped."""
    rows = tx.execute(sa.select(t.brakes.c.source, t.brakes.c.tripped_at)).all()
    return {name: int(bool(at) and kept.anybody_waits(tx, name or None)) for name, at in rows}


def _brake(
    tx: sa.Connection,
    name: str,
    row: sa.RowMapping | None,
    windows: tuple[Window, ...],
    now: datetime,
) -> Brake:
    waiting = kept.waiting(tx, name or None)
    passed = []
    if windows:
        within = kept.passed_since(name, now, windows)
        passed = list(tx.scalars(sa.select(t.places.c.taken_at).where(within)))
    return Brake(
        source=name or None,
        tripped_since=row["tripped_at"] if row and waiting else None,
        waiting=waiting,
        allowance=row["allowance"] if row else 0,
        windows=tuple(
            WindowUse(use.window.leavers, spelled(use.window.per), use.used, use.room)
            for use in uses(windows, passed, now)
        ),
    )
