"""Just before an account is touched HR is asked once more, and only its yes lets the job go on."""

import pytest

from config.settings import load
from tests.workers.fakes import FakeClock, FakeHr, FakeTarget, account
from tests.workers.records import (
    DAY,
    HOUR,
    NOW,
    SECOND,
    delivery,
    job_of,
    job_row,
    open_alarms,
    pause_of,
    person,
    record,
    rows,
    state_of,
)
from tests.workers.shop import Shop
from workers.errors import LockedOut, Refused, Unavailable
from workers.leavers import Cutoff, Element, ElementKind, Leaver, LeaverKind
from workers.ledger import intake, moves
from workers.ledger import tables as t

LENA, TOM = account("lena"), account("tom")
AT_HR = "hr:bamboohr"


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def target(clock):
    return FakeTarget(LENA, TOM, clock=clock)


@pytest.fixture
def hr():
    """HR says of both what the event said."""
    hr = FakeHr()
    hr.terminates("lena", "lena@example.com")
    hr.terminates("tom", "tom@example.com")
    return hr


@pytest.fixture
def shop(ledger, tmp_path, target, clock, hr):
    shop = Shop(ledger, tmp_path, target, clock=clock, hr=hr)
    yield shop
    shop.close()


@pytest.fixture
def lena(ledger):
    return job_of(ledger, source="bamboohr")


def test_what_hr_confirms_is_done(shop, ledger, hr, target, lena):
    """One question, and it comes first."""
    shop.run(lena)

    assert job_row(ledger, lena)["outcome"] == "deactivated"
    assert [call["name"] for call in rows(ledger, t.calls)][:2] == ["hr.employee", "find"]


def test_an_attempt_acts_by_the_brake_of_the_configuration_that_lets_it_act(
    shop, ledger, hr, target, lena
):
    """Somebody goes live, and sets a brake, while HR is being asked."""
    text = shop.file.read_text()
    shop.runtime.settings = load(shop.file, {"LEAVER_POLICY__MODE": "shadow"})
    tom = job_of(ledger, "tom", source="bamboohr")

    def go_live():
        hr.just_before = lambda: None
        one = text.replace("brake = []", 'brake = [{ leavers = 1, per = "1h" }]')
        shop.file.write_text(one)
        shop.runtime.settings = load(shop.file, {})
        shop.run(tom)

    hr.just_before = go_live
    shop.run(lena)

    assert target.is_off(TOM)
    assert state_of(ledger, lena) == ("held", "brake")


@pytest.mark.parametrize("works_here", [True, False])
def test_whoever_is_not_terminated_any_more_is_held(shop, ledger, hr, target, lena, works_here):
    """HR took it back, and its event is late or lost."""
    if works_here:
        hr.employs("lena")
    else:
        hr.says["lena"] = None

    shop.run(lena)

    assert state_of(ledger, lena) == ("held", "hr_disagrees")
    assert target.made == {}


def test_a_blanked_address_is_the_one_of_the_event(shop, ledger, hr, lena):
    """HR may empty the field when somebody leaves."""
    hr.terminates("lena", "")

    shop.run(lena)

    assert job_row(ledger, lena)["outcome"] == "deactivated"


def test_an_address_in_other_letters_is_the_same(shop, ledger, hr, lena):
    """Capitals make no other person."""
    hr.terminates("lena", "Lena@Example.com")

    shop.run(lena)

    assert job_row(ledger, lena)["outcome"] == "deactivated"


def test_another_address_is_held(shop, ledger, hr, target, lena):
    """Either may belong to somebody else by now: neither account is touched."""
    hr.terminates("lena", "tom@example.com")

    shop.run(lena)

    assert state_of(ledger, lena) == ("held", "hr_other_email")
    assert target.made == {}


def test_a_later_date_moves_the_cutoff(shop, ledger, hr, target, lena):
    """The job waits, is asked about again at its time, and is one job all the while."""
    hr.terminates("lena", "lena@example.com", cutoff=NOW + DAY)

    shop.run(lena)

    row = job_row(ledger, lena)
    assert (row["state"], row["reason"]) == ("scheduled", "cutoff_ahead")
    assert row["cutoff"] == row["due_at"] == NOW + DAY
    shop.work(lena, within=2 * DAY)
    assert job_row(ledger, lena)["outcome"] == "deactivated"
    assert shop.clock.now() >= NOW + DAY
    assert len(rows(ledger, t.jobs)) == 1


@pytest.mark.parametrize("reason", ["hr_unknown", "hr_unclear", "hr_no_email"])
def test_what_hr_does_not_say_is_held(shop, ledger, hr, target, lena, reason):
    """Not confirmed is not done."""
    hr.trouble = Refused("hr.employee", "why", reason=reason)

    shop.run(lena)

    assert state_of(ledger, lena) == ("held", reason)
    assert target.made == {}


@pytest.mark.parametrize(
    "trouble",
    [
        LockedOut("hr.employee", "401", reason="credential_refused"),
        LockedOut("hr.employee", "429", reason="rate_limited"),
        Unavailable("hr.employee", "503"),
    ],
)
def test_trouble_with_hr_pauses_hr_and_not_the_target(shop, ledger, hr, target, lena, trouble):
    """The leavers of other sources go on, and nobody is touched unconfirmed."""
    hr.trouble = trouble
    other = job_of(ledger, "tom")

    shop.run(lena)
    shop.run(other)

    assert state_of(ledger, lena) == ("retrying", "hr_unavailable")
    assert job_row(ledger, lena)["attempts"] == 0
    assert (pause_of(ledger, AT_HR) is None, pause_of(ledger)) == (False, None)
    assert not target.is_off(LENA)
    assert job_row(ledger, other)["outcome"] == "deactivated"


def test_while_hr_is_paused_one_job_at_a_time_asks(shop, ledger, hr, clock):
    """A hundred leavers must not knock at an HR system that is down."""
    names = [f"person-{number}" for number in range(20)]
    for name in names:
        hr.terminates(name, f"{name}@example.com")
    given = delivery(*map(person, names), source="bamboohr")
    jobs = record(ledger, given).jobs
    hr.trouble = Unavailable("hr.employee", "503")
    shop.run(jobs[0])
    asked = len(hr.asked)

    for job in jobs[1:]:
        shop.run(job)
    assert len(hr.asked) == asked

    hr.trouble = None
    shop.work(*jobs)
    assert {job_row(ledger, job)["state"] for job in jobs} == {"done"}
    assert pause_of(ledger, AT_HR) is None


def test_a_refused_key_is_an_alarm_and_heals_by_itself(shop, ledger, hr, lena):
    """A new key needs no operator at each job."""
    hr.trouble = LockedOut("hr.employee", "401", reason="credential_refused")
    shop.spend(HOUR)
    assert ("target_paused", AT_HR) in open_alarms(ledger)

    hr.trouble = None
    shop.work(lena)

    assert job_row(ledger, lena)["outcome"] == "deactivated"
    assert ("target_paused", AT_HR) not in open_alarms(ledger)


def test_hr_answering_does_not_open_a_paused_target(shop, ledger, hr, target, lena):
    """What HR answers says nothing about Atlassian."""
    target.fail("find", LockedOut("find", "401", reason="credential_refused"))
    shop.run(lena)
    hr.employs("lena")

    shop.work(lena)

    assert state_of(ledger, lena) == ("held", "hr_disagrees")
    assert pause_of(ledger) is not None


def test_what_hr_takes_back_in_the_second_of_the_asking_is_taken_back(
    shop, ledger, hr, clock, lena
):
    """Senders say whole seconds, so it seems older than the later date that HR has just said."""
    clock.move(SECOND * 0.4)
    hr.terminates("lena", "lena@example.com", NOW + DAY)
    shop.run(lena)
    rescinded = Leaver("", "lena", Cutoff(NOW), LeaverKind.RESCINDED, NOW)

    record(
        ledger, delivery(Element(ElementKind.LEAVER, "back", leaver=rescinded), source="bamboohr")
    )

    assert {(job["id"], job["state"]) for job in rows(ledger, t.jobs)} == {(lena, "cancelled")}


def test_a_forced_round_asks_nobody(shop, ledger, hr, lena):
    """That is how an operator acts although HR says otherwise."""
    hr.employs("lena")
    shop.run(lena)
    asked = len(hr.asked)

    moves.replay_by(ledger, lena, actor="ada", why="sure", force=True, now=shop.clock.now())
    shop.work(lena)

    assert job_row(ledger, lena)["outcome"] == "deactivated"
    assert len(hr.asked) == asked


def test_a_release_asks_again(shop, ledger, hr, lena):
    """HR may have been mended; else it is held again."""
    hr.employs("lena")
    shop.run(lena)
    hr.terminates("lena", "lena@example.com")

    moves.release_by(ledger, lena, actor="ada", why="mended", now=shop.clock.now())
    shop.work(lena)

    assert job_row(ledger, lena)["outcome"] == "deactivated"


def test_whoever_an_operator_entered_is_not_asked_about(shop, ledger, hr):
    """The operator's word is the source."""
    leaver = Leaver("lena@example.com", "", Cutoff(NOW))
    about = {"targets": ("cloud",), "actor": "ada", "reason": "ticket 7", "now": NOW}
    [job] = intake.enter(ledger, leaver, **about, request_id="")

    shop.work(job)

    assert job_row(ledger, job)["outcome"] == "deactivated"
    assert hr.asked == []
