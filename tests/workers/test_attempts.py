"""One attempt on a real ledger: however it ends, the job is in a state that somebody looks at."""

import threading
from dataclasses import replace

import pytest
import sqlalchemy as sa

from config.settings import load
from tests.workers.fakes import FakeClock, FakeTarget, account
from tests.workers.records import (
    DAY,
    HOUR,
    MINUTE,
    NOW,
    SECOND,
    attempts_of,
    claim,
    delivery,
    job_of,
    job_row,
    moves_of,
    open_alarms,
    pause_of,
    person,
    record,
    rounds_of,
    rows,
    state_of,
)
from tests.workers.shop import Shop
from workers.attempts import INTERNAL_ERROR_LIMIT
from workers.errors import LockedOut, Refused, Unavailable, WorkerStopping
from workers.journal import LEASE
from workers.leavers import Cutoff, Element, ElementKind, Leaver, LeaverKind
from workers.ledger import holds, intake, moves, store
from workers.ledger import tables as t
from workers.ledger.holds import Side
from workers.targets.base import Way

LENA = account("lena")
OUT = Unavailable("read", "503")


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
def long_shop(sqlite_ledger, tmp_path, target, clock):
    """A worker for days of work, on one database: what it does there is the same on both."""
    shop = Shop(sqlite_ledger, tmp_path, target, clock=clock)
    yield shop
    shop.close()


@pytest.fixture
def lena(ledger):
    return job_of(ledger)


def test_one_attempt_brings_a_leaver_from_queued_to_proven(shop, ledger, target, lena):
    """The whole road of a worker, and everything that was called on it."""
    shop.run(lena)

    row = job_row(ledger, lena)
    assert (row["state"], row["outcome"], row["attempts"]) == ("done", "deactivated", 1)
    assert (row["account_id"], row["snapshot"]["way"]) == (LENA.id, "deactivate")
    assert target.is_off(LENA)
    calls = [(call["name"], call["write"], call["status"]) for call in rows(ledger, t.calls)]
    assert calls == [
        ("find", False, 200),
        ("read", False, 200),
        ("preflight", False, 200),
        ("switch_off", True, 200),
        ("read", False, 200),
        ("clean_up", True, 200),
    ]
    assert rows(ledger, t.accounts) == []


def test_a_wake_up_for_a_job_that_is_done_does_nothing(shop, lena, target):
    """Messages are doubled, late or forged."""
    shop.run(lena)
    made = dict(target.made)

    shop.run(lena)
    shop.run("no such job")

    assert target.made == made


def test_a_target_in_shadow_mode_is_only_read(shop, ledger, target, lena):
    """The other targets act meanwhile; the job says which setting it was."""
    text = shop.file.read_text().replace("[targets.cloud]", '[targets.cloud]\nmode = "shadow"')
    shop.file.write_text(text)
    shop.runtime.settings = load(shop.file, {})

    shop.run(lena)

    row = job_row(ledger, lena)
    assert (row["state"], row["outcome"]) == ("done", "would_deactivate")
    assert row["detail"].endswith("targets.cloud.mode is shadow")
    assert not target.is_off(LENA)


def test_the_account_behind_one_target_is_held_in_all_of_them(shop, ledger, target, lena):
    """It is one person: switched off in Crowd, the administrator of Jira cannot log in any more."""
    other = '\n[targets.jira]\nkind = "jira-dc"\nbase_url = "https://jira.example.com"\n'
    other += 'token = "test-token-not-a-secret"\noperated_by = "Lena@example.com"\n'
    shop.file.write_text(shop.file.read_text() + other)
    shop.runtime.settings = load(shop.file, {})

    shop.run(lena)

    assert state_of(ledger, lena) == ("held", "operated_by")
    assert target.made == {}


def test_a_refusal_holds_the_job_with_its_reason(shop, ledger, target, lena):
    """The target will never do it by itself."""
    target.fail("switch_off", Refused("switch_off", "409 owns a site", reason="lifecycle_conflict"))

    shop.run(lena)

    assert state_of(ledger, lena) == ("held", "lifecycle_conflict")
    assert "409 owns a site" in job_row(ledger, lena)["detail"]


@pytest.mark.parametrize("reason", ["rate_limited", "credential_refused", "misconfigured"])
def test_a_lock_out_pauses_the_target_and_spends_no_attempt(shop, ledger, target, lena, reason):
    """Our own credential or quota is refused, whoever the leaver is."""
    target.fail("find", LockedOut("find", "no", reason=reason))

    shop.run(lena)

    assert state_of(ledger, lena) == ("retrying", reason)
    assert job_row(ledger, lena)["attempts"] == 0
    pause = pause_of(ledger)
    assert (pause["pause_reason"], pause["pause_call"]) == (reason, "find")


def test_an_outage_pauses_the_target_as_long_as_it_asks(shop, ledger, target, lena):
    """Retry-After counts for everybody."""
    target.fail("find", Unavailable("find", "503", retry_after=HOUR))

    shop.run(lena)

    assert state_of(ledger, lena) == ("retrying", "outage")
    assert pause_of(ledger)["paused_until"] >= NOW + HOUR
    assert job_row(ledger, lena)["due_at"] == pause_of(ledger)["paused_until"]


def test_an_account_that_another_job_works_on_is_tried_again_in_seconds(shop, ledger, lena):
    """Two HR systems know the same person; the second job finds the work done."""
    other = job_of(ledger, source="other")
    moves.intend(ledger, claim(ledger, other), LENA.id, brakes={}, now=NOW, lease=LEASE)

    shop.run(lena)

    row = job_row(ledger, lena)
    assert (row["state"], row["reason"], row["due_at"]) == (
        "retrying",
        "account_busy",
        NOW + 5 * SECOND,
    )
    assert (row["attempts"], row["intended_at"]) == (0, None)


@pytest.mark.parametrize(
    ("ask", "state"),
    [
        (moves.hold_by, ("held", "operator_hold")),
        (moves.cancel_by, ("cancelled", "operator_cancel")),
    ],
)
@pytest.mark.parametrize("call", ["find", "read", "preflight"])
def test_an_operator_can_stop_a_job_until_the_very_write(
    shop, ledger, target, lena, ask, state, call
):
    """The last moment at which a wrong leaver can be saved."""
    target.just_before(call, lambda: ask(ledger, lena, actor="ops", why="a mistake", now=NOW))

    shop.run(lena)

    assert state_of(ledger, lena) == state
    assert not target.is_off(LENA)


@pytest.mark.parametrize(
    "side", [Side("source", "hr"), Side("target", "cloud")], ids=lambda side: side.kind
)
@pytest.mark.parametrize("call", ["find", "read", "preflight"])
def test_a_hold_of_the_whole_source_or_target_stops_a_job_until_the_very_write(
    shop, ledger, target, lena, side, call
):
    """The list that HR has just sent is wrong, and its first leaver is being looked at."""
    target.just_before(
        call, lambda: holds.hold(ledger, side, actor="ops", why="a mistake", now=NOW)
    )

    shop.run(lena)
    shop.look()

    assert state_of(ledger, lena) == ("held", side.reason)
    [attempt] = attempts_of(ledger, lena)
    assert (attempt["reason"], attempt["counted"]) == (side.reason, False)
    assert not target.is_off(LENA)


@pytest.mark.parametrize(
    ("kind", "state"),
    [
        (LeaverKind.RESCINDED, ("cancelled", "rescinded")),
        (LeaverKind.REHIRED, ("held", "rehired")),
    ],
)
def test_hr_can_take_a_leaver_back_until_the_very_write(shop, ledger, target, lena, kind, state):
    """The event comes in while the account is being looked at."""
    back = replace(person("lena").leaver, kind=kind, happened_at=NOW + SECOND)
    event = Element(ElementKind.LEAVER, "back", employee_id="lena", leaver=back)
    target.just_before("preflight", lambda: record(ledger, delivery(event)))

    shop.run(lena)

    assert state_of(ledger, lena) == state
    assert attempts_of(ledger, lena)[0]["reason"] == state[1]
    assert not target.is_off(LENA)


def test_a_stop_that_comes_too_late_does_not_hide_that_it_was_done(shop, ledger, target, lena):
    """The account is off; the record says so."""
    target.just_before(
        "switch_off", lambda: moves.cancel_by(ledger, lena, actor="ops", why="no", now=NOW)
    )

    shop.run(lena)

    row = job_row(ledger, lena)
    assert (row["state"], row["outcome"]) == ("done", "deactivated")
    assert "asked to stop" in row["detail"]


def test_a_worker_that_stops_gives_its_job_back(shop, ledger, target, lena):
    """Nobody waits for a lease because of an update."""
    target.without_effect = True
    shop.clock.stopping = True

    shop.run(lena)

    assert state_of(ledger, lena) == ("queued", "worker_stopped")
    assert job_row(ledger, lena)["due_at"] == NOW
    assert job_row(ledger, lena)["attempts"] == 0


def test_a_worker_that_stops_begins_nothing_new(shop, ledger, lena):
    """Wake-ups that it had taken from the queue already are sent again by the others."""
    shop.runtime.stopping.set()

    shop.run(lena)

    assert state_of(ledger, lena) == ("queued", "")


def test_success_without_effect_is_tried_again(shop, ledger, target, lena):
    """It was answered 204, and the account is still active."""
    target.without_effect = True

    shop.run(lena)

    row = job_row(ledger, lena)
    assert (row["state"], row["reason"], row["attempts"]) == ("retrying", "not_verified", 1)
    assert NOW + 10 * SECOND < row["due_at"] < NOW + MINUTE


@pytest.mark.exhaustive
def test_a_job_gives_up_after_its_time_and_can_be_replayed(long_shop, target):
    """It is kept and shown; when the cause is mended, it runs again."""
    shop, ledger = long_shop, long_shop.ledger
    lena = job_of(ledger)
    target.without_effect = True

    shop.work(lena, within=8 * DAY)

    row = job_row(ledger, lena)
    assert (row["state"], row["reason"]) == ("failed", "gave_up")
    assert "not_verified" in row["detail"]
    assert row["finished_at"] >= NOW + 7 * DAY
    assert ("job_failed", lena) in open_alarms(ledger)

    target.without_effect = False
    moves.replay_by(ledger, lena, actor="ops", why="mended", now=shop.clock.now())
    shop.work(lena)

    assert [row["outcome"] for row in rounds_of(ledger, lena)] == [None, "deactivated"]
    assert [row["state"] for row in rounds_of(ledger, lena)] == ["failed", "done"]


def test_an_unexpected_error_is_tried_again_and_then_a_persons_business(shop, ledger, target, lena):
    """An error of ours must not lose the leaver, nor run for a week unseen."""
    target.fail("read", ZeroDivisionError(), times=1000)

    shop.run(lena)
    assert state_of(ledger, lena) == ("retrying", "internal_error")
    assert job_row(ledger, lena)["detail"] == "ZeroDivisionError"
    shop.work(lena)

    assert state_of(ledger, lena) == ("held", "internal_error")
    assert job_row(ledger, lena)["attempts"] == INTERNAL_ERROR_LIMIT


def test_a_release_gives_a_job_its_small_delays_and_its_chances_back(long_shop, target):
    """Somebody has mended the cause, and looks whether it helped."""
    shop, ledger = long_shop, long_shop.ledger
    lena = job_of(ledger)
    target.fail("read", ZeroDivisionError(), times=1000)
    shop.work(lena)
    moves.release_by(ledger, lena, actor="ops", why="mended", now=shop.clock.now())

    shop.run(lena)

    assert state_of(ledger, lena) == ("retrying", "internal_error")
    assert job_row(ledger, lena)["due_at"] < shop.clock.now() + MINUTE


# --- Who counts at the brake ---


def braked(shop, environ=None, own=""):
    """The worker reads its settings again: one leaver an hour may pass."""
    text = shop.file.read_text().replace("brake = []", 'brake = [{ leavers = 1, per = "1h" }]')
    shop.file.write_text(text.replace("[sources.hr]", f"[sources.hr]\n{own}"))
    shop.runtime.settings = load(shop.file, environ or {})


def by_hand(shop, name):
    leaver = Leaver(f"{name}@example.com", "", Cutoff(NOW))
    about = {"targets": ("cloud",), "actor": "ops", "reason": "a call", "request_id": ""}
    [job] = intake.enter(shop.ledger, leaver, **about, now=NOW)
    return job


def noted_and_replayed(shop, name):
    job = job_of(shop.ledger, name)
    braked(shop, {"LEAVER_POLICY__MODE": "shadow"})
    shop.run(job)
    braked(shop)
    moves.replay_by(shop.ledger, job, actor="ops", why="going live", now=NOW)
    return job


@pytest.mark.parametrize("comes", [by_hand, noted_and_replayed])
def test_whoever_comes_by_another_way_than_hr_counts_as_well(long_shop, target, comes):
    """A wrong list in an operator's hands is a stream like any other."""
    shop, ledger = long_shop, long_shop.ledger
    target.put(account("bob"))
    braked(shop)
    first, second = comes(shop, "lena"), job_of(ledger, "bob")

    for job in (first, second):
        shop.run(job)

    assert [state_of(ledger, job) for job in (first, second)] == [("done", ""), ("held", "brake")]


@pytest.mark.parametrize("comes", [by_hand, noted_and_replayed])
def test_whoever_comes_by_another_way_than_hr_waits_as_well(long_shop, target, comes):
    """Nor may they be more than the window lets pass."""
    shop, ledger = long_shop, long_shop.ledger
    target.put(account("bob"))
    braked(shop)
    shop.run(job_of(ledger, "bob"))

    second = comes(shop, "lena")
    shop.run(second)

    assert state_of(ledger, second) == ("held", "brake")
    assert not target.is_off(LENA)


def test_a_brake_of_its_own_does_not_spare_a_source_the_one_over_all(long_shop, target):
    """Both must have room."""
    shop, ledger = long_shop, long_shop.ledger
    target.put(account("bob"))
    braked(shop, own='brake = [{ leavers = 5, per = "1h" }]')
    jobs = [job_of(ledger, "bob"), job_of(ledger, "lena")]

    for job in jobs:
        shop.run(job)

    assert [state_of(ledger, job) for job in jobs] == [("done", ""), ("held", "brake")]
    assert open_alarms(ledger) == [("brake", "all")]


# --- When the worker is not alone, or not well ---


def taken_back(shop, ledger, job):
    """Another worker's sweep takes the job away, as the lease ran out."""

    def happens():
        assert moves.take_back(ledger, job, actor="w2", now=shop.clock.move(LEASE))

    return happens


def test_a_worker_that_lost_its_job_before_the_write_does_not_write(shop, ledger, target, lena):
    """Frozen, and back too late."""
    target.just_before("preflight", taken_back(shop, ledger, lena))

    shop.run(lena)

    assert not target.is_off(LENA)
    assert state_of(ledger, lena) == ("queued", "")
    assert [row["result"] for row in attempts_of(ledger, lena)] == ["lost"]


def test_a_write_whose_worker_died_is_found_and_not_repeated(shop, ledger, target, lena):
    """kill -9 between the write and the proof: one disable, and a deactivation that is ours."""
    target.just_before("switch_off", taken_back(shop, ledger, lena))
    shop.run(lena)
    assert state_of(ledger, lena) == ("queued", "")

    shop.run(lena)

    row = job_row(ledger, lena)
    assert (row["state"], row["outcome"]) == ("done", "deactivated")
    assert target.made["switch_off"] == 1


def test_a_job_that_was_intended_and_never_written_is_written_by_the_next(
    shop, ledger, target, lena
):
    """The leave was given, and the worker died before it sent anything."""
    lost = claim(ledger, lena)
    moves.pin(ledger, lost, LENA.id, now=NOW, lease=LEASE)
    moves.intend(ledger, lost, LENA.id, brakes={}, now=NOW, lease=LEASE)
    moves.take_back(ledger, lena, actor="w2", now=shop.clock.move(LEASE))

    shop.run(lena)

    assert target.is_off(LENA)
    assert job_row(ledger, lena)["outcome"] == "deactivated"


def test_a_job_that_was_released_with_a_new_leaver_of_that_address_is_held(
    shop, ledger, target, lena
):
    """Never the wrong person: the address was given to somebody else meanwhile."""
    target.fail("switch_off", Refused("switch_off", "no", reason="refused"))
    shop.run(lena)
    target.remove(LENA)
    target.put(account("another-lena", email="lena@example.com"))

    moves.release_by(ledger, lena, actor="ops", why="mended", now=NOW)
    shop.run(lena)

    assert state_of(ledger, lena) == ("held", "account_changed")
    moves.replay_by(ledger, lena, actor="ops", why="it is theirs", force=True, now=NOW)
    shop.run(lena)
    assert job_row(ledger, lena)["account_id"] == "id-of-another-lena"
    assert job_row(ledger, lena)["outcome"] == "deactivated"


@pytest.mark.exhaustive
@pytest.mark.parametrize("call", ["find", "read", "preflight", "switch_off", "clean_up"])
def test_a_ledger_that_fails_in_the_middle_leaves_the_job_to_its_lease(
    sqlite_ledger, tmp_path, monkeypatch, call
):
    """What was done is not known; the next attempt asks the target."""
    monkeypatch.setattr(store, "BUSY_TIMEOUT_S", 0.05)
    ledger, target = sqlite_ledger, FakeTarget(LENA)
    shop = Shop(ledger, tmp_path, target)
    job = job_of(ledger)
    blocker = ledger.write()
    target.just_before(call, blocker.__enter__)

    shop.run(job)
    blocker.__exit__(None, None, None)

    assert job_row(ledger, job)["state"] == "running"
    shop.clock.move(LEASE)
    shop.work(job)
    assert job_row(ledger, job)["outcome"] == "deactivated"
    assert target.made["switch_off"] == 1
    shop.close()


@pytest.mark.exhaustive
def test_a_ledger_that_fails_at_the_claim_costs_nothing(sqlite_ledger, tmp_path, monkeypatch):
    """The wake-up is lost, and sent again."""
    monkeypatch.setattr(store, "BUSY_TIMEOUT_S", 0.05)
    ledger, target = sqlite_ledger, FakeTarget(LENA)
    shop = Shop(ledger, tmp_path, target)
    job = job_of(ledger)

    with ledger.write():
        shop.run(job)

    assert state_of(ledger, job) == ("queued", "")
    shop.work(job)
    assert job_row(ledger, job)["state"] == "done"
    shop.close()


def test_only_an_attempt_makes_the_sweep_look_at_once(shop, ledger, lena):
    """A wake-up that finds no room must not be answered with the next one, in a circle."""
    room = shop.runtime.concurrency()["cloud"]
    people = [person(f"p{number}") for number in range(room)]
    for job in record(ledger, delivery(*people)).jobs:
        claim(ledger, job)
    shop.runtime.nudged.clear()

    shop.run(lena)
    assert not shop.runtime.nudged.is_set()

    moves.cancel_by(ledger, lena, actor="ops", why="no", now=NOW)
    [free] = [row["id"] for row in rows(ledger, t.jobs, t.jobs.c.state == "running")][:1]
    moves.take_back(ledger, free, actor="w2", now=NOW + LEASE)
    shop.clock.move(LEASE)
    shop.run(free)
    assert shop.runtime.nudged.is_set()


# --- Many jobs, and a target that has its moods ---


def test_a_storm_of_rate_limits_fails_nobody_and_spends_no_attempt(long_shop, target):
    """429 with Retry-After: 3 to everything, for two minutes."""
    shop, ledger = long_shop, long_shop.ledger
    people = [person(f"p{number}") for number in range(30)]
    for number in range(30):
        target.put(account(f"p{number}"))
    jobs = record(ledger, delivery(*people)).jobs
    target.fail(
        "find", LockedOut("find", "429", reason="rate_limited", retry_after=3 * SECOND), times=9999
    )
    shop.spend(120 * SECOND)
    assert target.made["find"] < 60

    target.heal()
    shop.work(*jobs, within=MINUTE)

    kept = [job_row(ledger, job) for job in jobs]
    assert {row["outcome"] for row in kept} == {"deactivated"}
    assert {row["attempts"] for row in kept} == {1}
    assert pause_of(ledger) is None


def test_an_outage_of_the_search_makes_nobody_absent(long_shop, target):
    """503 is no answer to the question who is there."""
    shop, ledger = long_shop, long_shop.ledger
    lena = job_of(ledger)
    target.fail("find", OUT, times=9999)
    shop.spend(600 * SECOND)

    assert state_of(ledger, lena) == ("retrying", "outage")
    target.heal()
    shop.work(lena)
    assert job_row(ledger, lena)["outcome"] == "deactivated"


@pytest.mark.exhaustive
def test_an_account_that_the_target_cannot_handle_does_not_stop_the_others(long_shop, target):
    """It is tried alone until it gives up, and ends like every job."""
    shop, ledger = long_shop, long_shop.ledger
    poison = account("p0")
    for number in range(10):
        target.put(account(f"p{number}"))
    target.fail("read", OUT, times=10**6, only=poison)
    people = [person(f"p{number}") for number in range(10)]
    bad, *good = record(ledger, delivery(*people)).jobs

    shop.work(*good, within=5 * MINUTE)
    shop.work(bad, within=9 * DAY)

    assert {job_row(ledger, job)["outcome"] for job in good} == {"deactivated"}
    assert state_of(ledger, bad) == ("failed", "gave_up")
    assert pause_of(ledger) is None


@pytest.mark.exhaustive
def test_a_lone_account_that_the_target_cannot_handle_ends_too(long_shop, target):
    """No other job shows that the target works, so after an hour it is asked itself."""
    shop, ledger = long_shop, long_shop.ledger
    poison = job_of(ledger)
    target.fail("switch_off", Unavailable("switch_off", "503"), times=10**6)

    shop.spend(30 * MINUTE)
    assert pause_of(ledger) is not None
    assert target.made["prove_credential"] == 0
    shop.spend(HOUR)
    assert pause_of(ledger) is None
    assert ("target_paused", "cloud") not in open_alarms(ledger)
    shop.work(poison, within=9 * DAY)

    assert state_of(ledger, poison) == ("failed", "gave_up")


@pytest.mark.exhaustive
def test_a_lone_job_waits_for_as_long_as_its_target_is_out(long_shop, target):
    """That is no trouble of its own, and counts for nothing."""
    shop, ledger = long_shop, long_shop.ledger
    lena = job_of(ledger)
    for call in ("find", "prove_credential"):
        target.fail(call, Unavailable(call, "503"), times=10**6)

    shop.spend(6 * HOUR)

    assert state_of(ledger, lena) == ("retrying", "outage")
    assert job_row(ledger, lena)["attempts"] == 0
    assert ("target_paused", "cloud") in open_alarms(ledger)


def test_a_worker_that_stops_while_it_asks_for_the_proof_leaves_the_pause(long_shop, target):
    """The next worker goes on where this one was."""
    shop, ledger = long_shop, long_shop.ledger
    lena = job_of(ledger)
    target.fail("find", Unavailable("find", "503"), times=10**6)
    target.fail("prove_credential", WorkerStopping(), times=10**6)

    shop.spend(90 * MINUTE)

    assert target.made["prove_credential"] > 0
    assert state_of(ledger, lena) == ("retrying", "outage")


@pytest.mark.exhaustive
def test_jobs_that_probe_in_turn_need_no_other_proof(long_shop, target):
    """All of them fail, whoever tries: the target cannot do what they are for."""
    shop, ledger = long_shop, long_shop.ledger
    target.put(account("bob"))
    record(ledger, delivery(person("lena"), person("bob")))
    target.fail("switch_off", Unavailable("switch_off", "503"), times=10**6)

    shop.spend(3 * HOUR)

    assert target.made["prove_credential"] == 0
    assert pause_of(ledger) is not None


def test_two_workers_share_the_work_and_do_nothing_twice(ledger, tmp_path):
    """More machines are more hands, not more writes."""
    target = FakeTarget(*(account(f"p{number}") for number in range(20)))
    shops = [Shop(ledger, tmp_path, target, name=name) for name in ("w1", "w2")]
    jobs = record(ledger, delivery(*(person(f"p{number}") for number in range(20)))).jobs

    def work(shop):
        for job in jobs:
            shop.run(job)

    threads = [threading.Thread(target=work, args=(shop,)) for shop in shops]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert target.made["switch_off"] == 20
    assert {job_row(ledger, job)["outcome"] for job in jobs} == {"deactivated"}
    assert all(len(moves_of(ledger, job)) == 3 for job in jobs)
    for shop in shops:
        shop.close()


def test_an_identity_provider_is_waited_for_over_many_looks_without_an_attempt(long_shop, target):
    """It synchronises every forty minutes; nobody needs to act."""
    shop, ledger = long_shop, long_shop.ledger
    lena = job_of(ledger)
    synced = account("lena", way=Way.IDP)
    target.put(synced)
    shop.spend(HOUR)
    assert state_of(ledger, lena) == ("retrying", "waiting_for_idp")
    assert job_row(ledger, lena)["attempts"] == 0

    shop.work(lena, within=4 * HOUR)

    assert state_of(ledger, lena) == ("held", "idp_managed")
    with ledger.read() as tx:
        writes = tx.scalar(sa.select(sa.func.count()).where(t.calls.c.write))
    assert writes == 0
