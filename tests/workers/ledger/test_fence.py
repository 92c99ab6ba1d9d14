"""A worker whose job was taken back can write nothing, whatever it still believes."""

import pytest

from tests.workers.fakes import account
from tests.workers.records import (
    HOUR,
    LEASE,
    MINUTE,
    NOW,
    attempts_of,
    claim,
    everything,
    job_of,
    job_row,
    jobs_of,
    locked_out,
    rows,
    try_claim,
)
from workers.errors import AccountBusy, LeaseLost, Stopped
from workers.journal import LedgerJournal
from workers.leavers import AccountId, Outcome
from workers.ledger import moves
from workers.ledger import tables as t
from workers.targets.base import Call

LATE = NOW + LEASE
A_CALL = Call("users.search", "POST", "/admin/v2/users/search", False, NOW, 12, status=200)


def journal(ledger, owned, now=NOW):
    return LedgerJournal(ledger, owned, lambda: now)


#: Everything a worker can write.
WRITES = {
    "finish": lambda ledger, owned: moves.finish(ledger, owned, Outcome.DEACTIVATED, now=LATE),
    "again": lambda ledger, owned: moves.again(ledger, owned, LATE, reason="outage", now=LATE),
    "lock_out": lambda ledger, owned: locked_out(ledger, owned, now=LATE, until=LATE + HOUR),
    "give_back": lambda ledger, owned: moves.give_back(
        ledger, owned, reason="worker_stopped", now=LATE
    ),
    "hold": lambda ledger, owned: moves.hold(ledger, owned, reason="protected", now=LATE),
    "fail": lambda ledger, owned: moves.fail(ledger, owned, reason="gave_up", detail="", now=LATE),
    "pin": lambda ledger, owned: journal(ledger, owned).pin(account()),
    "keep": lambda ledger, owned: journal(ledger, owned).keep(account()),
    "watch": lambda ledger, owned: journal(ledger, owned).watch(),
    "record": lambda ledger, owned: journal(ledger, owned, LATE).record(A_CALL),
    "intend": lambda ledger, owned: moves.intend(
        ledger, owned, AccountId("a1"), brakes={}, now=LATE, lease=LEASE
    ),
}


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
@pytest.mark.parametrize("next_worker", ["none yet", "at work", "done"])
def test_a_worker_that_lost_its_lease_changes_nothing(ledger, write, next_worker):
    """It was frozen or cut off; another one has its job, and may have proven the deactivation."""
    job = job_of(ledger)
    lost = claim(ledger, job)
    moves.take_back(ledger, job, actor="sweep", now=LATE)
    if next_worker != "none yet":
        successor = claim(ledger, job, now=LATE, worker="w2")
        moves.pin(ledger, successor, AccountId("a1"), now=LATE, lease=LEASE)
        if next_worker == "done":
            moves.finish(ledger, successor, Outcome.ALREADY_INACTIVE, now=LATE)
    before = everything(ledger)

    with pytest.raises(LeaseLost):
        write(ledger, lost)

    assert everything(ledger) == before


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_a_worker_that_ended_its_attempt_cannot_write_again(ledger, write):
    """One attempt has one end."""
    job = job_of(ledger)
    owned = claim(ledger, job)
    moves.again(ledger, owned, NOW, reason="not_verified", now=NOW)
    before = everything(ledger)

    with pytest.raises(LeaseLost):
        write(ledger, owned)

    assert everything(ledger) == before


def test_every_claim_raises_the_token(ledger):
    """The token is what tells the owner from everybody who was it before."""
    job = job_of(ledger)
    first = claim(ledger, job)
    moves.give_back(ledger, first, reason="worker_stopped", now=NOW)

    second = claim(ledger, job)

    assert second.token > first.token
    assert [row["token"] for row in attempts_of(ledger, job)] == [first.token, second.token]


def test_a_recorded_call_keeps_the_lease(ledger):
    """Long attempts live as long as they show signs of life."""
    job = job_of(ledger)
    owned = claim(ledger, job)

    journal(ledger, owned, NOW + MINUTE).record(A_CALL)

    assert job_row(ledger, job)["lease_until"] == NOW + MINUTE + LEASE
    [call] = rows(ledger, t.calls)
    assert (call["attempt_id"], call["name"], call["status"]) == (
        owned.attempt,
        "users.search",
        200,
    )


def test_a_recorded_call_keeps_the_account(ledger):
    """While one job reads back what it wrote, another must not write to the same account."""
    first, second = jobs_of(ledger, 2)
    owned = claim(ledger, first)
    moves.intend(ledger, owned, AccountId("a1"), brakes={}, now=NOW, lease=LEASE)
    journal(ledger, owned, NOW + MINUTE).record(A_CALL)
    other = claim(ledger, second, now=NOW + MINUTE)

    with pytest.raises(AccountBusy):
        moves.intend(ledger, other, AccountId("a1"), brakes={}, now=NOW + MINUTE, lease=LEASE)


# --- The leave to write ---


def test_an_account_that_another_job_works_on_is_busy_and_leaves_no_mark(ledger):
    """A refused intent must not look, later, as if this job had written."""
    first, second = jobs_of(ledger, 2)
    moves.intend(ledger, claim(ledger, first), AccountId("a1"), brakes={}, now=NOW, lease=LEASE)
    other = claim(ledger, second)
    before = everything(ledger)

    with pytest.raises(AccountBusy):
        moves.intend(ledger, other, AccountId("a1"), brakes={}, now=NOW, lease=LEASE)

    assert everything(ledger) == before
    assert job_row(ledger, second)["intended_at"] is None


def test_the_same_account_id_in_another_target_is_another_account(ledger):
    """Ids of two systems may be equal by chance."""
    here = claim(ledger, job_of(ledger, "lena", targets=("cloud",)))
    there = claim(ledger, job_of(ledger, "bob", targets=("jira-dc",)))

    moves.intend(ledger, here, AccountId("a1"), brakes={}, now=NOW, lease=LEASE)
    moves.intend(ledger, there, AccountId("a1"), brakes={}, now=NOW, lease=LEASE)

    assert len(rows(ledger, t.accounts)) == 2


def test_other_accounts_of_the_target_are_free(ledger):
    """A mass layoff is worked on side by side."""
    first, second = (claim(ledger, job) for job in jobs_of(ledger, 2))

    moves.intend(ledger, first, AccountId("a1"), brakes={}, now=NOW, lease=LEASE)
    moves.intend(ledger, second, AccountId("a2"), brakes={}, now=NOW, lease=LEASE)

    assert len(rows(ledger, t.accounts)) == 2


def test_a_job_may_write_more_than_once_to_its_account(ledger):
    """A suspend goes to every directory, and each write asks."""
    owned = claim(ledger, job_of(ledger))
    moves.intend(ledger, owned, AccountId("a1"), brakes={}, now=NOW, lease=LEASE)

    moves.intend(ledger, owned, AccountId("a1"), brakes={}, now=NOW + MINUTE, lease=LEASE)

    assert job_row(ledger, owned.job)["intended_at"] == NOW
    assert job_row(ledger, owned.job)["lease_until"] == NOW + MINUTE + LEASE


def test_an_account_is_free_again_when_the_lease_of_its_job_ran_out(ledger):
    """A worker that died must not lock a person's account for ever."""
    first, second = jobs_of(ledger, 2)
    moves.intend(ledger, claim(ledger, first), AccountId("a1"), brakes={}, now=NOW, lease=LEASE)

    moves.intend(ledger, claim(ledger, second), AccountId("a1"), brakes={}, now=LATE, lease=LEASE)

    assert [row["job_id"] for row in rows(ledger, t.accounts)] == [second]


def test_an_account_is_free_again_when_its_job_is_taken_back(ledger):
    """The same job may get it back first, under another token."""
    job = job_of(ledger)
    moves.intend(ledger, claim(ledger, job), AccountId("a1"), brakes={}, now=NOW, lease=LEASE)
    moves.take_back(ledger, job, actor="sweep", now=LATE)

    moves.intend(
        ledger, claim(ledger, job, now=LATE), AccountId("a1"), brakes={}, now=LATE, lease=LEASE
    )

    assert len(rows(ledger, t.accounts)) == 1


@pytest.mark.parametrize(("ask", "stop"), [(moves.hold_by, "hold"), (moves.cancel_by, "cancel")])
def test_a_write_is_not_allowed_once_an_operator_said_stop(ledger, ask, stop):
    """The last moment at which a wrong leaver can be saved."""
    owned = claim(ledger, job_of(ledger))
    ask(ledger, owned.job, actor="ops", why="a mistake of HR's", now=NOW)
    before = everything(ledger)

    with pytest.raises(Stopped) as raised:
        moves.intend(ledger, owned, AccountId("a1"), brakes={}, now=NOW, lease=LEASE)

    assert raised.value.stop == stop
    assert everything(ledger) == before


def test_a_write_before_an_account_was_matched_is_refused(ledger):
    """A target that writes to an account nobody matched is broken."""
    owned = claim(ledger, job_of(ledger))

    with pytest.raises(RuntimeError, match="before an account was matched"):
        journal(ledger, owned).intend("lifecycle.disable")


# --- What a job knows of its account ---


def test_the_first_account_stays(ledger):
    """Another account under the same e-mail address later is for a person to judge."""
    owned = claim(ledger, job_of(ledger))

    moves.pin(ledger, owned, AccountId("a1"), now=NOW, lease=LEASE)
    moves.pin(ledger, owned, AccountId("a2"), now=NOW, lease=LEASE)

    assert job_row(ledger, owned.job)["account_id"] == "a1"


def test_the_before_state_is_the_one_from_before_any_write(ledger):
    """A reinstatement goes back to how it was, not to how we left it."""
    job = job_of(ledger)
    owned = claim(ledger, job)
    moves.keep(ledger, owned, {"status": "active"})
    moves.keep(ledger, owned, {"status": "deactivated"})
    assert job_row(ledger, job)["snapshot"] == {"status": "active"}


def test_a_before_state_that_comes_after_a_write_is_not_kept(ledger):
    """What was read after our own write says nothing about before."""
    job = job_of(ledger)
    owned = claim(ledger, job)
    moves.intend(ledger, owned, AccountId("a1"), brakes={}, now=NOW, lease=LEASE)

    moves.keep(ledger, owned, {"status": "deactivated"})

    assert job_row(ledger, job)["snapshot"] is None


def test_an_identity_provider_is_watched_from_the_first_time_on(ledger):
    """idp_grace counts from then, whatever happened in between."""
    job = job_of(ledger)
    owned = claim(ledger, job)
    moves.watch(ledger, owned, NOW)
    moves.again(ledger, owned, NOW, reason="waiting_for_idp", counted=False, now=NOW)

    again = claim(ledger, job, now=NOW + MINUTE)
    moves.watch(ledger, again, NOW + MINUTE)

    assert again.watched_since == NOW
    assert job_row(ledger, job)["watched_since"] == NOW


def test_no_more_jobs_of_a_target_run_than_it_may_have_and_others_are_free(ledger):
    """One busy target must not keep the other waiting."""
    first, second, third = (job_of(ledger, name) for name in ("ada", "bob", "cid"))
    elsewhere = job_of(ledger, "dot", targets=("jira-dc",))
    room = {"cloud": 2, "jira-dc": 1}

    claims = [try_claim(ledger, job, concurrency=room) for job in (first, second, third, elsewhere)]

    assert [each is not None for each in claims] == [True, True, False, True]


def test_a_job_of_a_target_that_nobody_configured_is_not_to_be_had(ledger):
    """The sweep holds it; a worker has nothing to do it with."""
    job = job_of(ledger)

    assert try_claim(ledger, job, concurrency={"jira-dc": 8}) is None


def test_a_claim_knows_all_that_an_attempt_must_know(ledger):
    """The procedure asks nobody else."""
    owned = claim(ledger, job_of(ledger), worker="w7")

    assert (owned.email, owned.employee_id, owned.cutoff, owned.source, owned.target) == (
        "lena@example.com",
        "lena",
        NOW,
        "hr",
        "cloud",
    )
    assert (owned.worker, owned.round, owned.attempts, owned.token) == ("w7", 1, 0, 1)
    assert (owned.account_id, owned.intended_at, owned.probe_call) == (None, None, None)
