"""Whatever is sent: no 5xx, nothing accepted that is wrongly signed, nobody who has not left.

What is right is judged by oracles that share no code with verifiers and parsers.
"""

import base64
import hashlib
import hmac
import json
import os
from datetime import UTC
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.webhook.receiving import BAMBOOHR_KEYS, NOW, STANDARD_KEYS, Receiver, new_receiver
from workers.ledger.tables import elements, leavers

LEAVES = ("worker.terminated", "worker.termination_corrected")
SECONDS = str(int(NOW.timestamp()))
EVENT_ID = "msg_1"
HEADERS = (
    "X-BambooHR-Signature",
    "X-BambooHR-Timestamp",
    "webhook-id",
    "webhook-timestamp",
    "webhook-signature",
    "svix-signature",
    "Content-Type",
    "Content-Length",
    "Transfer-Encoding",
    "Host",
    "X-Forwarded-For",
)


@pytest.fixture(scope="module")
def receiver(tmp_path_factory):
    receiver = new_receiver(tmp_path_factory.mktemp("receiver"))
    yield receiver
    receiver.ledger.close()


# Oracles


def bamboohr_signature(body: bytes, timestamp: str) -> str:
    digest = hmac.digest(BAMBOOHR_KEYS[0].encode(), body + timestamp.encode("latin-1"), "sha256")
    return digest.hex()


def standard_signature(body: bytes, event_id: str, timestamp: str) -> str:
    key = base64.b64decode(STANDARD_KEYS[0][6:])
    message = b".".join([event_id.encode("latin-1"), timestamp.encode("latin-1"), body])
    return "v1," + base64.b64encode(hmac.new(key, message, hashlib.sha256).digest()).decode()


def right_headers(source: str, body: bytes) -> dict[str, str]:
    if source == "bamboohr":
        return {
            "X-BambooHR-Timestamp": SECONDS,
            "X-BambooHR-Signature": bamboohr_signature(body, SECONDS),
        }
    return {
        "webhook-id": EVENT_ID,
        "webhook-timestamp": SECONDS,
        "webhook-signature": standard_signature(body, EVENT_ID, SECONDS),
    }


def is_rightly_signed(source: str, headers: dict[str, str], body: bytes) -> bool:
    if source == "bamboohr":
        timestamp = headers.get("X-BambooHR-Timestamp", "")
        return headers.get("X-BambooHR-Signature") == bamboohr_signature(body, timestamp)
    event_id, timestamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    return standard_signature(body, event_id, timestamp) in headers.get("webhook-signature", "")


def scalars(value: Any) -> list[str]:
    """Every text somewhere in a document, as a careless reader would see it."""
    if isinstance(value, dict):
        return [text for inner in value.values() for text in scalars(inner)]
    if isinstance(value, list):
        return [text for inner in value for text in scalars(inner)]
    return [str(value).strip().lower()]


def has_left(source: str, document: Any, email: str) -> bool:
    """Whether the document can be read as saying that this person has left."""
    if source == "standard":
        data = document["data"]
        people = data if isinstance(data, list) else [data]
        return document["type"] in LEAVES and any(
            email.lower() in scalars(person) for person in people
        )
    return any(
        {email.lower(), "inactive", "terminated"} <= set(scalars(person))
        for person in document["employees"]
        if isinstance(person, dict)
        and str(person.get("action", "")).lower() not in ("created", "deleted")
    )


# What is sent

a_text = st.sampled_from(
    ["", " ", "Active", "Inactive", "inactive ", "Terminated", "Suspended", "a@b.example", "x"]
) | st.text(max_size=12)
a_value = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | a_text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(a_text, inner, max_size=3),
    max_leaves=6,
)
a_field = a_text | st.none() | st.fixed_dictionaries({"value": a_text | st.none()}) | a_value


def nearly(person: dict[str, Any], changes: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Somebody who has left, with some of what HR says about them changed or taken away."""
    changed = st.fixed_dictionaries({}, optional=changes)
    missing = st.sets(st.sampled_from(sorted(person)), max_size=1)
    return st.builds(
        lambda change, less: {k: v for k, v in (person | change).items() if k not in less},
        changed,
        missing,
    )


some_fields = nearly(
    {"Status": "Inactive", "Employment Status": "Terminated", "Work Email": "jane@example.com"},
    {
        "Status": a_field,
        "status": a_field,
        "Employment Status": a_field,
        "employmentHistoryStatus": a_field,
        "Work Email": a_field,
        "Company E-Mail": a_field,
        "Termination Date": st.dates().map(str) | a_field,
    },
)
an_employee = st.builds(
    lambda person, fields: person | {"fields": fields},
    nearly(
        {"id": "1"},
        {
            "id": st.integers() | a_field,
            "action": st.sampled_from(["Updated", "Created", "deleted", "Other"]) | a_value,
            "timestamp": a_value,
            "changedFields": st.lists(a_text, max_size=2) | a_value,
        },
    ),
    some_fields | some_fields | a_value,
)
a_worker = nearly(
    {"workerId": "1", "workEmail": "jane@example.com", "terminationDate": "2026-11-30"},
    {
        "workerId": a_field,
        "workEmail": a_field,
        "terminationDate": st.dates().map(str) | a_field,
        "timeZone": st.sampled_from(["Europe/Berlin", "Pacific/Kiritimati"]) | a_field,
        "immediate": st.booleans() | a_field,
        "lastDayOfWork": st.dates().map(str) | a_field,
        "accessRevocationAt": st.datetimes(timezones=st.just(UTC)).map(str) | a_field,
        "reason": a_field,
        "unknown": a_value,
    },
)
bamboohr_document = st.fixed_dictionaries(
    {"employees": st.lists(an_employee | a_value, max_size=4)}
) | st.fixed_dictionaries({"type": a_text | st.just("employee.updated"), "data": a_value})
standard_document = st.fixed_dictionaries(
    {
        "type": st.sampled_from([*LEAVES, "worker.termination_rescinded", "worker.rehired"])
        | a_value,
        "data": a_worker | st.lists(a_worker | a_value, max_size=4),
    },
    optional={"timestamp": a_value},
)


def documents(source: str) -> st.SearchStrategy[Any]:
    return bamboohr_document if source == "bamboohr" else standard_document


@st.composite
def mutants(draw: st.DrawFn, source: str) -> bytes:
    """A body that was right once, after some bytes were changed, cut out or doubled."""
    body = bytearray(json.dumps(draw(documents(source))).encode())
    for _ in range(draw(st.integers(0, 3))):
        start = draw(st.integers(0, len(body)))
        end = start + draw(st.integers(0, 6))
        body[start:end] = draw(st.binary(max_size=4) | st.just(bytes(body[start:end]) * 2))
    return bytes(body)


def people_of(receiver: Receiver, delivery: str) -> list[str]:
    """The addresses of those in a delivery who leave."""
    query = (
        sa.select(leavers.c.email)
        .join(elements, elements.c.leaver_id == leavers.c.id)
        .where(elements.c.delivery_id == delivery, leavers.c.kind.in_(["terminated", "corrected"]))
    )
    with receiver.ledger.read() as tx:
        return list(tx.scalars(query))


def judge(receiver: Receiver, source: str, answer: Any, body: bytes) -> None:
    """A rightly signed body is always kept, and nobody in it leaves who has not left."""
    assert answer.status_code == 202
    counts = answer.json["elements"]
    people = people_of(receiver, answer.json["delivery"])
    assert len(people) <= counts["leaver"]
    if people:
        document = json.loads(body)
        assert all(has_left(source, document, email) for email in people)


# The properties

a_source = st.sampled_from(["bamboohr", "standard"])
a_header = st.text(st.characters(max_codepoint=255, exclude_characters="\r\n"), max_size=80)
# The receiver keeps what earlier examples sent; no example depends on it.
# `make mutants` tries many more.
properties = settings(
    max_examples=int(os.environ.get("LEAVER_MUTANTS", "200")),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@properties
@given(a_source, st.dictionaries(st.sampled_from(HEADERS), a_header), st.binary(max_size=200))
def test_whatever_a_stranger_sends_is_refused(receiver, source, headers, body):
    """Any header, any body: 4xx, and nothing is recorded."""
    before = len(receiver.rows("deliveries"))

    answer = receiver.post(source, headers, body)

    assert answer.status_code in (400, 401, 413, 415)
    assert len(receiver.rows("deliveries")) == before


@properties
@given(st.data())
def test_a_mutant_passes_only_if_it_is_signed_anew(receiver, data):
    """Half of them are; for the others the signature of the body before its mutation stands."""
    source = data.draw(a_source)
    original, body = data.draw(mutants(source)), data.draw(mutants(source))
    headers = right_headers(source, body if data.draw(st.booleans()) else original)

    answer = receiver.post(source, headers, body)

    if is_rightly_signed(source, headers, body):
        judge(receiver, source, answer, body)
    else:
        assert answer.status_code == 401


@properties
@given(st.data())
def test_a_mutated_header_passes_only_if_it_is_right_all_the_same(receiver, data):
    """One header at a time is changed a little."""
    source = data.draw(a_source)
    body = json.dumps(data.draw(documents(source))).encode()
    headers = right_headers(source, body)
    name = data.draw(st.sampled_from(sorted(headers)))
    cut = data.draw(st.integers(0, len(headers[name])))
    headers[name] = headers[name][:cut] + data.draw(a_header) + headers[name][cut + 1 :]

    answer = receiver.post(source, headers, body)

    if answer.status_code == 202:
        assert is_rightly_signed(source, headers, body)
    else:
        assert answer.status_code == 401


@properties
@given(st.data())
def test_nobody_leaves_who_has_not_left(receiver, data):
    """Rightly signed documents of all shapes: each is kept, and read as a careful reader would."""
    source = data.draw(a_source)
    body = json.dumps(data.draw(documents(source))).encode()

    answer = receiver.post(source, right_headers(source, body), body)

    judge(receiver, source, answer, body)


STATUSES = {"Inactive": True, " INACTIVE ": True, "Active": False, "": False, None: False}
EMPLOYMENTS = {"Terminated": True, "terminated": True, "Suspended": False, "": False, None: False}


@properties
@given(
    st.lists(
        st.tuples(
            st.sampled_from(list(STATUSES)),
            st.sampled_from(list(EMPLOYMENTS)),
            st.booleans(),
            st.sampled_from(["Updated", "Created", "Deleted"]),
        ),
        max_size=8,
    ),
    st.uuids(),
)
def test_everybody_leaves_who_has_left(receiver, people, unique):
    """Exactly those: the other half of the rule, told by a table of all cases."""
    employees = [
        {
            "id": number,
            "action": action,
            "fields": {
                name: {"value": value} if wrapped else value
                for name, value in {
                    "Status": status,
                    "Employment Status": employment,
                    "Work Email": f"{number}-{unique}@example.com",
                }.items()
            },
        }
        for number, (status, employment, wrapped, action) in enumerate(people)
    ]
    body = json.dumps({"employees": employees}).encode()

    answer = receiver.post("bamboohr", right_headers("bamboohr", body), body)

    expected = [
        f"{number}-{unique}@example.com"
        for number, (status, employment, _, action) in enumerate(people)
        if STATUSES[status] and EMPLOYMENTS[employment] and action == "Updated"
    ]
    assert sorted(people_of(receiver, answer.json["delivery"])) == sorted(expected)
