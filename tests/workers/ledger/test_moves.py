"""Every move of the picture in moves/, and every one that the picture does not have."""

import ast
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.workers.records import (
    DAY,
    HOUR,
    LEASE,
    MINUTE,
    NOW,
    attempts_of,
    audit_of,
    claim,
    everything,
    job_of,
    job_row,
    locked_out,
    moves_of,
    open_alarms,
    rounds_of,
    rows,
    state_of,
    try_claim,
)
from workers.leavers import AccountId, JobId, Outcome, State
from workers.ledger import Ledger, moves
from workers.ledger import tables as t

LATE = NOW + LEASE
BY: dict[str, Any] = {"actor": "ops", "why": "told so"}


def brought_to(ledger: Ledger, state: State) -> JobId:
    """A job in this state, whose cutoff is not ahead unless it is scheduled."""
    if state is State.SCHEDULED:
        return job_of(ledger, cutoff=NOW + HOUR)
    job = job_of(ledger)
    match state:
        case State.RUNNING:
            claim(ledger, job)
        case State.RETRYING:
            moves.again(ledger, claim(ledger, job), NOW, reason="unavailable", now=NOW)
        case State.HELD:
            moves.hold(ledger, claim(ledger, job), reason="protected", now=NOW)
        case State.DONE:
            moves.finish(ledger, claim(ledger, job), Outcome.DEACTIVATED, now=NOW)
        case State.FAILED:
            moves.fail(ledger, claim(ledger, job), reason="gave_up", detail="", now=NOW)
        case State.CANCELLED:
            moves.cancel_by(ledger, job, now=NOW, **BY)
    return job


#: The picture: a move, from where it starts, and where it leads.
PICTURE: dict[str, tuple[Callable[[Ledger, JobId], object], dict[State, State]]] = {
    "claim": (
        lambda ledger, job: try_claim(ledger, job),
        {State.QUEUED: State.RUNNING, State.RETRYING: State.RUNNING},
    ),
    "mature": (
        lambda ledger, job: moves.mature(ledger, job, actor="sweep", now=NOW + HOUR),
        {State.SCHEDULED: State.QUEUED},
    ),
    "take_back": (
        lambda ledger, job: moves.take_back(ledger, job, actor="sweep", now=LATE),
        {State.RUNNING: State.QUEUED},
    ),
    "hold_missing": (
        lambda ledger, job: moves.hold_missing(ledger, job, kind="target", actor="sweep", now=NOW),
        {
            State.SCHEDULED: State.HELD,
            State.QUEUED: State.HELD,
            State.RETRYING: State.HELD,
        },
    ),
    "hold": (
        lambda ledger, job: moves.hold_by(ledger, job, now=NOW, **BY),
        {
            State.SCHEDULED: State.HELD,
            State.QUEUED: State.HELD,
            State.RETRYING: State.HELD,
            State.RUNNING: State.RUNNING,
        },
    ),
    "cancel": (
        lambda ledger, job: moves.cancel_by(ledger, job, now=NOW, **BY),
        {
            State.SCHEDULED: State.CANCELLED,
            State.QUEUED: State.CANCELLED,
            State.RETRYING: State.CANCELLED,
            State.HELD: State.CANCELLED,
            State.RUNNING: State.RUNNING,
        },
    ),
    "release": (
        lambda ledger, job: moves.release_by(ledger, job, now=NOW, **BY),
        {State.HELD: State.QUEUED},
    ),
    "replay": (
        lambda ledger, job: moves.replay_by(ledger, job, now=NOW, **BY),
        {
            State.HELD: State.QUEUED,
            State.DONE: State.QUEUED,
            State.FAILED: State.QUEUED,
            State.CANCELLED: State.QUEUED,
        },
    ),
}
DRAWN = [
    (name, start, end) for name, (_, arrows) in PICTURE.items() for start, end in arrows.items()
]
NOT_DRAWN = [
    (name, state) for name, (_, arrows) in PICTURE.items() for state in State if state not in arrows
]


@pytest.mark.parametrize(("name", "start", "end"), DRAWN)
def test_a_move_that_is_drawn_is_made_and_written_into_the_audit_trail(ledger, name, start, end):
    """The picture is what operators are told; one entry says who did it."""
    job = brought_to(ledger, start)
    before = len(audit_of(ledger, job))

    made = PICTURE[name][0](ledger, job)

    assert made
    assert state_of(ledger, job)[0] == end
    [entry] = audit_of(ledger, job)[before:]
    assert entry["actor"]
    if start is not end:
        assert (entry["from_state"], entry["to_state"]) == (start, end)


@pytest.mark.parametrize(("name", "start"), NOT_DRAWN)
def test_a_move_that_is_not_drawn_is_refused_and_writes_nothing(ledger, name, start):
    """No success is overwritten, and nobody works on what is held, ended or another's."""
    job = brought_to(ledger, start)
    before = everything(ledger)

    made = PICTURE[name][0](ledger, job)

    assert not made
    assert everything(ledger) == before


@pytest.mark.parametrize("name", PICTURE)
def test_a_move_of_a_job_that_does_not_exist_is_refused(ledger, name):
    """A mistyped id, or a forged message in the queue."""
    before = everything(ledger)

    made = PICTURE[name][0](ledger, JobId("no such job"))

    assert not made
    assert everything(ledger) == before


#: How a worker ends an attempt: the state it leads to, what the attempt says, whether it counts.
ENDS = {
    "finish": (
        lambda ledger, owned: moves.finish(ledger, owned, Outcome.SUSPENDED, now=NOW),
        ("done", ""),
        ("done", True),
    ),
    "again": (
        lambda ledger, owned: moves.again(ledger, owned, NOW, reason="not_verified", now=NOW),
        ("retrying", "not_verified"),
        ("again", True),
    ),
    "again, not counted": (
        lambda ledger, owned: moves.again(
            ledger, owned, NOW, reason="account_busy", counted=False, now=NOW
        ),
        ("retrying", "account_busy"),
        ("again", False),
    ),
    "again, before the cutoff": (
        lambda ledger, owned: moves.again(
            ledger, owned, NOW + HOUR, reason="cutoff_ahead", counted=False, now=NOW
        ),
        ("scheduled", "cutoff_ahead"),
        ("again", False),
    ),
    "lock_out": (
        lambda ledger, owned: locked_out(ledger, owned),
        ("retrying", "outage"),
        ("paused", False),
    ),
    "give_back": (
        lambda ledger, owned: moves.give_back(ledger, owned, reason="worker_stopped", now=NOW),
        ("queued", "worker_stopped"),
        ("stopped", False),
    ),
    "hold": (
        lambda ledger, owned: moves.hold(ledger, owned, reason="protected", now=NOW),
        ("held", "protected"),
        ("held", True),
    ),
    "fail": (
        lambda ledger, owned: moves.fail(ledger, owned, reason="gave_up", detail="", now=NOW),
        ("failed", "gave_up"),
        ("failed", True),
    ),
}


@pytest.mark.parametrize(("end", "state", "attempt"), ENDS.values(), ids=ENDS)
def test_each_end_of_an_attempt_is_kept_in_job_attempt_and_audit_trail(ledger, end, state, attempt):
    """`leaver job ID` shows what became of every try."""
    job = job_of(ledger)

    end(ledger, claim(ledger, job))

    assert state_of(ledger, job) == state
    [kept] = attempts_of(ledger, job)
    assert (kept["result"], kept["counted"], kept["finished_at"]) == (*attempt, NOW)
    row = job_row(ledger, job)
    assert (row["attempts"], row["lease_until"], row["stop"]) == (int(attempt[1]), None, None)
    assert moves_of(ledger, job)[-1][1:] == ("running", state[0])


@pytest.mark.parametrize("stop", ["hold", "cancel"])
@pytest.mark.parametrize("end", [e for e in ENDS if e != "finish"])
def test_what_an_operator_asked_for_while_a_job_ran_comes_before_its_end(ledger, stop, end):
    """The operator was told that the job stops, so it does, however the attempt ends."""
    job = job_of(ledger)
    owned = claim(ledger, job)
    ask = moves.hold_by if stop == "hold" else moves.cancel_by
    asked = ask(ledger, job, now=NOW, **BY)

    ENDS[end][0](ledger, owned)

    state = {"hold": "held", "cancel": "cancelled"}[stop]
    assert asked == "stopping"
    assert state_of(ledger, job) == (state, f"operator_{stop}")
    last = audit_of(ledger, job)[-1]
    assert (last["actor"], last["action"], last["detail"]) == ("ops", stop, "told so")
    assert open_alarms(ledger) == []


@pytest.mark.parametrize("ask", [moves.hold_by, moves.cancel_by])
def test_a_success_is_a_success_whatever_an_operator_asked_for_meanwhile(ledger, ask):
    """The account is off, and that was read back: nothing else may be reported."""
    job = job_of(ledger)
    owned = claim(ledger, job)
    ask(ledger, job, now=NOW, **BY)

    moves.finish(ledger, owned, Outcome.DEACTIVATED, now=NOW)

    row = job_row(ledger, job)
    assert (row["state"], row["outcome"], row["stop"]) == ("done", "deactivated", None)


@pytest.mark.parametrize(
    ("ask", "state"),
    [
        (moves.hold_by, ("held", "operator_hold")),
        (moves.cancel_by, ("cancelled", "operator_cancel")),
    ],
)
def test_what_an_operator_asked_for_counts_when_the_worker_dies(ledger, ask, state):
    """Nobody else may go on with a job that was told to stop."""
    job = job_of(ledger)
    claim(ledger, job)
    ask(ledger, job, now=NOW, **BY)

    moves.take_back(ledger, job, actor="sweep", now=LATE)

    assert state_of(ledger, job) == state


# --- What each move leaves behind ---


def test_a_finished_job_says_when_and_how(ledger):
    """`done` always has an outcome."""
    job = brought_to(ledger, State.DONE)

    row = job_row(ledger, job)
    assert (row["outcome"], row["finished_at"], row["reason"]) == ("deactivated", NOW, "")
    [only] = rounds_of(ledger, job)
    assert (only["closed_at"], only["state"], only["outcome"], only["attempts"]) == (
        NOW,
        "done",
        "deactivated",
        1,
    )


def test_a_scheduled_job_that_is_held_and_released_is_scheduled_again(ledger):
    """A release must not take access away before the cutoff."""
    job = brought_to(ledger, State.SCHEDULED)
    moves.hold_by(ledger, job, now=NOW, **BY)

    moves.release_by(ledger, job, now=NOW, **BY)

    row = job_row(ledger, job)
    assert (row["state"], row["reason"], row["due_at"]) == (
        "scheduled",
        "cutoff_ahead",
        NOW + HOUR,
    )


def test_a_scheduled_job_does_not_mature_before_its_cutoff(ledger):
    """Not even a second early."""
    job = brought_to(ledger, State.SCHEDULED)

    assert not moves.mature(ledger, job, actor="sweep", now=NOW + HOUR - MINUTE / 60)
    assert state_of(ledger, job) == ("scheduled", "cutoff_ahead")


def test_a_job_that_is_not_due_cannot_be_claimed(ledger):
    """A wake-up may come early, late or twice; due_at is what counts."""
    job = job_of(ledger)
    moves.again(ledger, claim(ledger, job), NOW + MINUTE, reason="unavailable", now=NOW)

    early = try_claim(ledger, job, now=NOW + MINUTE - MINUTE / 60)

    assert early is None
    assert try_claim(ledger, job, now=NOW + MINUTE) is not None


def test_a_job_whose_workers_die_one_after_another_is_held(ledger):
    """It may be the job that kills them; a person must look."""
    job = job_of(ledger)
    now = NOW

    for _ in range(moves.LOST_LIMIT):
        claim(ledger, job, now=now)
        now += LEASE
        moves.take_back(ledger, job, actor="sweep", now=now)

    assert state_of(ledger, job) == ("held", "worker_lost")
    assert open_alarms(ledger) == [("job_held", job)]
    assert job_row(ledger, job)["attempts"] == moves.LOST_LIMIT


def test_workers_that_die_now_and_then_hold_no_job(ledger):
    """Only a row of deaths is suspicious; machines are restarted every week."""
    job = job_of(ledger)
    now = NOW

    for _ in range(moves.LOST_LIMIT + 2):
        claim(ledger, job, now=now)
        now += LEASE
        moves.take_back(ledger, job, actor="sweep", now=now)
        moves.again(ledger, claim(ledger, job, now=now), now, reason="not_verified", now=now)

    assert state_of(ledger, job) == ("retrying", "not_verified")


def test_a_lease_is_not_taken_back_before_it_ran_out(ledger):
    """Two workers on one job is what the lease is for."""
    job = brought_to(ledger, State.RUNNING)

    assert not moves.take_back(ledger, job, actor="sweep", now=LATE - MINUTE / 60)


def test_an_operators_hold_is_no_alarm(ledger):
    """Who holds a job knows it."""
    brought = brought_to(ledger, State.QUEUED)

    moves.hold_by(ledger, brought, now=NOW, **BY)

    assert open_alarms(ledger) == []


@pytest.mark.parametrize(
    ("state", "kind"), [(State.HELD, "job_held"), (State.FAILED, "job_failed")]
)
def test_a_job_that_needs_a_person_is_one_alarm_until_somebody_acts(ledger, state, kind):
    """Silence is the fourth way to ruin our users' day."""
    job = brought_to(ledger, state)
    assert open_alarms(ledger) == [(kind, job)]

    moves.replay_by(ledger, job, now=NOW, **BY)
    assert open_alarms(ledger) == []

    moves.hold(ledger, claim(ledger, job), reason="protected", now=NOW + DAY)
    assert open_alarms(ledger) == [("job_held", job)]


@pytest.mark.parametrize("act", [moves.release_by, moves.cancel_by, moves.replay_by])
def test_the_alarm_of_a_held_job_ends_with_what_an_operator_does(ledger, act):
    """An alarm that stays open after its cause is gone is soon read by nobody."""
    job = brought_to(ledger, State.HELD)

    act(ledger, job, now=NOW, **BY)

    assert open_alarms(ledger) == []


def test_an_attempt_that_ends_gives_its_account_free(ledger):
    """The next job of the same person must not wait for a lease to run out."""
    job, other = job_of(ledger, "lena"), job_of(ledger, "lena-again")
    owned = claim(ledger, job)
    moves.intend(ledger, owned, AccountId("a1"), brakes={}, now=NOW, lease=LEASE)
    moves.again(ledger, owned, NOW, reason="not_verified", now=NOW)

    moves.intend(ledger, claim(ledger, other), AccountId("a1"), brakes={}, now=NOW, lease=LEASE)

    assert [row["job_id"] for row in rows(ledger, t.accounts)] == [other]


def test_asking_again_for_a_stop_leaves_the_last_word(ledger):
    """An operator may first hold, and then decide to cancel."""
    job = brought_to(ledger, State.RUNNING)

    moves.hold_by(ledger, job, now=NOW, **BY)
    moves.cancel_by(ledger, job, now=NOW, actor="boss", why="a mistake of HR's")
    moves.take_back(ledger, job, actor="sweep", now=LATE)

    assert state_of(ledger, job) == ("cancelled", "operator_cancel")


def test_no_other_module_writes_the_state_of_a_job():
    """What moves a job without its audit row could never be explained afterwards."""
    root = Path(moves.__file__).parents[3]
    modules = (path for room in ("workers", "webhook") for path in (root / room).rglob("*.py"))

    writing = {str(path.relative_to(root)) for path in modules if _writes_a_state(path)}

    assert writing == {"workers/ledger/moves/move.py", "workers/ledger/moves/by_hr.py"}


def _writes_a_state(path):
    calls = (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call))
    values = (call for call in calls if getattr(call.func, "attr", "") == "values")
    return any(word.arg == "state" for call in values for word in call.keywords)
