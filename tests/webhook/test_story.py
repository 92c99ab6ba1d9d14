"""The steps of a job, told from a real ledger."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import click
import pytest

from tests.workers.records import NOW, SECOND, claim, delivery, job_of, person, record
from webhook.story import Teller, steps
from workers.journal import LedgerJournal
from workers.leavers import AccountId, JobId, Outcome
from workers.ledger import Ledger, moves, reinstatements
from workers.ledger.moves import Claim
from workers.ledger.queries import jobs
from workers.targets.base import Access, Account, Call, Way

ACCOUNT = Account(AccountId("712020:lena"), "lena@example.com", Access.ACTIVE, Way.DEACTIVATE)


@pytest.fixture
def ledger(opened: Callable[[str], Ledger], tmp_path: Path) -> Ledger:
    """An empty ledger."""
    ledger = opened(f"sqlite:///{tmp_path / 'leaver.db'}")
    ledger.migrate()
    return ledger


def call(journal: LedgerJournal, name: str, second: int, status: int = 200) -> None:
    """An answered call, so many seconds after the job came in."""
    error = "" if status < 400 else "said the target"
    at = NOW + second * SECOND
    journal.record(Call(name, "GET", f"/{name}", name.endswith("able"), at, 30, status, error))


def attempt(ledger: Ledger, job: JobId) -> tuple[Claim, LedgerJournal]:
    """A worker takes the job a second after it came in, and finds the account."""
    claimed = claim(ledger, job, now=NOW + SECOND)
    journal = LedgerJournal(ledger, claimed, lambda: NOW + SECOND)
    journal.go_by({})
    call(journal, "users.search", 2)
    journal.pin(ACCOUNT)
    call(journal, "profile.get", 3)
    return claimed, journal


def finish(ledger: Ledger, claimed: Claim) -> None:
    moves.finish(ledger, claimed, Outcome.DEACTIVATED, now=NOW + 9 * SECOND)


def words(ledger: Ledger, job: JobId) -> list[str]:
    return [step.word for step in steps(jobs.one(ledger, job))]


def test_the_whole_road_is_told_in_order(ledger):
    """It is what a newcomer believes us by."""
    job = job_of(ledger)
    claimed, journal = attempt(ledger, job)
    call(journal, "lifecycle.disable", 4)
    call(journal, "profile.get", 5)
    finish(ledger, claimed)

    told = steps(jobs.one(ledger, job))

    assert [(step.word, (step.at - NOW).seconds) for step in told] == [
        ("verified", 0),
        ("recorded", 0),
        ("woken", 1),
        ("found", 2),
        ("deactivated", 4),
        ("read back", 5),
        ("done", 9),
    ]


def test_inactive_is_not_told_before_it_is_known(ledger):
    """The ledger keeps that the account was read, not what it said; the next move shows it."""
    job = job_of(ledger)
    claimed, journal = attempt(ledger, job)
    call(journal, "lifecycle.disable", 4)

    call(journal, "profile.get", 5)
    after_one_read = words(ledger, job)
    call(journal, "profile.get", 6)
    after_two_reads = steps(jobs.one(ledger, job))[-1]
    finish(ledger, claimed)

    assert "read back" not in after_one_read
    assert "still active" in after_two_reads.text
    assert "inactive" in steps(jobs.one(ledger, job))[-2].text


def test_a_read_before_any_write_proves_nothing(ledger):
    """Calling it a proof would be the very lie that we are here to prevent."""
    job = job_of(ledger)
    claimed, _journal = attempt(ledger, job)
    moves.finish(ledger, claimed, Outcome.ALREADY_INACTIVE, now=NOW + 9 * SECOND)

    assert "read back" not in words(ledger, job)
    assert "before Leaver wrote" in steps(jobs.one(ledger, job))[-1].text


def test_what_fails_is_told_with_its_reason(ledger):
    """Ordered faults are there to be seen."""
    job = job_of(ledger)
    claimed = claim(ledger, job)
    journal = LedgerJournal(ledger, claimed, lambda: NOW)
    call(journal, "users.search", 1, status=503)
    due_at = NOW + timedelta(minutes=1)
    moves.again(ledger, claimed, due_at, reason="unavailable", now=NOW + 2 * SECOND)

    answered, retrying = steps(jobs.one(ledger, job))[-2:]

    assert (answered.word, answered.text) == ("answered", "users.search: 503")
    assert (retrying.word, "keeps failing" in retrying.text) == ("retrying", True)


def test_each_round_keeps_its_own_end(ledger):
    """A replay of what is off already does not make its first round a lie."""
    job = job_of(ledger)
    finish(ledger, attempt(ledger, job)[0])
    moves.replay_by(ledger, job, actor="ada", why="to see", now=NOW + 10 * SECOND)
    again = claim(ledger, job, now=NOW + 11 * SECOND)
    moves.finish(ledger, again, Outcome.ALREADY_INACTIVE, now=NOW + 12 * SECOND)

    ends = [step.text for step in steps(jobs.one(ledger, job)) if step.word == "done"]

    assert ends[0] == "deactivated"
    assert ends[1].startswith("already_inactive: ")


def test_a_reinstatement_is_told_the_other_way_round(ledger):
    """Nobody signed it, and what is read back is that the account is on."""
    left = job_of(ledger)
    claimed, journal = attempt(ledger, left)
    journal.keep(ACCOUNT)
    journal.intend("lifecycle.disable")
    finish(ledger, claimed)
    known = {"force": True, "hr_is_asked": False, "now": NOW + 10 * SECOND}
    back = reinstatements.reinstate(ledger, left, actor="ada", why="a mistake", **known)
    claimed = claim(ledger, back, now=NOW + 10 * SECOND)
    journal = LedgerJournal(ledger, claimed, lambda: NOW + 10 * SECOND)
    call(journal, "lifecycle.enable", 11)
    call(journal, "profile.get", 12)
    reinstatements.finish(ledger, claimed, Outcome.REINSTATED, now=NOW + 13 * SECOND)

    told = steps(jobs.one(ledger, back))

    assert [step.word for step in told] == ["recorded", "woken", "enabled", "read back", "done"]
    assert told[3].text == "active, says the account itself"


def test_a_teller_tells_each_step_once(ledger):
    """It is asked again and again while something happens."""
    said: list[str] = []
    teller = Teller(ledger, lambda line: said.append(click.unstyle(line)))
    job = job_of(ledger)
    teller.tell()
    teller.tell()
    finish(ledger, attempt(ledger, job)[0])
    teller.tell()
    moves.replay_by(ledger, job, actor="ada", why="to see", now=NOW + 10 * SECOND)
    teller.tell()

    told = [line.split()[2] for line in said if line.startswith("  ")]
    assert told == ["verified", "recorded", "woken", "found", "done", "queued"]


def test_a_teller_says_whom_it_speaks_of(ledger):
    """Several leave at once, and their steps come mixed."""
    said: list[str] = []
    teller = Teller(ledger, lambda line: said.append(click.unstyle(line)))
    record(ledger, delivery(person("lena"), person("tom")))

    teller.tell()

    headings = [line.strip() for line in said if not line.startswith("  ")]
    assert headings == ["lena@example.com leaves", "tom@example.com leaves"]
