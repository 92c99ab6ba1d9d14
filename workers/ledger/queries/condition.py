"""How it goes: open alarms, paused targets, live workers, and the figures behind the metrics."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from workers.leavers import DeliveryStatus
from workers.ledger import tables as t
from workers.ledger import tallies
from workers.ledger.brakes import waiting
from workers.ledger.queries import columns_of, messages
from workers.ledger.queries.brakes import tripped
from workers.ledger.store import Ledger

#: A worker shows itself every few seconds (workers/sweep.py); after this silence it counts as gone.
SILENT = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Alarm:
    """An open alarm."""

    id: str
    kind: str
    subject: str
    text: str
    opened_at: datetime
    last_at: datetime
    count: int


@dataclass(frozen=True, slots=True)
class Pause:
    """A pause of a target that is under way."""

    target: str
    reason: str
    detail: str
    call: str
    paused_at: datetime
    paused_until: datetime


@dataclass(frozen=True, slots=True)
class Worker:
    """A worker process that showed itself."""

    name: str
    started_at: datetime
    seen_at: datetime


@dataclass(frozen=True, slots=True)
class Figures:
    """Counts of everything kept, at one moment; no personal data."""

    jobs: Mapping[tuple[str, str, str, str, str], int]  # source, target, state, outcome, reason
    oldest_unfinished: timedelta  # since its receipt; zero where all are finished
    oldest_overdue: timedelta  # past its cutoff; zero where none is
    deliveries: Mapping[tuple[str, str], int]  # source, status; duplicates are counted apart
    rejected: Mapping[tuple[str, str], int]  # source, reason
    paused: Mapping[str, str]  # target to reason, "" where it is not paused
    brakes: Mapping[str, int]  # 1 where tripped, by source; "" is the one over all sources
    braked: int  # leavers who wait for a release of the brake
    alarms: Mapping[str, int]  # open ones, by kind
    workers: int  # those that are alive
    messages: Mapping[str, int]  # copies for one recipient each, by state


@dataclass(frozen=True, slots=True)
class Health:
    """What tells at a glance whether leavers are worked on."""

    oldest_unfinished: timedelta  # since its receipt; zero where all are finished
    oldest_overdue: timedelta  # past its cutoff; zero where none is
    workers: int  # those that are alive


def alarms_open(
    ledger: Ledger,
    *,
    but: Collection[str] = (),
    limit: int | None = None,
    after: str | None = None,
) -> list[Alarm]:
    """What a person must know now, newest first: all but those of some kinds, or so many that are
    older than `after`."""
    query = sa.select(*columns_of(t.alarms, Alarm)).where(t.alarms.c.open_key.is_not(None))
    if but:
        query = query.where(t.alarms.c.kind.not_in(but))
    if after is not None:
        query = query.where(t.alarms.c.id < after)
    with ledger.read() as tx:
        rows = tx.execute(query.order_by(t.alarms.c.id.desc()).limit(limit)).mappings()
        return [Alarm(**row) for row in rows]


def alarms_by_kind(ledger: Ledger) -> Mapping[str, int]:
    """How many there are of each kind."""
    with ledger.read() as tx:
        return _alarms(tx)


def pauses(ledger: Ledger) -> list[Pause]:
    """Which targets are paused now."""
    found = t.targets.c
    query = sa.select(
        found.name.label("target"),
        found.pause_reason.label("reason"),
        found.pause_detail.label("detail"),
        found.pause_call.label("call"),
        found.paused_at,
        found.paused_until,
    ).where(found.paused_at.is_not(None))
    with ledger.read() as tx:
        return [Pause(**row) for row in tx.execute(query.order_by(found.name)).mappings()]


def workers(ledger: Ledger, *, now: datetime) -> list[Worker]:
    """Which workers are alive."""
    found = t.workers.c
    query = sa.select(found.name, found.started_at, found.seen_at)
    query = query.where(found.seen_at >= now - SILENT).order_by(found.name)
    with ledger.read() as tx:
        return [Worker(**row) for row in tx.execute(query).mappings()]


def figures(ledger: Ledger, *, now: datetime) -> Figures:
    """All counts."""
    with ledger.read() as tx:
        return Figures(
            jobs=_jobs(tx),
            oldest_unfinished=_since(now, _earliest(tx, t.jobs.c.received_at)),
            oldest_overdue=_since(now, _earliest(tx, t.jobs.c.cutoff)),
            deliveries=_deliveries(tx),
            rejected=_rejected(tx),
            paused=_paused(tx),
            brakes=tripped(tx),
            braked=waiting(tx, None),
            alarms=_alarms(tx),
            workers=_workers(tx, now),
            messages=messages.counted(tx),
        )


def health(ledger: Ledger, *, now: datetime) -> Health:
    """The few figures that cost nothing."""
    with ledger.read() as tx:
        return Health(
            oldest_unfinished=_since(now, _earliest(tx, t.jobs.c.received_at)),
            oldest_overdue=_since(now, _earliest(tx, t.jobs.c.cutoff)),
            workers=_workers(tx, now),
        )


def _jobs(tx: sa.Connection) -> Mapping[tuple[str, str, str, str, str], int]:
    found = tx.execute(sa.select(tallies.kinds("jobs")))
    return {(row[0], row[1], row[2], row[3], row[4]): row[5] for row in found}


def _deliveries(tx: sa.Connection) -> Mapping[tuple[str, str], int]:
    kept = tx.execute(sa.select(tallies.kinds("deliveries"))).all()
    again = tx.execute(sa.select(tallies.kinds("repetitions"))).all()
    none = {row.source: 0 for row in kept}
    repeats = none | {row.source: row.number for row in again}
    return {(row.source, row.state): row.number for row in kept} | {
        (source, str(DeliveryStatus.DUPLICATE)): number for source, number in repeats.items()
    }


def _rejected(tx: sa.Connection) -> Mapping[tuple[str, str], int]:
    kept = t.rejections.c
    query = sa.select(kept.source, kept.reason, sa.func.sum(kept.count))
    rows = tx.execute(query.group_by(kept.source, kept.reason))
    return {(row[0], row[1]): int(row[2]) for row in rows}


def _paused(tx: sa.Connection) -> Mapping[str, str]:
    found = t.targets.c
    reason = sa.case((found.paused_at.is_(None), ""), else_=found.pause_reason)
    return {row[0]: row[1] for row in tx.execute(sa.select(found.name, reason))}


def _alarms(tx: sa.Connection) -> Mapping[str, int]:
    kind = t.alarms.c.kind
    query = sa.select(kind, sa.func.count()).where(t.alarms.c.open_key.is_not(None)).group_by(kind)
    return {row[0]: row[1] for row in tx.execute(query)}


def _workers(tx: sa.Connection, now: datetime) -> int:
    alive = sa.select(sa.func.count()).where(t.workers.c.seen_at >= now - SILENT)
    return tx.scalar(alive) or 0


def _earliest(tx: sa.Connection, instant: sa.ColumnElement[Any]) -> datetime | None:
    query = sa.select(sa.func.min(instant)).select_from(t.jobs)
    found: datetime | None = tx.scalar(query.where(t.unfinished))
    return found


def _since(now: datetime, earliest: datetime | None) -> timedelta:
    return max(now - earliest, timedelta()) if earliest else timedelta()
