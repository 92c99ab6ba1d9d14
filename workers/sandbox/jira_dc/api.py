"""Fake of Jira Data Center's REST API 2, as far as it is about users, and of its login.

Written from https://docs.atlassian.com/software/jira/docs/api/REST/8.3.0 and the client that
b1ff/atlassian-dc-mcp generated from Jira's own description (both read 2026-11-23).  The traps are
kept: a search by parts of username, name and e-mail that shows active users unless told otherwise
and never says that it left some out; addresses that are masked or hidden, even for administrators,
and then are not searched; nobody found for a caller who may not browse users; usernames that say
nothing of the address; and refusals of a deactivation with the reason in a text.
"""

from collections.abc import Mapping
from typing import Any

from flask import g, request

from workers.sandbox.answers import Answer, Api, Operation, Refused, json_answer
from workers.sandbox.jira_dc import login
from workers.sandbox.jira_dc.errors import (
    ERRORS,
    NO_PERMISSION,
    no_user_with_key,
    not_logged_in,
    refused,
)
from workers.sandbox.jira_dc.login import FAILED, caller, must_be_known
from workers.sandbox.jira_dc.users import Jira, User, by_name

_CHANGEABLE = {"emailAddress": "email", "displayName": "display_name", "name": "name"}


def get_server(jira: Jira) -> Answer:
    """Anybody may ask."""
    caller(jira)
    version = jira.settings.version
    return _told(
        {
            "baseUrl": request.host_url + "jira-dc",
            "version": version,
            "versionNumbers": [int(number) for number in version.split(".")],
            "deploymentType": "Server",
            "serverTitle": "Sandbox",
        }
    )


def get_myself(jira: Jira) -> Answer:
    return _told(shown(jira, must_be_known(jira)))


def get_permissions(jira: Jira) -> Answer:
    """Every permission, and whether the caller has it; nobody may ask too, unless refused."""
    user = caller(jira)
    has = {
        "ADMINISTER": bool(user and user.administers),
        "SYSTEM_ADMIN": bool(user and user.administers),
        "USER_PICKER": bool(user and user.browses),
        "BROWSE": bool(user),
    }
    permissions = {
        key: {"key": key, "type": "GLOBAL", "havePermission": may} for key, may in has.items()
    }
    return _told({"permissions": permissions})


def search_users(jira: Jira) -> Answer:
    """Users of whom some part begins with the text; nobody for who may not browse users."""
    user = caller(jira)
    text = request.args.get("username", "").lower()
    shows = {True: _flag("includeActive", default=True), False: _flag("includeInactive")}
    start, limit = _number("startAt", 0), _number("maxResults", 50)
    if user is None or not user.browses or not text:
        return _told([])
    found = [
        each
        for each in jira.search()
        if shows[each.active] and not each.deleted and _matches(jira, each, text)
    ]
    seen = found[: jira.settings.most_found][start : start + limit]
    return _told([shown(jira, each) for each in seen])


def get_user(jira: Jira) -> Answer:
    must_be_known(jira)
    known = _named(jira)
    user = jira.read(known.account_id) or known
    if user.deleted and not _flag("includeDeleted"):
        raise Refused(no_user_with_key())
    return _told(_whole(jira, user))


def update_user(jira: Jira) -> Answer:
    """Fields that are left out stay.  `active` counts from Jira 8.3 on."""
    operator = caller(jira)
    if operator is None or not operator.administers:
        raise Refused(refused(403, NO_PERMISSION))
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        raise Refused(refused(400, "The body is no user"))
    changes = {ours: body[theirs] for theirs, ours in _CHANGEABLE.items() if body.get(theirs)}
    if jira.settings.is_at_least(8, 3) and "active" in body:
        changes |= _activity(jira, body["active"])
    if not changes:
        raise Refused(refused(400, "No value found to be changed"))
    user = _named(jira)
    _check_may_change(operator, user, changes)
    jira.change(user.account_id, **changes)
    return _told(_whole(jira, jira.person(user.account_id) or user))


def end_sessions(jira: Jira, username: str) -> Answer:
    operator = must_be_known(jira)
    if not operator.administers:
        raise Refused(refused(403, NO_PERMISSION))
    user = by_name(jira, username)
    if user is None:
        raise Refused(refused(404, f"The user named '{username}' does not exist"))
    jira.change(user.account_id, sessions=())
    return Answer(200)


def _whole(jira: Jira, user: User) -> dict[str, Any]:
    """A user alone; the groups only if expanded."""
    expands = "groups" in request.args.get("expand", "").split(",")
    items = [{"name": name} for name in user.groups] if expands else []
    return shown(jira, user) | {"groups": {"size": len(user.groups), "items": items}}


def shown(jira: Jira, user: User) -> dict[str, Any]:
    """A user as Jira shows it; an address may be masked, or missing, for administrators too."""
    told = {
        "self": f"{request.host_url}jira-dc/rest/api/2/user?username={user.username}",
        "key": user.account_id,
        "name": user.username,
        "displayName": user.display_name,
        "active": user.active,
        "deleted": user.deleted,
        "timeZone": "Europe/Berlin",
        "locale": "en_US",
    }
    if jira.settings.emails == "hidden" or not user.email:
        return told
    masked = user.email.replace("@", " at ").replace(".", " dot ")
    return told | {"emailAddress": user.email if jira.settings.emails == "shown" else masked}


def account(jira: Jira, path: Mapping[str, str]) -> str | None:
    """The key of the user that the request names."""
    name = path.get("username") or request.args.get("username", "")
    user = jira.person(request.args.get("key", "")) or by_name(jira, name)
    return user.account_id if user else None


def _told(body: Any) -> Answer:
    """An answer, with the only sign that the credential was taken for nobody's."""
    return json_answer(200, body, {"X-Seraph-LoginReason": FAILED if "login_failed" in g else "OK"})


def _matches(jira: Jira, user: User, text: str) -> bool:
    searched = [user.username, user.display_name]
    if jira.settings.emails == "shown":
        searched.append(user.email)
    return any(text in each.lower() for each in searched)


def _named(jira: Jira) -> User:
    """The user whom `key` or `username` names, as they really are."""
    key, name = request.args.get("key"), request.args.get("username")
    if key and name:
        raise Refused(refused(400, "Only one of 'username' and 'key' can be given"))
    if not key and not name:
        raise Refused(refused(404, "Either 'username' or 'key' need to be provided"))
    user = jira.person(key) if key else by_name(jira, name or "")
    if user is None:
        raise Refused(
            no_user_with_key() if key else refused(404, f"The user named '{name}' does not exist")
        )
    return user


def _activity(jira: Jira, active: Any) -> dict[str, bool]:
    if isinstance(active, bool):
        return {"active": active}
    if jira.settings.active_as_text == "refused":
        raise Refused(refused(400, "active must be true or false"))
    return {}


def _check_may_change(operator: User, user: User, changes: Mapping[str, Any]) -> None:
    if user.directory == "ldap":
        raise Refused(refused(400, "Cannot edit user. The user's directory is read only."))
    if changes.get("active") is not False:
        return
    errors = {}
    if user.components:
        errors["active"] = f"The user leads components of {', '.join(user.components)}"
    if user.projects:
        errors["active"] = f"The user leads the projects {', '.join(user.projects)}"
    if errors:
        raise Refused(refused(400, errors=errors))
    if user == operator:
        raise Refused(refused(400, "The user who is logged in cannot be deactivated"))


def _flag(name: str, *, default: bool = False) -> bool:
    return request.args.get(name, str(default)).lower() == "true"


def _number(name: str, default: int) -> int:
    text = request.args.get(name, str(default))
    if not text.isdecimal():
        raise Refused(refused(400, f"{name} is no number"))
    return int(text)


API = Api(
    name="Jira Data Center",
    admits=lambda received: True,  # Each operation asks login.py: some are for anybody.
    unauthorized=not_logged_in(FAILED),
    unsupported_media_type=Answer(415),
    internal_error=refused(500, "Internal server error"),
    errors=ERRORS,
    account=account,
)

_REST = "/jira-dc/rest/api/2"
_USER = f"{_REST}/user"
_SESSION = "/jira-dc/rest/auth/1/session"


def _operation(name: str, method: str, rule: str, *rest: Any, **options: Any) -> Operation:
    return Operation(f"jira-dc.{name}", API, method, rule, *rest, **options)


OPERATIONS = (
    _operation("server.get", "GET", f"{_REST}/serverInfo", get_server),
    _operation("myself.get", "GET", f"{_REST}/myself", get_myself),
    _operation("permissions.get", "GET", f"{_REST}/mypermissions", get_permissions),
    _operation("user.search", "GET", f"{_USER}/search", search_users, empty=[]),
    _operation("user.get", "GET", _USER, get_user),
    _operation("user.update", "PUT", _USER, update_user, writes=True),
    _operation(
        "session.end", "DELETE", f"{_USER}/session/<path:username>", end_sessions, writes=True
    ),
    _operation("login", "POST", _SESSION, login.log_in),
    _operation("login.get", "GET", _SESSION, login.who_is_logged_in),
    _operation("logout", "DELETE", _SESSION, login.log_out),
)
