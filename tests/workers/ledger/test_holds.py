"""Standing holds: a whole source or target waits, exactly from the word on, and goes on again."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import sqlalchemy as sa

from config.settings import Window
from tests.workers.ledger.meetings import one_behind_the_other
from tests.workers.records import (
    HOUR,
    LEASE,
    NOW,
    SECOND,
    audit_of,
    claim,
    job_of,
    job_row,
    jobs_of,
    moves_of,
    open_alarms,
    person,
    rows,
    state_of,
    try_claim,
)
from workers.errors import Stopped
from workers.leavers import AccountId, Leaver, LeaverId, Outcome, new_id
from workers.ledger import brakes, due, holds, lookups, moves
from workers.ledger import tables as t
from workers.ledger.holds import Side

HR, CLOUD = Side("source", "hr"), Side("target", "cloud")
SIDES = [HR, CLOUD]
BY: dict[str, Any] = {"actor": "ops", "why": "payroll is wrong", "now": NOW}
GO: dict[str, Any] = {"actor": "eve", "why": "payroll is right", "now": NOW}


def intend(ledger, owned, account="a1", *, brakes=None, now=NOW):
    moves.intend(ledger, owned, AccountId(account), brakes=brakes or {}, now=now, lease=LEASE)


def sweep(ledger, now=NOW):
    for job in due.let_go(ledger):
        moves.let_go(ledger, job, actor="w1", now=now)


def lookup_of(ledger, source="hr"):
    about = {"source": source, "at": NOW, "why": "an event", "request_id": "", "now": NOW}
    with ledger.write() as tx:
        return lookups.open_lookup(
            tx, LeaverId(new_id()), Leaver("", "7", person().leaver.cutoff), **about
        )


@pytest.mark.parametrize("side", SIDES, ids=str)
def test_a_job_whose_turn_comes_is_held_with_its_side(ledger, side):
    """It was accepted and recorded; who looks at it reads whose word it waits for."""
    holds.hold(ledger, side, **BY)
    job = job_of(ledger)

    assert try_claim(ledger, job) is None

    assert state_of(ledger, job) == ("held", side.reason)
    assert job_row(ledger, job)["detail"] == f"{side} is held by ops: payroll is wrong"
    assert moves_of(ledger, job)[-1] == ("hold", "queued", "held")


@pytest.mark.parametrize("other", [Side("source", "asia"), Side("target", "hr")], ids=str)
def test_a_job_of_other_sides_goes_on(ledger, other):
    """Also where a target is called as the source is."""
    holds.hold(ledger, other, **BY)

    assert try_claim(ledger, job_of(ledger))


def test_a_scheduled_job_stays_scheduled_until_its_cutoff(ledger):
    """HR may still move or take back its date, and nothing is late."""
    job = job_of(ledger, cutoff=NOW + HOUR)
    holds.hold(ledger, HR, **BY)

    assert try_claim(ledger, job) is None
    assert state_of(ledger, job) == ("scheduled", "cutoff_ahead")


@pytest.mark.parametrize("side", SIDES, ids=str)
def test_a_running_job_stops_at_its_next_intend_and_is_held(ledger, side):
    """Its attempt was not at fault: it is not counted."""
    job = job_of(ledger)
    owned = claim(ledger, job)
    holds.hold(ledger, side, **BY)

    with pytest.raises(Stopped) as raised:
        intend(ledger, owned)
    moves.give_back(ledger, owned, reason=moves.STOPS[raised.value.stop][1], now=NOW)
    try_claim(ledger, job)

    assert state_of(ledger, job) == ("held", side.reason)
    assert job_row(ledger, job)["attempts"] == 0


def test_what_was_written_before_the_hold_is_still_proven(ledger):
    """The account is off; to say so is no write."""
    job = job_of(ledger)
    owned = claim(ledger, job)
    intend(ledger, owned)
    holds.hold(ledger, HR, **BY)

    moves.finish(ledger, owned, Outcome.DEACTIVATED, now=NOW)

    assert state_of(ledger, job)[0] == "done"


def test_lookups_go_on_while_their_source_is_held(ledger):
    """They only read; who leaves must be known when the hold ends."""
    lookup = lookup_of(ledger)
    holds.hold(ledger, HR, **BY)

    assert try_claim(ledger, lookup, concurrency={"hr:hr": 1})


def test_lookups_stop_where_the_hr_system_itself_is_held(ledger):
    """It is their target, for somebody who must have it left alone."""
    lookup = lookup_of(ledger)
    holds.hold(ledger, Side("target", "hr:hr"), **BY)

    assert try_claim(ledger, lookup, concurrency={"hr:hr": 1}) is None
    assert state_of(ledger, lookup) == ("held", "target_held")


@pytest.mark.parametrize("side", SIDES, ids=str)
def test_a_hold_is_one_alarm_and_one_line_of_the_audit_trail(ledger, side):
    """Five hundred jobs of a source are one thing to know."""
    for _ in range(2):
        holds.hold(ledger, side, **BY)
    for job in jobs_of(ledger, 3):
        try_claim(ledger, job)

    assert open_alarms(ledger) == [(side.reason, side.name)]
    [entry] = rows(ledger, t.audit, t.audit.c.action == f"hold the {side.kind}")
    assert (entry["actor"], entry["detail"]) == ("ops", f"{side.name}: payroll is wrong")


def test_the_first_word_stays_while_the_hold_stands(ledger):
    """Who put it on is who is asked whether it may go."""
    assert holds.hold(ledger, HR, **BY)
    assert not holds.hold(ledger, HR, **GO)

    [row] = rows(ledger, t.holds)
    assert (row["actor"], row["reason"], row["held_at"]) == ("ops", "payroll is wrong", NOW)


@pytest.mark.parametrize("side", SIDES, ids=str)
def test_released_its_jobs_go_on_by_themselves_and_every_rule_is_asked_again(ledger, side):
    """The audit trail says whose word let them."""
    jobs = jobs_of(ledger, 3)
    holds.hold(ledger, side, **BY)
    for job in jobs:
        try_claim(ledger, job)

    sweep(ledger)
    assert {state_of(ledger, job) for job in jobs} == {("held", side.reason)}
    assert holds.release(ledger, side, **GO)
    sweep(ledger)

    assert {state_of(ledger, job) for job in jobs} == {("queued", "")}
    assert open_alarms(ledger) == []
    assert [entry["detail"] for entry in audit_of(ledger, jobs[0])][-1] == "eve: payroll is right"
    assert not holds.release(ledger, side, **GO)


def test_a_job_whose_other_side_is_held_too_is_held_again(ledger):
    """Both must be let go."""
    job = job_of(ledger)
    for side in SIDES:
        holds.hold(ledger, side, **BY)
    try_claim(ledger, job)
    assert state_of(ledger, job) == ("held", "source_held")

    holds.release(ledger, HR, **GO)
    sweep(ledger)
    assert try_claim(ledger, job) is None

    assert state_of(ledger, job) == ("held", "target_held")


@pytest.mark.parametrize("reason", ["source_held", "brake", "protected"])
def test_a_job_that_nobody_let_go_stays(ledger, reason):
    """A sweep may be late: since it looked, the job was let go, taken, and held again."""
    job = job_of(ledger)
    owned = claim(ledger, job)
    holds.hold(ledger, HR, **BY)
    moves.hold(ledger, owned, reason=reason, now=NOW)

    assert not moves.let_go(ledger, job, actor="w1", now=NOW)
    assert state_of(ledger, job) == ("held", reason)


def test_a_release_leaves_what_is_held_for_another_reason(ledger):
    """A protected account stays with the person who must decide."""
    job = job_of(ledger)
    moves.hold(ledger, claim(ledger, job), reason="protected", now=NOW)
    holds.hold(ledger, HR, **BY)

    holds.release(ledger, HR, **GO)
    sweep(ledger)

    assert state_of(ledger, job) == ("held", "protected")


def test_a_job_whose_cutoff_was_moved_meanwhile_waits_for_it(ledger):
    """HR corrected the date while the source was held."""
    job = job_of(ledger)
    holds.hold(ledger, HR, **BY)
    try_claim(ledger, job)
    with ledger.write() as tx:
        tx.execute(t.jobs.update().values(cutoff=NOW + HOUR))

    holds.release(ledger, HR, **GO)
    sweep(ledger)

    assert state_of(ledger, job) == ("scheduled", "cutoff_ahead")


@pytest.mark.parametrize("side", SIDES, ids=str)
def test_a_single_job_is_not_released_while_its_side_is_held(ledger, side):
    """It would only be held again; the word that counts is the one about the whole."""
    job = job_of(ledger)
    holds.hold(ledger, side, **BY)
    try_claim(ledger, job)

    assert not moves.release_by(ledger, job, **GO)
    holds.release(ledger, side, **GO)
    assert moves.release_by(ledger, job, **GO)


def test_a_job_that_an_operator_holds_by_itself_stays_when_the_others_go(ledger):
    """Of all that HR sent, this one was wrong."""
    one, other = jobs_of(ledger, 2)
    holds.hold(ledger, HR, **BY)
    for job in (one, other):
        try_claim(ledger, job)

    assert moves.hold_by(ledger, one, **BY) == "held"
    holds.release(ledger, HR, **GO)
    sweep(ledger)

    assert state_of(ledger, one) == ("held", "operator_hold")
    assert state_of(ledger, other) == ("queued", "")


def test_a_forced_replay_does_not_get_past_a_hold(ledger):
    """Force is about what HR says of one person."""
    job = job_of(ledger)
    holds.hold(ledger, HR, **BY)
    try_claim(ledger, job)

    moves.replay_by(ledger, job, force=True, **GO)

    assert try_claim(ledger, job) is None
    assert state_of(ledger, job) == ("held", "source_held")


@pytest.mark.parametrize("side", SIDES, ids=str)
def test_after_the_hold_has_returned_nobody_gets_the_leave_to_write(ledger, side):
    """Sixteen threads ask for it without a pause when the word comes."""
    room = {"cloud": 16}
    claims = [claim(ledger, job, concurrency=room) for job in jobs_of(ledger, 16)]
    all_wrote = threading.Barrier(17)

    def write(number):
        for turn in range(10_000):
            try:
                intend(ledger, claims[number], f"a{number}", now=NOW + turn * SECOND)
            except Stopped:
                return turn
            if turn == 0:
                all_wrote.wait()
        return None

    with ThreadPoolExecutor(16) as threads:
        writing = [threads.submit(write, number) for number in range(16)]
        all_wrote.wait()
        holds.hold(ledger, side, **BY)
        given = rows(ledger, t.accounts)
        stopped_at = [each.result() for each in writing]

    assert None not in stopped_at
    assert rows(ledger, t.accounts) == given


def test_a_hold_waits_for_the_leave_that_is_just_being_given(postgresql_ledger):
    """It asked before the word was there; "held" must not be said before it has its answer."""
    ledger = postgresql_ledger
    job = job_of(ledger)
    owned = claim(ledger, job)
    brake = {"": (Window(9, HOUR),)}
    with ledger.write() as tx:
        brakes.lift(tx, NOW)

    with one_behind_the_other(ledger, job, at=sa.select(t.brakes)) as start:
        given = start(lambda: intend(ledger, owned, brakes=brake))
        held = start(lambda: holds.hold(ledger, HR, **BY))

        assert rows(ledger, t.holds)
        assert not held.done()

    assert (given.exception(), held.result()) == (None, True)
    with pytest.raises(Stopped):
        intend(ledger, owned)
