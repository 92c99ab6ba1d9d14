"""Fake of Confluence Data Center's REST API, as far as it is about users.

Written from https://developer.atlassian.com/server/confluence/rest/v1020/ and the client that
b1ff/atlassian-dc-mcp generated from Confluence's own description (both read 2026-11-23).  The
traps are kept: no search by e-mail; a list of active users that leaves some out, is behind, and
moves while it is read; users by key or username with a status only on request, in one of two
spellings; a user who is nobody, answered 200; a disable that succeeds again and again; and the
profile of the mobile app, which no page describes and which is the only place that shows the e-mail
address of a user who is not active.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from flask import g, request

from workers.sandbox.answers import Answer, Api, Operation, Refused, json_answer
from workers.sandbox.confluence_dc.errors import ERRORS, login_page, no_resource, no_user, refused
from workers.sandbox.confluence_dc.login import FAILED, caller, must_administer, must_see_users
from workers.sandbox.confluence_dc.users import ADMINISTRATORS, Confluence, User, by_name


def get_current(confluence: Confluence) -> Answer:
    """Nobody is a user too, of the type anonymous."""
    user = caller(confluence)
    if user is None:
        return _told({"type": "anonymous", "displayName": "Anonymous"})
    return _told(_shown(confluence, user))


def get_user(confluence: Confluence) -> Answer:
    must_see_users(confluence)
    known = _named(confluence)
    return _told(_shown(confluence, confluence.read(known.account_id) or known))


def list_groups(confluence: Confluence) -> Answer:
    """The groups of one user."""
    must_see_users(confluence)
    user = _named(confluence)
    start, limit = _number("start", 0), _number("limit", 200)
    names = ["confluence-users", *([ADMINISTRATORS] if user.administers else []), *user.groups]
    shown = [{"type": "group", "name": name} for name in names[start : start + limit]]
    return _page(shown, start=start, limit=limit, more=start + limit < len(names))


def list_active(confluence: Confluence) -> Answer:
    """Who counts for the license, as the search index has it."""
    _since(confluence, 9, 3)
    must_administer(confluence)
    start, limit = _number("start", 0), _number("limit", 25)
    active = [user for user in confluence.search() if user.active and user.licensed]
    limit = min(limit, confluence.settings.longest_page)
    shown = [_listed(confluence, user) for user in active[start : start + limit]]
    return _page(shown, start=start, limit=limit, more=start + limit < len(active))


def list_permissions(confluence: Confluence) -> Answer:
    """Who may do what everywhere; only administrators may see it."""
    _since(confluence, 9, 3)
    must_administer(confluence)
    operation = {"targetType": "application", "operationKey": "administer"}
    subject = {"type": "group", "displayName": ADMINISTRATORS}
    return _told([{"operation": operation, "subject": subject}])


def get_profile(confluence: Confluence, username: str) -> Answer:
    """The profile that the mobile app reads."""
    if not confluence.settings.mobile:
        raise Refused(no_resource(404))
    must_see_users(confluence)
    user = by_name(confluence, username)
    if user is None:
        return _told({"userName": username, "unknownUser": True, "anonymous": False})
    profile = {
        "userName": user.username,
        "fullName": user.display_name,
        "url": f"/display/~{user.username}",
        "unknownUser": False,
        "anonymous": False,
    }
    return _told(profile | _address(confluence, user))


def disable(confluence: Confluence, username: str) -> Answer:
    return _set_active(confluence, username, active=False)


def enable(confluence: Confluence, username: str) -> Answer:
    return _set_active(confluence, username, active=True)


def account(confluence: Confluence, path: Mapping[str, str]) -> str | None:
    """The key of the user that the request names."""
    name = path.get("username") or request.args.get("username", "")
    user = confluence.person(request.args.get("key", "")) or by_name(confluence, name)
    return user.account_id if user else None


def _set_active(confluence: Confluence, username: str, *, active: bool) -> Answer:
    _since(confluence, 8, 2)
    must_administer(confluence)
    user = by_name(confluence, username)
    if user is None:
        raise Refused(refused(404, f"No user found with username : {username}"))
    if user.directory == "ldap" and user.active != active:
        if confluence.settings.read_only == 204:
            return Answer(204)
        text = "The user's directory is read only."
        raise Refused(refused(confluence.settings.read_only, text))
    confluence.change(user.account_id, active=active)
    return Answer(confluence.settings.disable_answer)


def _since(confluence: Confluence, *version: int) -> None:
    """The resource is there from this version on."""
    if not confluence.settings.is_at_least(*version):
        raise Refused(no_resource(404))


def _named(confluence: Confluence) -> User:
    """The user whom `key` or `username` names, as they really are."""
    key, name = request.args.get("key"), request.args.get("username", "")
    user = confluence.person(key) if key else by_name(confluence, name)
    if user is None:
        raise Refused(no_user())
    return user


def _shown(confluence: Confluence, user: User) -> dict[str, Any]:
    told = {
        "type": "known",
        "username": user.username,
        "userKey": user.account_id,
        "displayName": user.display_name,
        "profilePicture": {"path": "/images/default.svg", "isDefault": True},
        "_links": {"self": f"{request.base_url}?key={user.account_id}"},
    }
    if "status" not in request.args.get("expand", "").split(","):
        return told | {"_expandable": {"status": ""}}
    on, off = confluence.settings.status_words
    return told | {"status": on if user.active else off}


def _listed(confluence: Confluence, user: User) -> dict[str, Any]:
    shown = _shown(confluence, user)
    if confluence.settings.is_at_least(10, 2):
        shown |= _address(confluence, user)
    return shown


def _address(confluence: Confluence, user: User) -> dict[str, str]:
    match confluence.settings.emails:
        case "shown":
            return {"email": user.email}
        case "masked":
            return {"email": user.email.replace("@", " at ").replace(".", " dot ")}
        case _:
            return {}


def _page(
    results: list[dict[str, Any]], *, start: int = 0, limit: int = 200, more: bool = False
) -> Answer:
    links = {"self": request.url, "context": "/confluence-dc"}
    if more:
        links["next"] = f"{request.path}?{urlencode({'start': start + limit, 'limit': limit})}"
    page = {"results": results, "start": start, "limit": limit, "size": len(results)}
    return _told(page | {"_links": links})


def _told(body: Any) -> Answer:
    """An answer, with the only sign that the credential was taken for nobody's."""
    return json_answer(200, body, {"X-Seraph-LoginReason": FAILED if "login_failed" in g else "OK"})


def _number(name: str, default: int) -> int:
    text = request.args.get(name, str(default))
    if not text.isdecimal():
        raise Refused(refused(400, f"{name} is no number"))
    return int(text)


API = Api(
    name="Confluence Data Center",
    admits=lambda received: True,  # Each operation asks login.py: some are for anybody.
    unauthorized=login_page(401, FAILED),
    unsupported_media_type=Answer(415),
    internal_error=refused(500, "Internal server error"),
    errors=ERRORS,
    account=account,
)

_REST = "/confluence-dc/rest"
_USER = f"{_REST}/api/user"
_ADMIN = f"{_REST}/api/admin/user/<path:username>"
_NONE: dict[str, Any] = {"results": [], "start": 0, "limit": 200, "size": 0, "_links": {}}


def _operation(name: str, method: str, rule: str, *rest: Any, **options: Any) -> Operation:
    return Operation(f"confluence-dc.{name}", API, method, rule, *rest, **options)


OPERATIONS = (
    _operation("current.get", "GET", f"{_USER}/current", get_current),
    _operation("user.get", "GET", _USER, get_user),
    _operation("groups.list", "GET", f"{_USER}/memberof", list_groups, empty=_NONE),
    _operation(
        "active.list", "GET", f"{_REST}/api/admin/users/list/active", list_active, empty=_NONE
    ),
    _operation("permissions.list", "GET", f"{_REST}/api/permissions", list_permissions, empty=[]),
    _operation("profile.get", "GET", f"{_REST}/mobile/1.0/profile/<path:username>", get_profile),
    _operation("user.disable", "PUT", f"{_ADMIN}/disable", disable, writes=True),
    _operation("user.enable", "PUT", f"{_ADMIN}/enable", enable, writes=True),
)
