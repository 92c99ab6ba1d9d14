"""BambooHR: field-based webhooks, as JSON or as a form, many employees in one body.

    {"employees": [{"id": "67890", "action": "Updated", "timestamp": "2026-01-31T18:42:00+0000",
                    "changedFields": ["Status"],
                    "fields": {"Status": {"value": "Inactive"}, ...}}]}

A value comes wrapped ({"value": X}) or bare.  Terminated is whose status is Inactive and whose
employment status is Terminated: somebody on leave may be Inactive too.  BambooHR sends when a
change takes effect, and also when only a table was touched, so the values decide and changedFields
does not.  Deleted is the deletion of a record, not a termination.  Who is not Inactive works here:
that is told as a rehire, which matters only if the same person was to leave.
https://documentation.bamboohr.com/docs/field-based-webhooks (read 2026-11-23)

An event-based body names what changed and carries no values.  Until Leaver asks BambooHR for them,
one that may be about somebody's status is quarantined.
https://documentation.bamboohr.com/docs/event-based-webhooks (read 2026-11-23)
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from config.sources import BambooHR, OurField
from webhook.sources.base import Termination, Verifier, each, ignored, quarantined
from webhook.sources.fields import (
    Unreadable,
    Unusable,
    date_of,
    email_of,
    form_of,
    json_of,
    key_of,
    object_of,
    text_of,
)
from webhook.verify import Signed, sign_bamboohr, time_of, verify_bamboohr
from workers.leavers import Cutoff, Element, ElementKind, Leaver, LeaverKind, cutoff_of

CONTENT_TYPES = frozenset({"application/json", "application/x-www-form-urlencoded"})

#: The API's name of each of our fields, and its English label where that is another word.
#: https://documentation.bamboohr.com/docs/list-of-field-names (read 2026-11-23)
FIELDS: Mapping[OurField, tuple[str, ...]] = {
    "status": ("status",),
    "employment_status": ("employmentHistoryStatus", "Employment Status"),
    "termination_date": ("terminationDate", "Termination Date"),
    "email": ("workEmail", "Work Email"),
}
NO_DATE = "0000-00-00"
EVENTS = (LeaverKind.TERMINATED, LeaverKind.REHIRED)


def verifier(settings: BambooHR) -> Verifier:
    """What checks a signature."""
    return partial(verify_bamboohr, keys=[secret.reveal().encode() for secret in settings.secrets])


def sign(
    people: Sequence[Termination],
    settings: BambooHR,
    *,
    event: LeaverKind = LeaverKind.TERMINATED,
    now: datetime,
) -> tuple[dict[str, str], bytes]:
    """A field-based JSON delivery in which everybody of `people` was terminated, or is Active."""
    employees = [_as_sent(who, event, settings, now) for who in people]
    body = json.dumps({"employees": employees}).encode()
    headers = {"Content-Type": "application/json"} | signature(body, settings, now=now)
    return headers, body


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
            return each([document], partial(_event, event=event, settings=settings))
    raise Unreadable("neither a list of employees nor an event with a type")


def _employee(item: Any, *, settings: BambooHR, zone: ZoneInfo, now: datetime) -> Element:
    employee = object_of(item, "an employee")
    key = key_of(employee)
    fields = _Fields(object_of(employee.get("fields") or {}, "fields"), settings)
    employee_id = fields.text("employee_id") or text_of(employee.get("id"), "id")
    if text_of(employee.get("action"), "action").lower() in ("created", "deleted"):
        return ignored("other_event", key, employee_id=employee_id)
    happened_at = time_of(str(employee.get("timestamp")))
    try:
        if _works_here(fields, settings) and employee_id:
            stays = Leaver("", employee_id, Cutoff(now), LeaverKind.REHIRED, happened_at)
            return ignored("not_a_termination", key, employee_id=employee_id, stays=stays)
        if not _is_terminated(fields, employee.get("changedFields"), settings):
            return ignored("not_a_termination", key, employee_id=employee_id)
        termination_date = fields.text("termination_date")
        hr_date = date_of(
            "" if termination_date == NO_DATE else termination_date, "the termination date"
        )
        leaver = Leaver(
            email=email_of(fields.value("email")),
            employee_id=employee_id,
            cutoff=cutoff_of(hr_date, zone, already_terminated=True, now=now),
            happened_at=happened_at,
        )
    except Unusable as why:
        return quarantined(why, key, employee_id=employee_id)
    return Element(ElementKind.LEAVER, key, employee_id=employee_id, leaver=leaver)


def _works_here(fields: "_Fields", settings: BambooHR) -> bool:
    """Whether the status is not that of a leaver, and nothing says otherwise.

    The two halves of a termination may come as two events: the first one is no rehire.
    """
    inactive = _is_one_of(fields.text("status"), settings.inactive_statuses)
    terminated = _is_one_of(fields.text("employment_status"), settings.terminated_statuses)
    return inactive is False and not terminated


def _is_terminated(fields: "_Fields", changed: Any, settings: BambooHR) -> bool:
    """Whether both halves of the rule hold.  Unusable where one half is missing and may hold."""
    inactive = _is_one_of(fields.text("status"), settings.inactive_statuses)
    terminated = _is_one_of(fields.text("employment_status"), settings.terminated_statuses)
    if False in (inactive, terminated):
        return False
    if None not in (inactive, terminated):
        return True
    if True in (inactive, terminated) or _name_the_status(changed, settings):
        raise Unusable("unreadable", "let the webhook post both status and employment status")
    return False


def _event(document: Any, *, event: str, settings: BambooHR) -> Element:
    """An event-based body: somebody's status may have changed, or it is ignored."""
    key = key_of(document)
    data = object_of(document.get("data") or {}, "data")
    employee_id = text_of(data.get("employeeId"), "employeeId")
    changed = data.get("changedFields")
    if (
        not event.startswith("employee")
        or event in ("employee.created", "employee.deleted")
        or (changed and not _name_the_status(changed, settings))
    ):
        return ignored("other_event", key, employee_id=employee_id)
    why = Unusable(
        "unreadable", "an event-based body has no values; choose Field-Based in BambooHR"
    )
    return quarantined(why, key, employee_id=employee_id)


class _Fields:
    """The fields of one employee under our names.  Capitals in BambooHR's names do not matter."""

    def __init__(self, posted: Mapping[str, Any], settings: BambooHR) -> None:
        self._posted = posted
        self._settings = settings

    def text(self, field: OurField) -> str:
        """The field as text, "" where there is none; BambooHR shows what it hides as null."""
        return text_of(self.value(field), field)

    def value(self, field: OurField) -> Any:
        """The field unwrapped.  The customer's own names go before BambooHR's."""
        for names in (_own_names(field, self._settings), FIELDS.get(field, ())):
            values = [
                value
                for name, posted in self._posted.items()
                if _is_one_of(name, names) and (value := _unwrapped(posted)) not in (None, "")
            ]
            if any(value != values[0] for value in values):
                raise Unusable("unreadable", f"{field} comes twice, with different values")
            if values:
                return values[0]
        return None


def _unwrapped(value: Any) -> Any:
    return value.get("value") if isinstance(value, dict) else value


def _own_names(field: OurField, settings: BambooHR) -> tuple[str, ...]:
    return tuple(name for name, ours in settings.fields.items() if ours == field)


def _name_the_status(changed: Any, settings: BambooHR) -> bool:
    """Whether one of the changed fields is a half of the rule."""
    ours: tuple[OurField, ...] = ("status", "employment_status")
    names = [name for field in ours for name in (*FIELDS[field], *_own_names(field, settings))]
    return isinstance(changed, list) and any(_is_one_of(str(name), names) for name in changed)


def _is_one_of(text: str, words: Iterable[str]) -> bool | None:
    """Whether `text` is one of `words`, whatever its capitals; None where there is no text."""
    folded = text.strip().casefold()
    return folded in {word.strip().casefold() for word in words} if folded else None


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
    names = {field: (*_own_names(field, settings), *FIELDS[field])[0] for field in values}
    return {
        "id": who.employee_id,
        "action": "Updated",
        "timestamp": now.isoformat(timespec="seconds"),
        "changedFields": [names["status"], names["employment_status"]],
        "fields": {names[field]: {"value": value} for field, value in values.items()},
    }
