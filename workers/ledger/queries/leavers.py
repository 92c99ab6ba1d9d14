"""Leavers, as lists show them; and one person with all that was said and done."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from workers.leavers import DeliveryId, DeliveryStatus, JobId, LeaverId, LeaverKind
from workers.ledger import tables as t
from workers.ledger.queries import NotFound, columns_of, jobs
from workers.ledger.queries.jobs import Job, JobFilter
from workers.ledger.store import Ledger

#: The jobs that are shown of one person, the newest.
JOBS = 200


@dataclass(frozen=True, slots=True)
class LeaverFilter:
    """Which leavers are meant: those that fit everything that is given.

    `email` is the whole address, in any case.
    """

    email: str | None = None
    employee_id: str | None = None
    source: str | None = None


@dataclass(frozen=True, slots=True)
class KeptLeaver:
    """What HR said once of one person, or an operator entered."""

    id: LeaverId
    source: str
    kind: LeaverKind
    email: str
    employee_id: str
    cutoff: datetime
    hr_date: date | None
    hr_zone: str | None
    happened_at: datetime | None
    created_at: datetime
    entered_by: str | None
    entered_reason: str | None
    owner: LeaverId | None  # whose jobs it opened or changed


@dataclass(frozen=True, slots=True)
class Brought:
    """A delivery that said something of a person."""

    id: DeliveryId
    received_at: datetime
    status: DeliveryStatus


@dataclass(frozen=True, slots=True)
class Person:
    """One person of a source: all that was said, oldest first, and all jobs, newest first.

    `snapshots` is how an account was before anything was written to it, by the job that wrote.
    """

    leavers: tuple[KeptLeaver, ...]
    deliveries: tuple[Brought, ...]
    jobs: tuple[Job, ...]
    snapshots: Mapping[JobId, Mapping[str, Any]]


def listed(
    ledger: Ledger, wanted: LeaverFilter, *, limit: int, after: LeaverId | None = None
) -> list[KeptLeaver]:
    """The newest `limit` leavers that fit and are older than `after`."""
    kept = t.leavers.c
    # The ids alone stand in an index for each filter.
    ids = sa.select(kept.id).order_by(kept.id.desc()).limit(limit)
    if wanted.email is not None:
        ids = ids.where(sa.func.lower(kept.email) == sa.func.lower(wanted.email))
    if wanted.employee_id is not None:
        ids = ids.where(kept.employee_id == wanted.employee_id)
    if wanted.source is not None:
        ids = ids.where(kept.source == wanted.source)
    if after is not None:
        ids = ids.where(kept.id < after)
    query = sa.select(*_LEAVER).where(kept.id.in_(ids)).order_by(kept.id.desc())
    with ledger.read() as tx:
        return [_leaver(row) for row in tx.execute(query).mappings()]


def jobs_by_leaver(
    ledger: Ledger, shown: Sequence[KeptLeaver], *, most: int
) -> Mapping[LeaverId, list[Job]]:
    """The jobs that each of these opened or changed; `most` of all of them."""
    owners = [each.owner or each.id for each in shown]
    own: dict[LeaverId, list[Job]] = defaultdict(list)
    for job in jobs.listed(ledger, JobFilter(leavers=owners), limit=most):
        own[job.leaver].append(job)
    return {each.id: own[each.owner or each.id] for each in shown}


def person(ledger: Ledger, wanted: LeaverId) -> Person:
    """The person whom a leaver is about.  Raises NotFound."""
    kept = t.leavers.c
    with ledger.read() as tx:
        one = tx.execute(sa.select(kept.source, kept.person).where(kept.id == wanted)).one_or_none()
        if one is None:
            raise NotFound(f"no leaver has the id {wanted}")
        own = sa.select(*_LEAVER).where(kept.source == one.source, kept.person == one.person)
        said = [_leaver(row) for row in tx.execute(own.order_by(kept.id)).mappings()]
        ids = [each.id for each in said]
        snapshots = sa.select(t.jobs.c.id, t.jobs.c.snapshot).where(
            t.jobs.c.leaver_id.in_(ids), t.jobs.c.snapshot.is_not(None)
        )
        return Person(
            leavers=tuple(said),
            deliveries=_deliveries(tx, ids),
            jobs=tuple(jobs.listed(ledger, JobFilter(leavers=ids), limit=JOBS)),
            snapshots={JobId(row.id): row.snapshot for row in tx.execute(snapshots)},
        )


_LEAVER = columns_of(t.leavers, KeptLeaver)


def _leaver(row: sa.RowMapping) -> KeptLeaver:
    return KeptLeaver(**dict(row) | {"kind": LeaverKind(row["kind"])})


def _deliveries(tx: sa.Connection, leavers: Sequence[LeaverId]) -> tuple[Brought, ...]:
    """Those that brought the leavers, or the lookups that found them; oldest first."""
    lookups = (
        sa.select(t.jobs.c.leaver_id)
        .join(t.leavers, t.leavers.c.found_by == t.jobs.c.id)
        .where(t.leavers.c.id.in_(leavers))
    )
    named = [*leavers, *tx.scalars(lookups)]
    brought = sa.select(t.elements.c.delivery_id).where(t.elements.c.leaver_id.in_(named))
    kept = t.deliveries.c
    query = sa.select(kept.id, kept.received_at, kept.status).where(kept.id.in_(brought))
    return tuple(
        Brought(DeliveryId(row.id), row.received_at, DeliveryStatus(row.status))
        for row in tx.execute(query.order_by(kept.id))
    )
