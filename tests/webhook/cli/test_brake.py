"""`leaver brake`: what an operator sees of it, and how many leavers go on."""

import json

import pytest

from config.settings import Policy
from tests.workers.records import LEASE, claim, delivery, job_row, open_alarms, person, record, rows
from workers.errors import Braked
from workers.leavers import AccountId, Outcome
from workers.ledger import due, moves
from workers.ledger import tables as t

WHY = ("--reason", "the office in Graz is closed")
LIMIT = 10  # of the default, within an hour


@pytest.fixture
def jobs(ledger, now):
    """So many leavers that three of them wait."""
    brakes = {"": Policy(timezone="UTC").brake}
    people = [person(f"person-{number}", cutoff=now) for number in range(LIMIT + 3)]
    jobs = record(ledger, delivery(*people, at=now), now=now).jobs
    for job in jobs:
        owned = claim(ledger, job, now=now)
        try:
            moves.intend(ledger, owned, AccountId(f"a-{job}"), brakes=brakes, now=now, lease=LEASE)
        except Braked as against:
            moves.hold(ledger, owned, reason="brake", detail=str(against), now=now)
        else:
            moves.finish(ledger, owned, Outcome.DEACTIVATED, now=now)
    return jobs


def test_an_open_brake_shows_its_windows(leaver, ledger):
    """Before anything has happened, too."""
    result = leaver.run("brake")

    assert result.exit_code == 0
    assert "all sources: open" in result.stdout
    assert "10 leavers within 1h: 0 passed, room for 10" in result.stdout


def test_a_tripped_brake_says_who_waits_and_asks_for_attention(leaver, jobs):
    """Exit code 3, for a script that looks every minute."""
    result = leaver.run("brake")

    assert result.exit_code == 3
    assert "3 leavers (3 jobs) wait for a person" in result.stdout
    assert "leaver brake release --leavers N" in result.stderr


def test_the_brake_tells_programs_the_same(leaver, jobs):
    """One document."""
    result = leaver.run("brake", "--json")

    [over_all] = json.loads(result.stdout)["brakes"]
    assert (over_all["source"], over_all["waiting"]) == (None, 3)
    assert over_all["windows"][0] == {"leavers": 10, "per": "1h", "used": 10, "room": 0}


def test_a_release_lets_so_many_go_and_says_who_still_waits(leaver, ledger, jobs):
    """The workers find them by themselves; the audit trail has the operator's words."""
    [told] = leaver.json("brake", "release", "--leavers", 2, *WHY)

    assert told == {"released": 2, "allowance": 0, "waiting": 1}
    assert due.let_go(ledger) == list(jobs[LIMIT : LIMIT + 2])
    [entry] = rows(ledger, t.audit, t.audit.c.action == "release the brake")
    assert entry["detail"] == "2 leavers: the office in Graz is closed"
    assert open_alarms(ledger) == [("brake", "all")]


def test_a_release_of_more_than_wait_says_what_is_left(leaver, ledger, jobs):
    """Those who come next may pass, and the operator knows how many."""
    result = leaver.run("brake", "release", "--leavers", 5, *WHY)

    assert result.stdout.splitlines() == [
        "3 leavers let go on, 0 leavers still wait",
        "2 more may pass beyond the windows when they come",
    ]
    assert "2 more may pass beyond that" in leaver.run("brake").stdout


@pytest.mark.parametrize(
    "words", [["--leavers", 2], ["--leavers", 2, "--reason", " "], ["--leavers", -1, *WHY], [*WHY]]
)
def test_a_release_without_a_number_and_a_reason_does_nothing(leaver, ledger, jobs, words):
    """Both are what makes it somebody's decision."""
    result = leaver.run("brake", "release", *words)

    assert result.exit_code == 2
    assert due.let_go(ledger) == []


def test_a_release_for_an_unknown_source_does_nothing(leaver, ledger, jobs):
    """A mistyped name would let nobody pass, in silence."""
    result = leaver.run("brake", "release", "--leavers", 2, "--source", "rh", *WHY)

    assert (result.exit_code, "known: hr, standard, okta, operator" in result.stderr) == (2, True)


def test_the_job_says_how_to_go_on(leaver, ledger, jobs):
    """Whoever looks at one person first must learn that it is about all."""
    shown = leaver.run("job", jobs[LIMIT])

    assert (
        "policy.brake: 10 leavers within 1h have passed" in job_row(ledger, jobs[LIMIT])["detail"]
    )
    assert "leaver brake release --leavers N" in shown.stdout + shown.stderr


def test_where_a_second_person_is_asked_for_the_brake_is_released_in_the_console(
    leaver, ledger, jobs, monkeypatch
):
    """Whoever entered the flood would let it pass themselves."""
    monkeypatch.setenv("LEAVER_POLICY__APPROVE", "manual")
    before = rows(ledger, t.brakes)

    result = leaver.run("brake", "release", "--leavers", 2, *WHY)

    assert (result.exit_code, "in the console, at /brake" in result.stderr) == (2, True)
    assert rows(ledger, t.brakes) == before
