"""Questions that the door puts to the workers through the ledger, and their answers."""

from datetime import timedelta

import pytest

from tests.workers.records import DAY, HOUR, NOW, SECOND, claim, job_of, rows
from workers.leavers import Cutoff, JobId, Leaver, LeaverKind, Standing, State
from workers.ledger import explanations, holds, moves
from workers.ledger import tables as t
from workers.ledger.explanations import PATIENCE, Question
from workers.ledger.queries import NotFound, ahead

LEAVER = Leaver(
    "lena@example.com",
    "7",
    Cutoff(NOW + HOUR, NOW.date(), "Europe/Berlin"),
    LeaverKind.CORRECTED,
    NOW - SECOND,
)


def ask(ledger, *questions, now=NOW):
    return explanations.ask(ledger, questions, actor="ops", now=now)


@pytest.mark.parametrize(
    "question",
    [Question(JobId("j1")), Question(None, "hr", "cloud", LEAVER)],
    ids=["job", "leaver"],
)
def test_a_worker_is_asked_what_was_meant(ledger, question):
    """With the date and zone of HR, by which the cutoff was reckoned."""
    [one] = ask(ledger, question)

    assert explanations.take(ledger, one, NOW) == question


def test_a_question_is_answered_by_one_worker(ledger):
    """A wake-up may be doubled; one that died leaves the question to another."""
    [one] = ask(ledger, Question("j1"))

    assert explanations.take(ledger, one, NOW) is not None
    assert explanations.take(ledger, one, NOW + PATIENCE - timedelta(microseconds=1)) is None
    assert explanations.take(ledger, one, NOW + PATIENCE) is not None


def test_an_answer_is_given_once_and_to_its_question(ledger):
    """Two commands may wait at once."""
    one, other = ask(ledger, Question("j1"), Question("j2"))

    explanations.answer(ledger, one, {"said": "this"})

    assert explanations.answers(ledger, [one, other]) == {one: {"said": "this"}}
    assert explanations.take(ledger, one, NOW + PATIENCE) is None


def test_nothing_stays_of_a_question_that_nobody_asks_any_more(ledger):
    """It holds personal data."""
    [one] = ask(ledger, Question(None, "hr", "cloud", LEAVER))

    explanations.forget(ledger, [one])
    explanations.answer(ledger, one, {"said": "too late"})

    assert explanations.take(ledger, one, NOW) is None
    assert rows(ledger, t.explanations) == []


def test_what_a_command_left_behind_goes_after_a_day(ledger):
    """It was killed while it waited."""
    ask(ledger, Question("j1"))

    ask(ledger, Question("j2"), now=NOW + DAY + SECOND)

    assert [row["job_id"] for row in rows(ledger, t.explanations)] == ["j2"]


# --- What the next attempt would be given ---


def next_of(ledger, job):
    return ahead.of_job(ledger, job, worker="w1")


def test_the_next_attempt_is_given_what_the_claim_would_give(ledger):
    """But for what owns the job."""
    job = job_of(ledger)

    found = next_of(ledger, job)
    claimed = claim(ledger, job)

    for name in ("email", "employee_id", "cutoff", "standing", "forced", "round", "account_id"):
        assert getattr(found.claim, name) == getattr(claimed, name), name
    assert (found.claim.standing, found.state, found.first) == (Standing.LEAVING, State.QUEUED, "")


def test_a_held_job_is_ahead_as_if_it_were_released(ledger):
    """A release gives the identity provider its time again."""
    job = job_of(ledger)
    claimed = claim(ledger, job)
    moves.watch(ledger, claimed, NOW)
    moves.hold(ledger, claimed, reason="idp_managed", now=NOW)

    found = next_of(ledger, job)

    assert (found.first, found.claim.watched_since, found.claim.round) == ("release", None, 1)


def test_an_ended_job_is_ahead_as_if_it_were_replayed(ledger):
    """In a round of its own, in which nothing was written yet."""
    job = job_of(ledger)
    moves.cancel_by(ledger, job, actor="ops", why="a mistake", now=NOW)

    found = next_of(ledger, job)

    assert (found.first, found.claim.intended_at, found.claim.round) == ("replay", None, 2)


def test_who_holds_the_whole_source_is_known(ledger):
    """No worker takes the job before that is over."""
    job = job_of(ledger)
    side = holds.Side("source", "hr")
    holds.hold(ledger, side, actor="ops", why="a wrong list", now=NOW)

    of_leaver = ahead.of_leaver(ledger, LEAVER, source="hr", target="cloud", worker="w1", now=NOW)

    assert next_of(ledger, job).side.side == of_leaver.side.side == side


def test_a_job_that_is_not_there_has_nothing_ahead(ledger):
    """Its id was mistyped, or the ledger is another one."""
    with pytest.raises(NotFound, match="no job has the id j0"):
        next_of(ledger, "j0")
