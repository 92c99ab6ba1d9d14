"""The audit trail: what is written into it beside the moves of jobs, and how it is read."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from workers.leavers import DeliveryId, JobId
from workers.ledger import tables as t
from workers.ledger.store import Ledger


@dataclass(frozen=True, slots=True)
class Entry:
    """One row."""

    id: int
    at: datetime
    actor: str
    action: str
    job_id: JobId | None
    delivery_id: DeliveryId | None
    from_state: str | None
    to_state: str | None
    reason: str
    detail: str


def looked(
    ledger: Ledger,
    job: JobId | None = None,
    delivery: DeliveryId | None = None,
    *,
    actor: str,
    now: datetime,
) -> None:
    """Somebody looked at personal data that is hidden otherwise."""
    entry = {"at": now, "actor": actor, "action": "look", "job_id": job, "delivery_id": delivery}
    with ledger.write() as tx:
        tx.execute(sa.insert(t.audit).values(entry))


def listed(
    ledger: Ledger, *, actor: str = "", action: str = "", size: int, after: int | None = None
) -> list[Entry]:
    """The newest `size` entries older than `after`, of an actor, of an action, or all."""
    kept = t.audit.c
    query = sa.select(t.audit).order_by(kept.id.desc()).limit(size)
    if after is not None:
        query = query.where(kept.id < after)
    if actor:
        query = query.where(kept.actor == actor)
    if action:
        query = query.where(kept.action == action)
    with ledger.read() as tx:
        return [Entry(**row) for row in tx.execute(query).mappings()]
