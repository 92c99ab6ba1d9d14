"""What became of an account that Leaver would have switched off.  Pure.

Shadow mode leaves it alone; then it is looked at again for a while (workers/lookout.py).  Here is
how often, and what it means that it was seen on or off.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from workers.leavers import OUTCOMES, AccountId, JobId, LeaverId, Outcome, Standing, State

#: How long an account is watched, and the shortest and the longest time between two looks.
WATCHED = timedelta(days=30)
SHORTEST = timedelta(minutes=15)
LONGEST = timedelta(hours=6)

#: Who was last seen longer ago, though looks were due, counts as not seen any more.
FRESH = timedelta(days=1)

#: Outcomes after which an account that was on is off.
OUR_DEEDS = (Outcome.DEACTIVATED, Outcome.SUSPENDED)


class Verdict(StrEnum):
    """What became of an account that Leaver would have switched off; the worst first."""

    STILL_ACTIVE = "still_active"
    NOT_SEEN_AGAIN = "not_seen_again"
    TAKEN_BACK = "taken_back"
    DEACTIVATED_BY_HAND = "deactivated_by_hand"
    DEACTIVATED_SINCE = "deactivated_since"
    REPEATED = "repeated"


VERDICTS: Mapping[Verdict, str] = {
    Verdict.STILL_ACTIVE: "Leaver would have switched the account off, and nobody did. Either the "
    "access lingers, or it would have been the wrong person: look at each.",
    Verdict.NOT_SEEN_AGAIN: "Leaver would have switched the account off, and for a day or longer "
    "it was not seen: nobody knows what people did. The row says why it could not be read; if it "
    "does not, nobody looked, as no worker had the target or it was paused (`leaver doctor`).",
    Verdict.TAKEN_BACK: "HR took the termination back, or says that the person works here. Leaver "
    "would have switched the account off before it heard of that.",
    Verdict.DEACTIVATED_BY_HAND: "People did what Leaver would have done, or removed the account.",
    Verdict.DEACTIVATED_SINCE: "Leaver itself has switched the account off since, for another job.",
    Verdict.REPEATED: "HR said it once more: Leaver would have switched this account off before, "
    "for an earlier job.",
}

#: Every word that can stand as a verdict and needs a meaning.
MEANINGS: Mapping[str, str] = {
    str(word): means for word, means in (*VERDICTS.items(), *OUTCOMES.items())
}


@dataclass(frozen=True, slots=True)
class Shadowed:
    """What is known of one job, and of its account since."""

    job: JobId
    leaver: LeaverId
    source: str
    target: str
    email: str
    employee_id: str
    account_id: AccountId | None
    state: State
    outcome: Outcome | None
    reason: str
    standing: Standing
    cutoff: datetime
    received_at: datetime
    finished_at: datetime | None
    taken_back_at: datetime | None = None  # when we heard of it
    # Of the account, where the job ended as would_deactivate:
    last_on_at: datetime | None = None
    first_off_at: datetime | None = None
    gone: bool = False
    detail: str = ""

    @property
    def would_at(self) -> datetime | None:
        """When Leaver would have switched the account off; None for a job that ended otherwise."""
        return self.finished_at if self.outcome is Outcome.WOULD_DEACTIVATE else None


def next_look(noted_at: datetime, now: datetime) -> datetime | None:
    """When to look again at an account that would have been switched off at `noted_at`.

    After a quarter of the time that has passed: so however long people take, it is known to within
    that part of it, and few looks are spent.  None once it was watched for long enough.
    """
    passed = now - noted_at
    if passed >= WATCHED:
        return None
    return min(now + min(max(SHORTEST, passed / 4), LONGEST), noted_at + WATCHED)


def verdict_of(job: Shadowed, same_account: Sequence[Shadowed], now: datetime) -> str:
    """A Verdict where Leaver would have switched the account off, else the job's outcome or state.

    `same_account` are all jobs about the same account, this one among them.
    """
    noted_at = job.would_at
    if noted_at is None:
        return job.outcome or job.state
    if job.standing is not Standing.LEAVING:
        return Verdict.TAKEN_BACK
    others = [each for each in same_account if job.account_id and each.job != job.job]
    if any(_was_first(each, job, noted_at) for each in others):
        return Verdict.REPEATED
    if job.first_off_at is not None:
        ours = any(_switched_off(each, job) for each in others)
        return Verdict.DEACTIVATED_SINCE if ours else Verdict.DEACTIVATED_BY_HAND
    watched_until = min(now, noted_at + WATCHED)
    if job.last_on_at is None or watched_until - job.last_on_at > FRESH:
        return Verdict.NOT_SEEN_AGAIN
    return Verdict.STILL_ACTIVE


def _was_first(other: Shadowed, job: Shadowed, noted_at: datetime) -> bool:
    """Whether Leaver would have switched the account off before, and nobody did until now."""
    before = other.would_at
    if before is None or other.standing is not Standing.LEAVING:
        return False
    off_meanwhile = other.first_off_at is not None and other.first_off_at < noted_at
    return (before, other.job) < (noted_at, job.job) and not off_meanwhile


def _switched_off(other: Shadowed, job: Shadowed) -> bool:
    """Whether it was this other job that `job` saw the effect of."""
    if other.outcome not in OUR_DEEDS or other.finished_at is None:
        return False
    seen_on, seen_off = job.last_on_at, job.first_off_at
    return seen_on is not None and seen_off is not None and seen_on <= other.finished_at <= seen_off
