"""What comes in: a delivery with its elements, or a leaver that an operator enters.

One transaction writes everything; its commit is the acceptance.  What is known already is found by
the unique key of `seen`, never by looking first, so two equal deliveries at one moment are one.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from config.sources import OPERATOR
from workers.leavers import (
    Action,
    Delivery,
    DeliveryId,
    DeliveryStatus,
    Element,
    ElementKind,
    JobId,
    Leaver,
    LeaverId,
    LeaverKind,
    new_id,
)
from workers.ledger import lookups, moves, people, tallies
from workers.ledger import tables as t
from workers.ledger.alarms import raise_alarm
from workers.ledger.store import Ledger, insert

#: Why a delivery is quarantined whatever it says.
WRONG_TIME = ("stale", "from_the_future")

#: That a job was opened by what HR says; a reinstatement is opened by an operator.
HR_OPENED = t.jobs.c.action != Action.REINSTATE


@dataclass(frozen=True, slots=True)
class Recorded:
    """What became of a delivery; for a duplicate, what became of the first one."""

    delivery: DeliveryId
    status: DeliveryStatus
    elements: Mapping[ElementKind, int]
    jobs: tuple[JobId, ...]


class QuarantineFull(Exception):
    """So many deliveries of the source wait in quarantine that the sender must keep this one."""


def record(
    ledger: Ledger,
    delivery: Delivery,
    *,
    now: datetime,
    dedup_window: timedelta,
    quarantine_limit: int | None = None,
) -> Recorded:
    """Write a delivery down, once.

    Raises LedgerUnavailable when it cannot be written, and QuarantineFull when it says nothing of
    anybody who leaves and `quarantine_limit` deliveries of its source wait in quarantine already.
    """
    delivery_id = DeliveryId(new_id())
    body_hash = hashlib.sha256(delivery.body).hexdigest()
    with ledger.write() as tx:
        if any(element.leaver for element in delivery.elements):
            people.lock(tx, delivery.source)
        first = _known_body(tx, delivery, delivery_id, body_hash, now, now + dedup_window)
        if first is not None:
            return _repeated(tx, delivery, DeliveryId(first["delivery_id"]), now)
        status = status_of({element.kind for element in delivery.elements})
        if status is DeliveryStatus.QUARANTINED and quarantine_limit is not None:
            _leave_room(tx, delivery.source, quarantine_limit)
        tx.execute(
            sa.insert(t.deliveries).values(
                id=delivery_id,
                source=delivery.source,
                received_at=delivery.received_at,
                status=status,
                reason=delivery.reason,
                detail=delivery.detail,
                body=delivery.body,
                body_hash=body_hash,
                content_type=delivery.content_type[:255],
                signed_at=delivery.signed_at,
                event_id=delivery.event_id,
                facts=dict(delivery.facts),
                request_id=delivery.request_id,
            )
        )
        tallies.delivery_became(tx, delivery.source, None, status)
        everybody = range(len(delivery.elements))
        rows = take_in(tx, delivery, delivery_id, everybody, now=now, dedup_window=dedup_window)
        tx.execute(
            sa.insert(t.audit).values(
                at=now,
                actor=f"source:{delivery.source}",
                action="received",
                delivery_id=delivery_id,
                reason=delivery.reason,
                detail=str(status),
            )
        )
        quarantined = sum(row["kind"] == ElementKind.QUARANTINED for row in rows)
        if quarantined or status is DeliveryStatus.QUARANTINED:
            raise_alarm(
                tx,
                "quarantined",
                delivery.source,
                f"delivery {delivery_id} holds what could not be read or was stale; see "
                "`leaver deliveries --status quarantined`",
                now,
            )
        if rows and all(row["repeated"] for row in rows):
            status = DeliveryStatus.DUPLICATE
        return Recorded(delivery_id, status, counts_of(rows), jobs_of(tx, delivery_id))


def take_in(
    tx: sa.Connection,
    delivery: Delivery,
    delivery_id: DeliveryId,
    positions: Iterable[int],
    *,
    now: datetime,
    dedup_window: timedelta,
) -> list[dict[str, object]]:
    """Write the elements at these positions down, with leavers and jobs; gives the elements' rows.

    The delivery itself stands in the ledger already, and its source is locked.
    """
    elements = {position: delivery.elements[position] for position in positions}
    leavers = _leavers_of(tx, delivery.source, delivery_id, elements, now, now + dedup_window)
    rows = [
        _element(delivery_id, position, element, leavers.get(position))
        for position, element in elements.items()
    ]
    if rows:
        tx.execute(sa.insert(t.elements), rows)
    _hear(tx, delivery, delivery_id, elements, leavers, now)
    return rows


def enter(
    ledger: Ledger,
    leaver: Leaver,
    *,
    targets: tuple[str, ...],
    actor: str,
    reason: str,
    request_id: str,
    now: datetime,
) -> tuple[JobId, ...]:
    """Enter a leaver by hand, with a job for each target.  Never merged with what is known."""
    leaver_id = LeaverId(new_id())
    with ledger.write() as tx:
        people.write_down(
            tx,
            leaver_id,
            leaver,
            source=OPERATOR,
            person=leaver_id,
            at=now,
            now=now,
            entered_by=actor,
            entered_reason=reason,
            request_id=request_id,
        )
        return tuple(
            moves.open_job(
                tx,
                leaver_id,
                source=OPERATOR,
                target=target,
                email=leaver.email,
                cutoff=leaver.cutoff.at,
                actor=actor,
                why=reason,
                now=now,
            )
            for target in targets
        )


def _leave_room(tx: sa.Connection, source: str, limit: int) -> None:
    waiting = sa.select(sa.func.count()).where(
        t.deliveries.c.status == DeliveryStatus.QUARANTINED, t.deliveries.c.source == source
    )
    if (tx.scalar(waiting) or 0) >= limit:
        raise QuarantineFull(source)


def _known_body(
    tx: sa.Connection,
    delivery: Delivery,
    delivery_id: DeliveryId,
    body_hash: str,
    now: datetime,
    expires_at: datetime,
) -> sa.RowMapping | None:
    """What is known of these bytes, if they came before.

    Bytes that came at a wrong time are known by themselves: a captured delivery is kept once, and
    the same bytes, signed again at the right time, are still news.
    """
    key = f"body:{body_hash}"
    if delivery.reason not in WRONG_TIME:
        return first_seen(tx, delivery.source, key, delivery_id, None, now, expires_at)
    judged = sa.select(t.seen).where(
        t.seen.c.source == delivery.source, t.seen.c.key == key, t.seen.c.expires_at > now
    )
    key = f"untimely:{body_hash}"
    return tx.execute(judged).mappings().one_or_none() or first_seen(
        tx, delivery.source, key, delivery_id, None, now, expires_at
    )


def first_seen(
    tx: sa.Connection,
    source: str,
    key: str,
    delivery_id: DeliveryId,
    leaver_id: LeaverId | None,
    now: datetime,
    expires_at: datetime,
) -> sa.RowMapping | None:
    """None if `key` is new (and is now known as this delivery's), else the row that knew it."""
    fresh = insert(tx, t.seen).values(
        source=source,
        key=key,
        delivery_id=delivery_id,
        leaver_id=leaver_id,
        seen_at=now,
        expires_at=expires_at,
    )
    written = tx.execute(
        fresh.on_conflict_do_update(
            index_elements=["source", "key"],
            set_={
                "delivery_id": fresh.excluded.delivery_id,
                "leaver_id": fresh.excluded.leaver_id,
                "seen_at": fresh.excluded.seen_at,
                "expires_at": fresh.excluded.expires_at,
            },
            where=t.seen.c.expires_at <= now,
        ).returning(t.seen.c.key)
    ).one_or_none()
    if written is not None:
        return None
    known = sa.select(t.seen).where(t.seen.c.source == source, t.seen.c.key == key)
    return tx.execute(known).mappings().one()


def known(ledger: Ledger, delivery: Delivery, now: datetime) -> list[DeliveryId | None]:
    """The delivery that said the same before, for each element of one that is not recorded."""
    body = f"body:{hashlib.sha256(delivery.body).hexdigest()}"
    keys = {body, *(f"element:{element.key}" for element in delivery.elements)}
    query = sa.select(t.seen.c.key, t.seen.c.delivery_id).where(
        t.seen.c.source == delivery.source, t.seen.c.key.in_(keys), t.seen.c.expires_at > now
    )
    with ledger.read() as tx:
        seen = {row.key: DeliveryId(row.delivery_id) for row in tx.execute(query)}
    return [
        seen.get(body, seen.get(f"element:{element.key}")) if element.leaver else None
        for element in delivery.elements
    ]


def _leavers_of(
    tx: sa.Connection,
    source: str,
    delivery_id: DeliveryId,
    elements: Mapping[int, Element],
    now: datetime,
    expires_at: datetime,
) -> Mapping[int, tuple[LeaverId, bool]]:
    """The leaver of each element that is one, by its position, and whether it was known before."""
    found: dict[int, tuple[LeaverId, bool]] = {}
    for position, element in elements.items():
        if element.leaver is None:
            continue
        own = LeaverId(new_id())
        key = f"element:{element.key}"
        known = first_seen(tx, source, key, delivery_id, own, now, expires_at)
        found[position] = (LeaverId(known["leaver_id"]), True) if known else (own, False)
    return found


def _element(
    delivery_id: DeliveryId,
    position: int,
    element: Element,
    leaver: tuple[LeaverId, bool] | None,
) -> dict[str, object]:
    leaver_id, known = leaver or (None, False)
    return {
        "id": new_id(),
        "delivery_id": delivery_id,
        "position": position,
        "kind": element.kind,
        "reason": element.reason,
        "detail": element.detail,
        "employee_id": element.employee_id,
        "leaver_id": leaver_id,
        "repeated": known,
    }


def _hear(
    tx: sa.Connection,
    delivery: Delivery,
    delivery_id: DeliveryId,
    elements: Mapping[int, Element],
    leavers: Mapping[int, tuple[LeaverId, bool]],
    now: datetime,
) -> None:
    """Take in what is new about each person, and ask HR again about whom it says the same again."""
    repeated: list[LeaverId] = []
    for position, (leaver_id, known) in leavers.items():
        element = elements[position]
        leaver = element.leaver
        if known:
            repeated += [leaver_id] if element.kind is ElementKind.LOOKUP else []
        elif leaver is not None:
            at = leaver.happened_at or delivery.signed_at or delivery.received_at
            about: dict[str, Any] = {"source": delivery.source, "at": at, "now": now}
            about |= {"why": f"delivery {delivery_id}", "request_id": delivery.request_id}
            if leaver.kind is LeaverKind.LOOKUP:
                lookups.open_lookup(tx, leaver_id, leaver, **about)
            else:
                people.hear(tx, leaver_id, leaver, targets=delivery.targets, **about)
    lookups.repeat(tx, repeated, signed_at=delivery.signed_at, source=delivery.source, now=now)


def status_of(kinds: Set[ElementKind]) -> DeliveryStatus:
    """What a delivery is whose elements are of these kinds."""
    if kinds & {ElementKind.LEAVER, ElementKind.LOOKUP}:
        return DeliveryStatus.ACCEPTED
    if ElementKind.QUARANTINED in kinds:
        return DeliveryStatus.QUARANTINED
    return DeliveryStatus.IGNORED


def counts_of(rows: Iterable[Mapping[str, object]]) -> dict[ElementKind, int]:
    """How many of the elements are of each kind."""
    found = Counter(str(row["kind"]) for row in rows)
    return {kind: found.get(kind, 0) for kind in ElementKind}


def _repeated(tx: sa.Connection, delivery: Delivery, first: DeliveryId, now: datetime) -> Recorded:
    tx.execute(
        sa.update(t.deliveries)
        .where(t.deliveries.c.id == first)
        .values(repeats=t.deliveries.c.repeats + 1, repeated_at=now)
    )
    tallies.delivery_repeated(tx, delivery.source)
    if delivery.reason not in WRONG_TIME:
        asked = sa.select(t.elements.c.leaver_id).where(
            t.elements.c.delivery_id == first, t.elements.c.kind == ElementKind.LOOKUP
        )
        lookups.repeat(
            tx,
            tx.scalars(asked).all(),
            signed_at=delivery.signed_at,
            source=delivery.source,
            now=now,
        )
    kinds = sa.select(t.elements.c.kind).where(t.elements.c.delivery_id == first)
    rows: list[dict[str, object]] = [{"kind": kind} for kind in tx.scalars(kinds)]
    return Recorded(first, DeliveryStatus.DUPLICATE, counts_of(rows), jobs_of(tx, first))


def jobs_of(tx: sa.Connection, delivery_id: DeliveryId) -> tuple[JobId, ...]:
    """The jobs of the leavers in a delivery, its lookups, and the jobs that those have brought."""
    own = (
        sa.select(t.jobs.c.id)
        .join(t.leavers, t.leavers.c.owner == t.jobs.c.leaver_id)
        .join(t.elements, t.elements.c.leaver_id == t.leavers.c.id)
        .where(t.elements.c.delivery_id == delivery_id, HR_OPENED)
    )
    direct = tx.scalars(own.distinct()).all()
    brought = (
        sa.select(t.jobs.c.id)
        .join(t.leavers, t.leavers.c.owner == t.jobs.c.leaver_id)
        .where(t.leavers.c.found_by.in_(direct), HR_OPENED)
    )
    return tuple(JobId(job) for job in sorted({*direct, *tx.scalars(brought)}))
