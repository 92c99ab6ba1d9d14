"""The audit trail: of one job or delivery, and all of it, newest first."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from workers.leavers import DeliveryId, JobId
from workers.ledger import tables as t
from workers.ledger.queries import columns_of
from workers.ledger.store import Ledger

#: In PostgreSQL an entry has its number before it is committed and can be seen: so many others may
#: be seen before it.
LATE = 10_000


@dataclass(frozen=True, slots=True)
class Mark:
    """Up to where the trail was read: the last number, and those before it that may still come."""

    last: int
    missing: frozenset[int]


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of the audit trail."""

    at: datetime
    actor: str
    action: str
    from_state: str | None
    to_state: str | None
    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class EntryInFull(Entry):
    """One row with its number, and the job or delivery that it is about."""

    id: int
    job_id: JobId | None
    delivery_id: DeliveryId | None


def about(
    tx: sa.Connection, *, job: JobId | None = None, delivery: DeliveryId | None = None
) -> tuple[Entry, ...]:
    """What was done to a job, or to a delivery, oldest first."""
    own = t.audit.c.job_id == job if job else t.audit.c.delivery_id == delivery
    query = sa.select(*columns_of(t.audit, Entry)).where(own).order_by(t.audit.c.id)
    return tuple(Entry(**row) for row in tx.execute(query).mappings())


def listed(
    ledger: Ledger, *, actor: str = "", action: str = "", limit: int, after: int | None = None
) -> list[EntryInFull]:
    """The newest `limit` entries older than `after`, of an actor, of an action, or all."""
    kept = t.audit.c
    # The numbers alone stand in an index for each filter.
    ids = sa.select(kept.id).order_by(kept.id.desc()).limit(limit)
    if after is not None:
        ids = ids.where(kept.id < after)
    if actor:
        ids = ids.where(kept.actor == actor)
    if action:
        ids = ids.where(kept.action == action)
    query = sa.select(*columns_of(t.audit, EntryInFull)).where(kept.id.in_(ids))
    query = query.order_by(kept.id.desc())
    with ledger.read() as tx:
        return [EntryInFull(**row) for row in tx.execute(query).mappings()]


def end(ledger: Ledger) -> Mark:
    """The end of the trail as it is now."""
    number = t.audit.c.id
    with ledger.read() as tx:
        last = tx.scalar(sa.select(sa.func.max(number))) or 0
        seen = tx.scalars(sa.select(number).where(number >= last - LATE)).all()
    return Mark(last, _before(last).difference(seen))


def moved(ledger: Ledger, since: Mark) -> tuple[list[JobId], Mark]:
    """The jobs that have moved since, each once, in the order of their last moves; and the end."""
    kept = t.audit.c
    new = kept.id > since.last
    if since.missing:
        new |= kept.id.in_(since.missing)
    query = sa.select(kept.id, kept.job_id, kept.to_state).where(new).order_by(kept.id)
    with ledger.read() as tx:
        rows = tx.execute(query).all()
    seen = {row.id for row in rows}
    last = max(seen | {since.last})
    missing = since.missing.union(range(since.last + 1, last)) - seen
    # Without a state it became, an entry is no move: somebody looked, or asked it to stop.
    jobs = dict.fromkeys(JobId(row.job_id) for row in rows[::-1] if row.job_id and row.to_state)
    return list(jobs)[::-1], Mark(last, missing & _before(last))


def _before(last: int) -> frozenset[int]:
    """The numbers that may still come when `last` has come."""
    return frozenset(range(max(1, last - LATE), last))
