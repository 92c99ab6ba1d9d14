"""The users of the faked Confluence, and how it behaves.

A user has a key, which stays, and a username in lower case, which can be changed.  Addresses are
those of the people in workers/sandbox/people.py: one leaver can be in several systems.
"""

from dataclasses import dataclass, field
from typing import Annotated, Literal
from uuid import uuid4

from pydantic import ConfigDict, StringConstraints

from workers.sandbox import people
from workers.sandbox.people import Email, Name
from workers.sandbox.records import Pace, Records

Key = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]

# Plainly marked test keys.
TOKEN = "sandbox-token-not-a-secret"  # noqa: S105
WEAK_TOKEN = "weak-token-not-a-secret"  # noqa: S105
PASSWORD = "sandbox-password-not-a-secret"  # noqa: S105

ADMINISTRATORS = "confluence-administrators"


def new_key() -> str:
    return uuid4().hex


@dataclass(frozen=True, slots=True)
class User:
    """One user, whole; only the e-mail has no default.

    account_id      the key
    name            the username; "" makes one from the key
    directory       "ldap" is read-only for Confluence
    licensed        counts for the license; if not, the user is in no list of active ones
    groups          names of more groups
    administers     is in the group confluence-administrators
    token           the personal access token, "" for none
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    email: Email
    account_id: Key = field(default_factory=new_key)
    name: str = ""
    display_name: Name = "Sandbox User"
    active: bool = True
    directory: Literal["internal", "ldap"] = "internal"
    licensed: bool = True
    groups: tuple[str, ...] = ()
    administers: bool = False
    token: str = ""
    password: str = PASSWORD

    @property
    def account_status(self) -> str:
        return "active" if self.active else "inactive"

    @property
    def username(self) -> str:
        return self.name or f"user-{self.account_id[:8]}"


@dataclass(frozen=True, slots=True)
class Settings(Pace):
    """How Confluence behaves.

    version             decides whether users can be disabled (8.2), whether active users are
                        listed and permissions told (9.3), and with e-mail addresses (10.2)
    passwords           whether Basic authentication is taken
    wrong_login         what a wrong credential is: refused with 401, or taken for nobody, with a
                        header as the only sign
    anonymous           whether nobody may look at users
    emails              whether addresses are shown, and how
    mobile              whether the resource of the mobile app is there, which no page describes
    status_words        how `status` tells an active user and another: seen one way by one client,
                        described another way by another
    disable_answer      what a disable is answered: the description says only "no content"
    read_only           what the disable of a user in a read-only directory is answered; nobody says
    longest_page        users that a page of a list has at most, whatever was asked for
    """

    version: Annotated[str, StringConstraints(pattern=r"^\d+\.\d+\.\d+$")] = "10.2.1"
    passwords: bool = True
    wrong_login: Literal["refused", "nobody"] = "refused"
    anonymous: bool = False
    emails: Literal["shown", "masked", "hidden"] = "shown"
    mobile: bool = True
    status_words: tuple[str, str] = ("current", "deactivated")
    disable_answer: Literal[200, 204] = 204
    read_only: Literal[204, 400, 403] = 403
    longest_page: int = 200

    def is_at_least(self, *numbers: int) -> bool:
        """Whether the version is this one or newer."""
        return tuple(map(int, self.version.split("."))) >= numbers


Confluence = Records[User, Settings]


def by_name(confluence: Confluence, username: str) -> User | None:
    """The user with this username, whatever its case, as they really are."""
    wanted = username.lower()
    return next((user for user in confluence.people() if user.username.lower() == wanted), None)


def _key(number: int) -> str:
    return f"2c9180835f1c0a9e015f1c0a9e00{number:04x}"


# The username says nothing.
LENA = User(people.LENA.email, _key(1), "lvogt", people.LENA.name)
# The username is the part before the @.
TOM = User(people.TOM.email, _key(2), "tom.berg", people.TOM.name)
# The username is the address.
AMIRA = User(people.AMIRA.email, _key(3), people.AMIRA.email, people.AMIRA.name)
CAPITALS = User("Jonas.Keller@Example.com", _key(4), "jonas.keller", people.JONAS.name)
INACTIVE = User(people.INACTIVE.email, _key(5), "sofia.lang", people.INACTIVE.name, active=False)
READ_ONLY = User(people.SYNCED.email, _key(6), "nina.sync", people.SYNCED.name, directory="ldap")
TWIN = User(people.TWIN.email, _key(7), "atwin", people.TWIN.name)
OTHER_TWIN = User(people.OTHER_TWIN.email, _key(8), "ktwin", people.OTHER_TWIN.name)
UNLICENSED = User(
    people.SUSPENDED.email, _key(9), "omar.said", people.SUSPENDED.name, licensed=False
)
# Another person whose username is the part before the @ of somebody's address.
NAMESAKE = User("p.alt@other.example", _key(10), "peter.alt", "Paula Alt")
# Another person who has somebody's address as username, and a new one as address.
RENAMED = User("mia.neu@example.com", _key(11), people.NOT_INVITED.email, "Mia Neu")
LONGER = User(f"{people.LENA.email}.au", _key(12), "lvogt-au", "Lena Vogt (Sydney)")
# The account behind the credential.
OPERATOR = User(
    people.OPERATOR.email,
    _key(13),
    "it-admin",
    people.OPERATOR.name,
    administers=True,
    token=TOKEN,
)
WEAK = User("weak@example.com", _key(14), "weak", "Wes Weak", token=WEAK_TOKEN)

CAST = (
    LENA,
    TOM,
    AMIRA,
    CAPITALS,
    INACTIVE,
    READ_ONLY,
    TWIN,
    OTHER_TWIN,
    UNLICENSED,
    NAMESAKE,
    RENAMED,
    LONGER,
    OPERATOR,
    WEAK,
)
