"""What HR systems send: what is taken, what is not, and what an operator sees of it."""

import json
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.installation import DEACTIVATED, people
from tests.servers import wait_until
from workers.sandbox.people import LENA

pytestmark = pytest.mark.usefixtures("receiver")

BODY = b'{"employees": []}'


def test_a_wrong_signature_is_refused_and_nothing_is_recorded(installation):
    """Whoever does not know the key can do nothing, not even fill our disk."""
    signed = installation.sign(BODY)
    wrong = signed | {"X-BambooHR-Signature": "0" * 64}
    unsigned = {"Content-Type": "application/json"}

    answers = [installation.post(BODY, headers) for headers in (wrong, unsigned)]

    assert [answer.status_code for answer in answers] == [401, 401]
    assert installation.post(BODY + b" ", signed).status_code == 401
    assert installation.read("deliveries") == []
    assert installation.read("jobs") == []


@pytest.mark.usefixtures("worker")
def test_a_mistyped_key_is_an_alarm(installation):
    """HR systems never send a 401 again: in silence it would lose every leaver."""
    headers = {"Content-Type": "application/json", "X-BambooHR-Timestamp": "1"}

    for number in range(3):
        installation.post(BODY, headers | {"X-BambooHR-Signature": f"{number:064x}"})

    wait_until(lambda: installation.open_alarms() == {"rejected_deliveries"}, seconds=30)
    installation.send(LENA.email)
    wait_until(lambda: not installation.open_alarms(), seconds=30)


@pytest.mark.usefixtures("worker")
def test_the_same_delivery_twice_is_one_job(installation):
    """HR systems send again when our answer is slow."""
    body = installation.body(LENA.email)
    headers = installation.sign(body)

    first = installation.post(body, headers).json()
    again = installation.post(body, headers).json()

    assert (first["status"], again["status"]) == ("accepted", "duplicate")
    assert first["jobs"] == again["jobs"]
    installation.wait_for_ends()
    assert installation.ends() == {LENA.email: DEACTIVATED}
    assert len(installation.jobs()) == 1


def test_the_same_delivery_many_times_at_one_moment_is_one_job(installation):
    """Two processes with four threads each receive: only the ledger can tell who was first."""
    body = installation.body(LENA.email)
    headers = installation.sign(body)

    with ThreadPoolExecutor(16) as threads:
        sent = [threads.submit(installation.post, body, headers) for _ in range(32)]
        answers = [each.result().json() for each in sent]

    assert sorted(answer["status"] for answer in answers) == ["accepted"] + ["duplicate"] * 31
    assert len({tuple(answer["jobs"]) for answer in answers}) == len(installation.jobs()) == 1


@pytest.mark.usefixtures("worker")
def test_one_broken_person_does_not_lose_the_others_of_a_batch(installation):
    """49 of 50 go their way, and an operator finds the one."""
    everybody = people(50)
    installation.sandbox.add(*everybody)
    document = json.loads(installation.body(*everybody))
    document["employees"][17]["fields"]["workEmail"] = {"value": "not an address"}
    body = json.dumps(document).encode()

    answer = installation.post(body, installation.sign(body))

    assert answer.status_code == 202
    assert answer.json()["elements"] == {"leaver": 49, "lookup": 0, "ignored": 0, "quarantined": 1}
    assert len(answer.json()["jobs"]) == 49
    [listed] = installation.read("deliveries", "--status", "quarantined")
    [shown] = installation.read("delivery", listed["id"])
    [broken] = [person for person in shown["people"] if person["kind"] == "quarantined"]
    assert (broken["position"], broken["reason"]) == (17, "bad_email")
    assert installation.open_alarms() == {"quarantined"}
    installation.wait_for_ends()
    assert set(installation.ends().values()) == {DEACTIVATED}


@pytest.mark.usefixtures("worker")
def test_a_standard_webhook_takes_the_same_road(installation, receiver, worker):
    """The second kind of source, on the same ledger and worker."""
    secret = f"whsec_{b64encode(b'test-key-not-a-secret-at-all').decode()}"
    installation.configure({"sources.feed.kind": "standard", "sources.feed.secrets": [secret]})
    receiver.reload()
    worker.reload()

    wait_until(lambda: installation.leaver("send", "feed", "--email", LENA.email).returncode == 0)

    installation.wait_for_ends()
    assert installation.ends() == {LENA.email: DEACTIVATED}
