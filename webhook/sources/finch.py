"""Finch: thin events, one in each body, that say whose record changed.

    {"company_id": "...", "connection_id": "...", "event_type": "employment.updated",
     "data": {"individual_id": "7f7c2c4e-5a1b-4b7e-9c3d-2f0a6f1d8e55"}}

Neither address nor status is in them: an event about somebody's employment may be a termination, so
it is a lookup (workers/hr/finch.py) if the source has an `api`, and quarantined without one; what
is not about employment is ignored.
https://developer.tryfinch.com/developer-resources/Webhooks (read 2026-11-23)

The signature is that of Standard Webhooks under names of Finch's own, with a key in base64.

Not confirmed: the names of the events about employment, and `individual_id` in their data.
"""

import json
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from config.sources import Finch
from webhook.sources.base import Termination, Verifier, each, ignored, looked_up, quarantined
from webhook.sources.fields import Unreadable, Unusable, json_of, key_of, object_of, text_of
from webhook.verify import Signed, StandardNames, sign_standard, standard_key, verify_standard
from workers.leavers import Element, LeaverKind, new_id

CONTENT_TYPES = frozenset({"application/json"})
NAMES = StandardNames("finch-event-id", "finch-timestamp", "finch-signature")
ABOUT_EMPLOYMENT = ("employment.updated", "employment.deleted")
NO_API = (
    "Finch says only that the employment changed; set sources.X.api, then `leaver reparse` it, or "
    "look in HR"
)
EVENTS = (LeaverKind.TERMINATED,)


def verifier(settings: Finch) -> Verifier:
    """What checks a signature."""
    keys = [standard_key(f"whsec_{secret.reveal()}") for secret in settings.secrets]
    return partial(verify_standard, keys=keys, names=NAMES)


def body_of(
    people: Sequence[Termination],
    settings: Finch,
    *,
    event: LeaverKind,
    now: datetime,
) -> bytes:
    """A delivery about the one person of `people`, who cannot be told from one who stays."""
    [who] = people
    document = {
        "company_id": "720be419-0293-4d32-a707-32179b0827ab",
        "event_type": ABOUT_EMPLOYMENT[0],
        "data": {"individual_id": who.employee_id},
    }
    return json.dumps(document).encode()


def signature(body: bytes, settings: Finch, *, now: datetime) -> dict[str, str]:
    """Finch's headers, with an event id of their own."""
    key = standard_key(f"whsec_{settings.secrets[0].reveal()}")
    return sign_standard(body, key, event_id=f"msg_{new_id()}", at=now, names=NAMES)


def parse(
    body: bytes,
    content_type: str,
    settings: Finch,
    *,
    zone: ZoneInfo,
    now: datetime,
    signed: Signed,
) -> tuple[Element, ...]:
    """The one element."""
    document = json_of(body)
    match document:
        case {"event_type": str(event)} if event in ABOUT_EMPLOYMENT:
            return each(
                [document], partial(_event, settings=settings, event_id=signed.event_id, now=now)
            )
        case {"event_type": str()}:
            return (ignored("other_event", key_of(signed.event_id)),)
    raise Unreadable("not an event with an event_type")


def _event(
    document: dict[str, Any], *, settings: Finch, event_id: str | None, now: datetime
) -> Element:
    key = key_of(event_id, document)
    data = object_of(document.get("data") or {}, "data")
    employee_id = text_of(data.get("individual_id"), "individual_id")
    if settings.api is None:
        return quarantined(Unusable("missing_email", NO_API), key, employee_id=employee_id)
    if not employee_id:
        return quarantined(Unusable("unreadable", "an event without individual_id"), key)
    # The event has no time of its own; that of its signature is anew with each attempt.
    return looked_up(key, employee_id, None, now)
