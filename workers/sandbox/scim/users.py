"""The users of the faked directory, and how it behaves.

A userName is unique and need not be an e-mail address; of the addresses one is the primary one.
"""

from dataclasses import dataclass, field
from uuid import uuid4

from pydantic import ConfigDict

from workers.sandbox import people
from workers.sandbox.people import AccountId, Email, Name
from workers.sandbox.records import Pace, Records

DIRECTORY_ID = "0b7f3c52-9d41-4a8e-8f0a-000000000001"
# A plainly marked test key.
KEY = "sandbox-scim-key-not-a-secret"


def new_id() -> str:
    return str(uuid4())


@dataclass(frozen=True, slots=True)
class User:
    """One user, whole; only the e-mail has no default.

    email           the primary address
    account_id      the id in the directory, not that of the Atlassian account
    name            the userName; "" stands for the address
    other_emails    addresses that are not the primary one
    groups          names of its groups
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    email: Email
    account_id: AccountId = field(default_factory=new_id)
    name: str = ""
    display_name: Name = "Sandbox User"
    active: bool = True
    other_emails: tuple[Email, ...] = ()
    groups: tuple[str, ...] = ()

    @property
    def account_status(self) -> str:
        return "active" if self.active else "inactive"

    @property
    def user_name(self) -> str:
        return self.name or self.email


@dataclass(frozen=True, slots=True)
class Settings(Pace):
    """How the directory behaves; `search_ignores_case` is for userName.

    most_listed     users that one page shows at most
    """

    most_listed: int = 100


Directory = Records[User, Settings]


def _id(number: int) -> str:
    return f"635cdb2f-0000-4a1b-8c3d-{number:012}"


LENA = User(people.LENA.email, _id(1), display_name=people.LENA.name)
TOM = User(people.TOM.email, _id(2), "tberg", people.TOM.name)
CAPITALS = User("Amira.Haddad@Example.com", _id(3), display_name=people.AMIRA.name)
INACTIVE = User(people.INACTIVE.email, _id(4), "slang", people.INACTIVE.name, active=False)
TWIN = User(people.TWIN.email, _id(5), "atwin", people.TWIN.name)
OTHER_TWIN = User(people.TWIN.email, _id(6), "ktwin", people.OTHER_TWIN.name)
# Named by somebody else's former address.
RENAMED = User("rosa.neu@example.com", _id(7), "rosa.alt@example.com", "Rosa Neu")
ALIAS = User("max.haupt@example.com", _id(8), "mhaupt", "Max Haupt", True, ("max@example.com",))
QUOTED = User('"o\\neil"@example.com', _id(9), display_name="O Neil")
NEARLY = User(f"a.{people.LENA.email}", _id(10), display_name="Ada Vogt")

CAST = (LENA, TOM, CAPITALS, INACTIVE, TWIN, OTHER_TWIN, RENAMED, ALIAS, QUOTED, NEARLY)
