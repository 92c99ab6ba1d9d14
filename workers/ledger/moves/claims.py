"""A worker takes a job, and keeps it: the lease and the fence."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from workers.errors import LeaseLost
from workers.leavers import AccountId, Action, AttemptId, JobId, LeaverId, Standing, State, new_id
from workers.ledger import approvals, holds, pauses
from workers.ledger import tables as t
from workers.ledger.moves.move import CLAIMABLE, certain_move, first
from workers.ledger.store import Ledger


@dataclass(frozen=True, slots=True)
class Claim:
    """A job that this worker owns until its lease ends, and all that an attempt must know of it."""

    job: JobId
    leaver: LeaverId
    attempt: AttemptId
    token: int
    worker: str
    source: str
    target: str
    action: Action
    email: str
    employee_id: str
    cutoff: datetime
    standing: Standing
    request_id: str  # of the request that brought the leaver
    forced: bool
    approved: bool  # by a second person, as the job stands now
    round: int
    attempts: int  # counted ones of the round
    tries: int  # of those, since it was released last: what delays grow by
    account_id: AccountId | None
    snapshot: dict[str, Any] | None
    intended_at: datetime | None
    watched_since: datetime | None
    outage_at: datetime | None
    resumed_at: datetime | None  # when the target last came back from a pause
    working_seconds: float  # towards retry.give_up_after: time in pauses is not counted
    pauses: int  # of the target, in a row
    probe_call: str | None  # this attempt probes a paused target: the call that failed


def claim(
    ledger: Ledger,
    job: JobId,
    *,
    worker: str,
    now: datetime,
    lease: timedelta,
    sources: Collection[str],
    concurrency: Mapping[str, int],
) -> Claim | None:
    """Take a due job for one attempt; None when it is not to be had now.

    It is not to be had when it is not due, somebody else has it, its source is none of `sources` or
    its target none of `concurrency`, the target is paused (unless this job may be the probe), or as
    many jobs of the target run already as `concurrency` allows.  It is held instead where its whole
    source or target is (holds.py).
    """
    due = (t.jobs.c.state.in_(CLAIMABLE), t.jobs.c.due_at <= now)
    with ledger.write() as tx:
        sides = sa.select(t.jobs.c.source, t.jobs.c.target, t.jobs.c.action)
        locked = sides.where(t.jobs.c.id == job, *due).with_for_update()
        found = tx.execute(locked).mappings().one_or_none()
        if found is None or found["source"] not in sources or found["target"] not in concurrency:
            return None
        if standing := holds.against(tx, **found):
            _hold_with(tx, job, standing, actor=worker, now=now)
            return None
        target: str = found["target"]
        # Whoever claims for this target waits here, so that no two count the same free place.
        known = pauses.locked(tx, target)
        probing = known["paused_at"] is not None
        if _running(tx, target) >= concurrency[target] or (
            probing and not pauses.take_probe(tx, target, job, now=now, until=now + lease)
        ):
            _sleep_on(tx, job)
            return None
        pause_mark = pauses.paused_seconds(known, now)
        row = certain_move(
            tx,
            job,
            "claim",
            State.RUNNING,
            actor=worker,
            now=now,
            where=due,
            token=t.jobs.c.token + 1,
            lease_until=now + lease,
            woken_until=None,
            clock_started_at=first(t.jobs.c.clock_started_at, now),
            pause_mark=sa.case(
                (t.jobs.c.clock_started_at.is_(None), pause_mark), else_=t.jobs.c.pause_mark
            ),
        )
        attempt = AttemptId(new_id())
        tx.execute(
            sa.insert(t.attempts).values(
                id=attempt,
                job_id=job,
                round=row["round"],
                token=row["token"],
                worker=worker,
                started_at=now,
            )
        )
        about = sa.select(t.leavers.c.employee_id, t.leavers.c.request_id)
        leaver = tx.execute(about.where(t.leavers.c.id == row["leaver_id"])).one()
        waited = (now - row["clock_started_at"]).total_seconds()
        return Claim(
            job=job,
            leaver=row["leaver_id"],
            attempt=attempt,
            token=row["token"],
            worker=worker,
            source=row["source"],
            target=target,
            action=Action(row["action"]),
            email=row["email"],
            employee_id=leaver.employee_id,
            cutoff=row["cutoff"],
            standing=Standing(row["standing"]),
            request_id=leaver.request_id,
            forced=row["forced"],
            approved=approvals.given(tx, row),
            round=row["round"],
            attempts=row["attempts"],
            tries=row["attempts"] - row["released_after"],
            account_id=row["account_id"],
            snapshot=row["snapshot"],
            intended_at=row["intended_at"],
            watched_since=row["watched_since"],
            outage_at=row["outage_at"],
            resumed_at=known["resumed_at"],
            working_seconds=waited - (pause_mark - row["pause_mark"]),
            pauses=known["pauses"] if probing else 0,
            probe_call=known["pause_call"] if probing else None,
        )


def renew(tx: sa.Connection, claim: Claim, until: datetime) -> None:
    """Keep the job, its account and its probe until `until`.  Raises LeaseLost."""
    kept = tx.execute(sa.update(t.jobs).where(*owned(claim)).values(lease_until=until)).rowcount
    if not kept:
        raise LeaseLost
    tx.execute(
        sa.update(t.accounts)
        .where(t.accounts.c.job_id == claim.job, t.accounts.c.token == claim.token)
        .values(lease_until=until)
    )
    if claim.probe_call is not None:
        pauses.extend_probe(tx, claim.target, claim.job, until)


def owned(claim: Claim) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        t.jobs.c.id == claim.job,
        t.jobs.c.token == claim.token,
        t.jobs.c.state == State.RUNNING,
    )


def lock_owned(tx: sa.Connection, claim: Claim) -> sa.RowMapping:
    """Lock the claimed job, and say what an operator asked for meanwhile.  Raises LeaseLost."""
    query = sa.select(t.jobs).where(*owned(claim)).with_for_update()
    found = tx.execute(query).mappings().one_or_none()
    if found is None:
        raise LeaseLost
    return found


def _hold_with(
    tx: sa.Connection, job: JobId, standing: holds.Standing, *, actor: str, now: datetime
) -> None:
    """Have a job wait as its whole source or target does."""
    certain_move(
        tx,
        job,
        "hold",
        State.HELD,
        actor=actor,
        now=now,
        where=(t.jobs.c.state.in_(CLAIMABLE),),
        reason=standing.side.reason,
        detail=str(standing),
    )


def _running(tx: sa.Connection, target: str) -> int:
    count = sa.select(sa.func.count()).where(
        t.unfinished, t.jobs.c.target == target, t.jobs.c.state == State.RUNNING
    )
    return tx.scalar(count) or 0


def _sleep_on(tx: sa.Connection, job: JobId) -> None:
    """The wake-up is used up: the sweep may send the next one as soon as there is room."""
    tx.execute(sa.update(t.jobs).where(t.jobs.c.id == job).values(woken_until=None))
