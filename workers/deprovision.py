"""The procedure: what one attempt of a job does, from the e-mail address to the proof.

    learn          what the policy asks for (workers/policy.py), one thing after the other:
        find       who has this e-mail address?
        read       its state by id, because a search may be behind
        pre-flight how can it be switched off?
    carry out      what the policy decides, and only where no rule objects:
        intend, write  the leave of the ledger, just before each write (inside the journal)
        verify         read back by id until the target says that it is off
        clean up       what may outlive the account

The target's word counts, never our memory: a retry starts again from the search, and writes only to
an account that is still on.  An answer that is no answer is an exception, never "no such account".
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from config.settings import Policy, Retry, Verify
from workers import decisions, retry
from workers.decisions import Facts
from workers.errors import Refused, Stopped, Unavailable
from workers.leavers import Outcome
from workers.ledger.brakes import Brakes
from workers.ledger.moves import Claim
from workers.policy import decide, must_be_approved
from workers.targets.base import OUTCOME_OF, Access, Account, Journal, Target, Way


@dataclass(frozen=True, slots=True)
class Done:
    """The job is done."""

    outcome: Outcome
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Held:
    """A person must decide."""

    reason: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Postponed:
    """Not finished; `retry` or the cutoff says when it is due again."""

    due_at: datetime
    reason: str
    counted: bool


@dataclass(frozen=True, slots=True)
class NotVerified:
    """The write was made, and the account still reads as active."""

    detail: str


Result = Done | Held | Postponed | NotVerified


class Clock(Protocol):
    """Time, and waiting for it."""

    def now(self) -> datetime:
        """The instant, aware, in UTC."""

    def wait(self, delay: timedelta) -> None:
        """Wait that long.  Raises WorkerStopping when the worker shuts down meanwhile."""


class Notes(Journal, Protocol):
    """The journal, with what the procedure itself writes into the job."""

    wrote: bool  # a write was intended in this round, now or in an earlier attempt

    def pin(self, account: Account) -> None:
        """Fix the account of the job, and take it for this attempt.  Raises AccountBusy."""

    def keep(self, account: Account) -> None:
        """Keep the account's state from before anything was written, for a reinstatement."""

    def watch(self) -> None:
        """Note since when an identity provider is watched."""


@dataclass(frozen=True, slots=True)
class Order:
    """What the configuration says about this job's target, beside the job itself."""

    policy: Policy
    brakes: Brakes
    retry: Retry
    verify: Verify
    shadow: str  # the setting that says so; "" to act
    operators: tuple[str, ...]  # the accounts behind our credentials, of all targets
    idp_grace: timedelta


def attempt(claim: Claim, target: Target, journal: Notes, order: Order, clock: Clock) -> Result:
    """One attempt.  Raises the errors of workers/errors.py for what it cannot decide."""
    *_, facts = learn(known(claim, order, clock.now()), target, journal)
    return carry_out(facts, claim, target, journal, order, clock)


def known(claim: Claim, order: Order, now: datetime) -> Facts:
    """What is known of a job before its target is asked anything."""
    pinned = None
    if claim.account_id is not None:
        way = Way((claim.snapshot or {}).get("way", Way.UNCLEAR))
        pinned = Account(id=claim.account_id, email=None, access=Access.UNKNOWN, way=way)
    return Facts(
        email=claim.email,
        employee_id=claim.employee_id,
        cutoff=claim.cutoff,
        standing=claim.standing,
        forced=claim.forced,
        to_approve=must_be_approved(order.policy, claim),
        approved=claim.approved,
        pinned=pinned,
        policy=order.policy,
        operators=order.operators,
        shadow=order.shadow,
        now=now,
    )


def learn(facts: Facts, target: Target, journal: Notes) -> Iterator[Facts]:
    """Ask the target for what the policy must know, one thing after the other.

    Yields what is known at first, and again after each answer; the last is enough to decide.
    """
    while True:
        yield facts
        match decide(facts):
            case decisions.Find():
                facts = replace(facts, found=target.find(journal, facts.email))
            case decisions.Read(account):
                journal.pin(account)
                facts = replace(facts, read=target.read(journal, account))
            case decisions.Groups(account):
                facts = replace(facts, groups=target.groups(journal, account))
            case decisions.Preflight(account):
                facts = replace(facts, ready=target.preflight(journal, account))
                journal.keep(facts.account)
            case _:
                return


def carry_out(
    facts: Facts, claim: Claim, target: Target, journal: Notes, order: Order, clock: Clock
) -> Result:
    """Do what the policy decides, now that all it asks for is known."""
    match decide(facts):
        case decisions.Act(account):
            return _switch_off(target, journal, account, order, clock)
        case decisions.WouldAct(account):
            detail = f"account {account.id}, by {account.way}; {order.shadow} is shadow"
            return Done(Outcome.WOULD_DEACTIVATE, detail)
        case decisions.OffAlready(account):
            return _off_already(target, journal, account, order)
        case decisions.Nobody():
            target.prove_credential(journal)
            return Done(Outcome.NO_ACCOUNT)
        case decisions.Watch():
            return _watched(claim, journal, order, clock.now())
        case decisions.Wait(until, reason):
            return Postponed(until, reason, counted=False)
        case decisions.Hold(reason, detail):
            return Held(reason, detail)
        case decisions.Stop(stop):
            raise Stopped(stop)
        case missing:
            raise RuntimeError(f"decided before everything was known: {missing}")


def _switch_off(
    target: Target, journal: Notes, account: Account, order: Order, clock: Clock
) -> Result:
    unknown: Unavailable | Refused | None = None
    wrote_before = journal.wrote
    try:
        target.switch_off(journal, account)
    except Unavailable as error:
        # The write may have happened: only reading tells, and it is asked now rather than later.
        unknown = error
    except Refused as error:
        if not wrote_before:
            raise
        # An earlier write of this round may be what makes this one impossible.
        unknown = error
    if _reads_off(target, journal, account, order.verify.timeout, clock):
        return _proven(target, journal, account, order)
    if unknown is not None:
        raise unknown
    return NotVerified(f"still active {order.verify.timeout.total_seconds():.0f} s after the write")


def _reads_off(
    target: Target, journal: Journal, account: Account, timeout: timedelta, clock: Clock
) -> bool:
    """Read the account back by id, with short growing pauses, until it is off or time is over."""
    deadline = clock.now() + timeout
    delay = timedelta(milliseconds=200)
    while True:
        read = target.read(journal, account)
        if read is not None and read.access is Access.OFF:
            return True
        if clock.now() + delay > deadline:
            return False
        clock.wait(delay)
        # Far below the lease, which every recorded call renews.
        delay = min(delay * 2, timedelta(seconds=5))


def _proven(target: Target, journal: Notes, account: Account, order: Order) -> Done:
    """Done, and cleaned up where that is still allowed: nothing takes the proof back."""
    outcome = OUTCOME_OF[account.way]
    if order.shadow:
        return Done(outcome, f"not cleaned up: {order.shadow} is shadow by now")
    try:
        return Done(outcome, target.clean_up(journal, account))
    except Stopped:
        return Done(outcome, "not cleaned up: an operator asked to stop")


def _off_already(target: Target, journal: Notes, account: Account, order: Order) -> Done:
    if journal.wrote and account.way in OUTCOME_OF:
        # An earlier attempt of this round wrote and did not live to see it.
        return _proven(target, journal, account, order)
    return Done(Outcome.ALREADY_INACTIVE)


def _watched(claim: Claim, journal: Notes, order: Order, now: datetime) -> Result:
    """Only the identity provider may switch it off: look again until it has, or too long."""
    journal.watch()
    since = claim.watched_since or now
    look = retry.next_look(since=since, grace=order.idp_grace, now=now, spread=random.random())  # noqa: S311 - spreads load, guards nothing
    if look is None:
        return Held("idp_managed", f"not deactivated within {order.idp_grace}")
    return Postponed(look.due_at, look.reason, counted=False)
