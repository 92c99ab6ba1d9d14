"""Reads by id and the search lag behind a write for as long as the settings say."""

from datetime import timedelta

import pytest

from workers.sandbox import people
from workers.sandbox.records import Records
from workers.sandbox.state import Settings


class Clock:
    """Seconds that pass when told."""

    def __init__(self):
        self.seconds = 1000.0

    def __call__(self):
        return self.seconds

    def wait(self, seconds):
        self.seconds += seconds


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def state(clock):
    """Reads lag by 5 s, the search by 5 s and then another 10 s."""
    settings = Settings(consistency_delay=timedelta(seconds=5), search_lag=timedelta(seconds=10))
    return Records(people.CAST, settings, clock=clock)


def seen(state, person=people.LENA):
    """The status as it is, as read by id, and as found."""
    found = next(hit for hit in state.search() if hit.account_id == person.account_id)
    return (
        state.person(person.account_id).account_status,
        state.read(person.account_id).account_status,
        found.account_status,
    )


@pytest.mark.parametrize(
    ("waited", "expected"),
    [
        (0, ("inactive", "active", "active")),
        (4.9, ("inactive", "active", "active")),
        (5, ("inactive", "inactive", "active")),
        (14.9, ("inactive", "inactive", "active")),
        (15, ("inactive", "inactive", "inactive")),
    ],
)
def test_a_write_is_seen_by_id_first_and_in_the_search_later(state, clock, waited, expected):
    """A client that reads once right after the write would be wrong."""
    state.change(people.LENA.account_id, account_status="inactive")

    clock.wait(waited)

    assert seen(state) == expected


def test_each_of_two_writes_is_seen_in_its_turn(state, clock):
    """A disable and an enable soon after: readers see one, then the other."""
    state.change(people.LENA.account_id, account_status="inactive")
    clock.wait(3)
    state.change(people.LENA.account_id, account_status="active")

    clock.wait(3)
    between = seen(state)
    clock.wait(3)
    after = seen(state)

    assert between == ("active", "inactive", "active")
    assert after == ("active", "active", "active")


def test_a_change_by_hand_is_seen_at_once(state):
    """The rehearsal is set up with them."""
    state.put(people.Person(people.LENA.email, people.LENA.account_id, account_status="inactive"))

    assert seen(state) == ("inactive", "inactive", "inactive")


def test_an_address_that_moved_is_found_at_its_new_account_only(state):
    """`account_changed`: the e-mail of a leaver belongs to somebody else now."""
    state.put(people.Person("lena.old@example.com", people.LENA.account_id))
    state.put(people.Person(people.LENA.email, "712020:new"))

    found = state.search([people.LENA.email])

    assert [person.account_id for person in found] == ["712020:new"]


def test_a_lost_write_changes_nothing_ever(state, clock):
    """Not even later."""
    with state.losing_writes():
        state.change(people.LENA.account_id, account_status="inactive")

    clock.wait(100)

    assert seen(state) == ("active", "active", "active")


def test_old_versions_are_forgotten_once_nobody_sees_them(state, clock):
    """A long rehearsal must not grow."""
    for _ in range(100):
        state.change(people.LENA.account_id, account_status="inactive")
        clock.wait(20)

    assert len(state._versions[people.LENA.account_id]) <= 2
