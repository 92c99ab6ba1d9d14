"""Wake-ups: an id in a queue, sent by a thread that may be kept waiting while nobody else is."""

import json

import pytest

from config.secret import ConfigurationError
from tests.servers import impatient_client, wait_until
from workers.dispatch import ATTEMPT, QUEUE, Waker
from workers.leavers import JobId
from workers.queue import KEY_PREFIX

A, B = JobId("job-a"), JobId("job-b")


@pytest.fixture
def waker(redis_server, tmp_path):
    waker = Waker(redis_server.url, tmp_path)
    yield waker
    waker.flush(20)  # What it still tries to send must not be heard in the next test.


def messages(server):
    """What waits in the queue, oldest first: the task's name and its arguments."""
    with impatient_client(server.url) as client:
        raw = [json.loads(each) for each in client.lrange(KEY_PREFIX + QUEUE, 0, -1)]
    return [(each["headers"]["task"], each["headers"]["argsrepr"]) for each in reversed(raw)]


def test_a_wake_up_carries_an_id_and_nothing_else(waker, redis_server):
    """Redis may be shared, copied and lost: no personal data is ever in it."""
    waker.wake([A, B])

    assert waker.flush(10)
    assert messages(redis_server) == [(ATTEMPT, f"['{A}']"), (ATTEMPT, f"['{B}']")]
    assert waker.reachable()


def test_nobody_waits_for_a_frozen_queue(waker, redis_server):
    """The receiver answers HR while its thread still tries to reach Redis."""
    redis_server.freeze()

    waker.wake([A])
    waker.wake([B])

    assert not waker.flush(0)
    redis_server.thaw()
    assert waker.flush(20)


def test_a_job_that_waits_already_is_sent_once(waker, redis_server):
    """A sweep that repeats itself must not fill the queue."""
    redis_server.freeze()
    waker.wake([A])
    waker.wake([B, B])
    waker.wake([B])
    redis_server.thaw()

    assert waker.flush(20)
    assert messages(redis_server).count((ATTEMPT, f"['{B}']")) == 1


def test_a_queue_that_is_gone_is_told_and_found_again(waker, redis_server):
    """`readyz` says so; wake-ups that were lost meanwhile are the sweep's to repeat."""
    waker.wake([A])
    assert waker.flush(10)
    redis_server.kill()

    waker.wake([B])
    wait_until(lambda: not waker.reachable())
    assert waker.flush(10)
    redis_server.start()

    def back():
        waker.wake([B])
        return waker.flush(10) and waker.reachable()

    wait_until(back, seconds=20)
    assert (ATTEMPT, f"['{B}']") in messages(redis_server)


def test_a_queue_that_cannot_be_meant_is_refused_before_anything_runs(tmp_path):
    """In the thread that sends, nobody would ever hear of it."""
    with pytest.raises(ConfigurationError, match="names no master"):
        Waker("sentinel://127.0.0.1:26379", tmp_path)
