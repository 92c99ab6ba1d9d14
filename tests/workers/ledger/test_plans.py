"""No list, and no question that is asked all the time, looks through all that there is.

SQLite keeps no statistics of a ledger, so what it plans for a few rows it plans for a million; how
fast that is, and what PostgreSQL does, `make bench-console` tells.
"""

import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest
import sqlalchemy as sa

from tests.workers.records import (
    DAY,
    NOW,
    ROOM,
    SOURCES,
    claim,
    delivery,
    job_of,
    person,
    record,
)
from workers import watch
from workers.leavers import (
    DeliveryId,
    DeliveryStatus,
    Element,
    ElementKind,
    JobId,
    LeaverId,
    Outcome,
    State,
)
from workers.ledger import Ledger, due, moves, sightings, tallies
from workers.ledger.queries import (
    brakes,
    condition,
    deliveries,
    holds,
    jobs,
    leavers,
    overview,
    shadow,
    trail,
)
from workers.ledger.queries.deliveries import DeliveryFilter
from workers.ledger.queries.jobs import JobFilter
from workers.ledger.queries.leavers import LeaverFilter

#: Of these nothing, or hardly anything, is ever deleted.
LARGE = "alarms attempts audit calls deliveries elements jobs leavers places rounds seen sightings"

#: Indexes of few of their rows, or for the newest row alone.
FEW = {
    "ix_alarms_said",
    "ix_elements_quarantined",
    "ix_jobs_at_work",
    "ix_jobs_oldest",
    "ix_leavers_taken_back",
    "ix_deliveries_repeated",
    "ix_deliveries_repeated_of",
    "ix_deliveries_source_received_at",
}

#: What very many rows may have alike.
ALIKE = re.compile(r"\((source|target|state|status|kind|action|actor|reason)=\?\)")

KIND = {"state": State.DONE, "outcome": Outcome.DEACTIVATED, "source": "hr", "target": "cloud"}
SINCE = {"since": NOW - DAY}
ADA = {"email": "ada@example.com"}
HR = {"source": "hr"}

UNREADABLE = Element(ElementKind.QUARANTINED, "key of nobody", reason="missing_email")

Watching = Callable[[], AbstractContextManager[list[str]]]


@pytest.fixture
def watching(sqlite_ledger: Ledger) -> Watching:
    """Gives what is looked through by the statements of a block, as SQLite plans it."""

    @contextmanager
    def watch_plans() -> Iterator[list[str]]:
        found: list[str] = []

        def explain(
            _: Any, cursor: sqlite3.Cursor, statement: str, parameters: Any, *__: Any
        ) -> None:
            if statement.startswith(("SELECT", "WITH", "UPDATE", "DELETE")):
                plan = cursor.connection.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)
                found.extend(f"{row[3]}: {statement}" for row in plan if _looks_through(row[3]))

        sa.event.listen(sqlite_ledger.engine, "before_cursor_execute", explain)
        try:
            yield found
        finally:
            sa.event.remove(sqlite_ledger.engine, "before_cursor_execute", explain)

    return watch_plans


def _looks_through(step: str) -> bool:
    how, table, *rest = step.split()
    index = rest[rest.index("INDEX") + 1] if "INDEX" in rest else ""
    if how not in ("SCAN", "SEARCH") or table not in LARGE.split() or index in FEW:
        return False
    return how == "SCAN" or bool(ALIKE.search(step))


@pytest.fixture
def job(sqlite_ledger: Ledger) -> JobId:
    """One job in the ledger."""
    return job_of(sqlite_ledger, "ada")


@pytest.mark.parametrize(
    "by",
    [
        *({}, SINCE, KIND, KIND | SINCE, {"reason": "brake"}, {"reason": "brake"} | SINCE),
        *({name: value} for name, value in KIND.items()),
        {"unfinished": True, "target": "cloud"},
        *(ADA, ADA | KIND, ADA | SINCE, ADA | {"reason": "brake", "state": State.HELD}),
    ],
)
def test_jobs_are_listed_and_counted_by_an_index(watching, sqlite_ledger, job, by):
    """Whatever an operator filters for, also where nothing fits."""
    wanted = JobFilter(**by)

    with watching() as looked_through:
        jobs.page(sqlite_ledger, wanted, size=3, after=job)
        jobs.page(sqlite_ledger, wanted, size=3, before=job)
        jobs.by_state(sqlite_ledger, wanted)

    assert looked_through == []


@pytest.mark.parametrize("since", [{}, SINCE])
@pytest.mark.parametrize("source", [{}, HR])
@pytest.mark.parametrize("status", [{}, *({"status": each} for each in DeliveryStatus)])
def test_deliveries_are_listed_and_counted_by_an_index(
    watching, sqlite_ledger, status, source, since
):
    """Whatever an operator filters for, also where nothing fits."""
    wanted = DeliveryFilter(**status, **source, **since)
    known = record(sqlite_ledger, delivery(UNREADABLE)).delivery

    with watching() as looked_through:
        deliveries.listed(sqlite_ledger, wanted, limit=3, after=known)
        deliveries.count(sqlite_ledger, wanted)

    assert looked_through == []


@pytest.mark.parametrize(
    "by",
    [
        *({}, HR, ADA, ADA | HR),
        *({"employee_id": "ada"} | other for other in ({}, HR, ADA, ADA | HR)),
    ],
)
def test_leavers_are_listed_by_an_index(watching, sqlite_ledger, by):
    """Whatever an operator filters for, also where nothing fits."""
    with watching() as looked_through:
        leavers.listed(sqlite_ledger, LeaverFilter(**by), limit=3, after=LeaverId("f"))

    assert looked_through == []


@pytest.mark.parametrize("actor", ["", "eve"])
@pytest.mark.parametrize("action", ["", "hold"])
def test_the_audit_trail_is_listed_by_an_index(watching, sqlite_ledger, actor, action):
    """Also for an actor who never did that."""
    with watching() as looked_through:
        trail.listed(sqlite_ledger, actor=actor, action=action, limit=3, after=9)

    assert looked_through == []


def test_what_has_moved_since_is_found_by_an_index(watching, sqlite_ledger, job):
    """`leaver jobs --watch` asks every second."""
    with watching() as looked_through:
        trail.moved(sqlite_ledger, trail.end(sqlite_ledger))

    assert looked_through == []


def test_one_job_leaver_and_delivery_are_shown_by_an_index(watching, sqlite_ledger, job):
    """And found by a part of their id."""
    leaver = jobs.one(sqlite_ledger, job).leaver
    [brought] = jobs.one(sqlite_ledger, job).deliveries

    with watching() as looked_through:
        jobs.one(sqlite_ledger, jobs.find(sqlite_ledger, job[-12:]))
        jobs.find_with_leavers(sqlite_ledger, leaver[-12:], [State.QUEUED])
        person_found = leavers.person(sqlite_ledger, leaver)
        leavers.jobs_by_leaver(sqlite_ledger, person_found.leavers * 50, most=9)
        deliveries.one(sqlite_ledger, DeliveryId(deliveries.find(sqlite_ledger, brought[:20])))

    assert looked_through == []


def test_overview_status_and_metrics_look_through_nothing(watching, sqlite_ledger, job):
    """A monitoring that asks every few seconds must not be what slows the ledger down."""
    with watching() as looked_through:
        overview.days(sqlite_ledger, now=NOW)
        overview.waiting(sqlite_ledger)
        overview.quarantined(sqlite_ledger)
        overview.last_seen(sqlite_ledger, SOURCES)
        condition.figures(sqlite_ledger, now=NOW)
        condition.alarms_open(sqlite_ledger, limit=3, after=job)
        condition.alarms_by_kind(sqlite_ledger)
        brakes.standing(sqlite_ledger, {}, now=NOW)
        holds.standing(sqlite_ledger)
        holds.known(sqlite_ledger, "source")
        deliveries.untimely(sqlite_ledger, since=NOW - DAY)
        shadow.shadowed(sqlite_ledger, since=NOW - DAY)

    assert looked_through == []


def test_what_workers_ask_all_the_time_looks_through_nothing(watching, sqlite_ledger, job):
    """Each worker does, every second or every few."""
    with watching() as looked_through:
        due.expired(sqlite_ledger, NOW)
        due.matured(sqlite_ledger, NOW)
        due.unknown(sqlite_ledger, "source", SOURCES)
        due.let_go(sqlite_ledger)
        due.to_wake(sqlite_ledger, ROOM, sources=SOURCES, now=NOW, grace=DAY)
        due.others_wait(sqlite_ledger, "cloud", job, NOW)
        sightings.take(sqlite_ledger, [*ROOM], now=NOW, at_most=3)
        tallies.fold(sqlite_ledger)
        watch.look(sqlite_ledger, {}, NOW)
        watch.remind(sqlite_ledger, DAY, NOW)

    assert looked_through == []


def test_the_way_of_a_leaver_looks_through_nothing(watching, sqlite_ledger, job):
    """From the receipt to the end, and when the same comes again."""
    sent = delivery(person("bob"))

    with watching() as looked_through:
        [other] = record(sqlite_ledger, sent).jobs
        record(sqlite_ledger, sent)
        claimed = claim(sqlite_ledger, other)
        moves.again(sqlite_ledger, claimed, NOW, reason="outage", now=NOW, counted=False)
        moves.finish(sqlite_ledger, claim(sqlite_ledger, other), Outcome.NO_ACCOUNT, now=NOW)

    assert looked_through == []
