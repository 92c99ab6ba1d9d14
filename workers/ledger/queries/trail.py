"""The audit trail: of one job or delivery, and all of it, newest first."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from workers.leavers import DeliveryId, JobId
from workers.ledger import tables as t
from workers.ledger.queries import columns_of
from workers.ledger.store import Ledger


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
    query = sa.select(*columns_of(t.audit, EntryInFull)).order_by(kept.id.desc()).limit(limit)
    if after is not None:
        query = query.where(kept.id < after)
    if actor:
        query = query.where(kept.actor == actor)
    if action:
        query = query.where(kept.action == action)
    with ledger.read() as tx:
        return [EntryInFull(**row) for row in tx.execute(query).mappings()]
