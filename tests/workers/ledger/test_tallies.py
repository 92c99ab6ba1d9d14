"""How many there are of each kind is known without counting, and exactly.

What becomes of jobs, move by move, is in test_machine.py.
"""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import sqlalchemy as sa
from alembic import command

from tests.workers.records import (
    DEDUP_WINDOW,
    NOW,
    claim,
    counted,
    delivery,
    job_of,
    jobs_of,
    person,
    record,
    rows,
    tallied,
)
from workers.leavers import Element, ElementKind, Outcome
from workers.ledger import moves, quarantine, tallies
from workers.ledger import tables as t
from workers.ledger.store import alembic_config

UNREADABLE = Element(ElementKind.QUARANTINED, "key of nobody", reason="missing_email")


def work_off(ledger, job) -> None:
    moves.finish(ledger, claim(ledger, job), Outcome.NO_ACCOUNT, now=NOW)


def test_a_delivery_counts_as_what_it_has_become(ledger):
    """Metrics would tell for ever of a quarantine that was emptied long ago."""
    dismissed = record(ledger, delivery(UNREADABLE)).delivery
    quarantine.dismiss(ledger, dismissed, actor="eve", why="nobody", now=NOW)
    read = delivery(UNREADABLE, body=b"2")
    reading = delivery(person("ada"), body=b"2")
    about = {"actor": "eve", "why": "mended", "now": NOW, "dedup_window": DEDUP_WINDOW}
    quarantine.take(ledger, record(ledger, read).delivery, reading, **about)

    assert tallied(ledger, "deliveries") == {
        ("hr", "", "ignored", "", ""): 1,
        ("hr", "", "accepted", "", ""): 1,
    }


def test_a_dry_run_leaves_the_tallies_alone(ledger):
    """Whoever only looks must not move a metric."""
    wanted = record(ledger, delivery(UNREADABLE)).delivery
    reading = delivery(person("ada"))
    about = {"actor": "eve", "why": "look", "now": NOW, "dedup_window": DEDUP_WINDOW}

    quarantine.take(ledger, wanted, reading, **about, dry_run=True)

    assert tallied(ledger, "deliveries") == {("hr", "", "quarantined", "", ""): 1}
    assert tallied(ledger, "jobs") == {}


def test_each_repetition_is_counted(ledger):
    """A sender that repeats everything is found by this metric."""
    for _ in range(3):
        record(ledger, delivery(person("ada")))

    assert tallied(ledger, "repetitions") == {("hr", "", "", "", ""): 2}


def test_folding_leaves_one_note_for_each_kind_and_the_same_sums(ledger, monkeypatch):
    """Notes that only gather would make each scrape slower than the one before."""
    monkeypatch.setattr(tallies, "GATHERED", 1)
    for job in jobs_of(ledger, 5)[:3]:
        work_off(ledger, job)
    before = tallied(ledger, "jobs") | tallied(ledger, "deliveries")

    tallies.fold(ledger)

    assert tallied(ledger, "jobs") | tallied(ledger, "deliveries") == before
    assert len(rows(ledger, t.tallies)) == len(before)


def test_few_notes_are_left_as_they_are(ledger):
    """On SQLite each fold is a write, which everybody else waits for."""
    job_of(ledger)
    notes = rows(ledger, t.tallies)

    tallies.fold(ledger)

    assert rows(ledger, t.tallies) == notes


def test_workers_that_move_jobs_and_fold_at_once_lose_no_count(ledger, monkeypatch):
    """A figure that is wrong once is wrong for ever."""
    monkeypatch.setattr(tallies, "GATHERED", 1)
    jobs = jobs_of(ledger, 24)

    def work(job) -> None:
        moves.finish(
            ledger, claim(ledger, job, concurrency={"cloud": 99}), Outcome.NO_ACCOUNT, now=NOW
        )
        tallies.fold(ledger)

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(work, jobs))

    assert tallied(ledger, "jobs") == counted(rows(ledger, t.jobs))


def test_what_is_there_when_the_ledger_is_migrated_is_counted_once(opened, ledger_url):
    """Whoever updates keeps the figures of all the years."""
    ledger = opened(ledger_url)
    with ledger.write() as tx:
        config = alembic_config()
        config.attributes["connection"] = tx
        command.upgrade(config, "0004")
        tx.execute(sa.insert(t.deliveries), [_delivery(name, name == "2") for name in "123"])
        tx.execute(sa.insert(t.leavers), [_leaver(name) for name in "12"])
        tx.execute(sa.insert(t.jobs), [_job("1", outcome="no_account"), _job("2", reason="brake")])

    ledger.migrate()

    assert tallied(ledger, "deliveries") == {("hr", "", "accepted", "", ""): 3}
    assert tallied(ledger, "repetitions") == {("hr", "", "", "", ""): 5}
    assert tallied(ledger, "jobs") == counted(rows(ledger, t.jobs))


def _delivery(name: str, repeated: bool) -> dict[str, Any]:
    about = {"source": "hr", "received_at": NOW, "status": "accepted", "body_hash": "", "facts": {}}
    return {"id": name, "repeats": 5 * repeated, **about}


def _leaver(name: str) -> dict[str, Any]:
    about = {"person": name, "employee_id": name, "email": "", "kind": "terminated"}
    return {"id": name, "source": "hr", "cutoff": NOW, "created_at": NOW, **about}


def _job(leaver: str, *, outcome: str | None = None, reason: str = "") -> dict[str, Any]:
    about = {"source": "hr", "target": "cloud", "action": "deactivate", "email": "", "cutoff": NOW}
    state = {"state": "done" if outcome else "held", "outcome": outcome, "reason": reason}
    times = {"due_at": NOW, "received_at": NOW, "standing": "leaving"}
    return {"id": leaver, "leaver_id": leaver, **about, **state, **times}
