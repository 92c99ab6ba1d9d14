"""The brake in the ledger: exactly so many leavers pass, and a person lets the others go on."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
import sqlalchemy as sa

from config.settings import Window
from tests.workers.ledger.meetings import one_behind_the_other
from tests.workers.records import (
    DAY,
    HOUR,
    LEASE,
    MINUTE,
    NOW,
    ROOM,
    SECOND,
    audit_of,
    claim,
    delivery,
    jobs_of,
    moves_of,
    open_alarms,
    person,
    record,
    rows,
    state_of,
)
from workers import watch
from workers.errors import AccountBusy, Braked
from workers.leavers import AccountId, Outcome
from workers.ledger import brakes, due, moves
from workers.ledger import tables as t
from workers.ledger.queries.brakes import standing

TWO = {"": (Window(2, HOUR),)}
MANY = dict.fromkeys(ROOM, 100)


def write(ledger, job, *, allowed=TWO, now=NOW, account=""):
    """What a worker does with a job: True if its account may be written to, else it is held."""
    owned = claim(ledger, job, now=now, concurrency=MANY)
    account = AccountId(account or f"account of {job}")
    try:
        moves.intend(ledger, owned, account, brakes=allowed, now=now, lease=LEASE)
    except Braked as against:
        moves.hold(ledger, owned, reason="brake", detail=str(against), now=now)
        return False
    moves.finish(ledger, owned, Outcome.DEACTIVATED, now=now)
    return True


def release(ledger, leavers, *, source=None, now=NOW):
    """What an operator does, and then every sweep."""
    done = brakes.release(ledger, leavers, source=source, actor="ops", why="they leave", now=now)
    for job in due.let_go(ledger):
        moves.let_go(ledger, job, actor="w1", now=now)
    return done


def held(ledger, jobs):
    return [job for job in jobs if state_of(ledger, job) == ("held", "brake")]


def people(*names, **about):
    return delivery(*(person(name) for name in names), **about)


def test_one_leaver_more_than_the_window_allows_is_held(ledger):
    """Nothing is written for the one over the limit, and nobody after them passes."""
    jobs = jobs_of(ledger, 4)

    passed = [write(ledger, job) for job in jobs]

    assert passed == [True, True, False, False]
    assert held(ledger, jobs) == jobs[2:]
    assert all(row["intended_at"] is None for row in rows(ledger, t.jobs)[2:])
    assert rows(ledger, t.accounts) == []


def test_a_trip_is_one_alarm(ledger):
    """A thousand of them would hide it."""
    for job in jobs_of(ledger, 5):
        write(ledger, job)

    assert open_alarms(ledger) == [("brake", "all")]
    assert [row["action"] for row in rows(ledger, t.audit)].count("trip the brake") == 1


def test_as_many_workers_as_there_are_let_exactly_so_many_pass(ledger):
    """With 16 workers and a limit of 10 the eleventh is held, never the twelfth done."""
    jobs = jobs_of(ledger, 32)
    ten = {"": (Window(10, HOUR),)}

    with ThreadPoolExecutor(16) as workers:
        passed = list(workers.map(lambda job: write(ledger, job, allowed=ten), jobs))

    assert passed.count(True) == 10
    assert len(held(ledger, jobs)) == 22
    assert open_alarms(ledger) == [("brake", "all")]


def test_of_two_who_meet_at_the_last_place_one_takes_it(postgresql_ledger):
    """Each of them would find the window with room for one more."""
    ledger = postgresql_ledger
    first, *both = jobs_of(ledger, 3)
    write(ledger, first)

    with one_behind_the_other(ledger, first, at=sa.select(t.brakes)) as start:
        passed = [start(partial(write, ledger, job)) for job in both]

    assert [each.result() for each in passed] == [True, False]


def test_three_targets_of_a_leaver_count_once(ledger):
    """The window counts people, not accounts."""
    targets = ("cloud", "jira-dc")
    jobs = record(ledger, people("ada", "bob", "cyd", targets=targets)).jobs

    passed = [write(ledger, job) for job in jobs]

    assert passed == [True, True, True, True, False, False]


def test_all_targets_of_a_leaver_who_waits_go_on_together(ledger):
    """One release is for the person, wherever they have an account."""
    targets = ("cloud", "jira-dc")
    jobs = record(ledger, people("ada", "bob", "cyd", "dan", targets=targets)).jobs
    for job in jobs:
        write(ledger, job)

    done = release(ledger, 1)

    assert (done.released, done.waiting) == (1, 1)
    assert [state_of(ledger, job)[0] for job in jobs[4:]] == ["queued", "queued", "held", "held"]
    assert [write(ledger, job) for job in jobs[4:6]] == [True, True]


def test_a_retry_does_not_count_again(ledger):
    """Its first attempt was lost after the leave; the place is still the leaver's."""
    first, second, third = jobs_of(ledger, 3)
    owned = claim(ledger, first)
    moves.intend(ledger, owned, AccountId("a1"), brakes=TWO, now=NOW, lease=LEASE)
    moves.take_back(ledger, first, actor="sweep", now=NOW + LEASE)

    assert write(ledger, first, account="a1", now=NOW + LEASE)
    assert write(ledger, second, now=NOW + LEASE)
    assert not write(ledger, third, now=NOW + LEASE)


def test_a_job_whose_account_is_busy_has_taken_no_place(ledger):
    """It comes again in some seconds, and must not count twice or be held then."""
    first, second = jobs_of(ledger, 2)
    moves.intend(ledger, claim(ledger, first), AccountId("a1"), brakes=TWO, now=NOW, lease=LEASE)

    with pytest.raises(AccountBusy):
        moves.intend(
            ledger, claim(ledger, second), AccountId("a1"), brakes=TWO, now=NOW, lease=LEASE
        )

    assert len(rows(ledger, t.places)) == 1


def test_a_replay_counts_as_a_leaver_of_its_own(ledger):
    """A wrong filter at a replay is a stream like any other."""
    first, second, third = jobs_of(ledger, 3)
    write(ledger, first)
    write(ledger, second)
    moves.replay_by(ledger, first, actor="ops", why="again", now=NOW)

    assert not write(ledger, first)
    assert not write(ledger, third)


def test_after_a_trip_everybody_waits_also_when_the_window_has_room(ledger):
    """The list that HR should not have sent must not trickle through at the window's pace."""
    jobs = jobs_of(ledger, 4)
    for job in jobs[:3]:
        write(ledger, job)

    assert not write(ledger, jobs[3], now=NOW + DAY)


def test_a_release_lets_exactly_so_many_go_on_in_the_order_of_hr(ledger):
    """Whoever asked first while all asked at once is chance; the order of HR is not."""
    jobs = jobs_of(ledger, 6)
    for job in (*jobs[:2], *reversed(jobs[2:])):
        write(ledger, job)

    done = release(ledger, 3)

    assert (done.released, done.allowance, done.waiting) == (3, 0, 1)
    assert held(ledger, jobs) == jobs[5:]
    assert [write(ledger, job) for job in jobs[2:5]] == [True] * 3
    assert moves_of(ledger, jobs[2])[-4:-2] == [
        ("hold", "running", "held"),
        ("let_go", "held", "queued"),
    ]
    assert "ops: they leave" in {entry["detail"] for entry in audit_of(ledger, jobs[2])}


def test_who_comes_after_a_release_waits_while_others_still_do(ledger):
    """Exactly so many more, and they are named."""
    jobs = jobs_of(ledger, 5)
    for job in jobs[:4]:
        write(ledger, job)
    release(ledger, 1)

    assert not write(ledger, jobs[4])
    assert write(ledger, jobs[2])
    assert held(ledger, jobs) == jobs[3:]


def test_what_is_left_of_a_release_is_for_those_who_come(ledger):
    """An office is closed, and HR is still sending."""
    jobs = jobs_of(ledger, 6)
    for job in jobs[:3]:
        write(ledger, job)

    done = release(ledger, 3)

    assert (done.released, done.allowance, done.waiting) == (1, 2, 0)
    assert [write(ledger, job) for job in jobs[2:]] == [True, True, True, False]


def test_a_later_release_replaces_what_an_earlier_one_left(ledger):
    """Nought takes it back: a forgotten allowance would be a hole."""
    jobs = jobs_of(ledger, 3)
    release(ledger, 500)

    release(ledger, 0)

    assert [write(ledger, job) for job in jobs] == [True, True, False]


def test_the_brake_is_open_again_when_nobody_waits(ledger):
    """All were let go, and the window has moved on."""
    jobs = jobs_of(ledger, 4)
    for job in jobs[:3]:
        write(ledger, job)
    release(ledger, 1)

    assert open_alarms(ledger) == []
    assert not standing(ledger, TWO, now=NOW).tripped
    assert write(ledger, jobs[3], now=NOW + HOUR + MINUTE)


def test_a_brake_whose_waiting_jobs_are_all_cancelled_is_open_again(ledger):
    """An operator has looked at each of them; the next real leaver must not wait."""
    jobs = jobs_of(ledger, 4)
    for job in jobs[:3]:
        write(ledger, job)
    moves.cancel_by(ledger, jobs[2], actor="ops", why="HR erred", now=NOW)

    assert write(ledger, jobs[3], now=NOW + HOUR)
    assert open_alarms(ledger) == []


def test_the_alarm_closes_by_itself_when_nobody_waits(ledger):
    """Also where no further leaver comes for weeks."""
    jobs = jobs_of(ledger, 3)
    for job in jobs:
        write(ledger, job)
    watch.look(ledger, {}, NOW)
    assert open_alarms(ledger) == [("brake", "all")]

    moves.cancel_by(ledger, jobs[2], actor="ops", why="HR erred", now=NOW)
    watch.look(ledger, {}, NOW)

    assert open_alarms(ledger) == []


def test_a_job_that_is_only_released_by_itself_waits_again(ledger):
    """Only the number, said with a reason, opens the brake."""
    jobs = jobs_of(ledger, 3)
    for job in jobs:
        write(ledger, job)
    moves.release_by(ledger, jobs[2], actor="ops", why="go", now=NOW + DAY)

    assert not write(ledger, jobs[2], now=NOW + DAY)


def test_whoever_is_replayed_at_the_brake_waits_there_still(ledger):
    """A replay of all that is held must not open it in passing."""
    jobs = jobs_of(ledger, 4)
    for job in jobs:
        write(ledger, job)
    for job in jobs[2:]:
        moves.replay_by(ledger, job, actor="ops", why="all that is held", now=NOW + DAY)

    assert [write(ledger, job, now=NOW + DAY) for job in jobs[2:]] == [False, False]
    assert release(ledger, 1, now=NOW + DAY).waiting == 1
    assert [write(ledger, job, now=NOW + DAY) for job in jobs[2:3]] == [True]


def test_a_release_that_comes_before_the_job_is_held_is_not_lost(ledger):
    """Between the refusal and the hold a worker may be slow, or die."""
    jobs = jobs_of(ledger, 3)
    for job in jobs[:2]:
        write(ledger, job)
    owned = claim(ledger, jobs[2])
    with pytest.raises(Braked):
        moves.intend(ledger, owned, AccountId("a"), brakes=TWO, now=NOW, lease=LEASE)
    brakes.release(ledger, 1, source=None, actor="ops", why="they leave", now=NOW)

    moves.hold(ledger, owned, reason="brake", now=NOW + SECOND)
    release(ledger, 0)

    assert state_of(ledger, jobs[2]) == ("queued", "")
    assert write(ledger, jobs[2])


def test_a_source_has_a_brake_of_its_own(ledger):
    """One HR system runs wild; the leavers of the others go on."""
    own = {"hr": (Window(1, HOUR),)}
    wild = record(ledger, people("ada", "bob")).jobs
    [other] = record(ledger, people("cyd", source="other")).jobs

    passed = [write(ledger, job, allowed=own) for job in wild]

    assert passed == [True, False]
    assert write(ledger, other, allowed=TWO)
    assert open_alarms(ledger) == [("brake", "hr")]


def test_a_release_for_one_source_leaves_the_others_waiting(ledger):
    """What is true of one company's list says nothing of the other's."""
    both = [*record(ledger, people("ada", "bob", "cyd")).jobs]
    both += record(ledger, people("dan", source="other")).jobs
    for job in both:
        write(ledger, job)

    done = release(ledger, 5, source="other")

    assert (done.released, done.allowance) == (1, 4)
    assert held(ledger, both) == [both[2]]


def test_what_the_brake_would_say_is_what_it_then_says(ledger):
    """An explanation asks without taking a place, and must not be wrong about it."""
    jobs = jobs_of(ledger, 7)
    both = {**TWO, "hr": (Window(3, DAY),)}

    def would_say(job, now=NOW):
        leaver = rows(ledger, t.jobs, t.jobs.c.id == job)[0]["leaver_id"]
        return brakes.objection(ledger, leaver, 1, source="hr", brakes=both, now=now)

    def says(job, now=NOW):
        passed = write(ledger, job, allowed=both, now=now)
        return "" if passed else rows(ledger, t.jobs, t.jobs.c.id == job)[0]["detail"]

    for job in jobs[:4]:
        assert would_say(job) == says(job)
    release(ledger, 3)
    for job in jobs[2:5]:  # two who were let go, and one of whom the release was for
        assert would_say(job) == says(job) == ""
    for job in jobs[5:]:
        assert would_say(job, NOW + HOUR) == says(job, NOW + HOUR) != ""
    assert brakes.objection(ledger, None, 1, source="hr", brakes=both, now=NOW + HOUR)


def test_without_a_brake_nobody_waits(ledger):
    """[] switches it off, and is an operator's word."""
    assert all(write(ledger, job, allowed={}) for job in jobs_of(ledger, 5))


def test_the_report_says_windows_room_and_who_waits(ledger):
    """What an operator reads before saying a number."""
    for job in jobs_of(ledger, 4):
        write(ledger, job, allowed={"": (Window(2, HOUR), Window(5, DAY))})

    found = standing(ledger, {"": (Window(2, HOUR), Window(5, DAY))}, now=NOW + MINUTE)

    [over_all] = found.brakes
    assert (found.tripped, found.waiting_leavers, found.waiting_jobs) == (True, 2, 2)
    assert (over_all.source, over_all.tripped_since) == (None, NOW)
    assert [(use.per, use.used, use.room) for use in over_all.windows] == [
        ("1h", 2, 0),
        ("1d", 2, 3),
    ]
