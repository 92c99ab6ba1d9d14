"""The people of the sandbox: what can be told about a person, and the cast it starts with.

A Person is one account in the words of the sandbox; each fake says it in its vendor's words.
E-mail addresses end in .example or example.com, which belong to nobody (RFC 2606).
"""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated, Literal
from uuid import uuid4

from pydantic import ConfigDict, StringConstraints

AccountId = Annotated[str, StringConstraints(pattern=r"^[a-zA-Z0-9_|:-]{1,128}$")]
Email = Annotated[str, StringConstraints(pattern=r"^[^@\s]+@[^@\s]+$")]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]
Directory = Literal["primary", "secondary"]
Membership = Literal["active", "suspended"]
Role = Literal[
    "atlassian/org-admin",
    "atlassian/site-admin",
    "atlassian/user-access-admin",
    "atlassian/ai-access",
]
Privilege = Literal[
    "profile.write",
    "profile.read",
    "email.set",
    "lifecycle.enablement",
    "lifecycle.delete",
    "apiToken.read",
    "apiToken.delete",
]
Reason = Literal[
    "administrative",
    "administrative.notMyself",
    "authPolicy.saml",
    "blocked.exportControl",
    "externalDirectory.scim",
    "externalDirectory.google",
    "myselfOnly",
    "managedAccount",
]

# What an identity provider keeps to itself for the accounts it provisions.
_KEPT_BY_PROVIDER = {"profile.write", "email.set", "lifecycle.enablement", "lifecycle.delete"}


def new_account_id() -> str:
    return f"712020:{uuid4()}"


def employee_id_of(email: str) -> str:
    """The id of somebody in every faked HR system: what `leaver send` makes of the address."""
    return str(zlib.crc32(email.encode()))


@dataclass(frozen=True, slots=True)
class Token:
    """An API token of a person."""

    id: str
    label: str = "a token"
    created_at: datetime = datetime(2026, 1, 5, 9, 30, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Person:
    """One account, whole; only the e-mail has no default.

    managed         its e-mail is on a domain the organization has claimed
    source          how it came into its directories; "synced" means by an identity provider
    restrictions    privileges refused to the administrator, each with the vendor's reason
    groups          names of its groups, in whatever directory
    conflicts       codes with which a change of lifecycle is refused (409)
    withheld        field names that the Organizations API leaves out of its answers
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    email: Email
    account_id: AccountId = field(default_factory=new_account_id)
    name: Name = "Sandbox Person"
    account_type: Literal["atlassian", "app", "customer"] = "atlassian"
    account_status: Literal["active", "inactive", "closed"] = "active"
    deactivated_on: datetime | None = None
    for_deletion: bool = False
    managed: bool = True
    source: Literal["invited", "synced"] | None = "invited"
    directories: Mapping[Directory, Membership] = field(
        default_factory=lambda: {"primary": "active"}
    )
    roles: tuple[Role, ...] = ()
    tokens: tuple[Token, ...] = ()
    restrictions: Mapping[Privilege, Reason] = field(default_factory=dict)
    groups: tuple[str, ...] = ()
    conflicts: tuple[str, ...] = ()
    withheld: tuple[str, ...] = ()

    def restriction(self, privilege: Privilege) -> Reason | None:
        """Why the administrator may not use this privilege on the person; None: they may."""
        if privilege in self.restrictions:
            return self.restrictions[privilege]
        if self.source == "synced" and privilege in _KEPT_BY_PROVIDER:
            return "externalDirectory.scim"
        return None


_JANUARY = datetime(2026, 1, 31, 18, 0, tzinfo=UTC)

LENA = Person("lena.vogt@example.com", "712020:5f1c0a9e-0001-4c1b-9d2e-000000000001", "Lena Vogt")
TOM = Person(
    "tom.berg@example.com",
    "557058:5f1c0a9e-0002-4c1b-9d2e-000000000002",
    "Tom Berg",
    directories={"primary": "active", "secondary": "active"},
    tokens=(Token("tom-token-1", "laptop"), Token("tom-token-2", "build server")),
)
AMIRA = Person("amira.haddad@example.com", "5b10ac8d82e05b22cc7d4ef5", "Amira Haddad")
JONAS = Person("jonas.keller@example.com", "legacy|5f1c0a9e-0004", "Jonas Keller")
NOT_INVITED = Person(
    "mia.fischer@example.com",
    "712020:5f1c0a9e-0005-4c1b-9d2e-000000000005",
    "Mia Fischer",
    source=None,
    directories={},
)
SUSPENDED = Person(
    "omar.said@example.com",
    "712020:5f1c0a9e-0006-4c1b-9d2e-000000000006",
    "Omar Said",
    directories={"primary": "suspended"},
)
INACTIVE = Person(
    "sofia.lang@example.com",
    "712020:5f1c0a9e-0007-4c1b-9d2e-000000000007",
    "Sofia Lang",
    account_status="inactive",
    deactivated_on=_JANUARY,
)
FOR_DELETION = Person(
    "peter.alt@example.com",
    "712020:5f1c0a9e-0008-4c1b-9d2e-000000000008",
    "Peter Alt",
    account_status="inactive",
    deactivated_on=_JANUARY,
    for_deletion=True,
)
CLOSED = Person(
    "carla.ende@example.com",
    "712020:5f1c0a9e-0009-4c1b-9d2e-000000000009",
    "Carla Ende",
    account_status="closed",
    deactivated_on=_JANUARY,
)
UNMANAGED = Person(
    "paul.frei@agency.example",
    "712020:5f1c0a9e-0010-4c1b-9d2e-000000000010",
    "Paul Frei",
    managed=False,
    source=None,
    directories={"primary": "active", "secondary": "active"},
)
SYNCED = Person(
    "nina.sync@example.com",
    "712020:5f1c0a9e-0011-4c1b-9d2e-000000000011",
    "Nina Sync",
    source="synced",
)
GOOGLE_SYNCED = Person(
    "gero.sync@example.com",
    "712020:5f1c0a9e-0012-4c1b-9d2e-000000000012",
    "Gero Sync",
    source="synced",
    restrictions={"lifecycle.enablement": "externalDirectory.google"},
)
ADMINISTRATOR = Person(
    "ada.admin@example.com",
    "712020:5f1c0a9e-0013-4c1b-9d2e-000000000013",
    "Ada Admin",
    roles=("atlassian/org-admin",),
)
# The account behind the credential: `operated_by` in the configuration of the rehearsal.
OPERATOR = Person(
    "it-admin@example.com",
    "712020:5f1c0a9e-0014-4c1b-9d2e-000000000014",
    "IT Admin",
    roles=("atlassian/org-admin",),
)
TWIN = Person("twin@example.com", "712020:5f1c0a9e-0015-4c1b-9d2e-000000000015", "Alex Twin")
OTHER_TWIN = Person("twin@example.com", "712020:5f1c0a9e-0016-4c1b-9d2e-000000000016", "Kim Twin")
APP = Person(
    "build-bot@example.com",
    "557058:5f1c0a9e-0017-4c1b-9d2e-000000000017",
    "Build Bot",
    account_type="app",
)
CONFLICTING = Person(
    "olga.owner@example.com",
    "712020:5f1c0a9e-0018-4c1b-9d2e-000000000018",
    "Olga Owner",
    conflicts=("sandbox.ownsSite",),
)
# Everything but the id is optional in Atlassian's description of a user.
RETICENT = Person(
    "rita.still@example.com",
    "712020:5f1c0a9e-0019-4c1b-9d2e-000000000019",
    "Rita Still",
    withheld=("email", "accountType", "accountStatus", "claimStatus", "managementSource", "status"),
)
TOKENS_LOCKED = Person(
    "theo.token@example.com",
    "712020:5f1c0a9e-0020-4c1b-9d2e-000000000020",
    "Theo Token",
    tokens=(Token("theo-token-1"),),
    restrictions={"apiToken.read": "managedAccount", "apiToken.delete": "managedAccount"},
)

NOBODY = "nobody@example.com"  # No account has this e-mail.

CAST = (
    LENA,
    TOM,
    AMIRA,
    JONAS,
    NOT_INVITED,
    SUSPENDED,
    INACTIVE,
    FOR_DELETION,
    CLOSED,
    UNMANAGED,
    SYNCED,
    GOOGLE_SYNCED,
    ADMINISTRATOR,
    OPERATOR,
    TWIN,
    OTHER_TWIN,
    APP,
    CONFLICTING,
    RETICENT,
    TOKENS_LOCKED,
)
