"""A reinstatement on a real ledger: when it may be opened, what stops it, and which job wins."""

from contextlib import suppress

import pytest

from config.settings import Window, load
from tests.workers.fakes import FakeClock, FakeHr, FakeTarget, account
from tests.workers.ledger.meetings import one_behind_the_other
from tests.workers.records import (
    DAY,
    HOUR,
    MINUTE,
    NOW,
    claim,
    delivery,
    everything,
    job_of,
    job_row,
    open_alarms,
    person,
    record,
    rounds_of,
    rows,
    state_of,
)
from tests.workers.shop import Shop
from workers.errors import AccountBusy, Braked, Unavailable
from workers.journal import LEASE
from workers.leavers import AccountId, Cutoff, Element, ElementKind, Leaver, LeaverKind, Outcome
from workers.ledger import brakes, holds, intake, moves, reinstatements
from workers.ledger import tables as t
from workers.ledger.holds import Side
from workers.ledger.reinstatements import CannotReinstate
from workers.targets.base import Access

LENA = account("lena")
OUT = Unavailable("read", "503")
BY = {"actor": "ops", "why": "as HR asked"}


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def target(clock):
    return FakeTarget(LENA, clock=clock)


@pytest.fixture
def shop(ledger, tmp_path, target, clock):
    shop = Shop(ledger, tmp_path, target, clock=clock)
    yield shop
    shop.close()


@pytest.fixture
def lena(shop, ledger):
    """The job that has deactivated Lena."""
    job = job_of(ledger)
    shop.run(job)
    assert job_row(ledger, job)["outcome"] == "deactivated"
    return job


def says(ledger, kind, now, *, cutoff=None, source="hr"):
    """HR says this of Lena."""
    leaver = Leaver("lena@example.com", "lena", Cutoff(cutoff or now), kind, happened_at=now)
    element = Element(ElementKind.LEAVER, f"{kind} {now}", employee_id="lena", leaver=leaver)
    return record(ledger, delivery(element, source=source, at=now), now=now)


@pytest.fixture
def rescinded(lena, ledger, clock):
    """The same job, after HR has taken the termination back."""
    says(ledger, LeaverKind.RESCINDED, clock.move(HOUR))
    return lena


def reinstate(ledger, job, now, *, force=False, hr_is_asked=False):
    return reinstatements.reinstate(
        ledger, job, force=force, hr_is_asked=hr_is_asked, now=now, **BY
    )


# --- The road ---


def test_a_late_rescind_is_made_good_and_its_alarm_ends(shop, ledger, target, rescinded, clock):
    """Terminated, deactivated, taken back by HR, and given back: each with its proof."""
    assert open_alarms(ledger) == [("rescinded_late", rescinded)]

    back = reinstate(ledger, rescinded, clock.now())
    shop.run(back)

    row = job_row(ledger, back)
    assert (row["action"], row["state"], row["outcome"]) == ("reinstate", "done", "reinstated")
    assert (row["account_id"], row["snapshot"]["way"]) == (LENA.id, "deactivate")
    assert not target.is_off(LENA)
    assert open_alarms(ledger) == []
    assert job_row(ledger, rescinded)["outcome"] == "deactivated"


def test_it_is_in_the_audit_trail_with_name_and_reason(shop, ledger, rescinded, clock):
    """Somebody gave a leaver the access back: who, and why?"""
    back = reinstate(ledger, rescinded, clock.now())

    [opened] = rounds_of(ledger, back)
    assert (opened["actor"], opened["why"]) == ("ops", "as HR asked")


def test_the_alarm_stays_while_nothing_is_given_back(shop, ledger, target, rescinded, clock):
    """Asked for is not done."""
    target.fail("read", OUT)

    shop.run(reinstate(ledger, rescinded, clock.now()))

    assert ("rescinded_late", rescinded) in open_alarms(ledger)


def test_the_brake_counts_no_reinstatement(shop, ledger, target, clock):
    """It saves people from losing their access, not from getting it back."""
    one = shop.file.read_text().replace("brake = []", 'brake = [{ leavers = 1, per = "24h" }]')
    shop.file.write_text(one)
    shop.runtime.settings = load(shop.file, {})
    job = job_of(ledger)
    shop.run(job)

    back = reinstate(ledger, job, clock.now(), force=True)
    shop.run(back)

    assert job_row(ledger, back)["outcome"] == "reinstated"
    assert len(rows(ledger, t.places)) == 1


def test_once_more_later_is_a_new_round(shop, ledger, target, rescinded, clock):
    """Deactivated again by a replay, and given back again, as it was before the replay."""
    back = reinstate(ledger, rescinded, clock.now())
    shop.run(back)
    moves.replay_by(ledger, rescinded, force=True, now=clock.now(), **BY)
    shop.run(rescinded)
    assert target.is_off(LENA)

    again = reinstate(ledger, rescinded, clock.move(MINUTE))
    shop.run(again)

    assert again == back
    assert [row["outcome"] for row in rounds_of(ledger, back)] == ["reinstated"] * 2
    assert not target.is_off(LENA)


def test_what_was_given_back_is_not_given_once_more(shop, ledger, target, rescinded, clock):
    """Whoever switched it off since was not Leaver, and had a reason."""
    back = reinstate(ledger, rescinded, clock.now())
    shop.run(back)
    target.put(account("lena", access=Access.OFF))

    with pytest.raises(CannotReinstate, match=f"{back} gave back"):
        reinstate(ledger, rescinded, clock.now(), force=True)
    moves.replay_by(ledger, back, force=True, now=clock.now(), **BY)
    shop.run(back)

    assert state_of(ledger, back) == ("held", "nothing_to_give_back")
    assert target.is_off(LENA)


def test_a_repeated_delivery_is_answered_with_the_jobs_of_the_first(shop, ledger, lena, clock):
    """What an operator opened beside them is none of HR's."""
    reinstate(ledger, lena, clock.now(), force=True)

    again = record(ledger, delivery(person()), now=clock.now())

    assert (again.status, again.jobs) == ("duplicate", (lena,))


def test_nobody_waits_at_the_brake_because_of_a_reinstatement(shop, ledger, lena, clock):
    """Its round has the number of another round that had waited there, and was cancelled."""
    one = {"": (Window(leavers=1, per=DAY),)}
    back = reinstate(ledger, lena, clock.now(), force=True)
    shop.run(back)
    for _ in range(2):
        moves.replay_by(ledger, lena, now=clock.now(), **BY)
        owned = claim(ledger, lena, now=clock.now())
        with suppress(Braked):
            moves.intend(ledger, owned, LENA.id, brakes=one, now=clock.now(), lease=LEASE)
        moves.hold(ledger, owned, reason="brake", now=clock.now())
    moves.cancel_by(ledger, lena, now=clock.now(), **BY)
    moves.replay_by(ledger, back, now=clock.now(), **BY)
    moves.hold_by(ledger, back, now=clock.now(), **BY)
    moves.replay_by(ledger, back, now=clock.now(), **BY)

    assert job_row(ledger, back)["round"] == job_row(ledger, lena)["round"]
    with ledger.read() as tx:
        assert brakes.waiting(tx, None) == 0


# --- When it may be opened ---


def refusal(ledger, job, now, **about) -> str:
    """Why it is refused; nothing at all is written."""
    before = everything(ledger)
    with pytest.raises(CannotReinstate) as against:
        reinstate(ledger, job, now, **about)
    assert everything(ledger) == before
    return str(against.value)


def test_while_hr_says_that_the_person_leaves_it_takes_force(shop, ledger, target, lena, clock):
    """An operator may know better, and says so."""
    assert "--force" in refusal(ledger, lena, clock.now())

    back = reinstate(ledger, lena, clock.now(), force=True)
    shop.run(back)

    assert job_row(ledger, back)["outcome"] == "reinstated"


def test_whom_an_operator_entered_nobody_can_take_back_but_an_operator(shop, ledger, clock):
    """No HR system knows of it."""
    leaver = Leaver("lena@example.com", "", Cutoff(NOW))
    [job] = intake.enter(
        ledger,
        leaver,
        targets=("cloud",),
        actor="ops",
        reason="asked by phone",
        now=NOW,
        request_id="",
    )
    shop.run(job)

    assert "an operator entered" in refusal(ledger, job, clock.now())


@pytest.mark.parametrize("kind", [LeaverKind.RESCINDED, LeaverKind.REHIRED])
def test_hr_says_in_two_ways_that_somebody_works_here(ledger, lena, clock, kind):
    """It was never true, or it is not any more."""
    says(ledger, kind, clock.move(HOUR))

    assert reinstate(ledger, lena, clock.now())


def test_whoever_leaves_later_works_here_until_then(shop, ledger, target, lena, clock):
    """HR corrects the date after the deed; from that day on the access is gone again."""
    says(ledger, LeaverKind.CORRECTED, clock.move(HOUR), cutoff=NOW + 30 * DAY)

    back = reinstate(ledger, lena, clock.now())
    shop.work(back)
    assert not target.is_off(LENA)

    clock.move(31 * DAY)
    shop.spend(MINUTE)
    assert target.is_off(LENA)


def test_whoever_left_again_since_is_out(ledger, lena, clock):
    """What HR said last counts."""
    says(ledger, LeaverKind.REHIRED, clock.move(HOUR))
    says(ledger, LeaverKind.TERMINATED, clock.move(HOUR))

    assert "--force" in refusal(ledger, lena, clock.now())


def test_what_was_off_before_is_not_switched_on(shop, ledger, target, clock):
    """Leaver gives back what it took, and nothing else."""
    target.put(account("lena", access=Access.OFF))
    job = job_of(ledger)
    shop.run(job)

    assert "(already_inactive)" in refusal(ledger, job, clock.now(), force=True)


def test_a_job_that_has_not_ended_is_cancelled_first(shop, ledger, target, clock):
    """Else both would be under way."""
    target.fail("switch_off", Unavailable("switch_off", "time-out"))
    job = job_of(ledger)
    shop.run(job)
    assert "`leaver cancel" in refusal(ledger, job, clock.now(), force=True)

    moves.cancel_by(ledger, job, now=clock.now(), **BY)

    assert reinstate(ledger, job, clock.now(), force=True)


def test_a_reinstatement_is_asked_for_once(ledger, rescinded, clock):
    """And a reinstatement is nothing that can be given back itself."""
    back = reinstate(ledger, rescinded, clock.now())

    assert "is queued" in refusal(ledger, rescinded, clock.now())
    assert "`leaver replay" in refusal(ledger, back, clock.now())


def test_a_before_state_that_was_forgotten_cannot_be_given_back(shop, ledger, lena, clock):
    """A replay with force forgets the account; it finds it off."""
    moves.replay_by(ledger, lena, force=True, now=clock.now(), **BY)
    shop.run(lena)

    assert "enable it by hand" in refusal(ledger, lena, clock.now(), force=True)


def test_of_two_jobs_that_switched_an_account_off_the_later_knows_how_it_was(
    shop, ledger, target, lena, clock
):
    """In between somebody enabled it by hand, and perhaps with less."""
    target.put(account("lena"))
    other = job_of(ledger, source="bamboohr", at=clock.move(HOUR), cutoff=clock.now())
    shop.run(other)
    assert other in refusal(ledger, lena, clock.now(), force=True)

    shop.run(reinstate(ledger, other, clock.now(), force=True))

    assert not target.is_off(LENA)
    for job in (lena, other):
        assert "nothing is left" in refusal(ledger, job, clock.now(), force=True)


def test_the_jobs_of_a_leaver_that_took_something_are_found(shop, ledger, lena):
    """One command for the person, whatever the number of targets."""
    leaver = job_row(ledger, lena)["leaver_id"]

    assert reinstatements.deactivations(ledger, leaver) == [lena]


# --- What HR says by then ---


def test_a_termination_holds_the_reinstatement_that_waits(shop, ledger, target, rescinded, clock):
    """Terminated, taken back, terminated again: the account must stay off."""
    back = reinstate(ledger, rescinded, clock.now())

    says(ledger, LeaverKind.TERMINATED, clock.move(MINUTE))
    shop.spend(MINUTE)

    assert state_of(ledger, back) == ("held", "not_rehired")
    assert target.is_off(LENA)


def test_a_termination_stops_a_running_one_before_its_write(shop, ledger, target, rescinded, clock):
    """The last moment."""
    back = reinstate(ledger, rescinded, clock.now())
    target.just_before("preflight", lambda: says(ledger, LeaverKind.TERMINATED, clock.move(MINUTE)))

    shop.run(back)

    assert state_of(ledger, back) == ("held", "not_rehired")
    assert target.made["switch_on"] == 0


def test_a_replay_asks_again_what_hr_says(shop, ledger, rescinded, clock):
    """Weeks may lie between."""
    back = reinstate(ledger, rescinded, clock.now())
    says(ledger, LeaverKind.TERMINATED, clock.move(MINUTE))
    moves.release_by(ledger, back, now=clock.now(), **BY)
    for job in {row["id"] for row in rows(ledger, t.jobs)} - {back}:
        moves.cancel_by(ledger, job, now=clock.now(), **BY)

    shop.run(back)

    assert state_of(ledger, back) == ("held", "not_rehired")


@pytest.fixture
def asked(ledger, tmp_path, target, clock):
    """A worker that can ask HR; it has deactivated Lena."""
    hr = FakeHr()
    hr.terminates("lena", "lena@example.com")
    shop = Shop(ledger, tmp_path, target, clock=clock, hr=hr)
    job = job_of(ledger, source="bamboohr")
    shop.run(job)
    yield shop, hr, job
    shop.close()


def test_hr_itself_is_asked_just_before(asked, ledger, target, clock):
    """No event has said that the person is back; HR does when it is asked."""
    shop, hr, job = asked
    hr.employs("lena")

    back = reinstate(ledger, job, clock.now(), hr_is_asked=True)
    shop.run(back)

    assert job_row(ledger, back)["outcome"] == "reinstated"


@pytest.mark.parametrize("known", [True, False])
def test_without_the_word_of_hr_nobody_is_switched_on(asked, ledger, target, clock, known):
    """HR has sent that the person is back, and says something else by now."""
    shop, hr, job = asked
    says(ledger, LeaverKind.REHIRED, clock.move(HOUR), source="bamboohr")
    if not known:
        hr.says["lena"] = None

    back = reinstate(ledger, job, clock.now(), hr_is_asked=True)
    shop.run(back)

    assert state_of(ledger, back) == ("held", "not_rehired")
    assert target.is_off(LENA)


def test_while_hr_cannot_be_asked_it_waits(asked, ledger, target, clock):
    """An error is no yes."""
    shop, hr, job = asked
    hr.trouble = Unavailable("hr.employee", "503")

    back = reinstate(ledger, job, clock.now(), hr_is_asked=True)
    shop.run(back)

    assert state_of(ledger, back) == ("retrying", "hr_unavailable")


# --- Beside a deactivation of the same account ---


def test_the_replay_of_its_deactivation_holds_it(shop, ledger, target, rescinded, clock):
    """Of two words of operators the later one counts; a late retry must not undo it."""
    target.fail("read", OUT)
    back = reinstate(ledger, rescinded, clock.now())
    shop.run(back)

    moves.replay_by(ledger, rescinded, force=True, now=clock.now(), **BY)
    clock.move(HOUR)
    shop.work(rescinded, back)

    assert state_of(ledger, back) == ("held", "deactivation_open")
    assert target.is_off(LENA)


def test_one_that_waits_with_its_whole_target_is_held_by_the_replay_too(
    shop, ledger, rescinded, clock
):
    """Let go with the target, it would go on by itself, and undo what came after it."""
    back = reinstate(ledger, rescinded, clock.now())
    holds.hold(ledger, Side("target", "cloud"), now=clock.now(), **BY)
    shop.run(back)
    assert state_of(ledger, back) == ("held", "target_held")

    moves.replay_by(ledger, rescinded, now=clock.now(), **BY)

    assert state_of(ledger, back) == ("held", "deactivation_open")


def test_one_that_runs_while_its_deactivation_is_replayed_does_not_write(
    shop, ledger, target, rescinded, clock
):
    """The leave to write is the last moment."""
    back = reinstate(ledger, rescinded, clock.now())
    target.just_before(
        "preflight",
        lambda: moves.replay_by(ledger, rescinded, force=True, now=clock.now(), **BY),
    )

    shop.run(back)

    assert state_of(ledger, back) == ("held", "deactivation_open")
    assert target.made["switch_on"] == 0


def test_a_deactivation_that_begins_after_its_write_has_the_last_word(
    shop, ledger, target, rescinded, clock
):
    """It waits for the account, and finds what the reinstatement has left."""
    back = reinstate(ledger, rescinded, clock.now())

    def replayed():
        moves.replay_by(ledger, rescinded, force=True, now=clock.now(), **BY)
        shop.run(rescinded)
        assert state_of(ledger, rescinded) == ("retrying", "account_busy")

    target.just_before("switch_on", replayed)
    shop.run(back)
    assert job_row(ledger, back)["outcome"] == "reinstated"

    shop.work(rescinded)

    assert job_row(ledger, rescinded)["outcome"] == "deactivated"
    assert target.is_off(LENA)


def test_another_leaver_of_the_same_account_goes_first(shop, ledger, target, rescinded, clock):
    """Two HR systems know the person, and one of them says: leaves."""
    other = job_of(ledger, source="bamboohr", at=clock.now(), cutoff=clock.now())
    back = reinstate(ledger, rescinded, clock.now())

    shop.run(back)

    assert state_of(ledger, back) == ("held", "deactivation_open")
    assert other in job_row(ledger, back)["detail"]


def test_nobody_calls_an_account_off_that_is_just_switched_on(
    shop, ledger, target, rescinded, clock
):
    """It was off when the other one read it, and on before that one could say so."""
    back = reinstate(ledger, rescinded, clock.now())
    other = []

    def leaves_elsewhere():
        other.append(job_of(ledger, source="bamboohr", at=clock.now(), cutoff=clock.now()))
        shop.run(other[0])

    target.just_before("switch_on", leaves_elsewhere)
    shop.run(back)
    assert state_of(ledger, other[0]) == ("retrying", "account_busy")

    shop.work(*other)

    assert job_row(ledger, other[0])["outcome"] == "deactivated"
    assert target.is_off(LENA)


def test_an_account_that_somebody_reads_is_not_switched_on(shop, ledger, target, rescinded, clock):
    """The same meeting, with the other one first."""
    other = claim(
        ledger,
        job_of(ledger, source="bamboohr", at=clock.now(), cutoff=clock.now()),
        now=clock.now(),
    )
    back = claim(ledger, reinstate(ledger, rescinded, clock.now()), now=clock.now())
    moves.pin(ledger, other, LENA.id, now=clock.now(), lease=LEASE)

    with pytest.raises(AccountBusy):
        moves.pin(ledger, back, LENA.id, now=clock.now(), lease=LEASE)


def test_two_who_ask_for_it_at_once_get_one(postgresql_ledger, tmp_path):
    """Two operators read the same alarm."""
    ledger = postgresql_ledger
    job = job_of(ledger)
    owned = claim(ledger, job)
    moves.pin(ledger, owned, LENA.id, now=NOW, lease=LEASE)
    moves.keep(ledger, owned, {"way": "deactivate"})
    moves.intend(ledger, owned, LENA.id, brakes={}, now=NOW, lease=LEASE)
    moves.finish(ledger, owned, Outcome.DEACTIVATED, now=NOW)

    with one_behind_the_other(ledger, job) as start:
        asked = [start(lambda: reinstate(ledger, job, NOW, force=True)) for _ in range(2)]

    assert isinstance(asked[1].exception(), CannotReinstate)
    assert len(rows(ledger, t.jobs)) == 2


def test_a_replay_and_a_reinstatement_at_once_do_not_both_go_on(postgresql_ledger):
    """Whichever comes second knows of the first."""
    ledger = postgresql_ledger
    ended = {}
    for first in ("replay", "reinstate"):
        job = job_of(ledger, first)
        owned = claim(ledger, job)
        moves.pin(ledger, owned, AccountId(first), now=NOW, lease=LEASE)
        moves.keep(ledger, owned, {"way": "deactivate"})
        moves.intend(ledger, owned, AccountId(first), brakes={}, now=NOW, lease=LEASE)
        moves.finish(ledger, owned, Outcome.DEACTIVATED, now=NOW)
        acts = {
            "replay": lambda job=job: moves.replay_by(ledger, job, now=NOW, **BY),
            "reinstate": lambda job=job: reinstate(ledger, job, NOW, force=True),
        }
        with one_behind_the_other(ledger, job) as start:
            asked = {name: start(acts[name]) for name in sorted(acts, key=lambda n: n != first)}
        ended[first] = asked["reinstate"]

    assert isinstance(ended["replay"].exception(), CannotReinstate)
    assert state_of(ledger, ended["reinstate"].result()) == ("held", "deactivation_open")
