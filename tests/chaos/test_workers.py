"""Many hands on the same jobs: each is in one of them, and each account is switched off once."""

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from tests.installation import DEACTIVATED, Installation, disables, people
from tests.servers import RedisServer
from workers.dispatch import Waker
from workers.ledger.queries import jobs


@pytest.fixture
def installation(
    tmp_path: Path, redis_server: RedisServer, ledger_url: str
) -> Iterator[Installation]:
    """Nothing of it runs yet."""
    with Installation(tmp_path, queue_url=redis_server.url, ledger_url=ledger_url) as installation:
        yield installation


@pytest.mark.timeout(300)
@pytest.mark.usefixtures("receiver")
def test_two_workers_do_two_hundred_jobs_once_each(installation, redis_server):
    """Even when everybody is woken twice: a wake-up is only a call to look."""
    everybody = people(200)
    installation.sandbox.add(*everybody)
    installation.start("work")
    installation.start("work")
    for start in range(0, 200, 50):
        installation.send(*everybody[start : start + 50])
    waker = Waker(redis_server.url, installation.folder)
    waker.wake([job.id for job in installation.jobs()])
    assert waker.flush(30)

    installation.wait_for_ends(seconds=200)

    assert installation.ends() == dict.fromkeys(everybody, DEACTIVATED)
    assert set(Counter(disables(installation.sandbox.writes())).values()) == {1}
    assert installation.sandbox.counters()["overlapping_writes"] == 0
    done = [jobs.one(installation.ledger, job.id) for job in installation.jobs()]
    for job in done:
        attempts = job.rounds[0].attempts
        assert all(one.finished_at <= next_.started_at for one, next_ in pairwise(attempts))
    assert len({job.rounds[0].attempts[0].worker for job in done}) == 2


@pytest.mark.usefixtures("receiver")
def test_jobs_of_one_account_take_turns(installation):
    """One address in several spellings, by mistake of HR: never two writes at once."""
    [email] = people(1)
    installation.sandbox.add(email)
    installation.sandbox.behave(latency=0.02)
    installation.send(email, email.upper(), email.title(), email.capitalize().swapcase())

    installation.start("work")
    installation.start("work")

    installation.wait_for_ends()
    assert {job.account_id for job in installation.jobs()} == {
        installation.sandbox.person(email)["account_id"]
    }
    assert {job.outcome for job in installation.jobs()} == {"deactivated", "already_inactive"}
    assert installation.sandbox.counters()["overlapping_writes"] == 0
