"""What waits in quarantine: correctly signed, and not acted on, as it came at a wrong time or could
not be read.

It is taken out in two ways, each by an operator with a reason: read again with today's mapping
(take), or dismissed.  What was accepted of a batch stays as it is.  The alarm of a source ends when
nothing of it waits any more; what was wrong stands in the audit trail.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from workers.leavers import Delivery, DeliveryId, DeliveryStatus, ElementKind
from workers.ledger import moves, people, tallies
from workers.ledger import tables as t
from workers.ledger.alarms import close_alarm
from workers.ledger.intake import Recorded, counts_of, first_seen, jobs_of, status_of, take_in
from workers.ledger.store import Ledger

#: Written into the statement, because a partial index is not used for a parameter.
WAITS = t.elements.c.kind == sa.literal(ElementKind.QUARANTINED.value, literal_execute=True)


@dataclass(frozen=True, slots=True)
class Waiting:
    """What is needed to read a delivery again; `body` is None once it was purged."""

    source: str
    body: bytes | None
    content_type: str
    signed_at: datetime | None
    event_id: str | None
    key: str
    request_id: str


def waiting(ledger: Ledger, wanted: DeliveryId) -> Waiting | None:
    """A delivery of which something waits, else None."""
    query = sa.select(t.deliveries).where(
        t.deliveries.c.id == wanted,
        sa.exists().where(t.elements.c.delivery_id == wanted, WAITS),
    )
    with ledger.read() as tx:
        row = tx.execute(query).mappings().one_or_none()
    if row is None:
        return None
    return Waiting(
        source=row["source"],
        body=row["body"],
        content_type=row["content_type"],
        signed_at=row["signed_at"],
        event_id=row["event_id"],
        key=row["facts"].get("key", ""),
        request_id=row["request_id"],
    )


def take(
    ledger: Ledger,
    wanted: DeliveryId,
    reading: Delivery,
    *,
    actor: str,
    why: str,
    now: datetime,
    dedup_window: timedelta,
    dry_run: bool = False,
) -> Recorded | None:
    """Put what `reading` says in the place of all that waits; None if nothing does.

    A dry run says what would become of it, and writes nothing.

    Of a batch of which something was accepted only the rest is taken, by its place; a reading that
    has more or fewer elements than the first one changes nothing.
    """
    body_hash = hashlib.sha256(reading.body).hexdigest()
    with ledger.write() as tx:
        # The source and then the key of the bytes, as whoever records them takes them.
        people.lock(tx, reading.source)
        body, until = f"body:{body_hash}", now + dedup_window
        first_seen(tx, reading.source, body, wanted, None, now, until)
        row = _locked(tx, wanted)
        kinds = _kinds(tx, wanted)
        places = [place for place, kind in kinds.items() if kind is ElementKind.QUARANTINED]
        if not places:
            return None
        if row["status"] == DeliveryStatus.QUARANTINED and len(places) == len(kinds):
            places = list(range(len(reading.elements)))
        elif reading.reason or len(reading.elements) != len(kinds):
            return _recorded(tx, wanted)
        tx.execute(sa.delete(t.elements).where(t.elements.c.delivery_id == wanted, WAITS))
        take_in(tx, reading, wanted, places, now=now, dedup_window=dedup_window)
        _put_down(tx, row, "reparse", reading.reason, reading.detail, actor, why, now)
        taken = _recorded(tx, wanted)
        if dry_run:
            tx.rollback()
        return taken


def dismiss(ledger: Ledger, wanted: DeliveryId, *, actor: str, why: str, now: datetime) -> bool:
    """Take out of quarantine what waits of a delivery, unread; False if nothing does.

    Bytes that could not be read are news when they come again.  The alarms about events of the
    delivery that fit nobody, or that took back too late what was done, end as well.
    """
    with ledger.write() as tx:
        # The bytes and then the delivery, as whoever hears them again takes them.
        bytes_of = (t.seen.c.delivery_id == wanted, t.seen.c.key.startswith("body:"))
        tx.execute(sa.select(t.seen.c.key).where(*bytes_of).with_for_update())
        row = _locked(tx, wanted)
        dismissed = tx.execute(
            sa.update(t.elements)
            .where(t.elements.c.delivery_id == wanted, WAITS)
            .values(kind=ElementKind.IGNORED, reason="dismissed")
        )
        about = _alarms_about(tx, wanted)
        for kind, subject in about:
            close_alarm(tx, kind, subject, now)
        if not dismissed.rowcount and not about:
            return False
        tx.execute(sa.update(t.seen).where(*bytes_of).values(expires_at=now))
        _put_down(tx, row, "dismiss", row["reason"] and "dismissed", "", actor, why, now)
        return True


def _alarms_about(tx: sa.Connection, wanted: DeliveryId) -> list[tuple[str, str]]:
    """Kind and subject of the open alarms about what HR says in a delivery."""
    events = sa.select(t.elements.c.leaver_id).where(t.elements.c.delivery_id == wanted)
    alarms = t.alarms.c
    late = sa.and_(alarms.kind == moves.LATE, alarms.subject.in_(jobs_of(tx, wanted)))
    unmatched = sa.and_(alarms.kind == people.UNMATCHED, alarms.subject.in_(events))
    query = sa.select(alarms.kind, alarms.subject).where(
        alarms.open_key.is_not(None), sa.or_(late, unmatched)
    )
    return sorted((kind, subject) for kind, subject in tx.execute(query))


def _locked(tx: sa.Connection, wanted: DeliveryId) -> sa.RowMapping:
    row = sa.select(t.deliveries).where(t.deliveries.c.id == wanted).with_for_update()
    return tx.execute(row).mappings().one()


def _kinds(tx: sa.Connection, wanted: DeliveryId) -> dict[int, ElementKind]:
    query = sa.select(t.elements.c.position, t.elements.c.kind)
    rows = tx.execute(query.where(t.elements.c.delivery_id == wanted))
    return {position: ElementKind(kind) for position, kind in rows}


def _put_down(
    tx: sa.Connection,
    was: sa.RowMapping,
    action: str,
    reason: str,
    detail: str,
    actor: str,
    why: str,
    now: datetime,
) -> None:
    """What the delivery has become, who did it, what it was; and the alarm, if it is over."""
    status = status_of(set(_kinds(tx, was["id"]).values()))
    tx.execute(
        sa.update(t.deliveries)
        .where(t.deliveries.c.id == was["id"])
        .values(status=status, reason=reason, detail=detail)
    )
    tallies.delivery_became(tx, was["source"], was["status"], status)
    tx.execute(
        sa.insert(t.audit).values(
            at=now,
            actor=actor,
            action=action,
            delivery_id=was["id"],
            from_state=was["status"],
            to_state=status,
            reason=was["reason"],
            detail=why,
        )
    )
    others = sa.exists().where(
        t.elements.c.delivery_id == t.deliveries.c.id, t.deliveries.c.source == was["source"], WAITS
    )
    if not tx.scalar(sa.select(others)):
        close_alarm(tx, "quarantined", was["source"], now)


def _recorded(tx: sa.Connection, wanted: DeliveryId) -> Recorded:
    kinds = _kinds(tx, wanted).values()
    counts = counts_of({"kind": kind} for kind in kinds)
    return Recorded(wanted, status_of(set(kinds)), counts, jobs_of(tx, wanted))
