"""The users of the faked Crowd, and how it behaves.

An application sees the users of several directories as one.  A username that is in two of them is
the user of the first; an e-mail address may belong to users of any names.  Addresses are those of
the people in workers/sandbox/people.py: one leaver can be in several systems.
"""

from dataclasses import dataclass, field
from itertools import count
from typing import Annotated, Literal

from pydantic import ConfigDict, StringConstraints

from workers.sandbox import people
from workers.sandbox.people import Email
from workers.sandbox.records import Pace, Records

Key = Annotated[str, StringConstraints(min_length=1, max_length=255)]

APPLICATION = "leaver"
# A plainly marked test key.
PASSWORD = "crowd-password-not-a-secret"  # noqa: S105

#: In the order in which a username is looked for.
DIRECTORIES = ("internal", "ldap")

_numbers = count(20001)


def new_key() -> str:
    return f"32769:{next(_numbers)}"


@dataclass(frozen=True, slots=True)
class User:
    """One user, whole; only the e-mail has no default, and "" is no e-mail.

    account_id      the key: directory and external id
    name            the username; "" makes one from the key
    directory       in "ldap" the application may not change users
    groups          names of the groups it is in itself
    nested          names of those that it is in through one of them
    sessions        the tokens of its sessions
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    email: Email | Literal[""]
    account_id: Key = field(default_factory=new_key)
    name: str = ""
    first_name: str = "Sandbox"
    last_name: str = "User"
    display_name: str = "Sandbox User"
    active: bool = True
    directory: Literal["internal", "ldap"] = "internal"
    groups: tuple[str, ...] = ()
    nested: tuple[str, ...] = ()
    sessions: tuple[str, ...] = ()

    @property
    def account_status(self) -> str:
        return "active" if self.active else "inactive"

    @property
    def username(self) -> str:
        return self.name or f"user-{self.account_id.rpartition(':')[2]}"


@dataclass(frozen=True, slots=True)
class Settings(Pace):
    """How Crowd behaves towards the application.

    knows_address       whether the address of the caller is among its remote addresses
    sees_users          whether a directory is mapped to it
    may_update          whether it has the permission UPDATE_USER in the internal directory
    emails              whether its directories have e-mail addresses
    ends_sessions       whether all sessions of a user can be ended in one call
    """

    knows_address: bool = True
    sees_users: bool = True
    may_update: bool = True
    emails: bool = True
    ends_sessions: bool = True


Crowd = Records[User, Settings]


def visible(crowd: Crowd, users: list[User]) -> dict[str, User]:
    """Those whom the application sees, by username in small letters."""
    if not crowd.settings.sees_users:
        return {}
    ranked = sorted(users, key=lambda user: DIRECTORIES.index(user.directory), reverse=True)
    return {user.username.lower(): user for user in ranked}


def by_name(crowd: Crowd, username: str) -> User | None:
    """The user with this username, whatever its case, as they really are."""
    return visible(crowd, crowd.people()).get(username.lower())


def _named(person: people.Person) -> dict[str, str]:
    first, _, last = person.name.partition(" ")
    return {"first_name": first, "last_name": last, "display_name": person.name}


LENA = User(people.LENA.email, "32769:10100", "lvogt", **_named(people.LENA))  # type: ignore[arg-type]  # texts only
TOM = User(
    people.TOM.email,
    "32769:10101",
    "TBerg",
    **_named(people.TOM),  # type: ignore[arg-type]  # texts only
    sessions=("tom-session-1", "tom-session-2"),
)
NAMED_BY_EMAIL = User(people.JONAS.email, "32769:10102", people.JONAS.email)
TAGGED = User("lena.vogt+test@example.com", "32769:10103", "lvogt-test")
QUOTED = User('"o.neill"@example.com', "32769:10104", "oneill")
INACTIVE = User(people.INACTIVE.email, "32769:10105", "slang", active=False)
READ_ONLY = User(people.SYNCED.email, "98305:10106", "nsync", directory="ldap")
TWIN = User(people.TWIN.email, "32769:10107", "atwin")
OTHER_TWIN = User(people.OTHER_TWIN.email, "98305:10108", "ktwin", directory="ldap")
# One username in two directories: only the first is seen.
SHADOWING = User("new.sam@example.com", "32769:10109", "sam")
SHADOWED = User("old.sam@example.com", "98305:10109", "sam", directory="ldap")
# The first by username, and without an address.
NAMELESS = User("", "32769:10110", "a-robot")

CAST = (
    LENA,
    TOM,
    NAMED_BY_EMAIL,
    TAGGED,
    QUOTED,
    INACTIVE,
    READ_ONLY,
    TWIN,
    OTHER_TWIN,
    SHADOWING,
    SHADOWED,
    NAMELESS,
)
