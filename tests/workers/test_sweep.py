"""The sweep: what nobody works on is found within a look, by however many workers look."""

import threading

import pytest
import sqlalchemy as sa

from config.sources import OPERATOR
from tests.servers import wait_until
from tests.workers.fakes import FakeClock, FakeTarget, account
from tests.workers.records import (
    DAY,
    HOUR,
    NOW,
    SECOND,
    claim,
    delivery,
    job_of,
    job_row,
    jobs_of,
    moves_of,
    open_alarms,
    person,
    record,
    rows,
    state_of,
)
from tests.workers.shop import Shop
from workers.journal import LEASE
from workers.leavers import AccountId
from workers.ledger import due, moves
from workers.ledger import tables as t
from workers.sweep import GRACE, MISSING_GRACE, REMEMBERED, SIGN_OF_LIFE


@pytest.fixture
def shop(ledger, tmp_path):
    shop = Shop(ledger, tmp_path, FakeTarget(account("lena")))
    yield shop
    shop.close()


def look(shop, wait=0 * SECOND):
    """One look of the sweep, some time later; gives the jobs it wakes."""
    shop.sweep.once(shop.clock.move(wait))
    return shop.waker.take()


def test_a_due_job_is_woken_within_one_look(shop, ledger):
    """Its own wake-up may have been lost with the queue."""
    job = job_of(ledger)

    assert look(shop) == [job]


def test_a_wake_up_that_was_lost_is_sent_again_after_a_grace(shop, ledger):
    """An emptied queue costs seconds, never a leaver."""
    job = job_of(ledger)

    assert look(shop) == [job]
    assert look(shop, GRACE - SECOND) == []
    assert look(shop, SECOND) == [job]


def test_a_scheduled_job_is_queued_and_woken_within_one_look_of_its_cutoff(shop, ledger):
    """Gone within minutes counts from the cutoff."""
    job = job_of(ledger, cutoff=NOW + HOUR)

    assert look(shop, HOUR - SECOND) == []
    assert look(shop, SECOND) == [job]
    assert state_of(ledger, job) == ("queued", "")


def test_a_job_whose_worker_died_is_taken_back_and_woken_within_one_look(shop, ledger):
    """kill -9 in the middle of an attempt."""
    job = job_of(ledger)
    moves.intend(ledger, claim(ledger, job), AccountId("a1"), brakes={}, now=NOW, lease=LEASE)

    assert look(shop, LEASE - SECOND) == []
    assert look(shop, SECOND) == [job]
    assert rows(ledger, t.accounts) == []


def rename_the_target(shop, to):
    """The configuration no longer has `cloud`, and the worker reads it again."""
    known = shop.file.read_text()
    shop.file.write_text(known.replace("[targets.cloud]", f"[targets.{to}]"))
    shop.runtime.reload()


def test_a_job_of_a_target_that_vanished_from_the_configuration_is_held(shop, ledger):
    """Nobody would ever work on it, and nobody would know."""
    look(shop)
    waiting, scheduled = job_of(ledger, "lena"), job_of(ledger, "bob", cutoff=NOW + DAY)
    here = job_of(ledger, "cid", targets=("other",))

    rename_the_target(shop, "other")

    assert look(shop) == [here]
    assert state_of(ledger, waiting) == ("held", "target_missing")
    assert state_of(ledger, scheduled) == ("held", "target_missing")
    assert sorted(open_alarms(ledger)) == sorted([("job_held", waiting), ("job_held", scheduled)])


def test_a_running_job_of_a_target_that_vanished_is_held_when_it_ends(shop, ledger):
    """SIGHUP does not break off what is under way."""
    job = job_of(ledger)
    owned = claim(ledger, job)
    look(shop)
    rename_the_target(shop, "other")
    look(shop)
    assert state_of(ledger, job) == ("running", "")

    moves.again(ledger, owned, NOW, reason="not_verified", now=NOW)
    look(shop)

    assert state_of(ledger, job) == ("held", "target_missing")


def test_a_target_that_this_worker_never_had_is_waited_for_a_while(shop, ledger):
    """The receiver may have read the new configuration first."""
    job = job_of(ledger, targets=("new",))

    look(shop)
    look(shop, MISSING_GRACE - SECOND)
    assert state_of(ledger, job) == ("queued", "")
    look(shop, SECOND)

    assert state_of(ledger, job) == ("held", "target_missing")


def test_a_worker_that_reads_the_new_configuration_in_time_holds_nothing(shop, ledger):
    """That is what the while is for."""
    job = job_of(ledger, targets=("new",))
    look(shop)

    rename_the_target(shop, "new")

    assert look(shop, MISSING_GRACE) == [job]


def test_the_jobs_of_a_target_that_another_worker_has_are_left_to_it(shop, ledger, tmp_path):
    """However long this one goes without it: they are read one after the other, or never."""
    other = Shop(ledger, tmp_path, clock=shop.clock, name="w2")
    rename_the_target(other, "new")
    job = job_of(ledger, targets=("new",))

    for _ in range(5):
        look(other)
        look(shop, MISSING_GRACE / 2)
    assert state_of(ledger, job) == ("queued", "")
    other.close()
    look(shop, MISSING_GRACE)
    look(shop, MISSING_GRACE)

    assert state_of(ledger, job) == ("held", "target_missing")


def rename_the_source(shop, to):
    """The configuration no longer has `hr`, and the worker reads it again."""
    known = shop.file.read_text()
    shop.file.write_text(known.replace("[sources.hr]", f"[sources.{to}]"))
    shop.runtime.reload()


def test_a_job_of_a_source_that_vanished_from_the_configuration_is_held(shop, ledger):
    """It may have been in shadow mode; what is left of the configuration would have it act."""
    look(shop)
    waiting, scheduled = job_of(ledger, "lena"), job_of(ledger, "bob", cutoff=NOW + DAY)
    of_another = job_of(ledger, "cid", source="other")

    rename_the_source(shop, "other")

    look(shop)
    assert state_of(ledger, waiting) == ("held", "source_missing")
    assert state_of(ledger, scheduled) == ("held", "source_missing")
    assert state_of(ledger, of_another) == ("queued", "")
    assert sorted(open_alarms(ledger)) == sorted([("job_held", waiting), ("job_held", scheduled)])


def test_a_job_of_a_source_that_is_back_is_released_by_a_person(shop, ledger):
    """Its mode may be another one now."""
    job = job_of(ledger)
    look(shop)
    rename_the_source(shop, "other")
    look(shop)
    shop.file.write_text(shop.file.read_text().replace("[sources.other]", "[sources.hr]"))
    shop.runtime.reload()
    assert look(shop, GRACE) == []

    moves.release_by(ledger, job, actor="ops", why="it is back", now=NOW)

    assert look(shop, SECOND) == [job]


def test_a_source_that_this_worker_never_had_is_waited_for_a_while(shop, ledger):
    """The receiver may have read the new configuration first."""
    job = job_of(ledger, source="new")

    assert look(shop) == []
    look(shop, MISSING_GRACE - SECOND)
    assert state_of(ledger, job) == ("queued", "")
    look(shop, SECOND)

    assert state_of(ledger, job) == ("held", "source_missing")


def test_the_jobs_of_a_source_that_another_worker_has_are_left_to_it(shop, ledger, tmp_path):
    """This one neither wakes, nor takes, nor holds them."""
    other = Shop(ledger, tmp_path, FakeTarget(account("lena")), clock=shop.clock, name="w2")
    rename_the_source(other, "new")
    other.runtime.targets = shop.runtime.targets
    job = job_of(ledger, source="new")

    for _ in range(5):
        look(other)
        assert look(shop, MISSING_GRACE / 2) == []
        shop.run(job)
    assert state_of(ledger, job) == ("queued", "")
    other.run(job)
    other.close()

    assert state_of(ledger, job)[0] == "done"


def test_leavers_entered_by_hand_have_a_source_on_every_worker(shop, ledger):
    """It stands in no configuration."""
    job = job_of(ledger, source=OPERATOR)
    look(shop)

    look(shop, MISSING_GRACE)
    shop.run(job)

    assert state_of(ledger, job)[0] == "done"


def test_without_its_source_nobody_says_what_a_job_may_do(shop):
    """A configuration that is read between claim and deed must not turn shadow into act."""
    rename_the_source(shop, "other")

    with pytest.raises(LookupError, match="no longer has the source hr"):
        shop.runtime.order("hr", "cloud")


def test_the_queue_holds_little_more_than_may_run(shop, ledger):
    """Four, as the configuration of the shop says, and a few that take their places."""
    jobs_of(ledger, 20)

    assert len(look(shop)) == 4 + due.LEAST_SPARE
    assert look(shop) == []


def test_a_worker_says_that_it_is_alive_and_is_forgotten_when_it_is_not(shop, ledger):
    """`healthz` and the console show which workers there are."""
    with ledger.write() as tx:
        long_ago = NOW - REMEMBERED - SECOND
        row = {"name": "old", "started_at": long_ago, "seen_at": long_ago}
        tx.execute(sa.insert(t.workers).values(row))

    look(shop)
    look(shop, SIGN_OF_LIFE)

    [alive] = rows(ledger, t.workers)
    assert (alive["name"], alive["seen_at"]) == ("w1", NOW + SIGN_OF_LIFE)


def test_looking_twice_changes_nothing_more(shop, ledger):
    """Every worker looks about once a second."""
    job = job_of(ledger)
    claim(ledger, job)

    look(shop, LEASE)
    before = moves_of(ledger, job)
    look(shop)

    assert moves_of(ledger, job) == before


def test_sweeps_of_many_workers_at_once_move_each_job_once(ledger, tmp_path):
    """Any number may run; each step is a conditional move."""
    shops = [Shop(ledger, tmp_path, name=f"w{number}") for number in range(4)]
    jobs = jobs_of(ledger, 6)
    for job in jobs:
        claim(ledger, job)
    people = [person(f"later-{number}", cutoff=NOW + SECOND) for number in range(6)]
    later = record(ledger, delivery(*people)).jobs
    start = threading.Barrier(len(shops))

    def sweep(shop):
        shop.clock.move(LEASE)
        start.wait()
        shop.sweep.once(shop.clock.now())

    threads = [threading.Thread(target=sweep, args=(shop,)) for shop in shops]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    for job in jobs:
        assert [name for name, _, _ in moves_of(ledger, job)] == ["open", "claim", "take_back"]
        assert job_row(ledger, job)["attempts"] == 1
    for job in later:
        assert [name for name, _, _ in moves_of(ledger, job)] == ["open", "mature"]
    woken = [job for shop in shops for job in shop.waker.take()]
    assert len(woken) == len(set(woken)) > 0
    for shop in shops:
        shop.close()


def test_a_held_job_is_said_again_as_often_as_the_configuration_says(shop, ledger):
    """Once a day unless it says something else."""
    job = job_of(ledger)
    moves.hold(ledger, claim(ledger, job), reason="protected", now=NOW)
    shop.file.write_text(shop.file.read_text().replace("[policy]", '[policy]\nremind_every = "2h"'))
    shop.runtime.reload()

    look(shop, 2 * HOUR)

    [alarm] = rows(ledger, t.alarms, t.alarms.c.kind == "job_held")
    assert (alarm["count"], alarm["text"].endswith("; open for 2h")) == (2, True)


def test_an_alarm_that_cannot_be_judged_stops_nothing(sqlite_ledger, tmp_path):
    """Alarms are for people; leavers must go on without them."""
    shop = Shop(sqlite_ledger, tmp_path)
    jobs_of(sqlite_ledger, 2)
    with sqlite_ledger.write() as tx:
        t.rejections.drop(tx)

    with pytest.raises(Exception, match="rejections"):
        shop.sweep.once(shop.clock.now())

    assert len(shop.waker.take()) == 2
    assert len(rows(sqlite_ledger, t.workers)) == 1
    shop.close()


def test_the_thread_of_the_sweep_outlives_whatever_breaks_a_look(sqlite_ledger, tmp_path):
    """Without it nothing is ever retried."""

    class Watched(FakeClock):
        looks = 0

        def now(self):
            self.looks += 1
            return super().now()

    clock = Watched()
    shop = Shop(sqlite_ledger, tmp_path, clock=clock)
    job = job_of(sqlite_ledger)
    with sqlite_ledger.write() as tx:
        t.targets.drop(tx)
    shop.sweep.start()
    wait_until(lambda: clock.looks > 1)

    with sqlite_ledger.write() as tx:
        t.targets.create(tx)

    wait_until(lambda: job in shop.waker.woken)
    shop.runtime.stopping.set()
    shop.runtime.nudged.set()
    shop.sweep.join(10)
    assert not shop.sweep.is_alive()
    shop.close()
