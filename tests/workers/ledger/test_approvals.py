"""Approval by a second person: for one round, by somebody else, and only for what they saw."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from config.sources import OPERATOR
from tests.workers.ledger.meetings import one_behind_the_other
from tests.workers.records import (
    DAY,
    LEASE,
    MINUTE,
    NOW,
    audit_of,
    claim,
    delivery,
    everything,
    job_of,
    job_row,
    moves_of,
    open_alarms,
    record,
    rows,
    state_of,
)
from workers.errors import Stopped
from workers.leavers import AccountId, Cutoff, Element, ElementKind, Leaver, LeaverKind
from workers.ledger import approvals, intake, moves
from workers.ledger import tables as t
from workers.ledger.moves import CannotApprove

WAITS = ("held", "approval_missing")
BOSS = {"actor": "boss (console)", "why": "she leaves", "now": NOW}


def waiting(ledger, job):
    """Bring a job to where it waits for a second person."""
    owned = claim(ledger, job)
    moves.pin(ledger, owned, AccountId("a1"), now=NOW, lease=LEASE)
    moves.hold(ledger, owned, reason="approval_missing", now=NOW)
    return job


def entered(ledger, actor="ada"):
    leaver = Leaver("lena@example.com", "", Cutoff(NOW), LeaverKind.TERMINATED)
    about = {"targets": ("cloud",), "actor": actor, "reason": "a call", "now": NOW}
    [job] = intake.enter(ledger, leaver, **about, request_id="")
    sources = {OPERATOR}
    owned = claim(ledger, job, sources=sources)
    moves.hold(ledger, owned, reason="approval_missing", now=NOW)
    return job


def seen(ledger, job):
    return approvals.asked(ledger, [job])[job].seen


def says(ledger, kind, *, cutoff=NOW, email="lena@example.com"):
    """HR says more of Lena."""
    leaver = Leaver(email, "lena", Cutoff(cutoff), kind, happened_at=NOW + MINUTE)
    record(ledger, delivery(Element(ElementKind.LEAVER, f"{kind}-{email}", leaver=leaver)))


def approve(ledger, job, *, looked=None, **about):
    moves.approve_by(ledger, job, seen=looked or seen(ledger, job), **(BOSS | about))


@pytest.fixture
def lena(ledger):
    return waiting(ledger, job_of(ledger))


def test_an_approval_lets_the_job_go_on_and_is_kept(ledger, lena):
    """Who, when, why, and for which round: it is the proof of the second person."""
    approve(ledger, lena)

    assert state_of(ledger, lena) == ("queued", "")
    [kept] = rows(ledger, t.approvals)
    assert (kept["round"], kept["at"], kept["actor"]) == (1, NOW, "boss (console)")
    assert kept["reason"] == "she leaves"
    assert moves_of(ledger, lena)[-1] == ("approve", "held", "queued")
    assert audit_of(ledger, lena)[-1]["detail"] == "she leaves"
    assert open_alarms(ledger) == []
    assert claim(ledger, lena).approved


def test_what_nobody_has_approved_is_claimed_as_such(ledger):
    """The policy decides by that."""
    assert not claim(ledger, job_of(ledger)).approved


def test_a_replay_takes_a_new_approval(ledger, lena):
    """It may be months later, and for another reason."""
    approve(ledger, lena)
    moves.finish(ledger, claim(ledger, lena), "deactivated", now=NOW)

    moves.replay_by(ledger, lena, actor="ada", why="once more", now=NOW)

    assert not claim(ledger, lena).approved


def test_a_refusal_ends_the_job(ledger, lena):
    """With the name and the words of who refused."""
    about = {"actor": "boss (console)", "why": "she stays", "now": NOW}
    moves.refuse_by(ledger, lena, seen=seen(ledger, lena), **about)

    assert state_of(ledger, lena) == ("cancelled", "approval_refused")
    assert moves_of(ledger, lena)[-1] == ("refuse", "held", "cancelled")
    assert job_row(ledger, lena)["detail"] == "she stays"


def test_a_release_approves_nothing(ledger, lena):
    """Else one person could do it alone, on the command line."""
    assert not moves.release_by(ledger, lena, actor="ops", why="go", now=NOW)

    assert state_of(ledger, lena) == WAITS


# --- Only what was seen ---


@pytest.mark.parametrize(
    "change",
    [
        lambda ledger: says(ledger, LeaverKind.CORRECTED, cutoff=NOW + DAY),
        lambda ledger: says(ledger, LeaverKind.CORRECTED, email="lena.new@example.com"),
        lambda ledger: says(ledger, LeaverKind.REHIRED),
    ],
    ids=["cutoff", "address", "rehired"],
)
def test_nobody_approves_what_has_changed_since_they_looked(ledger, lena, change):
    """The page may have been open for hours."""
    looked = seen(ledger, lena)
    change(ledger)
    before = everything(ledger)

    with pytest.raises(CannotApprove, match="changed since it was shown"):
        approve(ledger, lena, looked=looked)

    assert everything(ledger) == before


@pytest.mark.parametrize("decide", [moves.approve_by, moves.refuse_by])
@pytest.mark.parametrize(
    "ends",
    [
        lambda ledger, job: moves.cancel_by(ledger, job, actor="ops", why="no", now=NOW),
        lambda ledger, job: moves.replay_by(ledger, job, actor="ops", why="again", now=NOW),
        lambda ledger, job: says(ledger, LeaverKind.RESCINDED),
        lambda ledger, job: approve(ledger, job),
    ],
    ids=["cancelled", "replayed", "rescinded", "approved"],
)
def test_what_does_not_wait_any_more_is_neither_approved_nor_refused(ledger, lena, decide, ends):
    """Whoever comes second is told so."""
    looked = seen(ledger, lena)
    ends(ledger, lena)
    before = everything(ledger)

    with pytest.raises(CannotApprove, match="does not wait"):
        decide(ledger, lena, seen=looked, **BOSS)

    assert everything(ledger) == before


def test_what_hr_changes_after_the_approval_takes_a_new_one(ledger, lena):
    """The approver wanted another date, or another person."""
    approve(ledger, lena)
    says(ledger, LeaverKind.CORRECTED, email="lena.new@example.com")

    assert not claim(ledger, lena).approved


def test_the_leave_to_write_is_not_given_where_nobody_has_approved(ledger):
    """Whatever the rules said before: the ledger asks once more, under its locks."""
    job = job_of(ledger)
    owned = claim(ledger, job)
    about = {"brakes": {}, "to_approve": True, "now": NOW, "lease": LEASE}

    with pytest.raises(Stopped, match="unapproved"):
        moves.intend(ledger, owned, AccountId("a1"), **about)

    assert job_row(ledger, job)["intended_at"] is None


# --- Only by somebody else ---


@pytest.mark.parametrize(
    "approver", ["ada (console)", "Ada (console)", "ada@example.com (console)", "ada"]
)
def test_whoever_entered_a_leaver_cannot_approve_it(ledger, approver):
    """By whichever way they have come in."""
    job = entered(ledger)
    before = everything(ledger)

    with pytest.raises(CannotApprove, match="ada asked for it: somebody else must approve"):
        approve(ledger, job, actor=approver)

    assert everything(ledger) == before


def test_whoever_replayed_cannot_approve_that_round(ledger, lena):
    """The round is theirs, whoever the leaver came from."""
    moves.replay_by(ledger, lena, actor="boss (console)", why="again", force=True, now=NOW)
    waiting(ledger, lena)

    with pytest.raises(CannotApprove, match="somebody else"):
        approve(ledger, lena)


def test_whoever_entered_a_leaver_cannot_approve_a_replay_by_another_either(ledger):
    """Two people are two people in every round."""
    job = entered(ledger, "boss")
    moves.replay_by(ledger, job, actor="ada", why="again", now=NOW)
    owned = claim(ledger, job, sources={OPERATOR})
    moves.hold(ledger, owned, reason="approval_missing", now=NOW)

    assert approvals.asked(ledger, [job])[job].askers == ("boss", "ada")
    for actor in ("boss (console)", "ada (console)"):
        with pytest.raises(CannotApprove, match="somebody else"):
            approve(ledger, job, actor=actor)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("ada", "ada (console)", True),
        ("ada@example.com (console)", "ADA@example.org (console)", True),
        ("ada (console)", "adam (console)", False),
        ("source:ada", "ada (console)", False),
    ],
)
def test_two_names_are_one_person_where_they_may_be(one, other, same):
    """In doubt a third person is asked, never one."""
    assert approvals.same_person(one, other) is same


# --- At one moment ---


def outcome(call):
    try:
        call()
    except CannotApprove:
        return "too late"
    return "done"


def test_of_two_approvers_at_once_one_approves(ledger, lena):
    """On either database."""
    looked, start = seen(ledger, lena), threading.Barrier(2)

    def run(name):
        start.wait()
        return outcome(lambda: approve(ledger, lena, looked=looked, actor=name))

    with ThreadPoolExecutor(2) as threads:
        results = sorted(threads.map(run, ["boss (console)", "chief (console)"]))

    assert results == ["done", "too late"]
    assert len(rows(ledger, t.approvals)) == 1
    assert state_of(ledger, lena) == ("queued", "")


OTHERS = {
    "cancel": lambda ledger, job: moves.cancel_by(ledger, job, actor="ops", why="no", now=NOW),
    "rescind": lambda ledger, job: says(ledger, LeaverKind.RESCINDED),
}


@pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS)
@pytest.mark.parametrize("first", ["approval", "other"])
def test_an_approval_and_an_end_that_meet_leave_an_ended_job(postgresql_ledger, other, first):
    """Whichever comes first: what was taken back is never done."""
    ledger = postgresql_ledger
    job = waiting(ledger, job_of(ledger))
    looked = seen(ledger, job)
    calls = [
        lambda: outcome(lambda: approve(ledger, job, looked=looked)),
        lambda: other(ledger, job),
    ]
    if first == "other":
        calls.reverse()

    with one_behind_the_other(ledger, job) as start:
        ends = [start(call) for call in calls]

    assert all(end.exception() is None for end in ends)
    assert state_of(ledger, job)[0] == "cancelled"
    assert len(rows(ledger, t.approvals)) == (first == "approval")


def test_only_what_waits_is_asked_about(ledger, lena):
    """For all others there is nothing to approve."""
    other = job_of(ledger, "bob")

    assert set(approvals.asked(ledger, [lena, other])) == {lena}
