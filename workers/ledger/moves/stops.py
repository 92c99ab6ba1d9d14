"""How a job is stopped: at once where it waits; where it runs, it is asked to.

It heeds that at its next intend, or when its attempt ends without success.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from workers.leavers import JobId, Outcome, State
from workers.ledger import holds
from workers.ledger import tables as t
from workers.ledger.alarms import raise_alarm
from workers.ledger.approvals import MISSING
from workers.ledger.moves.move import HOLDABLE, LATE, TOGETHER, move

#: What stops a running job, what it becomes, and the reason that stands beside it then.
STOPS: Mapping[str, tuple[State, str]] = {
    "hold": (State.HELD, "operator_hold"),
    "cancel": (State.CANCELLED, "operator_cancel"),
    "rehire": (State.HELD, "rehired"),
    "rescind": (State.CANCELLED, "rescinded"),
    "replace": (State.CANCELLED, "replaced"),
    "leave": (State.HELD, "not_rehired"),
    "yield": (State.HELD, "deactivation_open"),
    # Not asked of the job, but found just before a write: nobody has approved it (approvals.py).
    "unapproved": (State.HELD, MISSING),
    # Not asked of the job, but of its whole source or target (holds.py).
    **{word: (State.HELD, word) for word in holds.SIDE_OF},
}


def stop_in(
    tx: sa.Connection,
    job: JobId,
    stop: str,
    allowed: sa.ColumnElement[bool],
    *,
    actor: str,
    why: str,
    now: datetime,
) -> str | None:
    """Stop a job that is as `allowed`, or ask it to if it runs.  `stop` is a word of STOPS.

    Returns what it is now, "stopping" if it runs, None where it is otherwise.
    """
    to, word = STOPS[stop]
    moved = move(
        tx,
        job,
        stop,
        to,
        actor=actor,
        now=now,
        where=(allowed,),
        audit_detail=why,
        reason=word,
        detail=why,
    )
    if moved is not None:
        return str(to)
    return "stopping" if ask(tx, job, stop, actor=actor, why=why, now=now) else None


def by_itself() -> sa.ColumnElement[bool]:
    """That a row of jobs waits, and goes on without a word about this job alone."""
    together = sa.and_(t.jobs.c.state == State.HELD, t.jobs.c.reason.in_(TOGETHER))
    return sa.or_(t.jobs.c.state.in_(HOLDABLE), together)


def ask(tx: sa.Connection, job: JobId, stop: str, *, actor: str, why: str, now: datetime) -> bool:
    """Have a running job stop at its next intend, or when its attempt ends without success."""
    asked = tx.execute(
        sa.update(t.jobs)
        .where(t.jobs.c.id == job, t.jobs.c.state == State.RUNNING)
        .values(stop=stop, stop_actor=actor, stop_reason=why)
    ).rowcount
    if asked:
        entry = {"at": now, "actor": actor, "action": f"ask to {stop}", "job_id": job}
        tx.execute(sa.insert(t.audit).values(**entry, detail=why))
    return bool(asked)


def stopped(stop: str, intended_at: datetime | None) -> tuple[State, str]:
    """Where a job that is stopped without success goes, and why."""
    if stop == "rescind" and intended_at is not None:
        # The account may be off: cancelled would read as if nothing had happened.
        return State.HELD, "rescinded_late"
    return STOPS[stop]


def note_rescinded_late(tx: sa.Connection, row: Mapping[str, Any], why: str, now: datetime) -> None:
    """HR takes back what was done already: a person decides whether the access is given back.

    The alarm ends with the reinstatement, when the job moves again, such as by a replay, or when
    the delivery is dismissed.
    """
    if row["outcome"] in (Outcome.DEACTIVATED, Outcome.SUSPENDED) and row["wrote_at"]:
        text = (
            f"{why} took the termination back after the account was switched off in "
            f"{row['target']}: `leaver reinstate {row['id']} --reason TEXT` enables it again; if "
            "it is to stay off, dismiss the delivery"
        )
        raise_alarm(tx, LATE, row["id"], text, now)
