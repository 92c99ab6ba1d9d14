"""What the policy (workers/policy.py) is given, and what it may decide.

    Find Read Groups Preflight         the target must be asked first
    Wait Hold Stop                     not now, or not without a person
    Nobody OffAlready Watch WouldAct   nothing is to be written
    Act                                the account is to be switched off

Of the facts those of the target are not known at first.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Final

from config.settings import Policy
from workers.leavers import Standing
from workers.targets.base import Account


class Unknown(Enum):
    """Not asked yet: neither yes nor no."""

    UNKNOWN = "unknown"


UNKNOWN: Final = Unknown.UNKNOWN


@dataclass(frozen=True, slots=True)
class Facts:
    """All that speaks for or against switching a leaver's account off."""

    # From the ledger.
    email: str
    employee_id: str
    cutoff: datetime
    standing: Standing
    forced: bool  # by an operator, whatever HR said later
    to_approve: bool  # by a second person, as policy.approve says
    approved: bool  # and somebody has
    pinned: Account | None  # the account of the first attempt, of which only id and way are known
    # From the settings.
    policy: Policy
    operators: tuple[str, ...]  # e-mail addresses and usernames of the accounts we work with
    shadow: str  # the setting that says so; "" to act
    now: datetime
    # From the ledger again, where the leave to write is not asked for itself.
    stop: str = ""  # what an operator or HR said: a word of moves.STOPS
    braked: str = ""  # what the brake has against one more leaver
    # From the target.
    found: tuple[Account, ...] | Unknown = UNKNOWN
    read: Account | Unknown | None = UNKNOWN  # None: it cannot be read by its id
    groups: tuple[str, ...] | Unknown = UNKNOWN  # only where policy.protected names one
    ready: Account | Unknown = UNKNOWN  # after the pre-flight

    @property
    def account(self) -> Account:
        """The account as it was learned last.  Only for the rules after the reading."""
        known = self.read if self.ready is UNKNOWN else self.ready
        if known is None or known is UNKNOWN:
            raise RuntimeError("a rule about the account was asked before it was read")
        return known


@dataclass(frozen=True, slots=True)
class Find:
    """Learn `found`."""


@dataclass(frozen=True, slots=True)
class Read:
    """Learn `read`: this account by its id."""

    account: Account


@dataclass(frozen=True, slots=True)
class Groups:
    """Learn `groups`: those of this account."""

    account: Account


@dataclass(frozen=True, slots=True)
class Preflight:
    """Learn `ready`: how this account can be switched off."""

    account: Account


@dataclass(frozen=True, slots=True)
class Wait:
    """Not before `until`."""

    until: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Hold:
    """A person must decide; `reason` is a word of reasons.py, `detail` holds no personal data."""

    reason: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Stop:
    """An operator or HR stops it; `stop` is a word of moves.STOPS."""

    stop: str


@dataclass(frozen=True, slots=True)
class Nobody:
    """The search found nobody; that is the truth only if the credential works."""


@dataclass(frozen=True, slots=True)
class OffAlready:
    """The account is off."""

    account: Account


@dataclass(frozen=True, slots=True)
class Watch:
    """Only an identity provider may switch the account off: see whether it does."""

    account: Account


@dataclass(frozen=True, slots=True)
class WouldAct:
    """Shadow mode: everything but the write."""

    account: Account


@dataclass(frozen=True, slots=True)
class Act:
    """Switch the account off."""

    account: Account


Learn = Find | Read | Groups | Preflight
Decision = Learn | Wait | Hold | Stop | Nobody | OffAlready | Watch | WouldAct | Act
