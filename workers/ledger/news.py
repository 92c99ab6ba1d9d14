"""News: what no message has said yet.

Whoever raises or closes an alarm, or finishes a job, notes it in the same transaction.  One worker
takes what has gathered, and its message, in one transaction as well: nothing is said twice for it,
and nothing is forgotten.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

import sqlalchemy as sa

from workers.ledger import tables as t

#: What is older is not worth a message any more; where nobody sends messages, it is deleted then.
OLDEST = timedelta(days=1)


class What(StrEnum):
    """What happened."""

    RAISED = "raised"  # an alarm was opened, or is said again
    OVER = "over"  # an alarm was closed
    DONE = "done"  # a job


@dataclass(frozen=True, slots=True)
class News:
    """Something that happened; `kind` and `text` are the alarm's, `subject` its own or the job."""

    at: datetime
    what: What
    kind: str
    subject: str
    text: str


def note(tx: sa.Connection, what: What, kind: str, subject: str, text: str, now: datetime) -> None:
    """Keep it for the next message."""
    noted = {"at": now, "what": what, "kind": kind, "subject": subject, "text": text}
    tx.execute(sa.insert(t.news).values(noted))


def waits(tx: sa.Connection, *, before: datetime) -> bool:
    """Whether there is any of before that instant."""
    return tx.scalar(sa.select(t.news.c.id).where(t.news.c.at <= before).limit(1)) is not None


def take(tx: sa.Connection, *, before: datetime) -> list[News]:
    """All news in order, if any of it is of before that instant; whoever takes it must tell it.

    Of workers that take at once the others wait for the first, and find nothing.
    """
    oldest = sa.select(t.news.c.id).where(t.news.c.at <= before).order_by(t.news.c.id).limit(1)
    if tx.scalar(oldest.with_for_update()) is None:
        return []
    taken = tx.execute(sa.delete(t.news).returning(t.news)).mappings().all()
    return [
        News(row["at"], What(row["what"]), row["kind"], row["subject"], row["text"])
        for row in sorted(taken, key=lambda row: row["id"])
    ]


def forget(tx: sa.Connection, now: datetime) -> None:
    """Delete what is too old to be told."""
    tx.execute(sa.delete(t.news).where(t.news.c.at < now - OLDEST))
