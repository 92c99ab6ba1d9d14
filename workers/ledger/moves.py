r"""Every move of a job: one conditional UPDATE, with its audit row in the same transaction.

        record, enter                         hold: from scheduled, queued and retrying at once;
         |         |                          a running job is stopped at its next intend, or
         v         v                          when its attempt ends without success
    scheduled --> queued <------------------------------.
         mature    | ^                                  | release, let_go
             claim | | give_back, take_back             |
                   v |           again                  |
               running <---> retrying               .-> held
                   |   claim    |                   |    |
                   |------------|-------------------'    |
                   |            |        hold            |
        finish     |            | fail                   |
                   v            v                        |
                 done         failed      cancelled <----'  cancel: from all that is unfinished
                   \            |            /
                    '-----------+-----------'
                                |
                     replay: a new round, queued or scheduled again

HR may say more of a person: `steer` moves the cutoff (reschedule), cancels (rescind) or holds
(rehire) what is not done.  After the deed a rescind is an alarm, and no move.

Where a whole source or target is held (holds.py), claim() holds the job instead of taking it.

A job that reinstates moves like any other (reinstatements.py); it is held when HR says that the
person leaves after all, and when its deactivation is replayed.

From the match on, an account is one job's until the attempt ends: nobody writes to what another
job reads, and no job calls an account off while another one switches it on.

The fence: claim() raises the job's token, and every later move of that worker names it.  A worker
whose lease was taken back finds its token gone and raises LeaseLost: it can write nothing.
No success is ever overwritten: a closed round stays as it is, a replay opens the next one.

Locks are taken in one order: the job, then the brake, its account, its target, then alarms.
Transactions that meet wait for one another, and never in a circle.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from workers.errors import AccountBusy, Braked, LeaseLost, Stopped
from workers.leavers import (
    FINISHED,
    AccountId,
    Action,
    AttemptId,
    JobId,
    LeaverId,
    Outcome,
    Standing,
    State,
    new_id,
)
from workers.ledger import holds, pauses, sightings
from workers.ledger import tables as t
from workers.ledger.alarms import close_alarm, raise_alarm
from workers.ledger.brakes import Brakes, has_passed, take
from workers.ledger.news import What, note
from workers.ledger.store import Ledger, insert

#: After so many workers in a row died during a job's attempts, a person must look.
LOST_LIMIT = 5

#: From where a worker may take a job.
CLAIMABLE = (State.QUEUED, State.RETRYING)

#: What stops a running job, what it becomes, and the reason that stands beside it then.
STOPS: Mapping[str, tuple[State, str]] = {
    "hold": (State.HELD, "operator_hold"),
    "cancel": (State.CANCELLED, "operator_cancel"),
    "rehire": (State.HELD, "rehired"),
    "rescind": (State.CANCELLED, "rescinded"),
    "leave": (State.HELD, "not_rehired"),
    "yield": (State.HELD, "deactivation_open"),
    # Not asked of the job, but of its whole source or target (holds.py).
    **{word: (State.HELD, word) for word in holds.SIDE_OF},
}

#: The alarm about a rescind that came after the deed; its subject is the job.
LATE = "rescinded_late"

#: Holds of many jobs at once, which go on by themselves when a person lets them (let_go).
TOGETHER = ("brake", *holds.SIDE_OF)

#: Holds that need no alarm for each job: an operator knows, or there is one for all of them.
TOLD_ELSEWHERE = ("operator_hold", *TOGETHER)

#: From where an operator's moves may start.
HOLDABLE = (State.SCHEDULED, State.QUEUED, State.RETRYING)
CANCELLABLE = (*HOLDABLE, State.HELD)
REPLAYABLE = (State.HELD, *FINISHED)


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
    forced: bool
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


# --- The worker's moves ---------------------------------------------------------------------


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
        row = _certain_move(
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
            clock_started_at=_first(t.jobs.c.clock_started_at, now),
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
        employee_id = sa.select(t.leavers.c.employee_id).where(t.leavers.c.id == row["leaver_id"])
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
            employee_id=tx.scalars(employee_id).one(),
            cutoff=row["cutoff"],
            standing=Standing(row["standing"]),
            forced=row["forced"],
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
    kept = tx.execute(sa.update(t.jobs).where(*_owned(claim)).values(lease_until=until)).rowcount
    if not kept:
        raise LeaseLost
    tx.execute(
        sa.update(t.accounts)
        .where(t.accounts.c.job_id == claim.job, t.accounts.c.token == claim.token)
        .values(lease_until=until)
    )
    if claim.probe_call is not None:
        pauses.extend_probe(tx, claim.target, claim.job, until)


def pin(
    ledger: Ledger, claim: Claim, account: AccountId, *, now: datetime, lease: timedelta
) -> None:
    """Fix the account of this job, for which the first match stays, and take it for this attempt.

    Raises LeaseLost, and AccountBusy while another job works on this account of this target.
    """
    with ledger.write() as tx:
        _lock_owned(tx, claim)
        _take_account(tx, claim, account, now=now, until=now + lease)
        tx.execute(
            sa.update(t.jobs)
            .where(*_owned(claim), t.jobs.c.account_id.is_(None))
            .values(account_id=account)
        )


def keep(ledger: Ledger, claim: Claim, snapshot: dict[str, Any]) -> None:
    """Keep the account's state from before the first write ever; the first one stays.

    Raises LeaseLost.
    """
    with ledger.write() as tx:
        _lock_owned(tx, claim)
        tx.execute(
            sa.update(t.jobs)
            .where(*_owned(claim), t.jobs.c.snapshot.is_(None), t.jobs.c.intended_at.is_(None))
            .values(snapshot=snapshot)
        )


def watch(ledger: Ledger, claim: Claim, now: datetime) -> None:
    """Note since when an identity provider is watched for this account.  Raises LeaseLost."""
    with ledger.write() as tx:
        _lock_owned(tx, claim)
        tx.execute(
            sa.update(t.jobs)
            .where(*_owned(claim), t.jobs.c.watched_since.is_(None))
            .values(watched_since=now)
        )


def intend(
    ledger: Ledger,
    claim: Claim,
    account: AccountId,
    *,
    brakes: Brakes,
    now: datetime,
    lease: timedelta,
) -> None:
    """Just before a write: may it still be made?  `lease` must outlast the call.

    Raises LeaseLost when the job is no longer ours, Stopped when an operator asked for a hold or a
    cancel or holds the whole source or target, Braked when the leaver must wait at the brake,
    AccountBusy while another job works on this account of this target.
    """
    with ledger.write() as tx:
        row = _lock_owned(tx, claim)
        if row["stop"]:
            raise Stopped(row["stop"])
        # Only now: that the job is locked first is what makes a standing hold exact (holds.py).
        standing = holds.against(tx, source=claim.source, target=claim.target, action=claim.action)
        if standing:
            raise Stopped(standing.side.reason)
        against = ""
        if row["intended_at"] is None:
            against = take(
                tx,
                claim.leaver,
                claim.round,
                source=claim.source,
                brakes=brakes,
                actor=claim.worker,
                now=now,
            )
        if not against:
            marks = {"intended_at": _first(t.jobs.c.intended_at, now), "wrote_at": now}
            _take_account(tx, claim, account, now=now, until=now + lease, **marks)
    # Only here, because the brake keeps that it was asked.
    if against:
        raise Braked(against)


def finish(
    ledger: Ledger,
    claim: Claim,
    outcome: Outcome,
    *,
    detail: str = "",
    now: datetime,
) -> None:
    """The job is done: what `outcome` says was read back from the target."""
    with ledger.write() as tx:
        finish_in(tx, claim, outcome, detail=detail, now=now)


def finish_in(
    tx: sa.Connection, claim: Claim, outcome: Outcome, *, detail: str = "", now: datetime
) -> None:
    """The same within a transaction."""
    _end(tx, claim, "done", State.DONE, result="done", detail=detail, now=now, outcome=outcome)
    if outcome is Outcome.WOULD_DEACTIVATE:
        sightings.begin(tx, claim.job, claim.round, now)
    _resume(tx, claim, now)


def again(
    ledger: Ledger,
    claim: Claim,
    due_at: datetime,
    *,
    reason: str,
    detail: str = "",
    counted: bool = True,
    now: datetime,
) -> None:
    """Not finished: another attempt is due at `due_at`."""
    to = State.SCHEDULED if reason == "cutoff_ahead" else State.RETRYING
    with ledger.write() as tx:
        _end(
            tx,
            claim,
            "again",
            to,
            result="again",
            reason=reason,
            detail=detail,
            counted=counted,
            now=now,
            due_at=due_at,
        )
        _resume(tx, claim, now)


def lock_out(
    ledger: Ledger,
    claim: Claim,
    until: datetime,
    *,
    reason: str,
    call: str,
    detail: str,
    now: datetime,
) -> None:
    """Pause the whole target until `until`; the job waits with it and no attempt is spent."""
    outage = {} if reason == "rate_limited" else {"outage_at": now}
    with ledger.write() as tx:
        _end(
            tx,
            claim,
            "again",
            State.RETRYING,
            result="paused",
            reason=reason,
            detail=detail,
            counted=False,
            now=now,
            due_at=until,
            **outage,
        )
        pauses.pause(
            tx,
            claim.target,
            reason=reason,
            call=call,
            detail=detail,
            until=until,
            now=now,
            probe=claim.job if claim.probe_call is not None else None,
        )


def give_back(ledger: Ledger, claim: Claim, *, reason: str, now: datetime) -> None:
    """The attempt broke off, as the worker stops or an operator asked for a hold or a cancel.

    The job is due at once for another worker, if the operator does not stop it; no attempt is
    spent.
    """
    with ledger.write() as tx:
        _end(
            tx,
            claim,
            "give_back",
            State.QUEUED,
            result="stopped",
            reason=reason,
            counted=False,
            now=now,
            due_at=now,
        )
        pauses.extend_probe(tx, claim.target, claim.job, now)


def hold(ledger: Ledger, claim: Claim, *, reason: str, detail: str = "", now: datetime) -> None:
    """A person must decide: the job waits, and never expires."""
    with ledger.write() as tx:
        _end(tx, claim, "hold", State.HELD, result="held", reason=reason, detail=detail, now=now)
        _resume(tx, claim, now)


def fail(ledger: Ledger, claim: Claim, *, reason: str, detail: str, now: datetime) -> None:
    """Given up; kept and shown, for a replay."""
    with ledger.write() as tx:
        _end(
            tx, claim, "fail", State.FAILED, result="failed", reason=reason, detail=detail, now=now
        )
        _resume(tx, claim, now)


# --- The sweep's moves ----------------------------------------------------------------------


def mature(ledger: Ledger, job: JobId, *, actor: str, now: datetime) -> bool:
    """A scheduled job whose cutoff has come is queued."""
    with ledger.write() as tx:
        due = (t.jobs.c.state == State.SCHEDULED, t.jobs.c.due_at <= now)
        moved = _move(tx, job, "mature", State.QUEUED, actor=actor, now=now, where=due, reason="")
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
            state, reason = _stopped(row.stop, row.intended_at)
        elif row.lost + 1 >= LOST_LIMIT:
            state, reason = State.HELD, "worker_lost"
        # The token is raised, so that the old worker can write nothing from here on.
        _certain_move(
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
        moved = _move(
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
        to, beside = _waits(row.cutoff, now)
        moved = _move(
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


# --- HR's moves: inside the transaction that records what HR said (people.py) -----------------


def open_job(
    tx: sa.Connection,
    leaver: LeaverId,
    *,
    source: str,
    target: str,
    action: Action = Action.DEACTIVATE,
    email: str,
    cutoff: datetime,
    actor: str,
    why: str,
    now: datetime,
) -> JobId:
    """Open the first round of a job: queued, or scheduled where its cutoff is ahead."""
    job = JobId(new_id())
    state, beside = _waits(cutoff, now)
    tx.execute(
        sa.insert(t.jobs).values(
            id=job,
            leaver_id=leaver,
            source=source,
            target=target,
            action=action,
            email=email,
            cutoff=cutoff,
            standing=Standing.LEAVING,
            state=state,
            received_at=now,
            **beside,
        )
    )
    _open_round(tx, job, 1, actor=actor, why=why, now=now)
    entry = {"at": now, "actor": actor, "action": "open", "job_id": job}
    tx.execute(sa.insert(t.audit).values(**entry, to_state=state, detail=why))
    return job


def steer(
    tx: sa.Connection,
    job: JobId,
    *,
    email: str,
    cutoff: datetime,
    standing: Standing,
    actor: str,
    why: str,
    now: datetime,
) -> None:
    """Bring a job in line with what HR says now.  What was done already is never undone here."""
    before = tx.execute(sa.select(t.jobs).where(t.jobs.c.id == job).with_for_update()).mappings()
    was = before.one()
    said = {"email": email, "cutoff": cutoff, "standing": standing}
    tx.execute(sa.update(t.jobs).where(t.jobs.c.id == job).values(**said))
    state = State(was["state"])
    move = {"actor": actor, "now": now, "where": (t.jobs.c.state == state,), "audit_detail": why}
    if standing is Standing.LEAVING:
        to, beside = _waits(cutoff, now)
        moved = cutoff != was["cutoff"] and State.SCHEDULED in (state, to)
        if state in HOLDABLE and moved:
            _certain_move(tx, job, "reschedule", to, **beside, **move)
        return
    stop = "rescind" if standing is Standing.RESCINDED else "rehire"
    if state is State.RUNNING:
        _ask(tx, job, stop, actor=actor, why=why, now=now)
    elif state in HOLDABLE or (state is State.HELD and stop == "rescind"):
        to, reason = _stopped(stop, was["intended_at"])
        _certain_move(tx, job, stop, to, reason=reason, detail=why, **move)
    elif was["reason"] == "rescinded" and stop == "rehire":
        # An event came in late, and shows that the rescind was about a later leaving.
        to, reason = STOPS[stop]
        reopened = {"round": t.jobs.c.round + 1, "finished_at": None}
        row = _certain_move(tx, job, stop, to, reason=reason, detail=why, **reopened, **move)
        _open_round(tx, job, row["round"], actor=actor, why=why, now=now)
    elif state is State.DONE and stop == "rescind":
        _rescinded_late(tx, dict(was), why, now)


# --- The operator's moves -------------------------------------------------------------------


def hold_by(ledger: Ledger, job: JobId, *, actor: str, why: str, now: datetime) -> str | None:
    """Hold a job.  Returns what happened ("held", "stopping"), or None where it cannot be held.

    One that is held TOGETHER with others stays, then, when they are let go.
    """
    return _stop_by(ledger, job, "hold", by_itself(), actor=actor, why=why, now=now)


def cancel_by(ledger: Ledger, job: JobId, *, actor: str, why: str, now: datetime) -> str | None:
    """Cancel a job.  Returns what happened ("cancelled", "stopping"), or None where it cannot."""
    allowed = t.jobs.c.state.in_(CANCELLABLE)
    return _stop_by(ledger, job, "cancel", allowed, actor=actor, why=why, now=now)


def release_by(ledger: Ledger, job: JobId, *, actor: str, why: str, now: datetime) -> bool:
    """Let a held job go on in its round; all rules are asked again.

    Its delays, and the time until it gives up, start anew.  False if it is not held, or is kept by
    a hold of its whole source or target.
    """
    with ledger.write() as tx:
        to, beside = _waits(_cutoff(tx, job), now)
        moved = _move(
            tx,
            job,
            "release",
            to,
            actor=actor,
            now=now,
            where=(t.jobs.c.state == State.HELD, ~holds.keeps()),
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
    _close_round(tx, job, now)
    to, beside = _waits(_cutoff(tx, job), now)
    row = _certain_move(
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
        finished_at=None,
        attempts=0,
        released_after=0,
        lost=0,
        intended_at=None,
        watched_since=None,
        outage_at=None,
        clock_started_at=None,
        **forget,
    )
    _open_round(tx, job, row["round"], actor=actor, why=why, now=now)
    if deactivates:
        back = sa.select(t.jobs.c.id).where(
            t.jobs.c.leaver_id == row["leaver_id"],
            t.jobs.c.target == row["target"],
            t.jobs.c.action == Action.REINSTATE,
        )
        for reinstatement in tx.scalars(back).all():
            stop_in(tx, reinstatement, "yield", by_itself(), actor=actor, why=why, now=now)
    return True


# --- How a move is made ---------------------------------------------------------------------


def _owned(claim: Claim) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        t.jobs.c.id == claim.job,
        t.jobs.c.token == claim.token,
        t.jobs.c.state == State.RUNNING,
    )


def _move(
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
    before = tx.scalar(sa.select(t.jobs.c.state).where(t.jobs.c.id == job).with_for_update())
    ended: dict[str, Any] = {"finished_at": now} if to in FINISHED else {}
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
    if row is None:
        return None
    tx.execute(
        sa.insert(t.audit).values(
            at=now,
            actor=actor,
            action=action,
            job_id=job,
            from_state=before,
            to_state=to,
            reason=row["reason"],
            detail=audit_detail or row["detail"],
        )
    )
    if to in FINISHED:
        _close_round(tx, job, now)
    _alarms(tx, row, to, now)
    return row


def _certain_move(
    tx: sa.Connection, job: JobId, action: str, to: State, **about: Any
) -> sa.RowMapping:
    """A move of a job that this transaction has locked and found fit for it."""
    row = _move(tx, job, action, to, **about)
    if row is None:
        raise RuntimeError(f"job {job} was changed while it was locked")
    return row


def _hold_with(
    tx: sa.Connection, job: JobId, standing: holds.Standing, *, actor: str, now: datetime
) -> None:
    """Have a job wait as its whole source or target does."""
    _certain_move(
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


def _let_go_by(tx: sa.Connection, row: sa.Row[Any]) -> str:
    """Who let the job go on, and why."""
    if side := holds.side_of(row.reason, source=row.source, target=row.target):
        return holds.released_by(tx, side)
    place = sa.and_(t.places.c.leaver_id == row.leaver_id, t.places.c.round == row.round)
    return tx.scalar(sa.select(t.places.c.released_by).where(place)) or ""


def _lock_owned(tx: sa.Connection, claim: Claim) -> sa.RowMapping:
    """Lock the claimed job, and say what an operator asked for meanwhile.  Raises LeaseLost."""
    owned = sa.select(t.jobs).where(*_owned(claim)).with_for_update()
    found = tx.execute(owned).mappings().one_or_none()
    if found is None:
        raise LeaseLost
    return found


def _take_account(
    tx: sa.Connection,
    claim: Claim,
    account: AccountId,
    *,
    now: datetime,
    until: datetime,
    **marks: Any,
) -> None:
    """The account is this job's until `until`, and the job gets its marks.  Raises AccountBusy."""
    tx.execute(sa.update(t.jobs).where(*_owned(claim)).values(lease_until=until, **marks))
    own = insert(tx, t.accounts).values(
        target=claim.target,
        account_id=account,
        job_id=claim.job,
        token=claim.token,
        lease_until=until,
    )
    taken = tx.execute(
        own.on_conflict_do_update(
            index_elements=["target", "account_id"],
            set_={"job_id": claim.job, "token": claim.token, "lease_until": until},
            where=sa.or_(t.accounts.c.job_id == claim.job, t.accounts.c.lease_until <= now),
        ).returning(t.accounts.c.job_id)
    ).one_or_none()
    if taken is None:
        raise AccountBusy


def _end(
    tx: sa.Connection,
    claim: Claim,
    action: str,
    to: State,
    *,
    result: str,
    reason: str = "",
    detail: str = "",
    counted: bool = True,
    now: datetime,
    **values: Any,
) -> None:
    """End the attempt, with the move that follows from it.  Raises LeaseLost, and writes nothing.

    An operator's hold or cancel comes before every end but a success.
    """
    asked = _lock_owned(tx, claim)
    actor, why, word, text = claim.worker, "", reason, detail
    if asked["stop"] and to is not State.DONE:
        action, actor, why = asked["stop"], asked["stop_actor"], asked["stop_reason"]
        to, word = _stopped(action, asked["intended_at"])
        text = why
    _certain_move(
        tx,
        claim.job,
        action,
        to,
        actor=actor,
        now=now,
        where=_owned(claim),
        audit_detail=why,
        reason=word,
        detail=text,
        attempts=t.jobs.c.attempts + int(counted),
        lost=0,
        **values,
    )
    if asked["stop"] == "rescind" and to is State.DONE:
        _rescinded_late(tx, dict(asked) | values, asked["stop_reason"], now)
    tx.execute(
        sa.update(t.attempts)
        .where(t.attempts.c.id == claim.attempt)
        .values(finished_at=now, result=result, reason=reason, detail=detail, counted=counted)
    )
    tx.execute(
        sa.delete(t.accounts).where(
            t.accounts.c.job_id == claim.job, t.accounts.c.token == claim.token
        )
    )


def _stop_by(
    ledger: Ledger,
    job: JobId,
    stop: str,
    allowed: sa.ColumnElement[bool],
    *,
    actor: str,
    why: str,
    now: datetime,
) -> str | None:
    with ledger.write() as tx:
        return stop_in(tx, job, stop, allowed, actor=actor, why=why, now=now)


def may_go() -> sa.ColumnElement[bool]:
    """That a row of jobs is held TOGETHER with others, and a person has let it go."""
    braked = sa.and_(t.jobs.c.reason == "brake", has_passed())
    released = sa.and_(t.jobs.c.reason.in_(holds.SIDE_OF), ~holds.keeps())
    return sa.and_(t.jobs.c.state == State.HELD, sa.or_(braked, released))


def by_itself() -> sa.ColumnElement[bool]:
    """That a row of jobs waits, and goes on without a word about this job alone."""
    together = sa.and_(t.jobs.c.state == State.HELD, t.jobs.c.reason.in_(TOGETHER))
    return sa.or_(t.jobs.c.state.in_(HOLDABLE), together)


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
    moved = _move(
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
    return "stopping" if _ask(tx, job, stop, actor=actor, why=why, now=now) else None


def _ask(tx: sa.Connection, job: JobId, stop: str, *, actor: str, why: str, now: datetime) -> bool:
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


def _stopped(stop: str, intended_at: datetime | None) -> tuple[State, str]:
    """Where a job that is stopped without success goes, and why."""
    if stop == "rescind" and intended_at is not None:
        # The account may be off: cancelled would read as if nothing had happened.
        return State.HELD, "rescinded_late"
    return STOPS[stop]


def _rescinded_late(tx: sa.Connection, row: Mapping[str, Any], why: str, now: datetime) -> None:
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


def _running(tx: sa.Connection, target: str) -> int:
    count = sa.select(sa.func.count()).where(
        t.jobs.c.target == target, t.jobs.c.state == State.RUNNING
    )
    return tx.scalar(count) or 0


def _first(column: sa.Column[Any], now: datetime) -> sa.ColumnElement[Any]:
    """What `column` has already, else `now`."""
    return sa.func.coalesce(column, sa.literal(now, column.type))


def _sleep_on(tx: sa.Connection, job: JobId) -> None:
    """The wake-up is used up: the sweep may send the next one as soon as there is room."""
    tx.execute(sa.update(t.jobs).where(t.jobs.c.id == job).values(woken_until=None))


def _resume(tx: sa.Connection, claim: Claim, now: datetime) -> None:
    """Open a paused target again where this attempt, its probe, got an answer it can use."""
    if claim.probe_call is None:
        return
    # HR's answers (workers/hr/) say nothing of another target, and no other ones of HR.
    of_hr = t.calls.c.name.like("hr.%")
    answered = sa.exists().where(
        t.calls.c.attempt_id == claim.attempt,
        t.calls.c.error == "",
        of_hr if claim.action is Action.LOOKUP else ~of_hr,
    )
    if tx.scalar(sa.select(answered)):
        pauses.resume(tx, claim.target, claim.job, now)
    else:
        pauses.extend_probe(tx, claim.target, claim.job, now)


def _open_round(
    tx: sa.Connection, job: JobId, number: int, *, actor: str, why: str, now: datetime
) -> None:
    opened = {"job_id": job, "round": number, "opened_at": now, "actor": actor, "why": why}
    tx.execute(sa.insert(t.rounds).values(opened))


def _close_round(tx: sa.Connection, job: JobId, now: datetime) -> None:
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


def _cutoff(tx: sa.Connection, job: JobId) -> datetime | None:
    cutoff: datetime | None = tx.scalar(sa.select(t.jobs.c.cutoff).where(t.jobs.c.id == job))
    return cutoff


def _waits(cutoff: datetime | None, now: datetime) -> tuple[State, dict[str, Any]]:
    """How a job waits for its next attempt, and what stands beside that: until the cutoff, or not
    at all."""
    if cutoff is not None and cutoff > now:
        return State.SCHEDULED, {"reason": "cutoff_ahead", "due_at": cutoff}
    return State.QUEUED, {"reason": "", "due_at": now}
