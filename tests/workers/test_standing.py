"""What HR's events of one person mean together, whatever the order in which they come in."""

import itertools
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from tests.workers.records import NOW
from workers.leavers import LeaverId, LeaverKind, Standing
from workers.standing import Event, episodes_of

DAY = timedelta(days=1)
#: What HR says; a lookup is a question that has not been answered yet.
KINDS = [kind for kind in LeaverKind if kind is not LeaverKind.LOOKUP]


def event(
    day: int, kind: LeaverKind, *, cutoff: int = 30, email: str = "lena@example.com"
) -> Event:
    return Event(LeaverId(f"{day}-{kind}"), kind, NOW + day * DAY, email, NOW + cutoff * DAY)


events = st.lists(
    st.builds(
        event,
        st.integers(0, 5),
        st.sampled_from(KINDS),
        cutoff=st.integers(10, 40),
        email=st.sampled_from(["lena@example.com", "lena.vogt@example.com", ""]),
    ),
    max_size=6,
    unique_by=lambda each: each.id,
)


@given(events, st.randoms())
def test_the_order_of_arrival_changes_nothing(said, shuffler):
    """A correction that overtakes its termination must not act on the wrong day."""
    shuffled = list(said)
    shuffler.shuffle(shuffled)

    assert episodes_of(shuffled) == episodes_of(said)


@given(events)
def test_only_the_last_leaving_can_be_open(said):
    """Two open leavings of one person would deactivate somebody who was rehired between them."""
    standings = [episode.standing for episode in episodes_of(said)]

    assert Standing.LEAVING not in standings[:-1]


@given(events)
def test_nobody_leaves_who_was_not_terminated_after_the_last_rescind_or_rehire(said):
    """Told apart from the fold: what the sender said last decides."""
    ranked = sorted(said, key=lambda each: (each.at, KINDS.index(each.kind), each.id))
    last = ranked[-1].kind if ranked else None

    leaving = any(episode.standing is Standing.LEAVING for episode in episodes_of(said))

    assert leaving == (last in (LeaverKind.TERMINATED, LeaverKind.CORRECTED))


def test_a_correction_moves_the_cutoff_of_the_leaving_it_belongs_to():
    """HR corrects the date; the person still leaves once."""
    [episode] = episodes_of(
        [event(1, LeaverKind.TERMINATED, cutoff=20), event(2, LeaverKind.CORRECTED, cutoff=25)]
    )

    assert episode.cutoff == NOW + 25 * DAY


def test_an_address_that_hr_blanks_falls_back_to_the_last_one():
    """HR systems blank the work e-mail of a leaver, and it is all we find the account by."""
    [episode] = episodes_of(
        [event(1, LeaverKind.TERMINATED), event(2, LeaverKind.CORRECTED, email="")]
    )

    assert episode.email == "lena@example.com"


def test_a_termination_a_rehire_and_a_second_termination_are_two_leavings():
    """The second one must act, and the first one must not."""
    standings = [
        episode.standing
        for episode in episodes_of(
            [
                event(1, LeaverKind.TERMINATED),
                event(2, LeaverKind.REHIRED),
                event(3, LeaverKind.TERMINATED),
            ]
        )
    ]

    assert standings == [Standing.REHIRED, Standing.LEAVING]


def test_all_orders_of_a_whole_story_end_alike():
    """The permutations one by one, for the story that has everything in it."""
    story = [
        event(1, LeaverKind.TERMINATED),
        event(2, LeaverKind.CORRECTED, cutoff=35),
        event(3, LeaverKind.RESCINDED),
        event(4, LeaverKind.TERMINATED, cutoff=38),
        event(5, LeaverKind.REHIRED),
    ]

    results = {episodes_of(order) for order in itertools.permutations(story)}

    assert len(results) == 1
