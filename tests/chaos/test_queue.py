"""The queue may stop, freeze or forget: it costs seconds, never a leaver, and never an answer."""

import time

import pytest

from tests.installation import DEACTIVATED, Installation, people
from tests.servers import RedisServer, wait_until
from workers.sandbox.people import LENA

pytestmark = pytest.mark.usefixtures("receiver", "worker")

#: How often HR sends, in seconds.
EVERY_S = 0.2


def deliver(installation: Installation, *, seconds: float) -> list[str]:
    """Deliver one person after the other for so long; gives whom.

    All are accepted, and within a second: one in ten may be late, on a busy machine.  If somebody
    waited for the queue, all would be.
    """
    sent, until = people(100), time.monotonic() + seconds
    times: list[float] = []
    installation.sandbox.add(*sent)
    while time.monotonic() < until:
        answer = installation.send(sent[len(times)])
        assert answer.status_code == 202
        times.append(answer.elapsed.total_seconds())
        time.sleep(EVERY_S)
    assert sorted(times)[len(times) * 9 // 10] < 1
    return sent[: len(times)]


def test_redis_stops_for_five_seconds_during_deliveries(installation, redis_server):
    """Every delivery is answered at once, and done afterwards without anybody's help."""
    installation.send(LENA.email)
    installation.wait_for_ends()

    redis_server.stop()
    during = deliver(installation, seconds=5)
    redis_server.start()

    installation.wait_for_ends()
    assert installation.ends() == dict.fromkeys([LENA.email, *during], DEACTIVATED)


def test_redis_freezes_for_longer_than_our_time_outs(installation, redis_server):
    """A server that takes connections and says nothing is worse than none."""
    redis_server.freeze()
    try:
        during = deliver(installation, seconds=8)
    finally:
        redis_server.thaw()

    installation.wait_for_ends()
    assert installation.ends() == dict.fromkeys(during, DEACTIVATED)


def test_redis_forgets_everything_while_a_hundred_jobs_wait(installation, redis_server):
    """Promise 3: what it holds are only wake-up calls."""
    everybody = people(100)
    installation.sandbox.add(*everybody)
    installation.sandbox.behave(latency=0.05)
    for start in range(0, 100, 25):
        assert installation.send(*everybody[start : start + 25]).status_code == 202
    wait_until(lambda: DEACTIVATED in installation.ends().values())

    redis_server.flushall()

    waiting = sum(job.state == "queued" for job in installation.jobs())
    installation.wait_for_ends()
    assert waiting > 50
    assert installation.ends() == dict.fromkeys(everybody, DEACTIVATED)


def test_an_emptied_redis_takes_new_deliveries(installation, redis_server: RedisServer):
    """Nothing that Celery once wrote into it is needed to reach the workers."""
    redis_server.flushall()

    installation.send(LENA.email)

    installation.wait_for_ends()
    assert installation.ends() == {LENA.email: DEACTIVATED}
