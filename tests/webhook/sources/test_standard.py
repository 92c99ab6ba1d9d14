"""Standard Webhooks: our own contract for Workday integrations and others."""

import json
from datetime import UTC, date, datetime
from typing import Any

import pytest

from tests.webhook.receiving import NOW, SAMPLES, STANDARD_KEYS
from tests.webhook.sources.conformance import JANE, PEOPLE, SourceConformance
from webhook.sources import standard
from webhook.sources.base import Termination
from webhook.verify import sign_standard, standard_key

FOREIGN_KEY = "whsec_dGVzdC1rZXktb2YtYS1zdHJhbmdlci0xMjM0NTY="


def signed(body: bytes, *, at: datetime = NOW, key: int = 0, event_id: str = "msg_1"):
    secret = standard_key((*STANDARD_KEYS, FOREIGN_KEY)[key])
    headers = sign_standard(body, secret, event_id=event_id, at=at)
    return {"Content-Type": "application/json"} | headers


def worker(**changes: Any) -> dict[str, Any]:
    return {
        "workerId": JANE.employee_id,
        "workEmail": JANE.email,
        "terminationDate": "2026-11-30",
        "immediate": False,
    } | changes


def body_of(data: Any) -> bytes:
    return json.dumps({"type": "worker.terminated", "data": data}).encode()


def post(receiver, body: bytes, **how: Any):
    answer = receiver.post("standard", signed(body, **how), body)
    assert answer.status_code == 202
    return answer.json


def leaver(receiver, **changes: Any):
    """The leaver that Jane becomes, with these changes to her data."""
    post(receiver, body_of(worker(**changes)))
    (found,) = receiver.rows("leavers")
    return found


class TestConformance(SourceConformance):
    source = "standard"
    signature_headers = ("webhook-id", "webhook-timestamp", "webhook-signature")
    other_events = (
        b'{"type":"worker.hired","data":{}}',
        b'{"type":"worker.termination_rescinded","data":[{"workerId":"1"}]}',
        b'{"type":"ping"}',
    )

    def person(self, who: Termination) -> dict[str, Any]:
        return worker(workerId=who.employee_id, workEmail=who.email, terminationDate="2026-11-20")

    def without_email(self, person):
        return {name: value for name, value in person.items() if name != "workEmail"}

    def body_of(self, people):
        return body_of(people)

    def signed(self, body, *, at=NOW, key=0):
        return signed(body, at=at, key=key)


def test_the_example_of_the_contract_is_a_leaver(receiver):
    """One worker as an object; last day of work and the rest are not read yet."""
    body = (SAMPLES / "standard" / "terminated.json").read_bytes()

    post(receiver, body)

    (found,) = receiver.rows("leavers")
    assert (found.email, found.employee_id) == ("jane@example.com", "21001")
    assert found.happened_at == datetime(2026, 11, 20, 17, 2, 11, tzinfo=UTC)


def test_only_the_targets_of_the_source_get_jobs(receiver):
    """This source is configured for one of two."""
    leaver(receiver)

    assert [row.target for row in receiver.rows("jobs")] == ["cloud"]


@pytest.mark.parametrize(
    ("changes", "cutoff"),
    [
        ({}, datetime(2026, 11, 30, 23, 0, tzinfo=UTC)),
        ({"timeZone": "America/Los_Angeles"}, datetime(2026, 12, 1, 8, 0, tzinfo=UTC)),
        ({"timeZone": "Australia/Melbourne"}, datetime(2026, 11, 30, 13, 0, tzinfo=UTC)),
        ({"timeZone": ""}, datetime(2026, 11, 30, 23, 0, tzinfo=UTC)),
        ({"terminationDate": "2026-11-23"}, datetime(2026, 11, 23, 23, 0, tzinfo=UTC)),
        ({"terminationDate": "2026-11-22"}, NOW),
        ({"immediate": True}, NOW),
        ({"immediate": "true", "terminationDate": None}, NOW),
        ({"immediate": True, "terminationDate": "?", "timeZone": "?"}, NOW),
    ],
)
def test_access_ends_with_the_day_in_the_workers_zone(receiver, changes, cutoff):
    """Workday sends weeks early: only `immediate` or the date itself means now."""
    assert leaver(receiver, **changes).cutoff == cutoff


def test_the_hr_date_is_kept_with_its_zone(receiver):
    """An auditor asks what HR said, not what we made of it."""
    found = leaver(receiver, timeZone="Australia/Melbourne")

    assert (found.hr_date, found.hr_zone) == (date(2026, 11, 30), "Australia/Melbourne")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"terminationDate": None}, "bad_date"),
        ({"terminationDate": "30.11.2026"}, "bad_date"),
        ({"terminationDate": ["2026-11-30"]}, "unreadable"),
        ({"timeZone": "Berlin"}, "bad_date"),
        ({"timeZone": "../../etc/passwd"}, "bad_date"),
        ({"timeZone": "Europe"}, "bad_date"),
        ({"timeZone": "x" * 150}, "bad_date"),
        ({"immediate": "soon"}, "unreadable"),
        ({"immediate": 1}, "unreadable"),
        ({"workEmail": "jane"}, "bad_email"),
        ({"workerId": {"id": 1}}, "unreadable"),
        ({"workerId": "1\u0000"}, "unreadable"),
        ({"workerId": "\ud83d"}, "unreadable"),
    ],
)
def test_what_cannot_be_acted_on_is_shown(receiver, changes, reason):
    """Too early and never are both wrong; a person decides."""
    post(receiver, body_of(worker(**changes)))

    (element,) = receiver.rows("elements")
    assert (element.kind, element.reason) == ("quarantined", reason)


def test_two_events_with_one_id_are_two_leavers(receiver):
    """A sender that uses the id wrongly must not lose anybody."""
    post(receiver, body_of(worker()), event_id="same")
    post(receiver, body_of(worker(workerId="2", workEmail="anna@example.com")), event_id="same")

    assert len(receiver.rows("leavers")) == 2


def test_the_same_worker_in_another_event_is_another_leaver(receiver):
    """Terminated, taken back, terminated again: the second one is no repetition."""
    body = body_of(worker())

    post(receiver, body, event_id="first")
    post(receiver, body + b" ", event_id="second")

    assert len(receiver.rows("leavers")) == 2


def test_what_we_send_is_what_we_read(receiver):
    """`leaver send` must reach the same end as a Workday integration."""
    settings = receiver.settings.sources["standard"]
    headers, body = standard.sign(PEOPLE[:3], settings, now=NOW)

    answer = receiver.post("standard", headers, body)

    assert answer.json["elements"]["leaver"] == 3
