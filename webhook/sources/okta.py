"""Okta: event hooks, many events in one body.

    {"eventType": "com.okta.event_hook", "eventId": "...", "data": {"events": [
        {"uuid": "...", "published": "2026-11-20T17:02:11.000Z",
         "eventType": "user.lifecycle.deactivate", "outcome": {"result": "SUCCESS"},
         "actor": {"type": "User", "alternateId": "the-administrator@example.com", ...},
         "target": [{"type": "User", "id": "00u1", "alternateId": "jane@example.com"}]}]}}

Whose account was deactivated leaves now, and is the target: the actor is who did it.  `alternateId`
is the login, which must be the work e-mail address.  An activated user works here: that matters
only if the same person was to leave.  Okta delivers at least once and in no order, tries once more
after a 5xx or 3 s, and wants an empty 200 or 204.
https://developer.okta.com/docs/concepts/event-hooks/ (read 2026-11-23)

Not confirmed: that a user who is activated again after a deactivation is told as
user.lifecycle.activate.  If it is not, nothing is held.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from config.sources import Okta
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
from webhook.verify import Rejected, Signed, time_of, verify_okta
from workers.leavers import Cutoff, Element, ElementKind, Leaver, LeaverKind, new_id

CONTENT_TYPES = frozenset({"application/json"})
DEACTIVATED = "user.lifecycle.deactivate"
ACTIVATED = "user.lifecycle.activate"
EVENT_TYPES = {LeaverKind.TERMINATED: DEACTIVATED, LeaverKind.REHIRED: ACTIVATED}
EVENTS = tuple(EVENT_TYPES)


def verifier(settings: Okta) -> Verifier:
    """What checks the Authorization header."""
    return partial(verify_okta, keys=[secret.reveal().encode() for secret in settings.secrets])


def handshake(headers: Mapping[str, str]) -> dict[str, str]:
    """What Okta wants to hear when an administrator presses Verify."""
    challenge = headers.get("x-okta-verification-challenge", "")
    if not challenge:
        raise Rejected("signature_missing")
    return {"verification": challenge}


def body_of(
    people: Sequence[Termination],
    settings: Okta,
    *,
    event: LeaverKind,
    now: datetime,
) -> bytes:
    """A delivery in which everybody of `people` was deactivated or activated now; Okta has no
    other dates."""
    document = {
        "eventType": "com.okta.event_hook",
        "eventId": new_id(),
        "data": {"events": [_as_sent(who, EVENT_TYPES[event], now) for who in people]},
    }
    return json.dumps(document).encode()


def signature(body: bytes, settings: Okta, *, now: datetime) -> dict[str, str]:
    """The header that Okta was told to send."""
    return {"Authorization": settings.secrets[0].reveal()}


def parse(
    body: bytes,
    content_type: str,
    settings: Okta,
    *,
    zone: ZoneInfo,
    now: datetime,
    signed: Signed,
) -> tuple[Element, ...]:
    """One element for each event."""
    match json_of(body):
        case {"data": {"events": list(events)}}:
            return each(events, partial(_event, now=now))
    raise Unreadable("not an event hook with a list of events")


def _event(item: Any, *, now: datetime) -> Element:
    event = object_of(item, "an event")
    event_type = text_of(event.get("eventType"), "eventType")
    if not event_type:
        raise Unusable("unreadable", "an event without its type")
    if event_type not in (DEACTIVATED, ACTIVATED):
        return ignored("other_event", key_of(event.get("uuid"), event))
    user = _user(event)
    # The user is in the key as well: two events are never one, whatever their ids.
    key = key_of(event.get("uuid") or event, event_type, user)
    user_id = text_of(user.get("id"), "the user's id")
    if not user_id:
        raise Unusable("unreadable", "a user without an id")
    happened_at = time_of(str(event.get("published")))
    try:
        if not _succeeded(event):
            return ignored("not_a_termination", key, employee_id=user_id)
        if event_type == ACTIVATED:
            stays = Leaver("", user_id, Cutoff(now), LeaverKind.REHIRED, happened_at)
            return ignored("other_event", key, employee_id=user_id, stays=stays)
        email = email_of(user.get("alternateId"))
    except Unusable as why:
        return quarantined(why, key, employee_id=user_id)
    leaver = Leaver(email, user_id, Cutoff(now), happened_at=happened_at)
    return Element(ElementKind.LEAVER, key, employee_id=user_id, leaver=leaver)


def _user(event: dict[str, Any]) -> dict[str, Any]:
    """The only user that it happened to; there may be targets of other types."""
    targets = event.get("target")
    named = [object_of(each, "a target") for each in targets] if isinstance(targets, list) else []
    users = [target for target in named if target.get("type") == "User"]
    if len(users) != 1:
        raise Unusable("unreadable", "not exactly one target of type User")
    return users[0]


def _succeeded(event: dict[str, Any]) -> bool:
    result = text_of(object_of(event.get("outcome"), "outcome").get("result"), "the result")
    if not result:
        raise Unusable("unreadable", "an event without its outcome")
    return result == "SUCCESS"


def _as_sent(who: Termination, event_type: str, now: datetime) -> dict[str, Any]:
    return {
        "uuid": new_id(),
        "published": now.isoformat(timespec="milliseconds"),
        "eventType": event_type,
        "outcome": {"result": "SUCCESS"},
        "actor": {"type": "User", "id": "00u0", "alternateId": "administrator@example.com"},
        "target": [{"type": "User", "id": who.employee_id, "alternateId": who.email}],
    }
