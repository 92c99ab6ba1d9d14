"""The users of the faked Jira, and how it behaves.

In Jira a user has a key, which stays, and a username, which can be changed; neither need have
anything to do with the e-mail address, which may belong to several users.  Addresses are those of
the people in workers/sandbox/people.py: one leaver can be in several systems.
"""

from dataclasses import dataclass, field
from itertools import count
from typing import Annotated, Literal

from pydantic import ConfigDict, StringConstraints

from workers.sandbox import people
from workers.sandbox.people import Email, Name
from workers.sandbox.records import Pace, Records

Key = Annotated[str, StringConstraints(min_length=1, max_length=255)]

# Plainly marked test keys.
TOKEN = "sandbox-token-not-a-secret"  # noqa: S105
WEAK_TOKEN = "weak-token-not-a-secret"  # noqa: S105
BLIND_TOKEN = "blind-token-not-a-secret"  # noqa: S105
NAMELESS_TOKEN = "nameless-token-not-a-secret"  # noqa: S105
PASSWORD = "sandbox-password-not-a-secret"  # noqa: S105

_numbers = count(20001)


def new_key() -> str:
    return f"JIRAUSER{next(_numbers)}"


@dataclass(frozen=True, slots=True)
class User:
    """One user, whole; only the e-mail has no default, and "" is no e-mail.

    account_id      the key
    name            the username; "" makes one from the key
    directory       "ldap" is read-only for Jira
    deleted         gone from its directory, but not from Jira's history
    projects        keys of the projects it leads
    components      keys of the projects in which it leads a component
    groups          names of its groups
    administers     has the global permission Jira Administrators
    browses         has the global permission Browse Users
    token           its personal access token, "" for none
    sessions        the cookies of its sessions
    failed_logins   since the last that succeeded
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    email: Email | Literal[""]
    account_id: Key = field(default_factory=new_key)
    name: str = ""
    display_name: Name = "Sandbox User"
    active: bool = True
    deleted: bool = False
    directory: Literal["internal", "ldap"] = "internal"
    projects: tuple[str, ...] = ()
    components: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    administers: bool = False
    browses: bool = True
    token: str = ""
    password: str = PASSWORD
    sessions: tuple[str, ...] = ()
    failed_logins: int = 0

    @property
    def account_status(self) -> str:
        return "active" if self.active else "inactive"

    @property
    def username(self) -> str:
        return self.name or self.account_id.lower()


@dataclass(frozen=True, slots=True)
class Settings(Pace):
    """How Jira behaves.

    version                 decides whether tokens exist (8.14), whether `active` can be written
                            (8.3), and whether passwords are taken (not from 11 on)
    passwords               whether passwords are taken all the same; None: as the version says
    wrong_login             what a wrong credential is: refused with 401, or taken for nobody, with
                            a header as the only sign (JRASERVER-41559)
    captcha_after           so many failed logins demand a CAPTCHA, which no program can solve
    throttles_logins        every new session is refused for now
    emails                  User Email Visibility of the general configuration
    active_as_text          what becomes of `"active": "false"`, which is no boolean
    most_found              users that a search shows at most
    """

    version: Annotated[str, StringConstraints(pattern=r"^\d+\.\d+\.\d+$")] = "10.3.5"
    passwords: bool | None = None
    wrong_login: Literal["refused", "nobody"] = "refused"
    captcha_after: int = 3
    throttles_logins: bool = False
    emails: Literal["shown", "masked", "hidden"] = "shown"
    active_as_text: Literal["ignored", "refused"] = "ignored"
    most_found: int = 100

    def is_at_least(self, *numbers: int) -> bool:
        """Whether the version is this one or newer."""
        return tuple(map(int, self.version.split("."))) >= numbers

    @property
    def takes_passwords(self) -> bool:
        return not self.is_at_least(11) if self.passwords is None else self.passwords


Jira = Records[User, Settings]


def by_name(jira: Jira, username: str) -> User | None:
    """The user with this username, whatever its case, as they really are."""
    wanted = username.lower()
    return next((user for user in jira.people() if user.username.lower() == wanted), None)


LENA = User(people.LENA.email, "JIRAUSER10100", "lvogt", people.LENA.name)
# Older than Jira's own keys, and renamed since: the key is the first username.
TOM = User(people.TOM.email, "tberger", "tberg", people.TOM.name)
CAPITALS = User("Amira.Haddad@Example.com", "JIRAUSER10102", "ahaddad", people.AMIRA.name)
NAMED_BY_EMAIL = User(people.JONAS.email, "JIRAUSER10103", people.JONAS.email, people.JONAS.name)
INACTIVE = User(people.INACTIVE.email, "JIRAUSER10104", "slang", people.INACTIVE.name, active=False)
DELETED = User(
    people.CLOSED.email,
    "JIRAUSER10105",
    "cende",
    people.CLOSED.name,
    active=False,
    deleted=True,
    directory="ldap",
)
READ_ONLY = User(
    people.SYNCED.email, "JIRAUSER10106", "nsync", people.SYNCED.name, directory="ldap"
)
LEAD = User(
    people.CONFLICTING.email, "JIRAUSER10107", "oowner", people.CONFLICTING.name, projects=("HR",)
)
COMPONENT_LEAD = User(
    "cora.part@example.com", "JIRAUSER10108", "cpart", "Cora Part", components=("HR", "OPS")
)
TWIN = User(people.TWIN.email, "JIRAUSER10109", "atwin", people.TWIN.name)
OTHER_TWIN = User(
    people.OTHER_TWIN.email, "JIRAUSER10110", "ktwin", people.OTHER_TWIN.name, directory="ldap"
)
HALF_GONE = User("half.gone@example.com", "JIRAUSER10111", "hgone", "Hal Gone", active=False)
STILL_THERE = User("half.gone@example.com", "JIRAUSER10112", "hgone2", "Hal Gone")
# Found by a search for Lena's address, each by something else, and not Lena.
NEARLY = User(f"a.{people.LENA.email}", "JIRAUSER10113", "avogt", "Ada Vogt")
LONGER = User(f"{people.LENA.email}.au", "JIRAUSER10114", "lvogt-au", "Lena Vogt (Sydney)")
ALIAS = User("lena@other.example", "JIRAUSER10115", people.LENA.email, "Lena Other")
# The account behind the credential.
OPERATOR = User(
    people.OPERATOR.email,
    "JIRAUSER10000",
    "it-admin",
    people.OPERATOR.name,
    administers=True,
    token=TOKEN,
)
WEAK = User("weak@example.com", "JIRAUSER10001", "weak", "Wes Weak", token=WEAK_TOKEN)
BLIND = User(
    "blind@example.com",
    "JIRAUSER10002",
    "blind",
    "Bea Blind",
    administers=True,
    browses=False,
    token=BLIND_TOKEN,
)
NAMELESS = User("", "JIRAUSER10003", "robot", "A Robot", administers=True, token=NAMELESS_TOKEN)

CAST = (
    LENA,
    TOM,
    CAPITALS,
    NAMED_BY_EMAIL,
    INACTIVE,
    DELETED,
    READ_ONLY,
    LEAD,
    COMPONENT_LEAD,
    TWIN,
    OTHER_TWIN,
    HALF_GONE,
    STILL_THERE,
    NEARLY,
    LONGER,
    ALIAS,
    OPERATOR,
    WEAK,
    BLIND,
    NAMELESS,
)
