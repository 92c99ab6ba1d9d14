"""How long to wait: never shorter than asked, never in step, never for ever."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.settings import Retry
from tests.workers.records import DAY, HOUR, MINUTE, NOW, SECOND
from workers import retry
from workers.errors import LockedOut, Unavailable
from workers.retry import Again, GiveUp

SETTINGS = Retry.model_validate({})  # 30 s, doubling up to 6 h, for 7 d
spreads = st.floats(0, 1)
counts = st.integers(0, 10_000)
delays = st.timedeltas(SECOND, 36500 * DAY)
waits = st.just(timedelta()) | st.timedeltas(timedelta(), 6 * HOUR)
lock_outs = st.sampled_from(["rate_limited", "credential_refused", "misconfigured"])


def locked_out(reason="rate_limited", *, after=None):
    return LockedOut("users.search", "said no", reason=reason, retry_after=after)


def out(*, after=None):
    return Unavailable("users.search", "said nothing", retry_after=after)


errors = st.one_of(
    st.builds(locked_out, lock_outs, after=st.none() | waits),
    st.builds(out, after=st.none() | waits),
)


@given(delays, delays, counts, spreads)
def test_a_delay_is_spread_by_a_fifth_around_a_doubled_one(first, longest, times, spread):
    """However often a job was tried, and whatever an operator sets."""
    delay = retry.doubled(first, longest, times, spread)

    assert 0.79 * min(first, longest) <= delay <= 1.21 * longest


def test_delays_double_up_to_the_longest():
    """Half a minute, a minute, two ... six hours."""
    found = [retry.doubled(30 * SECOND, 6 * HOUR, times, 0.5) for times in (0, 1, 2, 9, 10, 99)]

    assert found == [30 * SECOND, MINUTE, 2 * MINUTE, 256 * MINUTE, 6 * HOUR, 6 * HOUR]


def test_two_jobs_do_not_knock_again_in_step():
    """A queue of leavers that failed together must not come back together."""
    early, late = (retry.doubled(MINUTE, HOUR, 0, spread) for spread in (0.0, 1.0))

    assert (early, late) == (48 * SECOND, 72 * SECOND)


# --- A target out of order ---


@given(errors, counts, spreads)
def test_a_pause_is_never_shorter_than_the_target_asked_for(error, pauses, spread):
    """Whoever knocks too early is sent away for longer."""
    pause = retry.after_lock_out(error, pauses=pauses, now=NOW, spread=spread)

    if error.retry_after is not None:
        assert pause.until >= NOW + error.retry_after


@given(errors, counts, spreads)
def test_a_pause_is_at_least_most_of_a_second_and_never_much_longer_than_it_must(
    error, pauses, spread
):
    """A target that asks for none at all would else be asked in a circle; and none is for ever."""
    pause = retry.after_lock_out(error, pauses=pauses, now=NOW, spread=spread)

    asked = error.retry_after or timedelta()
    assert pause.until >= NOW + 0.8 * SECOND
    assert pause.until <= NOW + max(1.05 * asked, 12 * MINUTE)


def test_a_rate_limit_is_waited_for_as_asked_however_often_it_came():
    """All are done soon after the storm."""
    pause = retry.after_lock_out(locked_out(after=3 * SECOND), pauses=50, now=NOW, spread=0.0)

    assert pause.until == NOW + 3 * SECOND


def test_an_outage_is_asked_less_and_less_often():
    """Even where each 503 says that a second is enough."""
    found = [
        retry.after_lock_out(out(after=SECOND), pauses=times, now=NOW, spread=0.5).until - NOW
        for times in (0, 1, 2, 99)
    ]

    assert found == [5 * SECOND, 10 * SECOND, 20 * SECOND, 5 * MINUTE]


@given(lock_outs)
def test_a_pause_says_why(reason):
    """Each has its own to-do for the operator."""
    assert retry.after_lock_out(locked_out(reason), pauses=0, now=NOW, spread=0.5).reason == reason


# --- One job's own trouble ---


def own(error, *, outage_at=NOW, resumed_at=NOW + SECOND, probing=False):
    return retry.is_own_trouble(error, outage_at=outage_at, resumed_at=resumed_at, probing=probing)


@pytest.mark.parametrize(
    ("outage_at", "resumed_at", "expected"),
    [
        (None, None, False),  # neither this job nor the target saw trouble
        (None, NOW, False),  # the target came back before this job met it
        (NOW, None, False),  # it never came back: nobody can say whose trouble it is
        (NOW, NOW - HOUR, False),  # it came back from an earlier outage only
        (NOW, NOW + SECOND, True),  # it works for others, and not for this job
    ],
)
def test_trouble_is_a_jobs_own_when_the_target_has_worked_since(outage_at, resumed_at, expected):
    """One account that the target cannot handle must not pause it for everybody, for ever."""
    assert own(out(), outage_at=outage_at, resumed_at=resumed_at) is expected


@pytest.mark.parametrize("reason", ["credential_refused", "misconfigured"])
def test_an_account_that_is_refused_as_if_the_key_were_wrong_is_its_jobs_own_trouble(reason):
    """Atlassian's refusals are not documented well enough to tell the two apart at once."""
    assert own(locked_out(reason))


def test_a_rate_limit_is_never_a_jobs_own_trouble():
    """It would cost the job attempts, and would not slow the others down."""
    assert not own(locked_out("rate_limited"))


def test_what_a_probe_meets_is_never_a_jobs_own_trouble():
    """The target is out of order now; that it once came back proves nothing."""
    assert not own(out(), probing=True)


@given(counts, st.floats(0, 1e9), spreads)
def test_a_job_gives_up_exactly_when_its_time_is_over(tries, seconds, spread):
    """Not after some number of tries, and never before its time."""
    following = retry.next_attempt(
        SETTINGS,
        reason="unavailable",
        tries=tries,
        working_seconds=seconds,
        now=NOW,
        spread=spread,
    )

    if seconds >= 7 * 24 * 3600:
        assert following == GiveUp("unavailable")
    else:
        assert isinstance(following, Again)
        assert NOW + 24 * SECOND <= following.due_at <= NOW + 7.2 * HOUR
        assert following.counted


@given(st.integers(0, 60), spreads)
def test_long_delays_never_break_however_often_a_job_was_tried(tries, spread):
    """Hours from the first try on, and a week to give up: that is many tries."""
    slow = Retry.model_validate({"first_delay": "1d", "max_delay": "30d", "give_up_after": "3650d"})

    following = retry.next_attempt(
        slow, reason="not_verified", tries=tries, working_seconds=0, now=NOW, spread=spread
    )

    assert NOW + 0.79 * DAY <= following.due_at <= NOW + 36.1 * DAY


# --- Waiting for an identity provider ---


@given(st.timedeltas(timedelta(), 10 * DAY), st.timedeltas(SECOND, 10 * DAY), spreads)
def test_an_identity_provider_is_watched_until_the_grace_is_over_and_no_longer(
    watched, grace, spread
):
    """Then the job is held, so that a person does it."""
    look = retry.next_look(since=NOW - watched, grace=grace, now=NOW, spread=spread)

    if watched >= grace:
        assert look is None
    else:
        assert NOW < look.due_at <= NOW - watched + grace
        assert look.due_at <= NOW + 12 * MINUTE
        assert (look.reason, look.counted) == ("waiting_for_idp", False)


def test_the_last_look_is_when_the_grace_is_over():
    """What the identity provider did in the last minutes is still seen."""
    look = retry.next_look(since=NOW - 239 * MINUTE, grace=4 * HOUR, now=NOW, spread=0.5)

    assert look.due_at == NOW + MINUTE


@given(counts, spreads)
def test_a_message_is_tried_for_a_day_at_least_twice_an_hour(tries, spread):
    """A channel that was down at night has everything in the morning."""
    about = {"created_at": NOW, "spread": spread}

    again_at = retry.next_sending(tries + 1, now=NOW + DAY - SECOND, **about)

    assert again_at is not None
    assert 12 * SECOND <= again_at - (NOW + DAY - SECOND) <= 36 * MINUTE
    assert retry.next_sending(tries + 1, now=NOW + DAY, **about) is None
