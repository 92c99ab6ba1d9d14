"""The fake of Finch, under /finch as if that were its address: what is about one individual.

Written from https://developer.tryfinch.com/api-reference/organization/employment and the types of
github.com/Finch-API/finch-api-python (both read 2026-11-23).  It is asked about several individuals
at once, and each has a status of its own in an answer that is always 200.
"""

from collections.abc import Callable, Mapping
from typing import Any

from flask import Request, request

from workers.sandbox.answers import Answer, Operation, Refused, json_answer
from workers.sandbox.employees import CAST, Company, Employee, api_of, nothing_here
from workers.sandbox.records import Pace
from workers.sandbox.system import System

# A plainly marked test token.
TOKEN = "finch-token-not-a-secret"  # noqa: S105 - a test token


def error(status: int) -> Answer:
    said = {"code": status, "name": "refused", "finch_code": "refused", "message": "Not possible"}
    return json_answer(status, said)


def post_employment(company: Company) -> Answer:
    def shown(employee: Employee) -> dict[str, Any]:
        return {
            "is_active": not employee.terminated,
            "employment_status": employee.account_status,
            "end_date": employee.termination_date or None,
        }

    return _each(company, shown)


def post_individual(company: Company) -> Answer:
    def shown(employee: Employee) -> dict[str, Any]:
        private = {"data": "private@example.org", "type": "personal"}
        work = {"data": employee.email, "type": "work"}
        return {"emails": [private, work] if employee.email else [private]}

    return _each(company, shown)


def get_introspect(company: Company) -> Answer:
    return json_answer(200, {"connection_id": "connection-1", "products": ["employment"]})


def _each(company: Company, shown: Callable[[Employee], dict[str, Any]]) -> Answer:
    ids = _asked(request)
    if not ids:
        raise Refused(error(400))
    return json_answer(200, {"responses": [_one(company, each, shown) for each in ids]})


def _one(
    company: Company, individual_id: str, shown: Callable[[Employee], dict[str, Any]]
) -> dict[str, Any]:
    employee = company.read(individual_id)
    if employee is None:
        body = {"code": 404, "name": "not_found", "message": "Individual not found"}
        return {"individual_id": individual_id, "code": 404, "body": body}
    body = {"id": individual_id, **shown(employee), **employee.says}
    return {"individual_id": individual_id, "code": 200, "body": body}


def _asked(asked: Request) -> list[str]:
    """The individuals of a request."""
    body = asked.get_json(silent=True)
    requests = body.get("requests") if isinstance(body, dict) else None
    if not isinstance(requests, list):
        return []
    return [str(each.get("individual_id")) for each in requests if isinstance(each, dict)]


def _first(company: Company, path: Mapping[str, str]) -> str | None:
    return next(iter(_asked(request)), None)


def _knows_token(asked: Request) -> bool:
    return (
        asked.headers.get("Authorization") == f"Bearer {TOKEN}"
        and "Finch-API-Version" in asked.headers
    )


API = api_of("Finch", error, _knows_token, account=_first)
OPERATIONS = (
    Operation("finch.employment", API, "POST", "/finch/employer/employment", post_employment),
    Operation("finch.individual", API, "POST", "/finch/employer/individual", post_individual),
    Operation("finch.introspect", API, "GET", "/finch/introspect", get_introspect),
)
FINCH = System("finch", CAST, Employee, Pace, OPERATIONS, nothing_here)
