"""The book of one attempt: what was called, and whether a write was ever allowed."""

from dataclasses import asdict
from datetime import timedelta

import pytest

from tests.workers.fakes import account
from tests.workers.records import (
    LEASE,
    MINUTE,
    NOW,
    claim,
    job_of,
    job_row,
    jobs_of,
    rows,
)
from workers.errors import AccountBusy, LeaseLost, Stopped
from workers.journal import LEASE as JOURNAL_LEASE
from workers.journal import LedgerJournal
from workers.leavers import Outcome
from workers.ledger import moves
from workers.ledger import tables as t
from workers.ledger.store import BUSY_TIMEOUT_S
from workers.targets.base import Call
from workers.targets.http import CALL_BUDGET

LENA = account("lena")
A_WRITE = Call(
    "lifecycle.disable",
    "POST",
    "/users/id-of-lena/manage/lifecycle/disable",
    write=True,
    at=NOW,
    duration_ms=412,
    status=None,
    error="no answer in time",
)


def journal_of(ledger, owned, now=NOW) -> LedgerJournal:
    journal = LedgerJournal(ledger, owned, lambda: now)
    journal.go_by({})
    return journal


def test_a_lease_outlasts_a_call_and_the_wait_for_the_ledger_before_it():
    """Else another worker could take the job while a write of ours is still on its way."""
    assert CALL_BUDGET + 2 * timedelta(seconds=BUSY_TIMEOUT_S) <= JOURNAL_LEASE


def test_a_call_is_kept_as_it_was_made_also_when_it_failed(ledger):
    """`leaver job ID` shows it to whoever asks what happened."""
    owned = claim(ledger, job_of(ledger))

    journal_of(ledger, owned).record(A_WRITE)

    [kept] = rows(ledger, t.calls)
    assert {name: kept[name] for name in asdict(A_WRITE)} == asdict(A_WRITE)
    assert kept["attempt_id"] == owned.attempt


def test_a_journal_knows_that_something_may_have_been_written_from_the_leave_on(ledger):
    """Whether the write arrived is another question, which only the target can answer."""
    owned = claim(ledger, job_of(ledger))
    journal = journal_of(ledger, owned)
    journal.pin(LENA)
    assert not journal.wrote

    journal.intend("lifecycle.disable")

    assert journal.wrote
    assert job_row(ledger, owned.job)["intended_at"] == NOW


def test_the_next_attempt_of_the_round_knows_it_too(ledger):
    """Its worker died between the leave and the proof."""
    job = job_of(ledger)
    journal = journal_of(ledger, claim(ledger, job))
    journal.pin(LENA)
    journal.intend("lifecycle.disable")
    moves.take_back(ledger, job, actor="sweep", now=NOW + LEASE)

    assert journal_of(ledger, claim(ledger, job, now=NOW + LEASE)).wrote


def test_the_next_round_begins_without_a_write(ledger):
    """What is off by then was switched off in the round before, or by somebody else."""
    job = job_of(ledger)
    owned = claim(ledger, job)
    journal = journal_of(ledger, owned)
    journal.pin(LENA)
    journal.intend("lifecycle.disable")
    moves.finish(ledger, owned, Outcome.DEACTIVATED, now=NOW)
    moves.replay_by(ledger, job, actor="ops", why="again", now=NOW)

    assert not journal_of(ledger, claim(ledger, job)).wrote


def test_no_leave_is_given_before_it_was_said_what_it_takes(ledger):
    """Without a brake by the configuration is one thing, forgotten another."""
    owned = claim(ledger, job_of(ledger))
    journal = LedgerJournal(ledger, owned, lambda: NOW)
    journal.pin(LENA)

    with pytest.raises(RuntimeError, match="before it was said"):
        journal.intend("lifecycle.disable")

    assert job_row(ledger, owned.job)["intended_at"] is None


def test_a_leave_that_was_refused_is_no_write(ledger):
    """Nothing was sent, so an account that is off later was not our doing."""
    first, second = (claim(ledger, job) for job in jobs_of(ledger, 2))
    holder, journal = journal_of(ledger, first), journal_of(ledger, second)
    holder.pin(LENA)

    with pytest.raises(AccountBusy):
        journal.pin(LENA)
    journal.pin(account("bob"))
    moves.hold_by(ledger, second.job, actor="ops", why="wait", now=NOW)
    with pytest.raises(Stopped):
        journal.intend("lifecycle.disable")

    assert not journal.wrote
    assert job_row(ledger, second.job)["intended_at"] is None


def test_the_account_that_was_pinned_before_is_the_one_that_is_written_to(ledger):
    """Whoever goes on after a release works on the account of the first attempt."""
    job = job_of(ledger)
    owned = claim(ledger, job)
    moves.pin(ledger, owned, LENA.id, now=NOW, lease=LEASE)
    moves.give_back(ledger, owned, reason="worker_stopped", now=NOW)

    journal_of(ledger, claim(ledger, job)).intend("lifecycle.disable")

    assert [row["account_id"] for row in rows(ledger, t.accounts)] == [LENA.id]


def test_a_job_that_waits_for_its_turn_is_kept(ledger):
    """calls_per_second may make it wait for longer than a lease."""
    owned = claim(ledger, job_of(ledger))

    journal_of(ledger, owned, NOW + MINUTE).renew()

    assert job_row(ledger, owned.job)["lease_until"] == NOW + MINUTE + LEASE


def test_a_job_that_was_lost_while_it_waited_is_not_kept(ledger):
    """Somebody else works on it already."""
    owned = claim(ledger, job_of(ledger))
    moves.take_back(ledger, owned.job, actor="sweep", now=NOW + LEASE)

    with pytest.raises(LeaseLost):
        journal_of(ledger, owned, NOW + LEASE).renew()
