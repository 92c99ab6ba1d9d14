"""The users of the faked site, and how it behaves.

Access is membership of groups; the Atlassian account behind a user is not the site's.
"""

from dataclasses import dataclass, field
from typing import Literal

from pydantic import ConfigDict

from workers.sandbox import people
from workers.sandbox.people import AccountId, Email, Name, new_account_id
from workers.sandbox.records import Pace, Records

# Plainly marked test tokens.
TOKEN = "sandbox-api-token-not-a-secret"  # noqa: S105
WEAK_TOKEN = "weak-api-token-not-a-secret"  # noqa: S105
BLIND_TOKEN = "blind-api-token-not-a-secret"  # noqa: S105

USERS = "jira-software-users"


@dataclass(frozen=True, slots=True)
class User:
    """One user, whole; only the e-mail has no default.

    active          of the Atlassian account; the site cannot change it
    shows_email     whether the profile shows the address
    groups          names of groups; those on "-users" give the role in a product
    token           its API token, "" for none
    administers     has the global permission to administer Jira
    browses         has the global permission Browse users and groups
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    email: Email
    account_id: AccountId = field(default_factory=new_account_id)
    display_name: Name = "Sandbox User"
    account_type: Literal["atlassian", "app", "customer", "unknown"] = "atlassian"
    active: bool = True
    shows_email: bool = True
    groups: tuple[str, ...] = (USERS,)
    token: str = ""
    administers: bool = False
    browses: bool = True

    @property
    def account_status(self) -> str:
        return "active" if self.active else "inactive"


@dataclass(frozen=True, slots=True)
class Settings(Pace):
    """How the site behaves.

    wrong_login     what a wrong credential is: refused with 401, or taken for nobody's, with a
                    header as the only sign
    finds_hidden    whether a search matches addresses that are hidden
    most_listed     users that one page shows at most
    """

    wrong_login: Literal["refused", "nobody"] = "refused"
    finds_hidden: bool = False
    most_listed: int = 100


Site = Records[User, Settings]

LENA = User(people.LENA.email, people.LENA.account_id, people.LENA.name)
TOM = User(
    people.TOM.email,
    people.TOM.account_id,
    people.TOM.name,
    groups=(USERS, "confluence-users", "project-hr"),
)
WITHOUT_GROUPS = User(
    people.SUSPENDED.email, people.SUSPENDED.account_id, people.SUSPENDED.name, groups=()
)
INACTIVE = User(
    people.INACTIVE.email, people.INACTIVE.account_id, people.INACTIVE.name, active=False
)
NEARLY = User(f"{people.LENA.email}.au", "5b10ac8d82e05b22cc7d4e01", "Lena Vogt (Sydney)")
ADMINISTRATOR = User(
    people.ADMINISTRATOR.email,
    people.ADMINISTRATOR.account_id,
    people.ADMINISTRATOR.name,
    groups=("site-admins", USERS),
)
APP = User(
    people.APP.email,
    people.APP.account_id,
    people.APP.name,
    account_type="app",
    shows_email=False,
)
CUSTOMER = User(
    "carl.kunde@customer.example",
    "qm:5b10ac8d-0001",
    "Carl Kunde",
    account_type="customer",
    shows_email=False,
    groups=(),
)
OPERATOR = User(
    people.OPERATOR.email,
    people.OPERATOR.account_id,
    people.OPERATOR.name,
    groups=("site-admins",),
    token=TOKEN,
    administers=True,
)
WEAK = User("weak@example.com", "5b10ac8d82e05b22cc7d4e02", "Wes Weak", token=WEAK_TOKEN)
BLIND = User(
    "blind@example.com",
    "5b10ac8d82e05b22cc7d4e03",
    "Bea Blind",
    token=BLIND_TOKEN,
    administers=True,
    browses=False,
)

CAST = (
    LENA,
    TOM,
    WITHOUT_GROUPS,
    INACTIVE,
    NEARLY,
    ADMINISTRATOR,
    APP,
    CUSTOMER,
    OPERATOR,
    WEAK,
    BLIND,
)
