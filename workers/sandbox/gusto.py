"""The fake of Gusto, under /gusto as if that were its address: what is about one employee.

Written from https://docs.gusto.com/app-integrations/reference/get-v1-employees (read 2026-11-23).
The shape of its errors is not confirmed.
"""

from flask import Request

from workers.sandbox.answers import Answer, Operation, Refused, json_answer
from workers.sandbox.employees import CAST, Company, Employee, api_of, nothing_here
from workers.sandbox.records import Pace
from workers.sandbox.system import System

# A plainly marked test token.
TOKEN = "gusto-token-not-a-secret"  # noqa: S105 - a test token


def error(status: int) -> Answer:
    said = {"error_key": "request", "category": "refused", "message": "This cannot be done"}
    return json_answer(status, {"errors": [said]})


def get_employee(company: Company, account_id: str) -> Answer:
    employee = company.read(account_id)
    if employee is None:
        raise Refused(error(404))
    date = employee.termination_date
    shown = {
        "uuid": account_id,
        "email": "private@example.org",
        "work_email": employee.email or None,
        "terminated": employee.terminated,
        "onboarded": True,
        "terminations": [{"active": employee.terminated, "effective_date": date}] if date else [],
    }
    return json_answer(200, {**shown, **employee.says})


def get_token_info(company: Company) -> Answer:
    return json_answer(200, {"scope": "employees:read", "resource": {"type": "Company"}})


def _knows_token(asked: Request) -> bool:
    return (
        asked.headers.get("Authorization") == f"Bearer {TOKEN}"
        and "X-Gusto-API-Version" in asked.headers
    )


API = api_of("Gusto", error, _knows_token)
OPERATIONS = (
    Operation("gusto.employee.get", API, "GET", "/gusto/v1/employees/<account_id>", get_employee),
    Operation("gusto.token.info", API, "GET", "/gusto/v1/token_info", get_token_info),
)
GUSTO = System("gusto", CAST, Employee, Pace, OPERATIONS, nothing_here)
