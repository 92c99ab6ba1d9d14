"""A lookup: from an event without values to the leaver, whatever happens on the way."""

import pytest

from tests.workers.fakes import FakeClock, FakeHr, FakeTarget, account
from tests.workers.records import (
    DAY,
    HOUR,
    MINUTE,
    NOW,
    SECOND,
    delivery,
    job_row,
    open_alarms,
    pause_of,
    record,
    rows,
    state_of,
)
from tests.workers.shop import Shop
from workers.errors import LockedOut, Refused, Unavailable
from workers.leavers import Cutoff, DeliveryStatus, Element, ElementKind, Leaver, LeaverKind
from workers.ledger import moves
from workers.ledger import tables as t
from workers.ledger.queries import deliveries, jobs

LENA = account("lena")
AT_HR = "hr:bamboohr"


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def target(clock):
    return FakeTarget(LENA, clock=clock)


@pytest.fixture
def hr():
    return FakeHr()


@pytest.fixture
def shop(ledger, tmp_path, target, clock, hr):
    shop = Shop(ledger, tmp_path, target, clock=clock, hr=hr)
    yield shop
    shop.close()


def changed(employee_id="7", *, key="", at=None):
    """An element that says that something of this employee changed."""
    asked = Leaver("", employee_id, Cutoff(NOW), LeaverKind.LOOKUP, at)
    key = key or f"change of {employee_id}"
    return Element(ElementKind.LOOKUP, key, employee_id=employee_id, leaver=asked)


def told(ledger, *elements, at=NOW, body=None, reason=""):
    """What the receiver answers to an event-based delivery."""
    given = delivery(
        *(elements or (changed(),)), source="bamboohr", at=at, body=body, reason=reason
    )
    return record(ledger, given, now=at)


def jobs_for(ledger, target="cloud"):
    return rows(ledger, t.jobs, t.jobs.c.target == target)


def test_a_termination_ends_deactivated(shop, ledger, hr, target):
    """The whole road: event, lookup, leaver, account off and read back."""
    hr.terminates("7", "lena@example.com")
    [lookup] = told(ledger).jobs

    shop.work(lookup)

    [job] = jobs_for(ledger)
    shop.work(job["id"])
    assert job_row(ledger, lookup)["outcome"] == "leaver_found"
    assert job_row(ledger, job["id"])["outcome"] == "deactivated"
    assert (job["email"], job["source"]) == ("lena@example.com", "bamboohr")
    assert target.is_off(LENA)


def test_what_hr_takes_back_in_the_second_of_the_asking_is_taken_back(shop, ledger, hr, clock):
    """Senders say whole seconds, so it seems older than the answer."""
    hr.terminates("7", "lena@example.com")
    [lookup] = told(ledger).jobs
    clock.move(SECOND * 0.4)
    shop.work(lookup)

    rescinded = Leaver("", "7", Cutoff(NOW), LeaverKind.RESCINDED, NOW)
    told(ledger, Element(ElementKind.LEAVER, "back", employee_id="7", leaver=rescinded), body=b"2")

    assert [job["reason"] for job in jobs_for(ledger)] == ["rescinded"]


def test_any_answer_of_hr_opens_it_again(shop, ledger, hr):
    """The call that failed may not be made any more: of whoever stays no address is asked."""
    hr.trouble = LockedOut("hr.individual", "401", reason="credential_refused")
    [lookup] = told(ledger).jobs
    shop.run(lookup)
    hr.trouble = None
    hr.employs("7")

    shop.work(lookup)

    assert job_row(ledger, lookup)["outcome"] == "no_leaver"
    assert pause_of(ledger, AT_HR) is None


def test_the_delivery_shows_its_lookup_and_the_jobs_that_came_of_it(shop, ledger, hr):
    """Whoever asks what became of an event must find the end of it; and the way back."""
    hr.terminates("7", "lena@example.com")
    first = told(ledger)
    shop.work(*first.jobs)

    again = told(ledger)

    [job] = jobs_for(ledger)
    assert again.jobs == (*first.jobs, job["id"])
    [element] = deliveries.one(ledger, first.delivery).people
    assert element.jobs == again.jobs
    assert jobs.one(ledger, job["id"]).deliveries == (first.delivery,)


@pytest.mark.parametrize("works_here", [True, False])
def test_whoever_is_not_terminated_makes_no_job(shop, ledger, hr, works_here):
    """Somebody who works here, or is on leave."""
    if works_here:
        hr.employs("7")
    else:
        hr.says["7"] = None
    [lookup] = told(ledger).jobs

    shop.work(lookup)

    assert job_row(ledger, lookup)["outcome"] == "no_leaver"
    assert jobs_for(ledger) == []


def test_of_many_lookups_each_termination_is_one_job(shop, ledger, hr):
    """Ten terminations, ten jobs, however many others were looked up beside them."""
    for number in range(30):
        hr.says[str(number)] = None
    for number in range(10):
        hr.terminates(str(number), f"person-{number}@example.com")

    shop.work(*(told(ledger, changed(str(number))).jobs[0] for number in range(30)))

    assert len(jobs_for(ledger)) == 10
    assert {row["outcome"] for row in jobs_for(ledger, AT_HR)} == {"leaver_found", "no_leaver"}


def test_two_events_of_one_termination_are_one_leaving(shop, ledger, hr):
    """BambooHR tells a change of the status and one of the employment status apart."""
    hr.terminates("7", "lena@example.com")
    lookups = [told(ledger, changed(key=key)).jobs[0] for key in ("status", "employment")]

    for lookup in lookups:
        shop.run(lookup)

    assert len(jobs_for(ledger)) == 1


def test_a_person_who_works_here_again_holds_what_is_not_done(shop, ledger, hr):
    """The rehire of somebody whose job still waits for its date."""
    hr.terminates("7", "lena@example.com", cutoff=NOW + DAY)
    shop.work(*told(ledger).jobs)
    hr.employs("7")

    shop.work(*told(ledger, changed(key="another")).jobs)

    [job] = jobs_for(ledger)
    assert (job["state"], job["reason"]) == ("held", "rehired")


def test_a_blanked_address_is_the_last_one_that_hr_said(shop, ledger, hr, clock):
    """A second termination after a rehire, with the field emptied."""
    hr.terminates("7", "lena@example.com")
    shop.work(*told(ledger).jobs)
    hr.employs("7")
    shop.work(*told(ledger, changed(key="rehire"), at=clock.now()).jobs)
    hr.terminates("7", "")

    shop.work(*told(ledger, changed(key="again"), at=clock.now()).jobs)

    assert [job["email"] for job in jobs_for(ledger)] == ["lena@example.com"] * 2


def test_trouble_with_hr_pauses_lookups_and_nothing_else(shop, ledger, hr):
    """No attempt is spent, and the leavers of other sources go on."""
    hr.terminates("7", "lena@example.com")
    hr.trouble = LockedOut("hr.employee", "401", reason="credential_refused")
    [lookup] = told(ledger).jobs

    shop.run(lookup)

    assert state_of(ledger, lookup) == ("retrying", "credential_refused")
    assert job_row(ledger, lookup)["attempts"] == 0
    assert pause_of(ledger, AT_HR)["pause_call"] == "hr.employee"
    assert pause_of(ledger, "cloud") is None
    assert ("target_paused", AT_HR) in open_alarms(ledger)


def test_lookups_go_on_by_themselves_when_hr_is_back(shop, ledger, hr):
    """Hours of outage cost nobody their termination."""
    hr.terminates("7", "lena@example.com")
    hr.trouble = Unavailable("hr.employee", "503")
    [lookup] = told(ledger).jobs
    shop.spend(HOUR)
    hr.trouble = None

    shop.work(lookup)

    assert job_row(ledger, lookup)["outcome"] == "leaver_found"
    assert pause_of(ledger, AT_HR) is None


@pytest.mark.parametrize("reason", ["hr_unknown", "hr_unclear", "hr_no_email"])
def test_what_hr_does_not_say_is_held_for_a_person(shop, ledger, hr, reason):
    """Nothing may read as "not terminated"; when it is mended, the lookup is released."""
    hr.trouble = Refused("hr.employee", "why", reason=reason)
    [lookup] = told(ledger).jobs
    shop.run(lookup)
    assert state_of(ledger, lookup) == ("held", reason)

    hr.trouble = None
    hr.terminates("7", "lena@example.com")
    moves.release_by(ledger, lookup, actor="ada", why="mended", now=shop.clock.now())
    shop.work(lookup)

    assert len(jobs_for(ledger)) == 1


def test_a_replay_asks_hr_again(shop, ledger, hr):
    """A lookup is replayed as any job is."""
    hr.says["7"] = None
    [lookup] = told(ledger).jobs
    shop.work(lookup)
    hr.terminates("7", "lena@example.com")

    assert moves.replay_by(ledger, lookup, actor="ada", why="again", now=shop.clock.now())
    shop.work(lookup)

    assert job_row(ledger, lookup)["outcome"] == "leaver_found"
    assert len(jobs_for(ledger)) == 1


def test_a_source_that_lost_its_api_holds_its_lookups(shop, ledger):
    """They wait, visibly, until somebody configures it again."""
    [lookup] = told(ledger).jobs
    text = shop.file.read_text()
    shop.file.write_text("\n".join(line for line in text.splitlines() if "api =" not in line))
    shop.runtime.reload()

    shop.spend(5 * MINUTE)

    assert state_of(ledger, lookup) == ("held", "target_missing")


def test_a_worker_that_lost_its_lease_makes_no_leaver(shop, ledger, hr, clock):
    """Two workers would else each make one."""
    hr.terminates("7", "lena@example.com")
    [lookup] = told(ledger).jobs

    def stolen():
        hr.just_before = lambda: None
        clock.move(MINUTE)
        moves.take_back(ledger, lookup, actor="w2", now=clock.now())

    hr.just_before = stolen
    shop.run(lookup)

    assert jobs_for(ledger) == []
    assert state_of(ledger, lookup) == ("queued", "")


def test_the_same_bytes_signed_later_are_asked_about_again(shop, ledger, hr, clock):
    """A form says no time: two changes of one employee may be the very same body."""
    hr.terminates("7", "lena@example.com", cutoff=NOW + 2 * DAY)
    [lookup] = told(ledger).jobs
    shop.work(lookup)
    hr.employs("7")

    later = told(ledger, at=clock.move(HOUR))
    shop.work(lookup)

    assert later.status is DeliveryStatus.DUPLICATE
    assert state_of(ledger, jobs_for(ledger)[0]["id"]) == ("held", "rehired")


def test_a_repetition_signed_before_hr_was_asked_asks_nothing(shop, ledger, hr, clock):
    """Whoever captured a delivery could else have us ask for ever."""
    hr.says["7"] = None
    [lookup] = told(ledger).jobs
    shop.work(lookup)
    captured = delivery(changed(), source="bamboohr", at=NOW)

    record(ledger, captured, now=clock.move(HOUR))
    shop.spend(MINUTE)
    record(ledger, captured, now=clock.move(HOUR))
    shop.spend(MINUTE)

    # Once, as the sender's clock may be behind ours; never after that.
    assert len(hr.asked) <= 2


def test_a_stale_repetition_asks_nothing(shop, ledger, hr, clock):
    """It is quarantined as every delivery at a wrong time is."""
    hr.says["7"] = None
    shop.work(*told(ledger).jobs)

    told(ledger, at=clock.move(HOUR), reason="stale")
    shop.spend(10 * SECOND)

    assert len(hr.asked) == 1


def test_a_crowd_of_lookups_runs_a_few_at_a_time(shop, ledger, hr):
    """BambooHR throttles; how many run at once the ledger counts, as for any target."""
    for number in range(20):
        told(ledger, changed(str(number)))

    woken = []
    shop.waker.wake = woken.extend
    shop.sweep.once(NOW)

    assert 0 < len(woken) < 10
