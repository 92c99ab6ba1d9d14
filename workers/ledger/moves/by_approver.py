"""What a second person moves: a job that waits for an approval (approvals.py)."""

from datetime import datetime

import sqlalchemy as sa

from workers.leavers import JobId, State
from workers.ledger import approvals
from workers.ledger import tables as t
from workers.ledger.moves.move import certain_move, waits
from workers.ledger.store import Ledger


class CannotApprove(Exception):
    """Nothing was approved or refused; the message says why."""


def approve_by(
    ledger: Ledger, job: JobId, *, seen: str, actor: str, why: str, now: datetime
) -> None:
    """Let a job go on that waits for a second person; all rules are asked again.

    `actor` is somebody who has proven who they are, and `seen` is the mark of what they were shown
    (approvals.Asked).  Raises CannotApprove where the job has changed since, or the actor is who
    asked for it.
    """
    with ledger.write() as tx:
        row = _locked(tx, job, seen)
        same = [each for each in approvals.askers(row) if approvals.same_person(each, actor)]
        if same:
            raise CannotApprove(f"{same[0]} asked for it: somebody else must approve it")
        tx.execute(
            sa.insert(t.approvals).values(
                job_id=job, round=row["round"], seen=seen, at=now, actor=actor, reason=why
            )
        )
        to, beside = waits(row["cutoff"], now)
        certain_move(
            tx,
            job,
            "approve",
            to,
            actor=actor,
            now=now,
            where=(t.jobs.c.state == State.HELD,),
            audit_detail=why,
            **beside,
            detail="",
            released_after=t.jobs.c.attempts,
            clock_started_at=None,
        )


def refuse_by(
    ledger: Ledger, job: JobId, *, seen: str, actor: str, why: str, now: datetime
) -> None:
    """End a job that waits for a second person.

    Raises CannotApprove where it has changed since it was shown.
    """
    with ledger.write() as tx:
        _locked(tx, job, seen)
        certain_move(
            tx,
            job,
            "refuse",
            State.CANCELLED,
            actor=actor,
            now=now,
            where=(t.jobs.c.state == State.HELD,),
            audit_detail=why,
            reason="approval_refused",
            detail=why,
        )


def _locked(tx: sa.Connection, job: JobId, seen: str) -> sa.RowMapping:
    """Lock a job that waits for an approval, as it was shown.  Raises CannotApprove."""
    query = approvals.with_askers().where(t.jobs.c.id == job).with_for_update(of=t.jobs)
    row = tx.execute(query).mappings().one_or_none()
    if row is None or row["state"] != State.HELD or row["reason"] != approvals.MISSING:
        raise CannotApprove("it does not wait for an approval any more")
    if approvals.mark(row) != seen:
        raise CannotApprove("it has changed since it was shown: look at it again")
    return row
