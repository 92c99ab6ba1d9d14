"""Jobs, as lists show them and in full."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from workers.leavers import (
    UNFINISHED,
    AccountId,
    Action,
    AttemptId,
    DeliveryId,
    JobId,
    LeaverId,
    Outcome,
    State,
)
from workers.ledger import tables as t
from workers.ledger.queries import (
    PAGE,
    Ambiguous,
    NotFound,
    columns_of,
    find_id,
    lists,
    trail,
    without,
)
from workers.ledger.queries.lists import Part
from workers.ledger.store import Ledger


@dataclass(frozen=True, slots=True)
class JobFilter:
    """Which jobs are meant: those that fit everything that is given.

    `email` is the whole address, in any case; `since` compares with the time of receipt.
    """

    ids: Sequence[JobId] | None = None  # of an empty list, no job fits
    state: State | None = None
    outcome: Outcome | None = None
    source: str | None = None
    target: str | None = None
    email: str | None = None
    since: datetime | None = None
    reason: str | None = None
    unfinished: bool = False  # only those
    leavers: Sequence[LeaverId] | None = None  # of an empty list, no job fits


@dataclass(frozen=True, slots=True)
class Job:
    """One job.  `attempts` counts those that this round has spent."""

    id: JobId
    leaver: LeaverId
    source: str
    target: str
    action: Action
    email: str
    employee_id: str
    state: State
    outcome: Outcome | None
    reason: str
    detail: str
    attempts: int
    round: int
    cutoff: datetime
    due_at: datetime
    received_at: datetime
    finished_at: datetime | None
    account_id: AccountId | None


@dataclass(frozen=True, slots=True)
class CallMade:
    """One HTTP call of an attempt."""

    at: datetime
    name: str
    method: str
    path: str
    write: bool
    status: int | None
    duration_ms: int
    error: str


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try; `counted` says whether the round has spent it."""

    id: AttemptId
    worker: str
    started_at: datetime
    finished_at: datetime | None
    result: str
    reason: str
    detail: str
    counted: bool
    calls: tuple[CallMade, ...]


@dataclass(frozen=True, slots=True)
class Round:
    """What happened between two replays: who opened it and why, what was tried, how it ended."""

    round: int
    opened_at: datetime
    actor: str
    why: str
    closed_at: datetime | None
    state: str | None
    outcome: str | None
    reason: str
    detail: str
    attempts: tuple[Attempt, ...]


@dataclass(frozen=True, slots=True)
class JobInFull(Job):
    """One job with what HR or an operator said, and everything that was done."""

    kind: str
    hr_date: date | None
    hr_zone: str | None
    happened_at: datetime | None
    entered_by: str | None
    entered_reason: str | None
    request_id: str  # of the request that brought the leaver, as the log has it
    stop: str | None  # what an operator asked for while the job runs
    snapshot: Mapping[str, Any] | None
    deliveries: tuple[DeliveryId, ...]
    rounds: tuple[Round, ...]
    audit: tuple[trail.Entry, ...]


def listed(
    ledger: Ledger, wanted: JobFilter, *, limit: int, after: JobId | None = None
) -> list[Job]:
    """The newest `limit` jobs that fit and are older than the job `after`."""
    with ledger.read() as tx:
        return _listed(tx, wanted, Part(t.jobs, wanted.since, after=after), limit)


@dataclass(frozen=True, slots=True)
class JobPage:
    """A page of a list, newest first, and whether there are newer and older ones."""

    jobs: tuple[Job, ...]
    newer: bool
    older: bool


def page(
    ledger: Ledger,
    wanted: JobFilter,
    *,
    size: int,
    after: JobId | None = None,
    before: JobId | None = None,
    last: bool = False,
) -> JobPage:
    """The page older than the job `after`, newer than `before`, the last one, or the first.

    Each costs the same, however many there are: nothing is counted, and no row is skipped over.
    """
    backwards = last or before is not None
    part = Part(t.jobs, wanted.since, after=None if backwards else after, before=before)
    with ledger.read() as tx:
        rows = _listed(tx, wanted, part, size + 1, backwards=backwards)
    more, shown = len(rows) > size, rows[:size]
    if backwards:
        return JobPage(tuple(reversed(shown)), newer=more, older=not last and bool(shown))
    return JobPage(tuple(shown), newer=after is not None, older=more)


def every(ledger: Ledger, wanted: JobFilter) -> Iterator[Job]:
    """Every job that fits, newest first."""
    page = listed(ledger, wanted, limit=PAGE)
    while page:
        yield from page
        page = listed(ledger, wanted, limit=PAGE, after=page[-1].id)


def oldest_first(ledger: Ledger, wanted: JobFilter) -> Iterator[Sequence[Job]]:
    """Every job that fits, some at a time."""
    found = page(ledger, wanted, size=PAGE, last=True)
    yield found.jobs[::-1]
    while found.newer:
        found = page(ledger, wanted, size=PAGE, before=found.jobs[0].id)
        yield found.jobs[::-1]


def among(ledger: Ledger, wanted: JobFilter, ids: Sequence[JobId]) -> list[Job]:
    """Those of these jobs that fit, in this order."""
    found: dict[JobId, Job] = {}
    for start in range(0, len(ids), PAGE):
        some = replace(wanted, ids=ids[start : start + PAGE])
        found |= {job.id: job for job in listed(ledger, some, limit=PAGE)}
    return [found[each] for each in ids if each in found]


def count(ledger: Ledger, wanted: JobFilter) -> int:
    """How many jobs fit."""
    kinds = _kinds_of(wanted)
    if kinds is None:
        return sum(by_state(ledger, wanted).values())
    with ledger.read() as tx:
        return lists.count(tx, "jobs", *kinds, since=wanted.since)


def by_state(ledger: Ledger, wanted: JobFilter) -> Mapping[State, int]:
    """How many jobs fit that are in each state; none of a state in which there is none."""
    with ledger.read() as tx:
        kinds = _kinds_of(wanted)
        if kinds is not None:
            found = lists.by_state(tx, "jobs", *kinds, since=wanted.since)
        else:
            state = t.jobs.c.state
            query = _fitting(sa.select(state, sa.func.count()), wanted).group_by(state)
            query = query.where(*Part(t.jobs, wanted.since).of(t.jobs))
            found = {row[0]: row[1] for row in tx.execute(query)}
    return {State(state): number for state, number in found.items()}


def kinds(found: Iterable[Job]) -> list[tuple[str, int]]:
    """How many of which kind, most first: ("done (deactivated)", 10), ("failed (gave_up)", 2)."""
    words = ((job.state, job.outcome or job.reason) for job in found)
    return Counter(f"{state} ({why})" if why else str(state) for state, why in words).most_common()


def find(ledger: Ledger, part: str) -> JobId:
    """The id of the one job whose id is, begins or ends with `part`.  Raises NotFound."""
    return JobId(find_id(ledger, t.jobs, "job", part))


def find_leaver(ledger: Ledger, part: str) -> LeaverId:
    """The id of the one leaver whose id is, begins or ends with `part`.  Raises NotFound."""
    return LeaverId(find_id(ledger, t.leavers, "job or leaver", part))


def find_with_leavers(ledger: Ledger, part: str, states: Sequence[State]) -> list[JobId]:
    """The one job of this id, in whatever state, or the jobs in these states of the one leaver.

    Raises NotFound, also for a leaver that has none.
    """
    try:
        return [find(ledger, part)]
    except Ambiguous:
        raise
    except NotFound:
        leaver = find_leaver(ledger, part)
    # A later event of HR about a leaver has changed the jobs of an earlier one.
    owner = sa.select(t.leavers.c.owner).where(t.leavers.c.id == leaver).scalar_subquery()
    query = sa.select(t.jobs.c.id).where(
        sa.or_(t.jobs.c.leaver_id == leaver, t.jobs.c.leaver_id == owner),
        t.jobs.c.state.in_(states),
    )
    with ledger.read() as tx:
        jobs = [JobId(job) for job in tx.scalars(query.order_by(t.jobs.c.id))]
    if not jobs:
        raise NotFound(f"the leaver {leaver} has no job that is {' or '.join(states)}")
    return jobs


def one(ledger: Ledger, wanted: JobId) -> JobInFull:
    """One job in full.  Raises NotFound."""
    query = _fitting(_jobs(*_IN_FULL), JobFilter(ids=(wanted,)))
    with ledger.read() as tx:
        row = tx.execute(query).mappings().one_or_none()
        if row is None:
            raise NotFound(f"no job has the id {wanted}")
        return JobInFull(
            **_fields(row),
            deliveries=_deliveries(tx, row["leaver"]),
            rounds=_rounds(tx, wanted),
            audit=trail.about(tx, job=wanted),
        )


_JOB = (
    *columns_of(t.jobs, Job),
    t.jobs.c.leaver_id.label("leaver"),
    t.leavers.c.employee_id,
)
_IN_FULL = (
    *(column for column in columns_of(t.jobs, JobInFull) if column.name in ("stop", "snapshot")),
    *(column for column in columns_of(t.leavers, JobInFull) if column.name not in Job.__slots__),
)


def _jobs(*more: sa.ColumnElement[Any]) -> sa.Select[Any]:
    return sa.select(*_JOB, *more).select_from(t.jobs.join(t.leavers))


def _listed(
    tx: sa.Connection, wanted: JobFilter, part: Part, limit: int, *, backwards: bool = False
) -> list[Job]:
    """The first `limit` jobs that fit, in this part of the list."""
    if kinds := _kinds_of(wanted):
        ids = lists.first(tx, "jobs", *kinds, part=part, limit=limit, backwards=backwards)
        query = _jobs().where(t.jobs.c.id.in_(ids))
    else:
        query = _fitting(_jobs(), wanted).where(*part.of(t.jobs))
    query = query.order_by(*lists.in_order(t.jobs, backwards=backwards)).limit(limit)
    return [Job(**_fields(row)) for row in tx.execute(query).mappings()]


def _kinds_of(wanted: JobFilter) -> list[sa.ColumnElement[bool]] | None:
    """That kinds of jobs are wanted; None where more than kinds and time tells which are."""
    by_kind = (wanted.ids, wanted.leavers, wanted.email) == (None, None, None)
    return _are(wanted, t.tallies) if by_kind else None


def _are(wanted: JobFilter, table: sa.Table) -> list[sa.ColumnElement[bool]]:
    """That jobs, or a kind of them, are what is wanted."""
    where = [
        table.c[name] == value
        for name in ("state", "outcome", "source", "target", "reason")
        if (value := getattr(wanted, name)) is not None
    ]
    return [*where, table.c.state.in_(UNFINISHED)] if wanted.unfinished else where


def _fitting(query: sa.Select[Any], wanted: JobFilter) -> sa.Select[Any]:
    query = query.where(*_are(wanted, t.jobs))
    if wanted.ids is not None:
        query = query.where(t.jobs.c.id.in_(wanted.ids))
    if wanted.leavers is not None:
        query = query.where(t.jobs.c.leaver_id.in_(wanted.leavers))
    if wanted.email is not None:
        query = query.where(sa.func.lower(t.jobs.c.email) == sa.func.lower(wanted.email))
    return query


def _fields(row: sa.RowMapping) -> dict[str, Any]:
    return dict(row) | {
        "action": Action(row["action"]),
        "state": State(row["state"]),
        "outcome": Outcome(row["outcome"]) if row["outcome"] else None,
    }


def _deliveries(tx: sa.Connection, leaver: LeaverId) -> tuple[DeliveryId, ...]:
    """Those that brought the leaver, or the lookup that found it."""
    lookup = (
        sa.select(t.jobs.c.leaver_id)
        .join(t.leavers, t.leavers.c.found_by == t.jobs.c.id)
        .where(t.leavers.c.id == leaver)
    )
    named = [leaver, *tx.scalars(lookup)]
    brought = sa.select(t.elements.c.delivery_id).where(t.elements.c.leaver_id.in_(named))
    return tuple(sorted({DeliveryId(found) for found in tx.scalars(brought)}))


def _rounds(tx: sa.Connection, wanted: JobId) -> tuple[Round, ...]:
    query = sa.select(t.rounds).where(t.rounds.c.job_id == wanted).order_by(t.rounds.c.round)
    tried = _attempts(tx, wanted)
    return tuple(
        Round(**without(row, "job_id", "attempts"), attempts=tuple(tried[row["round"]]))
        for row in tx.execute(query).mappings()
    )


def _attempts(tx: sa.Connection, wanted: JobId) -> Mapping[int, list[Attempt]]:
    query = sa.select(t.attempts).where(t.attempts.c.job_id == wanted).order_by(t.attempts.c.token)
    made = _calls(tx, wanted)
    found: dict[int, list[Attempt]] = defaultdict(list)
    for row in tx.execute(query).mappings():
        fields = without(row, "job_id", "round", "token")
        found[row["round"]].append(Attempt(**fields, calls=tuple(made[row["id"]])))
    return found


def _calls(tx: sa.Connection, wanted: JobId) -> Mapping[str, list[CallMade]]:
    query = sa.select(t.calls).join(t.attempts).where(t.attempts.c.job_id == wanted)
    found: dict[str, list[CallMade]] = defaultdict(list)
    for row in tx.execute(query.order_by(t.calls.c.id)).mappings():
        found[row["attempt_id"]].append(CallMade(**without(row, "id", "attempt_id")))
    return found
