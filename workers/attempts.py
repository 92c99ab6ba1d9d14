"""One attempt, from the claim to the move that ends it: around deprovision.py and reinstate.py.

Whatever happens in between, the job ends this function in a state that somebody will look at again,
or its lease runs out and the sweep takes it back.
"""

import random
import time

import structlog

from workers import reinstate, retry
from workers.deprovision import Done, Held, NotVerified, Postponed, Result, attempt
from workers.errors import (
    AccountBusy,
    Braked,
    LeaseLost,
    LockedOut,
    Refused,
    Stopped,
    TargetError,
    Unavailable,
    WorkerStopping,
)
from workers.hr import confirm
from workers.journal import LEASE, LedgerJournal
from workers.leavers import Action, JobId
from workers.ledger import LedgerUnavailable, due, lookups, moves, reinstatements
from workers.ledger.moves import Claim
from workers.policy import must_be_approved
from workers.runtime import Runtime

log = structlog.get_logger(__name__)

#: After so many counted attempts an unexpected error inside Leaver is a person's business.
INTERNAL_ERROR_LIMIT = 5

#: After so many failed probes of a target, which takes about an hour, a job that is alone asks
#: whether the target works otherwise.
LONE_PROBES = 16


def run(runtime: Runtime, job: JobId) -> None:
    """Make one attempt of `job`, if it is to be had now and the worker is not about to stop."""
    if runtime.stopping.is_set():
        return
    try:
        claim = moves.claim(
            runtime.ledger,
            job,
            worker=runtime.name,
            now=runtime.clock.now(),
            lease=LEASE,
            sources=runtime.sources(),
            concurrency=runtime.concurrency(),
        )
        if claim is not None:
            with structlog.contextvars.bound_contextvars(request_id=claim.request_id):
                _run(runtime, claim)
            # There is room now.  After a refused claim there is none, and to look at once would
            # wake the same job again, in a circle.
            runtime.nudged.set()
    except LedgerUnavailable as error:
        # Nothing can be written down now.  What was claimed is taken back when its lease runs out.
        log.error("ledger unavailable", job_id=job, error=str(error))


def _run(runtime: Runtime, claim: Claim) -> None:
    began = time.monotonic()
    journal = LedgerJournal(runtime.ledger, claim, runtime.clock.now)
    try:
        result = _end(runtime, claim, journal)
    except LeaseLost:
        result = "lease_lost"
    log.info(
        "attempt",
        job_id=claim.job,
        source=claim.source,
        target=claim.target,
        round=claim.round,
        attempt=claim.attempts + 1,
        result=result,
        calls=journal.calls,
        duration_ms=round((time.monotonic() - began) * 1000),
    )


def _end(runtime: Runtime, claim: Claim, journal: LedgerJournal) -> str:
    """Make the attempt and the move that ends it; returns a word for the log."""
    ledger, clock = runtime.ledger, runtime.clock
    try:
        if claim.action is Action.LOOKUP:
            return _looked_up(runtime, claim, journal)
        if claim.action is Action.REINSTATE:
            return _given_back(runtime, claim, journal)
        hr = runtime.hr.get(claim.source)
        against = confirm.objection(ledger, hr, claim, journal, clock.now())
        if against is not None:
            return _objected(runtime, claim, against)
        order = runtime.order(claim.source, claim.target)
        target = runtime.targets[claim.target]
        journal.go_by(order.brakes, to_approve=must_be_approved(order.policy, claim))
        with target.session(journal) as ready:
            result = attempt(claim, ready, journal, order, clock)
        return _settle(runtime, claim, result)
    except Refused as error:
        moves.hold(ledger, claim, reason=error.reason, detail=str(error), now=clock.now())
        return error.reason
    except (LockedOut, Unavailable) as error:
        return _locked_out(runtime, claim, journal, error)
    except Braked as against:
        moves.hold(ledger, claim, reason="brake", detail=str(against), now=clock.now())
        return "brake"
    except AccountBusy:
        due_at = clock.now() + retry.BUSY_DELAY
        moves.again(ledger, claim, due_at, reason="account_busy", counted=False, now=clock.now())
        return "account_busy"
    except Stopped as asked:
        moves.give_back(ledger, claim, reason=moves.STOPS[asked.stop][1], now=clock.now())
        return "stopped"
    except WorkerStopping:
        moves.give_back(ledger, claim, reason="worker_stopped", now=clock.now())
        return "worker_stopped"
    except (LeaseLost, LedgerUnavailable):
        raise
    except Exception as error:  # the one broad net: record it, so that no job vanishes
        log.exception("attempt broke", job_id=claim.job, target=claim.target)
        return _broke(runtime, claim, error)


def _looked_up(runtime: Runtime, claim: Claim, journal: LedgerJournal) -> str:
    """Ask HR about the employee; what it says is heard as if it had come in."""
    ledger, source = runtime.ledger, claim.source
    last_email = lookups.last_email(ledger, source, claim.employee_id)
    asked_at = runtime.clock.now()
    said = runtime.hr[source].employee(
        journal, claim.employee_id, last_email=last_email, now=asked_at
    )
    outcome = lookups.finish(
        ledger,
        claim,
        said,
        asked_at=asked_at,
        targets=runtime.settings.targets_of(source),
        now=runtime.clock.now(),
    )
    return str(outcome)


def _given_back(runtime: Runtime, claim: Claim, journal: LedgerJournal) -> str:
    """Give back what a deactivation has taken, if ledger and HR have nothing against it."""
    ledger, clock = runtime.ledger, runtime.clock
    taken = reinstatements.taken(ledger, claim, clock.now())
    hr = runtime.hr.get(claim.source)
    against = reinstate.objection(taken) or confirm.objection_to_reinstating(
        ledger, hr, claim, journal, out=taken.out, now=clock.now()
    )
    if against is not None:
        return _settle(runtime, claim, against)
    order = runtime.order(claim.source, claim.target)
    # Nobody needs to be saved from too many accounts that are switched on.
    journal.go_by({}, to_approve=must_be_approved(order.policy, claim))
    with runtime.targets[claim.target].session(journal) as ready:
        result = reinstate.attempt(claim, taken.snapshot or {}, ready, journal, order, clock)
    return _settle(runtime, claim, result)


def _objected(runtime: Runtime, claim: Claim, against: confirm.Objection) -> str:
    """End an attempt against which HR has something to say."""
    if not isinstance(against, confirm.Later):
        return _settle(runtime, claim, against)
    due_at = against.said.cutoff.at
    word = _settle(runtime, claim, Postponed(due_at, "cutoff_ahead", counted=False))
    # Only now: what HR says steers the jobs that wait, and a running one it would leave alone.
    lookups.postpone(runtime.ledger, claim, against.said, runtime.clock.now())
    return word


def _settle(runtime: Runtime, claim: Claim, result: Result) -> str:
    ledger, now = runtime.ledger, runtime.clock.now()
    match result:
        case Done(outcome, detail):
            gives_back = claim.action is Action.REINSTATE
            finish = reinstatements.finish if gives_back else moves.finish
            finish(ledger, claim, outcome, detail=detail, now=now)
            return str(outcome)
        case Held(reason, detail):
            moves.hold(ledger, claim, reason=reason, detail=detail, now=now)
            return reason
        case Postponed(due_at, reason, counted):
            moves.again(ledger, claim, due_at, reason=reason, counted=counted, now=now)
            return reason
        case NotVerified(detail):
            return _again(runtime, claim, "not_verified", detail)


def _locked_out(
    runtime: Runtime, claim: Claim, journal: LedgerJournal, error: LockedOut | Unavailable
) -> str:
    own_trouble = retry.is_own_trouble(
        error,
        outage_at=claim.outage_at,
        resumed_at=claim.resumed_at,
        probing=claim.probe_call is not None,
    )
    if own_trouble or _fails_alone(runtime, claim, journal, error):
        return _again(runtime, claim, "unavailable", str(error))
    now = runtime.clock.now()
    pause = retry.after_lock_out(error, pauses=claim.pauses, now=now, spread=_spread())
    moves.lock_out(
        runtime.ledger,
        claim,
        pause.until,
        reason=pause.reason,
        call=error.call,
        detail=str(error),
        now=now,
    )
    return pause.reason


def _fails_alone(
    runtime: Runtime, claim: Claim, journal: LedgerJournal, error: LockedOut | Unavailable
) -> bool:
    """Whether a target that only this job probes, and for long, works but for this job.

    Where others wait they probe in turn, and the first that succeeds shows it.  A job without
    others would be retried for ever, as no time in a pause counts towards giving up.
    """
    if isinstance(error, LockedOut) or claim.pauses < LONE_PROBES:
        return False
    if due.others_wait(runtime.ledger, claim.target, claim.job, runtime.clock.now()):
        return False
    try:
        if claim.action is Action.LOOKUP:
            runtime.hr[claim.source].prove_credential(journal)
            return True
        with runtime.targets[claim.target].session(journal) as ready:
            ready.prove_credential(journal)
    except (TargetError, WorkerStopping):
        return False
    return True


def _again(runtime: Runtime, claim: Claim, reason: str, detail: str) -> str:
    now = runtime.clock.now()
    following = retry.next_attempt(
        runtime.settings.retry,
        reason=reason,
        tries=claim.tries,
        working_seconds=claim.working_seconds,
        now=now,
        spread=_spread(),
    )
    if isinstance(following, retry.GiveUp):
        detail = f"last: {reason}: {detail}"
        moves.fail(runtime.ledger, claim, reason="gave_up", detail=detail, now=now)
        return "gave_up"
    moves.again(runtime.ledger, claim, following.due_at, reason=reason, detail=detail, now=now)
    return reason


def _broke(runtime: Runtime, claim: Claim, error: Exception) -> str:
    detail = type(error).__name__
    if claim.tries + 1 >= INTERNAL_ERROR_LIMIT:
        now = runtime.clock.now()
        moves.hold(runtime.ledger, claim, reason="internal_error", detail=detail, now=now)
        return "internal_error"
    return _again(runtime, claim, "internal_error", detail)


def _spread() -> float:
    return random.random()  # noqa: S311 - it spreads load and guards nothing
