"""Replay, hold, release and cancel: with a name and a reason, and never more than was meant."""

import os
import pwd

import pytest

from tests.servers import impatient_client
from tests.workers.records import (
    HOUR,
    LEASE,
    audit_of,
    claim,
    everything,
    job_of,
    jobs_of,
    rounds_of,
    state_of,
)
from workers.dispatch import QUEUE
from workers.leavers import AccountId, Outcome
from workers.ledger import moves
from workers.queue import KEY_PREFIX

WHY = ("--reason", "as HR asked")


@pytest.fixture
def held(ledger, now):
    job = job_of(ledger, "lena", at=now, cutoff=now)
    moves.hold(ledger, claim(ledger, job, now=now), reason="protected", now=now)
    return job


def finish(ledger, job, now, outcome=Outcome.NO_ACCOUNT):
    later = now + HOUR
    moves.finish(ledger, claim(ledger, job, now=later), outcome, now=later)


@pytest.mark.parametrize("words", [[], ["--yes"], ["--force"]])
def test_a_replay_of_nothing_in_particular_is_refused(leaver, ledger, held, words):
    """Everybody who ever left must not be one forgotten word away."""
    result = leaver.run("replay", *WHY, *words)

    assert (result.exit_code, "ids or at least one filter" in result.stderr) == (2, True)
    assert len(rounds_of(ledger, held)) == 1


def test_a_replay_that_nobody_agrees_to_does_nothing(leaver, ledger, held):
    """In a script nobody reads the count; --yes says that somebody has."""
    result = leaver.run("replay", held, *WHY)

    assert (result.exit_code, "--yes" in result.stderr) == (2, True)
    assert len(rounds_of(ledger, held)) == 1


@pytest.mark.parametrize(("answer", "code", "rounds"), [("n\n", 1, 1), ("y\n", 0, 2)])
def test_an_operator_is_asked_after_the_count(leaver, ledger, held, answer, code, rounds):
    """The count is the last chance to see that the filter was wrong."""
    ended, seen = leaver.on_terminal("replay", "--state", "held", *WHY, answer=answer)

    assert "1 job in cloud: 1 held (protected)" in seen
    assert "Replay them? [y/N]" in seen
    assert (ended, len(rounds_of(ledger, held))) == (code, rounds)


def test_a_rehearsed_replay_shows_the_jobs_and_changes_nothing(leaver, ledger, held):
    """Look first."""
    before = everything(ledger)

    shown = leaver.run("replay", "--state", "held", *WHY, "--dry-run")
    listed = leaver.run("replay", "--state", "held", *WHY, "--dry-run", "--json")

    assert (held in shown.stdout, f'"id": "{held}"' in listed.stdout) == (True, True)
    assert everything(ledger) == before


def test_a_replay_opens_a_round_with_name_and_reason(leaver, ledger, held):
    """The old round stays as it was, and the new one says who wanted it."""
    [told] = leaver.json("replay", held, *WHY, "--yes")

    first, second = rounds_of(ledger, held)
    assert told == {"id": held, "result": "replayed", "state": "queued"}
    assert (first["state"], first["reason"]) == ("held", "protected")
    assert (second["actor"], second["why"]) == (pwd.getpwuid(os.getuid()).pw_name, "as HR asked")


def test_a_second_replay_is_not_swallowed(leaver, ledger, held, now):
    """Dedup is for senders, not for operators."""
    leaver.json("replay", held, *WHY, "--yes")
    finish(ledger, held, now)

    leaver.json("replay", held, *WHY, "--yes")

    assert [row["round"] for row in rounds_of(ledger, held)] == [1, 2, 3]


def test_a_replay_of_what_is_under_way_is_said(leaver, ledger, now):
    """It was not replayed, and a script must notice."""
    job = job_of(ledger, "lena", at=now, cutoff=now)

    result = leaver.run("replay", job, *WHY, "--yes")

    assert result.exit_code == 1
    assert f"{job}  is under way already: it is queued" in result.stdout


def test_a_replay_takes_only_what_fits(leaver, ledger, now):
    """Going live replays what was only noted, and nobody else."""
    noted, other, third = jobs_of(ledger, 3)
    finish(ledger, noted, now, Outcome.WOULD_DEACTIVATE)
    finish(ledger, other, now, Outcome.NO_ACCOUNT)
    moves.hold(ledger, claim(ledger, third, now=now), reason="protected", now=now)

    by_outcome = leaver.json("replay", "--outcome", "would_deactivate", *WHY, "--yes")
    by_reason = leaver.json("replay", "--where-reason", "protected", *WHY, "--yes")

    assert [each["id"] for each in by_outcome] == [noted]
    assert [each["id"] for each in by_reason] == [third]


def test_ids_and_filters_narrow_each_other(leaver, ledger, held, now):
    """An id that does not fit the filter is not replayed."""
    assert leaver.json("replay", held, "--state", "failed", *WHY, "--yes") == []
    assert len(rounds_of(ledger, held)) == 1


@pytest.mark.parametrize(("words", "account"), [([], "a1"), (["--force"], None)])
def test_only_force_forgets_the_account(leaver, ledger, now, words, account):
    """Another account under the same address is only taken when somebody says so."""
    job = job_of(ledger, "lena", at=now, cutoff=now)
    claimed = claim(ledger, job, now=now)
    moves.pin(ledger, claimed, AccountId("a1"), now=now, lease=LEASE)
    moves.hold(ledger, claimed, reason="account_changed", now=now)

    leaver.json("replay", job, *WHY, "--yes", *words)

    assert leaver.json("job", job)[0]["account_id"] == account


def test_the_workers_are_woken(leaver, ledger, held, redis_server):
    """Whoever replays waits for the result."""
    leaver.configure(queue=redis_server.url)

    leaver.json("replay", held, *WHY, "--yes")

    with impatient_client(redis_server.url) as client:
        assert held.encode() in client.lindex(f"{KEY_PREFIX}{QUEUE}", 0)


def test_a_queue_that_is_down_is_only_noted(leaver, ledger, held):
    """The ledger has it; the workers find it."""
    result = leaver.run("replay", held, *WHY, "--yes")

    assert result.exit_code == 0
    assert "The queue cannot be reached; the jobs run as soon as it is back." in result.stderr


@pytest.mark.parametrize(
    ("command", "told", "state"),
    [
        ("hold", "held", ("held", "operator_hold")),
        ("cancel", "cancelled", ("cancelled", "operator_cancel")),
    ],
)
def test_a_waiting_job_is_stopped_at_once(leaver, ledger, now, command, told, state):
    """HR called: it was the wrong person."""
    job = job_of(ledger, "lena", at=now, cutoff=now)

    result = leaver.run(command, job, *WHY)

    assert (result.exit_code, result.stdout) == (0, f"{job}  {told}\n")
    assert state_of(ledger, job) == state
    assert audit_of(ledger, job)[-1]["detail"] == "as HR asked"


def test_a_terminal_shows_how_far_a_long_act_is(leaver, ledger):
    """Hundreds of jobs take minutes; what became of each is told all the same."""
    jobs = jobs_of(ledger, 12)

    code, seen = leaver.on_terminal("hold", *jobs, *WHY)

    assert (code, "12/12" in seen) == (0, True)
    assert [job for job in jobs if f"{job}  held" not in seen] == []


@pytest.mark.parametrize("command", ["hold", "cancel"])
def test_a_running_job_is_stopping(leaver, ledger, now, command):
    """It is not stopped yet, and must not be shown as if it were."""
    job = job_of(ledger, "lena", at=now, cutoff=now)
    claim(ledger, job, now=now)

    assert leaver.json(command, job, *WHY) == [
        {"id": job, "result": "stopping", "state": "running"}
    ]


def test_a_held_job_is_released(leaver, ledger, held):
    """It goes on in its round."""
    assert leaver.json("release", held, *WHY) == [
        {"id": held, "result": "released", "state": "queued"}
    ]
    assert len(rounds_of(ledger, held)) == 1


@pytest.mark.parametrize(
    ("command", "past"), [("hold", "held"), ("release", "released"), ("cancel", "cancelled")]
)
def test_what_cannot_be_done_is_said_and_the_rest_is_done(leaver, ledger, held, now, command, past):
    """One finished job among many must not stop the others, nor go unnoticed."""
    ended, waiting = jobs_of(ledger, 2)
    finish(ledger, ended, now)
    able = held if command == "release" else waiting

    result = leaver.run(command, ended, able, *WHY)

    assert result.exit_code == 1
    assert f"{ended}  cannot be {past}: it is done" in result.stdout
    assert f"{able}  {past}" in result.stdout


@pytest.mark.parametrize("command", ["hold", "release", "cancel", "replay"])
def test_an_unknown_id_stops_a_command_before_it_does_anything(leaver, ledger, held, command):
    """Half of a list done, because of a typing error, is hard to take back."""
    before = everything(ledger)
    agreed = ["--yes"] if command == "replay" else []

    result = leaver.run(command, held, "0123456789", *WHY, *agreed)

    noun = "job" if command == "replay" else "job or leaver"
    assert (result.exit_code, result.stderr) == (1, f"Error: no {noun} has the id 0123456789\n")
    assert everything(ledger) == before


@pytest.mark.parametrize("command", ["hold", "release", "cancel", "replay"])
@pytest.mark.parametrize("words", [[], ["--reason", ""], ["--reason", "  "]])
def test_every_act_needs_a_reason(leaver, ledger, held, command, words):
    """The audit trail is read by people who were not there."""
    result = leaver.run(command, held, *words)

    assert (result.exit_code, "--reason" in result.stderr) == (2, True)
    assert state_of(ledger, held) == ("held", "protected")


def test_what_waits_for_a_second_person_is_not_released_here(leaver, ledger, now):
    """The operating system's user has proven nothing; the console knows who approves."""
    job = job_of(ledger, at=now, cutoff=now)
    moves.hold(ledger, claim(ledger, job, now=now), reason="approval_missing", now=now)

    result = leaver.run("release", job, *WHY)

    assert result.exit_code == 1
    assert "a second person" in result.stdout
    assert f"in the console, at /jobs/{job}" in result.stdout
    assert state_of(ledger, job) == ("held", "approval_missing")
