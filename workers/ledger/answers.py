"""What programs were answered: one that asks again hears the same, and nothing is done twice.

A program names each thing that it asks for by a key of its own.  The key is written down before
anything is done (begin), and the answer beside it afterwards (keep).  Where a process dies between
the two, nobody knows what was done: then that key is never taken again, and a person must look.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from workers.ledger import tables as t
from workers.ledger.store import Ledger, insert

KEPT = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Question:
    """What a program asks for: its token's name, its key, and the hash of what it sent."""

    token: str
    key: str
    hash: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What was answered: a status and a body of JSON; None as long as nothing was."""

    hash: str
    status: int | None
    body: str | None


def begin(ledger: Ledger, asked: Question, now: datetime) -> Answer | None:
    """Write the key down.  What is known of it where it is not new; None where it is."""
    kept = t.answers.c
    row = {"token": asked.token, "key": asked.key, "hash": asked.hash, "asked_at": now}
    with ledger.write() as tx:
        tx.execute(sa.delete(t.answers).where(kept.asked_at <= now - KEPT))
        own = insert(tx, t.answers).values(row).on_conflict_do_nothing()
        if tx.scalar(own.returning(kept.key)) is not None:
            return None
        known = tx.execute(sa.select(kept.hash, kept.status, kept.body).where(*_row_of(asked)))
        return Answer(*known.one())


def keep(ledger: Ledger, asked: Question, status: int, body: str) -> None:
    """Write the answer down."""
    said = sa.update(t.answers).where(*_row_of(asked)).values(status=status, body=body)
    with ledger.write() as tx:
        tx.execute(said)


def _row_of(asked: Question) -> tuple[sa.ColumnElement[bool], ...]:
    return (t.answers.c.token == asked.token, t.answers.c.key == asked.key)
