"""Approval by a second person, from the rule to the deed, with a worker and a target."""

import pytest
import sqlalchemy as sa

from config.settings import load
from config.sources import OPERATOR
from tests.workers.fakes import FakeTarget, account
from tests.workers.records import MINUTE, NOW, job_of, job_row, rows, state_of
from tests.workers.shop import Shop
from workers.leavers import Cutoff, Leaver
from workers.ledger import approvals, brakes, intake, moves, reinstatements
from workers.ledger import tables as t

LENA, BOB = account("lena"), account("bob")
WAITS = ("held", "approval_missing")


@pytest.fixture
def target():
    return FakeTarget(LENA, BOB)


@pytest.fixture
def shop(ledger, tmp_path, target):
    shop = Shop(ledger, tmp_path, target)
    yield shop
    shop.close()


def wants(shop, approve, brake="[]"):
    """The worker reads its settings again."""
    text = shop.file.read_text()
    shop.file.write_text(text.replace("brake = []", f'approve = "{approve}"\nbrake = {brake}'))
    shop.runtime.settings = load(shop.file, {})


def approve(shop, job):
    seen = approvals.asked(shop.ledger, [job])[job].seen
    about = {"actor": "boss (console)", "why": "she leaves", "now": shop.clock.now()}
    moves.approve_by(shop.ledger, job, seen=seen, **about)


def test_no_account_is_switched_off_before_a_second_person_says_so(shop, target, ledger):
    """With "all", whoever it came from; the account is matched by then, for the approver to see."""
    wants(shop, "all")
    job = job_of(ledger)
    shop.work(job)
    assert (state_of(ledger, job), target.is_off(LENA)) == (WAITS, False)
    assert job_row(ledger, job)["account_id"] == LENA.id

    approve(shop, job)
    shop.work(job)

    assert job_row(ledger, job)["outcome"] == "deactivated"


def test_what_hr_sends_takes_nobody_where_only_what_is_by_hand_does(shop, ledger):
    """Else every leaver would wait for two people."""
    wants(shop, "manual")
    job = job_of(ledger)

    shop.work(job)

    assert job_row(ledger, job)["outcome"] == "deactivated"


def test_what_an_operator_entered_waits_for_somebody_else(shop, target, ledger):
    """A mistyped address is somebody else's account."""
    wants(shop, "manual")
    leaver = Leaver("lena@example.com", "", Cutoff(NOW))
    about = {"targets": ("cloud",), "actor": "ada", "reason": "a call", "now": NOW}
    [job] = intake.enter(ledger, leaver, **about, request_id="")

    shop.work(job)

    assert (state_of(ledger, job), target.is_off(LENA)) == (WAITS, False)
    assert job_row(ledger, job)["source"] == OPERATOR


def test_a_forced_round_waits_and_one_that_is_not_does_not(shop, target, ledger):
    """Force goes on against HR's word."""
    wants(shop, "manual")
    job = job_of(ledger)
    shop.work(job)
    about = {"actor": "ada", "why": "again", "now": shop.clock.now()}

    moves.replay_by(ledger, job, force=True, **about)
    target.put(LENA)  # somebody has enabled the account meanwhile
    shop.work(job)
    assert state_of(ledger, job) == WAITS
    moves.replay_by(ledger, job, **about)
    shop.work(job)

    assert state_of(ledger, job)[0] == "done"


def test_a_forced_reinstatement_waits_as_well(shop, target, ledger):
    """It gives access back to somebody whom HR calls terminated."""
    job = job_of(ledger)
    shop.work(job)
    wants(shop, "manual")
    about = {"actor": "ada", "why": "a mistake", "now": shop.clock.now()}
    back = reinstatements.reinstate(ledger, job, force=True, hr_is_asked=False, **about)
    shop.work(back)
    assert (state_of(ledger, back), target.is_off(LENA)) == (WAITS, True)

    approve(shop, back)
    shop.work(back)

    assert job_row(ledger, back)["outcome"] == "reinstated"
    assert not target.is_off(LENA)


def test_an_approval_neither_takes_a_place_at_the_brake_nor_passes_it(shop, ledger):
    """Both must be asked: who may go, and how many."""
    wants(shop, "all", brake='[{ leavers = 1, per = "1h" }]')
    lena, bob = job_of(ledger), job_of(ledger, "bob")
    shop.work(lena, bob)
    assert rows(ledger, t.places) == []

    approve(shop, lena)
    approve(shop, bob)
    shop.work(lena, bob)
    assert sorted([state_of(ledger, lena), state_of(ledger, bob)]) == [
        ("done", ""),
        ("held", "brake"),
    ]
    brakes.release(ledger, 1, source=None, actor="boss", why="all leave", now=shop.clock.now())
    shop.spend(MINUTE)

    assert (state_of(ledger, lena)[0], state_of(ledger, bob)[0]) == ("done", "done")


def test_what_changes_under_an_approved_job_before_its_write_takes_a_new_approval(
    shop, target, ledger
):
    """The rules were asked at the beginning of the attempt; the leave is given at the end."""
    wants(shop, "all")
    job = job_of(ledger)
    shop.work(job)
    approve(shop, job)

    def change():
        with ledger.write() as tx:
            tx.execute(sa.update(t.jobs).values(cutoff=NOW - MINUTE))

    target.just_before("preflight", change)
    shop.work(job)

    assert (state_of(ledger, job), target.is_off(LENA)) == (WAITS, False)


def test_in_shadow_mode_nobody_is_asked(shop, ledger):
    """There is nothing to approve where nothing is written."""
    wants(shop, "all")
    shop.file.write_text(shop.file.read_text().replace('mode = "act"', 'mode = "shadow"'))
    shop.runtime.settings = load(shop.file, {})
    job = job_of(ledger)

    shop.work(job)

    assert job_row(ledger, job)["outcome"] == "would_deactivate"
