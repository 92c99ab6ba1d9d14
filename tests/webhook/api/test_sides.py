"""Programs hold whole sources and targets, and release the brake where that is left to them."""

import pytest

from workers.ledger.queries import brakes, holds, trail
from workers.ledger.users import Role

HR = {"kind": "source", "name": "hr", "reason": "a flood"}
PASSAGE = {"leavers": 3, "reason": "they do leave"}


@pytest.fixture
def ledger(sqlite_ledger):
    """One is enough: what is done in it is tested beside it."""
    return sqlite_ledger


@pytest.mark.parametrize("side", [{}, {"kind": "target", "name": "cloud"}])
def test_a_whole_side_is_held_and_released(poster, ledger, side):
    """Each with a reason, by the token's name."""
    post = poster()

    held = post("/holds", HR | side).json
    [standing] = holds.standing(ledger)
    released = post("/holds/release", HR | side, key="another").json

    assert (held["result"], held["running"]) == ("held", 0)
    assert (standing.kind, standing.name) == (held["kind"], held["name"])
    assert (standing.actor.endswith("(API)"), standing.reason) == (True, "a flood")
    assert (released["result"], released["jobs"]) == ("released", 0)
    assert holds.standing(ledger) == []


def test_what_is_held_already_and_what_is_not_is_said(poster):
    """Somebody else was faster, or meant another one."""
    post = poster()
    unheld = post("/holds/release", HR, key="early")
    post("/holds", HR)

    twice = post("/holds", HR, key="another")

    assert (unheld.status_code, unheld.json["detail"]) == (409, "source hr is not held")
    assert (twice.status_code, twice.json["detail"]) == (409, "source hr is held already")


@pytest.mark.parametrize("path", ["/holds", "/holds/release"])
@pytest.mark.parametrize("wrong", [{"name": "typo"}, {"kind": "target"}, {"kind": "job"}])
def test_a_hold_that_would_hold_nothing_is_refused(poster, ledger, path, wrong):
    """Whoever believes that something is held must be right."""
    assert poster()(path, HR | wrong).status_code == 422
    assert holds.standing(ledger) == []


def allowance(ledger, source=None):
    found = brakes.standing(ledger, {}, now=None).brakes
    return next((each.allowance for each in found if each.source == source), 0)


def test_an_approver_lets_leavers_pass_the_brake(poster, ledger):
    """What nobody waits for is for those who come."""
    done = poster(Role.APPROVER)("/brake/release", PASSAGE | {"source": "hr"}).json

    assert done == {"released": 0, "allowance": 3, "waiting": 0}
    assert allowance(ledger, "hr") == 3
    [entry] = trail.listed(ledger, action="release the brake", limit=5)
    assert (entry.actor.endswith("(API)"), entry.detail) == (True, "3 leavers of hr: they do leave")


def test_an_operator_does_not_release_the_brake(poster, ledger):
    """As in the console."""
    assert poster()("/brake/release", PASSAGE).status_code == 403
    assert allowance(ledger) == 0


@pytest.mark.parametrize("approve", ["manual", "all"])
def test_where_it_takes_a_second_person_no_program_releases_the_brake(poster, ledger, approve):
    """A program is none."""
    post = poster(Role.APPROVER, LEAVER_POLICY__APPROVE=approve)

    answer = post("/brake/release", PASSAGE)

    assert (answer.status_code, "in the console, at /brake" in answer.json["detail"]) == (403, True)
    assert allowance(ledger) == 0


@pytest.mark.parametrize("wrong", [{"source": "typo"}, {"leavers": -1}, {"leavers": "3"}])
def test_what_cannot_be_meant_lets_nobody_pass(poster, ledger, wrong):
    """A mistyped source would be a brake that nobody asks."""
    assert poster(Role.APPROVER)("/brake/release", PASSAGE | wrong).status_code == 422
    assert allowance(ledger) == 0
