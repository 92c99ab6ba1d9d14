"""Standing holds: an operator's word that a whole source or a whole target waits.

    holds    one row for each side that was ever held: by whom, why, since when; released: by whom

Deliveries are taken and recorded as ever.  A job whose turn comes is held instead of claimed (with
the reason source_held or target_held), and a running one stops at its next intend.  Lookups only
read, so they go on while their source is held.  Released, the jobs that waited go on by themselves,
and every rule is asked again.

After `hold` has returned, no leave to write is given any more.  The word is committed first; then
each running job is locked once, which waits for an intend that is under way.  An intend that locks
its job later reads the word, because it asks `against` after it has locked the job.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import sqlalchemy as sa

from workers.leavers import Action, JobId, State
from workers.ledger import tables as t
from workers.ledger.alarms import close_alarm, raise_alarm
from workers.ledger.store import Ledger, insert

Kind = Literal["source", "target"]


@dataclass(frozen=True, slots=True)
class Side:
    """A whole source or target, by name: every job has one of each."""

    kind: Kind
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"

    @property
    def reason(self) -> str:
        """The reason word of the jobs that wait for it; also the kind of its alarm."""
        return f"{self.kind}_held"


#: The reason words, with the column that names the side.
SIDE_OF = {"source_held": t.jobs.c.source, "target_held": t.jobs.c.target}


@dataclass(frozen=True, slots=True)
class Standing:
    """A hold that stands."""

    side: Side
    actor: str
    reason: str

    def __str__(self) -> str:
        return f"{self.side} is held by {self.actor}: {self.reason}"


def hold(ledger: Ledger, side: Side, *, actor: str, why: str, now: datetime) -> bool:
    """Have a whole source or target wait.  False if it is held already: the first word stays."""
    said = {"actor": actor, "reason": why, "held_at": now, "released_by": None}
    with ledger.write() as tx:
        own = insert(tx, t.holds).values(kind=side.kind, name=side.name, **said)
        anew = own.on_conflict_do_update(
            index_elements=["kind", "name"], set_=said, where=t.holds.c.held_at.is_(None)
        )
        new = tx.scalar(anew.returning(t.holds.c.name)) is not None
        if new:
            _note(tx, f"hold the {side.kind}", side, actor=actor, why=why, now=now)
            text = f"an operator holds the {side}, and its jobs wait: `leaver holds`"
            raise_alarm(tx, side.reason, side.name, text, now)
    for job in running(ledger, side):
        with ledger.write() as tx:  # One at a time: nobody waits in a circle.
            tx.execute(sa.select(t.jobs.c.id).where(t.jobs.c.id == job).with_for_update())
    return new


def release(ledger: Ledger, side: Side, *, actor: str, why: str, now: datetime) -> bool:
    """Take the word back; the sweep lets the jobs go.  False if it is not held."""
    with ledger.write() as tx:
        released = tx.execute(
            sa.update(t.holds)
            .where(_row_of(side), t.holds.c.held_at.is_not(None))
            .values(held_at=None, released_by=f"{actor}: {why}")
        ).rowcount
        if released:
            _note(tx, f"release the {side.kind}", side, actor=actor, why=why, now=now)
            close_alarm(tx, side.reason, side.name, now)
    return bool(released)


def against(tx: sa.Connection, *, source: str, target: str, action: str) -> Standing | None:
    """The standing hold that a job of these sides must wait for; of two, that of the source."""
    sides = [Side("target", target)]
    if action != Action.LOOKUP:
        sides.append(Side("source", source))
    found = sa.select(t.holds).where(sa.or_(*map(_row_of, sides)), t.holds.c.held_at.is_not(None))
    row = tx.execute(found.order_by(t.holds.c.kind)).first()
    return Standing(Side(row.kind, row.name), row.actor, row.reason) if row else None


def keeps() -> sa.ColumnElement[bool]:
    """That a row of jobs is held with its side, and that hold still stands."""

    def stands(side: sa.Column[str]) -> sa.ColumnElement[bool]:
        own = (t.holds.c.kind == side.name, t.holds.c.name == side)
        return sa.exists().where(*own, t.holds.c.held_at.is_not(None)).correlate(t.jobs)

    return sa.or_(
        *(sa.and_(t.jobs.c.reason == word, stands(side)) for word, side in SIDE_OF.items())
    )


def side_of(reason: str, *, source: str, target: str) -> Side | None:
    """The side with which a job that is held for `reason` waits; None where that is not why."""
    sides = (Side("source", source), Side("target", target))
    return next((side for side in sides if side.reason == reason), None)


def released_by(tx: sa.Connection, side: Side) -> str:
    """Who took the last word about it back, and why."""
    return tx.scalar(sa.select(t.holds.c.released_by).where(_row_of(side))) or ""


def running(ledger: Ledger, side: Side) -> list[JobId]:
    """The jobs that run: each stops before its next write."""
    own = t.jobs.c[side.kind] == side.name
    query = sa.select(t.jobs.c.id).where(t.unfinished, own, t.jobs.c.state == State.RUNNING)
    with ledger.read() as tx:
        return [JobId(job) for job in tx.scalars(query)]


def _row_of(side: Side) -> sa.ColumnElement[bool]:
    return sa.and_(t.holds.c.kind == side.kind, t.holds.c.name == side.name)


def _note(
    tx: sa.Connection, action: str, side: Side, *, actor: str, why: str, now: datetime
) -> None:
    entry = {"at": now, "actor": actor, "action": action, "detail": f"{side.name}: {why}"}
    tx.execute(sa.insert(t.audit).values(entry))
