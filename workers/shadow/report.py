"""The shadow report: what Leaver would have done, beside what people then did by hand.  Pure."""

import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from config.settings import Window, spelled
from workers.leavers import AccountId, JobId, LeaverId, State
from workers.shadow.verdicts import VERDICTS, Shadowed, Verdict, verdict_of


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
class WindowUse:
    """One window of a brake: it lets so many `leavers` pass, and `most` would have come in it."""

    source: str | None  # None: the brake over all sources
    leavers: int
    per: str
    most: int


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
    brakes: tuple[WindowUse, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """All of it; the rows that a person must look at come first."""

    since: datetime
    until: datetime
    summary: Summary
    rows: tuple[Row, ...]


def report(
    jobs: Sequence[Shadowed],
    *,
    since: datetime,
    now: datetime,
    brakes: Mapping[str, Sequence[Window]],
    source: str | None = None,
    target: str | None = None,
) -> Report:
    """Judge each of `jobs`, which are all of that time, and sum up those of a source and a target.

    `brakes` are those of the configuration: by source, and "" for the one over all.
    """
    of_account: dict[tuple[str, AccountId | None], list[Shadowed]] = {}
    for job in jobs:
        of_account.setdefault((job.target, job.account_id), []).append(job)
    judged = [
        (job, verdict_of(job, of_account[job.target, job.account_id], now))
        for job in jobs
        if source in (None, job.source) and target in (None, job.target)
    ]
    rows = [_row(job, verdict) for job, verdict in judged]
    rows.sort(key=lambda row: (_place(row.verdict), row.received_at, row.job))
    return Report(since, now, _summary(judged, rows, brakes), tuple(rows))


def nearest_rank(values: Sequence[int], percent: int) -> int | None:
    """The smallest value that at least so many per cent of them do not exceed; None of nothing."""
    if not values:
        return None
    return sorted(values)[max(1, math.ceil(len(values) * percent / 100)) - 1]


def most_within(span: timedelta, instants: Iterable[datetime]) -> int:
    """The most of them that lie within any such span."""
    times = sorted(instants)
    counts = (place - bisect_right(times, at - span) for place, at in enumerate(times, start=1))
    return max(counts, default=0)


def _row(job: Shadowed, verdict: str) -> Row:
    start = max(job.cutoff, job.received_at)
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
        would_at=job.would_at,
        leaver_seconds=_seconds(start, job.would_at),
        last_on_at=job.last_on_at,
        first_off_at=job.first_off_at,
        gone=job.gone,
        people_seconds_at_least=_seconds(start, job.last_on_at),
        people_seconds_at_most=_seconds(start, job.first_off_at),
        taken_back_at=job.taken_back_at,
    )


def _summary(
    judged: Sequence[tuple[Shadowed, str]],
    rows: Sequence[Row],
    brakes: Mapping[str, Sequence[Window]],
) -> Summary:
    noted = [row for row in rows if row.would_at and row.verdict != Verdict.REPEATED]
    by_hand = [row for row in noted if row.verdict == Verdict.DEACTIVATED_BY_HAND]
    doubts = [
        row.people_seconds_at_most - (row.people_seconds_at_least or 0)
        for row in by_hand
        if row.people_seconds_at_most is not None
    ]
    return Summary(
        leavers=len({(job.source, job.employee_id or job.email.lower()) for job, _ in judged}),
        jobs=len(rows),
        would_deactivate=len(noted),
        leaver_took=_took(row.leaver_seconds for row in noted),
        people_took=_took(row.people_seconds_at_most for row in by_hand),
        known_within_seconds=max(doubts, default=None),
        verdicts=Counter(row.verdict for row in rows),
        held=Counter(row.reason for row in rows if row.verdict == State.HELD),
        brakes=_brakes([job for job, verdict in judged if verdict != Verdict.REPEATED], brakes),
    )


def _brakes(
    jobs: Sequence[Shadowed], brakes: Mapping[str, Sequence[Window]]
) -> tuple[WindowUse, ...]:
    """How full each window would have been: a leaver counts once, in however many targets."""
    found = []
    for name, windows in brakes.items():
        passed: dict[LeaverId, datetime] = {}
        for job in jobs:
            at = job.would_at
            if at is not None and name in ("", job.source):
                passed[job.leaver] = min(at, passed.get(job.leaver, at))
        found += [
            WindowUse(
                name or None,
                each.leavers,
                spelled(each.per),
                most_within(each.per, passed.values()),
            )
            for each in windows
        ]
    return tuple(found)


def _took(given: Iterable[int | None]) -> Took:
    known = [seconds for seconds in given if seconds is not None]
    return Took(len(known), nearest_rank(known, 50), nearest_rank(known, 95))


def _seconds(start: datetime, end: datetime | None) -> int | None:
    """From one to the other, never below zero: HR may have moved the date since."""
    return None if end is None else max(round((end - start).total_seconds()), 0)


def _place(verdict: str) -> int:
    return [*VERDICTS].index(Verdict(verdict)) if verdict in set(Verdict) else len(VERDICTS)
