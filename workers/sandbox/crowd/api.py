"""Fake of Crowd's user management API, as far as it is about users and their sessions.

Written from https://developer.atlassian.com/server/crowd/ (query language, JSON requests and
responses) and Crowd's own Java client (both read 2026-11-23).  The traps are kept: a caller is an
application, at a known address; values in a restriction that need quotes, and stars that match
anything; a search that gives names only unless told to expand; XML for whoever does not ask for
JSON; and a PUT that takes the body for the whole user, blanking what is not in it.
"""

import base64
import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

from flask import Request, request

from workers.sandbox.answers import NO_CONTENT, Answer, Api, Operation, Refused, json_answer
from workers.sandbox.crowd.errors import (
    ERRORS,
    WRONG_PASSWORD,
    no_permission,
    no_user,
    refused,
    unknown_caller,
    web_page,
)
from workers.sandbox.crowd.users import APPLICATION, PASSWORD, Crowd, User, by_name, visible

_REST = "/crowd/rest/usermanagement/1"
_LOGIN = base64.b64encode(f"{APPLICATION}:{PASSWORD}".encode()).decode()

# Unquoted, a value is a plain word; where it ends otherwise no page says.
_BY_EMAIL = re.compile(r'\s*email\s*=\s*(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<plain>[\w.@*-]+))\s*')

_FIELDS = {
    "first-name": "first_name",
    "last-name": "last_name",
    "display-name": "display_name",
    "email": "email",
}


def search_users(crowd: Crowd) -> Answer:
    """Users by e-mail, or all; sorted by username, as many as asked for."""
    _check_caller(crowd)
    if request.args.get("entity-type") != "user":
        raise Refused(refused(400, "ILLEGAL_ARGUMENT", "entity-type must be user"))
    matches = _restriction(crowd)
    seen = visible(crowd, crowd.search())
    found = [seen[name] for name in sorted(seen) if matches(_email(crowd, seen[name]))]
    start, most = _number("start-index", 0), _number("max-results", 1000)
    show = _shown if request.args.get("expand") == "user" else _name_only
    users = [show(crowd, user) for user in found[start : start + most]]
    return _told({"expand": "user", "users": users})


def get_user(crowd: Crowd) -> Answer:
    return _told(_shown(crowd, _seen(crowd)))


def list_direct_groups(crowd: Crowd) -> Answer:
    return _groups(crowd, _seen(crowd).groups)


def list_nested_groups(crowd: Crowd) -> Answer:
    user = _seen(crowd)
    return _groups(crowd, (*user.groups, *user.nested))


def update_user(crowd: Crowd) -> Answer:
    """The body is the whole user: what it leaves out is blank afterwards."""
    _check_caller(crowd)
    user = _asked_for(crowd)
    body = request.get_json(silent=True)
    if not isinstance(body, dict) or str(body.get("name", "")).lower() != user.username.lower():
        raise Refused(refused(400, "ILLEGAL_ARGUMENT", "The body is not this user"))
    if user.directory == "ldap" or not crowd.settings.may_update:
        raise Refused(no_permission())
    changes = {ours: str(body.get(theirs) or "") for theirs, ours in _FIELDS.items()}
    crowd.change(user.account_id, **changes, active=body.get("active") is True)
    return NO_CONTENT


def end_sessions(crowd: Crowd) -> Answer:
    """All sessions of a user; there are none of a user who does not exist."""
    _check_caller(crowd)
    if not crowd.settings.ends_sessions:
        raise Refused(web_page(405))
    user = by_name(crowd, request.args.get("username", ""))
    if user:
        crowd.change(user.account_id, sessions=())
    return NO_CONTENT


def account(crowd: Crowd, path: Mapping[str, str]) -> str | None:
    """The key of the user that the request names."""
    user = by_name(crowd, request.args.get("username", ""))
    return user.account_id if user else None


def knows_password(received: Request) -> bool:
    scheme, _, login = received.headers.get("Authorization", "").partition(" ")
    return (scheme, login) == ("Basic", _LOGIN)


def _check_caller(crowd: Crowd) -> None:
    if not crowd.settings.knows_address:
        raise Refused(unknown_caller())


def _restriction(crowd: Crowd) -> Callable[[str], bool]:
    """Whether an address is what the restriction asks for; without one, any."""
    text = request.args.get("restriction")
    if text is None:
        return lambda email: True
    match = _BY_EMAIL.fullmatch(text)
    if match is None:
        raise Refused(refused(400, "ILLEGAL_ARGUMENT", "The restriction cannot be parsed"))
    quoted = match["quoted"]
    value = match["plain"] if quoted is None else re.sub(r"\\(.)", r"\1", quoted)
    flags = re.IGNORECASE if crowd.settings.search_ignores_case else 0
    pattern = re.compile(".*".join(map(re.escape, value.split("*"))), flags)
    return lambda email: pattern.fullmatch(email) is not None


def _asked_for(crowd: Crowd) -> User:
    username = request.args.get("username", "")
    user = by_name(crowd, username)
    if user is None:
        raise Refused(no_user(username))
    return user


def _seen(crowd: Crowd) -> User:
    _check_caller(crowd)
    known = _asked_for(crowd)
    return crowd.read(known.account_id) or known


def _groups(crowd: Crowd, names: tuple[str, ...]) -> Answer:
    start, most = _number("start-index", 0), _number("max-results", 1000)
    groups = [{"name": name} for name in names[start : start + most]]
    return _told({"expand": "group", "groups": groups})


def _email(crowd: Crowd, user: User) -> str:
    return user.email if crowd.settings.emails else ""


def _name_only(crowd: Crowd, user: User) -> dict[str, Any]:
    return {"link": _link("user", user), "name": user.username}


def _shown(crowd: Crowd, user: User) -> dict[str, Any]:
    """A user; its attributes and its password are only linked."""
    return {
        "expand": "attributes",
        "link": _link("user", user),
        "name": user.username,
        "key": user.account_id,
        "first-name": user.first_name,
        "last-name": user.last_name,
        "display-name": user.display_name,
        "email": _email(crowd, user),
        "password": {"link": _link("user/password", user, rel="edit")},
        "active": user.active,
        "attributes": {"link": _link("user/attribute", user), "attributes": []},
    }


def _link(resource: str, user: User, *, rel: str = "self") -> dict[str, str]:
    address = f"{request.host_url.rstrip('/')}{_REST}/{resource}?username={quote(user.username)}"
    return {"rel": rel, "href": address}


def _told(body: Any) -> Answer:
    """JSON for whoever asks for it."""
    if "application/json" in request.headers.get("Accept", ""):
        return json_answer(200, body)
    return Answer(200, b'<?xml version="1.0" encoding="UTF-8"?><answer/>', "application/xml")


def _number(name: str, default: int) -> int:
    text = request.args.get(name, str(default))
    if not text.isdecimal():
        raise Refused(refused(400, "ILLEGAL_ARGUMENT", f"{name} is no number"))
    return int(text)


API = Api(
    name="Crowd",
    admits=knows_password,
    unauthorized=WRONG_PASSWORD,
    unsupported_media_type=web_page(415),
    internal_error=refused(500, "OPERATION_FAILED", "Internal server error"),
    errors=ERRORS,
    account=account,
)


def _operation(name: str, method: str, rule: str, *rest: Any, **options: Any) -> Operation:
    return Operation(f"crowd.{name}", API, method, f"{_REST}/{rule}", *rest, **options)


_NO_GROUPS: dict[str, Any] = {"expand": "group", "groups": []}

OPERATIONS = (
    _operation("user.search", "GET", "search", search_users, empty={"expand": "user", "users": []}),
    _operation("user.get", "GET", "user", get_user),
    _operation("groups.direct", "GET", "user/group/direct", list_direct_groups, empty=_NO_GROUPS),
    _operation("groups.nested", "GET", "user/group/nested", list_nested_groups, empty=_NO_GROUPS),
    _operation("user.update", "PUT", "user", update_user, writes=True),
    _operation("session.end", "DELETE", "session", end_sessions, writes=True),
)
