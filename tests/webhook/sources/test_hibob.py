"""HiBob: who has left, who is only on leave, and the ping before anything is sent."""

import json
from typing import Any

import pytest

from tests.webhook.receiving import HIBOB_SECRETS, NOW, SAMPLES, new_receiver
from tests.webhook.sources.conformance import JANE, SignedBodyConformance
from webhook.schemes import sign_hmac
from webhook.sources import SUCCESS, hibob
from webhook.sources.base import Termination

PINGS = [b"Ping test", b'"Ping test"', b'{"text":"Ping test"}', b'{ "text": "Ping test" }']


def event(who: Termination = JANE, **changes: Any) -> dict[str, Any]:
    """Somebody has left, as version 1 tells it."""
    return {
        "companyId": 636192,
        "type": "employee.left",
        "triggeredBy": "system",
        "triggeredAt": "2026-11-23T11:00:00.399997",
        "version": "v1",
        "employee": {"id": who.employee_id, "email": who.email},
    } | changes


def body_of(document: Any) -> bytes:
    return json.dumps(document).encode()


def signed(body: bytes, secret: str = HIBOB_SECRETS[0]) -> dict[str, str]:
    return sign_hmac(body, secret.encode(), hibob.SCHEME, event_id="", at=NOW)


def outcome(receiver, document: Any) -> tuple[str, str]:
    """What became of an event."""
    body = body_of(document)
    assert receiver.post("hibob", signed(body), body).status_code == 200
    *_, row = receiver.rows("elements")
    return row.kind, row.reason


class TestConformance(SignedBodyConformance):
    source = "hibob"
    signature_headers = ("bob-signature",)
    other_events = tuple(
        body_of(event(type=name))
        for name in ("employee.updated", "employee.inactivated", "employee.temporaryLeave")
    )

    @pytest.fixture
    def receiver(self, sqlite_ledger, monkeypatch):
        """One that answers 202, as it does to other senders."""
        monkeypatch.delitem(SUCCESS, "hibob")
        receiver = new_receiver(sqlite_ledger)
        yield receiver
        receiver.close()

    def person(self, who):
        return event(who)

    def without_email(self, person):
        return person | {"employee": {"id": person["employee"]["id"]}}

    def body_of(self, people):
        if len(people) != 1:
            pytest.skip("HiBob posts each person alone")
        return body_of(people[0])

    def signed(self, body, *, at=NOW, key=0):
        return signed(body, (*HIBOB_SECRETS, "test-key-of-a-stranger")[key])


@pytest.mark.parametrize("body", PINGS)
def test_the_ping_is_answered_and_leaves_nothing(receiver, body):
    """HiBob sends nothing until it has heard 200, and the ping may not be signed."""
    answer = receiver.post("hibob", {}, body)

    assert answer.status_code == 200
    assert not receiver.rows("deliveries")
    assert not receiver.rejected()


@pytest.mark.parametrize(
    "body", [b"ping test", b"", b'{"text":"Ping test","type":"employee.left"}']
)
def test_nothing_else_passes_for_a_ping(receiver, body):
    """It goes unsigned."""
    assert receiver.post("hibob", {}, body).status_code == 401


def test_success_is_said_as_hibob_wants_it(receiver):
    """200, also for what it sends again."""
    body = body_of(event())

    answers = [receiver.post("hibob", signed(body), body) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200, 200]


@pytest.mark.parametrize("name", ["left-v2.json", "access-revoked-v2.json"])
def test_an_event_without_an_address_waits_for_a_person(receiver, name):
    """Version 2 says only who it is; nobody is guessed, and the id is shown."""
    body = (SAMPLES / "hibob" / name).read_bytes()

    receiver.post("hibob", signed(body), body)

    (element,) = receiver.rows("elements")
    assert (element.kind, element.reason) == ("quarantined", "missing_email")
    assert element.employee_id == "3332883884017713938"
    assert not receiver.rows("jobs")


def test_a_leave_of_absence_is_no_leaving(receiver):
    """employee.inactivated is told of both; who leaves is told as employee.left as well."""
    body = (SAMPLES / "hibob" / "inactivated-v2.json").read_bytes()

    receiver.post("hibob", signed(body), body)

    assert [row.kind for row in receiver.rows("elements")] == ["ignored"]
    assert not receiver.rows("leavers")


def test_revoked_access_leaves_now(receiver):
    """It is sent for just that."""
    assert outcome(receiver, event(type="employee.access.revoked.immediately")) == ("leaver", "")
    (leaver,) = receiver.rows("leavers")
    assert leaver.cutoff == NOW
    assert leaver.happened_at.isoformat() == "2026-11-23T11:00:00.399997+00:00"


@pytest.mark.parametrize(("hour", "state"), [("11:30", "held"), ("10:30", "queued")])
def test_who_is_activated_after_leaving_is_held(receiver, hour, state):
    """Whatever the order in which it comes: the time of the event counts."""
    outcome(receiver, event())

    outcome(receiver, event(type="employee.activated", triggeredAt=f"2026-11-23T{hour}:00"))

    assert {row.state for row in receiver.rows("jobs")} == {state}


@pytest.mark.parametrize(
    ("at", "reason"),
    [
        ("2026-11-19T11:00:00", "stale"),
        ("2026-11-28T11:00:00", "from_the_future"),
        ("2026-11-19T13:30:00+01:00", ""),
        ("yesterday", "unreadable"),
        (None, "unreadable"),
    ],
)
def test_an_event_of_another_time_is_not_acted_on(receiver, at, reason):
    """A body captured last week, sent again, would take an account away from who is back."""
    body = body_of(event(triggeredAt=at))

    receiver.post("hibob", signed(body), body)

    (delivery,) = receiver.rows("deliveries")
    assert delivery.reason == reason
    assert bool(receiver.rows("jobs")) is not bool(reason)


@pytest.mark.parametrize(
    "changes", [{"employee": {}}, {"employee": {"id": ""}}, {"employee": "x"}, {"data": "x"}]
)
def test_an_event_about_nobody_is_for_a_person(receiver, changes):
    """It may be a leaver in a form we do not know."""
    assert outcome(receiver, event(**changes)) == ("quarantined", "unreadable")
