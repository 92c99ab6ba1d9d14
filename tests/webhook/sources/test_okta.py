"""Okta: whose account was deactivated, and the handshake before it sends anything."""

import json
from typing import Any

import pytest

from tests.webhook.receiving import NOW, OKTA_SECRETS, SAMPLES, new_receiver
from tests.webhook.sources.conformance import JANE, PEOPLE, SourceConformance
from webhook.sources import SUCCESS, okta
from webhook.sources.base import Termination, sign

CHALLENGE = "X-Okta-Verification-Challenge"


def headers(secret: str = OKTA_SECRETS[0]) -> dict[str, str]:
    return {"Content-Type": "application/json", "Authorization": secret}


def event(who: Termination = JANE, **changes: Any) -> dict[str, Any]:
    """Somebody's account was deactivated by an administrator."""
    return {
        "uuid": f"event-{who.employee_id}",
        "published": "2026-11-23T11:00:00.000Z",
        "eventType": "user.lifecycle.deactivate",
        "outcome": {"result": "SUCCESS"},
        "actor": {"type": "User", "id": "00u0", "alternateId": "administrator@example.com"},
        "target": [{"type": "User", "id": who.employee_id, "alternateId": who.email}],
    } | changes


def body_of(*events: Any) -> bytes:
    return json.dumps({"eventType": "com.okta.event_hook", "data": {"events": events}}).encode()


def outcome(receiver, *events: Any) -> list[tuple[str, str]]:
    """What became of each event."""
    assert receiver.post("okta", headers(), body_of(*events)).status_code == 204
    return [(row.kind, row.reason) for row in receiver.rows("elements")]


class TestConformance(SourceConformance):
    source = "okta"
    signature_headers = ("authorization",)
    other_events = (
        body_of(event(eventType="user.session.start")),
        body_of(event(eventType="user.lifecycle.suspend")),
        body_of(event(eventType="user.lifecycle.activate")),
    )

    @pytest.fixture
    def receiver(self, sqlite_ledger, monkeypatch):
        """One that says what became of a delivery, as it does to other senders."""
        monkeypatch.delitem(SUCCESS, "okta")
        receiver = new_receiver(sqlite_ledger)
        yield receiver
        receiver.close()

    def person(self, who: Termination) -> dict[str, Any]:
        return event(who)

    def without_email(self, person):
        return person | {"target": [person["target"][0] | {"alternateId": ""}]}

    def body_of(self, people):
        return body_of(*people)

    def signed(self, body, *, at=NOW, key=0):
        return headers((*OKTA_SECRETS, "test-key-of-a-stranger")[key])


def test_the_example_is_a_leaver(receiver):
    """The person is the target; the actor is the administrator, who stays."""
    body = (SAMPLES / "okta" / "deactivated.json").read_bytes()

    receiver.post("okta", headers(), body)

    (found,) = receiver.rows("leavers")
    assert (found.email, found.employee_id) == ("john.doe@example.com", "00u11e1v5eRy5OzYW0h8")
    assert found.cutoff == NOW
    assert found.happened_at.isoformat() == "2026-11-20T17:02:11+00:00"


@pytest.mark.parametrize("body", [body_of(event()), body_of(), b"{"])
def test_success_is_said_as_okta_wants_it(receiver, body):
    """An empty 204, also for what is sent again: anything else may be an error to Okta."""
    first = receiver.post("okta", headers(), body)
    again = receiver.post("okta", headers(), body)

    assert [(answer.status_code, answer.data) for answer in (first, again)] == [(204, b"")] * 2


@pytest.mark.parametrize(
    ("changes", "outcome_"),
    [
        ({"outcome": {"result": "FAILURE"}}, ("ignored", "not_a_termination")),
        ({"outcome": {"result": "success"}}, ("ignored", "not_a_termination")),
        ({"outcome": {}}, ("quarantined", "unreadable")),
        ({"outcome": None}, ("quarantined", "unreadable")),
        ({"target": []}, ("quarantined", "unreadable")),
        ({"target": None}, ("quarantined", "unreadable")),
        ({"target": [{"type": "AppInstance", "id": "1"}]}, ("quarantined", "unreadable")),
        ({"target": [{"type": "User", "alternateId": JANE.email}]}, ("quarantined", "unreadable")),
        ({"target": event()["target"] * 2}, ("quarantined", "unreadable")),
        ({"target": [*event()["target"], {"type": "AppInstance"}]}, ("leaver", "")),
        (
            {"target": [{"type": "User", "id": "1", "alternateId": "jane"}]},
            ("quarantined", "bad_email"),
        ),
        (
            {"eventType": "user.lifecycle.activate", "target": [{"type": "User", "id": " "}]},
            ("quarantined", "unreadable"),
        ),
        ({"eventType": None}, ("quarantined", "unreadable")),
    ],
)
def test_only_a_deactivation_that_succeeded_is_a_leaver(receiver, changes, outcome_):
    """What cannot be told is for a person."""
    assert outcome(receiver, event(**changes)) == [outcome_]


def test_an_event_that_comes_again_with_others_is_one_leaver(receiver):
    """Okta delivers at least once."""
    outcome(receiver, event())

    outcome(receiver, event(PEOPLE[0]), event())

    assert sorted(row.email for row in receiver.rows("leavers")) == [JANE.email, PEOPLE[0].email]


def test_a_second_deactivation_is_a_second_leaver(receiver):
    """It has an id of its own."""
    outcome(receiver, event())

    outcome(receiver, event(uuid="another"))

    assert len(receiver.rows("leavers")) == 2


@pytest.mark.parametrize(("hour", "state"), [(12, "held"), (10, "queued")])
def test_who_is_activated_after_the_deactivation_is_held(receiver, hour, state):
    """Events are in no order: the time at which they were published counts."""
    outcome(receiver, event())

    activated = event(
        uuid="2", eventType="user.lifecycle.activate", published=f"2026-11-23T{hour}:00:00Z"
    )
    outcome(receiver, activated)

    assert {row.state for row in receiver.rows("jobs")} == {state}


@pytest.mark.parametrize("secret", OKTA_SECRETS)
def test_the_handshake_gives_the_challenge_back(receiver, secret):
    """Okta sends nothing until an administrator has had the address verified."""
    asked = {"Authorization": secret, CHALLENGE: "Me_rShK8JHsTnbyYrWXCEoMGbM"}

    answer = receiver.client.get("/webhooks/okta", headers=asked)

    assert (answer.status_code, answer.json) == (
        200,
        {"verification": "Me_rShK8JHsTnbyYrWXCEoMGbM"},
    )


@pytest.mark.parametrize(
    "asked",
    [{CHALLENGE: "x"}, {CHALLENGE: "x", "Authorization": "?"}, {"Authorization": OKTA_SECRETS[0]}],
    ids=["no secret", "wrong secret", "no challenge"],
)
def test_a_strangers_handshake_is_refused(receiver, asked):
    """Nobody else may make our address send what they like."""
    answer = receiver.client.get("/webhooks/okta", headers=asked)

    assert (answer.status_code, answer.json) == (401, {"error": "unauthorized"})
    assert sum(receiver.rejected().values()) == 1


def test_what_we_send_is_what_we_read(receiver):
    """`leaver send` must reach the same end as Okta."""
    sent, body = sign(okta, PEOPLE[:3], receiver.settings.sources["okta"], now=NOW)

    receiver.post("okta", sent, body)

    emails = [who.email for who in PEOPLE[:3]]
    assert [row.email for row in receiver.rows("leavers")] == emails
