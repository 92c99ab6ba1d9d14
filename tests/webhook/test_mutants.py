"""Mutants of what each sender sends: never a 5xx, nothing wrongly signed, nobody who stays.

Valid deliveries are changed somewhere, and half of them are signed anew.  Signatures and meaning
are judged by oracles that share no code with verifiers and parsers.  200 mutants of each sender
are tried; MUTANTS=10000 tries so many.
"""

import base64
import copy
import hmac
import json
import os
from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.webhook.receiving import (
    FINCH_KEYS,
    GENERIC_SECRETS,
    GUSTO_TOKENS,
    HIBOB_SECRETS,
    NOW,
    OKTA_SECRETS,
    new_receiver,
)
from workers.ledger.tables import deliveries, elements, leavers

SECONDS = str(int(NOW.timestamp()))
STAMP = datetime.fromtimestamp(int(SECONDS), UTC).strftime("%Y-%m-%dT%H:%M:%S")
JANE = "jane@example.com"

VALID: dict[str, Any] = {
    "okta": {
        "eventType": "com.okta.event_hook",
        "data": {
            "events": [
                {
                    "uuid": "1",
                    "published": f"{STAMP}Z",
                    "eventType": "user.lifecycle.deactivate",
                    "outcome": {"result": "SUCCESS"},
                    "actor": {"type": "User", "alternateId": "boss@example.com"},
                    "target": [{"type": "User", "id": "7", "alternateId": JANE}],
                }
            ]
        },
    },
    "hibob": {
        "type": "employee.left",
        "triggeredAt": STAMP,
        "employee": {"id": "7", "email": JANE},
    },
    "gusto": {
        "event_type": "employee.termination_effective",
        "entity_uuid": "7",
        "timestamp": int(SECONDS),
    },
    "finch": {"event_type": "employment.updated", "data": {"individual_id": "7"}},
    "github": {
        "type": "worker.terminated",
        "timestamp": f"{STAMP}Z",
        "data": [{"workerId": "7", "workEmail": JANE, "terminationDate": "2026-11-20"}],
    },
    "deel": {
        "data": {
            "meta": {"event_type": "contract.terminated", "tracking_id": "1"},
            "resource": {
                "worker": {"id": "7", "email": JANE},
                "termination_date": "2026-11-20",
            },
        },
        "timestamp": f"{STAMP}Z",
    },
    "merge": {
        "data": {
            "id": "7",
            "work_email": JANE,
            "employment_status": "INACTIVE",
            "termination_date": "2026-11-20",
        }
    },
    "stripe": {
        "type": "worker.termination_corrected",
        "data": {"workerId": "7", "workEmail": JANE, "immediate": True},
    },
}


def digest(key: str, message: bytes, algorithm: str = "sha256") -> bytes:
    return hmac.digest(key.encode(), message, algorithm)


def headers_of(source: str, body: bytes) -> dict[str, str]:
    """As the senders' documentation has them."""
    match source:
        case "okta":
            return {"Authorization": OKTA_SECRETS[0]}
        case "hibob":
            mac = base64.b64encode(digest(HIBOB_SECRETS[0], body, "sha512"))
            return {"Bob-Signature": mac.decode()}
        case "gusto":
            return {"X-Gusto-Signature": digest(GUSTO_TOKENS[0], body).hex()}
        case "finch":
            key = base64.b64decode(FINCH_KEYS[0])
            mac = hmac.digest(key, f"msg_1.{SECONDS}.".encode() + body, "sha256")
            return {
                "Finch-Event-Id": "msg_1",
                "Finch-Timestamp": SECONDS,
                "Finch-Signature": f"v1,{base64.b64encode(mac).decode()}",
            }
        case "github":
            return {"X-Hub-Signature-256": "sha256=" + digest(GENERIC_SECRETS[0], body).hex()}
        case "deel":
            return {"X-Deel-Signature": digest(GENERIC_SECRETS[0], b"POST" + body).hex()}
        case "merge":
            mac = base64.urlsafe_b64encode(digest(GENERIC_SECRETS[0], body))
            return {"X-Merge-Webhook-Signature": mac.decode()}
    signed = digest(GENERIC_SECRETS[0], SECONDS.encode() + b"." + body).hex()
    return {"Stripe-Signature": f"t={SECONDS},v1={signed}"}


def objects(value: Any) -> list[dict[str, Any]]:
    """Every object somewhere in a document."""
    if isinstance(value, list):
        return [found for each in value for found in objects(each)]
    if not isinstance(value, dict):
        return []
    return [value, *(found for each in value.values() for found in objects(each))]


def says(thing: dict[str, Any], name: str, *values: str) -> bool:
    return str(thing.get(name, "")).strip().lower() in [value.lower() for value in values]


def has_left(source: str, document: Any, email: str) -> bool:
    """Whether the document can be read as saying that this person has left."""
    things = objects(document)
    match source:
        case "okta":
            return any(
                says(event, "eventType", "user.lifecycle.deactivate")
                and says(event.get("outcome") or {}, "result", "SUCCESS")
                and any(says(each, "alternateId", email) for each in objects(event.get("target")))
                for event in things
            )
        case "hibob":
            leaving = ("employee.left", "employee.access.revoked.immediately")
            return says(document, "type", *leaving) and any(
                says(each, "email", email) for each in things
            )
        case "merge":
            return any(
                says(each, "employment_status", "INACTIVE")
                and says(each, "work_email", email)
                and each.get("termination_date")
                for each in things
            )
        case "deel":
            return any(says(each, "event_type", "contract.terminated") for each in things) and any(
                says(each, "email", email) for each in things
            )
        case "github" | "stripe":
            leaving = ("worker.terminated", "worker.termination_corrected")
            return says(document, "type", *leaving) and any(
                says(each, "workEmail", email) for each in things
            )
    return False  # Gusto and Finch never say who it is.


a_text = st.sampled_from(["", " ", "ACTIVE", "INACTIVE", "employee.inactivated", "worker.rehired"])
a_value = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | a_text | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=5,
)


@st.composite
def mutants(draw: st.DrawFn, source: str) -> bytes:
    """A delivery that was right once: values changed, taken away or doubled, then some bytes."""
    document = copy.deepcopy(VALID[source])
    for _ in range(draw(st.integers(0, 2))):
        thing = draw(st.sampled_from(objects(document) or [{"": None}]))
        if thing:
            name = draw(st.sampled_from(sorted(thing, key=str)))
            match draw(st.sampled_from(["change", "remove", "double"])):
                case "change":
                    thing[name] = draw(a_value)
                case "remove":
                    del thing[name]
                case "double":
                    thing[name] = [thing[name], copy.deepcopy(thing[name])]
    body = bytearray(json.dumps(document).encode())
    if draw(st.integers(0, 2)) == 0:
        start = draw(st.integers(0, len(body)))
        body[start : start + draw(st.integers(0, 6))] = draw(st.binary(max_size=4))
    return bytes(body)


@pytest.fixture(scope="module", params=sorted(VALID))
def sender(request, tmp_path_factory):
    receiver = new_receiver(tmp_path_factory.mktemp(request.param))
    yield request.param, receiver
    receiver.ledger.close()


def test_what_is_right_is_taken(sender):
    """Or the mutants would prove nothing."""
    source, receiver = sender
    body = json.dumps(VALID[source]).encode()

    answer = receiver.post(source, headers_of(source, body), body)

    assert answer.status_code in (200, 202, 204)
    named = 0 if source in ("gusto", "finch") else 1
    assert len(receiver.rows("leavers")) == named


@settings(
    max_examples=int(os.environ.get("MUTANTS", "200")),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    deadline=None,
)
@given(st.data())
def test_a_mutant_is_refused_or_read_rightly(sender, data):
    """Refused where its signature is another's; else kept, and nobody in it leaves who stays."""
    source, receiver = sender
    body = data.draw(mutants(source))
    is_ours = data.draw(st.booleans()) or source == "okta"  # Okta signs nothing.
    signed_body = body if is_ours else data.draw(mutants(source))

    answer = receiver.post(source, headers_of(source, signed_body), body)

    if signed_body != body:
        assert answer.status_code == 401
        return
    assert answer.status_code in (200, 202, 204)
    for email in leaving(receiver, body):
        assert has_left(source, json.loads(body), email)


def leaving(receiver: Any, body: bytes) -> list[str]:
    """The addresses of those who leave, after the delivery with these bytes."""
    query = (
        sa.select(leavers.c.email)
        .join(elements, elements.c.leaver_id == leavers.c.id)
        .join(deliveries, deliveries.c.id == elements.c.delivery_id)
        .where(deliveries.c.body == body, leavers.c.kind.in_(["terminated", "corrected"]))
    )
    with receiver.ledger.read() as tx:
        return list(tx.scalars(query))
