"""`leaver terminate`: an operator says who leaves, when and why."""

import os
import pwd
from contextlib import suppress
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.workers.records import NOW, everything
from webhook.acts.terminate import cutoff_said

WHY = ("--reason", "called in")
BERLIN = ZoneInfo("Europe/Berlin")


def test_a_leaver_has_a_job_in_every_target(leaver):
    """Whoever leaves loses all access, unless somebody says otherwise."""
    jobs = leaver.json("terminate", "Lena@example.com", *WHY)

    assert [(job["target"], job["state"]) for job in jobs] == [
        ("labs", "queued"),
        ("cloud", "queued"),
    ]
    assert {(job["email"], job["source"]) for job in jobs} == {("Lena@example.com", "operator")}


def test_the_targets_can_be_chosen(leaver):
    """Once each, however often they are named."""
    jobs = leaver.json(
        "terminate", "lena@example.com", *WHY, "--target", "labs", "--target", "labs"
    )

    assert [job["target"] for job in jobs] == ["labs"]


def test_the_record_says_who_entered_it_and_why(leaver):
    """No HR system sent it."""
    job, _ = leaver.json("terminate", "lena@example.com", *WHY)

    [told] = leaver.json("job", job["id"])

    assert (told["entered_by"], told["entered_reason"]) == (
        pwd.getpwuid(os.getuid()).pw_name,
        "called in",
    )


def test_it_says_what_waits_for_when(leaver):
    """A date far ahead is done in years, and not by accident now."""
    result = leaver.run("terminate", "lena@example.com", *WHY, "--at", "2099-06-30")

    assert (result.exit_code, result.stderr) == (0, "")
    assert "scheduled in cloud, due 2099-06-30 22:00:00Z" in result.stdout


def test_in_shadow_mode_it_says_that_nothing_will_be_changed(leaver):
    """Whoever enters a leaver by hand expects that it is done."""
    leaver.configure(mode="shadow")

    assert "nothing is changed" in leaver.run("terminate", "lena@example.com", *WHY).stderr


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["lena"], "is not one plain address"),
        (["Lena <lena@example.com>"], "is not one plain address"),
        (["lena@example.com", "--target", "nowhere"], "no target nowhere; configured: cloud, labs"),
        (["lena@example.com", "--at", "tomorrow"], "neither now, a date, nor a time"),
        (["lena@example.com", "--at", "2026-11-30T18:00:00"], "neither now, a date, nor a time"),
        (["lena@example.com", "--at", "9999-12-31"], "neither now, a date, nor a time"),
    ],
)
def test_what_is_unclear_is_refused(leaver, ledger, words, hint):
    """A person or a time is never guessed."""
    before = everything(ledger)

    result = leaver.run("terminate", *words, *WHY)

    assert (result.exit_code, hint in result.stderr) == (2, True)
    assert everything(ledger) == before


@pytest.mark.parametrize(
    ("said", "cutoff"),
    [
        ("now", NOW),
        ("2026-11-30", datetime(2026, 11, 30, 23, tzinfo=UTC)),
        ("2026-11-23", datetime(2026, 11, 23, 23, tzinfo=UTC)),
        ("2026-11-22", NOW),
        ("2026-11-30T18:00:00+01:00", datetime(2026, 11, 30, 17, tzinfo=UTC)),
        ("2026-11-30T18:00:00Z", datetime(2026, 11, 30, 18, tzinfo=UTC)),
        ("2020-01-01T00:00:00Z", NOW),
    ],
)
def test_when_means_an_instant(said, cutoff):
    """A date is the end of that day where the company is; nothing is due before now."""
    assert cutoff_said(said, BERLIN, now=NOW).at == cutoff


@given(
    st.text()
    | st.dates().map(str)
    | st.datetimes(timezones=st.timezones() | st.none()).map(lambda when: when.isoformat())
)
def test_whatever_is_said_is_an_instant_ahead_or_refused(said):
    """No text makes a traceback, or a cutoff before now."""
    with suppress(ValueError):
        assert cutoff_said(said, BERLIN, now=NOW).at >= NOW
