"""Fake of Atlassian's Organizations REST API (base path /admin).

Written from https://developer.atlassian.com/cloud/admin/organization/rest/ (description of
2026-08-21, read 2026-11-23) and from what others saw, which is named where it is used.  The traps
are kept: four error shapes, 415 without a JSON body, cursors that are texts in v2 and addresses in
v1, every field of a user optional, platformRoles of a search only on request, and 404 for more
than one thing.
"""

import hmac
import json
from typing import Any
from urllib.parse import urlencode
from uuid import NAMESPACE_URL, uuid5

from flask import Request, request
from pydantic import TypeAdapter, ValidationError

from workers.sandbox.answers import (
    NO_CONTENT,
    Answer,
    Api,
    Operation,
    Refused,
    instant,
    json_answer,
)
from workers.sandbox.atlassian.accounts import (
    DIRECTORY_IDS,
    directory_user,
    is_in,
    is_seen_in,
    managed_account,
)
from workers.sandbox.atlassian.cursors import opened, page
from workers.sandbox.atlassian.errors import ORGANIZATION_ERRORS, application, edge, gateway
from workers.sandbox.atlassian.search import Limit, as_query, finds, parse
from workers.sandbox.people import Directory, Membership, Person, Role
from workers.sandbox.state import State

ORG_ID = "5a4db0c5-0000-4000-8000-0000000000a1"
API_KEY = "sandbox-key-not-a-secret"
EVERY_DIRECTORY = "-"

_ACCOUNTS_A_PAGE = 50
_LIMIT = TypeAdapter(Limit)


def admits(received: Request) -> bool:
    """An organization's key as Bearer; a site token, which comes as Basic, is not one."""
    sent = received.headers.get("Authorization", "")
    return hmac.compare_digest(sent.encode(), f"Bearer {API_KEY}".encode())


def get_org(state: State, org_id: str) -> Answer:
    _check_org_v1(org_id)
    here = f"https://api.atlassian.com/admin/v1/orgs/{org_id}"
    org = {
        "id": org_id,
        "type": "orgs",
        "attributes": {"name": "Sandbox"},
        "relationships": {
            "domains": {"links": {"related": f"{here}/domains"}},
            "users": {"links": {"related": f"{here}/users"}},
        },
        "links": {"self": here},
    }
    return json_answer(200, {"data": org})


def list_accounts(state: State, org_id: str) -> Answer:
    """The managed accounts; the next page is an address here, not a cursor."""
    _check_org_v1(org_id)
    cursor = request.args.get("cursor")
    start, _ = opened(cursor, "accounts.list") if cursor else (0, {})
    managed = [person for person in state.search() if person.managed]
    shown, cursors = page(managed, start, _ACCOUNTS_A_PAGE, "accounts.list", {})
    links = {name: f"{request.base_url}?{urlencode({'cursor': c})}" for name, c in cursors.items()}
    data = [managed_account(person) for person in shown]
    return json_answer(200, {"data": data, "meta": {"total": len(managed)}, "links": links})


def list_directories(state: State, org_id: str) -> Answer:
    _check_org_v2(org_id)
    start, query = 0, request.args.to_dict()
    if "cursor" in query:
        start, query = opened(query["cursor"], "directories.list")
    try:
        limit = _LIMIT.validate_python(query.get("limit", 20))
    except ValidationError as error:
        raise Refused(application("ADMIN-UAM-400-1", "limit is 1 to 100")) from error
    names: list[Directory] = list(DIRECTORY_IDS)
    if "accountId" in query:
        member = state.read(query["accountId"])
        names = [name for name in names if member and name in member.directories]
    shown, links = page(names, start, limit, "directories.list", query)
    data = [
        {"directoryId": DIRECTORY_IDS[name], "name": f"{name.capitalize()} Directory"}
        for name in shown
    ]
    return json_answer(200, {"data": data, "links": links})


def search_users(state: State, org_id: str, directory_id: str) -> Answer:
    _check_org_v2(org_id)
    directory = _directory(directory_id)
    start, wanted = 0, parse(request.get_data() or b"{}")
    if wanted.cursor is not None:
        # "If present, all other parameters are discarded": the cursor holds the first request.
        start, query = opened(wanted.cursor, "users.search")
        wanted = parse(json.dumps(query))
    found = [
        person
        for person in state.search(wanted.emails)
        if is_seen_in(person, directory) and finds(wanted, person)
    ]
    shown, links = page(found, start, wanted.limit, "users.search", as_query(wanted))
    hidden = frozenset({"platformRoles"}.difference(wanted.expand))
    data = [
        directory_user(person, hidden=hidden) | {"links": {"self": person.account_id}}
        for person in shown
    ]
    return json_answer(200, {"data": data, "links": links})


def search_groups(state: State, org_id: str, directory_id: str) -> Answer:
    """The groups of the named accounts; without names, all groups."""
    _check_org_v2(org_id)
    _directory(directory_id)
    body = request.get_json(silent=True) or {}
    start = 0
    if "cursor" in body:
        start, body = opened(body["cursor"], "groups.search")
    wanted = body.get("accountIds")
    people = [p for p in state.search() if wanted is None or p.account_id in wanted]
    names = sorted({name for person in people for name in person.groups})
    shown, links = page(names, start, body.get("limit", 20), "groups.search", body)
    data = [{"id": str(uuid5(NAMESPACE_URL, name)), "name": name} for name in shown]
    return json_answer(200, {"data": data, "links": links})


def get_user(state: State, org_id: str, directory_id: str, account_id: str) -> Answer:
    person = _seen(state, org_id, directory_id, account_id)
    user = directory_user(person, _directory(directory_id))
    if person.deactivated_on:
        user["deactivatedOn"] = instant(person.deactivated_on)
    return json_answer(200, {"data": user})


def suspend_user(state: State, org_id: str, directory_id: str, account_id: str) -> Answer:
    """Works on unmanaged accounts too, but not on organization administrators.

    400 for an administrator: a comment in ConductorOne/baton-atlassian, about v1 (read 2026-11-23).
    """
    person = _member(state, org_id, directory_id, account_id)
    if "atlassian/org-admin" in person.roles:
        raise Refused(application("ADMIN-UAM-400-1", "An organization admin cannot be suspended"))
    return _set_membership(state, person, directory_id, "suspended")


def restore_user(state: State, org_id: str, directory_id: str, account_id: str) -> Answer:
    person = _member(state, org_id, directory_id, account_id)
    return _set_membership(state, person, directory_id, "active")


def list_roles(state: State, org_id: str, directory_id: str, account_id: str) -> Answer:
    person = _seen(state, org_id, directory_id, account_id)
    assignment = {
        "resourceId": f"ari:cloud:platform::org/{org_id}",
        "resourceOwner": "platform",
        "roles": list(person.roles),
        "roleAssignments": [
            {"role": role, "roleAssignmentMethods": ["direct"]} for role in person.roles
        ],
        "directoryId": None,
        "userDirectoryStatus": None,
    }
    return json_answer(200, {"data": [assignment] if person.roles else [], "links": {}})


def assign_role(state: State, org_id: str, account_id: str) -> Answer:
    person, role = _person_and_role(state, org_id, account_id)
    if role not in person.roles:
        state.change(account_id, roles=(*person.roles, role))
    return NO_CONTENT


def revoke_role(state: State, org_id: str, account_id: str) -> Answer:
    person, role = _person_and_role(state, org_id, account_id)
    state.change(account_id, roles=tuple(held for held in person.roles if held != role))
    return NO_CONTENT


def _check_org_v1(org_id: str) -> None:
    if org_id != ORG_ID:
        raise Refused(application("ADMIN-404-2"))


def _check_org_v2(org_id: str) -> None:
    if org_id != ORG_ID:
        raise Refused(edge(404, "Not Found"))


def _directory(directory_id: str) -> Directory | None:
    """The directory; None for every directory that the key may manage."""
    if directory_id == EVERY_DIRECTORY:
        return None
    for name, known in DIRECTORY_IDS.items():
        if known == directory_id:
            return name
    raise Refused(application("ADMIN-UAM-404-1", "Unknown directory"))


def _user_not_found() -> Refused:
    # Seen by ConductorOne/baton-atlassian, pkg/client/helper_test.go (read 2026-11-23).
    return Refused(application("ADMIN-UAM-404-1", "One or more user not found in the directory"))


def _seen(state: State, org_id: str, directory_id: str, account_id: str) -> Person:
    """The person as a read sees them."""
    _check_org_v2(org_id)
    directory = _directory(directory_id)
    person = state.read(account_id)
    if person is None or not is_seen_in(person, directory):
        raise _user_not_found()
    return person


def _member(state: State, org_id: str, directory_id: str, account_id: str) -> Person:
    """The person as they are, to be suspended or restored."""
    _check_org_v2(org_id)
    directory = _directory(directory_id)
    if directory is None and not state.settings.suspend_everywhere:
        raise Refused(application("ADMIN-UAM-404-1", "Unknown directory"))
    person = state.person(account_id)
    if person is None or not is_in(person, directory):
        raise _user_not_found()
    return person


def _set_membership(
    state: State, person: Person, directory_id: str, membership: Membership
) -> Answer:
    directory = _directory(directory_id)
    directories = {
        name: membership if directory in (None, name) else was
        for name, was in person.directories.items()
    }
    if directories == person.directories and state.settings.suspend_again == 409:
        raise Refused(application("ADMIN-UAM-409-2", f"The user is {membership} already"))
    state.change(person.account_id, directories=directories)
    return NO_CONTENT


def _person_and_role(state: State, org_id: str, account_id: str) -> tuple[Person, Role]:
    _check_org_v1(org_id)
    person = state.person(account_id)
    if person is None:
        # "We couldn't find the organization or user": the description names this very code.
        raise Refused(application("ADMIN-UAM-404-3", "User not found"))
    body = request.get_json(silent=True)
    if not isinstance(body, dict) or body.get("role") != "atlassian/org-admin":
        raise Refused(application("ADMIN-UAM-400-1", "role must be atlassian/org-admin"))
    return person, "atlassian/org-admin"


API = Api(
    name="Organizations REST API",
    admits=admits,
    unauthorized=gateway(401, "Unauthorized"),
    unsupported_media_type=application("ADMIN-UAM-415-1"),
    internal_error=application("ADMIN-500-1"),
    errors=ORGANIZATION_ERRORS,
)

_V1 = "/admin/v1/orgs/<org_id>"
_V2 = "/admin/v2/orgs/<org_id>/directories"
_USERS = f"{_V2}/<directory_id>/users"
_USER = f"{_USERS}/<account_id>"
_ROLE = f"{_V1}/users/<account_id>/role-assignments"
_NONE: dict[str, Any] = {"data": [], "links": {}}

OPERATIONS = (
    Operation("org.get", API, "GET", _V1, get_org),
    Operation("accounts.list", API, "GET", f"{_V1}/users", list_accounts, empty=_NONE),
    Operation("directories.list", API, "GET", _V2, list_directories, empty=_NONE),
    Operation("users.search", API, "POST", f"{_USERS}/search", search_users, empty=_NONE),
    Operation(
        "groups.search",
        API,
        "POST",
        f"{_V2}/<directory_id>/groups/search",
        search_groups,
        empty=_NONE,
    ),
    Operation("users.get", API, "GET", _USER, get_user),
    Operation("users.suspend", API, "POST", f"{_USER}/suspend", suspend_user, writes=True),
    Operation("users.restore", API, "POST", f"{_USER}/restore", restore_user, writes=True),
    Operation("roles.list", API, "GET", f"{_USER}/role-assignments", list_roles, empty=_NONE),
    Operation("roles.assign", API, "POST", f"{_ROLE}/assign", assign_role, writes=True),
    Operation("roles.revoke", API, "POST", f"{_ROLE}/revoke", revoke_role, writes=True),
)
