"""Asking Finch about one individual, and through it the HR system behind.

    POST /employer/employment       {"requests": [{"individual_id": "..."}]}
    POST /employer/individual       Authorization: Bearer <access token>, Finch-API-Version
    {"responses": [{"individual_id": "...", "code": 200, "body": {"id": "...", ...}}]}

    employment    employment_status: active, deceased, leave, onboarding, prehire, retired or
                  terminated; is_active; end_date
    individual    emails: [{"data": "...", "type": "work"}]

Somebody leaves whose status is one of LEFT and who is not active; somebody on leave does not.  The
private address is not read.  Both only read, though they are POSTs.
https://developer.tryfinch.com/api-reference/organization/employment (read 2026-11-23), and the
types of github.com/Finch-API/finch-api-python

Not confirmed: what is_active says of somebody on leave (their status is enough); which `code` an
unknown individual has (404 is held, another one is tried again).  What Finch knows may be of
yesterday.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from config.sources import Api
from workers.errors import LockedOut, Refused, Unavailable
from workers.hr.answers import CALL, about, leaves, object_in, refusing, require_id, works_here
from workers.hr.base import Try
from workers.hr.values import Unusable, date_of, email_or_last, object_of, text_of
from workers.leavers import Leaver
from workers.targets.answers import Dialect
from workers.targets.base import Journal, Limit
from workers.targets.credentials import Bearer
from workers.targets.http import Client

VERSION = {"Finch-API-Version": b"2020-09-17"}
ADDRESS_CALL = "hr.individual"

LEFT = ("terminated", "retired", "deceased")
NEITHER = ("leave", "onboarding", "prehire")


class Finch:
    """workers.hr.base.HrSystem for one connection of Finch."""

    def __init__(self, api: Api, zone: ZoneInfo, limit: Limit) -> None:
        self._zone = zone
        self._http = Client(api, Bearer(api.api_key, VERSION), dialect=Dialect(), limit=limit)

    def employee(
        self, journal: Journal, employee_id: str, *, last_email: str, now: datetime
    ) -> Leaver | None:
        """What Finch says of the individual."""
        require_id(employee_id)
        with refusing():
            employment = self._record(journal, CALL, "employment", employee_id)
            left = _has_left(employment)
            if left is None:
                return None
            if not left:
                return works_here(employee_id, now)
            date = date_of(employment.get("end_date"), "the end date")
            individual = self._record(journal, ADDRESS_CALL, "individual", employee_id)
            email = email_or_last(_work_address(individual), last_email)
            return leaves(email, employee_id, date, zone=self._zone, now=now)

    def prove_credential(self, journal: Journal) -> None:
        """Ask whose the token is."""
        object_in(self._http.ask(journal, "hr.self", ("introspect",)).body, "hr.self")

    def webhook(self, journal: Journal, source: str) -> Sequence[Try] | None:
        """Finch shows no log of its webhooks."""
        return None

    def _record(self, journal: Journal, call: str, kind: str, employee_id: str) -> dict[str, Any]:
        """The record of this kind; the answer for each individual has a status of its own."""
        search = {"requests": [{"individual_id": employee_id}]}
        answer = self._http.ask(journal, call, ("employer", kind), search=search)
        responses = object_in(answer.body, call).get("responses")
        if not isinstance(responses, list) or len(responses) != 1:
            raise Unavailable(call, "an answer that is not about one individual")
        response = about(object_in(responses[0], call), "individual_id", employee_id)
        match response.get("code"):
            case 200:
                return about(object_of(response.get("body"), "the body"), "id", employee_id)
            case 404:
                raise Refused(call, "200 with code 404", reason="hr_unknown")
            case 429:
                raise LockedOut(call, "200 with code 429", reason="rate_limited")
        raise Unavailable(call, "200 with another code than 200")


def _has_left(employment: dict[str, Any]) -> bool | None:
    """Whether they have left; None: neither that nor at work.  Unusable where it is not plain."""
    status = text_of(employment.get("employment_status"), "the employment status").casefold()
    active = employment.get("is_active")
    if status in NEITHER:
        return None
    if status in LEFT and active is False:
        return True
    if status in ("active", "") and active is True:
        return False
    raise Unusable("unreadable", "employment_status and is_active do not agree, or one is missing")


def _work_address(individual: dict[str, Any]) -> Any:
    """The one address of work, None where there is none."""
    emails = individual.get("emails")
    if emails is None:
        return None
    if not isinstance(emails, list):
        raise Unusable("unreadable", "emails is not a list")
    entries = [object_of(each, "an address") for each in emails]
    work = [each.get("data") for each in entries if each.get("type") == "work"]
    found = [address for address in work if address not in (None, "")]
    if any(address != found[0] for address in found):
        raise Unusable("unreadable", "two different work addresses")
    return found[0] if found else None
