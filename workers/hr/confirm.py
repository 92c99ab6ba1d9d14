"""Asking HR once more, just before a job acts: is the person still terminated?  Or back?

    not terminated now              held: hr_disagrees
    a date that is ahead now        the cutoff moves, for all open jobs of the person
    another e-mail address          held: hr_other_email; which account is theirs, a person decides
    no e-mail address any more      the one that HR said before
    unknown, hidden, unclear        held, with the reason that HrSystem gives (base.py)
    trouble                         the job waits, HR is paused as a target is; no attempt is spent

A reinstatement wants the opposite: that the person works here, or leaves later; anything else is
held as not_rehired.

Nothing is asked where the source has no `api`, of leavers whom an operator entered, in a round that
an operator forced, and before the cutoff.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from workers import retry
from workers.deprovision import Held, Postponed
from workers.errors import LockedOut, Refused, Unavailable
from workers.hr.base import HrSystem
from workers.journal import LEASE
from workers.leavers import Action, Leaver, LeaverKind, Standing
from workers.ledger import Ledger, asking
from workers.ledger.moves import Claim
from workers.policy import same_address
from workers.targets.base import Journal

#: How long a job waits at least where HR cannot be asked.
SHORTEST_WAIT = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Later:
    """HR has another date by now, which is ahead."""

    said: Leaver


Objection = Held | Postponed | Later

#: What HR says of the employee now, or why that cannot be known.
Said = Leaver | Held | Postponed | None

#: One of ask_in_turn and ask_only.
Ask = Callable[[Ledger, HrSystem, Claim, Journal, datetime], Said]


def objection(
    ledger: Ledger,
    hr: HrSystem | None,
    claim: Claim,
    journal: Journal,
    now: datetime,
    *,
    ask: Ask | None = None,
) -> Objection | None:
    """What stands against the job by HR's own word; None: nothing, or nobody to ask."""
    if hr is None or not concerns(claim, now):
        return None
    said = (ask or ask_in_turn)(ledger, hr, claim, journal, now)
    if isinstance(said, Held | Postponed):
        return said
    return judged(said, email=claim.email, now=now)


def objection_to_reinstating(
    ledger: Ledger,
    hr: HrSystem | None,
    claim: Claim,
    journal: Journal,
    *,
    out: bool,
    now: datetime,
    ask: Ask | None = None,
) -> Held | Postponed | None:
    """What HR says against giving the access back; `out`: by what it has sent, it must be gone."""
    if not concerns(claim, now):
        return None
    if hr is None:
        return Held("not_rehired", "nothing of that has come from HR") if out else None
    said = (ask or ask_in_turn)(ledger, hr, claim, journal, now)
    if isinstance(said, Held | Postponed):
        return said
    if said is None or (said.kind is LeaverKind.TERMINATED and said.cutoff.at <= now):
        return Held("not_rehired", f"HR says: {said.kind}" if said else "")
    return None


def concerns(claim: Claim, now: datetime) -> bool:
    """Whether HR is asked about such a job now, if it can be asked at all."""
    if claim.action is Action.REINSTATE:
        return not claim.forced
    return not claim.forced and claim.standing is Standing.LEAVING and claim.cutoff <= now


def ask_in_turn(
    ledger: Ledger, hr: HrSystem, claim: Claim, journal: Journal, now: datetime
) -> Said:
    """Ask HR in an attempt; it is paused, or no longer, for all jobs, as its answer shows."""
    leave = asking.take(ledger, claim, until=now + LEASE, now=now)
    if leave.wait is not None:
        return _closed(leave.wait, now)
    try:
        said = _employee(hr, claim, journal, now)
    except (LockedOut, Unavailable) as error:
        pause = _pause(error, leave.pauses, now)
        asking.refused(
            ledger,
            claim,
            leave,
            reason=pause.reason,
            call=error.call,
            detail=str(error),
            until=pause.until,
            now=now,
        )
        return _closed(pause.until, now)
    asking.answered(ledger, claim, leave, now)
    return said


def ask_only(ledger: Ledger, hr: HrSystem, claim: Claim, journal: Journal, now: datetime) -> Said:
    """Ask HR, and write nothing down; while it is paused it is left alone."""
    if until := asking.paused_until(ledger, claim.source):
        return _closed(until, now)
    try:
        return _employee(hr, claim, journal, now)
    except (LockedOut, Unavailable) as error:
        return _closed(_pause(error, 0, now).until, now)


def _employee(hr: HrSystem, claim: Claim, journal: Journal, now: datetime) -> Said:
    try:
        return hr.employee(journal, claim.employee_id, last_email=claim.email, now=now)
    except Refused as error:
        return Held(error.reason, str(error))


def _pause(error: LockedOut | Unavailable, pauses: int, now: datetime) -> retry.Pause:
    spread = random.random()  # noqa: S311 - spreads load, guards nothing
    return retry.after_lock_out(error, pauses=pauses, now=now, spread=spread)


def _closed(until: datetime, now: datetime) -> Postponed:
    return Postponed(max(until, now + SHORTEST_WAIT), "hr_unavailable", counted=False)


def judged(said: Leaver | None, *, email: str, now: datetime) -> Held | Later | None:
    """What HR's answer says against a job for the account of `email`."""
    if said is None or said.kind is not LeaverKind.TERMINATED:
        return Held("hr_disagrees", "HR says that they work here" if said else "")
    if not same_address(said.email, email):
        return Held("hr_other_email")
    return Later(said) if said.cutoff.at > now else None
