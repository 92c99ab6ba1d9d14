"""Keys that came by themselves: an HR system posts the key of its signatures before all else.

Who posted it is unknown, so a key verifies nothing until an operator has confirmed it.  At most
PENDING of a source wait: nobody fills the disk with them, and no later one pushes an earlier one
out.  One that finds no room is refused, which the person sees who sets the HR system up.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from workers.ledger import tables as t
from workers.ledger.alarms import close_alarm, raise_alarm
from workers.ledger.store import Ledger

#: So many keys of one source wait at most.
PENDING = 10

_kept = t.key_offers.c


@dataclass(frozen=True, slots=True)
class Offer:
    """One key.  `key` is "" once it is confirmed: it is a secret from then on."""

    source: str
    id: str
    offered_at: datetime
    confirmed_at: datetime | None
    key: str


def offer(ledger: Ledger, source: str, key: str, *, now: datetime) -> bool:
    """Keep a key until an operator has looked.  False where there is no room.

    What is known or finds no room writes nothing: a stranger cannot keep the ledger busy.
    """
    own = hashlib.sha256(key.encode()).hexdigest()[:12]
    with ledger.read() as tx:
        if _is_known(tx, source, own) or _pending(tx, source) >= PENDING:
            return _is_known(tx, source, own)
    with ledger.write() as tx:
        if _is_known(tx, source, own):
            return True
        if _pending(tx, source) >= PENDING:
            return False
        tx.execute(sa.insert(t.key_offers).values(source=source, id=own, key=key, offered_at=now))
        text = f"{source} offered a key; `leaver source keys` shows what waits and what to do"
        raise_alarm(tx, "key_offered", source, text, now)
    return True


def confirmed(ledger: Ledger, source: str) -> tuple[str, ...]:
    """The keys of a source that verify, oldest first."""
    query = sa.select(_kept.key).where(_kept.source == source, _kept.confirmed_at.is_not(None))
    with ledger.read() as tx:
        return tuple(tx.scalars(query.order_by(_kept.confirmed_at, _kept.id)))


def offers(ledger: Ledger) -> tuple[Offer, ...]:
    """All that are kept, oldest first."""
    with ledger.read() as tx:
        rows = tx.execute(sa.select(t.key_offers).order_by(_kept.offered_at, _kept.id)).mappings()
        return tuple(
            Offer(
                row["source"],
                row["id"],
                row["offered_at"],
                row["confirmed_at"],
                "" if row["confirmed_at"] else row["key"],
            )
            for row in rows
        )


def confirm(ledger: Ledger, source: str, own: str, *, actor: str, why: str, now: datetime) -> bool:
    """From now on the key verifies.  False where there is no such key that waits."""
    waiting = _one(source, own) & _kept.confirmed_at.is_(None)
    change = sa.update(t.key_offers).where(waiting).values(confirmed_at=now)
    return _act(ledger, change, "key_confirmed", source, own, actor, why, now)


def forget(ledger: Ledger, source: str, own: str, *, actor: str, why: str, now: datetime) -> bool:
    """The key is gone, also if it verified until now.  False where there is no such key."""
    change = sa.delete(t.key_offers).where(_one(source, own))
    return _act(ledger, change, "key_forgotten", source, own, actor, why, now)


def _act(
    ledger: Ledger,
    change: sa.Update | sa.Delete,
    action: str,
    source: str,
    own: str,
    actor: str,
    why: str,
    now: datetime,
) -> bool:
    with ledger.write() as tx:
        if not tx.execute(change).rowcount:
            return False
        detail = f"{source} {own}: {why}"
        tx.execute(sa.insert(t.audit).values(at=now, actor=actor, action=action, detail=detail))
        if not _pending(tx, source):
            close_alarm(tx, "key_offered", source, now)
        return True


def _one(source: str, own: str) -> sa.ColumnElement[bool]:
    return sa.and_(_kept.source == source, _kept.id == own)


def _is_known(tx: sa.Connection, source: str, own: str) -> bool:
    return tx.execute(sa.select(_kept.id).where(_one(source, own))).first() is not None


def _pending(tx: sa.Connection, source: str) -> int:
    waiting = sa.and_(_kept.source == source, _kept.confirmed_at.is_(None))
    count = sa.select(sa.func.count()).select_from(t.key_offers).where(waiting)
    return tx.scalar(count) or 0
