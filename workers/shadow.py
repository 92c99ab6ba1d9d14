"""The shadow report: what Leaver would have done, beside what people then did by hand.

Pure.  An account that shadow mode left alone is looked at again for a while (workers/lookout.py);
here is how often, and what it means that it was seen on or off.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
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


class Verdict(StrEnum):
    """What became of an account that Leaver would have switched off; the worst first."""

    STILL_ACTIVE = "still_active"
    NOT_SEEN_AGAIN = "not_seen_again"
    TAKEN_BACK = "taken_back"
    DEACTIVATED_BY_HAND = "deactivated_by_hand"
    REPEATED = "repeated"


VERDICTS: Mapping[Verdict, str] = {
    Verdict.STILL_ACTIVE: "Leaver would have switched the account off, and nobody did. Either the "
    "access lingers, or it would have been the wrong person: look at each.",
    Verdict.NOT_SEEN_AGAIN: "Leaver would have switched the account off, and for a day or longer "
    "it could not be read: nobody knows what people did. The detail says why.",
    Verdict.TAKEN_BACK: "HR took the termination back, or says that the person works here. Leaver "
    "would have switched the account off before it heard of that.",
    Verdict.DEACTIVATED_BY_HAND: "People did what Leaver would have done, or removed the account.",
    Verdict.REPEATED: "HR said it once more: Leaver would have switched this account off before, "
    "for an earlier job of this report.",
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


@dataclass(frozen=True, slots=True)
class Row:
    """One job in the report.

    `verdict` is a Verdict where Leaver would have switched the account off, else the outcome or the
    state of the job.  Seconds count from when access had to be gone and Leaver knew it: the cutoff
    or the receipt, whichever was later.  People took between `people_seconds_at_least` and
    `people_seconds_at_most`; the latter is None while the account is on.
    """

    job: JobId
    verdict: str
    source: str
    target: str
    email: str
    employee_id: str
    account_id: AccountId | None
    reason: str
    detail: str
    cutoff: datetime
    received_at: datetime
    would_at: datetime | None
    leaver_seconds: int | None
    last_on_at: datetime | None
    first_off_at: datetime | None
    gone: bool
    people_seconds_at_least: int | None
    people_seconds_at_most: int | None
    taken_back_at: datetime | None


@dataclass(frozen=True, slots=True)
class Took:
    """How long `count` of them took, by nearest rank: each figure is a time that occurred."""

    count: int
    median_seconds: int | None
    p95_seconds: int | None


@dataclass(frozen=True, slots=True)
class Summary:
    """The report in numbers.

    `leavers` are people, in however many jobs.  `would_deactivate` leaves out what is repeated.
    `people_took` is of those that were deactivated by hand, each with the latest instant at which
    it can have been, which is at most `known_within_seconds` late.
    """

    leavers: int
    jobs: int
    would_deactivate: int
    leaver_took: Took
    people_took: Took
    known_within_seconds: int | None
    verdicts: Mapping[str, int]
    held: Mapping[str, int]  # by reason


@dataclass(frozen=True, slots=True)
class Report:
    """All of it; the rows that a person must look at come first."""

    since: datetime
    until: datetime
    summary: Summary
    rows: tuple[Row, ...]


def next_look(would_at: datetime, now: datetime) -> datetime | None:
    """When to look again at an account that would have been switched off at `would_at`.

    After a quarter of the time that has passed: so however long people take, it is known to within
    that part of it, and few looks are spent.  None once it was watched for long enough.
    """
    passed = now - would_at
    if passed >= WATCHED:
        return None
    return min(now + min(max(SHORTEST, passed / 4), LONGEST), would_at + WATCHED)


def report(jobs: Iterable[Shadowed], *, since: datetime, now: datetime) -> Report:
    """Judge each job, and sum up."""
    jobs = list(jobs)
    repeated = _repeated(jobs)
    judged = [_row(job, _verdict(job, now, job.job in repeated)) for job in jobs]
    rows = tuple(sorted(judged, key=lambda row: (_place(row.verdict), row.received_at, row.job)))
    leavers = len({(job.source, job.employee_id or job.email.lower()) for job in jobs})
    return Report(since, now, _summary(rows, leavers), rows)


def nearest_rank(values: Sequence[int], percent: int) -> int | None:
    """The smallest value that at least so many per cent of them do not exceed; None of nothing."""
    if not values:
        return None
    return sorted(values)[max(1, math.ceil(len(values) * percent / 100)) - 1]


def _verdict(job: Shadowed, now: datetime, repeated: bool) -> str:
    would_at = _would_at(job)
    if would_at is None:
        return job.outcome or job.state
    if job.standing is not Standing.LEAVING:
        return Verdict.TAKEN_BACK
    if repeated:
        return Verdict.REPEATED
    if job.first_off_at is not None:
        return Verdict.DEACTIVATED_BY_HAND
    watched_until = min(now, would_at + WATCHED)
    if job.last_on_at is None or watched_until - job.last_on_at > FRESH:
        return Verdict.NOT_SEEN_AGAIN
    return Verdict.STILL_ACTIVE


def _would_at(job: Shadowed) -> datetime | None:
    """When Leaver would have switched the account off; None for a job that ended otherwise."""
    return job.finished_at if job.outcome is Outcome.WOULD_DEACTIVATE else None


def _repeated(jobs: Sequence[Shadowed]) -> set[JobId]:
    """Jobs whose account Leaver would have switched off before, and that was on all the time."""
    found: set[JobId] = set()
    before: dict[tuple[str, AccountId], list[Shadowed]] = {}
    for job in sorted(jobs, key=lambda job: (job.finished_at or job.received_at, job.job)):
        at = _would_at(job)
        if at is None or job.account_id is None or job.standing is not Standing.LEAVING:
            continue
        earlier = before.setdefault((job.target, job.account_id), [])
        if any(each.first_off_at is None or each.first_off_at >= at for each in earlier):
            found.add(job.job)
        else:
            earlier.append(job)
    return found


def _row(job: Shadowed, verdict: str) -> Row:
    start = max(job.cutoff, job.received_at)
    would_at = _would_at(job)
    return Row(
        job=job.job,
        verdict=verdict,
        source=job.source,
        target=job.target,
        email=job.email,
        employee_id=job.employee_id,
        account_id=job.account_id,
        reason=job.reason,
        detail=job.detail,
        cutoff=job.cutoff,
        received_at=job.received_at,
        would_at=would_at,
        leaver_seconds=_seconds(start, would_at),
        last_on_at=job.last_on_at,
        first_off_at=job.first_off_at,
        gone=job.gone,
        people_seconds_at_least=_seconds(start, job.last_on_at),
        people_seconds_at_most=_seconds(start, job.first_off_at),
        taken_back_at=job.taken_back_at,
    )


def _summary(rows: Sequence[Row], leavers: int) -> Summary:
    noted = [row for row in rows if row.would_at and row.verdict != Verdict.REPEATED]
    by_hand = [row for row in noted if row.verdict == Verdict.DEACTIVATED_BY_HAND]
    doubts = [
        row.people_seconds_at_most - (row.people_seconds_at_least or 0)
        for row in by_hand
        if row.people_seconds_at_most is not None
    ]
    return Summary(
        leavers=leavers,
        jobs=len(rows),
        would_deactivate=len(noted),
        leaver_took=_took(row.leaver_seconds for row in noted),
        people_took=_took(row.people_seconds_at_most for row in by_hand),
        known_within_seconds=max(doubts, default=None),
        verdicts=Counter(row.verdict for row in rows),
        held=Counter(row.reason for row in rows if row.verdict == State.HELD),
    )


def _took(given: Iterable[int | None]) -> Took:
    known = [seconds for seconds in given if seconds is not None]
    return Took(len(known), nearest_rank(known, 50), nearest_rank(known, 95))


def _seconds(start: datetime, end: datetime | None) -> int | None:
    """From one to the other, never below zero: HR may have moved the date since."""
    return None if end is None else max(round((end - start).total_seconds()), 0)


def _place(verdict: str) -> int:
    return [*VERDICTS].index(Verdict(verdict)) if verdict in set(Verdict) else len(VERDICTS)
