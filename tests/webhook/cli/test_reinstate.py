"""`leaver reinstate`: who gets the access back, and what the command says where nobody may."""

import pytest

from tests.workers.records import LEASE, claim, delivery, job_of, job_row, person, record, rows
from workers.leavers import AccountId, JobId, Outcome
from workers.ledger import moves
from workers.ledger import tables as t

WHY = ("--reason", "HR took it back")


def deactivated(ledger, job: JobId, now) -> JobId:
    """What a worker leaves behind that has switched the account off."""
    owned = claim(ledger, job, now=now)
    account = AccountId(f"of {job}")
    moves.pin(ledger, owned, account, now=now, lease=LEASE)
    moves.keep(ledger, owned, {"way": "deactivate"})
    moves.intend(ledger, owned, account, brakes={}, now=now, lease=LEASE)
    moves.finish(ledger, owned, Outcome.DEACTIVATED, now=now)
    return job


@pytest.fixture
def lena(ledger, now):
    return deactivated(ledger, job_of(ledger, "lena", at=now, cutoff=now), now)


def test_a_reinstatement_is_opened_and_named(leaver, ledger, lena):
    """The operator follows it by its id."""
    result = leaver.run("reinstate", lena[-8:], *WHY, "--force")

    [back] = [row for row in rows(ledger, t.jobs) if row["action"] == "reinstate"]
    assert (result.exit_code, result.stdout) == (0, f"{lena}  queued as {back['id']}\n")
    assert (back["state"], back["forced"]) == ("queued", True)
    assert leaver.json("job", back["id"])[0]["rounds"][0]["why"] == "HR took it back"


def test_a_list_of_jobs_says_which_of_them_give_back(leaver, lena):
    """Else it would look as if the person was to leave once more."""
    leaver.run("reinstate", lena, *WHY, "--force")

    heading, back, left = (line.split() for line in leaver.run("jobs").stdout.splitlines())

    to = heading.index("TO")
    assert (back[to], left[to]) == ("reinstate", "deactivate")


def test_without_the_word_of_hr_the_command_says_what_helps(leaver, ledger, lena):
    """Refused, and nothing is written."""
    result = leaver.run("reinstate", lena, *WHY)

    assert (result.exit_code, "--force enables the account" in result.stdout) == (1, True)
    assert len(rows(ledger, t.jobs)) == 1


def test_what_leaver_did_not_switch_off_is_refused(leaver, ledger, now, lena):
    """Of two jobs the one that can be given back is, and the other one is named."""
    other = job_of(ledger, "bob", at=now, cutoff=now)
    moves.finish(ledger, claim(ledger, other, now=now), Outcome.ALREADY_INACTIVE, now=now)

    result = leaver.run("reinstate", other, lena, *WHY, "--force", "--json")

    assert (result.exit_code, len(result.stdout.splitlines())) == (1, 2)
    assert "switched nothing off" in result.stdout.splitlines()[0]


def test_a_leaver_means_all_that_was_taken_from_the_person(leaver, ledger, now):
    """One command for two targets; where nothing was taken, nothing is given."""
    given = delivery(person(cutoff=now), targets=("cloud", "jira-dc", "labs"), at=now)
    first, second, third = record(ledger, given, now=now).jobs
    deactivated(ledger, first, now)
    deactivated(ledger, second, now)
    moves.cancel_by(ledger, third, actor="ops", why="not there", now=now)

    opened = leaver.json("reinstate", job_row(ledger, first)["leaver_id"], *WHY, "--force")

    assert [each["deactivation"] for each in opened] == [first, second]


def test_an_id_that_nobody_has_stops_it_before_it_does_anything(leaver, ledger, lena):
    """Half of what was asked for is a surprise."""
    result = leaver.run("reinstate", lena, "0190ffff-0000", *WHY, "--force")

    assert (result.exit_code, "no job or leaver has the id" in result.stderr) == (1, True)
    assert len(rows(ledger, t.jobs)) == 1
