"""When access must be gone: what HR's bare date means in the worker's own zone."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.workers.records import DAY, HOUR, NOW
from workers.leavers import Cutoff, cutoff_of, new_id

BERLIN = ZoneInfo("Europe/Berlin")
#: Zones whose clocks change at midnight, by half an hour, by a whole day, or never.
ZONES = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "America/Sao_Paulo",
    "America/St_Johns",
    "Africa/Cairo",
    "Asia/Beirut",
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Pacific/Kiritimati",
    "Etc/GMT+12",
]
zones = st.sampled_from(ZONES).map(ZoneInfo)
dates = st.dates(date(2011, 1, 1), date(2037, 12, 31))
instants = st.datetimes(
    NOW.replace(tzinfo=None) - 5000 * DAY,
    NOW.replace(tzinfo=None) + 4000 * DAY,
    timezones=st.just(UTC),
)


@pytest.mark.parametrize(
    ("zone", "hr_date", "expected"),
    [
        # The day on which Berlin's clocks go forward has 23 hours, the one they go back has 25.
        ("Europe/Berlin", date(2027, 3, 27), datetime(2027, 3, 27, 23, tzinfo=UTC)),
        ("Europe/Berlin", date(2027, 3, 28), datetime(2027, 3, 28, 22, tzinfo=UTC)),
        ("Europe/Berlin", date(2027, 10, 31), datetime(2027, 10, 31, 23, tzinfo=UTC)),
        # Cairo's clocks go forward at midnight: the next day begins at one o'clock.
        ("Africa/Cairo", date(2026, 4, 23), datetime(2026, 4, 23, 22, tzinfo=UTC)),
        # Samoa left a whole day out when it changed sides of the date line.
        ("Pacific/Apia", date(2011, 12, 29), datetime(2011, 12, 30, 10, tzinfo=UTC)),
        ("America/New_York", date(2026, 11, 30), datetime(2026, 12, 1, 5, tzinfo=UTC)),
        ("Pacific/Kiritimati", date(2026, 11, 30), datetime(2026, 11, 30, 10, tzinfo=UTC)),
    ],
)
def test_a_bare_date_means_until_the_end_of_that_day_where_the_person_works(
    zone, hr_date, expected
):
    """An hour early is an hour of somebody's last day; an hour late is an hour of access."""
    long_before = datetime(2011, 1, 1, tzinfo=UTC)

    cutoff = cutoff_of(hr_date, ZoneInfo(zone), already_terminated=False, now=long_before)

    assert cutoff == Cutoff(expected, hr_date, zone)


def test_no_date_means_now():
    """HR said that somebody is terminated, and nothing of a later day."""
    assert cutoff_of(None, BERLIN, already_terminated=True, now=NOW) == Cutoff(NOW)


def test_terminated_today_means_now():
    """HR's own status says that it has happened; nobody waits for the evening."""
    cutoff = cutoff_of(date(2026, 11, 23), BERLIN, already_terminated=True, now=NOW)

    assert cutoff.at == NOW


def test_terminated_as_of_tomorrow_waits_for_tomorrows_end():
    """A status set ahead of its date."""
    cutoff = cutoff_of(date(2026, 11, 24), BERLIN, already_terminated=True, now=NOW)

    assert cutoff.at == datetime(2026, 11, 24, 23, tzinfo=UTC)


def test_today_is_todays_date_where_the_person_works():
    """At noon in London it is tomorrow already in Kiritimati, and still today in New York."""
    tomorrow = date(2026, 11, 24)

    there = cutoff_of(tomorrow, ZoneInfo("Pacific/Kiritimati"), already_terminated=True, now=NOW)
    here = cutoff_of(tomorrow, ZoneInfo("America/New_York"), already_terminated=True, now=NOW)

    assert there.at == NOW
    assert here.at > NOW


@given(dates, zones, st.booleans(), instants)
def test_a_cutoff_is_never_before_now_nor_after_the_first_instant_past_the_date(
    hr_date, zone, already_terminated, now
):
    """Whatever the clocks do: never a cutoff in the past, never a day more access than meant."""
    cutoff = cutoff_of(hr_date, zone, already_terminated=already_terminated, now=now)

    assert cutoff.at >= now
    just_before = cutoff.at - timedelta(microseconds=1)
    assert cutoff.at == now or just_before.astimezone(zone).date() <= hr_date


@given(dates, zones, instants)
def test_access_lasts_the_whole_day_that_hr_named(hr_date, zone, now):
    """The first instant after it belongs to another date in that zone."""
    cutoff = cutoff_of(hr_date, zone, already_terminated=False, now=now)

    assert cutoff.at.astimezone(zone).date() > hr_date


@given(dates, zones, instants)
def test_whoever_is_terminated_already_never_waits_longer(hr_date, zone, now):
    """The stronger word of HR can only bring the cutoff nearer."""
    said = cutoff_of(hr_date, zone, already_terminated=True, now=now)
    planned = cutoff_of(hr_date, zone, already_terminated=False, now=now)

    assert said.at <= planned.at


@given(dates, zones, instants)
def test_days_are_as_long_as_they_really_are(hr_date, zone, now):
    """23, 24 or 25 hours; half an hour less on Lord Howe; none at all in Samoa, once."""
    first, second = (
        cutoff_of(day, zone, already_terminated=False, now=datetime(2010, 1, 1, tzinfo=UTC)).at
        for day in (hr_date, hr_date + DAY)
    )

    assert second - first in (0 * HOUR, 23 * HOUR, 23.5 * HOUR, 24 * HOUR, 24.5 * HOUR, 25 * HOUR)


def test_ids_sort_by_the_time_they_were_made():
    """Lists are read newest first by their ids alone."""
    made = [new_id() for _ in range(100)]

    assert sorted(made) == made
