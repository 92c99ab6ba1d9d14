"""What every target promises: the protocol between the procedure and an Atlassian system.

A target finds accounts, reads one back by id, and switches one off.  It decides nothing: whether to
act is the procedure's and the policy's business (workers/deprovision.py, workers/policy.py).

Promises of every implementation, held by the conformance suite:

    * find() gives every account the target has under exactly this e-mail address; an error is
      never an empty answer, it is an exception of workers/errors.py.
    * groups() gives all groups of an account; what does not show them whole is an exception.
    * read() gives the account's state as the target reports it by id; None only where the target
      proves that this account does not exist.
    * No write leaves without journal.intend() just before it, and every call is in the journal.
    * A write that answered nothing usable raises Unavailable; nobody assumes it happened or not.
    * Every call has time-outs, and a bound on the size of the answer.
"""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from workers.leavers import AccountId, Outcome


class Access(StrEnum):
    """What an account can do in the target now."""

    ACTIVE = "active"
    OFF = "off"  # deactivated, suspended everywhere, closed, or without any access
    UNKNOWN = "unknown"  # the target did not say


class Way(StrEnum):
    """How an account can be switched off."""

    DEACTIVATE = "deactivate"  # managed by the company: the account itself
    SUSPEND = "suspend"  # not managed: its access to this organization
    IDP = "idp"  # only the identity provider may
    UNCLEAR = "unclear"  # the target did not say enough to choose


@dataclass(frozen=True, slots=True)
class Account:
    """One account as the target shows it.  `snapshot` is the JSON kept as its before-state."""

    id: AccountId
    email: str | None  # None: the target hides it
    access: Access
    way: Way
    username: str | None = None  # where the target has such names
    person: bool = True  # not an app's or a portal customer's account
    administrator: bool = False
    snapshot: Mapping[str, Any] = field(default_factory=dict)


#: What a job ends as when this way was verified.
OUTCOME_OF: Mapping[Way, Outcome] = {
    Way.DEACTIVATE: Outcome.DEACTIVATED,
    Way.SUSPEND: Outcome.SUSPENDED,
}


@dataclass(frozen=True, slots=True)
class Call:
    """One HTTP call to a target, as it is kept: no body, no header, no personal data.

    `name` is constant for its kind, such as users.search.  `status` is None when no answer came.
    `error` says why the call failed, also where a `status` came; it is "" when it did not fail.
    `duration_ms` is from connecting to the last byte read.
    """

    name: str
    method: str
    path: str
    write: bool
    at: datetime
    duration_ms: int
    status: int | None = None
    error: str = ""


class Journal(Protocol):
    """The procedure's book of one attempt; targets write every call into it."""

    def intend(self, call: str) -> None:
        """Ask, just before a write, whether it may still be made.

        Raises Stopped, LeaseLost, Braked or AccountBusy; the write must then not be sent.
        """

    def record(self, call: Call) -> None:
        """Keep a call that was made.  Raises LeaseLost when the job is no longer ours."""

    def renew(self) -> None:
        """Keep the job ours while we wait for our turn.  Raises LeaseLost."""


class Limit(Protocol):
    """How fast a target may be called, by all workers together."""

    def wait(self, journal: Journal) -> None:
        """Return when it is the turn of one more call.  Raises WorkerStopping or LeaseLost."""


class Target(Protocol):
    """One configured Atlassian system.  Safe to use from many threads at once.

    Every method raises Refused, Unavailable or LockedOut (workers/errors.py) for an answer that is
    not one of its results.

    A target is made with its name, its settings and its Limit: Cloud(name, settings, limit).  Where
    it must log in first, session() does that for one attempt; all others return nullcontext(self).
    """

    @property
    def name(self) -> str:
        """Its name in the configuration."""

    def session(self, journal: Journal) -> AbstractContextManager["Target"]:
        """The target for one attempt, logged in where it needs that, and logged out at the end."""

    def prove_credential(self, journal: Journal) -> None:
        """Return only if the target answered a call that needs the credential and the place."""

    def find(self, journal: Journal, email: str) -> tuple[Account, ...]:
        """Every account found for `email`, each once.  The caller compares the e-mail addresses."""

    def groups(self, journal: Journal, account: Account) -> tuple[str, ...]:
        """The names of all groups that the account is in, as far as the target knows them.

        Asked only where policy.protected names a group.  Refused where the target does not tell.
        """

    def preflight(self, journal: Journal, account: Account) -> Account:
        """`account` with the way in which it can be switched off, after asking the target.

        It may also learn now that the account is an administrator's.
        """

    def read(self, journal: Journal, account: Account) -> Account | None:
        """`account` as the target shows it now, read by id and never through the search."""

    def switch_off(self, journal: Journal, account: Account) -> None:
        """Write what takes the access away, in the account's `way`.  read() says if it did."""

    def switch_on(self, journal: Journal, account: Account, snapshot: Mapping[str, Any]) -> None:
        """Write what gives the access back that `snapshot` shows, in the account's `way`.

        `snapshot` is the one that preflight() gave before the account was switched off, as JSON
        keeps it: nothing that it does not show may be given.  read() says if it did.
        """

    def clean_up(self, journal: Journal, account: Account) -> str:
        """After the proof: remove what may outlive the account, such as API tokens, where allowed.

        Returns a sentence about what was left, "" for nothing.
        """
