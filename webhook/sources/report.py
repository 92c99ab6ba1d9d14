"""The rows of a Workday report, as a Studio or Orchestrate integration posts them.

    {"Report_Entry": [{"Employee_ID": "21001", "Work_Email": "jane@example.com",
                       "Termination_Date": "2026-11-30"}]}

The list alone will do, and so will XML (report_xml.py).  The customer chooses the columns: `fields`
maps their names to ours.

A row has no kind of event: it means terminated, unless a column `event` says "corrected",
"rescinded" or "rehired".  It has no time either: without a column `happened_at`, the events of a
person are put in the order of their signatures, and with Basic in the order in which they come in.

A row that says Active, or not Terminated, is never a leaver.  Workday gives a contingent worker who
becomes an employee two profiles with one WorkerID, an inactive and an active one
(https://learn.microsoft.com/en-us/entra/identity/app-provisioning/workday-integration-reference,
read 2026-11-23): who has rows of both kinds in one body is quarantined, and an active row alone
says that the person works here, which holds the job of whoever was to leave.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from config.sources import Workday, WorkdayField
from webhook.sources import contract
from webhook.sources.base import each, ignored, quarantined
from webhook.sources.fields import Unusable, date_of, email_of, key_of, text_of
from webhook.verify import time_of
from workers.leavers import Cutoff, Element, Leaver, LeaverKind

#: The usual columns of each of our fields; capitals, spaces, - and _ do not matter.
COLUMNS: Mapping[WorkdayField, tuple[str, ...]] = {
    "email": ("Work Email", "Primary Work Email", "Email"),
    "employee_id": ("Employee ID", "Worker ID"),
    "termination_date": ("Termination Date",),
    "last_day": ("Last Day of Work", "Termination Last Day of Work"),
    "access_revocation": ("Access Revocation At",),
    "immediate": ("Immediate",),
    "reason": ("Reason", "Primary Reason", "Termination Reason"),
    "time_zone": ("Time Zone",),
    "event": ("Leaver Event",),
    "happened_at": ("Timestamp",),
    "active": ("Active",),
    "terminated": ("Terminated",),
}

#: Our fields under the names of the contract.
OF_CONTRACT: Mapping[WorkdayField, str] = {
    "email": "workEmail",
    "employee_id": "workerId",
    "termination_date": "terminationDate",
    "last_day": "lastDayOfWork",
    "access_revocation": "accessRevocationAt",
    "reason": "reason",
    "time_zone": "timeZone",
}

DATES: tuple[WorkdayField, ...] = ("termination_date", "last_day")
PERSON: tuple[WorkdayField, ...] = ("employee_id", "email")
LEAVING = (LeaverKind.TERMINATED, LeaverKind.CORRECTED)
KINDS = {kind.value: kind for kind in LeaverKind} | contract.KINDS
FLAGS = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}


def rows_of(document: Any) -> list[Any] | None:
    """The rows in a JSON document; None if it is no report, as an empty list alone is none."""
    if isinstance(document, list):
        return document or None
    rows = document.get("Report_Entry") if isinstance(document, dict) else None
    if isinstance(rows, dict):
        return [rows]
    return rows if isinstance(rows, list) else None


def elements_of(
    rows: Sequence[Any], settings: Workday, *, zone: ZoneInfo, now: datetime, event_id: str | None
) -> tuple[Element, ...]:
    """One element for each row."""
    names = _names(settings)
    known = [_Row(row, names) if isinstance(row, dict) else None for row in rows]
    working = {name for row in known if row and row.may_work_here() for name in row.person()}
    read = partial(
        _element, working=working, settings=settings, zone=zone, now=now, event_id=event_id
    )
    return each(known, read)


class _Row:
    """One row under our names.  What a column says twice with two values cannot be used."""

    def __init__(self, columns: Mapping[str, Any], names: Mapping[WorkdayField, set[str]]) -> None:
        self.columns = columns
        self._names = names

    def value(self, field: WorkdayField) -> Any:
        """What the row says of it; None: nothing."""
        found = [
            value
            for name, value in self.columns.items()
            if _plain(name) in self._names[field] and value not in (None, "")
        ]
        if any(value != found[0] for value in found):
            raise Unusable("unreadable", f"{field} comes twice, with different values")
        return found[0] if found else None

    def flag(self, field: WorkdayField) -> bool | None:
        """A yes or no; None: nothing."""
        text = _text(self.value(field), field).casefold()
        if text and text not in FLAGS:
            raise Unusable("unreadable", f"{field} is none of {', '.join(FLAGS)}")
        return FLAGS.get(text)

    def works_here(self) -> bool:
        """Whether it says that the person works here."""
        return self.flag("active") is True or self.flag("terminated") is False

    def may_work_here(self) -> bool:
        """The same, or that it cannot be told."""
        try:
            return self.works_here()
        except Unusable:
            return True

    def person(self) -> set[str]:
        """What tells the person from others: id and address, as far as they can be read."""
        return {name for field in PERSON if (name := self._name(field))}

    def stays(self, happened_at: datetime | None, *, zone: ZoneInfo, now: datetime) -> Leaver:
        """That the person works here.  Unusable where an end of that is not over yet."""
        today = now.astimezone(zone).date()
        ends = (date_of(self.value(field), field) for field in DATES)
        if any(end is not None and end >= today for end in ends):
            raise Unusable("contradiction", "active, and leaving on a day that is not over")
        employee_id = text_of(self.value("employee_id"), "employee_id")
        email = "" if employee_id else email_of(self.value("email"))
        return Leaver(email, employee_id, Cutoff(now), LeaverKind.REHIRED, happened_at)

    def check_alone(self, working: set[str]) -> None:
        """Unusable if another row says that the same person works here."""
        if self.person() & working:
            raise Unusable("contradiction", "another row says that the person works here")

    def as_worker(self) -> dict[str, Any]:
        """The row under the names of the contract."""
        worker = {name: self.value(field) for field, name in OF_CONTRACT.items()}
        return worker | {"immediate": self.flag("immediate")}

    def kind(self) -> LeaverKind:
        """What it says of the person."""
        word = text_of(self.value("event"), "event").casefold()
        if word and word not in KINDS:
            raise Unusable("unreadable", f"event is none of {', '.join(LeaverKind)}")
        return KINDS[word] if word else LeaverKind.TERMINATED

    def _name(self, field: WorkdayField) -> str:
        try:
            return _text(self.value(field), field).casefold()
        except Unusable:
            return ""


def _names(settings: Workday) -> dict[WorkdayField, set[str]]:
    """The columns of each of our fields, the customer's own and the usual ones."""
    own = {_plain(name): field for name, field in settings.fields.items()}
    return {
        field: {_plain(name) for name in usual if own.get(_plain(name), field) == field}
        | {name for name, ours in own.items() if ours == field}
        for field, usual in COLUMNS.items()
    }


def _plain(name: str) -> str:
    return "".join(character for character in name.casefold() if character.isalnum())


def _text(value: Any, name: str) -> str:
    """A text, a number, or a yes or no of JSON, as text."""
    return text_of(str(value) if isinstance(value, bool) else value, name)


def _element(
    row: _Row | None,
    *,
    working: set[str],
    settings: Workday,
    zone: ZoneInfo,
    now: datetime,
    event_id: str | None,
) -> Element:
    if row is None:
        raise Unusable("unreadable", "a row is not an object")
    key = key_of(event_id, row.columns)
    employee_id = text_of(row.value("employee_id"), "employee_id")
    try:
        kind = row.kind()
        happened_at = time_of(text_of(row.value("happened_at"), "happened_at"))
        if kind in LEAVING and row.works_here():
            stays = row.stays(happened_at, zone=zone, now=now)
            return ignored("not_a_termination", key, employee_id=employee_id, stays=stays)
        if kind in LEAVING:
            row.check_alone(working)
        worker = row.as_worker()
    except Unusable as why:
        return quarantined(why, key, employee_id=employee_id)
    return contract.worker_of(
        worker,
        kind=kind,
        happened_at=happened_at,
        settings=settings,
        zone=zone,
        now=now,
        event_id=event_id,
    )
