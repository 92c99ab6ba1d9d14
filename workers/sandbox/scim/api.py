"""Fake of Atlassian's user provisioning API (SCIM 2.0), as far as it deactivates users.

Written from Atlassian's OpenAPI description of 2022-08-29 and RFC 7644 (read 2026-11-23).  Kept are
its traps: a filter on userName or externalId only, none on addresses; 404 for a user as for a
directory; two shapes of errors.  Not confirmed: which spelling of Operations it takes; here both.
DELETE and PUT are left out: no call should ever be one.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from flask import Request, request

from workers.sandbox.answers import Answer, Api, Operation, Refused, json_answer
from workers.sandbox.scim.users import DIRECTORY_ID, KEY, Directory, User

_URN = "urn:ietf:params:scim"
_FILTER = re.compile(r'(userName|externalId) eq ("(?:[^"\\]|\\.)*")', re.IGNORECASE)


def refused(status: int, detail: str, scim_type: str = "") -> Answer:
    """The shape of SCIM; the status is a string in it."""
    body = {"schemas": [f"{_URN}:api:messages:2.0:Error"], "status": str(status), "detail": detail}
    return json_answer(status, body | ({"scimType": scim_type} if scim_type else {}))


def failure(status: int, error: str) -> Answer:
    """The shape of what stands before SCIM: for 401 and 403."""
    return json_answer(status, {"error": error, "traceId": "5a1d0b0c"})


def list_users(directory: Directory, directory_id: str) -> Answer:
    """Users by id, from `startIndex` on; a filter compares the whole userName."""
    _check(directory_id)
    start = max(_number("startIndex", 1), 1)
    count = min(_number("count", 100), directory.settings.most_listed)
    users = [user for user in directory.search() if _passes(directory, user)]
    page = [shown(user) for user in users[start - 1 :][:count]]
    return json_answer(
        200,
        {
            "schemas": [f"{_URN}:api:messages:2.0:ListResponse"],
            "totalResults": len(users),
            "startIndex": start,
            "itemsPerPage": len(page),
            "Resources": page,
        },
    )


def get_user(directory: Directory, directory_id: str, user_id: str) -> Answer:
    _check(directory_id)
    return json_answer(200, shown(_user(directory, user_id)))


def patch_user(directory: Directory, directory_id: str, user_id: str) -> Answer:
    """Replaces `active`; nothing else can be changed here."""
    _check(directory_id)
    _user(directory, user_id)
    body = request.get_json(silent=True)
    operations = body.get("Operations", body.get("operations")) if isinstance(body, dict) else None
    if not isinstance(operations, list) or not operations:
        raise Refused(refused(400, "The body has no operations", "invalidSyntax"))
    for operation in operations:
        if operation.get("op") != "replace" or operation.get("path") != "active":
            raise Refused(refused(400, "Only active can be replaced", "invalidPath"))
        if not isinstance(operation.get("value"), bool):
            raise Refused(refused(400, "active is true or false", "invalidValue"))
        directory.change(user_id, active=operation["value"])
    return json_answer(200, shown(directory.person(user_id) or _user(directory, user_id)))


def shown(user: User) -> dict[str, Any]:
    others = [{"value": email, "type": "other", "primary": False} for email in user.other_emails]
    return {
        "schemas": [f"{_URN}:schemas:core:2.0:User"],
        "id": user.account_id,
        "userName": user.user_name,
        "displayName": user.display_name,
        "emails": [*others, {"value": user.email, "type": "work", "primary": True}],
        "active": user.active,
        "groups": [{"value": f"id-of-{name}", "display": name} for name in user.groups],
        "urn:scim:schemas:extension:atlassian-external:1.0": {
            "atlassianAccountId": f"712020:{user.account_id}"
        },
        "meta": {"resourceType": "USER"},
    }


def _check(directory_id: str) -> None:
    if directory_id != DIRECTORY_ID:
        raise Refused(refused(404, f"Directory {directory_id} not found"))


def _user(directory: Directory, user_id: str) -> User:
    user = directory.read(user_id)
    if user is None:
        raise Refused(refused(404, f"User {user_id} not found"))
    return user


def _passes(directory: Directory, user: User) -> bool:
    """Whether the filter of the request lets the user through; nobody here has an externalId."""
    text = request.args.get("filter")
    if text is None:
        return True
    parts = _FILTER.fullmatch(text)
    if parts is None:
        raise Refused(refused(400, f"The filter {text} is not supported", "invalidFilter"))
    fold = str.lower if directory.settings.search_ignores_case else str
    wanted = json.loads(parts[2])
    return parts[1].lower() == "username" and fold(user.user_name) == fold(wanted)


def _number(name: str, default: int) -> int:
    text = request.args.get(name, str(default))
    if not text.isdecimal():
        raise Refused(refused(400, f"{name} is no number", "invalidValue"))
    return int(text)


def _admits(received: Request) -> bool:
    return received.headers.get("Authorization") == f"Bearer {KEY}"


def _account(directory: Directory, path: Mapping[str, str]) -> str | None:
    return path.get("user_id")


API = Api(
    name="User provisioning API",
    admits=_admits,
    unauthorized=failure(401, "Unauthorized"),
    unsupported_media_type=Answer(415),
    internal_error=refused(500, "Internal error"),
    errors={
        "forbidden": lambda: failure(403, "Forbidden"),
        "uniqueness": lambda: refused(409, "Already taken", "uniqueness"),
        "mutability": lambda: refused(400, "Cannot be changed", "mutability"),
        "no_user": lambda: refused(404, "Not found"),
    },
    account=_account,
)

_USERS = "/scim/directory/<directory_id>/Users"
_USER = f"{_USERS}/<user_id>"

OPERATIONS = (
    Operation("scim.users.list", API, "GET", _USERS, list_users, empty={"totalResults": 0}),
    Operation("scim.users.get", API, "GET", _USER, get_user),
    Operation("scim.users.patch", API, "PATCH", _USER, patch_user, writes=True),
)
