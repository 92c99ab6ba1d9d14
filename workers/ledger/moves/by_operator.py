"""What an operator moves, with actor and reason."""

from datetime import datetime

import sqlalchemy as sa

from workers.leavers import Action, JobId, State
from workers.ledger import approvals, holds
from workers.ledger import tables as t
from workers.ledger.brakes import keep_waiting
from workers.ledger.moves.move import (
    CANCELLABLE,
    REPLAYABLE,
    certain_move,
    close_round,
    cutoff_of,
    move,
    open_round,
    waits,
)
from workers.ledger.moves.stops import by_itself, stop_in
from workers.ledger.store import Ledger


def hold_by(ledger: Ledger, job: JobId, *, actor: str, why: str, now: datetime) -> str | None:
    """Hold a job.  Returns what happened ("held", "stopping"), or None where it cannot be held.

    One that is held TOGETHER with others stays, then, when they are let go.
    """
    with ledger.write() as tx:
        return stop_in(tx, job, "hold", by_itself(), actor=actor, why=why, now=now)


def cancel_by(ledger: Ledger, job: JobId, *, actor: str, why: str, now: datetime) -> str | None:
    """Cancel a job.  Returns what happened ("cancelled", "stopping"), or None where it cannot."""
    allowed = t.jobs.c.state.in_(CANCELLABLE)
    with ledger.write() as tx:
        return stop_in(tx, job, "cancel", allowed, actor=actor, why=why, now=now)


def release_by(ledger: Ledger, job: JobId, *, actor: str, why: str, now: datetime) -> bool:
    """Let a held job go on in its round; all rules are asked again.

    Its delays, and the time until it gives up, start anew.  False if it is not held, is kept by a
    hold of its whole source or target, or waits for an approval.
    """
    with ledger.write() as tx:
        to, beside = waits(cutoff_of(tx, job), now)
        moved = move(
            tx,
            job,
            "release",
            to,
            actor=actor,
            now=now,
            where=(
                t.jobs.c.state == State.HELD,
                t.jobs.c.reason != approvals.MISSING,
                ~holds.keeps(),
            ),
            audit_detail=why,
            **beside,
            detail="",
            lost=0,
            released_after=t.jobs.c.attempts,
            clock_started_at=None,
            watched_since=None,
        )
        return moved is not None


def replay_by(
    ledger: Ledger, job: JobId, *, actor: str, why: str, force: bool = False, now: datetime
) -> bool:
    """Open a new round of a held or ended job.  False if it is under way already.

    The old rounds stay as they were.  `force` goes on whatever HR says by now, and a deactivation
    also forgets which account was matched before.  A reinstatement that is under way is held: of
    two words of operators the later one counts.
    """
    with ledger.write() as tx:
        return replay(tx, job, actor=actor, why=why, force=force, now=now)


def replay(
    tx: sa.Connection, job: JobId, *, actor: str, why: str, force: bool = False, now: datetime
) -> bool:
    """The same within a transaction."""
    known = sa.select(t.jobs.c.state, t.jobs.c.action).where(t.jobs.c.id == job)
    was = tx.execute(known.with_for_update()).one_or_none()
    if was is None or was.state not in REPLAYABLE:
        return False
    deactivates = was.action == Action.DEACTIVATE
    forget = dict.fromkeys(("account_id", "snapshot", "wrote_at")) if force and deactivates else {}
    close_round(tx, job, now)
    to, beside = waits(cutoff_of(tx, job), now)
    row = certain_move(
        tx,
        job,
        "replay",
        to,
        actor=actor,
        now=now,
        where=(t.jobs.c.state.in_(REPLAYABLE),),
        audit_detail=why,
        round=t.jobs.c.round + 1,
        forced=force,
        outcome=None,
        **beside,
        detail="",
        attempts=0,
        released_after=0,
        lost=0,
        intended_at=None,
        watched_since=None,
        outage_at=None,
        clock_started_at=None,
        **forget,
    )
    open_round(tx, job, row["round"], actor=actor, why=why, now=now)
    if deactivates:
        keep_waiting(tx, row["leaver_id"], row["round"])
        back = sa.select(t.jobs.c.id).where(
            t.jobs.c.leaver_id == row["leaver_id"],
            t.jobs.c.target == row["target"],
            t.jobs.c.action == Action.REINSTATE,
        )
        for reinstatement in tx.scalars(back).all():
            stop_in(tx, reinstatement, "yield", by_itself(), actor=actor, why=why, now=now)
    return True
