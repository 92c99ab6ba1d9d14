"""How a move is made: one conditional UPDATE, with its round, audit row and alarms.

Nothing outside this module writes `jobs.state`, but for the row with which a job begins (by_hr.py).
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from workers.leavers import FINISHED, Action, JobId, State
from workers.ledger import holds, tallies
from workers.ledger import tables as t
from workers.ledger.alarms import close_alarm, raise_alarm
from workers.ledger.approvals import MISSING
from workers.ledger.news import What, note

#: From where a worker may take a job.
CLAIMABLE = (State.QUEUED, State.RETRYING)

#: From where an operator's moves may start.
HOLDABLE = (State.SCHEDULED, State.QUEUED, State.RETRYING)
CANCELLABLE = (*HOLDABLE, State.HELD)
REPLAYABLE = (State.HELD, *FINISHED)

#: Holds of many jobs at once, which go on by themselves when a person lets them (let_go).
TOGETHER = ("brake", *holds.SIDE_OF)

#: Holds that need no alarm for each job: an operator knows, or there is one for all of them.
TOLD_ELSEWHERE = ("operator_hold", *TOGETHER)

#: The alarm about a rescind that came after the deed; its subject is the job.
LATE = "rescinded_late"


def move(
    tx: sa.Connection,
    job: JobId,
    action: str,
    to: State,
    *,
    actor: str,
    now: datetime,
    where: Sequence[sa.ColumnElement[bool]],
    audit_detail: str = "",
    **values: Any,
) -> sa.RowMapping | None:
    """The one way a job changes its state.  None, and nothing written, unless `where` holds."""
    kind = sa.select(*(t.jobs.c[name] for name in tallies.KIND)).where(t.jobs.c.id == job)
    before = tx.execute(kind.with_for_update()).mappings().one_or_none()
    ended: dict[str, Any] = {"finished_at": now if to in FINISHED else None}
    if to is not State.RUNNING:
        ended |= {"lease_until": None, "woken_until": None}
        ended |= {"stop": None, "stop_actor": None, "stop_reason": None}
    row = (
        tx.execute(
            sa.update(t.jobs)
            .where(t.jobs.c.id == job, *where)
            .values(state=to, **(ended | values))
            .returning(t.jobs)
        )
        .mappings()
        .one_or_none()
    )
    if row is None or before is None:
        return None
    tallies.job_became(tx, before, row)
    tx.execute(
        sa.insert(t.audit).values(
            at=now,
            actor=actor,
            action=action,
            job_id=job,
            from_state=before["state"],
            to_state=to,
            reason=row["reason"],
            detail=audit_detail or row["detail"],
        )
    )
    if to in FINISHED:
        close_round(tx, job, now)
    _alarms(tx, row, to, now)
    return row


def certain_move(
    tx: sa.Connection, job: JobId, action: str, to: State, **about: Any
) -> sa.RowMapping:
    """A move of a job that this transaction has locked and found fit for it."""
    row = move(tx, job, action, to, **about)
    if row is None:
        raise RuntimeError(f"job {job} was changed while it was locked")
    return row


def waits(cutoff: datetime | None, now: datetime) -> tuple[State, dict[str, Any]]:
    """How a job waits for its next attempt, and what stands beside that: until the cutoff, or not
    at all."""
    if cutoff is not None and cutoff > now:
        return State.SCHEDULED, {"reason": "cutoff_ahead", "due_at": cutoff}
    return State.QUEUED, {"reason": "", "due_at": now}


def cutoff_of(tx: sa.Connection, job: JobId) -> datetime | None:
    cutoff: datetime | None = tx.scalar(sa.select(t.jobs.c.cutoff).where(t.jobs.c.id == job))
    return cutoff


def first(column: sa.Column[Any], now: datetime) -> sa.ColumnElement[Any]:
    """What `column` has already, else `now`."""
    return sa.func.coalesce(column, sa.literal(now, column.type))


def open_round(
    tx: sa.Connection, job: JobId, number: int, *, actor: str, why: str, now: datetime
) -> None:
    opened = {"job_id": job, "round": number, "opened_at": now, "actor": actor, "why": why}
    tx.execute(sa.insert(t.rounds).values(opened))


def close_round(tx: sa.Connection, job: JobId, now: datetime) -> None:
    row = tx.execute(sa.select(t.jobs).where(t.jobs.c.id == job)).mappings().one_or_none()
    if row is None:
        return
    tx.execute(
        sa.update(t.rounds)
        .where(
            t.rounds.c.job_id == job,
            t.rounds.c.round == row["round"],
            t.rounds.c.closed_at.is_(None),
        )
        .values(
            closed_at=now,
            state=row["state"],
            outcome=row["outcome"],
            reason=row["reason"],
            detail=row["detail"],
            attempts=row["attempts"],
        )
    )


def _alarms(tx: sa.Connection, row: sa.RowMapping, to: State, now: datetime) -> None:
    job = row["id"]
    if to is State.HELD and row["reason"] not in TOLD_ELSEWHERE:
        text = f"job {job} in {row['target']} is held ({row['reason']}): `leaver job {job}`"
        if row["reason"] == MISSING:
            text += "; an approver decides in the console"
        raise_alarm(tx, "job_held", job, text, now)
    if to is State.FAILED:
        text = f"job {job} in {row['target']} failed ({row['reason']}): `leaver job {job}`"
        raise_alarm(tx, "job_failed", job, text, now)
    if to is State.DONE and row["action"] != Action.LOOKUP:
        note(tx, What.DONE, "", job, "", now)
    if to in (State.QUEUED, State.SCHEDULED, State.CANCELLED, State.DONE):
        close_alarm(tx, "job_held", job, now)
        close_alarm(tx, "job_failed", job, now)
        close_alarm(tx, LATE, job, now)
