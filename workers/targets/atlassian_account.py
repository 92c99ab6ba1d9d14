"""What Atlassian's organization API says about an account: is it on, and how is it switched off?

Pure.  Every field of an account is optional in its OpenAPI description (read 2026-11-23), and one
that is missing is never taken for good news.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from workers.errors import Refused
from workers.leavers import AccountId
from workers.targets.base import Access, Account, Way
from workers.targets.values import as_object, as_text

#: What is kept of an account as its before-state, and judged.
STATE_FIELDS = (
    "accountId",
    "accountType",
    "accountStatus",
    "membershipStatus",
    "status",
    "claimStatus",
    "managementSource",
)
ADMINISTRATOR_ROLES = frozenset({"atlassian/org-admin", "atlassian/site-admin"})

# What the fields of an account say.  `status` is composed of the other two.
ACCOUNT_OFF = {
    ("accountStatus", "inactive"),
    ("accountStatus", "closed"),
    ("status", "deactivated"),
    ("status", "for_deletion"),
}
ACCOUNT_ON = {
    ("accountStatus", "active"),
    ("status", "active"),
    ("status", "suspended"),
    ("status", "not_invited"),
}
HERE_OFF = {
    ("membershipStatus", "suspended"),
    ("membershipStatus", "no_membership"),
    ("status", "suspended"),
    ("status", "not_invited"),
}
HERE_ON = {("membershipStatus", "active"), ("status", "active")}

#: The published pattern of account ids.  Directories are held to it as well, so that nothing from
#: an answer can name another resource when it becomes part of an address.
ID = re.compile(r"[A-Za-z0-9_|:-]{1,128}")


def account_of(call: str, user: Any) -> Account:
    """The account that an entry of the search shows.  Every field of it may be missing."""
    facts = as_object(user)
    state = {name: as_text(facts.get(name)) or None for name in STATE_FIELDS}
    account_id = state["accountId"]
    if account_id is None or not ID.fullmatch(account_id):
        raise Refused(call, "an account without an id", reason="unclear_account")
    account = Account(
        id=AccountId(account_id),
        email=as_text(facts.get("email")) or None,
        access=_access(state),
        way=_way(state),
        person=state["accountType"] in (None, "atlassian"),
        snapshot=state,
    )
    roles = facts.get("platformRoles")
    return with_roles(account, map(as_text, roles)) if isinstance(roles, list) else account


def with_roles(account: Account, roles: Iterable[str]) -> Account:
    """`account` with its roles in the platform; those in products are left out."""
    names = sorted({role for role in roles if role.startswith("atlassian/")})
    return replace(
        account,
        administrator=not ADMINISTRATOR_ROLES.isdisjoint(names),
        snapshot={**account.snapshot, "platformRoles": names},
    )


def _access(state: Mapping[str, str | None]) -> Access:
    """What the fields say together.  Where they contradict each other, nothing is known."""
    says = set(state.items())
    off, on = bool(says & ACCOUNT_OFF), bool(says & ACCOUNT_ON)
    if state["claimStatus"] == "unmanaged" and not off:
        off, on = bool(says & HERE_OFF), bool(says & HERE_ON)
    if off == on:
        return Access.UNKNOWN
    return Access.OFF if off else Access.ACTIVE


def _way(state: Mapping[str, str | None]) -> Way:
    match state["claimStatus"], state["managementSource"]:
        case "managed", "synced":
            return Way.IDP
        case "managed", _:
            return Way.DEACTIVATE
        case "unmanaged", _:
            return Way.SUSPEND
    return Way.UNCLEAR
