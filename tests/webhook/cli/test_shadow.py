"""`leaver shadow report`: what an operator sees of it."""

from datetime import timedelta

import pytest

from tests.workers.records import LEASE, claim, delivery, job_of, person, record
from webhook.cli.output import when
from workers.leavers import (
    AccountId,
    Cutoff,
    Element,
    ElementKind,
    Leaver,
    LeaverKind,
    Outcome,
)
from workers.ledger import moves, sightings

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def noted(ledger, name, at):
    """A job that shadow mode ended, with its account."""
    job = job_of(ledger, name, at=at, cutoff=at)
    owned = claim(ledger, job, now=at)
    moves.pin(ledger, owned, AccountId(f"id-of-{name}"), now=at, lease=LEASE)
    moves.finish(ledger, owned, Outcome.WOULD_DEACTIVATE, now=at + 4 * HOUR / 3600)
    return job


@pytest.fixture
def lena(ledger, now):
    """Nobody touched her account."""
    job = noted(ledger, "lena", now - 3 * HOUR)
    [due] = sightings.take(ledger, ["cloud"], now=now, at_most=5)
    sightings.on(ledger, due, now - HOUR)
    return job


@pytest.fixture
def tom(ledger, now):
    """Somebody switched his off."""
    job = noted(ledger, "tom", now - 2 * DAY)
    [due] = sightings.take(ledger, ["cloud"], now=now - DAY, at_most=5)
    sightings.off(ledger, due, now - DAY, gone=False)
    return job


def test_those_whom_nobody_touched_are_listed_first_and_explained(leaver, tom, lena):
    """With job and account, so that somebody can look at each."""
    result = leaver.run("shadow", "report")
    lines = result.stdout.splitlines()
    table = lines[lines.index("") + 1 :]

    assert result.exit_code == 0
    assert [line.split()[:2] for line in table[1:]] == [
        [lena, "still_active"],
        [tom, "deactivated_by_hand"],
    ]
    assert table[1].split()[2:6] == ["lena@example.com", "hr", "cloud", "id-of-lena"]
    assert "still_active: Leaver would have switched the account off, and nobody" in result.stderr
    assert "leaver replay --outcome would_deactivate" in result.stderr


def test_a_row_says_why_nobody_knows_and_what_hr_took_back(leaver, ledger, now):
    """Both are for a person to judge."""
    at = now - 3 * DAY
    noted(ledger, "lena", at)
    noted(ledger, "tom", at)
    for each in sightings.take(ledger, ["cloud"], now=now, at_most=5):
        sightings.unseen(ledger, each, "profile.get: 403 forbidden")
    back = Leaver("tom@example.com", "tom", Cutoff(now), LeaverKind.RESCINDED, happened_at=now)
    said = Element(ElementKind.LEAVER, "taken back", employee_id="tom", leaver=back)
    record(ledger, delivery(said, at=now), now=now)

    lena, tom = leaver.run("shadow", "report").stdout.splitlines()[-2:]

    assert (lena.split()[1], tom.split()[1]) == ("not_seen_again", "taken_back")
    assert lena.endswith("; profile.get: 403 forbidden")
    assert tom.endswith(f"; HR took it back {when(now)}")


def test_the_report_begins_with_its_sum(leaver, ledger, now, tom, lena):
    """What somebody decides by, in a few lines."""
    held = job_of(ledger, "ada", at=now, cutoff=now)
    moves.hold(ledger, claim(ledger, held, now=now), reason="protected", now=now)

    assert leaver.run("shadow", "report").stdout.splitlines()[1:6] == [
        "3 leavers, 3 jobs",
        "Leaver would have switched off 2 accounts: half within 4s, 95 % within 4s",
        "People switched off 1 of them: half within 1d, 95 % within 1d (or up to 23h 59m earlier)",
        "Still active: 1.  Not read again: 0.  Taken back by HR: 0.",
        "Leaver would have waited for a person: 1 protected",
    ]


def test_a_brake_that_would_have_tripped_is_told(leaver, ledger, now):
    """Whoever goes live should not learn it on the busiest day."""
    for number in range(11):
        noted(ledger, f"person-{number}", now - 3 * HOUR)

    told = leaver.run("shadow", "report").stdout

    line = "The brake would have tripped: 11 leavers within 1h, where policy.brake lets 10 pass"
    assert line in told.splitlines()


def test_programs_are_told_the_same_in_one_document(leaver, tom, lena):
    """Summary and rows; durations are seconds."""
    [told] = leaver.json("shadow", "report")

    assert told["summary"]["verdicts"] == {"still_active": 1, "deactivated_by_hand": 1}
    assert told["summary"]["leaver_took"] == {"count": 2, "median_seconds": 4, "p95_seconds": 4}
    assert [row["job"] for row in told["rows"]] == [lena, tom]
    assert told["rows"][1]["people_seconds_at_most"] == DAY.total_seconds()


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        (["--since", "1d"], ["lena"]),
        (["--since", "7d"], ["lena", "tom"]),
        (["--source", "okta"], []),
        (["--target", "labs"], []),
        (["--source", "hr", "--target", "cloud"], ["lena", "tom"]),
    ],
)
def test_the_report_can_be_narrowed(leaver, tom, lena, words, shown):
    """To a time, an HR system or an Atlassian system."""
    [told] = leaver.json("shadow", "report", *words)

    assert sorted(row["email"].partition("@")[0] for row in told["rows"]) == shown


def test_what_matured_lately_is_reported_however_early_hr_said_it(leaver, ledger, now):
    """HR announces a leaving months ahead."""
    early = delivery(person("lena", cutoff=now - HOUR), at=now - 60 * DAY)
    [job] = record(ledger, early, now=now - 60 * DAY).jobs
    moves.mature(ledger, job, actor="w1", now=now)
    moves.finish(ledger, claim(ledger, job, now=now), Outcome.NO_ACCOUNT, now=now)

    [told] = leaver.json("shadow", "report")

    assert [row["verdict"] for row in told["rows"]] == ["no_account"]
