"""The arithmetic of the brake, over all its inputs."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from config.settings import Window
from tests.workers.records import HOUR, NOW, SECOND
from workers.brake import full, uses

SPANS = st.integers(0, 200).map(lambda minutes: timedelta(minutes=minutes))
WINDOWS = st.builds(
    Window, st.integers(1, 5), st.integers(1, 100).map(lambda m: timedelta(minutes=m))
)


@given(st.lists(SPANS), st.lists(WINDOWS, max_size=3))
def test_whoever_asks_first_passes_and_no_window_ever_holds_more(waits, windows):
    """However the leavers come: no span as long as a window has more than it allows."""
    now, passed = NOW, []
    for wait in waits:
        now += wait
        if full(windows, passed, now) is None:
            passed.append(now)

    for window in windows:
        for begin in passed:
            within = [instant for instant in passed if begin <= instant < begin + window.per]
            assert len(within) <= window.leavers


@given(st.lists(SPANS), st.lists(WINDOWS, min_size=1, max_size=3), st.randoms())
def test_the_order_in_which_passages_are_known_does_not_matter(ago, windows, random):
    """Workers on several machines write them down."""
    passed = [NOW - each for each in ago]
    shuffled = random.sample(passed, len(passed))

    assert uses(windows, passed, NOW) == uses(windows, shuffled, NOW)


@given(st.lists(SPANS), st.lists(WINDOWS, min_size=1, max_size=3))
def test_the_newest_passages_tell_whether_a_window_is_full(ago, windows):
    """The ledger reads no more of them than the largest window allows."""
    newest = sorted((NOW - each for each in ago), reverse=True)
    enough = newest[: max(window.leavers for window in windows)]

    assert full(windows, enough, NOW) == full(windows, newest, NOW)


def test_who_passed_a_whole_window_ago_has_left_it():
    """Ten an hour means that the eleventh may go an hour after the first."""
    [use] = uses([Window(1, HOUR)], [NOW], NOW + HOUR)
    [just_before] = uses([Window(1, HOUR)], [NOW], NOW + HOUR - SECOND)

    assert (use.room, just_before.room) == (1, 0)


def test_more_than_the_window_allows_is_no_room_and_no_debt():
    """An operator let more pass; the room is never less than nobody."""
    [use] = uses([Window(1, HOUR)], [NOW, NOW, NOW], NOW)

    assert (use.used, use.room) == (3, 0)
