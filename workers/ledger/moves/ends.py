"""How an attempt ends: done, once more, held, failed or given back."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from workers.leavers import Action, Outcome, State
from workers.ledger import pauses, sightings
from workers.ledger import tables as t
from workers.ledger.moves.claims import Claim, lock_owned, owned
from workers.ledger.moves.move import certain_move
from workers.ledger.moves.stops import note_rescinded_late, stopped
from workers.ledger.store import Ledger


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
    asked = lock_owned(tx, claim)
    actor, why, word, text = claim.worker, "", reason, detail
    if asked["stop"] and to is not State.DONE:
        action, actor, why = asked["stop"], asked["stop_actor"], asked["stop_reason"]
        to, word = stopped(action, asked["intended_at"])
        text = why
    certain_move(
        tx,
        claim.job,
        action,
        to,
        actor=actor,
        now=now,
        where=owned(claim),
        audit_detail=why,
        reason=word,
        detail=text,
        attempts=t.jobs.c.attempts + int(counted),
        lost=0,
        **values,
    )
    if asked["stop"] == "rescind" and to is State.DONE:
        note_rescinded_late(tx, dict(asked) | values, asked["stop_reason"], now)
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
