"""The ledger is away: nothing is accepted that is not written, nothing is half written."""

import resource
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.installation import DEACTIVATED, Installation, people
from tests.servers import PostgresServer, RedisServer, wait_until
from workers.sandbox.people import LENA

EVERYBODY = people(20)


@contextmanager
def locked(installation: Installation) -> Iterator[None]:
    """The ledger's file, held by somebody who writes for long."""
    with closing(sqlite3.connect(installation.folder / "leaver.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield


@contextmanager
def full_disk(*processes: int) -> Iterator[None]:
    """A disk on which no file of these processes can grow."""
    unlimited = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
    try:
        for pid in processes:
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (1, resource.RLIM_INFINITY))
        yield
    finally:
        for pid in processes:
            resource.prlimit(pid, resource.RLIMIT_FSIZE, unlimited)


def refused(answer) -> bool:
    """Whether the sender is told to come again."""
    return answer.status_code == 503 and int(answer.headers["Retry-After"]) > 0


@pytest.mark.usefixtures("receiver", "worker")
def test_a_ledger_that_is_locked_for_long_is_503(installation):
    """The sender keeps what we could not write, and brings it again."""
    body = installation.body(*EVERYBODY)
    headers = installation.sign(body)
    installation.sandbox.add(*EVERYBODY)

    with locked(installation):
        assert refused(installation.post(body, headers))

    assert installation.jobs() == []
    assert installation.read("deliveries") == []
    assert installation.post(body, headers).json()["status"] == "accepted"
    installation.wait_for_ends()
    assert installation.ends() == dict.fromkeys(EVERYBODY, DEACTIVATED)


@pytest.mark.usefixtures("receiver")
def test_a_ledger_that_is_locked_for_a_moment_is_waited_for(installation):
    """A backup that begins must not turn deliveries away."""
    with locked(installation):
        answers = []
        delivery = threading.Thread(target=lambda: answers.append(installation.send(LENA.email)))
        delivery.start()
        delivery.join(timeout=2)
        assert answers == []
    delivery.join()

    assert [answer.status_code for answer in answers] == [202]


def test_a_full_disk_is_503(installation, receiver):
    """Nothing of a delivery that did not fit is left, and with room again it is taken."""
    body = installation.body(*EVERYBODY)
    headers = installation.sign(body)

    with full_disk(*receiver.children()):
        assert refused(installation.post(body, headers))

    assert installation.jobs() == []
    assert installation.read("deliveries") == []
    assert installation.post(body, headers).json()["status"] == "accepted"
    assert len(installation.jobs()) == len(EVERYBODY)


@pytest.mark.usefixtures("receiver")
def test_a_worker_goes_on_when_the_disk_has_room_again(installation, worker):
    """What it could not write down it does not believe it has done."""
    installation.sandbox.add(*EVERYBODY)
    installation.sandbox.behave(latency=0.1)
    installation.send(*EVERYBODY)

    with full_disk(worker.pid):
        # Each attempt finishes the call that it is in, and cannot go on.
        wait_until(lambda: not installation.sandbox.hanging())
        assert not all(job.state == "done" for job in installation.jobs())

    installation.wait_for_ends()
    assert installation.ends() == dict.fromkeys(EVERYBODY, DEACTIVATED)
    assert installation.sandbox.counters()["disables_of_inactive"] == 0


def test_a_postgresql_that_is_down_is_503(
    tmp_path: Path, redis_server: RedisServer, postgres: PostgresServer
):
    """Receiver and worker outlive it, and go on by themselves when it is back."""
    with Installation(
        tmp_path, queue_url=redis_server.url, ledger_url=postgres.database_url()
    ) as installation:
        installation.start("serve")
        worker = installation.start("work")
        installation.sandbox.add(*EVERYBODY)
        body = installation.body(*EVERYBODY)
        headers = installation.sign(body)

        postgres.stop()
        assert refused(installation.post(body, headers))
        worker.wait_for("ledger unavailable")
        postgres.start()

        assert installation.post(body, headers).json()["status"] == "accepted"
        installation.wait_for_ends()
        assert installation.ends() == dict.fromkeys(EVERYBODY, DEACTIVATED)
