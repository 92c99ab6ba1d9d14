"""Every call gets its turn; losing Redis loosens the limit for a moment and nothing else."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
import redis
from structlog.testing import capture_logs

from config.targets import Target
from tests.servers import free_port, wait_until
from tests.workers.targets.books import Book
from workers.errors import LeaseLost, WorkerStopping
from workers.journal import LEASE
from workers.limits import HEADROOM, PATIENCE, SIGN_OF_LIFE, SharedLimit
from workers.queue import KEY_PREFIX, redis_client

SLOW = 0.01  # calls a second: no machine is so busy that turns come by themselves
GAP = timedelta(seconds=HEADROOM / SLOW)
NOTHING = timedelta()


class Sleeper:
    """What a limit waits with: it writes down for how long, and does not wait."""

    def __init__(self) -> None:
        self.slept: list[timedelta] = []

    def __call__(self, span: timedelta) -> None:
        self.slept.append(span)

    def total(self) -> timedelta:
        return sum(self.slept, NOTHING)


class Worker:
    """One worker process' limit for one target."""

    def __init__(self, url, name="cloud", *, per_second=SLOW, concurrency=8):
        settings = Target(base_url="https://x.example", concurrency=concurrency)
        settings = settings.model_copy(update={"calls_per_second": per_second})
        self.sleeper = Sleeper()
        client = redis_client(url, Path("/nowhere"), patience=PATIENCE)
        self.limit = SharedLimit(name, settings, client, self.sleeper)

    def wait(self, book=None) -> timedelta:
        """How long one call waits for its turn."""
        before = self.sleeper.total()
        self.limit.wait(book or Book())
        return self.sleeper.total() - before


def turns(waits):
    """The waits as numbers of gaps, the nearest whole one."""
    return [round(wait / GAP) for wait in waits]


def test_a_first_call_waits_for_nobody(redis_server):
    """One leaver alone must not feel the limit."""
    assert Worker(redis_server.url).wait() == NOTHING


def test_calls_that_crowd_are_spread(redis_server):
    """calls_per_second is an even flow, not a burst at the beginning of each second."""
    worker = Worker(redis_server.url)

    assert turns(worker.wait() for _ in range(5)) == [0, 1, 2, 3, 4]


def test_all_workers_share_the_turns(redis_server):
    """Two machines with 20 calls a second each would be 40 for the target."""
    one, other = Worker(redis_server.url), Worker(redis_server.url)

    assert turns([one.wait(), other.wait(), one.wait(), other.wait()]) == [0, 1, 2, 3]


def test_no_turn_is_given_twice(redis_server):
    """Whoever asks at the same moment."""
    workers = [Worker(redis_server.url) for _ in range(4)]
    with ThreadPoolExecutor(8) as threads:
        waits = threads.map(lambda number: workers[number % 4].limit.wait(Book()), range(24))
        list(waits)

    slept = sorted([span for worker in workers for span in worker.sleeper.slept])
    total = sum(slept, NOTHING)
    assert round(total / GAP) == pytest.approx(sum(range(24)), abs=24)


def test_each_target_has_turns_of_its_own(redis_server):
    """A slow Jira must not slow down the cloud."""
    Worker(redis_server.url, "jira").wait()

    assert Worker(redis_server.url, "cloud").wait() == NOTHING


def test_the_flow_is_a_little_slower_than_allowed(redis_server):
    """Calls do not arrive as evenly as they leave, and each 429 pauses the whole target."""
    worker = Worker(redis_server.url)
    worker.wait()

    assert timedelta(seconds=1 / SLOW) < worker.wait() <= GAP


def test_a_long_wait_keeps_the_job(redis_server):
    """With many jobs and few calls a turn may come after the lease."""

    class Signs(Book):
        signs = 0

        def renew(self):
            self.signs += 1

    worker, book = Worker(redis_server.url), Signs()
    worker.wait(book)
    wait = worker.wait(book)

    assert wait > LEASE
    assert max(worker.sleeper.slept) <= SIGN_OF_LIFE < LEASE / 3
    assert book.signs == wait // SIGN_OF_LIFE


def test_a_job_that_was_taken_back_waits_no_longer(redis_server):
    """Another worker has it by now."""

    class Lost(Book):
        def renew(self):
            raise LeaseLost

    worker = Worker(redis_server.url)
    worker.wait(Lost())
    with pytest.raises(LeaseLost):
        worker.wait(Lost())


def test_a_worker_that_stops_waits_no_longer(redis_server):
    """The job goes back, and the target was not called."""
    worker = Worker(redis_server.url)
    worker.wait()

    def stopping(_span):
        raise WorkerStopping

    worker.limit._sleep = stopping
    with pytest.raises(WorkerStopping):
        worker.wait()


def test_a_clock_set_back_does_not_stop_the_calls(redis_server):
    """The next turn would be hours ahead."""
    worker = Worker(redis_server.url)
    worker.wait()
    client = redis.Redis.from_url(redis_server.url)
    (key,) = client.keys(f"{KEY_PREFIX}turn:*")
    client.set(key, int(client.get(key)) + 3_600_000_000)

    assert worker.wait() == NOTHING


def test_nothing_is_left_in_redis_after_a_while(redis_server):
    """A target that is gone leaves no key."""
    client = redis.Redis.from_url(redis_server.url)
    Worker(redis_server.url, per_second=50).wait()

    wait_until(lambda: not client.keys("*"))


def test_without_redis_each_worker_keeps_the_limit_for_itself():
    """Losing Redis loosens it, and stops nobody."""
    worker = Worker(f"redis://127.0.0.1:{free_port()}")

    assert turns(worker.wait() for _ in range(3)) == [0, 1, 2]


def test_a_frozen_redis_is_asked_once_and_then_left_alone(redis_server):
    """Each call would else wait for it; the operator hears of it once."""
    worker = Worker(redis_server.url, per_second=1000)
    worker.wait()
    redis_server.freeze()

    with capture_logs() as logs:
        for _ in range(50):
            worker.wait()

    assert [line["event"] for line in logs] == ["limit not shared"]


def test_the_limit_is_shared_again_when_redis_is_back(redis_server):
    """Nobody restarts a worker for it."""
    worker, other = Worker(redis_server.url), Worker(redis_server.url)
    redis_server.kill()
    worker.wait()
    redis_server.start()

    with capture_logs() as logs:
        wait_until(lambda: worker.wait() is not None and logs)

    assert [line["event"] for line in logs] == ["limit shared again"]
    assert other.wait() > NOTHING
