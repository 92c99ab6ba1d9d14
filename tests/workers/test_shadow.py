"""The judgement behind the shadow report: what each job counts as, and the figures over all."""

from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from config.settings import Window
from tests.workers.records import DAY, HOUR, MINUTE, NOW, SECOND
from workers.leavers import AccountId, JobId, LeaverId, Outcome, Standing, State
from workers.shadow import report as reports
from workers.shadow.report import most_within, nearest_rank
from workers.shadow.verdicts import LONGEST, SHORTEST, WATCHED, Shadowed, next_look

LENA = Shadowed(
    job=JobId("j1"),
    leaver=LeaverId("l1"),
    source="hr",
    target="cloud",
    email="lena@example.com",
    employee_id="7",
    account_id=AccountId("a1"),
    state=State.DONE,
    outcome=Outcome.WOULD_DEACTIVATE,
    reason="",
    standing=Standing.LEAVING,
    cutoff=NOW,
    received_at=NOW - HOUR,
    finished_at=NOW + SECOND,
    last_on_at=NOW + SECOND,
)
LATER = NOW + 10 * DAY


def report(*jobs, now=LATER, **about):
    """The report of these jobs."""
    return reports.report(jobs, since=NOW, now=now, **{"brakes": {}} | about)


def verdicts(*jobs, now=LATER):
    """What each job counts as, in the order given."""
    found = {row.job: row.verdict for row in report(*jobs, now=now).rows}
    return [found[job.job] for job in jobs]


def test_seen_on_within_the_last_day_is_still_active():
    """The finding that the report is for."""
    assert verdicts(replace(LENA, last_on_at=LATER - 6 * HOUR)) == ["still_active"]


def test_seen_off_is_deactivated_by_hand():
    """However long ago the account was seen on."""
    assert verdicts(replace(LENA, first_off_at=NOW + HOUR)) == ["deactivated_by_hand"]


def test_not_seen_for_longer_than_a_day_is_not_called_active():
    """Nobody knows; the reason may be our own key."""
    assert verdicts(replace(LENA, last_on_at=LATER - 25 * HOUR)) == ["not_seen_again"]


def test_what_was_on_when_the_watching_ended_stays_active():
    """After thirty days nobody looks, and that is no failure."""
    watched = replace(LENA, last_on_at=NOW + WATCHED)

    assert verdicts(watched, now=NOW + 3 * WATCHED) == ["still_active"]


def test_what_hr_took_back_is_neither():
    """Nobody should have been deactivated, whatever people did."""
    off = NOW + HOUR

    for standing in (Standing.RESCINDED, Standing.REHIRED):
        assert verdicts(replace(LENA, standing=standing, first_off_at=off)) == ["taken_back"]


def test_a_second_word_about_the_same_account_counts_once():
    """Leaver would have found it off the second time."""
    again = replace(LENA, job=JobId("j2"), finished_at=NOW + DAY, last_on_at=LATER)

    assert verdicts(replace(LENA, last_on_at=LATER), again) == ["still_active", "repeated"]


def test_a_second_leaving_is_no_repetition():
    """Between the two the person was back: by HR's word, or because somebody switched it on."""
    again = replace(LENA, job=JobId("j2"), finished_at=NOW + DAY, last_on_at=LATER)
    off = replace(LENA, first_off_at=NOW + HOUR)
    back = replace(LENA, standing=Standing.REHIRED)

    assert verdicts(off, again) == ["deactivated_by_hand", "still_active"]
    assert verdicts(back, again) == ["taken_back", "still_active"]


def test_what_leaver_switched_off_since_is_no_deed_of_people():
    """Somebody went live in between, and HR said it once more."""
    noted = replace(LENA, last_on_at=NOW + DAY, first_off_at=NOW + 2 * DAY)
    ours = replace(LENA, job=JobId("j2"), outcome=Outcome.DEACTIVATED, last_on_at=None)

    for ended_at, verdict in (
        (NOW + DAY + HOUR, "deactivated_since"),
        (NOW + HOUR, "deactivated_by_hand"),  # seen on after that
        (NOW + 3 * DAY, "deactivated_by_hand"),  # seen off before that
    ):
        assert verdicts(noted, replace(ours, finished_at=ended_at))[0] == verdict


def test_another_account_is_no_repetition():
    """The same id in another target, too, is another account."""
    elsewhere = replace(LENA, job=JobId("j2"), target="jira", last_on_at=LATER)

    assert verdicts(replace(LENA, last_on_at=LATER), elsewhere) == ["still_active"] * 2


def test_what_shadow_mode_would_not_have_done_says_why():
    """Held ones are counted by reason: they are work for people in any mode."""
    held = replace(LENA, state=State.HELD, outcome=None, reason="protected", finished_at=None)

    summary = report(held).summary
    assert (summary.verdicts, summary.held) == ({"held": 1}, {"protected": 1})
    assert (summary.would_deactivate, summary.leaver_took.count) == (0, 0)


def test_times_count_from_the_later_of_cutoff_and_receipt():
    """Before both nobody could have acted."""
    late = replace(LENA, received_at=NOW + MINUTE, finished_at=NOW + 2 * MINUTE)

    rows = [report(job).rows[0] for job in (LENA, late)]

    assert [row.leaver_seconds for row in rows] == [1, 60]


@given(st.lists(st.integers(0, 10**6), min_size=1), st.integers(1, 100))
def test_a_percentile_is_a_value_that_occurred(values, percent):
    """So many per cent do not exceed it, and no smaller value would do."""
    found = nearest_rank(values, percent)

    assert found in values
    assert sum(value <= found for value in values) * 100 >= percent * len(values)
    assert sum(value < found for value in values) * 100 < percent * len(values)


@given(st.lists(st.integers(0, 100)), st.integers(1, 30))
def test_the_most_within_a_span_is_that_of_the_fullest_one(minutes, span):
    """A span ends with one of them, and whoever came just its length before is not in it."""
    found = most_within(span * MINUTE, [NOW + each * MINUTE for each in minutes])

    counts = (sum(end - span < each <= end for each in minutes) for end in minutes)
    assert found == max(counts, default=0)


def test_the_brake_is_told_for_people_in_however_many_targets():
    """Ten an hour may be too few for this company, or just right: somebody should know before."""
    brakes = {"": [Window(1, HOUR)], "hr": [Window(5, DAY)], "okta": [Window(5, DAY)]}
    people = [
        replace(
            LENA,
            job=JobId(f"{target}-{number}"),
            leaver=LeaverId(number),
            target=target,
            account_id=AccountId(number),
            finished_at=NOW + number_at,
        )
        for number, number_at in (("1", MINUTE), ("2", 2 * MINUTE), ("3", 3 * HOUR))
        for target in ("cloud", "jira")
    ]

    told = report(*people, brakes=brakes).summary.brakes

    assert [(each.source, each.per, each.most) for each in told] == [
        (None, "1h", 2),
        ("hr", "1d", 3),
        ("okta", "1d", 0),
    ]


def test_a_report_of_one_source_still_knows_the_others():
    """What another HR system said first makes it a repetition, and no leaver twice."""
    again = replace(LENA, job=JobId("j2"), source="okta", finished_at=NOW + DAY, last_on_at=LATER)

    found = report(replace(LENA, last_on_at=LATER), again, source="okta")

    assert [row.verdict for row in found.rows] == ["repeated"]
    assert (found.summary.leavers, found.summary.would_deactivate) == (1, 0)


def test_of_nothing_there_is_no_percentile():
    """A nought would read as at once."""
    assert nearest_rank([], 50) is None


@given(st.timedeltas(timedelta(), WATCHED - SECOND))
def test_an_account_is_looked_at_ever_more_rarely_until_the_end(passed):
    """What people took is known to within a quarter of it, and never later than LONGEST."""
    now = NOW + passed
    following = next_look(NOW, now)

    assert now < following <= NOW + WATCHED
    assert following - now <= min(max(SHORTEST, passed / 4), LONGEST)


INSTANTS = st.none() | st.integers(0, 14).map(lambda days: NOW + days * DAY)


@given(
    st.sampled_from(Standing),
    st.sampled_from([None, *Outcome]),
    st.sampled_from(State),
    INSTANTS,
    INSTANTS,
)
def test_nobody_is_called_deactivated_who_was_not_seen_off(
    standing, outcome, state, last_on_at, first_off_at
):
    """Of all words this is the one that must not be wrong."""
    job = replace(LENA, standing=standing, outcome=outcome, state=state)
    job = replace(job, last_on_at=last_on_at, first_off_at=first_off_at)

    [row] = report(job).rows

    if row.verdict == "deactivated_by_hand":
        assert first_off_at is not None
    assert (row.would_at is None) == (outcome is not Outcome.WOULD_DEACTIVATE)
