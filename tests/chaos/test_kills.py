"""kill -9 and freezing at the worst moments: another process goes on, and nothing happens twice."""

import os
import random
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from tests.installation import DEACTIVATED, End, Installation, disables, people
from tests.servers import impatient_client, wait_until
from workers.leavers import State
from workers.sandbox.people import LENA

#: Within so many seconds another attempt has done it: a lease of 30, and the attempt itself.
TAKEN_OVER_S = 60

#: Where a worker is killed: the fault that catches it there, and what is known of the order.
PLACES = {
    "before it knows the account": ("late", {"operation": "users.search"}),
    "before it knows how": ("late", {"operation": "manage.get"}),
    "before the account is off": ("timeout", {"operation": "lifecycle.disable"}),
    "after the account is off": ("late", {"operation": "lifecycle.disable"}),
    "reading back": ("late", {"operation": "profile.get", "after": 1}),
    "before a token is deleted": ("timeout", {"operation": "tokens.delete"}),
    "after a token is deleted": ("late", {"operation": "tokens.delete"}),
}


@pytest.mark.usefixtures("receiver")
def test_a_worker_is_killed_in_the_middle_of_attempts(installation, worker):
    """Another one goes on from what the target says, and switches nothing off again."""
    everybody = dict(zip(people(len(PLACES)), PLACES.values(), strict=True))
    for email, (fault, details) in everybody.items():
        installation.sandbox.add(email, tokens=[{"id": f"token-of-{email}"}])
        installation.sandbox.order(fault, email=email, times=1, lasts=60, **details)
    installation.send(*everybody)
    wait_until(lambda: installation.sandbox.hanging() == len(everybody))

    worker.kill()
    killed_at = time.monotonic()
    installation.sandbox.heal()
    installation.start("work")

    installation.wait_for_ends(seconds=TAKEN_OVER_S - (time.monotonic() - killed_at))
    assert installation.ends() == dict.fromkeys(everybody, DEACTIVATED)
    assert installation.sandbox.counters()["disables_of_inactive"] == 0
    for email in everybody:
        assert installation.sandbox.person(email)["tokens"] == []
        [round_] = installation.job(email).rounds
        assert [attempt.result for attempt in round_.attempts] == ["lost", "done"]


@pytest.mark.usefixtures("receiver")
def test_a_worker_is_killed_with_a_message_in_its_hands(installation, worker, redis_server):
    """Redis has handed it over and forgotten it, and it never becomes an attempt."""
    with impatient_client(redis_server.url) as redis:
        for email in people(20):
            wait_until(lambda: _somebody_waits_for_a_message(redis))
            worker.freeze()
            pushed = _messages_sent(redis)
            if installation.send(email).status_code != 202:
                worker.thaw()  # It was writing just then, and SQLite has one writer.
                continue
            wait_until(lambda: _messages_sent(redis) > pushed)  # noqa: B023
            if _holds_no_message(redis):
                break
            worker.thaw()  # It had ceased to wait just then.
            installation.wait_for_ends(email)
    assert installation.job(email).state is State.QUEUED

    worker.kill()
    installation.start("work")

    installation.wait_for_ends()
    assert installation.ends()[email] == End("done", "no_account")


@pytest.mark.usefixtures("receiver")
def test_a_worker_that_wakes_up_after_its_lease_writes_nothing(installation, worker):
    """It still believes that the job is its own; the ledger knows better."""
    installation.sandbox.order("late", operation="manage.get", times=1, lasts=60)
    installation.send(LENA.email)
    wait_until(installation.sandbox.hanging)
    worker.freeze()
    installation.sandbox.heal()
    installation.start("work")
    installation.wait_for_ends(seconds=TAKEN_OVER_S)
    done = installation.job(LENA.email)

    worker.thaw()

    wait_until(lambda: worker.count("attempt"))
    [line] = [line for line in worker.lines() if line["event"] == "attempt"]
    assert line["result"] == "lease_lost"
    assert installation.job(LENA.email) == done
    assert disables(installation.sandbox.writes()) == [LENA.account_id]


def test_a_receiver_is_killed_right_after_its_answer(installation):
    """Promise 1: what was accepted is on disk before the sender hears of it."""
    for place in range(5):
        receiver = installation.start("serve")
        answer = installation.send(f"person-{place}@example.com")
        receiver.kill()

        assert answer.status_code == 202
        [job] = answer.json()["jobs"]
        assert job in {job.id for job in installation.jobs()}


@pytest.mark.usefixtures("worker")
def test_a_receiving_process_is_killed_under_its_master(installation, receiver):
    """It is started again; whoever connects meanwhile waits and is answered."""
    for email in people(5):
        answer = installation.send(email)
        [process] = receiver.children()
        os.kill(process, signal.SIGKILL)
        assert answer.status_code == 202

    installation.wait_for_ends()
    assert installation.ends() == dict.fromkeys(people(5), End("done", "no_account"))


@pytest.mark.timeout(300)
def test_everything_is_killed_at_random_moments(installation, redis_server):
    """What was accepted is done, once, whoever dies when."""
    moments = random.Random(2026)
    installation.sandbox.behave(latency=0.05)
    running = {command: installation.start(command) for command in ("serve", "work")}
    enough = threading.Event()

    with ThreadPoolExecutor() as threads:
        hr_system = threads.submit(_send_until, enough, installation)
        try:
            for _ in range(5):
                time.sleep(moments.uniform(0.1, 1.5))
                victims = moments.sample(["serve", "work", "redis"], moments.randint(1, 3))
                for victim in victims:
                    redis_server.kill() if victim == "redis" else running[victim].kill()
                for victim in moments.sample(victims, len(victims)):
                    if victim == "redis":
                        redis_server.start()
                    else:
                        running[victim] = installation.start(victim)
        finally:
            enough.set()

    accepted = hr_system.result()
    installation.wait_for_ends(seconds=TAKEN_OVER_S)
    assert installation.ends() == dict.fromkeys(accepted, DEACTIVATED)
    assert len(installation.jobs()) == len(accepted)
    assert installation.sandbox.counters()["disables_of_inactive"] == 0


def _somebody_waits_for_a_message(redis) -> bool:
    return any(one["cmd"] == "brpop" and "b" in one["flags"] for one in redis.client_list())


def _messages_sent(redis):
    return redis.info("commandstats").get("cmdstat_lpush", {}).get("calls", 0)


def _holds_no_message(redis) -> bool:
    return b"list" not in {redis.type(key) for key in redis.scan_iter()}


def _send_until(enough: threading.Event, installation: Installation) -> list[str]:
    """Send one person after the other, each again until they are accepted; gives whom."""
    everybody = people(500)
    installation.sandbox.add(*everybody)
    for place, email in enumerate(everybody):
        while not _is_accepted(installation, email):
            time.sleep(0.1)
        if enough.wait(0.05):
            return everybody[: place + 1]
    raise AssertionError("they were too few")


def _is_accepted(installation: Installation, email: str) -> bool:
    try:
        return installation.send(email).status_code == 202
    except requests.RequestException:  # also an answer that broke off
        return False
