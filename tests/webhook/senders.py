"""What each sender sends, how it proves it, and what a careful person reads in it.

Oracles: nothing here is shared with the verifiers and parsers that are judged by it.  A new kind of
source gets a line in SENDERS.
"""

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from tests.webhook.receiving import (
    BAMBOOHR_KEYS,
    FINCH_KEYS,
    GENERIC_SECRETS,
    GUSTO_TOKENS,
    HIBOB_SECRETS,
    NOW,
    OKTA_SECRETS,
    STANDARD_KEYS,
)
from tests.webhook.sources.test_workday import AUDIENCE, ED25519, PASSWORDS

SECONDS = str(int(NOW.timestamp()))
STAMP = datetime.fromtimestamp(int(SECONDS), UTC).strftime("%Y-%m-%dT%H:%M:%S")
CONTRACT_LEAVES = ("worker.terminated", "worker.termination_corrected")
MAIL_COLUMNS = ("workemail", "primaryworkemail", "email")
PERSON_COLUMNS = (*MAIL_COLUMNS, "employeeid", "workerid")

Headers = dict[str, str]
Document = Any


@dataclass(frozen=True)
class Sender:
    """One form of what one kind of source sends."""

    source: str
    #: A right body about the person of this number, in which that person leaves.
    document: Callable[[int], Document]
    proof: Callable[[bytes], Headers]
    #: Whether a document can be read as saying that this e-mail address, or this employee id where
    #: HR has to be asked, leaves.
    leaves: Callable[[Document, str], bool]
    encode: Callable[[Document], bytes] = lambda document: json.dumps(document).encode()
    decode: Callable[[bytes], Document] = json.loads
    content_type: str = "application/json"
    #: Whether it says enough to make a leaver or a lookup of it.
    names: bool = True


def email_of(number: int) -> str:
    """The address of a person."""
    return f"jane-{number}@example.com"


# Proofs


def mac(key: str, message: bytes, algorithm: str = "sha256") -> bytes:
    return hmac.digest(key.encode(), message, algorithm)


def base64_of(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def bamboohr_proof(body: bytes) -> Headers:
    signature = mac(BAMBOOHR_KEYS[0], body + SECONDS.encode()).hex()
    return {"X-BambooHR-Timestamp": SECONDS, "X-BambooHR-Signature": signature}


def standard_proof(body: bytes, key: str = STANDARD_KEYS[0][6:], name: str = "Webhook") -> Headers:
    message = f"msg_1.{SECONDS}.".encode() + body
    signature = base64.b64encode(hmac.digest(base64.b64decode(key), message, "sha256")).decode()
    id_name = f"{name}-Id" if name == "Webhook" else f"{name}-Event-Id"
    return {
        id_name: "msg_1",
        f"{name}-Timestamp": SECONDS,
        f"{name}-Signature": f"v1,{signature}",
    }


def finch_proof(body: bytes) -> Headers:
    return standard_proof(body, FINCH_KEYS[0], "Finch")


def token_proof(body: bytes) -> Headers:
    digest = base64_of(hashlib.sha256(body).digest())
    claims = {"aud": AUDIENCE, "exp": int(SECONDS), "jti": digest, "htb_s256": digest}
    header = {"alg": "EdDSA", "typ": "JWT"}
    signed = ".".join(base64_of(json.dumps(part).encode()) for part in (header, claims))
    return {"Authorization": f"Bearer {signed}.{base64_of(ED25519.sign(signed.encode()))}"}


def basic_proof(body: bytes) -> Headers:
    return {
        "Authorization": f"Basic {base64.b64encode(f'workday:{PASSWORDS[0]}'.encode()).decode()}"
    }


def okta_proof(body: bytes) -> Headers:
    return {"Authorization": OKTA_SECRETS[0]}


def hibob_proof(body: bytes) -> Headers:
    return {"Bob-Signature": base64.b64encode(mac(HIBOB_SECRETS[0], body, "sha512")).decode()}


def gusto_proof(body: bytes) -> Headers:
    return {"X-Gusto-Signature": mac(GUSTO_TOKENS[0], body).hex()}


def hex_proof(name: str, before: str = "", prefix: str = "") -> Callable[[bytes], Headers]:
    """A header with the hex HMAC of `before` and the body."""
    key = GENERIC_SECRETS[0]
    return lambda body: {name: prefix + mac(key, before.encode() + body).hex()}


def merge_proof(body: bytes) -> Headers:
    signature = base64.urlsafe_b64encode(mac(GENERIC_SECRETS[0], body)).decode()
    return {"X-Merge-Webhook-Signature": signature}


def slack_proof(body: bytes) -> Headers:
    signed = hex_proof("X-Slack-Signature", f"v0:{SECONDS}:", "v0=")(body)
    return {"X-Slack-Request-Timestamp": SECONDS} | signed


def conductor_proof(body: bytes) -> Headers:
    signature = mac(GENERIC_SECRETS[0], f"{SECONDS}.msg_1.".encode() + body)
    return {
        "Webhook-Event-Id": "msg_1",
        "Webhook-Timestamp": SECONDS,
        "Webhook-Signature": base64.urlsafe_b64encode(signature).decode(),
    }


# Meanings


def plain(text: Any) -> str:
    return str(text).strip().lower()


def objects(value: Any) -> list[dict[str, Any]]:
    """Every object somewhere in a document."""
    if isinstance(value, list):
        return [found for each in value for found in objects(each)]
    if not isinstance(value, dict):
        return []
    return [value, *(found for each in value.values() for found in objects(each))]


def says(thing: Any, name: str, *values: str) -> bool:
    return isinstance(thing, dict) and plain(thing.get(name)) in [plain(each) for each in values]


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def employee_leaves(document: Document, who: str) -> bool:
    """BambooHR: both statuses, and nothing besides, say so of one employee with this address."""
    for employee in document["employees"]:
        if not isinstance(employee, dict) or plain(employee.get("action")) in (
            "created",
            "deleted",
        ):
            continue
        fields = {
            (plain(name), plain(value.get("value") if isinstance(value, dict) else value))
            for name, value in (employee.get("fields") or {}).items()
        }
        told = {(name, value) for name, value in fields if value not in ("", "none")}
        words = ("employment status", "employmenthistorystatus")
        if (
            {value for name, value in told if name == "status"} == {"inactive"}
            and {value for name, value in told if name in words} == {"terminated"}
            and any(value == plain(who) and "mail" in name for name, value in told)
        ):
            return True
    return False


def employee_changed(document: Document, who: str) -> bool:
    """BambooHR, event-based: somebody with this id has changed."""
    return str(document["type"]).startswith("employee") and says(
        document["data"], "employeeId", who
    )


def worker_leaves(document: Document, who: str) -> bool:
    """Our own contract."""
    people = listed(document["data"])
    return document["type"] in CONTRACT_LEAVES and any(
        says(worker, "workEmail", who) for worker in people
    )


def called(row: dict[str, str], columns: Iterable[str] = PERSON_COLUMNS) -> set[str]:
    """What the row calls its person."""
    return {row[column] for column in columns if column in row}


def row_leaves(document: Document, who: str) -> bool:
    """The rows of a report: one says so, and none says that the same person works here."""
    rows = document["Report_Entry"] if isinstance(document, dict) else document
    named = [
        {
            re.sub("[^a-z0-9]", "", name.lower()): plain(value)
            for name, value in row.items()
            if value is not None and plain(value)
        }
        for row in listed(rows)
        if isinstance(row, dict)
    ]
    active = [row for row in named if row.get("active") in ("1", "true", "yes")]
    active += [row for row in named if row.get("terminated") in ("0", "false", "no")]
    return any(
        plain(who) in called(row, MAIL_COLUMNS)
        and row.get("leaverevent", "") in ("", "terminated", "corrected", *CONTRACT_LEAVES)
        and not any(called(row) & called(other) for other in active)
        for row in named
    )


def user_leaves(document: Document, who: str) -> bool:
    """Okta: it succeeded, and happened to the target."""
    return any(
        says(event, "eventType", "user.lifecycle.deactivate")
        and says(event.get("outcome"), "result", "SUCCESS")
        and any(says(target, "alternateId", who) for target in objects(event.get("target")))
        for event in document["data"]["events"]
        if isinstance(event, dict)
    )


def hibob_leaves(document: Document, who: str) -> bool:
    leaving = ("employee.left", "employee.access.revoked.immediately")
    return document["type"] in leaving and any(
        says(each, "email", who) for each in objects(document)
    )


def merge_leaves(document: Document, who: str) -> bool:
    return any(
        says(each, "employment_status", "INACTIVE")
        and says(each, "work_email", who)
        and each.get("termination_date")
        for each in listed(document["data"])
    )


def deel_leaves(document: Document, who: str) -> bool:
    people = listed(document["data"]["resource"])
    return says(document["data"]["meta"], "event_type", "contract.terminated") and any(
        says(person.get("worker"), "email", who) for person in people if isinstance(person, dict)
    )


def conductor_leaves(document: Document, who: str) -> bool:
    return any(
        says(person, "new_status", "terminated")
        and any(plain(who) in map(plain, each.values()) for each in objects(person))
        for person in listed(document)
    )


def nobody_leaves(document: Document, who: str) -> bool:
    """Such a sender never says an address."""
    return False


# Bodies


def employees(number: int) -> Document:
    fields = {
        "Status": {"value": "Inactive"},
        "Employment Status": {"value": "Terminated"},
        "Work Email": {"value": email_of(number)},
        "Termination Date": {"value": "2026-11-20"},
    }
    changed = {
        "id": str(number),
        "action": "Updated",
        "timestamp": f"{STAMP}+0000",
        "changedFields": ["Status"],
        "fields": fields,
    }
    stays = {"Status": {"value": "Active"}, "Work Email": {"value": f"stays-{number}@example.com"}}
    return {"employees": [changed, changed | {"id": f"stays-{number}", "fields": stays}]}


def thin(number: int) -> Document:
    return {
        "type": "employee.updated",
        "timestamp": f"{STAMP}+0000",
        "data": {"companyId": "1", "employeeId": str(number), "changedFields": ["status"]},
    }


def workers(number: int) -> Document:
    worker = {
        "workerId": str(number),
        "workEmail": email_of(number),
        "terminationDate": "2026-11-30",
        "timeZone": "Europe/Berlin",
        "immediate": number % 2 == 0,
        "reason": "Resignation",
    }
    return {"type": "worker.terminated", "timestamp": f"{STAMP}Z", "data": [worker]}


def rows(number: int) -> Document:
    row = {
        "Employee_ID": str(number),
        "Work_Email": email_of(number),
        "Termination_Date": "2026-11-20",
        "Active": "0",
    }
    stays = {
        "Employee_ID": f"s{number}",
        "Work_Email": f"stays-{number}@example.com",
        "Active": "1",
    }
    return {"Report_Entry": [row, stays]}


def events(number: int) -> Document:
    event = {
        "uuid": str(number),
        "published": f"{STAMP}Z",
        "eventType": "user.lifecycle.deactivate",
        "outcome": {"result": "SUCCESS"},
        "actor": {"type": "User", "id": "0", "alternateId": f"stays-{number}@example.com"},
        "target": [{"type": "User", "id": str(number), "alternateId": email_of(number)}],
    }
    return {"eventType": "com.okta.event_hook", "data": {"events": [event]}}


def left(number: int) -> Document:
    employee = {"id": str(number), "email": email_of(number)}
    return {"type": "employee.left", "triggeredAt": STAMP, "employee": employee}


def gusto_event(number: int) -> Document:
    return {
        "event_type": "employee.termination_effective",
        "entity_uuid": str(number),
        "timestamp": int(SECONDS),
    }


def finch_event(number: int) -> Document:
    return {"event_type": "employment.updated", "data": {"individual_id": str(number)}}


def personio_event(number: int) -> Document:
    return {
        "event_name": "employment.terminated",
        "occurred_at": f"{STAMP}Z",
        "payload": {"person": {"id": str(number)}},
    }


def deel_event(number: int) -> Document:
    worker = {"id": str(number), "email": email_of(number)}
    meta = {"event_type": "contract.terminated", "tracking_id": str(number)}
    resource = {"worker": worker, "termination_date": "2026-11-20"}
    return {"data": {"meta": meta, "resource": resource}, "timestamp": f"{STAMP}Z"}


def merge_state(number: int) -> Document:
    state = {
        "id": str(number),
        "work_email": email_of(number),
        "employment_status": "INACTIVE",
        "termination_date": "2026-11-20",
    }
    return {"data": state}


def conductor_state(number: int) -> Document:
    return {
        "employee_id": str(number),
        "emails": [{"value": email_of(number)}],
        "new_status": "terminated",
        "effective_date": "2026-11-20",
    }


# Other encodings than JSON


def flat(value: Any, name: str = "") -> Iterable[tuple[str, str]]:
    """A document as the fields of a form: a[0][b]=c."""
    inner: Iterable[tuple[Any, Any]] | None = None
    if isinstance(value, dict):
        inner = value.items()
    elif isinstance(value, list):
        inner = enumerate(value)
    if inner is None:
        return [(name, "" if value is None else str(value))]
    named = ((f"{name}[{key}]" if name else str(key), each) for key, each in inner)
    return [pair for key, each in named for pair in flat(each, key)]


def form(document: Document) -> bytes:
    return urlencode(list(flat(document)), errors="replace").encode()


def of_form(body: bytes) -> Document:
    """The same employees; of a field's names only the last one before [value] is kept."""
    found: dict[str, dict[str, Any]] = {}
    for name, value in parse_qsl(body.decode()):
        parts = [part for part in re.findall(r"[^\[\]]+", name) if part != "value"]
        if len(parts) < 3:
            continue
        employee = found.setdefault(parts[1], {"fields": {}})
        if "fields" in parts:
            employee["fields"][parts[-1]] = value
        else:
            employee[parts[-1]] = value
    return {"employees": list(found.values())}


def xml(document: Document) -> bytes:
    entries = document.get("Report_Entry")
    text = "".join(f"<wd:Report_Entry>{_columns(row)}</wd:Report_Entry>" for row in listed(entries))
    return (
        f'<wd:Report_Data xmlns:wd="urn:com.workday.report/Leavers">{text}</wd:Report_Data>'
    ).encode(errors="replace")


def _columns(row: Any) -> str:
    if not isinstance(row, dict):
        return escape(str(row))
    return "".join(
        f'<wd:{name} wd:Descriptor="{escape(str(value[0]), {chr(34): ""})}"><wd:ID/></wd:{name}>'
        if isinstance(value, list) and value
        else f"<wd:{name}>{'' if value is None else escape(str(value))}</wd:{name}>"
        for name, value in row.items()
    )


def of_xml(body: bytes) -> Document:
    """The same rows."""
    return [
        {
            column.tag.rpartition("}")[2]: next(iter(column.attrib.values()), "")
            if len(column)
            else "".join(column.itertext())
            for column in entry
        }
        for entry in ElementTree.fromstring(body)  # noqa: S314 - judges what a test has made
    ]


FORM = "application/x-www-form-urlencoded"
SENDERS = {
    "bamboohr": Sender("bamboohr", employees, bamboohr_proof, employee_leaves),
    "bamboohr-form": Sender(
        "bamboohr", employees, bamboohr_proof, employee_leaves, form, of_form, FORM
    ),
    "bamboohr-event": Sender("bamboohr", thin, bamboohr_proof, employee_changed),
    "standard": Sender("standard", workers, standard_proof, worker_leaves),
    "workday": Sender("workday", workers, standard_proof, worker_leaves),
    "workday-rows": Sender("workday", rows, standard_proof, row_leaves),
    "workday-xml": Sender(
        "workday", rows, standard_proof, row_leaves, xml, of_xml, "application/xml"
    ),
    "workday-jwt": Sender("workday-jwt", workers, token_proof, worker_leaves),
    "workday-basic": Sender("workday-basic", rows, basic_proof, row_leaves),
    "okta": Sender("okta", events, okta_proof, user_leaves),
    "hibob": Sender("hibob", left, hibob_proof, hibob_leaves),
    "gusto": Sender("gusto", gusto_event, gusto_proof, nobody_leaves, names=False),
    "finch": Sender("finch", finch_event, finch_proof, nobody_leaves, names=False),
    "personio": Sender(
        "personio", personio_event, hex_proof("X-Personio-Signature"), nobody_leaves, names=False
    ),
    "deel": Sender("deel", deel_event, hex_proof("X-Deel-Signature", "POST"), deel_leaves),
    "merge": Sender("merge", merge_state, merge_proof, merge_leaves),
    "github": Sender(
        "github", workers, hex_proof("X-Hub-Signature-256", prefix="sha256="), worker_leaves
    ),
    "stripe": Sender(
        "stripe",
        workers,
        hex_proof("Stripe-Signature", f"{SECONDS}.", f"t={SECONDS},v1="),
        worker_leaves,
    ),
    "slack": Sender("slack", workers, slack_proof, worker_leaves),
    "conductor": Sender("conductor", conductor_state, conductor_proof, conductor_leaves),
}
