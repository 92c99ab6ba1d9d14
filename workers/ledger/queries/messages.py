"""What people were told, and what did not reach them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from workers.ledger import tables as t
from workers.ledger.outbox import MessageKind
from workers.ledger.queries import NotFound
from workers.ledger.store import Ledger

WAITING, SENT, GIVEN_UP = "waiting", "sent", "given_up"

#: Where a copy stands; without a copy the message still waits for a worker.
_STATE = sa.case(
    (t.copies.c.sent_at.is_not(None), SENT),
    (t.copies.c.gave_up_at.is_not(None), GIVEN_UP),
    else_=WAITING,
)


@dataclass(frozen=True, slots=True)
class Sending:
    """A message and one recipient; `recipient` is "" as long as no worker has taken it."""

    message: str
    created_at: datetime
    title: str
    recipient: str
    state: str
    tries: int
    due_at: datetime | None
    sent_at: datetime | None
    error: str


def sendings(ledger: Ledger, *, limit: int, after: str | None = None) -> list[Sending]:
    """The newest `limit` messages older than the message `after`, each with each recipient."""
    newest = sa.select(t.messages.c.id).order_by(t.messages.c.id.desc()).limit(limit)
    if after is not None:
        newest = newest.where(t.messages.c.id < after)
    with ledger.read() as tx:
        found = tx.execute(_SENDINGS.where(t.messages.c.id.in_(newest))).mappings()
        return [Sending(**row) for row in found]


def sendings_of(ledger: Ledger, message: str) -> list[Sending]:
    """One message with each of its recipients.  Raises NotFound."""
    with ledger.read() as tx:
        found = tx.execute(_SENDINGS.where(t.messages.c.id == message)).mappings().all()
    if not found:
        raise NotFound(f"no message has the id {message}")
    return [Sending(**row) for row in found]


_SENDINGS = (
    sa.select(
        t.messages.c.id.label("message"),
        t.messages.c.created_at,
        t.messages.c.title,
        sa.func.coalesce(t.copies.c.name, "").label("recipient"),
        _STATE.label("state"),
        sa.func.coalesce(t.copies.c.tries, 0).label("tries"),
        t.copies.c.due_at,
        t.copies.c.sent_at,
        sa.func.coalesce(t.copies.c.error, "").label("error"),
    )
    .outerjoin_from(t.messages, t.copies, t.copies.c.message_id == t.messages.c.id)
    .order_by(t.messages.c.id.desc(), t.copies.c.name)
)


def last_sent(ledger: Ledger) -> datetime | None:
    """When a message last reached somebody."""
    with ledger.read() as tx:
        found: datetime | None = tx.scalar(sa.select(sa.func.max(t.copies.c.sent_at)))
    return found


def counted(tx: sa.Connection) -> Mapping[str, int]:
    """How many copies are in each state; a test that failed is no message that was lost."""
    query = (
        sa.select(_STATE, sa.func.count())
        .join_from(t.copies, t.messages, t.messages.c.id == t.copies.c.message_id)
        .where(t.messages.c.kind != MessageKind.TEST)
        .group_by(_STATE)
    )
    found = {row[0]: row[1] for row in tx.execute(query)}
    return dict.fromkeys((WAITING, SENT, GIVEN_UP), 0) | found
