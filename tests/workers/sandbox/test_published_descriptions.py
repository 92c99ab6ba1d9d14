"""The fake answers as Atlassian's own descriptions say, in success and in error.

The descriptions are Atlassian's and are not part of this project: LEAVER_OPENAPI_DIR names a folder
that has them.  Their defects are mended here first, each by name; what the fake answers on purpose
although no description has it is named too, with its source.
"""

import copy
import json
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from openapi_core import Config, OpenAPI
from openapi_core.contrib.requests import RequestsOpenAPIRequest, RequestsOpenAPIResponse
from openapi_core.exceptions import OpenAPIError
from openapi_spec_validator import OpenAPIV30SpecValidator

from workers.sandbox import people
from workers.sandbox.atlassian import CLOUD
from workers.sandbox.atlassian.accounts import DIRECTORY_IDS
from workers.sandbox.atlassian.org import API_KEY, ORG_ID
from workers.sandbox.scim import SCIM, users

# Only these have published descriptions here.
OPERATIONS = {operation.name: operation for operation in (*CLOUD.operations, *SCIM.operations)}
FILES = {
    "Organizations REST API": "admin-organization.json",
    "User management REST API": "admin-user-management.json",
    "User provisioning API": "scim.json",
}
ORG_API, UM_API, SCIM_API = FILES
KEYS = {ORG_API: API_KEY, UM_API: API_KEY, SCIM_API: users.KEY}

# Requests ----------------------------------------------------------------------------------------

V1 = f"/admin/v1/orgs/{ORG_ID}"
V2 = f"/admin/v2/orgs/{ORG_ID}/directories"
PRIMARY = DIRECTORY_IDS["primary"]
ADMIN_ROLE = {"role": "atlassian/org-admin"}
OF_TOM = {"accountIds": [people.TOM.account_id], "limit": 100}
BY_EMAIL = {"emails": [people.LENA.email], "limit": 50, "expand": ["platformRoles"]}


@dataclass(frozen=True)
class Sent:
    """A request that the description allows, and the fault ordered for it."""

    operation: str
    path: str
    body: Any = None
    fault: str | None = None

    def send(self, api, control):
        if self.fault:
            ordered = {"operation": self.operation, "fault": self.fault}
            assert control.post("/faults", json=ordered).status_code == 201, self
        operation = OPERATIONS[self.operation]
        key = {"Authorization": f"Bearer {KEYS[operation.api.name]}"}
        return api.request(operation.method, self.path, json=self.body, headers=key)


def user(person, path="", directory="-"):
    return f"{V2}/{directory}/users/{person.account_id}{path}"


def account(person, path=""):
    return f"{V1}/users/{person.account_id}{path}"


def manage(person, path=""):
    return f"/users/{person.account_id}/manage{path}"


USERS = f"/scim/directory/{users.DIRECTORY_ID}/Users"
ACTIVE = {"op": "replace", "path": "active", "value": False}


def scim_user(person):
    return f"{USERS}/{person.account_id}"


GOOD = {
    "org.get": Sent("org.get", V1),
    "accounts.list": Sent("accounts.list", f"{V1}/users"),
    "directories.list": Sent("directories.list", V2),
    "users.search": Sent("users.search", f"{V2}/-/users/search", BY_EMAIL),
    "groups.search": Sent("groups.search", f"{V2}/-/groups/search", OF_TOM),
    "users.get": Sent("users.get", user(people.INACTIVE)),
    "users.suspend": Sent("users.suspend", user(people.TOM, "/suspend", PRIMARY), {}),
    "users.restore": Sent("users.restore", user(people.TOM, "/restore", PRIMARY), {}),
    "roles.list": Sent("roles.list", user(people.ADMINISTRATOR, "/role-assignments")),
    "roles.assign": Sent(
        "roles.assign", account(people.LENA, "/role-assignments/assign"), ADMIN_ROLE
    ),
    "roles.revoke": Sent(
        "roles.revoke", account(people.LENA, "/role-assignments/revoke"), ADMIN_ROLE
    ),
    "manage.get": Sent("manage.get", manage(people.LENA)),
    "profile.get": Sent("profile.get", manage(people.LENA, "/profile")),
    "lifecycle.disable": Sent("lifecycle.disable", manage(people.LENA, "/lifecycle/disable"), {}),
    "lifecycle.enable": Sent("lifecycle.enable", manage(people.LENA, "/lifecycle/enable"), {}),
    "tokens.list": Sent("tokens.list", manage(people.TOM, "/api-tokens")),
    "tokens.delete": Sent(
        "tokens.delete", manage(people.TOM, f"/api-tokens/{people.TOM.tokens[0].id}")
    ),
    "scim.users.list": Sent("scim.users.list", USERS),
    "scim.users.get": Sent("scim.users.get", scim_user(users.LENA)),
    "scim.users.patch": Sent("scim.users.patch", scim_user(users.LENA), {"operations": [ACTIVE]}),
}

# What the state of the sandbox makes of an allowed request, without any fault.
NATURAL = [
    Sent("accounts.list", f"{V1}/users?cursor=garbage"),
    Sent("org.get", "/admin/v1/orgs/other"),
    Sent("directories.list", f"{V2}?accountId={people.TOM.account_id}&limit=1"),
    *(
        Sent("users.search", f"{V2}/-/users/search", {"emails": [person.email]})
        for person in people.CAST
        if person is not people.APP
    ),
    Sent("users.search", f"{V2}/-/users/search", {"emails": [people.NOBODY]}),
    Sent("users.search", f"{V2}/-/users/search", {"limit": 1, "claimStatus": "managed"}),
    Sent("users.search", f"{V2}/-/users/search", BY_EMAIL | {"searchTerm": "both"}),
    Sent("users.search", f"{V2}/unknown/users/search", BY_EMAIL),
    *(Sent("users.get", user(person)) for person in people.CAST if person is not people.APP),
    Sent("users.get", f"{V2}/-/users/712020:unknown"),
    Sent("users.suspend", user(people.ADMINISTRATOR, "/suspend", PRIMARY), {}),
    Sent("users.suspend", user(people.LENA, "/suspend", DIRECTORY_IDS["secondary"]), {}),
    Sent("roles.list", user(people.LENA, "/role-assignments")),
    Sent("roles.assign", f"{V1}/users/712020:unknown/role-assignments/assign", ADMIN_ROLE),
    *(Sent("manage.get", manage(person)) for person in people.CAST),
    Sent("manage.get", manage(people.LENA, "?privileges=apiToken.read&privileges=profile.write")),
    *(Sent("profile.get", manage(person, "/profile")) for person in people.CAST),
    *(
        Sent("lifecycle.disable", manage(person, "/lifecycle/disable"), {"message": "Left"})
        for person in people.CAST
    ),
    Sent("lifecycle.disable", "/users/712020:unknown/manage/lifecycle/disable", {}),
    Sent("lifecycle.enable", manage(people.CLOSED, "/lifecycle/enable"), {}),
    Sent("tokens.list", manage(people.TOKENS_LOCKED, "/api-tokens")),
    Sent("tokens.delete", manage(people.TOM, "/api-tokens/unknown")),
    *(Sent("scim.users.get", scim_user(person)) for person in SCIM.cast),
    Sent("scim.users.get", f"{USERS}/unknown"),
    Sent("scim.users.list", f"{USERS}?startIndex=2&count=1"),
    Sent("scim.users.list", f'{USERS}?filter=userName eq "{users.LENA.user_name}"'),
    Sent("scim.users.list", f'{USERS}?filter=emails eq "{users.LENA.email}"'),
    Sent("scim.users.list", "/scim/directory/unknown/Users"),
    Sent("scim.users.patch", scim_user(users.INACTIVE), {"operations": [ACTIVE]}),
    Sent("scim.users.patch", scim_user(users.LENA), {"operations": []}),
]

_RATE_LIMITS = ["429", "429_date", "429_reset", "429_bare"]
_V2_ERRORS = [
    *("401", "500", *_RATE_LIMITS, "unauthorized", "asapUnauthorizedIssuer"),
    *("ADMIN-400-1", "ADMIN-400-4", "ADMIN-400-24", "ADMIN-401-2", "ADMIN-429-1"),
    *("ADMIN-UAM-400-1", "ADMIN-UAM-400-2", "ADMIN-UAM-401-1", "ADMIN-UAM-401-2"),
    "ADMIN-UAM-500-1",
]
_FORBIDDEN = ["ADMIN-403-3", "ADMIN-UAM-403-1", "ADMIN-UAM-403-2", "edge.403"]
_NOT_FOUND = [
    *("ADMIN-404-1", "ADMIN-404-2", "ADMIN-404-8", "edge.404"),
    *("ADMIN-UAM-404-1", "ADMIN-UAM-404-2"),
]
_V2_USER_ERRORS = [*_V2_ERRORS, *_FORBIDDEN, *_NOT_FOUND]
_ROLE_ERRORS = [
    *("401", "429", "500", "ADMIN-401-2"),
    *("ADMIN-UAM-400-1", "ADMIN-UAM-403-1", "ADMIN-UAM-404-3", "ADMIN-UAM-500-1"),
]
_MANAGE_ERRORS = ["401", "forbidden", "forbidden.targetUnverified", "accountNotFound", "notFound"]
_ACTION_ERRORS = [
    *_MANAGE_ERRORS,
    *(word for word in OPERATIONS["tokens.list"].api.errors if word.startswith("forbidden.action")),
]
_LIFECYCLE_ERRORS = [*_ACTION_ERRORS, "conflict.lifecycleErrors"]
_TOKEN_ERRORS = [*_ACTION_ERRORS, "bodyParseFailure", "fieldConstraintsViolated"]
_SCIM_ERRORS = ["401", "500", "503", "forbidden"]

# The errors that the description of each operation has.
DOCUMENTED = {
    "org.get": ["401", "ADMIN-404-2", "429", "429_reset", "500"],
    "accounts.list": ["401", "ADMIN-400-1", "ADMIN-404-2", "429", "500"],
    "directories.list": _V2_ERRORS,
    "users.search": _V2_USER_ERRORS,
    "groups.search": _V2_USER_ERRORS,
    "users.get": _V2_USER_ERRORS,
    "users.suspend": _V2_USER_ERRORS,
    "users.restore": _V2_USER_ERRORS,
    "roles.list": [*_V2_ERRORS, *_NOT_FOUND],
    "roles.assign": _ROLE_ERRORS,
    "roles.revoke": _ROLE_ERRORS,
    "manage.get": _MANAGE_ERRORS,
    "profile.get": _MANAGE_ERRORS,
    "lifecycle.disable": _LIFECYCLE_ERRORS,
    "lifecycle.enable": _LIFECYCLE_ERRORS,
    "tokens.list": [*_TOKEN_ERRORS, *_RATE_LIMITS],
    "tokens.delete": _TOKEN_ERRORS,
    "scim.users.list": _SCIM_ERRORS,
    "scim.users.get": [*_SCIM_ERRORS, "no_user"],
    "scim.users.patch": [*_SCIM_ERRORS, "no_user", "mutability"],
}

CHECKED = [
    *GOOD.values(),
    *NATURAL,
    *(
        Sent(name, GOOD[name].path, GOOD[name].body, fault)
        for name, faults in DOCUMENTED.items()
        for fault in faults
    ),
]

# Undocumented on purpose -------------------------------------------------------------------------


@dataclass(frozen=True)
class Undocumented:
    """An answer that no description has, and why the fake gives it."""

    sent: Sent
    status: int
    source: str


_EVERYWHERE = "not described here, but any service can have one"
_UM_RATE_LIMIT = "described for the list of tokens only, but the key has one limit"
UNDOCUMENTED = [
    Undocumented(
        Sent("users.suspend", GOOD["users.suspend"].path),
        415,
        "measured, README of a script that suspends from a CSV file; the list of codes has it",
    ),
    Undocumented(
        Sent("lifecycle.disable", GOOD["lifecycle.disable"].path),
        415,
        "the same measurement, assumed of every POST behind this gateway",
    ),
    Undocumented(
        Sent("directories.list", "/admin/v2/orgs/other/directories"),
        404,
        "seen by ConductorOne/baton-atlassian, pkg/client/helper_test.go",
    ),
    Undocumented(
        Sent("users.search", f"{V2}/-/users/search", {"emails": [people.APP.email]}),
        200,
        "accountType has one value in v2; v1 and profiles know app, which must not be deactivated",
    ),
    Undocumented(
        Sent("lifecycle.disable", GOOD["lifecycle.disable"].path, {}, "bodyParseFailure"),
        400,
        "described for the other calls that take a body",
    ),
    Undocumented(
        Sent("profile.get", GOOD["profile.get"].path, fault="gateway.401"),
        401,
        "described for the Organizations API behind the same gateway",
    ),
    *(
        Undocumented(Sent(name, sent.path, sent.body, "429"), 429, _UM_RATE_LIMIT)
        for name, sent in GOOD.items()
        if OPERATIONS[name].api.name == UM_API and name != "tokens.list"
    ),
    *(
        Undocumented(Sent(name, sent.path, sent.body, fault), int(fault), _EVERYWHERE)
        for name, sent in GOOD.items()
        for fault in {ORG_API: ("502", "503"), SCIM_API: ("502", "429")}.get(
            OPERATIONS[name].api.name, ("500", "502", "503")
        )
    ),
]

# Defects of the descriptions ---------------------------------------------------------------------

Description = dict[str, Any]


@dataclass(frozen=True)
class Defect:
    """Something wrong in a published description, and how it is mended."""

    api: str
    name: str
    mend: Callable[[Description], None]


def _give_a_type(description):
    data = description["components"]["schemas"]["MultiDirectoryGroupDetails"]["properties"]["data"]
    data["properties"]["counts"]["type"] = "object"


def _name_the_parameter(description):
    user_of = "/v2/orgs/{orgId}/directories/{directoryId}/users/"
    described = description["paths"].pop(user_of + "{userId}")
    description["paths"][user_of + "{accountId}"] |= described


def _drop_the_uuid(verb, description):
    path = f"/v1/orgs/{{orgId}}/users/{{userId}}/role-assignments/{verb}"
    for parameter in description["paths"][path]["post"]["parameters"]:
        if parameter["name"] == "userId":
            del parameter["schema"]["format"]


def _allow_null(description):
    schema = description["components"]["schemas"]["MultiDirectoryUserRoleAssignment"]
    schema["properties"]["userDirectoryStatus"] = {
        "type": "string",
        "nullable": True,
        "enum": ["active", "suspended", "no_membership", None],
    }


def _add_null(description):
    for name in ("MultiDirectoryUser", "MultiDirectoryUserDetailsData"):
        fields = description["components"]["schemas"][name]["properties"]
        fields["managementSource"]["enum"].append(None)


def _drop_the_newline(description):
    schema = description["components"]["schemas"]["AccountId"]
    schema["pattern"] = schema["pattern"].rstrip("\n")


def _let_it_be_sent(description):
    description["components"]["schemas"]["AccountId"]["readOnly"] = False


def _drop_the_discriminator(description):
    del description["components"]["schemas"]["Manageability.Rule.Simple"]["discriminator"]


def _let_any_value_be_patched(description):
    del description["components"]["schemas"]["JsonNode"]["type"]


DEFECTS = [
    Defect(ORG_API, "a type is named GroupCounts", _give_a_type),
    Defect(ORG_API, "users/{userId} calls its parameter accountId", _name_the_parameter),
    Defect(
        ORG_API,
        "role-assignments/assign takes account ids for UUIDs",
        partial(_drop_the_uuid, "assign"),
    ),
    Defect(
        ORG_API,
        "role-assignments/revoke takes account ids for UUIDs",
        partial(_drop_the_uuid, "revoke"),
    ),
    Defect(ORG_API, "userDirectoryStatus is nullable beside a $ref", _allow_null),
    Defect(ORG_API, "managementSource is nullable, but null is not among its values", _add_null),
    Defect(UM_API, "the pattern of account ids ends in a newline", _drop_the_newline),
    Defect(UM_API, "account ids in a path are read-only", _let_it_be_sent),
    Defect(UM_API, "a discriminator is a boolean", _drop_the_discriminator),
    Defect(SCIM_API, "only an object can be patched in", _let_any_value_be_patched),
]


# Checking ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Exchange:
    """A request and its answer, as they were on the wire."""

    sent: Sent
    answer: Any

    @property
    def api(self) -> str:
        return OPERATIONS[self.sent.operation].api.name


@pytest.fixture(scope="module")
def published() -> dict[str, Description]:
    """The descriptions as Atlassian published them, by API."""
    folder = os.environ.get("LEAVER_OPENAPI_DIR")
    if not folder:
        pytest.skip("Atlassian's descriptions were not checked: LEAVER_OPENAPI_DIR is not set")
    missing = [name for name in FILES.values() if not (Path(folder) / name).is_file()]
    if missing:
        pytest.fail(f"LEAVER_OPENAPI_DIR={folder} lacks {', '.join(missing)}")
    return {api: json.loads((Path(folder) / name).read_text()) for api, name in FILES.items()}


def mended(published, base_url, api, *, except_for=None) -> Description:
    """The description of an API without its defects, for the fake's own address."""
    description = copy.deepcopy(published[api])
    for defect in DEFECTS:
        if defect.api == api and defect is not except_for:
            defect.mend(description)
    description["servers"] = [{"url": base_url + ("/admin" if api == ORG_API else "")}]
    if api == SCIM_API:
        # It speaks of OAuth 2, which the checker does not know; the key is sent as a Bearer all the
        # same, says https://developer.atlassian.com/cloud/admin/user-provisioning/rest/intro/.
        del description["security"]
    return description


def checker(description: Description) -> OpenAPI:
    # Whether the description is valid itself is a test of its own.
    return OpenAPI.from_dict(description, config=Config(spec_validator_cls=None))


def faults_of(description: Description) -> list[str]:
    """What keeps it from being an OpenAPI description."""
    return [str(error) for error in OpenAPIV30SpecValidator(description).iter_errors()]


@pytest.fixture(scope="module")
def checkers(published, base_url) -> dict[str, OpenAPI]:
    return {api: checker(mended(published, base_url, api)) for api in FILES}


def answer_objection(description: OpenAPI, exchange: Exchange) -> str | None:
    """What a description has against the answer."""
    try:
        description.validate_response(
            RequestsOpenAPIRequest(exchange.answer.request),
            RequestsOpenAPIResponse(exchange.answer),
        )
    except OpenAPIError as error:
        return f"{exchange.sent}: {error!r} {error.__cause__!r}"
    return None


def objection(description: OpenAPI, exchange: Exchange) -> str | None:
    """What a description has against the request or the answer."""
    try:
        description.validate_request(RequestsOpenAPIRequest(exchange.answer.request))
    except OpenAPIError as error:
        return f"{exchange.sent}: {error!r} {error.__cause__!r}"
    return answer_objection(description, exchange)


@pytest.fixture(scope="module")
def exchanges(published, base_url, client) -> list[Exchange]:
    """Everything that is checked, each sent to a sandbox as at the start."""
    with client(base_url) as api, client(f"{base_url}/sandbox") as control:
        return [exchange(api, control, sent) for sent in CHECKED]


def exchange(api, control, sent: Sent) -> Exchange:
    control.post("/reset")
    return Exchange(sent, sent.send(api, control))


def test_every_answer_is_as_described(exchanges, checkers, capsys):
    """Status, headers and body of every operation, in success and in error."""
    objections = [text for each in exchanges if (text := objection(checkers[each.api], each))]

    assert objections == []
    operations = {each.sent.operation for each in exchanges}
    assert operations == set(OPERATIONS)
    with capsys.disabled():
        sys.stdout.write(
            f"\nchecked {len(operations)} operations in {len(exchanges)} exchanges against "
            f"Atlassian's descriptions, worked around {len(DEFECTS)} known defects of theirs:\n"
        )
        sys.stdout.writelines(f"  {defect.api}: {defect.name}\n" for defect in DEFECTS)


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_described_status_was_seen(exchanges, published, name):
    """The fake can give each of them, and the check above saw it."""
    seen = {each.answer.status_code for each in exchanges if each.sent.operation == name}

    assert seen == described_statuses(published, OPERATIONS[name])


def described_statuses(published, operation) -> set[int]:
    """The statuses in the description of an operation, found by the shape of its address."""
    wanted = operation.rule.removeprefix("/admin").split("/")
    method = operation.method.lower()
    for path, described in published[operation.api.name]["paths"].items():
        parts = path.split("/")
        alike = [a == b or (a[:1] == "{" and b[:1] == "<") for a, b in zip(parts, wanted)]  # noqa: B905
        if len(parts) == len(wanted) and all(alike) and method in described:
            return {int(status) for status in described[method]["responses"]}
    raise AssertionError(f"{operation.name} is not described")


@pytest.mark.parametrize(
    "undocumented", UNDOCUMENTED, ids=lambda u: f"{u.sent.operation}-{u.status}"
)
def test_what_is_undocumented_is_named(checkers, api, control, undocumented):
    """Each is given, and each is still undocumented; else it belongs to the others."""
    each = exchange(api, control, undocumented.sent)

    assert each.answer.status_code == undocumented.status
    assert answer_objection(checkers[each.api], each), undocumented.source


@pytest.mark.parametrize("api_name", FILES)
def test_a_mended_description_is_valid(published, base_url, api_name):
    """No other defect is left unknown."""
    assert faults_of(mended(published, base_url, api_name)) == []


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda defect: defect.name)
def test_a_defect_is_still_there(published, base_url, exchanges, defect):
    """Without its workaround the check fails; once Atlassian mends it, ours can go."""
    description = mended(published, base_url, defect.api, except_for=defect)
    affected = [each for each in exchanges if each.api == defect.api]

    assert faults_of(description) or any(objection(checker(description), each) for each in affected)
