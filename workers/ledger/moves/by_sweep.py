"""What the sweep moves: what has become due, was left behind, or was let go."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from workers.leavers import JobId, State
from workers.ledger import holds, pauses
from workers.ledger import tables as t
from workers.ledger.brakes import has_passed
from workers.ledger.moves.move import HOLDABLE, TOGETHER, certain_move, move, waits
from workers.ledger.moves.stops import stopped
from workers.ledger.store import Ledger

#: After so many workers in a row died during a job's attempts, a person must look.
LOST_LIMIT = 5


def mature(ledger: Ledger, job: JobId, *, actor: str, now: datetime) -> bool:
    """A scheduled job whose cutoff has come is queued."""
    with ledger.write() as tx:
        due = (t.jobs.c.state == State.SCHEDULED, t.jobs.c.due_at <= now)
        moved = move(tx, job, "mature", State.QUEUED, actor=actor, now=now, where=due, reason="")
        return moved is not None


def take_back(ledger: Ledger, job: JobId, *, actor: str, now: datetime) -> bool:
    """A running job whose lease ran out is queued again: its worker died, hangs or is cut off."""
    with ledger.write() as tx:
        expired = (t.jobs.c.state == State.RUNNING, t.jobs.c.lease_until <= now)
        row = tx.execute(
            sa.select(t.jobs).where(t.jobs.c.id == job, *expired).with_for_update()
        ).one_or_none()
        if row is None:
            return False
        tx.execute(
            sa.update(t.attempts)
            .where(t.attempts.c.job_id == job, t.attempts.c.token == row.token)
            .values(finished_at=now, result="lost", reason="worker_lost", counted=True)
        )
        tx.execute(sa.delete(t.accounts).where(t.accounts.c.job_id == job))
        state, reason = State.QUEUED, ""
        if row.stop:
            state, reason = stopped(row.stop, row.intended_at)
        elif row.lost + 1 >= LOST_LIMIT:
            state, reason = State.HELD, "worker_lost"
        # The token is raised, so that the old worker can write nothing from here on.
        certain_move(
            tx,
            job,
            "take_back",
            state,
            actor=actor,
            now=now,
            where=expired,
            reason=reason,
            detail="",
            token=t.jobs.c.token + 1,
            lost=t.jobs.c.lost + 1,
            attempts=t.jobs.c.attempts + 1,
            due_at=now,
        )
        pauses.extend_probe(tx, row.target, job, now)
        return True


def hold_missing(
    ledger: Ledger, job: JobId, *, kind: holds.Kind, actor: str, now: datetime
) -> bool:
    """A waiting job whose source or target the configuration no longer has is held."""
    with ledger.write() as tx:
        moved = move(
            tx,
            job,
            "hold",
            State.HELD,
            actor=actor,
            now=now,
            where=(t.jobs.c.state.in_(HOLDABLE),),
            reason="source_missing" if kind == "source" else "target_missing",
        )
        return moved is not None


def let_go(ledger: Ledger, job: JobId, *, actor: str, now: datetime) -> bool:
    """A job of those held TOGETHER goes on, because a person let its leaver or its side go."""
    with ledger.write() as tx:
        row = tx.execute(sa.select(t.jobs).where(t.jobs.c.id == job).with_for_update()).one()
        to, beside = waits(row.cutoff, now)
        moved = move(
            tx,
            job,
            "let_go",
            to,
            actor=actor,
            now=now,
            where=(may_go(),),
            audit_detail=_let_go_by(tx, row),
            **beside,
            detail="",
            lost=0,
            clock_started_at=None,
        )
        return moved is not None


def may_go() -> sa.ColumnElement[bool]:
    """That a row of jobs is held TOGETHER with others, and a person has let it go."""
    braked = sa.and_(t.jobs.c.reason == "brake", has_passed())
    released = sa.and_(t.jobs.c.reason.in_(holds.SIDE_OF), ~holds.keeps())
    held = sa.and_(t.jobs.c.state == State.HELD, t.jobs.c.reason.in_(TOGETHER))
    return sa.and_(held, sa.or_(braked, released))


def _let_go_by(tx: sa.Connection, row: sa.Row[Any]) -> str:
    """Who let the job go on, and why."""
    if side := holds.side_of(row.reason, source=row.source, target=row.target):
        return holds.released_by(tx, side)
    place = sa.and_(t.places.c.leaver_id == row.leaver_id, t.places.c.round == row.round)
    return tx.scalar(sa.select(t.places.c.released_by).where(place)) or ""
