"""Rounds: a replay opens a new one and keeps the old; and the clock that makes a job give up."""

import pytest

from tests.workers.records import (
    DAY,
    HOUR,
    LEASE,
    MINUTE,
    NOW,
    attempts_of,
    claim,
    job_of,
    job_row,
    jobs_of,
    locked_out,
    rounds_of,
    state_of,
)
from workers.journal import LedgerJournal
from workers.leavers import AccountId, Outcome
from workers.ledger import moves
from workers.targets.base import Call

ENDS = {
    "done": lambda ledger, job: moves.finish(
        ledger, claim(ledger, job), Outcome.DEACTIVATED, detail="two tokens left", now=NOW
    ),
    "failed": lambda ledger, job: moves.fail(
        ledger, claim(ledger, job), reason="gave_up", detail="last: outage", now=NOW
    ),
    "held": lambda ledger, job: moves.hold(
        ledger, claim(ledger, job), reason="protected", detail="by *@", now=NOW
    ),
    "cancelled": lambda ledger, job: moves.cancel_by(
        ledger, job, actor="ops", why="not yet", now=NOW
    ),
}


def replay(ledger, job, *, now=NOW + HOUR, force=False):
    return moves.replay_by(ledger, job, actor="ops", why="try again", force=force, now=now)


@pytest.mark.parametrize("state", ENDS)
def test_a_replay_opens_a_round_and_leaves_the_old_one_as_it_was(ledger, state):
    """What happened the first time is evidence."""
    job = job_of(ledger)
    ENDS[state](ledger, job)
    old = job_row(ledger, job)

    replay(ledger, job)

    first, second = rounds_of(ledger, job)
    for name in ("state", "outcome", "reason", "detail", "attempts"):
        assert first[name] == old[name]
    assert first["closed_at"] is not None
    assert (second["round"], second["actor"], second["why"], second["opened_at"]) == (
        2,
        "ops",
        "try again",
        NOW + HOUR,
    )
    assert (second["closed_at"], second["state"]) == (None, None)


def test_a_closed_round_never_changes_again(ledger):
    """No success is ever overwritten, whatever becomes of later rounds."""
    job = job_of(ledger)
    ENDS["done"](ledger, job)
    closed = rounds_of(ledger, job)[0]

    replay(ledger, job)
    moves.fail(
        ledger, claim(ledger, job, now=NOW + DAY), reason="gave_up", detail="", now=NOW + DAY
    )
    replay(ledger, job, now=NOW + DAY)

    assert rounds_of(ledger, job)[0] == closed


def test_a_second_replay_is_not_swallowed(ledger):
    """No dedup of any kind may stand in an operator's way."""
    job = job_of(ledger)
    ENDS["done"](ledger, job)
    assert replay(ledger, job)
    moves.finish(
        ledger, claim(ledger, job, now=NOW + HOUR), Outcome.ALREADY_INACTIVE, now=NOW + HOUR
    )

    assert replay(ledger, job)

    assert [row["outcome"] for row in rounds_of(ledger, job)] == [
        "deactivated",
        "already_inactive",
        None,
    ]


def test_a_replay_of_a_job_that_is_under_way_is_refused(ledger):
    """It runs anyhow; a second round beside the first would be two workers on one account."""
    job = job_of(ledger)
    claim(ledger, job)

    assert not replay(ledger, job)
    assert len(rounds_of(ledger, job)) == 1


def test_a_new_round_counts_its_own_attempts(ledger):
    """Delays start small again; the attempts of old rounds stay to be seen."""
    job = job_of(ledger)
    moves.again(ledger, claim(ledger, job), NOW, reason="not_verified", now=NOW)
    ENDS["failed"](ledger, job)

    replay(ledger, job)

    owned = claim(ledger, job, now=NOW + HOUR)
    assert (owned.attempts, owned.tries) == (0, 0)
    assert [row["round"] for row in attempts_of(ledger, job)] == [1, 1, 2]
    assert rounds_of(ledger, job)[0]["attempts"] == 2


def test_a_new_round_knows_the_account_but_of_no_write(ledger):
    """An account that is off already then is `already_inactive`, not our success once more."""
    job = job_of(ledger)
    owned = claim(ledger, job)
    moves.pin(ledger, owned, AccountId("a1"), now=NOW, lease=LEASE)
    moves.intend(ledger, owned, AccountId("a1"), brakes={}, now=NOW, lease=LEASE)
    moves.finish(ledger, owned, Outcome.DEACTIVATED, now=NOW)

    replay(ledger, job)

    again = claim(ledger, job, now=NOW + HOUR)
    assert (again.account_id, again.intended_at) == ("a1", None)


def test_a_forced_replay_forgets_which_account_was_matched(ledger):
    """The operator found out that the new account is the leaver's."""
    job = job_of(ledger)
    owned = claim(ledger, job)
    moves.pin(ledger, owned, AccountId("a1"), now=NOW, lease=LEASE)
    moves.keep(ledger, owned, {"status": "active"})
    moves.hold(ledger, owned, reason="account_changed", now=NOW)

    replay(ledger, job, force=True)

    again = claim(ledger, job, now=NOW + HOUR)
    assert (again.account_id, again.snapshot) == (None, None)


def test_a_replay_before_the_cutoff_waits_for_it(ledger):
    """A replay is no way around the last day."""
    job = job_of(ledger, cutoff=NOW + DAY)
    ENDS["cancelled"](ledger, job)

    replay(ledger, job)

    assert state_of(ledger, job) == ("scheduled", "cutoff_ahead")
    assert job_row(ledger, job)["due_at"] == NOW + DAY


def test_a_release_goes_on_in_the_same_round(ledger):
    """The job waited for a person, who has mended the cause."""
    job = job_of(ledger)
    owned = claim(ledger, job)
    moves.pin(ledger, owned, AccountId("a1"), now=NOW, lease=LEASE)
    moves.hold(ledger, owned, reason="administrator", now=NOW)

    moves.release_by(ledger, job, actor="ops", why="role removed", now=NOW + DAY)

    again = claim(ledger, job, now=NOW + DAY)
    assert (again.round, again.attempts, again.account_id) == (1, 1, "a1")
    assert len(rounds_of(ledger, job)) == 1


def test_a_release_starts_the_delays_anew(ledger):
    """Somebody has just mended the cause: the next failure must not wait for hours."""
    job = job_of(ledger)
    for _ in range(9):
        moves.again(ledger, claim(ledger, job), NOW, reason="not_verified", now=NOW)
    moves.hold(ledger, claim(ledger, job), reason="refused", now=NOW)

    moves.release_by(ledger, job, actor="ops", why="mended", now=NOW)
    first = claim(ledger, job)
    moves.again(ledger, first, NOW, reason="not_verified", now=NOW)
    second = claim(ledger, job)

    assert [(each.attempts, each.tries) for each in (first, second)] == [(10, 0), (11, 1)]


# --- The clock of retry.give_up_after ---


def try_again(ledger, job, now):
    owned = claim(ledger, job, now=now)
    moves.again(ledger, owned, now, reason="not_verified", now=now)
    return owned


def pause(ledger, job, since, until):
    """The target is paused from `since` to `until`."""
    locked_out(ledger, claim(ledger, job, now=since), now=since, until=until)
    probe = claim(ledger, job, now=until)
    call = Call("users.search", "POST", "/", False, until, 5, status=200)
    LedgerJournal(ledger, probe, lambda: until).record(call)
    moves.again(ledger, probe, until, reason="not_verified", now=until)


def test_the_clock_starts_with_the_first_attempt(ledger):
    """A job that waited in the queue has not been tried in vain."""
    job = job_of(ledger)

    first = try_again(ledger, job, NOW + DAY)
    second = try_again(ledger, job, NOW + DAY + HOUR)

    assert (first.working_seconds, second.working_seconds) == (0, 3600)


def test_time_in_pauses_is_not_counted(ledger):
    """An outage of a week must not fail everybody who left during it."""
    job, other = jobs_of(ledger, 2)
    try_again(ledger, job, NOW)

    pause(ledger, other, NOW + HOUR, NOW + DAY)

    assert try_again(ledger, job, NOW + DAY + HOUR).working_seconds == 2 * 3600


def test_a_pause_from_before_the_first_attempt_does_not_lengthen_its_time(ledger):
    """Only pauses that the job lived through are its own."""
    job, other = jobs_of(ledger, 2)
    pause(ledger, other, NOW, NOW + DAY)

    try_again(ledger, job, NOW + DAY)

    assert try_again(ledger, job, NOW + DAY + HOUR).working_seconds == 3600


def test_of_a_pause_that_was_under_way_only_the_rest_is_taken_off(ledger):
    """The probe of a pause begins in the middle of it."""
    job, other = jobs_of(ledger, 2)
    locked_out(ledger, claim(ledger, other), now=NOW, until=NOW + HOUR)
    probe = claim(ledger, job, now=NOW + HOUR)
    locked_out(ledger, probe, now=NOW + HOUR, until=NOW + 2 * HOUR)

    again = claim(ledger, job, now=NOW + 3 * HOUR)

    assert again.probe_call is not None
    assert again.working_seconds == 0


def test_a_pause_of_another_target_is_counted(ledger):
    """This target worked all the time."""
    job, elsewhere = job_of(ledger, "lena"), job_of(ledger, "bob", targets=("jira-dc",))
    try_again(ledger, job, NOW)

    pause(ledger, elsewhere, NOW, NOW + DAY)

    assert try_again(ledger, job, NOW + DAY).working_seconds == 24 * 3600


@pytest.mark.parametrize("begin_again", [moves.release_by, moves.replay_by])
def test_the_clock_starts_anew_when_a_person_acts(ledger, begin_again):
    """Whoever releases a job after a month does not want to see it fail at once."""
    job = job_of(ledger)
    try_again(ledger, job, NOW)
    moves.hold(ledger, claim(ledger, job), reason="administrator", now=NOW)

    begin_again(ledger, job, actor="ops", why="mended", now=NOW + 30 * DAY)

    assert try_again(ledger, job, NOW + 30 * DAY).working_seconds == 0
    assert try_again(ledger, job, NOW + 30 * DAY + MINUTE).working_seconds == 60
