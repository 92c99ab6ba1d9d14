"""The outbox: every message, and of each a copy for everybody who is to get it.

A copy is on its own: whoever gets no message keeps nobody else from theirs, and makes nobody get
it twice.  A worker claims a copy with a conditional update before it sends it, for as long as
sending may take; when it has died meanwhile, the copy is due again.  So a copy is sent at least
once, and twice only where a worker died, or lost the ledger, between sending and writing it down.

The ledger knows a recipient by a hash of the URL, and by its place in the configuration.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

import sqlalchemy as sa

from workers.leavers import new_id
from workers.ledger import news
from workers.ledger import tables as t
from workers.ledger.alarms import close_alarm, raise_alarm
from workers.ledger.store import Ledger, insert

#: How long messages are kept.
KEPT = timedelta(days=30)

#: A copy that nobody has taken for so long is one of a recipient that no worker has any more.
DESERTED = timedelta(minutes=1)

#: The alarm about a recipient whom messages do not reach; its subject is their hash.
LOST = "message_lost"


class MessageKind(StrEnum):
    """What a message is about, at the worst."""

    ALARM = "alarm"
    OVER = "over"
    DONE = "done"
    TEST = "test"


@dataclass(frozen=True, slots=True)
class Message:
    """What people are told."""

    kind: MessageKind
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Copy:
    """A message on its way to one recipient; `tries` counts the one that is made now."""

    message_id: str
    recipient: str
    name: str
    tries: int
    created_at: datetime
    message: Message


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of a copy; neither sent nor given up means that it waits."""

    name: str
    sent_at: datetime | None
    gave_up_at: datetime | None
    error: str


#: Who gets messages: the name of each, such as "notify.urls[2] (slack)", by the hash of the URL.
Recipients = Mapping[str, str]


def put(tx: sa.Connection, message: Message, now: datetime) -> str:
    """Keep a message for everybody; a worker makes the copies.  Returns its id."""
    message_id = new_id()
    kept = {"id": message_id, "kind": message.kind, "title": message.title, "text": message.text}
    tx.execute(sa.insert(t.messages).values(created_at=now, **kept))
    return message_id


def address(ledger: Ledger, recipients: Recipients, now: datetime) -> None:
    """Make the copies of messages that have none."""
    fresh = t.messages.c.addressed_at.is_(None)
    with ledger.read() as tx:
        found = tx.scalars(sa.select(t.messages.c.id).where(fresh)).all()
    for message_id in found:
        with ledger.write() as tx:
            mine = sa.update(t.messages).where(t.messages.c.id == message_id, fresh)
            if tx.execute(mine.values(addressed_at=now)).rowcount:
                _copy(tx, message_id, recipients, now)


def claim(ledger: Ledger, recipients: Recipients, now: datetime, *, until: datetime) -> list[Copy]:
    """What this worker is to send now: at most one copy to each recipient, the oldest first."""
    due = (
        sa.select(t.copies.c.message_id, t.copies.c.recipient)
        .where(t.copies.c.due_at <= now, t.copies.c.recipient.in_(recipients))
        .order_by(t.copies.c.message_id.desc())
    )
    with ledger.read() as tx:
        oldest = {row.recipient: row.message_id for row in tx.execute(due)}
    claimed = (_claimed(ledger, *each, now, until) for each in oldest.items())
    return [copy for copy in claimed if copy]


def sent(ledger: Ledger, copy: Copy, now: datetime) -> None:
    """It has arrived."""
    with ledger.write() as tx:
        tx.execute(_waiting(copy).values(sent_at=now, due_at=None, error=""))
        close_alarm(tx, LOST, copy.recipient, now)


def failed(ledger: Ledger, copy: Copy, error: str, *, again_at: datetime) -> None:
    """It has not arrived, and is tried again."""
    with ledger.write() as tx:
        tx.execute(_waiting(copy).values(error=error, due_at=again_at))


def give_up(ledger: Ledger, copy: Copy, error: str, now: datetime) -> None:
    """It has not arrived, and will not.  But for a test, which its operator sees, an alarm."""
    with ledger.write() as tx:
        ended = tx.execute(_waiting(copy).values(error=error, due_at=None, gave_up_at=now)).rowcount
        if ended and copy.message.kind is not MessageKind.TEST:
            text = (
                f"messages to {copy.name} are lost ({error}): mend it, and try it with "
                "`leaver notify test`"
            )
            raise_alarm(tx, LOST, copy.recipient, text, now)


def forward(ledger: Ledger, recipients: Recipients, now: datetime) -> None:
    """What waits for somebody who is not configured any more goes to those who are instead.

    For whoever of them has no copy yet: such as the new URL of the same channel.
    """
    deserted = t.copies.c.due_at < now - DESERTED, t.copies.c.recipient.not_in(recipients)
    with ledger.read() as tx:
        if tx.scalar(sa.select(t.copies.c.message_id).where(*deserted).limit(1)) is None:
            return
    ended = {"due_at": None, "gave_up_at": now, "error": "is not configured any more"}
    left = sa.update(t.copies).where(*deserted).values(ended)
    with ledger.write() as tx:
        rows = tx.execute(left.returning(t.copies.c.message_id, t.copies.c.recipient)).all()
        for message_id in sorted({row.message_id for row in rows}):
            _copy(tx, message_id, recipients, now)
        for recipient in sorted({row.recipient for row in rows}):
            close_alarm(tx, LOST, recipient, now)


def fates(ledger: Ledger, message_id: str) -> list[Fate] | None:
    """What became of each copy of a message; None where no worker has taken it yet."""
    columns = t.copies.c.name, t.copies.c.sent_at, t.copies.c.gave_up_at, t.copies.c.error
    with ledger.read() as tx:
        addressed = sa.select(t.messages.c.addressed_at).where(t.messages.c.id == message_id)
        if tx.scalar(addressed) is None:
            return None
        own = sa.select(*columns).where(t.copies.c.message_id == message_id)
        return [Fate(*row) for row in tx.execute(own.order_by(t.copies.c.name))]


def forget(ledger: Ledger, now: datetime) -> None:
    """Delete what is too old: messages with their copies, and news that nobody tells."""
    with ledger.write() as tx:
        tx.execute(sa.delete(t.messages).where(t.messages.c.created_at < now - KEPT))
        news.forget(tx, now)


def _copy(tx: sa.Connection, message_id: str, recipients: Recipients, now: datetime) -> None:
    for key, name in recipients.items():
        made = {"message_id": message_id, "recipient": key, "name": name, "due_at": now}
        tx.execute(insert(tx, t.copies).values(made).on_conflict_do_nothing())


def _claimed(
    ledger: Ledger, recipient: str, message_id: str, now: datetime, until: datetime
) -> Copy | None:
    """The copy, if nobody else was faster."""
    own = (t.copies.c.message_id == message_id, t.copies.c.recipient == recipient)
    mine = sa.update(t.copies).where(*own, t.copies.c.due_at <= now)
    claimed = mine.values(due_at=until, tries=t.copies.c.tries + 1)
    with ledger.write() as tx:
        copy = tx.execute(claimed.returning(t.copies.c.name, t.copies.c.tries)).one_or_none()
        if copy is None:
            return None
        whole = sa.select(t.messages).where(t.messages.c.id == message_id)
        row = tx.execute(whole).mappings().one()
    message = Message(MessageKind(row["kind"]), row["title"], row["text"])
    return Copy(message_id, recipient, copy.name, copy.tries, row["created_at"], message)


def _waiting(copy: Copy) -> sa.Update:
    """The copy, unless another worker has ended it meanwhile."""
    return sa.update(t.copies).where(
        t.copies.c.message_id == copy.message_id,
        t.copies.c.recipient == copy.recipient,
        t.copies.c.due_at.is_not(None),
    )
