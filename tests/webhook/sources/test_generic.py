"""Any sender by configuration: the presets, and one that nobody thought of."""

import json
from datetime import date
from functools import partial
from typing import Any

import pytest

from tests.webhook.receiving import GENERIC_SECRETS, NOW, SAMPLES, new_receiver
from tests.webhook.sources.conformance import (
    JANE,
    SignedBodyConformance,
    SignedSourceConformance,
)
from webhook.schemes import Scheme, sign_hmac
from webhook.sources import generic
from webhook.sources.base import Termination, sign
from workers.leavers import LeaverKind

SCHEMES = {
    "github": Scheme("x-hub-signature-256", prefix="sha256=", id_header="x-github-delivery"),
    "stripe": Scheme(
        "stripe-signature", part="v1", timestamp="t", signed="{timestamp}.{body}"
    ),
    "slack": Scheme(
        "x-slack-signature",
        prefix="v0=",
        timestamp="x-slack-request-timestamp",
        signed="v0:{timestamp}:{body}",
    ),
    "deel": Scheme("x-deel-signature", signed="POST{body}"),
    "merge": Scheme("x-merge-webhook-signature", encoding="base64url"),
    "personio": Scheme("x-personio-signature"),
    "conductor": Scheme(
        "webhook-signature",
        encoding="base64url",
        signed="{timestamp}.{id}.{body}",
        timestamp="webhook-timestamp",
        id_header="webhook-event-id",
    ),
}  # fmt: skip


def signed(
    source: str, body: bytes, *, at=NOW, key: int = 0, event_id: str = "event-1"
) -> dict[str, str]:
    secret = (*GENERIC_SECRETS, "test-key-of-a-stranger")[key]
    return sign_hmac(body, secret.encode(), SCHEMES[source], event_id=event_id, at=at)


def outcome(receiver, source: str, document: Any) -> tuple[str, str]:
    """What became of the last person in a delivery."""
    body = json.dumps(document).encode()
    assert receiver.post(source, signed(source, body), body).status_code == 202
    *_, row = receiver.rows("elements")
    return row.kind, row.reason


def worker(who: Termination = JANE, **changes: Any) -> dict[str, Any]:
    """Somebody who leaves, as our own contract has it."""
    assert who.terminated_on
    return {
        "workerId": who.employee_id,
        "workEmail": who.email,
        "terminationDate": who.terminated_on.isoformat(),
    } | changes


def our_body(people: list[Any], name: str = "worker.terminated") -> bytes:
    event = {"type": name, "timestamp": "2026-11-23T11:00:00Z", "data": people}
    return json.dumps(event).encode()


class OurBodies:
    """Senders that sign in some style and send our own contract."""

    source: str
    other_events: tuple[bytes, ...] = (our_body([], "ping"), our_body([worker()], "worker.changed"))

    def person(self, who):
        return worker(who)

    def without_email(self, person):
        return {key: value for key, value in person.items() if key != "workEmail"}

    def body_of(self, people):
        return our_body(people)

    def signed(self, body, *, at=NOW, key=0):
        return signed(self.source, body, at=at, key=key)


class TestGitHubStyle(OurBodies, SignedBodyConformance):
    source = "github"
    signature_headers = ("x-hub-signature-256",)


class TestStripeStyle(OurBodies, SignedSourceConformance):
    source = "stripe"
    signature_headers = ("stripe-signature",)


class TestSlackStyle(OurBodies, SignedSourceConformance):
    source = "slack"
    signature_headers = ("x-slack-signature", "x-slack-request-timestamp")


class TestDeel(SignedBodyConformance):
    source = "deel"
    signature_headers = ("x-deel-signature",)

    def person(self, who):
        return {
            "worker": {"id": who.employee_id, "email": who.email},
            "termination_date": who.terminated_on.isoformat(),
        }

    def without_email(self, person):
        return person | {"worker": {"id": person["worker"]["id"]}}

    def body_of(self, people, name="contract.terminated"):
        meta = {"event_type": name, "tracking_id": "tracking-1"}
        event = {"data": {"meta": meta, "resource": people}, "timestamp": "2026-11-23T11:00:00Z"}
        return json.dumps(event).encode()

    @property
    def other_events(self):
        return (self.body_of([self.person(JANE)], "contract.created"),)

    def signed(self, body, *, at=NOW, key=0):
        return signed(self.source, body, at=at, key=key)

    def test_whatever_we_send_is_what_we_read(self, receiver):
        """Of Deel only terminations are known."""
        assert_sent_is_read(receiver, self.source, [LeaverKind.TERMINATED])


class TestMerge(SignedBodyConformance):
    source = "merge"
    signature_headers = ("x-merge-webhook-signature",)

    def person(self, who):
        return {
            "id": who.employee_id,
            "work_email": who.email,
            "employment_status": "INACTIVE",
            "termination_date": f"{who.terminated_on}T00:00:00Z",
            "modified_at": "2026-11-23T11:00:00Z",
        }

    def without_email(self, person):
        return person | {"work_email": None}

    def body_of(self, people):
        event = {"hook": {"event": "Employee.changed"}, "linked_account": {}, "data": people}
        return json.dumps(event).encode()

    @property
    def other_events(self):
        states = ("ACTIVE", "PENDING")
        return tuple(
            self.body_of([self.person(JANE) | {"employment_status": state}]) for state in states
        )

    def signed(self, body, *, at=NOW, key=0):
        return signed(self.source, body, at=at, key=key)

    def test_whatever_we_send_is_what_we_read(self, receiver):
        """Merge tells a state, so nothing is taken back."""
        assert_sent_is_read(receiver, self.source, [LeaverKind.TERMINATED, LeaverKind.REHIRED])


def assert_sent_is_read(receiver, source: str, events: list[LeaverKind]) -> None:
    """`leaver send` reaches the same end as the HR system."""
    settings = receiver.settings.sources[source]
    for number, event in enumerate(events):
        who = Termination(f"p{number}@example.com", str(number))
        headers, body = sign(generic, [who], settings, event=event, now=NOW)
        assert receiver.post(source, headers, body).status_code == 202

    said = [(row.kind, row.employee_id) for row in receiver.rows("leavers")]
    assert said == [(event, str(number)) for number, event in enumerate(events)]


# What a preset means


def test_merge_says_nothing_of_a_leave(receiver):
    """INACTIVE without a date may be parental leave."""
    person = TestMerge().person(JANE)

    assert outcome(receiver, "merge", {"data": person | {"termination_date": None}}) == (
        "quarantined",
        "bad_date",
    )


def test_deel_waits_for_the_date(receiver):
    """It is told when the termination is confirmed, weeks ahead."""
    person = TestDeel().person(Termination("jane@example.com", "1", date(2026, 12, 31)))

    outcome(receiver, "deel", json.loads(TestDeel().body_of([person])))

    assert {row.state for row in receiver.rows("jobs")} == {"scheduled"}


def test_personio_names_no_address(receiver):
    """Its notifications hold no personal data: a person looks the employee up."""
    body = (SAMPLES / "personio" / "employment-terminated.json").read_bytes()

    receiver.post("personio", signed("personio", body), body)

    (element,) = receiver.rows("elements")
    assert (element.kind, element.reason) == ("quarantined", "missing_email")
    assert element.employee_id == "1234567"


def test_personio_leaves_now(receiver):
    """The event comes on the day itself, so it needs no date."""
    document = {
        "event_name": "employment.terminated",
        "payload": {"person": {"id": 1, "email": "jane@example.com"}},
    }

    assert outcome(receiver, "personio", document) == ("leaver", "")
    assert [row.cutoff for row in receiver.rows("leavers")] == [NOW]


def test_conductor_one_s_contract_is_only_configuration(receiver):
    """Its published example of a Workday offboarding, with an address added by `fields`.
    github.com/ConductorOne/docs product/admin/webhooks-inbound.mdx (read 2026-11-23)"""
    document = {
        "employee_id": "12345",
        "event_type": "status_change",
        "new_status": "terminated",
        "effective_date": "2026-11-20",
        "emails": [{"kind": "work", "value": "jane@example.com"}],
    }

    assert outcome(receiver, "conductor", document) == ("leaver", "")
    (leaver,) = receiver.rows("leavers")
    assert (leaver.email, leaver.employee_id) == ("jane@example.com", "12345")
    assert [row.event_id for row in receiver.rows("deliveries")] == ["event-1"]


# What configuration means

said = partial(outcome, source="conductor")


def conductor(**changes: Any) -> dict[str, Any]:
    return {
        "employee_id": "12345",
        "new_status": "terminated",
        "effective_date": "2026-11-20",
        "emails": [{"value": "jane@example.com"}],
    } | changes


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, ("leaver", "")),
        ({"emails": [{"value": "a@example.com"}] * 2}, ("leaver", "")),
        (
            {"emails": [{"value": "a@example.com"}, {"value": "b@example.com"}]},
            ("quarantined", "unreadable"),
        ),
        ({"emails": []}, ("quarantined", "missing_email")),
        ({"emails": [], "mail": "c@example.com"}, ("leaver", "")),
        ({"emails": {"value": "a@example.com"}}, ("quarantined", "missing_email")),
        ({"effective_date": "soon"}, ("quarantined", "bad_date")),
        ({"effective_date": None}, ("quarantined", "bad_date")),
        ({"new_status": "Terminated"}, ("ignored", "other_event")),
        ({"new_status": "on_leave"}, ("ignored", "other_event")),
        ({"new_status": None}, ("quarantined", "unreadable")),
        ({"new_status": ["terminated"]}, ("quarantined", "unreadable")),
        ({"new_status": "active"}, ("ignored", "not_a_termination")),
        ({"new_status": "kept", "emails": []}, ("leaver", "")),
        (
            {"new_status": "kept", "emails": [], "employee_id": None},
            ("quarantined", "missing_email"),
        ),
    ],
)
def test_what_a_person_s_values_mean(receiver, changes, expected):
    """Exact words, one address, one date; what cannot be told is for a person."""
    assert said(receiver, document=conductor(**changes)) == expected


def test_a_person_taken_back_before_the_date_stays(receiver):
    """The rescind names only the id."""
    said(receiver, document=conductor(effective_date="2026-12-31"))

    said(receiver, document=conductor(new_status="kept", emails=[]))

    assert {row.state for row in receiver.rows("jobs")} == {"cancelled"}


def test_who_is_active_again_is_held(receiver):
    """A sender of states says so of everybody who works there; it matters to leavers."""
    said(receiver, document=conductor(effective_date="2026-12-31"))

    said(receiver, document=conductor(new_status="active"))

    assert {row.state for row in receiver.rows("jobs")} == {"held"}


def test_two_corrections_back_and_forth_are_three_events(receiver):
    """The date that HR said last counts, also if it said it before."""
    for hour, day in ((8, "2026-12-01"), (9, "2026-12-24"), (10, "2026-12-01")):
        body = json.dumps(
            {
                "type": "worker.termination_corrected",
                "timestamp": f"2026-11-23T{hour:02}:00:00Z",
                "data": worker(terminationDate=day),
            }
        ).encode()
        receiver.post("github", signed("github", body, event_id=str(hour)), body)

    assert {row.cutoff.isoformat() for row in receiver.rows("jobs")} == {
        "2026-12-01T23:00:00+00:00"
    }


def test_a_list_as_the_whole_body_is_read(sqlite_ledger):
    """Some receivers of Workday's reports get nothing but rows."""
    receiver = new_receiver(
        sqlite_ledger,
        """
        [sources.rows]
        kind = "generic"
        secrets = ["test-key-not-a-secret-of-generic"]
        signature_header = "X-Signature"
        people = "$"
        event = "Local_Termination_Reason"
        terminated = ["left"]
        fields = { Email = "email", Employee_ID = "employee_id", Day = "termination_date" }
        """,
    )
    rows = [
        {"Email": f"{n}@example.com", "Employee_ID": n, "Day": "2025-05-28", **reason}
        for n, reason in enumerate([{"Local_Termination_Reason": "left"}, {}])
    ]
    body = json.dumps(rows).encode()
    scheme = Scheme("x-signature")
    headers = sign_hmac(body, GENERIC_SECRETS[0].encode(), scheme, event_id="", at=NOW)

    answer = receiver.post("rows", headers, body)

    assert answer.json["elements"] == {"leaver": 1, "lookup": 0, "ignored": 0, "quarantined": 1}
    assert [row.email for row in receiver.rows("leavers")] == ["0@example.com"]


def test_a_form_is_read_like_json(receiver):
    """GitHub and Slack can send forms; bracketed names are objects."""
    body = (
        b"type=worker.terminated&timestamp=2026-11-23T11:00:00Z&data[workEmail]=jane%40example.com"
        b"&data[workerId]=7&data[immediate]=true"
    )
    headers = signed("slack", body) | {"Content-Type": "application/x-www-form-urlencoded"}

    answer = receiver.post("slack", headers, body)

    assert answer.json["status"] == "accepted"


def test_what_a_sender_never_says_is_not_sent(receiver):
    """Deel has no word for it that we know."""
    settings = receiver.settings.sources["deel"]

    with pytest.raises(ValueError, match="the list rescinded is empty"):
        sign(generic, [JANE], settings, event=LeaverKind.RESCINDED, now=NOW)
