"""Any sender of Standard Webhooks, such as a Workday integration: our own JSON contract.

    {"type": "worker.terminated", "timestamp": "2026-11-20T17:02:11Z",
     "data": {"workerId": "21001", "workEmail": "jane@example.com",
              "terminationDate": "2026-11-30", "timeZone": "Europe/Berlin", "immediate": false}}

`data` may be a list of such workers.  Access ends with the day of `terminationDate` in `timeZone`,
or now where `immediate` is true; one of the two must be there.  Workday sends when the business
process completes, often weeks early, so the event alone never means "now".  Names that are not
listed here are not read, and other types are ignored.
"""

import json
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from config.settings import Standard
from webhook.sources.base import Termination, Verifier, each, ignored, quarantined
from webhook.sources.fields import (
    Unreadable,
    Unusable,
    date_of,
    email_of,
    json_of,
    key_of,
    object_of,
    text_of,
    zone_of,
)
from webhook.verify import Signed, sign_standard, standard_key, time_of, verify_standard
from workers.leavers import Cutoff, Element, ElementKind, Leaver, cutoff_of, new_id

CONTENT_TYPES = frozenset({"application/json"})
TERMINATED = "worker.terminated"


def verifier(secrets: Sequence[str]) -> Verifier:
    """What checks a signature against `secrets`."""
    return partial(verify_standard, keys=[standard_key(secret) for secret in secrets])


def sign(
    people: Sequence[Termination], settings: Standard, *, now: datetime
) -> tuple[dict[str, str], bytes]:
    """A delivery in which everybody of `people` is terminated."""
    event = {
        "type": TERMINATED,
        "timestamp": now.isoformat(timespec="seconds"),
        "data": [_as_sent(who) for who in people],
    }
    body = json.dumps(event).encode()
    key = standard_key(settings.secrets[0].reveal())
    headers = sign_standard(body, key, event_id=f"msg_{new_id()}", at=now)
    return {"Content-Type": "application/json"} | headers, body


def parse(
    body: bytes,
    content_type: str,
    settings: Standard,
    *,
    zone: ZoneInfo,
    now: datetime,
    signed: Signed,
) -> tuple[Element, ...]:
    """One element for each worker; one that is ignored for another type of event."""
    document = json_of(body)
    match document:
        case {"type": str(event), "data": data} if event == TERMINATED:
            happened_at = time_of(str(document.get("timestamp")))
            read = partial(
                _worker, zone=zone, now=now, event_id=signed.event_id, happened_at=happened_at
            )
            return each(data if isinstance(data, list) else [data], read)
        case {"type": str(event)} if event != TERMINATED:
            return (ignored("other_event", key_of(signed.event_id)),)
    raise Unreadable("not an event with a type and data")


def _worker(
    item: Any, *, zone: ZoneInfo, now: datetime, event_id: str | None, happened_at: datetime | None
) -> Element:
    worker = object_of(item, "a worker")
    # The worker is in the key as well: a sender that gives two events one id must not lose one.
    key = key_of(event_id, worker)
    worker_id = text_of(worker.get("workerId"), "workerId")
    try:
        leaver = Leaver(
            email=email_of(worker.get("workEmail")),
            employee_id=worker_id,
            cutoff=_cutoff(worker, zone, now),
            happened_at=happened_at,
        )
    except Unusable as why:
        return quarantined(why, key, employee_id=worker_id)
    return Element(ElementKind.LEAVER, key, employee_id=worker_id, leaver=leaver)


def _cutoff(worker: dict[str, Any], zone: ZoneInfo, now: datetime) -> Cutoff:
    if _is_immediate(worker):
        return Cutoff(now)
    hr_date = date_of(worker.get("terminationDate"), "terminationDate")
    if hr_date is None:
        raise Unusable("bad_date", "neither a terminationDate nor immediate: true")
    zone = zone_of(worker.get("timeZone"), "timeZone", default=zone)
    return cutoff_of(hr_date, zone, already_terminated=False, now=now)


def _is_immediate(worker: dict[str, Any]) -> bool:
    """Some integration tools can only send texts, so "true" counts."""
    said = str(worker.get("immediate", False)).lower()
    if said not in ("true", "false", "none", ""):
        raise Unusable("unreadable", "immediate is neither true nor false")
    return said == "true"


def _as_sent(who: Termination) -> dict[str, Any]:
    when = {"terminationDate": who.terminated_on.isoformat()} if who.terminated_on else {}
    return {
        "workerId": who.employee_id,
        "workEmail": who.email,
        "immediate": who.terminated_on is None,
        **when,
    }
