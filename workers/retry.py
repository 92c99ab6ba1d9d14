"""Pure decisions: after this error on this attempt, what next, and when?

    Pause   the target is paused for every job; no attempt is spent
    Again   this job alone is tried again
    GiveUp  retry.give_up_after is over

Delays double and are spread by a fifth, so that a queue of leavers does not knock again in step.
`spread` is a random number from 0 to 1, passed in.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from config.settings import Retry
from workers.errors import LockedOut, Unavailable

#: First and longest pause of a target, by reason; they double while its probes fail.
PAUSES = {
    "rate_limited": (timedelta(seconds=5), timedelta(minutes=5)),
    "outage": (timedelta(seconds=5), timedelta(minutes=5)),
    "credential_refused": (timedelta(seconds=30), timedelta(minutes=10)),
    "login_denied": (timedelta(minutes=1), timedelta(minutes=10)),
    "misconfigured": (timedelta(seconds=30), timedelta(minutes=10)),
}

#: Whoever asks for less would be asked in a circle, one probe after the other.
SHORTEST_PAUSE = timedelta(seconds=1)

#: How often an account is looked at while its identity provider is waited for.
IDP_LOOKS = (timedelta(minutes=1), timedelta(minutes=10))

#: First and longest wait of a message that did not arrive, and for how long it is tried.
MESSAGE_DELAYS = (timedelta(seconds=15), timedelta(minutes=30))
MESSAGE_GIVEN_UP_AFTER = timedelta(days=1)

#: How long to leave a job alone whose account another job is working on.
BUSY_DELAY = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Pause:
    """Pause the target until then."""

    until: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Again:
    """Try this job again then."""

    due_at: datetime
    reason: str
    counted: bool = True


@dataclass(frozen=True, slots=True)
class GiveUp:
    """It has been tried for too long; `reason` is that of the last attempt."""

    reason: str


def doubled(first: timedelta, longest: timedelta, times: int, spread: float) -> timedelta:
    """`first`, doubled `times` times, at most `longest`; then spread by ±20 %."""
    # Divided rather than multiplied: a timedelta would soon overflow.
    doubles = times < 40 and first <= longest / 2**times
    delay = first * 2**times if doubles else longest
    return delay * (0.8 + 0.4 * spread)


def after_lock_out(
    error: LockedOut | Unavailable, *, pauses: int, now: datetime, spread: float
) -> Pause:
    """How long every job of the target waits; `pauses` of it failed in a row before.

    A target that asks for longer (Retry-After) gets what it asked for.
    """
    reason = error.reason if isinstance(error, LockedOut) else "outage"
    delay = doubled(*PAUSES[reason], pauses, spread)
    if error.retry_after is not None:
        # Never earlier than asked, and not all jobs of all workers in the same instant.
        asked = max(error.retry_after, SHORTEST_PAUSE) * (1 + 0.05 * spread)
        delay = asked if reason == "rate_limited" else max(delay, asked)
    return Pause(now + delay, reason)


def is_own_trouble(
    error: LockedOut | Unavailable,
    *,
    outage_at: datetime | None,
    resumed_at: datetime | None,
    probing: bool,
) -> bool:
    """Whether this is the job's own trouble, and none of the target.

    It is when the job saw the target out of order before and the target has worked since: one
    account that the target cannot handle must not pause it for everybody, for ever.  A rate limit
    never is, nor what the probe of a paused target meets.
    """
    if probing or (isinstance(error, LockedOut) and error.reason == "rate_limited"):
        return False
    return outage_at is not None and resumed_at is not None and resumed_at > outage_at


def next_attempt(
    retry: Retry,
    *,
    reason: str,
    tries: int,
    working_seconds: float,
    now: datetime,
    spread: float,
) -> Again | GiveUp:
    """When a job is tried again after `tries` attempts and one more did not finish it."""
    if working_seconds >= retry.give_up_after.total_seconds():
        return GiveUp(reason)
    return Again(now + doubled(retry.first_delay, retry.max_delay, tries, spread), reason)


def next_look(*, since: datetime, grace: timedelta, now: datetime, spread: float) -> Again | None:
    """When to look again for the identity provider to have acted; None when `grace` is over."""
    watched = now - since
    if watched >= grace:
        return None
    first, longest = IDP_LOOKS
    # Half of what was waited already: 1, 1.5, 2, 3, 5 ... minutes.
    delay = min(max(first, watched / 2), longest) * (0.8 + 0.4 * spread)
    return Again(min(now + delay, since + grace), "waiting_for_idp", counted=False)


def next_sending(
    tries: int, created_at: datetime, *, now: datetime, spread: float
) -> datetime | None:
    """When a message is sent again after so many tries; None when it is given up."""
    if now - created_at >= MESSAGE_GIVEN_UP_AFTER:
        return None
    return now + doubled(*MESSAGE_DELAYS, tries - 1, spread)
