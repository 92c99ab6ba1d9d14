"""Atlassian's error shapes: the Organizations API alone has four.

Sources: the `components` of Atlassian's published descriptions (organization of 2026-08-21,
user management of 2026-08-15; read 2026-11-23).
"""

from collections.abc import Callable
from typing import Any, get_args

from flask import request

from workers.sandbox.answers import Answer, json_answer
from workers.sandbox.people import Reason

_TITLES = {
    "ADMIN-400-1": "Invalid page cursor",
    "ADMIN-400-4": "Invalid resource",
    "ADMIN-400-24": "Invalid request body",
    "ADMIN-401-2": "INSUFFICIENT_SCOPE",
    "ADMIN-403-3": "Not allowed to manage the org",
    "ADMIN-404-1": "Unknown resource",
    "ADMIN-404-2": "Organization not found",
    "ADMIN-404-8": "User not found",
    "ADMIN-409-28": "Conflict",
    "ADMIN-429-1": "Rate limit exceeded",
    "ADMIN-500-1": "Internal error",
    "ADMIN-UAM-400-1": "Bad Request",
    "ADMIN-UAM-400-2": "Inactive user",
    "ADMIN-UAM-401-1": "Unauthenticated",
    "ADMIN-UAM-401-2": "Unauthorized",
    "ADMIN-UAM-403-1": "Forbidden",
    "ADMIN-UAM-403-2": "Not allowed to manage the org",
    "ADMIN-UAM-404-1": "Unknown Resource",
    "ADMIN-UAM-404-2": "Organization not found",
    "ADMIN-UAM-404-3": "Group Not Found",
    "ADMIN-UAM-405-1": "Method Not Supported",
    "ADMIN-UAM-409-2": "Resource Conflicts",
    "ADMIN-UAM-415-1": "Unsupported Media Type",
    "ADMIN-UAM-500-1": "Internal Error",
}


def application(code: str, detail: str = "") -> Answer:
    """Shape 1, `{"errors": [...]}`; the status is a string in it and a part of the code."""
    status = code.split("-")[-2]
    error = {"id": "5a1d0b0c", "status": status, "code": code, "title": _TITLES[code]}
    return json_answer(int(status), {"errors": [error | {"detail": detail or _TITLES[code]}]})


def gateway(status: int, message: str) -> Answer:
    """Shape 2, `{"code": 401, ...}`: the code is a number."""
    return json_answer(status, {"code": status, "message": message})


def edge(status: int, error: str) -> Answer:
    """Shape 3, from the edge in front of the API: for an organization that it cannot route.

    Seen by ConductorOne/baton-atlassian, pkg/client/helper_test.go (read 2026-11-23).
    """
    body = {
        "timestamp": "2026-11-23T12:00:00.000+00:00",
        "path": f"/api{request.path}",
        "status": status,
        "error": error,
        "requestId": "6f3e0d1c",
        "message": "TCS validation failed",
    }
    return json_answer(status, body)


def keyed(status: int, key: str, context: Any = None) -> Answer:
    """Shape 4, `{"key": ...}`: the only one of the User management API."""
    body = {"key": key} if context is None else {"key": key, "context": context}
    return json_answer(status, body)


def forbidden_action(reason: str) -> Answer:
    return keyed(403, "forbidden.action", {"allowed": False, "reason": {"key": reason}})


def lifecycle_conflict(*codes: str) -> Answer:
    """The codes are not published; ours begin with `sandbox.`."""
    context = {
        "message": "This account isn't eligible for the requested action",
        "accountId": (request.view_args or {})["account_id"],
        "errorCodes": [{"code": code, "message": f"Refused: {code}"} for code in codes],
    }
    return keyed(409, "conflict.lifecycleErrors", context)


def fields_violated(field: str, violation: str) -> Answer:
    violations = [{"field": field, "violations": [{"key": violation}]}]
    return keyed(400, "fieldConstraintsViolated", {"fieldViolations": violations})


def _always(answer: Answer) -> Callable[[], Answer]:
    return lambda: answer


ORGANIZATION_ERRORS: dict[str, Callable[[], Answer]] = {
    **{code: _always(application(code)) for code in _TITLES},
    "edge.403": lambda: edge(403, "Forbidden"),
    "edge.404": lambda: edge(404, "Not Found"),
    "unauthorized": _always(keyed(401, "unauthorized")),
    "asapUnauthorizedIssuer": _always(keyed(401, "asapUnauthorizedIssuer")),
}

USER_MANAGEMENT_ERRORS: dict[str, Callable[[], Answer]] = {
    "bodyParseFailure": _always(keyed(400, "bodyParseFailure")),
    "fieldConstraintsViolated": _always(fields_violated("message", "maxLength")),
    "gateway.401": _always(gateway(401, "Unauthorized")),
    "forbidden": _always(keyed(403, "forbidden")),
    **{
        f"forbidden.action/{reason}": _always(forbidden_action(reason))
        for reason in get_args(Reason)
    },
    # Here the context is a text, as in jira.atlassian.com/browse/ID-7748 (read 2026-11-23).
    "forbidden.targetUnverified": _always(
        keyed(
            403,
            "forbidden.targetUnverified",
            "Error: Cannot perform action on unverified account",
        )
    ),
    "accountNotFound": _always(keyed(404, "accountNotFound")),
    "notFound": _always(keyed(404, "notFound")),
    "conflict.lifecycleErrors": lambda: lifecycle_conflict("sandbox.ordered"),
}
