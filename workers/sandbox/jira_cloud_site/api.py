"""Fake of the REST API 3 of a Jira site in Atlassian's cloud, as far as it is about users.

Written from Atlassian's documentation of the API (read 2026-11-23).  Kept are its traps: a wrong
credential may be taken for nobody's, with a header as the only sign; a search that anybody may
make, by the beginning of name or address, which shows active users only and nobody to who may not
browse users; addresses that are hidden; pages that are shorter than was asked for.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from flask import g, request

from workers.sandbox.answers import Answer, Api, Operation, Refused, json_answer
from workers.sandbox.jira_cloud_site.users import Site, User

_FAILED = {"X-Seraph-LoginReason": "AUTHENTICATED_FAILED"}


def refused(status: int, *messages: str, headers: Mapping[str, str] | None = None) -> Answer:
    return json_answer(status, {"errorMessages": list(messages), "errors": {}}, headers)


def no_user() -> Answer:
    return refused(404, "Specified user does not exist or you do not have required permissions")


def not_logged_in() -> Answer:
    return refused(401, "Client must be authenticated to access this resource.", headers=_FAILED)


def get_myself(site: Site) -> Answer:
    return _told(shown(_must_be_known(site)))


def get_permissions(site: Site) -> Answer:
    """Those that are asked for, and whether the caller has them; anybody may ask."""
    user = _caller(site)
    asked = request.args.get("permissions", "")
    if not asked:
        raise Refused(refused(400, "The permissions query parameter is required"))
    has = {
        "ADMINISTER": bool(user and user.administers),
        "USER_PICKER": bool(user and user.browses),
    }
    told = {key: {"key": key, "havePermission": has.get(key, False)} for key in asked.split(",")}
    return _told({"permissions": told})


def search_users(site: Site) -> Answer:
    """Active users of whom name or address begins with the text."""
    text = request.args.get("query", "").lower()
    seen = [user for user in _seen(site) if user.active and text and _begins_with(site, user, text)]
    return _told([shown(user) for user in seen[: _number("maxResults", 50)]])


def list_users(site: Site) -> Answer:
    """Everybody, page by page."""
    start = _number("startAt", 0)
    limit = min(_number("maxResults", 50), site.settings.most_listed)
    return _told([shown(user) for user in _seen(site)[start : start + limit]])


def get_user(site: Site) -> Answer:
    """One user; groups and roles only if expanded."""
    caller = _must_be_known(site)
    user = site.read(request.args.get("accountId", ""))
    if user is None or not caller.browses:
        raise Refused(no_user())
    expand = request.args.get("expand", "").split(",")
    groups = [{"name": name, "groupId": f"id-of-{name}"} for name in user.groups]
    roles = [{"key": name} for name in user.groups if name.endswith("-users")]
    lists = {"groups": groups, "applicationRoles": roles}
    expanded = {
        name: {"size": len(items), "items": items if name in expand else []}
        for name, items in lists.items()
    }
    return _told(shown(user) | expanded)


def leave_group(site: Site) -> Answer:
    """200 without a body."""
    user, group = _member(site, request.args.get("accountId", ""))
    if group not in user.groups:
        raise Refused(refused(400, f"User is not a member of {group}"))
    site.change(user.account_id, groups=tuple(name for name in user.groups if name != group))
    return Answer(200)


def join_group(site: Site) -> Answer:
    """201; who is in it already is refused."""
    body = request.get_json(silent=True)
    user, group = _member(site, str(body.get("accountId")) if isinstance(body, dict) else "")
    if group in user.groups:
        raise Refused(refused(400, f"User is already a member of {group}"))
    site.change(user.account_id, groups=(*user.groups, group))
    return json_answer(201, {"name": group})


def shown(user: User) -> dict[str, Any]:
    told = {
        "self": f"{request.host_url.rstrip('/')}{_REST}/user?accountId={quote(user.account_id)}",
        "accountId": user.account_id,
        "accountType": user.account_type,
        "displayName": user.display_name,
        "active": user.active,
    }
    return told | ({"emailAddress": user.email} if user.shows_email else {})


def _caller(site: Site) -> User | None:
    """The user behind the request, None for nobody."""
    sent = request.authorization
    if sent is None:
        return None
    for user in site.people():
        if user.token and (user.email, user.token) == (sent.username, sent.password):
            return user
    if site.settings.wrong_login == "refused":
        raise Refused(not_logged_in())
    g.login_failed = True
    return None


def _must_be_known(site: Site) -> User:
    user = _caller(site)
    if user is None:
        raise Refused(not_logged_in())
    return user


def _seen(site: Site) -> list[User]:
    caller = _caller(site)
    return site.search() if caller and caller.browses else []


def _begins_with(site: Site, user: User, text: str) -> bool:
    matches = [user.display_name]
    if user.shows_email or site.settings.finds_hidden:
        matches.append(user.email)
    return any(each.lower().startswith(text) for each in matches)


def _member(site: Site, account_id: str) -> tuple[User, str]:
    """The user, and the name of the group, of a change that the caller may make."""
    if not _must_be_known(site).administers:
        raise Refused(refused(403, "You do not have the permission to do this"))
    user = site.person(account_id)
    if user is None:
        raise Refused(no_user())
    return user, request.args.get("groupId", "").removeprefix("id-of-")


def _told(body: Any) -> Answer:
    return json_answer(200, body, _FAILED if "login_failed" in g else {})


def _number(name: str, default: int) -> int:
    text = request.args.get(name, str(default))
    if not text.isdecimal():
        raise Refused(refused(400, f"{name} is no number"))
    return int(text)


def _account(site: Site, path: Mapping[str, str]) -> str | None:
    body = request.get_json(silent=True)
    named = body.get("accountId") if isinstance(body, dict) else None
    return request.args.get("accountId") or (str(named) if named else None)


API = Api(
    name="Jira Cloud",
    admits=lambda received: True,  # Each operation asks who calls: some are for anybody.
    unauthorized=refused(401, "Client must be authenticated", headers=_FAILED),
    unsupported_media_type=Answer(415),
    internal_error=refused(500, "Internal server error"),
    errors={
        "nobody": lambda: json_answer(200, [], _FAILED),
        "denied": lambda: json_answer(200, [], {"X-Seraph-LoginReason": "AUTHENTICATION_DENIED"}),
        "forbidden": lambda: refused(403, "You do not have the permission to do this"),
    },
    account=_account,
)

_REST = "/jira-cloud-site/rest/api/3"


def _operation(name: str, method: str, path: str, *rest: Any, **options: Any) -> Operation:
    return Operation(f"jira-cloud-site.{name}", API, method, f"{_REST}/{path}", *rest, **options)


OPERATIONS = (
    _operation("myself.get", "GET", "myself", get_myself),
    _operation("permissions.get", "GET", "mypermissions", get_permissions),
    _operation("user.search", "GET", "user/search", search_users, empty=[]),
    _operation("users.list", "GET", "users/search", list_users, empty=[]),
    _operation("user.get", "GET", "user", get_user),
    _operation("group.leave", "DELETE", "group/user", leave_group, writes=True),
    _operation("group.join", "POST", "group/user", join_group, writes=True),
)
