"""Transactions: whole or not at all, on disk when they return, honest when there are none."""

import sqlite3
import threading
from contextlib import closing
from datetime import UTC, datetime, timedelta, timezone

import pytest
import sqlalchemy as sa

from tests.workers.records import NOW, delivery, job_of, person, record, rows
from workers.ledger import LedgerUnavailable, store
from workers.ledger import tables as t

ROW = {"name": "w1", "started_at": NOW, "seen_at": NOW}


def test_a_transaction_that_breaks_leaves_nothing(ledger):
    """A crash between two lines can neither lose nor double a leaver."""

    def break_off(tx):
        tx.execute(sa.insert(t.workers).values(ROW))
        raise RuntimeError

    with pytest.raises(RuntimeError), ledger.write() as tx:
        break_off(tx)

    assert rows(ledger, t.workers) == []


def test_sqlite_writes_to_the_disk_before_a_commit_returns(opened, tmp_path):
    """The commit is the acceptance: only then the sender hears 2xx."""
    ledger = opened(f"sqlite:///{tmp_path}/leaver.db")

    with ledger.read() as tx:
        found = [tx.scalar(sa.text(f"PRAGMA {name}")) for name in ("journal_mode", "synchronous")]

    full = 2
    assert found == ["wal", full]


def test_a_new_file_is_set_up_as_soon_as_another_process_lets_it(opened, tmp_path):
    """Receiver, console and workers may be started in the same second on an empty ledger."""
    file = tmp_path / "leaver.db"
    elsewhere = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
    with closing(elsewhere):
        elsewhere.execute("BEGIN IMMEDIATE")
        release = threading.Timer(0.2, elsewhere.rollback)
        release.start()

        opened(f"sqlite:///{file}").ping()

        release.join()


def test_a_reader_sees_one_moment(ledger):
    """Figures that are counted one after the other must still fit together."""
    with ledger.read() as tx:
        before = tx.scalar(sa.select(sa.func.count()).select_from(t.jobs))
        job_of(ledger)
        after = tx.scalar(sa.select(sa.func.count()).select_from(t.jobs))

    assert (before, after) == (0, 0)


def test_a_reader_does_not_make_a_writer_wait(ledger):
    """An operator's long list must not delay a delivery."""
    with ledger.read() as tx:
        tx.execute(sa.select(t.jobs)).all()

        recorded = record(ledger, delivery(person()))

    assert recorded.jobs


@pytest.mark.parametrize("elsewhere", [timezone(timedelta(hours=9)), timezone(timedelta(hours=-5))])
def test_instants_come_back_as_the_same_instants_in_utc(ledger, elsewhere):
    """Due times are compared as text in SQLite: only one way of writing them may exist."""
    with ledger.write() as tx:
        tx.execute(sa.insert(t.workers).values(ROW | {"seen_at": NOW.astimezone(elsewhere)}))

    [row] = rows(ledger, t.workers)
    assert (row["seen_at"], row["seen_at"].tzinfo) == (NOW, UTC)


def test_a_time_without_a_zone_is_refused(ledger):
    """Which instant it means is anybody's guess."""
    with pytest.raises(sa.exc.StatementError, match="aware"), ledger.write() as tx:
        tx.execute(sa.insert(t.workers).values(ROW | {"seen_at": datetime(2026, 11, 23)}))  # noqa: DTZ001 - the point


# --- Unavailable is what the receiver answers 503 to, and what leaves a job to its lease ---


def test_a_ledger_whose_folder_is_gone_is_unavailable(opened, tmp_path):
    """A disk that is not mounted."""
    ledger = opened(f"sqlite:///{tmp_path}/missing/leaver.db")

    with pytest.raises(LedgerUnavailable):
        record(ledger, delivery(person()))


def test_a_file_that_is_no_database_is_unavailable(opened, tmp_path):
    """A broken disk."""
    (tmp_path / "leaver.db").write_bytes(b"no database" * 1000)
    ledger = opened(f"sqlite:///{tmp_path}/leaver.db")

    with pytest.raises(LedgerUnavailable):
        record(ledger, delivery(person()))


def test_a_ledger_that_another_process_writes_to_for_too_long_is_unavailable(
    opened, tmp_path, monkeypatch
):
    """The sender hears 503 and comes again; nobody waits for ever."""
    monkeypatch.setattr(store, "BUSY_TIMEOUT_S", 0.1)
    url = f"sqlite:///{tmp_path}/leaver.db"
    ledger, elsewhere = opened(url), opened(url)
    ledger.migrate()

    with elsewhere.write(), pytest.raises(LedgerUnavailable):
        record(ledger, delivery(person()))


def test_a_ledger_that_another_thread_writes_to_for_too_long_is_unavailable(
    opened, tmp_path, monkeypatch
):
    """The same inside one process."""
    monkeypatch.setattr(store, "BUSY_TIMEOUT_S", 0.1)
    ledger = opened(f"sqlite:///{tmp_path}/leaver.db")
    ledger.migrate()
    raised = []

    def write():
        try:
            ledger.ping()
        except LedgerUnavailable as error:
            raised.append(error)

    with ledger.write():
        other = threading.Thread(target=write)
        other.start()
        other.join()

    assert len(raised) == 1


def test_a_postgresql_that_is_down_is_unavailable_and_works_again_when_it_is_back(opened, postgres):
    """Restarting the database costs seconds, and nobody restarts Leaver for it."""
    ledger = opened(postgres.database_url())
    ledger.migrate()

    postgres.stop()
    with pytest.raises(LedgerUnavailable):
        record(ledger, delivery(person()))
    postgres.start()

    assert record(ledger, delivery(person())).jobs


def test_a_postgresql_that_became_a_standby_is_unavailable(opened, postgres):
    """After a fail-over the old address may still answer, and take no writes."""
    url = postgres.database_url()
    primary = opened(url)
    primary.migrate()
    standby = opened(f"{url}?options=-cdefault_transaction_read_only%3Don")

    with pytest.raises(LedgerUnavailable):
        record(standby, delivery(person()))


def test_what_is_our_own_mistake_is_not_called_unavailable(ledger):
    """A 503 would have the sender repeat for ever what can never be written."""
    with pytest.raises(sa.exc.IntegrityError), ledger.write() as tx:
        tx.execute(sa.insert(t.workers).values(name="w1", started_at=None, seen_at=NOW))
