"""A target out of order pauses everybody, costs no attempt, and is tried by one at a time."""

import pytest

from tests.workers.records import (
    DAY,
    HOUR,
    LEASE,
    MINUTE,
    NOW,
    SECOND,
    SOURCES,
    attempts_of,
    claim,
    job_of,
    job_row,
    jobs_of,
    locked_out,
    open_alarms,
    pause_of,
    rows,
    state_of,
    try_claim,
)
from workers.journal import LedgerJournal
from workers.leavers import Outcome
from workers.ledger import due, moves
from workers.ledger import tables as t
from workers.targets.base import Call

ROOM = {"cloud": 2}
GRACE = 10 * SECOND


def called(ledger, owned, *, name="users.search", status=200, now):
    """The worker makes a call and gets this answer."""
    error = "" if status and status < 400 else "said no"
    call = Call(name, "POST", "/", False, now, 5, status=status, error=error)
    LedgerJournal(ledger, owned, lambda: now).record(call)


def probe_of(ledger, job, *, until=NOW + MINUTE, call="users.search"):
    """The claim with which a job tries a target that it saw out of order."""
    locked_out(ledger, claim(ledger, job), until=until, call=call)
    return claim(ledger, job, now=until)


def test_nobody_may_try_a_paused_target_before_its_time(ledger):
    """A target that asked to be left alone is left alone."""
    first, second = jobs_of(ledger, 2)
    locked_out(ledger, claim(ledger, first), until=NOW + MINUTE)

    assert try_claim(ledger, second, now=NOW + MINUTE - SECOND) is None
    assert try_claim(ledger, first, now=NOW + MINUTE - SECOND) is None


def test_a_pause_costs_no_attempt(ledger):
    """An outage is not the leaver's fault."""
    job = job_of(ledger)

    locked_out(ledger, claim(ledger, job))

    assert state_of(ledger, job) == ("retrying", "outage")
    assert job_row(ledger, job)["attempts"] == 0
    [attempt] = attempts_of(ledger, job)
    assert (attempt["result"], attempt["counted"]) == ("paused", False)


def test_other_targets_go_on(ledger):
    """Two systems are seldom out together."""
    locked_out(ledger, claim(ledger, job_of(ledger, "lena")))

    assert try_claim(ledger, job_of(ledger, "bob", targets=("jira-dc",))) is not None


def test_the_probe_is_told_which_call_failed(ledger):
    """Only that call, gone well, shows that the target is back."""
    owned = probe_of(ledger, job_of(ledger), call="lifecycle.disable")

    assert (owned.probe_call, owned.pauses) == ("lifecycle.disable", 1)


def test_one_at_a_time_may_try(ledger):
    """A target that just came back is not run over."""
    first, second = jobs_of(ledger, 2)
    probe_of(ledger, first)

    assert try_claim(ledger, second, now=NOW + MINUTE) is None


def test_the_call_that_failed_going_well_opens_the_target(ledger):
    """Everybody goes on at once, not when the probe has read back for a minute."""
    first, second = jobs_of(ledger, 2)
    owned = probe_of(ledger, first)

    called(ledger, owned, now=NOW + MINUTE)

    assert pause_of(ledger) is None
    assert try_claim(ledger, second, now=NOW + MINUTE) is not None


def test_another_call_going_well_opens_nothing_yet(ledger):
    """A target may answer searches while it refuses every write."""
    owned = probe_of(ledger, job_of(ledger), call="lifecycle.disable")

    called(ledger, owned, name="users.search", now=NOW + MINUTE)

    assert pause_of(ledger) is not None


def test_the_call_that_failed_failing_again_opens_nothing(ledger):
    """An error is no answer."""
    owned = probe_of(ledger, job_of(ledger))

    called(ledger, owned, status=503, now=NOW + MINUTE)

    assert pause_of(ledger) is not None


def test_a_probe_that_ends_otherwise_opens_the_target(ledger):
    """Its leaver was off already, so the call that failed was not needed; others will make it."""
    owned = probe_of(ledger, job_of(ledger), call="lifecycle.disable")
    called(ledger, owned, now=NOW + MINUTE)

    moves.finish(ledger, owned, Outcome.ALREADY_INACTIVE, now=NOW + MINUTE)

    assert pause_of(ledger) is None


def test_a_probe_that_asked_the_target_nothing_lets_the_next_one_try(ledger):
    """A protected account is held before any call: that proves nothing about the target."""
    first, second = jobs_of(ledger, 2)
    owned = probe_of(ledger, first)

    moves.hold(ledger, owned, reason="protected", now=NOW + MINUTE)

    assert pause_of(ledger) is not None
    assert try_claim(ledger, second, now=NOW + MINUTE).probe_call == "users.search"


def worker_stops(ledger, owned):
    moves.give_back(ledger, owned, reason="worker_stopped", now=NOW + MINUTE)


def operator_holds(ledger, owned):
    moves.hold_by(ledger, owned.job, actor="ops", why="wait", now=NOW + MINUTE)
    moves.give_back(ledger, owned, reason="operator_hold", now=NOW + MINUTE)


@pytest.mark.parametrize("break_off", [worker_stops, operator_holds])
def test_a_probe_that_breaks_off_lets_the_next_one_try(ledger, break_off):
    """A pause must not outlive the one who should have ended it."""
    first, second = jobs_of(ledger, 2)
    owned = probe_of(ledger, first)

    break_off(ledger, owned)

    assert try_claim(ledger, second, now=NOW + MINUTE).probe_call == "users.search"


def test_a_probe_whose_worker_died_lets_the_next_one_try(ledger):
    """After the lease, as with every other job."""
    first, second = jobs_of(ledger, 2)
    probe_of(ledger, first)

    early = try_claim(ledger, second, now=NOW + MINUTE + LEASE - SECOND)

    assert early is None
    assert moves.take_back(ledger, first, actor="sweep", now=NOW + MINUTE + LEASE)
    assert try_claim(ledger, second, now=NOW + MINUTE + LEASE) is not None


def test_a_probe_that_takes_long_stays_the_only_one(ledger):
    """It shows signs of life with each call."""
    first, second = jobs_of(ledger, 2)
    owned = probe_of(ledger, first, call="lifecycle.disable")
    later = NOW + MINUTE + LEASE - SECOND
    called(ledger, owned, now=later)

    assert try_claim(ledger, second, now=NOW + MINUTE + LEASE) is None


def test_a_pause_grows_by_its_probes_and_not_by_those_who_fail_with_the_first(ledger):
    """Eight jobs that meet one outage are one outage."""
    claims = [claim(ledger, job) for job in jobs_of(ledger, 4)]
    for owned in claims:
        locked_out(ledger, owned, until=NOW + MINUTE)
    assert pause_of(ledger)["pauses"] == 1

    locked_out(ledger, claim(ledger, claims[0].job, now=NOW + MINUTE), now=NOW + MINUTE)

    assert pause_of(ledger)["pauses"] == 2


def test_a_pause_is_never_cut_short_by_a_later_failure(ledger):
    """One asked for an hour, the next is told five seconds: the hour was asked for."""
    first, second = jobs_of(ledger, 2)
    claims = [claim(ledger, job) for job in (first, second)]

    locked_out(ledger, claims[0], until=NOW + HOUR)
    locked_out(ledger, claims[1], until=NOW + 5 * SECOND)

    assert pause_of(ledger)["paused_until"] == NOW + HOUR


def test_a_pause_is_never_cut_short_by_its_probe(ledger):
    """A call that was still under way may be told to wait longer than the probe is."""
    first, second = jobs_of(ledger, 2)
    straggler = claim(ledger, second)
    probe = probe_of(ledger, first)
    locked_out(ledger, straggler, now=NOW + MINUTE, until=NOW + HOUR, reason="rate_limited")

    locked_out(ledger, probe, now=NOW + MINUTE, until=NOW + 2 * MINUTE, reason="rate_limited")

    assert pause_of(ledger)["paused_until"] == NOW + HOUR


def test_a_new_pause_starts_small_again(ledger):
    """The outage of last week says nothing about today's."""
    job = job_of(ledger)
    owned = probe_of(ledger, job)
    called(ledger, owned, now=NOW + MINUTE)

    locked_out(ledger, owned, now=NOW + MINUTE)

    assert pause_of(ledger)["pauses"] == 1


@pytest.mark.parametrize("reason", ["credential_refused", "misconfigured"])
def test_a_refused_credential_is_an_alarm_at_once_and_until_it_works(ledger, reason):
    """Nobody but a person can mend it."""
    job = job_of(ledger)
    locked_out(ledger, claim(ledger, job), reason=reason)
    assert open_alarms(ledger) == [("target_paused", "cloud")]

    owned = claim(ledger, job, now=NOW + MINUTE)
    called(ledger, owned, now=NOW + MINUTE)

    assert open_alarms(ledger) == []


@pytest.mark.parametrize("reason", ["rate_limited", "outage"])
def test_a_short_pause_is_no_alarm(ledger, reason):
    """It mends itself."""
    locked_out(ledger, claim(ledger, job_of(ledger)), reason=reason)

    assert open_alarms(ledger) == []


def test_a_job_that_is_no_probe_cannot_open_the_target(ledger):
    """Its answers may be from before the outage."""
    first, second = jobs_of(ledger, 2)
    straggler = claim(ledger, second)
    locked_out(ledger, claim(ledger, first), until=NOW + MINUTE)

    called(ledger, straggler, now=NOW + SECOND)
    moves.finish(ledger, straggler, Outcome.ALREADY_INACTIVE, now=NOW + SECOND)

    assert pause_of(ledger) is not None


def test_hundreds_of_waiting_jobs_do_not_become_hundreds_of_failed_attempts(sqlite_ledger):
    """While a target is out, it is asked once a pause, whoever waits."""
    ledger = sqlite_ledger
    jobs_of(ledger, 300)
    now = NOW
    for pauses in range(1, 20):
        woken = due.to_wake(ledger, {"cloud": 8}, now=now, sources=SOURCES, grace=GRACE)
        claims = [owned for job in woken if (owned := try_claim(ledger, job, now=now))]
        for owned in claims:
            locked_out(ledger, owned, now=now, until=now + pauses * MINUTE)
        now += pauses * MINUTE

    kept = rows(ledger, t.attempts)
    assert len(kept) == 8 + 18
    assert not any(attempt["counted"] for attempt in kept)
    assert sum(row["attempts"] for row in rows(ledger, t.jobs)) == 0


# --- Who is woken ---


def test_due_jobs_are_woken_once_until_the_grace_is_over(ledger):
    """A message on its way is not sent again, and a lost one is."""
    job = job_of(ledger)

    woken = [
        due.to_wake(ledger, ROOM, now=NOW + wait, sources=SOURCES, grace=GRACE)
        for wait in (0 * GRACE, GRACE / 2, GRACE)
    ]

    assert woken == [[job], [], [job]]


def test_the_longest_due_are_woken_first(ledger):
    """Nobody is overtaken for ever."""
    late = job_of(ledger, "late")
    early = job_of(ledger, "early", at=NOW - HOUR, cutoff=NOW - HOUR)

    assert due.to_wake(ledger, {"cloud": 1}, now=NOW, sources=SOURCES, grace=GRACE) == [early, late]


def test_little_more_are_woken_than_may_run(ledger):
    """One that finds no place costs as much as one that does."""
    jobs_of(ledger, 40)

    assert len(due.to_wake(ledger, {"cloud": 24}, now=NOW, sources=SOURCES, grace=GRACE)) == 27


def test_no_more_are_woken_while_some_are_on_their_way(ledger):
    """A queue full of wake-ups for one target keeps the others waiting."""
    jobs_of(ledger, 9)

    woken = due.to_wake(ledger, ROOM, now=NOW, sources=SOURCES, grace=GRACE)
    for job in woken[:2]:
        claim(ledger, job)

    assert len(woken) == 4
    assert due.to_wake(ledger, ROOM, now=NOW, sources=SOURCES, grace=GRACE) == []


def test_a_job_that_ends_makes_room_for_the_next(ledger):
    """The queue never runs dry while somebody waits."""
    jobs_of(ledger, 9)
    first, *_ = due.to_wake(ledger, ROOM, now=NOW, sources=SOURCES, grace=GRACE)

    moves.finish(ledger, claim(ledger, first), Outcome.NO_ACCOUNT, now=NOW)

    assert len(due.to_wake(ledger, ROOM, now=NOW, sources=SOURCES, grace=GRACE)) == 1


def test_a_job_that_was_refused_for_want_of_room_can_be_woken_again(ledger):
    """Its message is gone; without a new one it would wait for the grace to pass."""
    jobs = jobs_of(ledger, 3)
    due.to_wake(ledger, ROOM, now=NOW, sources=SOURCES, grace=GRACE)
    for job in jobs[:2]:
        claim(ledger, job)
    assert try_claim(ledger, jobs[2], concurrency=ROOM) is None

    assert due.to_wake(ledger, ROOM, now=NOW, sources=SOURCES, grace=GRACE) == [jobs[2]]


def test_nobody_is_woken_for_a_paused_target_and_one_when_its_pause_is_over(ledger):
    """The probe is woken like any other job."""
    jobs = jobs_of(ledger, 5)
    locked_out(ledger, claim(ledger, jobs[0]), until=NOW + MINUTE)

    assert due.to_wake(ledger, ROOM, now=NOW + MINUTE - SECOND, sources=SOURCES, grace=GRACE) == []
    [woken] = due.to_wake(ledger, ROOM, now=NOW + MINUTE, sources=SOURCES, grace=GRACE)
    assert woken == jobs[1]
    claim(ledger, woken, now=NOW + MINUTE)
    assert due.to_wake(ledger, ROOM, now=NOW + MINUTE, sources=SOURCES, grace=GRACE) == []


def test_an_open_target_is_filled_again_at_once(ledger):
    """The pause is over for all."""
    jobs = jobs_of(ledger, 5)
    owned = probe_of(ledger, jobs[0])

    called(ledger, owned, now=NOW + MINUTE)

    assert len(due.to_wake(ledger, ROOM, now=NOW + MINUTE, sources=SOURCES, grace=GRACE)) == 3


def test_what_is_not_waiting_is_not_woken(ledger):
    """Held jobs wait for a person, scheduled ones for their cutoff."""
    held, ended = jobs_of(ledger, 2)
    job_of(ledger, "sam", cutoff=NOW + DAY)
    moves.hold_by(ledger, held, actor="ops", why="wait", now=NOW)
    moves.cancel_by(ledger, ended, actor="ops", why="no", now=NOW)

    assert due.to_wake(ledger, ROOM, now=NOW, sources=SOURCES, grace=GRACE) == []


def test_each_kind_of_overlooked_job_is_found(ledger):
    """What the sweep looks for, and no more."""
    running = job_of(ledger, "running")
    claim(ledger, running)
    scheduled = job_of(ledger, "scheduled", cutoff=NOW + HOUR)
    orphan = job_of(ledger, "orphan", targets=("gone",))

    assert due.expired(ledger, NOW + LEASE - SECOND) == []
    assert due.expired(ledger, NOW + LEASE) == [running]
    assert due.matured(ledger, NOW + HOUR - SECOND) == []
    assert due.matured(ledger, NOW + HOUR) == [scheduled]
    assert due.unknown(ledger, "target", ["cloud"]) == {"gone"}
    assert due.unknown(ledger, "source", ["another"]) == {"hr"}
    assert due.waiting_for(ledger, "target", ["gone"]) == [orphan]
    assert due.waiting_for(ledger, "source", ["hr"]) == [scheduled, orphan]
