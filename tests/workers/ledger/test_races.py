"""Two workers, or a worker and an operator, at the same job in the same instant.

PostgreSQL runs their transactions side by side.  Each test lets them meet at the worst moment.
"""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.workers.ledger.meetings import one_behind_the_other
from tests.workers.records import (
    HOUR,
    LEASE,
    MINUTE,
    NOW,
    SECOND,
    attempts_of,
    claim,
    job_of,
    jobs_of,
    locked_out,
    moves_of,
    pause_of,
    state_of,
    try_claim,
)
from workers.errors import AccountBusy, LeaseLost
from workers.journal import LedgerJournal
from workers.leavers import AccountId, Outcome
from workers.ledger import moves
from workers.targets.base import Call

LATE = NOW + LEASE


def at_once(count, task):
    """Run task(0), task(1) ... in threads, all from the same moment on."""
    start = threading.Barrier(count)

    def run(number):
        start.wait()
        return task(number)

    with ThreadPoolExecutor(count) as threads:
        return list(threads.map(run, range(count)))


def test_a_job_that_many_workers_claim_at_once_goes_to_one(ledger):
    """A doubled wake-up must not become two attempts side by side."""
    for job in jobs_of(ledger, 5):
        claims = at_once(8, lambda n, job=job: try_claim(ledger, job, worker=f"w{n}"))

        assert len([each for each in claims if each]) == 1
        assert len(attempts_of(ledger, job)) == 1


def test_workers_that_claim_at_once_keep_to_the_concurrency_of_the_target(ledger):
    """Atlassian answers too many calls at a time with refusals for everybody."""
    jobs = jobs_of(ledger, 8)

    claims = at_once(8, lambda n: try_claim(ledger, jobs[n], concurrency={"cloud": 3}))

    assert len([each for each in claims if each]) == 3


def test_a_paused_target_is_tried_by_one_of_many_that_want_to(ledger):
    """A target that comes back is not run over by everybody who waited."""
    first, *others = jobs_of(ledger, 9)
    locked_out(ledger, claim(ledger, first), until=NOW + MINUTE)

    claims = at_once(8, lambda n: try_claim(ledger, others[n], now=NOW + MINUTE))

    assert len([each for each in claims if each]) == 1


def test_two_jobs_that_would_write_to_one_account_at_once_are_one_and_a_busy_one(ledger):
    """Two deliveries about one person must not work on the account side by side."""
    claims = [claim(ledger, job) for job in jobs_of(ledger, 8)]

    def intend(number):
        try:
            moves.intend(ledger, claims[number], AccountId("a1"), brakes={}, now=NOW, lease=LEASE)
        except AccountBusy:
            return "busy"
        return "may write"

    assert sorted(at_once(8, intend)) == ["busy"] * 7 + ["may write"]


@pytest.mark.parametrize("counted", [True, False])
def test_a_hold_asked_for_while_an_attempt_ends_is_kept(postgresql_ledger, counted):
    """The operator was told that the job stops; it must not go on and deactivate."""
    ledger = postgresql_ledger
    job = job_of(ledger)
    owned = claim(ledger, job)

    with one_behind_the_other(ledger, job) as start:
        asked = start(lambda: moves.hold_by(ledger, job, actor="ops", why="wait", now=NOW))
        ended = start(
            lambda: moves.again(ledger, owned, NOW, reason="unavailable", counted=counted, now=NOW)
        )

    assert (asked.result(), ended.result()) == ("stopping", None)
    assert state_of(ledger, job) == ("held", "operator_hold")


def test_an_attempt_that_ends_just_before_a_hold_leaves_it_to_hold_at_once(postgresql_ledger):
    """Whichever comes first, the operator gets what was asked for."""
    ledger = postgresql_ledger
    job = job_of(ledger)
    owned = claim(ledger, job)

    with one_behind_the_other(ledger, job) as start:
        start(lambda: moves.again(ledger, owned, NOW, reason="unavailable", now=NOW))
        asked = start(lambda: moves.hold_by(ledger, job, actor="ops", why="wait", now=NOW))

    assert asked.result() == "held"
    assert state_of(ledger, job) == ("held", "operator_hold")


ENDS = {
    "finish": lambda ledger, owned: moves.finish(ledger, owned, Outcome.DEACTIVATED, now=LATE),
    "again": lambda ledger, owned: moves.again(
        ledger, owned, LATE, reason="account_busy", counted=False, now=LATE
    ),
    "hold": lambda ledger, owned: moves.hold(ledger, owned, reason="protected", now=LATE),
    "lock_out": lambda ledger, owned: locked_out(ledger, owned, now=LATE, until=LATE + HOUR),
    "record": lambda ledger, owned: LedgerJournal(ledger, owned, lambda: LATE).record(
        Call("users.search", "POST", "/", False, LATE, 5, status=200)
    ),
    "intend": lambda ledger, owned: moves.intend(
        ledger, owned, AccountId("a1"), brakes={}, now=LATE, lease=LEASE
    ),
}


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
def test_a_worker_whose_job_is_being_taken_back_loses_it_and_writes_nothing(postgresql_ledger, end):
    """Its lease ran out; whoever takes the job next starts from what the target says."""
    ledger = postgresql_ledger
    job, other = jobs_of(ledger, 2)
    locked_out(ledger, claim(ledger, other), until=NOW)
    owned = claim(ledger, job)

    with one_behind_the_other(ledger, job) as start:
        taken = start(lambda: moves.take_back(ledger, job, actor="sweep", now=LATE))
        ended = start(lambda: end(ledger, owned))

    assert taken.result() is True
    assert isinstance(ended.exception(), LeaseLost)
    assert state_of(ledger, job) == ("queued", "")
    assert [row["result"] for row in attempts_of(ledger, job)] == ["lost"]


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
def test_a_job_whose_worker_is_just_in_time_is_not_taken_back_from_under_it(postgresql_ledger, end):
    """The sweep may be late as well; what was proven meanwhile stays."""
    ledger = postgresql_ledger
    job, other = jobs_of(ledger, 2)
    locked_out(ledger, claim(ledger, other), until=NOW)
    owned = claim(ledger, job)

    with one_behind_the_other(ledger, job) as start:
        ended = start(lambda: end(ledger, owned))
        taken = start(lambda: moves.take_back(ledger, job, actor="sweep", now=LATE))

    assert (ended.exception(), taken.result()) == (None, False)


def test_a_doubled_wake_up_and_the_end_of_a_probe_do_not_wait_for_each_other(postgresql_ledger):
    """Both want the job and its target, and might hold one of the two each."""
    ledger = postgresql_ledger
    job = job_of(ledger)
    locked_out(ledger, claim(ledger, job), until=NOW)
    owned = claim(ledger, job)

    with one_behind_the_other(ledger, job) as start:
        ended = start(lambda: locked_out(ledger, owned, now=LATE, until=LATE + HOUR))
        woken = try_claim(ledger, job, now=LATE, worker="w2")

    assert (ended.exception(), woken) == (None, None)
    assert pause_of(ledger)["pauses"] == 2


def test_two_replays_of_one_job_at_once_open_one_round(postgresql_ledger):
    """Two operators press the same button."""
    ledger = postgresql_ledger
    job = job_of(ledger)
    moves.finish(ledger, claim(ledger, job), Outcome.NO_ACCOUNT, now=NOW)

    with one_behind_the_other(ledger, job) as start:
        replays = [
            start(lambda: moves.replay_by(ledger, job, actor="ops", why="again", now=NOW + SECOND))
            for _ in range(2)
        ]

    assert [each.result() for each in replays] == [True, False]
    assert [move for move, _, _ in moves_of(ledger, job)].count("replay") == 1
