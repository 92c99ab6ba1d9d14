"""Our own JSON contract: what workers do, as a sender tells us that can say what we ask for.

    {"type": "worker.terminated", "timestamp": "2026-11-20T17:02:11Z",
     "data": {"workerId": "21001", "workEmail": "jane@example.com",
              "terminationDate": "2026-11-30", "lastDayOfWork": "2026-11-27",
              "timeZone": "Europe/Berlin", "immediate": false, "reason": "Resignation",
              "accessRevocationAt": "2026-11-27T17:00:00+01:00"}}

    worker.terminated               the worker leaves
    worker.termination_corrected    still leaves, with what `data` says now
    worker.termination_rescinded    does not leave; only the worker's id is read
    worker.rehired                  works here, again or still; only the worker's id is read

`data` may be a list of such workers.  When access ends, cutoff.py says; an event that says nothing
of it is quarantined: Workday sends when the business process completes, often weeks early, so the
event alone never means "now".  `timestamp` is when it happened in HR, and puts the events of a
worker in order.  Names that are not listed here are not read, and other types are ignored.
"""

import json
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from config.sources import Dated
from webhook.sources.base import Termination, each, ignored, quarantined
from webhook.sources.cutoff import Said, cutoff_from
from webhook.sources.fields import Unreadable, Unusable, email_of, key_of, object_of, text_of
from webhook.verify import time_of
from workers.leavers import Cutoff, Element, ElementKind, Leaver, LeaverKind

KINDS = {
    "worker.terminated": LeaverKind.TERMINATED,
    "worker.termination_corrected": LeaverKind.CORRECTED,
    "worker.termination_rescinded": LeaverKind.RESCINDED,
    "worker.rehired": LeaverKind.REHIRED,
}
EVENTS = tuple(KINDS.values())


def body_of(people: Sequence[Termination], event: LeaverKind, *, now: datetime) -> bytes:
    """A body that says `event` of everybody of `people`."""
    document = {
        "type": next(name for name, kind in KINDS.items() if kind is event),
        "timestamp": now.isoformat(timespec="seconds"),
        "data": [_as_sent(who) for who in people],
    }
    return json.dumps(document).encode()


def elements_of(
    document: Any, settings: Dated, *, zone: ZoneInfo, now: datetime, event_id: str | None
) -> tuple[Element, ...]:
    """One element for each worker; one that is ignored for another type of event."""
    match document:
        case {"type": str(event), "data": data} if event in KINDS:
            read = partial(
                worker_of,
                kind=KINDS[event],
                happened_at=time_of(str(document.get("timestamp"))),
                settings=settings,
                zone=zone,
                now=now,
                event_id=event_id,
            )
            return each(data if isinstance(data, list) else [data], read)
        case {"type": str(event)} if event not in KINDS:
            return (ignored("other_event", key_of(event_id)),)
    raise Unreadable("not an event with a type and data")


def worker_of(
    item: Any,
    *,
    kind: LeaverKind,
    happened_at: datetime | None,
    settings: Dated,
    zone: ZoneInfo,
    now: datetime,
    event_id: str | None,
) -> Element:
    """What is said of one worker, under the names of the contract."""
    worker = object_of(item, "a worker")
    # The worker is in the key as well: a sender that gives two events one id must not lose one.
    key = key_of(event_id, kind, worker)
    worker_id = text_of(worker.get("workerId"), "workerId")
    try:
        if kind in (LeaverKind.RESCINDED, LeaverKind.REHIRED):
            # HR may have blanked the address; it is read only where there is no id.
            email = "" if worker_id else email_of(worker.get("workEmail"))
            cutoff = Cutoff(now)
        else:
            email = email_of(worker.get("workEmail"))
            cutoff = cutoff_from(_said(worker), settings, zone=zone, now=now)
    except Unusable as why:
        return quarantined(why, key, employee_id=worker_id)
    leaver = Leaver(email, worker_id, cutoff, kind, happened_at)
    return Element(ElementKind.LEAVER, key, employee_id=worker_id, leaver=leaver)


def _said(worker: dict[str, Any]) -> Said:
    return Said(
        access_revocation=worker.get("accessRevocationAt"),
        immediate=worker.get("immediate"),
        reason=worker.get("reason"),
        last_day=worker.get("lastDayOfWork"),
        termination_date=worker.get("terminationDate"),
        time_zone=worker.get("timeZone"),
    )


def _as_sent(who: Termination) -> dict[str, Any]:
    when = {"terminationDate": who.terminated_on.isoformat()} if who.terminated_on else {}
    return {
        "workerId": who.employee_id,
        "workEmail": who.email,
        "immediate": who.terminated_on is None,
        **when,
    }
