"""Fake of /admin/rest/um/1, as far as it is about users, and of the login before it.

Nothing that describes this API is public: it is written from what scripts and the client
pycontribs/jira call, and what they take from the answers (read 2026-11-23).  Assumed are the error
shapes, that of Jira's framework, and that of two users with one address only one is shown.  That
a deactivation is answered 200, the client takes for granted.
"""

from collections.abc import Callable
from typing import Any

from flask import request

from workers.sandbox.answers import Answer, Api, Operation, Refused, json_answer
from workers.sandbox.jira_dc import login
from workers.sandbox.jira_dc.api import account
from workers.sandbox.jira_dc.errors import ERRORS, not_logged_in, refused
from workers.sandbox.jira_dc.login import FAILED, must_be_known
from workers.sandbox.jira_dc.users import Jira, User, by_name

_REST = "/jira-um1/admin/rest/um/1/user"
_SESSION = "/jira-um1/rest/auth/1/session"


def get_user(jira: Jira) -> Answer:
    """The user with this address, active or not."""
    _must_administer(jira)
    email = request.args.get("email", "")
    found = jira.search([email]) if email else []
    if not found:
        raise Refused(_missing(f"User with email {email} does not exist"))
    return json_answer(200, _shown(found[0]))


def list_users(jira: Jira) -> Answer:
    """All users, by key, as many as asked for."""
    _must_administer(jira)
    start = request.args.get("start-index", 0, type=int)
    most = request.args.get("max-results", 50, type=int)
    return json_answer(200, [_shown(user) for user in jira.search()[start : start + most]])


def deactivate(jira: Jira) -> Answer:
    return _set_active(jira, active=False)


def activate(jira: Jira) -> Answer:
    return _set_active(jira, active=True)


def _set_active(jira: Jira, *, active: bool) -> Answer:
    """A user from a directory that Jira only reads stays as it is; the answer is a success."""
    _must_administer(jira)
    username = request.args.get("username", "")
    user = by_name(jira, username)
    if user is None:
        raise Refused(_missing(f"User {username} does not exist"))
    if user.directory == "internal":
        jira.change(user.account_id, active=active)
    return Answer(200)


def _must_administer(jira: Jira) -> None:
    if not must_be_known(jira).administers:
        raise Refused(json_answer(403, {"message": "Forbidden", "status-code": 403}))


def _missing(text: str) -> Answer:
    return json_answer(404, {"message": text, "status-code": 404})


def _shown(user: User) -> dict[str, Any]:
    return {
        "name": user.username,
        "email": user.email,
        "displayName": user.display_name,
        "active": user.active,
    }


API = Api(
    name="Jira's old user management API",
    admits=lambda received: True,  # Each operation asks for the session itself.
    unauthorized=not_logged_in(FAILED),
    unsupported_media_type=Answer(415),
    internal_error=refused(500, "Internal server error"),
    errors=ERRORS,
    account=account,
)


def _operation(
    name: str, method: str, rule: str, view: Callable[..., Answer], **options: Any
) -> Operation:
    return Operation(f"jira-um1.{name}", API, method, rule, view, **options)


OPERATIONS = (
    _operation("user.get", "GET", _REST, get_user),
    _operation("user.list", "GET", f"{_REST}/search", list_users, empty=[]),
    _operation("user.deactivate", "POST", f"{_REST}/deactivate", deactivate, writes=True),
    _operation("user.activate", "POST", f"{_REST}/activate", activate, writes=True),
    _operation("login", "POST", _SESSION, login.log_in),
    _operation("logout", "DELETE", _SESSION, login.log_out),
)
