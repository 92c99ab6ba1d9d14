"""The lookout: accounts that shadow mode left alone are read again, and only an answer counts."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from config.settings import load
from tests.workers.fakes import FakeClock, FakeTarget, account
from tests.workers.records import DAY, HOUR, LEASE, MINUTE, NOW, claim, job_of, locked_out, rows
from tests.workers.shop import Shop
from workers.errors import LockedOut, Refused, Unavailable
from workers.leavers import Outcome
from workers.ledger import moves, sightings
from workers.ledger import tables as t
from workers.ledger.queries.shadow import shadowed
from workers.lookout import RESPITE, Lookout
from workers.shadow.report import report
from workers.shadow.verdicts import SHORTEST, WATCHED
from workers.targets.base import Access

LENA = account("lena")
TOM = account("tom")
LOOK = SHORTEST
ERRORS = (
    Refused("read", "403", reason="refused"),
    Unavailable("read", "500"),
    LockedOut("read", "401", reason="credential_refused"),
)


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def target(clock):
    return FakeTarget(LENA, TOM, clock=clock)


@pytest.fixture
def shop(ledger, tmp_path, clock, target):
    """A worker in shadow mode."""
    shop = Shop(ledger, tmp_path, target, clock=clock)
    shop.file.write_text(shop.file.read_text().replace('mode = "act"', 'mode = "shadow"'))
    shop.runtime.settings = load(shop.file, {})
    yield shop
    shop.close()


@pytest.fixture
def lookout(shop):
    return Lookout(shop.runtime)


def noted(shop, name="lena"):
    """A job that ended as would_deactivate."""
    job = job_of(shop.ledger, name)
    shop.run(job)
    return job


def seen(shop):
    """What is kept of each sighting."""
    return rows(shop.ledger, t.sightings)


def look_until_the_end(shop, lookout, clock):
    """From the last day of the watching on, whenever a look is due."""
    clock.move(WATCHED - DAY)
    while (due := seen(shop)[0]["next_look_at"]) is not None:
        clock.move(max(due, clock.now()) - clock.now())
        lookout.once(clock.now())


def reads(target):
    return target.made["read"]


def test_an_account_that_is_switched_off_by_hand_is_seen_off(shop, lookout, clock, target):
    """Between the last look that saw it on and the first that saw it off."""
    noted(shop)
    lookout.once(on_at := clock.move(LOOK))
    target.put(replace(LENA, access=Access.OFF))
    lookout.once(off_at := clock.move(LOOK))

    [row] = seen(shop)
    assert (row["last_on_at"], row["first_off_at"], row["gone"]) == (on_at, off_at, False)
    assert row["next_look_at"] is None


def test_an_account_that_is_gone_is_off(shop, lookout, clock, target):
    """The target proves that nobody has this id any more."""
    noted(shop)
    target.remove(LENA)
    lookout.once(clock.move(LOOK))

    [row] = seen(shop)
    assert (row["first_off_at"], row["gone"]) == (clock.now(), True)


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_an_error_is_no_answer_and_is_looked_at_again(shop, lookout, clock, target, error):
    """Else a revoked key would read as a company that works by hand, and fast."""
    noted(shop)
    target.fail("read", error)
    lookout.once(clock.move(LOOK))

    [row] = seen(shop)
    assert (row["first_off_at"], row["last_on_at"], row["detail"]) == (None, NOW, str(error))
    lookout.once(clock.move(RESPITE + LOOK))
    assert seen(shop)[0]["last_on_at"] == clock.now()


def test_a_target_that_does_not_say_is_no_answer(shop, lookout, clock, target):
    """Unknown is neither on nor off."""
    noted(shop)
    target.put(replace(LENA, access=Access.UNKNOWN))
    lookout.once(clock.move(LOOK))

    [row] = seen(shop)
    assert (row["first_off_at"], row["last_on_at"]) == (None, NOW)


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_one_account_that_cannot_be_read_does_not_hide_the_others(
    shop, lookout, clock, target, error
):
    """They are all due at once, again and again."""
    noted(shop, "lena")
    noted(shop, "tom")
    target.fail("read", error, times=1000, only=LENA)
    target.put(replace(TOM, access=Access.OFF))
    lookout.once(clock.move(LOOK))
    lookout.once(clock.move(RESPITE))

    assert sorted(bool(row["first_off_at"]) for row in seen(shop)) == [False, True]


def test_a_target_in_trouble_is_not_asked_for_each_account(shop, lookout, clock, target):
    """A refused key, or an outage, would only be met again."""
    noted(shop, "lena")
    noted(shop, "tom")
    target.fail("read", ERRORS[2], times=1000)
    before = reads(target)
    lookout.once(clock.move(LOOK))

    assert reads(target) - before == 1


def test_a_target_that_refuses_our_credential_is_left_alone_for_an_hour(
    shop, lookout, clock, target
):
    """A login that is refused once a minute locks the account behind it."""
    noted(shop, "lena")
    noted(shop, "tom")
    target.fail("read", ERRORS[2], times=1000)
    before = reads(target)
    lookout.once(clock.move(LOOK))
    for _ in range(59):
        lookout.once(clock.move(MINUTE))
    assert reads(target) - before == 1

    lookout.once(clock.move(MINUTE))
    assert reads(target) - before == 2


def test_a_login_that_is_refused_is_said_of_each_account(shop, lookout, clock):
    """Nobody was asked about, and the report must say why nobody knows."""
    noted(shop, "lena")
    noted(shop, "tom")
    shop.runtime.targets = {"cloud": LockedDoor()}
    lookout.once(clock.move(LOOK))

    rows = [(row["detail"], row["next_look_at"]) for row in seen(shop)]
    assert rows == [(str(LockedDoor.error), clock.now() + RESPITE)] * 2


class LockedDoor(FakeTarget):
    """A target whose login is refused."""

    error = LockedOut("login", "a CAPTCHA", reason="login_denied")

    def session(self, _journal):
        raise self.error


def test_a_paused_target_is_not_asked(shop, lookout, clock, target):
    """A pause holds for every call but the probe."""
    noted(shop)
    other = job_of(shop.ledger, "tom")
    locked_out(shop.ledger, claim(shop.ledger, other), until=NOW + DAY)
    before = reads(target)
    lookout.once(clock.move(HOUR))

    assert reads(target) == before


def test_leavers_go_first(shop, lookout, clock, target):
    """While a job of the target is due, the calls are its own."""
    noted(shop)
    job_of(shop.ledger, "tom")
    before = reads(target)
    lookout.once(clock.move(LOOK))

    assert reads(target) == before


def test_a_replay_ends_the_watching_of_the_old_round(shop, lookout, clock, target):
    """What follows is the new round's business."""
    job = noted(shop)
    moves.replay_by(shop.ledger, job, actor="ada", why="again", now=clock.now())
    shop.run(job)
    target.put(replace(LENA, access=Access.OFF))
    lookout.once(clock.move(LOOK))

    first, second = seen(shop)
    assert (first["first_off_at"], second["first_off_at"]) == (None, clock.now())


def test_each_look_is_one_workers(shop, clock, ledger):
    """Two workers that look at once must not ask twice."""
    for name in ("lena", "tom"):
        noted(shop, name)
    now = clock.move(LOOK)

    first = sightings.take(ledger, ["cloud"], now=now, at_most=1)
    second = sightings.take(ledger, ["cloud"], now=now, at_most=5)
    third = sightings.take(ledger, ["cloud"], now=now, at_most=5)

    assert (len({each.job for each in (*first, *second)}), third) == (2, [])


def test_after_thirty_days_nobody_looks_any_more(shop, lookout, clock, target):
    """The last look is at the end of them."""
    noted(shop)
    look_until_the_end(shop, lookout, clock)

    assert clock.now() == NOW + WATCHED
    assert seen(shop)[0]["last_on_at"] == clock.now()
    lookout.once(clock.move(DAY))
    assert seen(shop)[0]["last_on_at"] == NOW + WATCHED


def test_nobody_looks_for_longer_because_there_is_no_answer(shop, lookout, clock, target):
    """A target that is gone would be asked for ever."""
    noted(shop)
    target.fail("read", ERRORS[2], times=10_000)
    look_until_the_end(shop, lookout, clock)

    assert clock.now() <= NOW + WATCHED + 2 * RESPITE


def test_a_target_that_this_worker_does_not_have_is_left_to_others(shop, lookout, clock):
    """Its configuration may be another one."""
    noted(shop)
    shop.runtime.targets = {}
    lookout.once(clock.move(LOOK))

    assert seen(shop)[0]["next_look_at"] == clock.now()


OFF, GONE = "off", "gone"
LOOKS = st.lists(st.sampled_from(["on", "unknown", OFF, GONE, *ERRORS]), max_size=6)


@pytest.fixture
def watched(sqlite_ledger, tmp_path, clock, target):
    """A worker, and one account that it watches."""
    shop = Shop(sqlite_ledger, tmp_path, target, clock=clock)
    owned = claim(sqlite_ledger, job_of(sqlite_ledger))
    moves.pin(sqlite_ledger, owned, LENA.id, now=NOW, lease=LEASE)
    moves.finish(sqlite_ledger, owned, Outcome.WOULD_DEACTIVATE, now=NOW)
    yield shop
    shop.close()


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(LOOKS)
@example([*ERRORS, "unknown", "on", OFF])
def test_only_an_answer_counts_and_times_are_in_order(watched, clock, target, looks):
    """Whatever the target says, and in whatever order."""
    begin_again(watched, clock)
    for look in looks:
        answer(target, look)
        due = seen(watched)[0]["next_look_at"]
        Lookout(watched.runtime).once(clock.move((due or clock.now() + LOOK) - clock.now()))

    [row] = seen(watched)
    ended = OFF in looks or GONE in looks
    assert (row["first_off_at"] is not None, row["next_look_at"] is None) == (ended, ended)
    assert row["gone"] == (ended and next(each for each in looks if each in (OFF, GONE)) == GONE)
    assert NOW <= row["last_on_at"] <= (row["first_off_at"] or clock.now())
    judged = report(shadowed(watched.ledger, since=NOW), since=NOW, now=clock.now(), brakes={})
    assert (judged.rows[0].verdict == "deactivated_by_hand") == ended


def begin_again(watched, clock):
    clock.move(NOW - clock.now())
    fresh = {"last_on_at": NOW, "next_look_at": NOW + LOOK, "first_off_at": None, "gone": False}
    with watched.ledger.write() as tx:
        tx.execute(t.sightings.update().values(**fresh, detail=""))


def answer(target, look):
    """What the next look is told."""
    target.heal()
    target.put(
        replace(LENA, access={OFF: Access.OFF, "unknown": Access.UNKNOWN}.get(look, "active"))
    )
    if look == GONE:
        target.remove(LENA)
    if isinstance(look, Exception):
        target.fail("read", look)
