"""A broken HR import, or a stolen key: workers that die at any call let nobody more pass.

With whole processes, and as many people as it takes: tests/chaos/test_flood.py.
"""

import random
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest

from config.settings import load
from tests.workers.fakes import FakeClock, FakeTarget, account
from tests.workers.records import LEASE, SECOND, delivery, open_alarms, person, record, rows
from tests.workers.shop import Shop
from workers.ledger import brakes
from workers.ledger import tables as t
from workers.targets.base import Access

LEAVERS = 80
THREADS = 16  # of each of two workers
LIMIT = 10  # the default of policy.brake, within an hour
RELEASED = 25


class Killed(BaseException):
    """The worker's process is gone in this instant, with all that it held."""


class Deadly(FakeTarget):
    """A target at whose calls workers die, now and then; before the call or after it."""

    def __init__(self, *accounts, clock):
        super().__init__(*accounts, clock=clock)
        self._random = random.Random(4)
        self._lock = threading.Lock()
        self.kills = 0

    def _call(self, journal, name, effect=lambda: None, about=None):
        with self._lock:
            fate = self._random.random()
            self.kills += fate < 0.06
        if fate < 0.03:
            raise Killed
        super()._call(journal, name, effect, about)
        if fate < 0.06:
            raise Killed

    @property
    def off(self):
        return sum(each.access is Access.OFF for each in self._accounts.values())


@pytest.fixture
def names():
    return [f"person-{number}" for number in range(LEAVERS)]


@pytest.fixture
def target(names):
    accounts = [account(name) for name in names]
    return Deadly(*accounts, clock=FakeClock())


@pytest.fixture
def workers(ledger, tmp_path, target):
    """Two of them, with the default brake and as many places as they have threads."""
    shops = [Shop(ledger, tmp_path, target, clock=target._clock, name=f"w{n}") for n in (1, 2)]
    for shop in shops:
        text = shop.file.read_text().replace("brake = []\n", "")
        shop.file.write_text(text.replace("concurrency = 4", "concurrency = 32"))
        shop.runtime.settings = load(shop.file, {})
    yield shops
    for shop in shops:
        shop.close()


def work_until_nothing_is_left(ledger, shops):
    """Every worker looks and works, also those started anew; time passes between two looks."""

    def attempt(shop, job):
        with suppress(Killed):
            shop.run(job)

    def going():
        return [
            row for row in rows(ledger, t.jobs) if row["state"] in ("queued", "running", "retrying")
        ]

    with ThreadPoolExecutor(2 * THREADS) as threads:
        while True:
            for shop in shops:
                shop.sweep.once(shop.clock.now())
            woken = [(shop, job) for shop in shops for job in shop.waker.take()]
            list(threads.map(lambda each: attempt(*each), woken))
            if not woken and not going():
                return
            shops[0].clock.move(SECOND if woken else LEASE)


@pytest.mark.exhaustive
def test_a_flood_stops_at_the_brake_and_goes_on_by_the_number(ledger, names, workers, target):
    """Two workers with sixteen threads each, and kills at every point: the count is exact."""
    record(ledger, delivery(*map(person, names)))

    work_until_nothing_is_left(ledger, workers)

    assert target.off == LIMIT
    assert open_alarms(ledger).count(("brake", "all")) == 1
    waiting = [row for row in rows(ledger, t.jobs) if row["reason"] == "brake"]
    assert len(waiting) == len(names) - LIMIT

    now = workers[0].clock.now()
    brakes.release(ledger, RELEASED, source=None, actor="ops", why="these leave", now=now)
    work_until_nothing_is_left(ledger, workers)

    assert target.off == LIMIT + RELEASED
    done = [row for row in rows(ledger, t.jobs) if row["outcome"] == "deactivated"]
    assert len(done) == LIMIT + RELEASED
    first = [row["id"] for row in waiting[:RELEASED]]
    assert {row["state"] for row in rows(ledger, t.jobs, t.jobs.c.id.in_(first))} == {"done"}
    assert target.kills > 20  # or else it tells nothing
