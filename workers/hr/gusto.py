"""Asking Gusto about one employee.

    GET /v1/employees/<uuid>        Authorization: Bearer <access token>
    {"uuid": "...", "work_email": "...", "terminated": true,
     "terminations": [{"active": true, "effective_date": "2026-11-20"}], ...}

`terminated` alone says that somebody leaves.  A termination that has not taken effect, of somebody
who is not terminated, is for a person to look at.  `email` is the private address: it is not read.
https://docs.gusto.com/app-integrations/reference/get-v1-employees (read 2026-11-23)

Not confirmed: whether `terminations` is always there, and whether those before a rehire stay in it;
so the latest date counts, and none means now.  Nor that a termination's `active` says whether it
has taken effect: what is not plainly true is unclear where `terminated` is false.
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from config.sources import Api
from workers.errors import Refused
from workers.hr.answers import (
    CALL,
    about,
    is_unknown,
    leaves,
    object_in,
    refusing,
    require_id,
    works_here,
)
from workers.hr.base import Try
from workers.hr.values import Unusable, date_of, email_or_last, object_of
from workers.leavers import Leaver
from workers.targets.answers import Dialect
from workers.targets.base import Journal, Limit
from workers.targets.credentials import Bearer
from workers.targets.http import Client

EMPLOYEES = ("v1", "employees")
VERSION = {"X-Gusto-API-Version": b"2024-04-01"}


class Gusto:
    """workers.hr.base.HrSystem for one company in Gusto."""

    def __init__(self, api: Api, zone: ZoneInfo, limit: Limit) -> None:
        self._zone = zone
        self._http = Client(api, Bearer(api.api_key, VERSION), dialect=Dialect(), limit=limit)

    def employee(
        self, journal: Journal, employee_id: str, *, last_email: str, now: datetime
    ) -> Leaver | None:
        """What Gusto says of the employee."""
        require_id(employee_id)
        answer = self._http.ask(journal, CALL, (*EMPLOYEES, employee_id), accept=is_unknown)
        if is_unknown(answer):
            raise Refused(CALL, answer.text, reason="hr_unknown")
        given = object_in(answer.body)
        with refusing():
            employee = about(given, "uuid", employee_id)
            if not _is_terminated(employee):
                return works_here(employee_id, now)
            email = email_or_last(employee.get("work_email"), last_email)
            dates = [when for each in _terminations(employee) if (when := _date_of(each))]
            return leaves(email, employee_id, max(dates, default=None), zone=self._zone, now=now)

    def prove_credential(self, journal: Journal) -> None:
        """Ask whose the token is."""
        object_in(self._http.ask(journal, "hr.self", ("v1", "token_info")).body, "hr.self")

    def webhook(self, journal: Journal, source: str) -> Sequence[Try] | None:
        """Gusto shows no log of its webhooks."""
        return None


def _is_terminated(employee: dict[str, Any]) -> bool:
    terminated = employee.get("terminated")
    if not isinstance(terminated, bool):
        raise Unusable("unreadable", "terminated is neither true nor false")
    if not terminated and any(each.get("active") is not True for each in _terminations(employee)):
        raise Unusable("unreadable", "not terminated, with a termination that may lie ahead")
    return terminated


def _terminations(employee: dict[str, Any]) -> list[dict[str, Any]]:
    given = employee.get("terminations")
    if given is None:
        return []
    if not isinstance(given, list):
        raise Unusable("unreadable", "terminations is not a list")
    return [object_of(each, "a termination") for each in given]


def _date_of(termination: dict[str, Any]) -> date | None:
    return date_of(termination.get("effective_date"), "the termination date")
