"""Fake of BambooHR's API, as far as it is about one employee, and about webhooks.

Written from https://documentation.bamboohr.com/reference/get-employee and the OpenAPI description
in BambooHR/bhr-api-python (both read 2026-11-23).  The traps are kept: the key is the user name of
HTTP Basic; what the key's user may not see is null, and named in `_restrictedFields`; a field that
does not exist is left out; an error says why in a header, and has no body.
"""

from typing import Any

from flask import Request, request

from workers.sandbox.answers import Answer, Api, Operation, Refused, json_answer
from workers.sandbox.bamboohr.employees import API_KEY, Company, Employee

_REST = "/bamboohr/api/v1"
WEBHOOK = "17"

_FIELDS = {
    "status": "status",
    "employmentHistoryStatus": "employment",
    "terminationDate": "termination_date",
    "workEmail": "email",
}


def error(status: int, why: str = "") -> Answer:
    """An error: the reason is in a header."""
    return Answer(status, headers={"X-BambooHR-Error-Message": why} if why else {})


def nothing_here(status: int) -> Answer:
    """What stands at an address that the API does not have."""
    return Answer(status, b"<!doctype html><html><body>Not here</body></html>", "text/html")


def get_employee(company: Company, account_id: str) -> Answer:
    employee = company.read(account_id)
    if employee is None:
        raise Refused(error(404, "Employee not found"))
    asked = [name for name in request.args.get("fields", "").split(",") if name in _FIELDS]
    shown: dict[str, Any] = {"id": employee.account_id}
    shown |= {name: _shown(employee, name) for name in asked}
    if hidden := [name for name in asked if name in employee.restricted]:
        shown["_restrictedFields"] = hidden
    return json_answer(200, shown)


def list_webhooks(company: Company) -> Answer:
    """Those that the key's user has made."""
    known = company.settings
    if known.webhooks == "hidden":
        raise Refused(error(403, "You do not have access to webhooks"))
    hook = {"id": WEBHOOK, "name": "Leaver", "lastSent": None, "url": known.webhook_url}
    return json_answer(200, {"webhooks": [hook] if known.webhooks == "shown" else []})


def get_webhook_log(company: Company, webhook_id: str) -> Answer:
    known = company.settings
    if known.webhooks != "shown" or webhook_id != WEBHOOK:
        raise Refused(error(403, "You do not have access to this webhook"))
    attempts = [
        {
            "webhookId": WEBHOOK,
            "url": known.webhook_url,
            "lastAttempted": f"2026-11-23 12:{minute:02}:00",
            "statusCode": status,
            "format": "json",
            "employeeIds": ["1"],
        }
        for minute, status in enumerate(known.webhook_log)
    ]
    return json_answer(200, attempts[::-1])


def _shown(employee: Employee, name: str) -> str | None:
    if name in employee.restricted:
        return None
    value: str | None = getattr(employee, _FIELDS[name])
    return value or None if name == "workEmail" else value


def _knows_key(asked: Request) -> bool:
    """The key is the username; any password will do."""
    given = asked.authorization
    return given is not None and given.type == "basic" and given.username == API_KEY


API = Api(
    name="BambooHR",
    admits=_knows_key,
    unauthorized=error(401),
    unsupported_media_type=error(415),
    internal_error=error(500),
    errors={
        "page_404": lambda: nothing_here(404),
        "forbidden": lambda: error(403, "You do not have access to this employee"),
        "too_often": lambda: json_answer(200, {"error": {"code": 429, "message": "Too many"}}),
        "limit_503": lambda: Answer(
            503, headers={"Retry-After": "2", "X-BambooHR-Error-Message": "Limit Exceeded"}
        ),
    },
)


def _operation(name: str, method: str, rule: str, *rest: Any, **options: Any) -> Operation:
    return Operation(f"bamboohr.{name}", API, method, f"{_REST}/{rule}", *rest, **options)


OPERATIONS = (
    _operation("employee.get", "GET", "employees/<account_id>", get_employee),
    _operation("webhook.list", "GET", "webhooks", list_webhooks),
    _operation("webhook.log", "GET", "webhooks/<webhook_id>/log", get_webhook_log),
)
