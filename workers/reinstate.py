"""Giving back: what one attempt of a reinstatement does, from the account's id to the proof.

    objection      does the ledger say anything against it?
    pin            no other job works on the account until the attempt ends
    read           by the id that was switched off: its address may be somebody else's by now
    pre-flight     may it be switched on, and by us?
    intend, write  what the snapshot shows, and nothing else; the leave just before each write
    verify         read back by id until the target says that all of it is there

The target's word counts, never our memory, as in deprovision.py.  Neither brake nor protected
accounts stand in the way: both save people from losing their access.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from workers.deprovision import Clock, Done, Held, Notes, NotVerified, Order, Result
from workers.errors import Refused, Unavailable
from workers.leavers import Outcome
from workers.ledger.moves import Claim
from workers.ledger.reinstatements import Taken
from workers.policy import must_be_approved, same_address, unapproved
from workers.targets.base import Access, Account, Journal, Target, Way

#: What a snapshot lists of that which is given back one by one, and what a pre-flight shows of it.
PIECES = ("directories", "groups")

Snapshot = Mapping[str, Any]


def objection(taken: Taken) -> Held | None:
    """What the ledger says against it."""
    if taken.at_work is not None:
        return Held("deactivation_open", f"job {taken.at_work}")
    if taken.snapshot is None:
        return Held("nothing_to_give_back")
    return None


def attempt(
    claim: Claim, snapshot: Snapshot, target: Target, journal: Notes, order: Order, clock: Clock
) -> Result:
    """One attempt.  Raises the errors of workers/errors.py for what it cannot decide."""
    if claim.account_id is None:
        raise RuntimeError(f"job {claim.job} has no account to give anything back to")
    way = Way(snapshot["way"])
    kept = {name: value for name, value in snapshot.items() if name not in PIECES}
    known = Account(claim.account_id, claim.email, Access.UNKNOWN, way=way, snapshot=kept)
    journal.pin(known)
    account = target.read(journal, known)
    if account is None:
        return Held("account_gone", f"{known.id} cannot be read any more")
    if _renamed(account, claim):
        return Held("email_mismatch", "the account has another address by now")
    if account.access is Access.UNKNOWN:
        return Held("unclear_account", f"access {account.access}")
    if account.access is Access.ACTIVE:
        left = _missing(target, journal, replace(account, way=way), snapshot)
        if not journal.wrote:
            detail = f"not given back, as somebody else was faster: {left}" if left else ""
            return Done(Outcome.ALREADY_ACTIVE, detail)
        if not left:
            # An earlier attempt of this round wrote and did not live to see it.
            return Done(Outcome.REINSTATED)
    if account.way is not Way.IDP:
        account = replace(account, way=way)
    account = target.preflight(journal, account)
    if _renamed(account, claim):
        return Held("email_mismatch", "the account has another address by now")
    if account.way is Way.IDP:
        return Held("idp_enables")
    if order.shadow:
        detail = f"account {account.id}, by {way}; {order.shadow} is shadow"
        return Done(Outcome.WOULD_REINSTATE, detail)
    if must_be_approved(order.policy, claim) and not claim.approved:
        missing = unapproved(order.policy)
        return Held(missing.reason, missing.detail)
    return _switch_on(target, journal, replace(account, way=way), snapshot, order, clock)


def _renamed(account: Account, claim: Claim) -> bool:
    """Whether the account shows another address than the one it was switched off under."""
    return account.email is not None and not same_address(account.email, claim.email)


def _switch_on(
    target: Target,
    journal: Notes,
    account: Account,
    snapshot: Snapshot,
    order: Order,
    clock: Clock,
) -> Result:
    unknown: Unavailable | Refused | None = None
    wrote_before = journal.wrote
    try:
        target.switch_on(journal, account, snapshot)
    except Unavailable as error:
        # The write may have happened: only reading tells, and it is asked now rather than later.
        unknown = error
    except Refused as error:
        if error.reason == "idp_managed":
            return Held("idp_enables", str(error))
        if not wrote_before:
            raise
        # An earlier write of this round may be what makes this one impossible.
        unknown = error
    if _reads_on(target, journal, account, snapshot, order.verify.timeout, clock):
        return Done(Outcome.REINSTATED)
    if unknown is not None:
        raise unknown
    return NotVerified(f"not all back {order.verify.timeout.total_seconds():.0f} s after the write")


def _reads_on(
    target: Target,
    journal: Journal,
    account: Account,
    snapshot: Snapshot,
    timeout: timedelta,
    clock: Clock,
) -> bool:
    """Read the account back by id, with short growing pauses, until all of it is there."""
    deadline = clock.now() + timeout
    delay = timedelta(milliseconds=200)
    while True:
        read = target.read(journal, account)
        on = read is not None and read.access is Access.ACTIVE
        if on and not _missing(target, journal, account, snapshot):
            return True
        if clock.now() + delay > deadline:
            return False
        clock.wait(delay)
        # Far below the lease, which every recorded call renews.
        delay = min(delay * 2, timedelta(seconds=5))


def _missing(target: Target, journal: Journal, account: Account, snapshot: Snapshot) -> str:
    """What the snapshot lists and the account does not have, "" for nothing."""
    listed = {each for name in PIECES for each in snapshot.get(name) or ()}
    if not listed:
        return ""
    now = target.preflight(journal, account).snapshot
    return ", ".join(sorted(listed - {each for name in PIECES for each in now.get(name) or ()}))
