"""BambooHR: event-based and field-based webhooks, global and permissioned, as JSON or as a form.

Event-based: which fields of an employee have changed, without any value.

    {"type": "employee.updated", "timestamp": "2026-01-31T18:42:00+0000",
     "data": {"companyId": "12345", "employeeId": "67890", "changedFields": ["status"]}}

One that may be about somebody's leaving is a lookup: a worker asks BambooHR (workers/hr/), if the
source has an `api`; without one it is quarantined.  The form of it has no timestamp.
https://documentation.bamboohr.com/docs/event-based-webhooks (read 2026-11-23)

Field-based: values of many employees in one body.

    {"employees": [{"id": "67890", "action": "Updated", "timestamp": "2026-01-31T18:42:00+0000",
                    "changedFields": ["Status"],
                    "fields": {"Status": {"value": "Inactive"}, ...}}]}

What the fields mean stands in workers/hr/bamboohr_fields.py.  BambooHR sends when a change takes
effect, and also when only a table was touched, so the values decide and changedFields does not.
https://documentation.bamboohr.com/docs/field-based-webhooks (read 2026-11-23)

Deleted is the deletion of a record, not a termination.
"""

import json
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from config.sources import BambooHR, OurField
from webhook.sources.base import Termination, Verifier, each, ignored, looked_up, quarantined
from webhook.sources.fields import (
    Unreadable,
    Unusable,
    form_of,
    json_of,
    key_of,
    object_of,
    text_of,
)
from webhook.verify import Signed, sign_bamboohr, time_of, verify_bamboohr
from workers.hr.bamboohr_fields import NAMES, Fields, is_one_of, names_of, own_names, said_of
from workers.leavers import Element, ElementKind, LeaverKind

CONTENT_TYPES = frozenset({"application/json", "application/x-www-form-urlencoded"})

#: The halves of the rule.
STATUS: tuple[OurField, ...] = ("status", "employment_status")
#: The fields by which a termination shows.
TOLD_BY: tuple[OurField, ...] = (*STATUS, "termination_date")
EVENTS = (LeaverKind.TERMINATED, LeaverKind.REHIRED, LeaverKind.LOOKUP)
NO_API = (
    "an event-based body has no values; set sources.X.api, then `leaver reparse` it, or choose "
    "Field-Based in BambooHR"
)


def verifier(settings: BambooHR) -> Verifier:
    """What checks a signature."""
    return partial(verify_bamboohr, keys=[secret.reveal().encode() for secret in settings.secrets])


def body_of(
    people: Sequence[Termination],
    settings: BambooHR,
    *,
    event: LeaverKind,
    now: datetime,
) -> bytes:
    """A field-based JSON delivery in which everybody of `people` was terminated, or is Active; or
    an event-based one about the one person whom it can be about, with the event lookup."""
    document: dict[str, Any]
    if event is LeaverKind.LOOKUP:
        document = _as_event(people, now)
    else:
        document = {"employees": [_as_sent(who, event, settings, now) for who in people]}
    return json.dumps(document).encode()


def signature(body: bytes, settings: BambooHR, *, now: datetime) -> dict[str, str]:
    """The headers that BambooHR signs `body` with."""
    return sign_bamboohr(body, settings.secrets[0].reveal().encode(), at=now)


def parse(
    body: bytes,
    content_type: str,
    settings: BambooHR,
    *,
    zone: ZoneInfo,
    now: datetime,
    signed: Signed,
) -> tuple[Element, ...]:
    """One element for each employee, or one for an event-based body."""
    is_form = "form-urlencoded" in content_type.lower()
    document = form_of(body) if is_form else json_of(body)
    match document:
        case {"employees": list(employees)}:
            return each(employees, partial(_employee, settings=settings, zone=zone, now=now))
        case {"type": str(event)}:
            return each([document], partial(_event, event=event, settings=settings, now=now))
    raise Unreadable("neither a list of employees nor an event with a type")


def _employee(item: Any, *, settings: BambooHR, zone: ZoneInfo, now: datetime) -> Element:
    employee = object_of(item, "an employee")
    key = key_of(employee)
    fields = Fields(object_of(employee.get("fields") or {}, "fields"), settings)
    employee_id = fields.text("employee_id") or text_of(employee.get("id"), "id")
    if text_of(employee.get("action"), "action").lower() in ("created", "deleted"):
        return ignored("other_event", key, employee_id=employee_id)
    happened_at = time_of(str(employee.get("timestamp")))
    try:
        said = said_of(
            fields,
            employee_id,
            in_doubt=_may_concern(STATUS, employee.get("changedFields"), settings),
            happened_at=happened_at,
            zone=zone,
            now=now,
        )
    except Unusable as why:
        return quarantined(why, key, employee_id=employee_id)
    if said is None or said.kind is LeaverKind.REHIRED:
        return ignored("not_a_termination", key, employee_id=employee_id, stays=said)
    return Element(ElementKind.LEAVER, key, employee_id=employee_id, leaver=said)


def _event(document: Any, *, event: str, settings: BambooHR, now: datetime) -> Element:
    """An event-based body: somebody may be leaving, or it is ignored."""
    key = key_of(document)
    data = object_of(document.get("data") or {}, "data")
    employee_id = text_of(data.get("employeeId"), "employeeId")
    if (
        not event.startswith("employee")
        or event in ("employee.created", "employee.deleted")
        or not _may_be_leaving(data.get("changedFields"), settings)
    ):
        return ignored("other_event", key, employee_id=employee_id)
    if settings.api is None:
        return quarantined(Unusable("unreadable", NO_API), key, employee_id=employee_id)
    if not employee_id:
        return quarantined(Unusable("unreadable", "an event without an employeeId"), key)
    return looked_up(key, employee_id, time_of(str(document.get("timestamp"))), now)


def _may_be_leaving(changed: Any, settings: BambooHR) -> bool:
    """Whether a change of these fields may be a termination; what is not said, may be."""
    return not (changed and isinstance(changed, list)) or _may_concern(TOLD_BY, changed, settings)


def _may_concern(fields: Sequence[OurField], changed: Any, settings: BambooHR) -> bool:
    """Whether one of the changed fields is one of `fields`."""
    names = names_of(fields, settings)
    return isinstance(changed, list) and any(is_one_of(str(name), names) for name in changed)


def _as_event(people: Sequence[Termination], now: datetime) -> dict[str, Any]:
    [who] = people
    return {
        "type": "employee.updated",
        "timestamp": now.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "data": {
            "companyId": "12345",
            "employeeId": who.employee_id,
            "changedFields": [NAMES[field][0] for field in STATUS],
        },
    }


def _as_sent(
    who: Termination, event: LeaverKind, settings: BambooHR, now: datetime
) -> dict[str, Any]:
    leaves = event is LeaverKind.TERMINATED
    values: dict[OurField, str] = {
        "status": settings.inactive_statuses[0] if leaves else "Active",
        "employment_status": settings.terminated_statuses[0] if leaves else "Full-Time",
        "email": who.email,
        "termination_date": who.terminated_on.isoformat() if who.terminated_on else "",
    }
    names = {field: (*own_names(field, settings), *NAMES[field])[0] for field in values}
    return {
        "id": who.employee_id,
        "action": "Updated",
        "timestamp": now.isoformat(timespec="seconds"),
        "changedFields": [names["status"], names["employment_status"]],
        "fields": {names[field]: {"value": value} for field, value in values.items()},
    }
