"""Asking BambooHR about one employee, and about the webhook that it posts to us with.

    GET /api/v1/employees/<id>?fields=status,...        Basic: the key is the user name
    GET /api/v1/webhooks                                those that the key's user has made
    GET /api/v1/webhooks/<id>/log

What the key's user may not see comes as null and stands in `_restrictedFields`; an employee whom
they may not see at all is unknown (404).  When BambooHR is asked too often it answers 429, or 503
with Retry-After.  https://documentation.bamboohr.com/reference/get-employee (read 2026-11-23)

Not confirmed: whether the id is always part of the answer.  Where it is, it must be the same.
"""

from datetime import datetime
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from config.sources import BambooHR as Settings
from workers.errors import LockedOut, Refused, Unavailable
from workers.hr.answers import CALL, is_unknown, object_in
from workers.hr.bamboohr_fields import NAMES, Fields, is_one_of, names_of, own_names, said_of
from workers.hr.base import Try
from workers.hr.values import Unusable
from workers.leavers import Leaver
from workers.targets.answers import Dialect
from workers.targets.base import Journal, Limit
from workers.targets.credentials import KeyAsUser
from workers.targets.http import Client

EMPLOYEES = ("api", "v1", "employees")
WEBHOOKS = ("api", "v1", "webhooks")
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

    def webhook(self, journal: Journal, source: str) -> tuple[Try, ...] | None:
        """The log of the webhook whose address ends with this source's."""
        call = "hr.webhooks"
        given = _no_error(self._http.ask(journal, call, WEBHOOKS).body, call).get("webhooks")
        if not isinstance(given, list):
            raise Unavailable(call, "an answer without its list")
        own = [hook for hook in given if isinstance(hook, dict) and _posts_to(hook, source)]
        if not own:
            return None
        return tuple(entry for hook in own for entry in self._log(journal, str(hook.get("id"))))

    def _log(self, journal: Journal, webhook_id: str) -> list[Try]:
        """The attempts of 14 days, 200 at most; whether the list stands alone is not documented."""
        call = "hr.webhook.log"
        given = self._http.ask(journal, call, (*WEBHOOKS, webhook_id, "log")).body
        if not isinstance(given, list):
            lists = [value for value in _no_error(given, call).values() if isinstance(value, list)]
            if not lists:
                raise Unavailable(call, "an answer without its list")
            given = lists[0]
        return [
            Try(str(entry.get("lastAttempted")), _status(entry.get("statusCode")))
            for entry in given
            if isinstance(entry, dict)
        ]

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


def _posts_to(webhook: dict[str, Any], source: str) -> bool:
    path = urlsplit(str(webhook.get("url"))).path
    return path.rstrip("/").endswith(f"/webhooks/{source}")


def _status(code: Any) -> int | None:
    return int(code) if str(code).isdecimal() else None


def _no_error(given: Any, call: str) -> dict[str, Any]:
    """The object that was answered.  The log of webhooks answers "too often" with the status 200:
    perhaps not it alone."""
    answered = object_in(given, call)
    if isinstance(error := answered.get("error"), dict):
        if error.get("code") == 429:
            raise LockedOut(call, "200 with error 429", reason="rate_limited")
        raise Unavailable(call, "200 with an error")
    return answered


def _said(why: Unusable) -> str:
    return why.detail if why.reason != "unreadable" else "status or employment status is empty"
