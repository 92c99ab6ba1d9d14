"""What the console shows first, reckoned by either database alike."""

from datetime import date, timedelta

import pytest

from tests.workers.records import NOW, SECOND, claim, delivery, job_of, jobs_of, person, record
from webhook.console import chart
from workers.leavers import FINISHED, Outcome, State
from workers.ledger import moves
from workers.ledger.queries import overview
from workers.ledger.queries.overview import DAYS, Day

DAY = timedelta(days=1)


def finished(ledger, job, after, outcome=Outcome.DEACTIVATED):
    """The job is done so long after NOW."""
    moves.finish(ledger, claim(ledger, job, now=NOW + after), outcome, now=NOW + after)


def today(ledger, now=NOW):
    return overview.days(ledger, now=now)[-1]


def test_the_times_are_those_that_somebody_waited(ledger):
    """By nearest rank: half of them waited so long at most, and 95 of 100."""
    for seconds, job in enumerate(jobs_of(ledger, 20), start=1):
        finished(ledger, job, seconds * SECOND)

    assert (today(ledger).median, today(ledger).late) == (10 * SECOND, 19 * SECOND)


def test_the_time_of_one_is_the_median_and_the_late_one(ledger):
    """The first leaver of all is no reason for an empty picture."""
    finished(ledger, job_of(ledger), 3 * SECOND)

    assert (today(ledger).median, today(ledger).late) == (3 * SECOND, 3 * SECOND)


def test_nobody_waits_before_the_cutoff(ledger):
    """A leaver who was announced a week before is not late by a week."""
    [job] = record(ledger, delivery(person("lena", cutoff=NOW + DAY))).jobs
    moves.mature(ledger, job, actor="w1", now=NOW + DAY)
    finished(ledger, job, DAY + 2 * SECOND)

    assert today(ledger, NOW + DAY).median == 2 * SECOND


@pytest.mark.parametrize("outcome", [Outcome.NO_ACCOUNT, Outcome.ALREADY_INACTIVE])
def test_only_those_count_whom_leaver_switched_off(ledger, outcome):
    """Somebody who had no account says nothing about how fast access goes."""
    finished(ledger, job_of(ledger), 2 * SECOND, outcome)

    assert today(ledger).median is None
    assert today(ledger).jobs == {outcome: 1}


def test_days_are_those_of_utc_oldest_first(ledger):
    """A day without anything is a day all the same."""
    first, second = jobs_of(ledger, 2)
    finished(ledger, first, 2 * SECOND)
    finished(ledger, second, 3 * DAY)

    days = overview.days(ledger, now=NOW + 3 * DAY)

    assert [day.day for day in days] == [
        (NOW + 3 * DAY).date() - timedelta(days=ago) for ago in reversed(range(DAYS))
    ]
    assert [sum(day.jobs.values()) for day in days[-4:]] == [1, 0, 0, 1]
    assert [day.deliveries for day in days[-4:]] == [1, 0, 0, 0]


def test_what_lies_too_far_back_is_left_out(ledger):
    """The picture shows two weeks."""
    finished(ledger, job_of(ledger), SECOND)

    days = overview.days(ledger, now=NOW + DAYS * DAY)

    assert [day.jobs for day in days] == [{}] * DAYS


def test_what_waits_for_a_person_is_counted_by_its_reason(ledger):
    """The most come first; what goes on by itself is left out."""
    held, other, failed, _ = jobs_of(ledger, 4)
    for job in (held, other):
        moves.hold_by(ledger, job, actor="ops", why="x", now=NOW)
    moves.fail(ledger, claim(ledger, failed), reason="gave_up", detail="", now=NOW)

    found = [(each.state, each.reason, each.jobs) for each in overview.waiting(ledger)]

    assert found == [("held", "operator_hold", 2), ("failed", "gave_up", 1)]


def test_a_source_was_last_heard_when_it_last_delivered(ledger):
    """One that never did is shown as such."""
    record(ledger, delivery(person("lena")))

    assert overview.last_seen(ledger, ["hr", "other"]) == {"hr": NOW, "other": None}


def day_of(number, median=None, late=None, jobs=None, deliveries=0):
    return Day(date(2026, 11, number), deliveries, jobs or {}, median, late)


def test_the_highest_bar_fills_the_drawing():
    """It is marked with its number; a day without anything has no bar."""
    drawn = chart.deliveries([day_of(1, deliveries=5), day_of(2), day_of(3, deliveries=10)])

    low, high = drawn.bars
    assert (high.y, high.height) == (0, chart.HEIGHT)
    assert low.height == chart.HEIGHT / 2
    assert [(mark.y, mark.text) for mark in drawn.marks] == [(0, "10")]


def test_a_bar_has_a_part_for_each_end_that_jobs_came_to():
    """One upon the other; the legend names what there is, and nothing else."""
    drawn = chart.ends([day_of(1, jobs={"deactivated": 2, "suspended": 1, "failed": 1})])

    taken, failed = drawn.bars
    assert (taken.title, failed.title) == ("01 Nov: 3 access taken away", "01 Nov: 1 failed")
    assert taken.y == failed.height == chart.HEIGHT / 4
    assert failed.y == 0
    assert list(drawn.names.values()) == ["access taken away", "failed"]


def test_every_end_of_a_job_is_in_the_picture():
    """A new outcome must not be missing in silence; lookups end beside it."""
    known = {word for words in chart.ENDS.values() for word in words}

    assert known == {*Outcome, *FINISHED} - {Outcome.LEAVER_FOUND, Outcome.NO_LEAVER, State.DONE}


def test_a_line_has_a_dot_for_each_day_with_a_time_and_the_slower_is_higher():
    """A day without leavers is no day of no waiting."""
    fast, slow = 2 * SECOND, 3600 * SECOND
    days = [day_of(1, fast, slow), day_of(2), day_of(3, slow, slow)]

    drawn = chart.times(days)

    median, late = drawn.lines
    assert len(median.points) == len(late.points) == 2
    assert median.points[0].y > median.points[1].y == late.points[1].y
    assert all(0 <= point.y <= chart.HEIGHT for point in (*median.points, *late.points))
    assert [mark.text for mark in drawn.marks] == ["1 s", "10 s", "1 min", "10 min", "1 h"]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0.0 s"),
        (0.84, "0.8 s"),
        (42, "42 s"),
        (180, "3 min"),
        (5 * 3600, "5 h"),
        (3 * 86400, "3 d"),
    ],
)
def test_a_length_of_time_is_written_for_people(seconds, words):
    """In the unit in which one thinks of it."""
    assert chart.took(timedelta(seconds=seconds)) == words
