"""Fake of Atlassian's User management REST API (base path /users).

Written from https://developer.atlassian.com/cloud/admin/user-management/rest/ (description of
2026-08-15, read 2026-11-23).  Only managed accounts can be managed: for any other the key has no
permission, `forbidden`.  API tokens outlive a deactivation.
"""

from datetime import UTC, datetime
from typing import Any, get_args

from flask import request

from workers.sandbox.answers import (
    NO_CONTENT,
    Answer,
    Api,
    Operation,
    Refused,
    instant,
    json_answer,
)
from workers.sandbox.atlassian.accounts import profile
from workers.sandbox.atlassian.errors import (
    USER_MANAGEMENT_ERRORS,
    fields_violated,
    forbidden_action,
    gateway,
    keyed,
    lifecycle_conflict,
)
from workers.sandbox.atlassian.org import admits
from workers.sandbox.people import Person, Privilege
from workers.sandbox.state import State

_PROFILE_FIELDS = ("name", "nickname", "locale", "zoneinfo", "extended_profile.job_title")


def get_permissions(state: State, account_id: str) -> Answer:
    """What may be done to the account: all privileges, or those asked for by name."""
    person = _manageable(state.read(account_id))
    asked = request.args.getlist("privileges") or get_args(Privilege)
    return json_answer(200, {p: _rule(person, p) for p in get_args(Privilege) if p in asked})


def get_profile(state: State, account_id: str) -> Answer:
    person = _manageable(state.read(account_id))
    return json_answer(200, {"account": profile(person)})


def disable(state: State, account_id: str) -> Answer:
    person = _with_lifecycle(state, account_id)
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        raise Refused(keyed(400, "bodyParseFailure"))
    if not isinstance(body.get("message", ""), str):
        raise Refused(fields_violated("message", "type"))
    if person.account_status == "active":
        state.change(account_id, account_status="inactive", deactivated_on=datetime.now(UTC))
    elif state.settings.disable_again == 409:
        raise Refused(lifecycle_conflict("sandbox.alreadyInactive"))
    return NO_CONTENT


def enable(state: State, account_id: str) -> Answer:
    person = _with_lifecycle(state, account_id)
    if person.account_status == "closed":
        raise Refused(lifecycle_conflict("sandbox.closed"))
    state.change(account_id, account_status="active", deactivated_on=None, for_deletion=False)
    return NO_CONTENT


def list_tokens(state: State, account_id: str) -> Answer:
    person = _manageable(state.read(account_id))
    _check_privilege(person, "apiToken.read")
    tokens = [
        {
            "id": token.id,
            "label": token.label,
            "createdAt": instant(token.created_at),
        }
        for token in person.tokens
    ]
    return json_answer(200, tokens)


def delete_token(state: State, account_id: str, token_id: str) -> Answer:
    person = _manageable(state.person(account_id))
    _check_privilege(person, "apiToken.delete")
    kept = tuple(token for token in person.tokens if token.id != token_id)
    if kept == person.tokens:
        raise Refused(keyed(404, "notFound"))
    state.change(account_id, tokens=kept)
    return NO_CONTENT


def _manageable(person: Person | None) -> Person:
    if person is None:
        raise Refused(keyed(404, "accountNotFound"))
    if not person.managed:
        raise Refused(keyed(403, "forbidden"))
    return person


def _check_privilege(person: Person, privilege: Privilege) -> None:
    if reason := person.restriction(privilege):
        raise Refused(forbidden_action(reason))


def _with_lifecycle(state: State, account_id: str) -> Person:
    person = _manageable(state.person(account_id))
    _check_privilege(person, "lifecycle.enablement")
    if person.conflicts:
        raise Refused(lifecycle_conflict(*person.conflicts))
    return person


def _rule(person: Person, privilege: Privilege) -> dict[str, Any]:
    reason = person.restriction(privilege)
    rule = {"allowed": False, "reason": {"key": reason}} if reason else {"allowed": True}
    return dict.fromkeys(_PROFILE_FIELDS, rule) if privilege == "profile.write" else rule


API = Api(
    name="User management REST API",
    admits=admits,
    unauthorized=keyed(401, "unauthorized"),
    # Not described for this API; the gateway in front of it answers in its own shape.
    unsupported_media_type=gateway(415, "Unsupported Media Type"),
    internal_error=gateway(500, "Internal Server Error"),
    errors=USER_MANAGEMENT_ERRORS,
)

_MANAGE = "/users/<account_id>/manage"
_TOKENS = f"{_MANAGE}/api-tokens"

OPERATIONS = (
    Operation("manage.get", API, "GET", _MANAGE, get_permissions),
    Operation("profile.get", API, "GET", f"{_MANAGE}/profile", get_profile),
    Operation(
        "lifecycle.disable", API, "POST", f"{_MANAGE}/lifecycle/disable", disable, writes=True
    ),
    Operation("lifecycle.enable", API, "POST", f"{_MANAGE}/lifecycle/enable", enable, writes=True),
    Operation("tokens.list", API, "GET", _TOKENS, list_tokens, empty=[]),
    Operation("tokens.delete", API, "DELETE", f"{_TOKENS}/<token_id>", delete_token, writes=True),
)
