"""When access must be gone, out of all that a body may say of it."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.sources import Dated
from webhook.sources.cutoff import Said, cutoff_from
from webhook.sources.fields import Unusable

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
END_OF_27TH = datetime(2026, 11, 27, 23, 0, tzinfo=UTC)
END_OF_30TH = datetime(2026, 11, 30, 23, 0, tzinfo=UTC)
EVERYTHING: dict[str, Any] = {
    "access_revocation": "2026-11-26T17:00:00+01:00",
    "immediate": True,
    "last_day": "2026-11-27",
    "termination_date": "2026-11-30",
}


def cutoff(*, now: datetime = NOW, zone: ZoneInfo = BERLIN, settings: Any = None, **said: Any):
    configured = Dated.model_validate(
        {"secrets": ["test-key-not-a-secret"], "tolerance": "5m"} | (settings or {})
    )
    return cutoff_from(Said(**said), configured, zone=zone, now=now)


@pytest.mark.parametrize(
    ("missing", "at"),
    [
        ([], datetime(2026, 11, 26, 16, 0, tzinfo=UTC)),
        (["access_revocation"], NOW),
        (["access_revocation", "immediate"], END_OF_27TH),
        (["access_revocation", "immediate", "last_day"], END_OF_30TH),
    ],
)
def test_the_first_that_is_said_counts(missing, at):
    """Somebody on garden leave is still employed, and must be out all the same."""
    said = {name: value for name, value in EVERYTHING.items() if name not in missing}

    assert cutoff(**said).at == at


def test_the_order_is_the_customers():
    """Some pay until the last day of work, and let people in until the termination date."""
    settings = {"cutoff_order": ["termination_date", "last_day"]}

    assert cutoff(settings=settings, **EVERYTHING).at == END_OF_30TH


def test_what_is_not_in_the_order_is_not_read():
    """Then it may hold whatever the customer's HR puts there."""
    settings = {"cutoff_order": ["last_day"]}

    said = EVERYTHING | {"access_revocation": "?", "immediate": "?", "termination_date": "?"}

    assert cutoff(settings=settings, **said).at == END_OF_27TH
    with pytest.raises(Unusable, match="bad_date: says none of last_day"):
        cutoff(settings=settings, termination_date="2026-11-30")


@pytest.mark.parametrize(("reason", "at"), [("gross MISCONDUCT", NOW), ("Pension", END_OF_30TH)])
def test_a_reason_can_mean_now(reason, at):
    """Who is dismissed on the spot must not keep access until midnight."""
    settings = {"immediate_reasons": ["Gross misconduct"]}

    assert cutoff(settings=settings, reason=reason, termination_date="2026-11-30").at == at


@pytest.mark.parametrize("flag", [False, "false", "False", "", None])
def test_what_does_not_say_immediate_leaves_the_date(flag):
    """A flag that is there and off must not end anybody's access early."""
    assert cutoff(immediate=flag, termination_date="2026-11-30").at == END_OF_30TH


@pytest.mark.parametrize(
    "said",
    [
        {"access_revocation": "2026-11-20T17:00:00Z"},
        {"last_day": "2026-11-20"},
        {"termination_date": "2026-11-20"},
    ],
)
def test_the_past_means_now(said):
    """A cutoff before the event would make the job look late from the start."""
    assert cutoff(**said).at == NOW


@pytest.mark.parametrize(
    ("day", "hours"), [("2026-03-29", 23), ("2026-10-25", 25), ("2026-06-15", 24)]
)
def test_a_day_is_as_long_as_it_is_where_the_worker_is(day, hours):
    """Clocks are changed in Berlin on two of these; nobody loses or keeps an hour."""
    start = datetime.combine(date.fromisoformat(day), datetime.min.time(), BERLIN)

    end = cutoff(last_day=day, now=start.astimezone(UTC)).at

    assert end - start.astimezone(UTC) == timedelta(hours=hours)


@given(
    st.dates(date(2026, 1, 1), date(2027, 12, 31)),
    st.sampled_from(
        ["Europe/Berlin", "America/Santiago", "Asia/Beirut", "Australia/Lord_Howe", "Africa/Cairo"]
    ),
)
def test_the_whole_day_is_the_workers_and_not_a_second_more(day, name):
    """Some zones change their clocks at midnight, when a day has no beginning or two of them."""
    zone = ZoneInfo(name)
    before = datetime(2025, 12, 1, tzinfo=UTC)

    end = cutoff(last_day=str(day), zone=zone, now=before).at

    assert (end - timedelta(seconds=1)).astimezone(zone).date() == day
    assert end.astimezone(zone).date() == day + timedelta(days=1)


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({}, "bad_date"),
        ({"access_revocation": "2026-11-26"}, "bad_date"),
        ({"access_revocation": "2026-11-26T17:00:00"}, "bad_date"),
        ({"access_revocation": "20261126"}, "bad_date"),
        ({"access_revocation": 1795712400}, "bad_date"),
        ({"access_revocation": "9999-12-31T23:59:59Z"}, "bad_date"),
        ({"access_revocation": "soon", "immediate": True}, "bad_date"),
        ({"immediate": "soon"}, "unreadable"),
        ({"immediate": 1}, "unreadable"),
        ({"reason": {"code": "X"}}, "unreadable"),
        ({"last_day": "27.11.2026"}, "bad_date"),
        ({"last_day": "2026-11-27", "time_zone": "Berlin"}, "bad_date"),
    ],
)
def test_what_cannot_be_read_is_for_a_person(said, reason):
    """Too early and never are both wrong."""
    with pytest.raises(Unusable) as refused:
        cutoff(**said)

    assert refused.value.reason == reason
