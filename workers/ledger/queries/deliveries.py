"""What came in: deliveries with their elements, and counts of what was not taken."""

import dataclasses
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from workers.leavers import DeliveryId, DeliveryStatus, ElementKind, JobId, LeaverId
from workers.ledger import tables as t
from workers.ledger.intake import WRONG_TIME
from workers.ledger.quarantine import WAITS
from workers.ledger.queries import PAGE, NotFound, find_id, lists, trail, without
from workers.ledger.queries.lists import Part
from workers.ledger.store import Ledger


@dataclass(frozen=True, slots=True)
class DeliveryFilter:
    """Which deliveries are meant: those that fit everything that is given.

    The status `quarantined` also means what was accepted but holds a quarantined element, and
    `duplicate` what was sent more than once.
    """

    source: str | None = None
    status: DeliveryStatus | None = None
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class KeptDelivery:
    """One delivery; `repeats` counts the duplicates that came after it."""

    id: DeliveryId
    source: str
    received_at: datetime
    status: DeliveryStatus
    reason: str
    detail: str
    elements: Mapping[ElementKind, int]
    signed_at: datetime | None
    event_id: str | None
    repeats: int
    repeated_at: datetime | None


@dataclass(frozen=True, slots=True)
class KeptElement:
    """One person in a delivery; `repeated` means that an earlier delivery brought the same."""

    position: int
    kind: ElementKind
    reason: str
    detail: str
    employee_id: str
    leaver: LeaverId | None
    repeated: bool
    jobs: tuple[JobId, ...]


@dataclass(frozen=True, slots=True)
class DeliveryInFull(KeptDelivery):
    """One delivery with every element, all that was done to it, and its body as text (None once it
    was purged)."""

    content_type: str
    body_hash: str
    facts: Mapping[str, str]
    request_id: str
    people: tuple[KeptElement, ...]
    audit: tuple[trail.Entry, ...]
    body: str | None


def listed(
    ledger: Ledger, wanted: DeliveryFilter, *, limit: int, after: DeliveryId | None = None
) -> list[KeptDelivery]:
    """The newest `limit` deliveries that fit and are older than `after`."""
    part = Part(t.deliveries, wanted.since, after=after)
    order = lists.in_order(t.deliveries)
    with ledger.read() as tx:
        if kinds := _kinds_of(wanted):
            ids = lists.first(tx, "deliveries", *kinds, part=part, limit=limit)
        else:
            rows, where = _fitting(wanted)
            ids = sa.select(rows.c.id).where(*where, *part.of(rows))
            ids = ids.order_by(*lists.in_order(rows)).limit(limit)
        query = sa.select(t.deliveries).where(t.deliveries.c.id.in_(ids)).order_by(*order)
        found = tx.execute(query).mappings().all()
        counts = _element_counts(tx, [row["id"] for row in found])
        return [KeptDelivery(**_fields(row, counts)) for row in found]


def every(ledger: Ledger, wanted: DeliveryFilter) -> Iterator[KeptDelivery]:
    """Every delivery that fits, newest first."""
    page = listed(ledger, wanted, limit=PAGE)
    while page:
        yield from page
        page = listed(ledger, wanted, limit=PAGE, after=page[-1].id)


def count(ledger: Ledger, wanted: DeliveryFilter) -> int:
    """How many deliveries fit."""
    with ledger.read() as tx:
        kinds = _kinds_of(wanted)
        if kinds is not None:
            return lists.count(tx, "deliveries", *kinds, since=wanted.since)
        rows, where = _fitting(wanted)
        query = sa.select(sa.func.count()).select_from(rows)
        return tx.scalar(query.where(*where, *Part(t.deliveries, wanted.since).of(rows))) or 0


def find(ledger: Ledger, part: str) -> DeliveryId:
    """The id of the one delivery whose id is, begins or ends with `part`.  Raises NotFound."""
    return DeliveryId(find_id(ledger, t.deliveries, "delivery", part))


def one(ledger: Ledger, wanted: DeliveryId) -> DeliveryInFull:
    """One delivery in full.  Raises NotFound."""
    with ledger.read() as tx:
        query = sa.select(t.deliveries).where(t.deliveries.c.id == wanted)
        row = tx.execute(query).mappings().one_or_none()
        if row is None:
            raise NotFound(f"no delivery has the id {wanted}")
        body = row["body"]
        return DeliveryInFull(
            **_fields(row, _element_counts(tx, [wanted])),
            content_type=row["content_type"],
            body_hash=row["body_hash"],
            facts=row["facts"],
            request_id=row["request_id"],
            people=_people(tx, wanted),
            audit=trail.about(tx, delivery=wanted),
            body=None if body is None else body.decode(errors="backslashreplace"),
        )


def rejected(ledger: Ledger, *, since: datetime) -> Mapping[tuple[str, str], int]:
    """How many deliveries were not taken since then, by source and reason."""
    counts = t.rejections.c
    query = (
        sa.select(counts.source, counts.reason, sa.func.sum(counts.count))
        .where(counts.minute >= since)
        .group_by(counts.source, counts.reason)
    )
    with ledger.read() as tx:
        return {(source, reason): int(found) for source, reason, found in tx.execute(query)}


def untimely(ledger: Ledger, *, since: datetime) -> Mapping[str, tuple[int, timedelta]]:
    """By source, how many waiting deliveries came at a wrong time since then, and by how much the
    sender's time was behind ours at the last of them; below zero: ahead.
    """
    kept = t.deliveries.c
    query = (
        sa.select(kept.source, kept.received_at, kept.signed_at)
        .where(
            kept.status == DeliveryStatus.QUARANTINED,
            kept.reason.in_(WRONG_TIME),
            kept.received_at >= since,
            kept.signed_at.is_not(None),
        )
        .order_by(kept.received_at, kept.id)
    )
    found: dict[str, tuple[int, timedelta]] = {}
    with ledger.read() as tx:
        for source, received_at, signed_at in tx.execute(query):
            count, _ = found.get(source, (0, timedelta()))
            found[source] = (count + 1, received_at - signed_at)
    return found


def _kinds_of(wanted: DeliveryFilter) -> list[sa.ColumnElement[bool]] | None:
    """That kinds of deliveries are wanted; None where more than kinds and time tells which are."""
    if wanted.status in (DeliveryStatus.QUARANTINED, DeliveryStatus.DUPLICATE):
        return None
    given = ((t.tallies.c.source, wanted.source), (t.tallies.c.state, wanted.status))
    return [column == value for column, value in given if value is not None]


def _fitting(wanted: DeliveryFilter) -> tuple[sa.FromClause, list[sa.ColumnElement[bool]]]:
    """Where those are looked for that no kind tells, and that they fit."""
    rows: sa.FromClause = t.deliveries
    where: list[sa.ColumnElement[bool]] = []
    match wanted.status:
        case DeliveryStatus.QUARANTINED:
            rows = _QUARANTINED
        case DeliveryStatus.DUPLICATE:
            where.append(t.deliveries.c.repeats > sa.literal_column("0"))
    if wanted.source is not None:
        where.append(rows.c.source == wanted.source)
    return rows, where


#: Few, and looked through as they are: no database is to begin with all that a source has sent.
_QUARANTINED = (
    sa.select(t.deliveries.c.id, t.deliveries.c.source, t.deliveries.c.received_at)
    .join(t.elements)
    .where(WAITS)
    .distinct()
    .cte("quarantined")
    .prefix_with("MATERIALIZED")
)


def _fields(row: sa.RowMapping, counts: Mapping[str, Mapping[ElementKind, int]]) -> dict[str, Any]:
    kept = {field.name for field in dataclasses.fields(KeptDelivery)}
    return {name: value for name, value in row.items() if name in kept} | {
        "status": DeliveryStatus(row["status"]),
        "elements": counts[row["id"]],
    }


def _element_counts(
    tx: sa.Connection, wanted: Sequence[str]
) -> Mapping[str, Mapping[ElementKind, int]]:
    counts = {each: dict.fromkeys(ElementKind, 0) for each in wanted}
    query = (
        sa.select(t.elements.c.delivery_id, t.elements.c.kind, sa.func.count())
        .where(t.elements.c.delivery_id.in_(wanted))
        .group_by(t.elements.c.delivery_id, t.elements.c.kind)
    )
    for delivery_id, kind, found in tx.execute(query):
        counts[delivery_id][ElementKind(kind)] = found
    return counts


def _people(tx: sa.Connection, wanted: DeliveryId) -> tuple[KeptElement, ...]:
    query = sa.select(t.elements).where(t.elements.c.delivery_id == wanted)
    rows = tx.execute(query.order_by(t.elements.c.position)).mappings().all()
    jobs = _jobs(tx, [row["leaver_id"] for row in rows if row["leaver_id"]])
    return tuple(
        KeptElement(
            **without(row, "id", "delivery_id", "leaver_id", "kind"),
            kind=ElementKind(row["kind"]),
            leaver=row["leaver_id"],
            jobs=tuple(jobs[row["leaver_id"]]),
        )
        for row in rows
    )


def _jobs(tx: sa.Connection, leavers: Iterable[str]) -> Mapping[str | None, list[JobId]]:
    """The jobs of each leaver, and of a lookup also those that it has brought."""
    found: dict[str | None, list[JobId]] = defaultdict(list)
    wanted = list(leavers)
    own = sa.select(t.jobs.c.leaver_id, t.jobs.c.id).where(t.jobs.c.leaver_id.in_(wanted))
    lookup, brought = t.jobs.alias("lookup"), t.leavers.alias("brought")
    by_lookup = (
        sa.select(lookup.c.leaver_id, t.jobs.c.id)
        .select_from(lookup)
        .join(brought, brought.c.found_by == lookup.c.id)
        .join(t.jobs, t.jobs.c.leaver_id == brought.c.owner)
        .where(lookup.c.leaver_id.in_(wanted))
    )
    for leaver, job in sorted({(row[0], row[1]) for row in tx.execute(own.union(by_lookup))}):
        found[leaver].append(JobId(job))
    return found
