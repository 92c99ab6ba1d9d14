"""`leaver jobs` and `leaver job` show what the ledger holds, to people and to programs."""

import re
from datetime import timedelta

import pytest

from tests.workers.records import claim, delivery, job_of, person, record
from workers.journal import LedgerJournal
from workers.leavers import Outcome
from workers.ledger import moves
from workers.targets.base import Call


def held(ledger, name, now):
    job = job_of(ledger, name, at=now, cutoff=now)
    moves.hold(ledger, claim(ledger, job, now=now), reason="protected", now=now)
    return job


def done(ledger, name, now):
    job = job_of(ledger, name, at=now, cutoff=now)
    moves.finish(ledger, claim(ledger, job, now=now), Outcome.DEACTIVATED, now=now)
    return job


def test_a_job_is_one_line_of_plain_columns_in_a_pipe(leaver, ledger, now):
    """What goes to awk and grep has whole ids and nothing between the lines."""
    job = held(ledger, "lena", now)

    heading, line = leaver.run("jobs").stdout.splitlines()

    assert heading.split()[:4] == ["ID", "STATE", "WHY", "E-MAIL"]
    assert line.split()[:6] == [job, "held", "protected", "lena@example.com", "hr", "cloud"]


def test_the_reasons_in_a_list_are_explained_beside_it(leaver, ledger, now):
    """The word alone tells nobody what to do."""
    held(ledger, "lena", now)

    told = leaver.run("jobs").stderr

    assert "protected: policy.protected names the e-mail address" in told
    assert "`leaver release ID --reason TEXT`" in told


def test_a_terminal_shows_whole_ids_whatever_its_width(leaver, ledger, now):
    """An id that is cut or broken cannot be copied into the next command."""
    job = held(ledger, "lena", now)

    code, seen = leaver.on_terminal("jobs")

    assert (code, job in seen, "lena@example.com" in seen) == (0, True, True)
    assert "protected: policy.protected names" in seen


def test_json_is_one_object_a_line(leaver, ledger, now):
    """Programs read it line by line."""
    record(ledger, delivery(person("lena"), person("tom"), at=now))

    assert [each["email"] for each in leaver.json("jobs")] == [
        "tom@example.com",
        "lena@example.com",
    ]


@pytest.mark.parametrize(
    "filters",
    [
        ["--state", "done"],
        ["--outcome", "deactivated"],
        ["--email", "LENA@example.com"],
        ["--since", "1h", "--source", "hr", "--target", "cloud"],
    ],
)
def test_filters_show_what_fits(leaver, ledger, now, filters):
    """Whoever is called asks for one person, or for what failed today."""
    job = done(ledger, "lena", now)
    early = now - timedelta(hours=2)
    job_of(ledger, "tom", at=early, cutoff=early)

    assert [each["id"] for each in leaver.json("jobs", *filters)] == [job]


@pytest.mark.parametrize(("days", "found"), [(0, 1), (1, 0)])
def test_jobs_are_found_from_a_day_on(leaver, ledger, now, days, found):
    """As one says it: since the 24th.  The day is one in UTC, as all times are."""
    done(ledger, "lena", now)

    assert len(leaver.json("jobs", "--since", now.date() + timedelta(days=days))) == found


def test_a_reason_word_is_a_filter(leaver, ledger, now):
    """All jobs with one trouble are mended together."""
    job = held(ledger, "lena", now)
    done(ledger, "tom", now)

    assert [each["id"] for each in leaver.json("jobs", "--reason", "protected")] == [job]


@pytest.mark.parametrize("option", ["--state", "--outcome", "--reason"])
def test_an_unknown_word_is_refused_with_those_that_exist(leaver, option):
    """A typing error must not read as "there are none"."""
    result = leaver.run("jobs", option, "dunno")

    assert result.exit_code == 2
    assert "'dunno' is not one of '" in result.stderr


@pytest.mark.parametrize("span", ["2", "yesterday", "-1h", "0s", "2026-11-31"])
def test_a_span_that_is_none_is_refused_with_an_example(leaver, span):
    """Units are never guessed."""
    result = leaver.run("jobs", "--since", span)

    assert result.exit_code == 2
    assert re.search(r"such as \d+d", result.stderr)


def test_a_table_says_when_it_does_not_show_all(leaver, ledger, now):
    """A hundred lines that look like everything hide the rest."""
    record(ledger, delivery(*(person(f"p{number}") for number in range(101)), at=now))

    table, lines = leaver.run("jobs"), leaver.json("jobs")

    assert len(table.stdout.splitlines()) == 101
    assert "The newest 100 of 101 jobs; --limit 101 shows all." in table.stderr
    assert len(lines) == 101


def test_a_limit_shows_the_newest(leaver, ledger, now):
    """In a table as in JSON."""
    record(ledger, delivery(person("lena"), person("tom"), at=now))

    assert [each["email"] for each in leaver.json("jobs", "--limit", 1)] == ["tom@example.com"]
    assert "The newest 1 of 2 jobs" in leaver.run("jobs", "--limit", 1).stderr


def test_no_job_is_said_and_is_no_error(leaver):
    """Silence would leave it open whether the command worked."""
    result = leaver.run("jobs")

    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "No job fits.\n")


def test_one_job_shows_rounds_attempts_calls_and_audit_trail(leaver, ledger, now):
    """Everything that was done for this person, without another tool."""
    job = job_of(ledger, "lena", at=now, cutoff=now)
    claimed = claim(ledger, job, now=now)
    call = Call("lifecycle.disable", "POST", "/users/1/manage", True, now, 42, status=409)
    LedgerJournal(ledger, claimed, lambda: now).record(call)
    moves.fail(ledger, claimed, reason="gave_up", detail="said the target", now=now)
    moves.replay_by(ledger, job, actor="eve", why="mended", now=now)

    told = leaver.run("job", job).stdout

    assert "round 1, opened" in told
    assert "attempt 1" in told
    assert "409  42 ms  lifecycle.disable  POST /users/1/manage  writes" in told
    assert "failed (gave_up) said the target" in told
    assert "by eve: mended" in told
    assert "replay" in told


def test_one_job_in_json_is_the_job_with_more(leaver, ledger, now):
    """A program that reads `leaver jobs` reads `leaver job` as well."""
    job = done(ledger, "lena", now)

    [listed] = leaver.json("jobs")
    [told] = leaver.json("job", job)

    assert listed.items() <= told.items()
    assert [each["outcome"] for each in told["rounds"]] == ["deactivated"]


def test_an_outcome_is_explained(leaver, ledger, now):
    """`suspended` and `deactivated` are not the same promise."""
    job = done(ledger, "lena", now)

    assert (
        "Leaver switched the account off, and read back that it is off."
        in leaver.run("job", job).stdout
    )


def test_a_part_of_an_id_is_enough(leaver, ledger, now):
    """Its end is what differs between jobs of one minute."""
    job = done(ledger, "lena", now)

    assert leaver.json("job", job[-8:])[0]["id"] == job


def test_an_id_that_is_not_there_is_said_in_one_line(leaver):
    """Nothing was found is no traceback."""
    result = leaver.run("job", "0123456789")

    assert (result.exit_code, result.stderr) == (1, "Error: no job has the id 0123456789\n")


def test_a_name_that_would_steer_the_terminal_is_shown_and_not_sent(leaver, ledger, now):
    """What comes from outside must not write over an operator's screen."""
    job = job_of(ledger, "lena", at=now, cutoff=now)
    moves.hold_by(ledger, job, actor="eve", why="\x1b[2Jgone\u202e", now=now)

    for told in (leaver.run("job", job).stdout, leaver.on_terminal("job", job)[1]):
        assert r"\x1b[2Jgone\u202e" in told
