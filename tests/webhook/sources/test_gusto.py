"""Gusto: what each event means of somebody whose address it does not say."""

import json
from typing import Any

import pytest

from tests.webhook.receiving import API, GUSTO_TOKENS, NOW, SAMPLES, new_receiver
from tests.webhook.sources.conformance import JANE, ThinSourceConformance
from webhook.schemes import sign_hmac
from webhook.sources import gusto
from workers.ledger import key_offers

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


# The key that Gusto posts by itself

TOKEN = "test-token-that-gusto-made"
OFFER = json.dumps({"verification_token": TOKEN}).encode()


def cancelled() -> bytes:
    return json.dumps(event("employee.termination_cancelled")).encode()


def test_an_offered_key_counts_only_once_it_is_confirmed(receiver):
    """And then without a restart; until then whoever posted it gets nothing in."""
    body = cancelled()
    offered = receiver.post("gusto", {}, OFFER)
    before = receiver.post("gusto", signed(body, TOKEN), body)

    (waiting,) = key_offers.offers(receiver.ledger)
    key_offers.confirm(receiver.ledger, "gusto", waiting.id, actor="ada", why="mine", now=NOW)
    after = receiver.post("gusto", signed(body, TOKEN), body)

    assert (offered.status_code, before.status_code, after.status_code) == (202, 401, 202)
    assert [row.facts["key"] for row in receiver.rows("deliveries")] == ["3"]
    assert "key_offered" in {row.kind for row in receiver.rows("alarms")}


def test_the_configured_keys_stay_whatever_is_offered(receiver):
    """Eleven strangers are ten offers, and Gusto is heard all the same."""
    for number in range(11):
        receiver.post("gusto", {}, json.dumps({"verification_token": f"{number:020}"}).encode())
    body = cancelled()

    assert receiver.post("gusto", signed(body), body).status_code == 202
    assert len(receiver.rows("key_offers")) == key_offers.PENDING


@pytest.mark.parametrize(
    "body",
    [
        b'{"verification_token": "short"}',
        b'{"verification_token": "has a space, and is long"}',
        b'{"verification_token": "0123456789abcdef0", "event_type": "employee.created"}',
        b'{"verification_token": 12345678901234567890}',
        b'{"verification_token": "' + b"x" * 1000 + b'"}',
        b"{",
    ],
)
def test_nothing_else_passes_for_an_offer(receiver, body):
    """It goes unsigned."""
    assert receiver.post("gusto", {}, body).status_code == 401
    assert not receiver.rows("key_offers")


def test_an_offer_with_a_signature_is_none(receiver):
    """Gusto's own comes before there is anything to sign with."""
    assert receiver.post("gusto", signed(OFFER, "stranger"), OFFER).status_code == 401
    assert not receiver.rows("key_offers")


@pytest.fixture
def asking(sqlite_ledger):
    """A receiver of a Gusto that can be asked."""
    receiver = new_receiver(sqlite_ledger, API.format(source="gusto"))
    yield receiver
    receiver.close()


@pytest.mark.parametrize(
    "name", ["employee.termination_effective", "employee.terminated_effective"]
)
def test_with_an_api_an_employee_who_leaves_is_looked_up(asking, name):
    """Nobody has to enter them by hand."""
    assert outcome(asking, event(name)) == ("lookup", "")

    (job,) = asking.rows("jobs")
    assert (job.action, job.target) == ("lookup", "hr:gusto")


def test_a_contractor_waits_also_with_an_api(asking):
    """Gusto does not say that their address is one of work."""
    expected = ("quarantined", "missing_email")
    assert outcome(asking, event("contractor.deactivation_effective")) == expected


def test_with_an_api_who_stays_is_told_as_before(asking):
    """A rescind names the employee, and that is enough."""
    assert outcome(asking, event("employee.termination_cancelled")) == ("leaver", "")
    assert outcome(asking, event("employee.rehired", uuid="2"))[0] == "ignored"
