"""The heartbeat of a webhook, kept in the ledger: when it is an alarm, and who asks."""

import pytest

from tests.workers.fakes import FakeClock, FakeHr
from tests.workers.records import HOUR, MINUTE, NOW, open_alarms
from tests.workers.shop import Shop
from workers.errors import LockedOut
from workers.hr import heartbeat
from workers.hr.base import Try
from workers.hr.heartbeat import Listener, judged

DEAD = ("webhook_dead", "bamboohr")
ALIVE = [Try("2026-11-23 12:00", 202)]
FAILING = [Try(f"2026-11-23 12:0{minute}", 401) for minute in range(3)]


@pytest.fixture
def hr():
    return FakeHr()


@pytest.fixture
def shop(ledger, tmp_path, hr):
    shop = Shop(ledger, tmp_path, clock=FakeClock(), hr=hr)
    yield shop
    shop.close()


def listen(shop, hr, tries):
    """An hour later the worker asks, and HR shows these tries."""
    hr.tries = tries
    Listener(shop.runtime).once(shop.clock.move(HOUR))


def test_attempts_that_fail_are_an_alarm_until_one_succeeds(shop, ledger, hr):
    """Nobody notices that nothing comes in."""
    listen(shop, hr, FAILING)
    assert DEAD in open_alarms(ledger)

    listen(shop, hr, ALIVE)
    assert open_alarms(ledger) == []


def test_a_webhook_that_is_gone_is_an_alarm(shop, ledger, hr):
    """It was there: somebody deleted it, or its maker has left."""
    listen(shop, hr, ALIVE)
    listen(shop, hr, None)

    assert DEAD in open_alarms(ledger)


def test_a_webhook_that_was_never_shown_is_no_alarm(shop, ledger, hr):
    """A global one is shown to no key."""
    listen(shop, hr, None)

    assert open_alarms(ledger) == []


def test_what_may_not_be_read_changes_nothing(shop, ledger, hr):
    """Neither an alarm, nor the end of one."""
    listen(shop, hr, FAILING)
    hr.trouble = LockedOut("hr.webhooks", "403", reason="misconfigured")
    listen(shop, hr, None)

    assert open_alarms(ledger) == [DEAD]


def test_one_of_all_workers_asks_once_an_hour(ledger):
    """HR systems throttle, and many workers would ask at once."""
    asked = [heartbeat.claim(ledger, "bamboohr", NOW + minute * MINUTE) for minute in range(121)]

    assert [minute for minute, claimed in enumerate(asked) if claimed] == [0, 60, 120]


def test_tries_are_read_in_the_order_of_time():
    """Which end of the log is the newest is not documented."""
    late = Try("2026-11-23 13:00", 202)

    assert judged([late, *FAILING]).pulse == judged([*FAILING, late]).pulse == "alive"
    assert judged(FAILING[::-1]).pulse == "failing"
    assert judged(FAILING[:2]).pulse == "alive"
