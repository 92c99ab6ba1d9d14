"""SIGHUP: the configuration is read again while everything goes on."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext

import pytest
import requests

from tests.installation import DEACTIVATED, End
from tests.servers import wait_until
from workers.leavers import State
from workers.ledger.queries import deliveries
from workers.ledger.queries.deliveries import DeliveryFilter
from workers.sandbox.atlassian.org import API_KEY, ORG_ID
from workers.sandbox.people import LENA, OPERATOR, SYNCED, TOM

WHY = ("--reason", "a test")


def hr_system(installation, name: str, connect, enough: threading.Event) -> list[int]:
    """Sends, signed with the first key of the file, until it is enough; what it is answered."""
    statuses: list[int] = []
    while not enough.wait(0.1):
        body = json.dumps({"employees": [], "from": name, "number": len(statuses)}).encode()
        with connect() as session:
            answer = session.post(installation.url, body, headers=installation.sign(body))
        statuses.append(answer.status_code)
    return statuses


@pytest.mark.usefixtures("receiver")
def test_a_new_protected_entry_counts_for_the_next_job(installation, worker):
    """The list grows in a hurry, when somebody sees whose name comes next."""
    installation.configure({"policy.protected": [LENA.email]})

    worker.reload()
    installation.send(LENA.email, TOM.email)

    installation.wait_for_ends()
    assert installation.ends() == {
        LENA.email: End("held", reason="protected"),
        TOM.email: DEACTIVATED,
    }


def test_a_bad_configuration_is_refused_and_the_old_one_stays(installation, receiver, worker):
    """A typing error at night must not stop what works."""
    installation.configure({"policy.mode": "reckless"})

    receiver.reload(says="configuration refused")
    worker.reload(says="configuration refused")
    installation.configure({"policy.mode": "act"})
    installation.send(LENA.email)

    installation.wait_for_ends()
    assert installation.ends() == {LENA.email: DEACTIVATED}


def test_a_new_key_of_a_source_counts_after_a_reload(installation, receiver):
    """The old one may have leaked."""
    body = installation.body(LENA.email)
    old = installation.sign(body)

    installation.configure({"sources.bamboohr.secrets": ["another-test-key-not-a-secret"]})
    receiver.reload()

    wait_until(lambda: installation.post(body, old).status_code == 401)
    assert installation.send(LENA.email).status_code == 202


def test_a_rotation_of_the_key_under_load_loses_no_delivery(installation, receiver):
    """First both keys are live, then HR signs with the new one, then the old one goes."""
    key = "sources.bamboohr.secrets"
    [old], new = installation.setting(key), "another-test-key-not-a-secret"
    enough = threading.Event()

    def live(*keys: str) -> None:
        processes = set(receiver.children())
        installation.configure({key: keys})
        receiver.reload()
        wait_until(lambda: processes.isdisjoint(receiver.children()))

    def received() -> int:
        return deliveries.count(installation.ledger, DeliveryFilter())

    with ThreadPoolExecutor() as threads:
        load = threads.submit(hr_system, installation, "hr", requests.Session, enough)
        try:
            live(old, new)
            installation.configure({key: (new, old)})
            so_far = received()
            wait_until(lambda: received() > so_far + 2)
            live(new)
            so_far = received()
            wait_until(lambda: received() > so_far + 2)
        finally:
            enough.set()

    assert set(load.result()) == {202}
    assert received() == len(load.result())


def test_fifty_reloads_under_load_drop_no_delivery(installation, receiver):
    """Whoever sends while processes change is answered by the one or the other."""
    enough = threading.Event()

    with ThreadPoolExecutor() as threads, requests.Session() as kept_open:
        load = [
            threads.submit(hr_system, installation, "a", requests.Session, enough),
            threads.submit(hr_system, installation, "b", requests.Session, enough),
            threads.submit(hr_system, installation, "c", lambda: nullcontext(kept_open), enough),
        ]
        try:
            for _ in range(50):
                receiver.reload()
        finally:
            enough.set()

    statuses = [status for sent in load for status in sent.result()]
    assert set(statuses) == {202}
    assert deliveries.count(installation.ledger, DeliveryFilter()) == len(statuses)


def test_the_jobs_of_a_target_that_vanished_are_held(installation, worker):
    """Nothing is left waiting for a target that nobody works on any more."""
    second = {
        "targets.second.kind": "atlassian-org",
        "targets.second.base_url": installation.sandbox.base_url,
        "targets.second.org_id": ORG_ID,
        "targets.second.api_key": API_KEY,
        "targets.second.operated_by": OPERATOR.email,
    }
    installation.configure(second)
    worker.reload()
    there = ("--target", "second", *WHY)
    installation.read("terminate", LENA.email, "--at", "2099-12-31", *there)
    installation.read("terminate", SYNCED.email, *there)
    installation.wait_for_state(State.RETRYING, SYNCED.email)

    installation.configure(dict.fromkeys(second))
    worker.reload()

    installation.wait_for_state(State.HELD)
    assert set(installation.ends().values()) == {End("held", reason="target_missing")}
    assert installation.open_alarms() == {"job_held"}

    installation.configure(second)
    worker.reload()
    ended = installation.leaver("release", *[job.id for job in installation.jobs()], *WHY)
    assert ended.returncode == 0, ended.stderr
    installation.wait_for_state(State.SCHEDULED, LENA.email)
    installation.wait_for_state(State.RETRYING, SYNCED.email)
