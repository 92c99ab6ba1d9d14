"""HiBob: one event in each body, about one employee.

    {"companyId": 636192, "type": "employee.left", "triggeredBy": "system",
     "triggeredAt": "2026-11-20T00:00:04.399997", "version": "v2",
     "data": {"employeeId": "3332883884017713938"}}

    employee.left                          leaves now: terminated, or on garden leave
    employee.access.revoked.immediately    leaves now
    employee.activated, employee.joined    works here: that matters only if they were to leave

employee.left comes at midnight of the effective date, in the time zone of the site.
employee.inactivated is no leaving: somebody on leave is told in the same way, and who really leaves
is told as employee.left as well.  HiBob sends in the right order, and again for three days.
Version 2 names no address: such a leaver is quarantined, for a person to enter.  Older webhooks
(version 1) and employee.deleted have it.
https://apidocs.hibob.com/reference/post_webhook_employee-left and
https://apidocs.hibob.com/docs/working-with-webhooks (read 2026-11-23)

The signature covers the body alone, and the time of the event in it.

HiBob tries an address out with "Ping test", which need not be signed, before it sends anything.

Not confirmed: that `triggeredAt`, which comes without an offset, is UTC; where version 1 puts id
and address (`employee`); whether the ping is signed; whether who comes back is told as activated.
"""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from config.sources import HiBob
from webhook.schemes import Scheme, sign_hmac, verify_hmac
from webhook.sources.base import Termination, Verifier, each, ignored, quarantined
from webhook.sources.fields import (
    Unreadable,
    Unusable,
    email_of,
    json_of,
    key_of,
    object_of,
    text_of,
)
from webhook.verify import Signed, time_of
from workers.leavers import Cutoff, Element, ElementKind, Leaver, LeaverKind

CONTENT_TYPES = frozenset({"application/json"})
SCHEME = Scheme("bob-signature", algorithm="sha512", encoding="base64")
PINGS = ("Ping test", {"text": "Ping test"})
LEAVES = ("employee.left", "employee.access.revoked.immediately")
WORKS_HERE = ("employee.activated", "employee.joined")
EVENT_TYPES = {LeaverKind.TERMINATED: LEAVES[0], LeaverKind.REHIRED: WORKS_HERE[0]}
EVENTS = tuple(EVENT_TYPES)


def verifier(settings: HiBob) -> Verifier:
    """What checks a signature; the signed time is that of the event."""
    keys = [secret.reveal().encode() for secret in settings.secrets]
    return partial(verify_hmac, keys=keys, scheme=SCHEME, time_in=_time_in)


def is_ping(body: bytes) -> bool:
    """Whether HiBob only tries the address out."""
    try:
        return len(body) < 100 and (body == b"Ping test" or json_of(body) in PINGS)
    except Unreadable:
        return False


def body_of(
    people: Sequence[Termination],
    settings: HiBob,
    *,
    event: LeaverKind,
    now: datetime,
) -> bytes:
    """A delivery of version 1, because that has the address, about the one person of `people`."""
    [who] = people
    document = {
        "companyId": 636192,
        "type": EVENT_TYPES[event],
        "triggeredBy": "system",
        "triggeredAt": now.replace(tzinfo=None).isoformat(timespec="microseconds"),
        "version": "v1",
        "employee": {"id": who.employee_id, "email": who.email},
    }
    return json.dumps(document).encode()


def signature(body: bytes, settings: HiBob, *, now: datetime) -> dict[str, str]:
    """The header that HiBob signs `body` with."""
    return sign_hmac(body, settings.secrets[0].reveal().encode(), SCHEME, event_id="", at=now)


def parse(
    body: bytes,
    content_type: str,
    settings: HiBob,
    *,
    zone: ZoneInfo,
    now: datetime,
    signed: Signed,
) -> tuple[Element, ...]:
    """The one element."""
    document = json_of(body)
    match document:
        case {"type": str(event)} if event in (*LEAVES, *WORKS_HERE):
            return each([document], lambda item: _event(item, event, signed.at, now))
        case {"type": str()}:
            return (ignored("other_event", key_of(document)),)
    raise Unreadable("not an event with a type")


def _event(document: dict[str, Any], event: str, at: datetime | None, now: datetime) -> Element:
    key = key_of(document)
    data = object_of(document.get("data") or {}, "data")
    employee = object_of(document.get("employee") or {}, "employee")
    employee_id = text_of(data.get("employeeId") or employee.get("id"), "the employee's id")
    if not employee_id:
        raise Unusable("unreadable", "an event without the employee's id")
    if event in WORKS_HERE:
        stays = Leaver("", employee_id, Cutoff(now), LeaverKind.REHIRED, at)
        return ignored("not_a_termination", key, employee_id=employee_id, stays=stays)
    try:
        email = email_of(employee.get("email") or data.get("email"))
    except Unusable as why:
        return quarantined(why, key, employee_id=employee_id)
    leaver = Leaver(email, employee_id, Cutoff(now), happened_at=at)
    return Element(ElementKind.LEAVER, key, employee_id=employee_id, leaver=leaver)


def _time_in(body: bytes) -> datetime | None:
    try:
        event = object_of(json_of(body), "the body")
        text = text_of(event.get("triggeredAt"), "triggeredAt")
        at = datetime.fromisoformat(text)
    except (Unusable, ValueError):
        return None
    return at.replace(tzinfo=UTC) if at.tzinfo is None else time_of(text)
