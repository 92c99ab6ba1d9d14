"""Asking BambooHR about one employee.

    GET /api/v1/employees/<id>?fields=status,...        Basic: the key is the user name

What the key's user may not see comes as null and stands in `_restrictedFields`; an employee whom
they may not see at all is unknown (404).  When BambooHR is asked too often it answers 429, or 503
with Retry-After.  https://documentation.bamboohr.com/reference/get-employee (read 2026-11-23)

Not confirmed: whether the id is always part of the answer.  Where it is, it must be the same.
"""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from config.sources import BambooHR as Settings
from workers.errors import LockedOut, Refused, Unavailable
from workers.hr.bamboohr_fields import NAMES, Fields, is_one_of, names_of, own_names, said_of
from workers.hr.values import Unusable
from workers.leavers import Leaver
from workers.targets.answers import Answer, Dialect
from workers.targets.base import Journal, Limit
from workers.targets.credentials import KeyAsUser
from workers.targets.http import Client

EMPLOYEES = ("api", "v1", "employees")
CALL = "hr.employee"
DIALECT = Dialect()

#: Instead of an id it means whoever the key belongs to.
OURSELVES = "0"

#: What an employee whose address is missing is held for; for all else it is hr_unclear.
WITHOUT_EMAIL = "hr_no_email"


class BambooHR:
    """workers.hr.base.HrSystem for one account of BambooHR."""

    def __init__(self, settings: Settings, zone: ZoneInfo, limit: Limit) -> None:
        if settings.api is None:
            raise ValueError("a source without an api cannot be asked")
        self._settings = settings
        self._zone = zone
        credential = KeyAsUser(settings.api.api_key)
        self._http = Client(settings.api, credential, dialect=DIALECT, limit=limit)

    def employee(
        self, journal: Journal, employee_id: str, *, last_email: str, now: datetime
    ) -> Leaver | None:
        """What BambooHR says of the employee."""
        given = self._given(journal, employee_id)
        try:
            return said_of(
                Fields(given, self._settings),
                employee_id,
                in_doubt=True,
                last_email=last_email,
                zone=self._zone,
                now=now,
            )
        except Unusable as why:
            hidden = self._hidden(given)
            if why.reason == "missing_email" and not hidden:
                raise Refused(CALL, "no work e-mail", reason=WITHOUT_EMAIL) from None
            detail = f"the key may not see {', '.join(hidden)}" if hidden else _said(why)
            raise Refused(CALL, detail, reason="hr_unclear") from None

    def prove_credential(self, journal: Journal) -> None:
        """Ask for whoever the key belongs to; that may be nobody who is employed."""
        query = {"fields": NAMES["status"][0]}
        path = (*EMPLOYEES, OURSELVES)
        answer = self._http.ask(journal, "hr.self", path, query=query, accept=is_unknown)
        if not is_unknown(answer):
            _no_error(answer.body, "hr.self")

    def _given(self, journal: Journal, employee_id: str) -> dict[str, Any]:
        if employee_id in ("", OURSELVES):
            raise Refused(CALL, "no id that BambooHR can be asked about", reason="hr_unknown")
        # A comma would part the name; such a field can be posted, and not be asked for.
        own = [name for field in NAMES for name in own_names(field, self._settings)]
        names = [*(names[0] for names in NAMES.values()), *(n for n in own if "," not in n)]
        answer = self._http.ask(
            journal,
            CALL,
            (*EMPLOYEES, employee_id),
            query={"fields": ",".join(names)},
            accept=is_unknown,
        )
        if is_unknown(answer):
            raise Refused(CALL, answer.text, reason="hr_unknown")
        return self._checked(answer.body, employee_id)

    def _checked(self, given: Any, employee_id: str) -> dict[str, Any]:
        """The answer, if it is one about this employee."""
        shown = _no_error(given, CALL)
        if str(shown.get("id", employee_id)) != employee_id:
            raise Refused(CALL, "an answer about another employee", reason="hr_unclear")
        if not any(is_one_of(name, names_of(NAMES, self._settings)) for name in shown):
            raise Unavailable(CALL, "an answer without any field that was asked for")
        return shown

    def _hidden(self, given: dict[str, Any]) -> list[str]:
        """Which of our fields the key's user may not see."""
        restricted = given.get("_restrictedFields")
        if not isinstance(restricted, list):
            return []
        ours = names_of(NAMES, self._settings)
        return [name for name in map(str, restricted) if is_one_of(name, ours)]


def is_unknown(answer: Answer) -> bool:
    """Whether BambooHR itself says that there is no such employee; a web page is not from it."""
    return answer.status == 404 and not answer.flaw


def _no_error(given: Any, call: str) -> dict[str, Any]:
    """The object that was answered.  The log of webhooks answers "too often" with the status 200:
    perhaps not it alone."""
    if not isinstance(given, dict):
        raise Unavailable(call, "an answer that is no object")
    if isinstance(error := given.get("error"), dict):
        if error.get("code") == 429:
            raise LockedOut(call, "200 with error 429", reason="rate_limited")
        raise Unavailable(call, "200 with an error")
    answered: dict[str, Any] = given
    return answered


def _said(why: Unusable) -> str:
    return why.detail if why.reason != "unreadable" else "status or employment status is empty"
