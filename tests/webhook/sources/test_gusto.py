"""Gusto: what each event means of somebody whose address it does not say."""

import json
from typing import Any

import pytest

from tests.webhook.receiving import GUSTO_TOKENS, NOW, SAMPLES
from tests.webhook.sources.conformance import JANE, ThinSourceConformance
from webhook.schemes import sign_hmac
from webhook.sources import gusto

SECONDS = int(NOW.timestamp())


def event(name: str = "employee.termination_effective", **changes: Any) -> dict[str, Any]:
    return {
        "uuid": "event-1",
        "event_type": name,
        "entity_type": "Employee",
        "entity_uuid": JANE.employee_id,
        "timestamp": SECONDS,
    } | changes


def signed(body: bytes, token: str = GUSTO_TOKENS[0]) -> dict[str, str]:
    return sign_hmac(body, token.encode(), gusto.SCHEME, event_id="", at=NOW)


def outcome(receiver, document: Any) -> tuple[str, str]:
    """What became of an event."""
    body = json.dumps(document).encode()
    assert receiver.post("gusto", signed(body), body).status_code == 202
    *_, row = receiver.rows("elements")
    return row.kind, row.reason


class TestConformance(ThinSourceConformance):
    source = "gusto"
    signature_headers = ("x-gusto-signature",)
    other_events = tuple(
        json.dumps(event(name)).encode()
        for name in ("employee.created", "employee.terminated", "contractor.deactivated")
    )

    def person(self, who):
        return event(entity_uuid=who.employee_id)

    def without_email(self, person):
        return person

    def body_of(self, people):
        if len(people) != 1:
            pytest.skip("Gusto posts each person alone")
        return json.dumps(people[0]).encode()

    def signed(self, body, *, at=NOW, key=0):
        return signed(body, (*GUSTO_TOKENS, "test-token-of-a-stranger")[key])


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("employee.termination_effective", ("quarantined", "missing_email")),
        ("employee.terminated_effective", ("quarantined", "missing_email")),
        ("contractor.deactivation_effective", ("quarantined", "missing_email")),
        ("employee.termination_cancelled", ("leaver", "")),
        ("contractor.deactivation_cancelled", ("leaver", "")),
        ("employee.rehired", ("ignored", "not_a_termination")),
        ("employee.rehire_effective", ("ignored", "not_a_termination")),
        ("employee.rehire_cancelled", ("quarantined", "unreadable")),
    ],
)
def test_what_each_event_means(receiver, name, expected):
    """employee.terminated is only an entry, with a date we do not know."""
    assert outcome(receiver, event(name)) == expected
    assert not [row for row in receiver.rows("jobs") if row.standing == "leaving"]


def test_an_old_event_is_stale(receiver):
    """The example of Gusto's documentation is of 2022."""
    body = (SAMPLES / "gusto" / "termination-effective.json").read_bytes()

    receiver.post("gusto", signed(body), body)

    assert [row.reason for row in receiver.rows("deliveries")] == ["stale"]


@pytest.mark.parametrize("changes", [{"entity_uuid": None}, {"entity_uuid": {}}])
def test_an_event_about_nobody_is_for_a_person(receiver, changes):
    """It may be a leaver in a form we do not know."""
    assert outcome(receiver, event(**changes)) == ("quarantined", "unreadable")
