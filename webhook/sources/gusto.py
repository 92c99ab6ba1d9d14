"""Gusto: one event in each body, about one employee or contractor.

    {"uuid": "03ffbf0c-48a9-4f1c-932a-546413a26ad1", "event_type": "employee.termination_effective",
     "resource_type": "Company", "resource_uuid": "5df911a0-e8e9-412d-8aaf-a46ad193dd96",
     "entity_type": "Employee", "entity_uuid": "bcfc9744-0ab3-4ef3-ab0d-e728255d659c",
     "timestamp": 1671058841}

    employee.termination_effective    leaves now: the last day is over (00:00 Pacific Time)
    employee.termination_cancelled    does not leave
    employee.rehired, .rehire_effective    works here again: that matters only if they were to leave

and the same of contractors (deactivation_effective, deactivation_cancelled).  employee.terminated
says that a termination was entered, with a date that is not in the event: it is ignored, because
termination_effective follows.  A rehire that was cancelled is for a person to look at.

No event names an address: an employee who leaves is a lookup (workers/hr/gusto.py) if the
source has an `api`, and quarantined without one.  Contractors are quarantined: theirs is no work
address.
https://docs.gusto.com/app-integrations/docs/employee-events (read 2026-11-23)

The signature covers the body alone, and the time of the event in it.  Its key is the token that
Gusto posts, unsigned, when a subscription is made: {"verification_token": "..."}.  Anybody can post
one, so it is kept as an offer until an operator has confirmed it (workers/ledger/key_offers.py).

Not confirmed: that the signature is in hexadecimal digits; how long Gusto tries again (up to 16
times, ever more slowly); the name of the effective event, which stands in two ways.
"""

import json
import re
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from config.sources import Gusto
from webhook.schemes import Scheme, sign_hmac, verify_hmac
from webhook.sources.base import Termination, Verifier, each, ignored, looked_up, quarantined
from webhook.sources.fields import Unreadable, Unusable, json_of, key_of, object_of, text_of
from webhook.verify import Signed, time_of
from workers.leavers import Cutoff, Element, ElementKind, Leaver, LeaverKind, new_id

CONTENT_TYPES = frozenset({"application/json"})
SCHEME = Scheme("x-gusto-signature")
KINDS = {
    "employee.termination_effective": LeaverKind.TERMINATED,
    "employee.terminated_effective": LeaverKind.TERMINATED,
    "employee.termination_cancelled": LeaverKind.RESCINDED,
    "employee.rehired": LeaverKind.REHIRED,
    "employee.rehire_effective": LeaverKind.REHIRED,
    "contractor.deactivation_effective": LeaverKind.TERMINATED,
    "contractor.deactivation_cancelled": LeaverKind.RESCINDED,
}
TOKEN = re.compile("[!-~]{16,200}")
LONGEST_OFFER = 1000  # bytes
NO_API = (
    "Gusto sends only the uuid; of employees it can be asked: set sources.X.api, then "
    "`leaver reparse` it"
)
UNCLEAR = ("employee.rehire_cancelled",)
EVENTS = (LeaverKind.TERMINATED, LeaverKind.RESCINDED, LeaverKind.REHIRED)


def verifier(settings: Gusto) -> Verifier:
    """What checks a signature; the signed time is that of the event."""
    keys = [secret.reveal().encode() for secret in settings.secrets]
    return partial(verify_hmac, keys=keys, scheme=SCHEME, time_in=_time_in)


def offered_key(body: bytes) -> str:
    """The token that somebody offers, "" for any other body."""
    try:
        match json_of(body) if len(body) <= LONGEST_OFFER else None:
            case {"verification_token": str(token), **more} if "event_type" not in more:
                return token if TOKEN.fullmatch(token) else ""
    except Unreadable:
        pass
    return ""


def body_of(
    people: Sequence[Termination],
    settings: Gusto,
    *,
    event: LeaverKind,
    now: datetime,
) -> bytes:
    """An event about the one person of `people`; the address is not in it, as in Gusto's own."""
    [who] = people
    document = {
        "uuid": new_id(),
        "event_type": next(name for name, kind in KINDS.items() if kind is event),
        "resource_type": "Company",
        "resource_uuid": "00000000-0000-4000-8000-000000000000",
        "entity_type": "Employee",
        "entity_uuid": who.employee_id,
        "timestamp": int(now.timestamp()),
    }
    return json.dumps(document).encode()


def signature(body: bytes, settings: Gusto, *, now: datetime) -> dict[str, str]:
    """The header that Gusto signs `body` with."""
    if not settings.secrets:
        raise ValueError("secrets is empty; to sign, put the verification token there")
    return sign_hmac(body, settings.secrets[0].reveal().encode(), SCHEME, event_id="", at=now)


def parse(
    body: bytes,
    content_type: str,
    settings: Gusto,
    *,
    zone: ZoneInfo,
    now: datetime,
    signed: Signed,
) -> tuple[Element, ...]:
    """The one element."""
    document = json_of(body)
    match document:
        case {"event_type": str(event)} if event in (*KINDS, *UNCLEAR):
            asked = settings.api is not None and event.startswith("employee.")
            read = partial(_event, event=event, asked=asked, at=signed.at, now=now)
            return each([document], read)
        case {"event_type": str()}:
            return (ignored("other_event", key_of(document)),)
    raise Unreadable("not an event with an event_type")


def _event(
    document: dict[str, Any], *, event: str, asked: bool, at: datetime | None, now: datetime
) -> Element:
    key = key_of(document)
    employee_id = text_of(document.get("entity_uuid"), "entity_uuid")
    if not employee_id:
        raise Unusable("unreadable", "an event without entity_uuid")
    if event in UNCLEAR:
        why = Unusable("unreadable", "a rehire was cancelled: ask HR whether the person leaves")
        return quarantined(why, key, employee_id=employee_id)
    kind = KINDS[event]
    if kind is LeaverKind.TERMINATED and asked:
        return looked_up(key, employee_id, at, now)
    if kind is LeaverKind.TERMINATED:
        why = Unusable("missing_email", NO_API)
        return quarantined(why, key, employee_id=employee_id)
    stays = Leaver("", employee_id, Cutoff(now), kind, at)
    if kind is LeaverKind.REHIRED:
        return ignored("not_a_termination", key, employee_id=employee_id, stays=stays)
    return Element(ElementKind.LEAVER, key, employee_id=employee_id, leaver=stays)


def _time_in(body: bytes) -> datetime | None:
    try:
        event = object_of(json_of(body), "the body")
        return time_of(text_of(event.get("timestamp"), "timestamp"))
    except Unusable:
        return None
