"""Puts leavers into a ledger, moves their jobs, and reads back what the ledger holds."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from workers.leavers import (
    AccountId,
    Cutoff,
    Delivery,
    Element,
    ElementKind,
    JobId,
    Leaver,
    Outcome,
)
from workers.ledger import Ledger, intake, moves, tallies
from workers.ledger import tables as t
from workers.ledger.intake import Recorded

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
LEASE = timedelta(seconds=30)
DEDUP_WINDOW = timedelta(days=7)
ROOM = {"cloud": 8, "jira-dc": 8}
SOURCES = ("hr", "other", "okta", "bamboohr")


def person(name: str = "lena", *, cutoff: datetime = NOW, key: str = "") -> Element:
    """An element that says that this person leaves."""
    leaver = Leaver(f"{name}@example.com", name, Cutoff(cutoff, date(2026, 11, 23), "UTC"))
    return Element(ElementKind.LEAVER, key or f"key of {name}", employee_id=name, leaver=leaver)


def delivery(
    *elements: Element,
    body: bytes | None = None,
    source: str = "hr",
    targets: tuple[str, ...] = ("cloud",),
    at: datetime = NOW,
    reason: str = "",
) -> Delivery:
    """A delivery of these elements; without a body of its own it is the same each time."""
    return Delivery(
        source=source,
        body=repr(elements).encode() if body is None else body,
        content_type="application/json",
        received_at=at,
        signed_at=at,
        event_id=None,
        elements=elements,
        targets=targets,
        reason=reason,
    )


def record(ledger: Ledger, given: Delivery, *, now: datetime = NOW) -> Recorded:
    """What the receiver does with a delivery."""
    return intake.record(ledger, given, now=now, dedup_window=DEDUP_WINDOW)


def job_of(ledger: Ledger, name: str = "lena", **about: Any) -> JobId:
    """The job of one person who leaves, queued or scheduled."""
    cutoff = about.pop("cutoff", NOW)
    at = about.get("at", NOW)
    [job] = record(ledger, delivery(person(name, cutoff=cutoff), **about), now=at).jobs
    return job


def jobs_of(ledger: Ledger, count: int) -> list[JobId]:
    """Jobs of many people, in the order in which they came in."""
    people = [person(f"person-{number}") for number in range(count)]
    return list(record(ledger, delivery(*people)).jobs)


def try_claim(
    ledger: Ledger,
    job: JobId,
    *,
    now: datetime = NOW,
    worker: str = "w1",
    lease: timedelta = LEASE,
    sources: Collection[str] = SOURCES,
    concurrency: Mapping[str, int] = ROOM,
) -> moves.Claim | None:
    """What a worker does that was woken for a job."""
    return moves.claim(
        ledger,
        job,
        worker=worker,
        now=now,
        lease=lease,
        sources=sources,
        concurrency=concurrency,
    )


def claim(ledger: Ledger, job: JobId, **about: Any) -> moves.Claim:
    """The claim of a job that is to be had."""
    claimed = try_claim(ledger, job, **about)
    assert claimed is not None, job_row(ledger, job)
    return claimed


def deactivated(ledger: Ledger) -> JobId:
    """A job by which an account was switched off, on the word of HR."""
    job, account = job_of(ledger), AccountId("a1")
    owned = claim(ledger, job)
    moves.pin(ledger, owned, account, now=NOW, lease=LEASE)
    moves.keep(ledger, owned, {"status": "active"})
    moves.intend(ledger, owned, account, brakes={}, now=NOW, lease=LEASE)
    moves.finish(ledger, owned, Outcome.DEACTIVATED, now=NOW)
    return job


def locked_out(
    ledger: Ledger,
    claimed: moves.Claim,
    *,
    now: datetime = NOW,
    until: datetime = NOW + MINUTE,
    reason: str = "outage",
    call: str = "users.search",
) -> None:
    """The end of an attempt that met a target out of order."""
    moves.lock_out(
        ledger, claimed, until, reason=reason, call=call, detail="said the target", now=now
    )


def rows(ledger: Ledger, table: sa.Table, *where: sa.ColumnElement[bool]) -> list[sa.RowMapping]:
    """What a table holds, in the order of its keys."""
    with ledger.read() as tx:
        query = sa.select(table).where(*where).order_by(*table.primary_key.columns)
        return list(tx.execute(query).mappings())


def job_row(ledger: Ledger, job: JobId) -> sa.RowMapping:
    """All that is kept of a job itself."""
    [row] = rows(ledger, t.jobs, t.jobs.c.id == job)
    return row


def state_of(ledger: Ledger, job: JobId) -> tuple[str, str]:
    """Where a job stands, and why."""
    row = job_row(ledger, job)
    return row["state"], row["reason"]


def rounds_of(ledger: Ledger, job: JobId) -> list[sa.RowMapping]:
    """A job's rounds, oldest first."""
    return rows(ledger, t.rounds, t.rounds.c.job_id == job)


def attempts_of(ledger: Ledger, job: JobId) -> list[sa.RowMapping]:
    """A job's attempts, oldest first."""
    return rows(ledger, t.attempts, t.attempts.c.job_id == job)


def audit_of(ledger: Ledger, job: JobId) -> list[sa.RowMapping]:
    """What the audit trail says of a job, oldest first."""
    return rows(ledger, t.audit, t.audit.c.job_id == job)


def moves_of(ledger: Ledger, job: JobId) -> list[tuple[str, str | None, str]]:
    """A job's moves as the audit trail has them: which, from where, to where."""
    entries = audit_of(ledger, job)
    return [(e["action"], e["from_state"], e["to_state"]) for e in entries if e["to_state"]]


def pause_of(ledger: Ledger, target: str = "cloud") -> sa.RowMapping | None:
    """What is kept of a target while it is paused, else None."""
    found = rows(ledger, t.targets, t.targets.c.name == target, t.targets.c.paused_at.is_not(None))
    return found[0] if found else None


def open_alarms(ledger: Ledger) -> list[tuple[str, str]]:
    """Kind and subject of each open alarm."""
    found = rows(ledger, t.alarms, t.alarms.c.open_key.is_not(None))
    return [(row["kind"], row["subject"]) for row in found]


def counted(jobs: Iterable[Mapping[Any, Any]]) -> Counter[tuple[str, ...]]:
    """How many of these rows of jobs there are of each kind, by counting them."""
    return Counter(tuple(job[name] or "" for name in tallies.KIND) for job in jobs)


def tallied(
    ledger: Ledger, of: tallies.Of, *where: sa.ColumnElement[bool]
) -> dict[tuple[str, ...], int]:
    """How many jobs or deliveries there are of each kind, by their tallies."""
    with ledger.read() as tx:
        found = tx.execute(sa.select(tallies.kinds(of, *where)))
        return {tuple(row[:-1]): row[-1] for row in found}


def everything(ledger: Ledger) -> dict[str, Iterable[Any]]:
    """Every row of every table, to say that nothing at all was changed."""
    return {table.name: rows(ledger, table) for table in t.metadata.sorted_tables}
