"""The accounts of one faked system as they are, and as slow reads still see them.

Every change makes a new version of an account.  A version is what is true at once; reads by id see
it after `consistency_delay`, the search index after `search_lag` on top of that.  What an
operator of the sandbox changes by hand is seen at once everywhere.

Safe to use from many threads.  `Records.lock` is re-entrant: whoever holds it sees and changes
accounts as one step.
"""

import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Generic, Protocol, TypeVar

from pydantic import ConfigDict


class Record(Protocol):
    """An account of any system, in its own dataclass."""

    @property
    def account_id(self) -> str:
        """What stays the same when all else changes."""

    @property
    def email(self) -> str:
        """Its e-mail address."""

    @property
    def account_status(self) -> str:
        """`active`, or what it is instead."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast any system behaves; in JSON a time span is a number of seconds.

    latency                  a call takes between half of this and one and a half times this
    consistency_delay        how long a read by id still shows the state before a write
    search_lag               how much longer the search shows it
    search_ignores_case      whether a search finds an address written in another case
    """

    __pydantic_config__ = ConfigDict(extra="forbid", ser_json_timedelta="float")

    latency: timedelta = timedelta(milliseconds=40)
    consistency_delay: timedelta = timedelta()
    search_lag: timedelta = timedelta()
    search_ignores_case: bool = True

    def __post_init__(self) -> None:
        if min(self.latency, self.consistency_delay, self.search_lag) < timedelta():
            raise ValueError("latency, consistency_delay and search_lag cannot be negative")


R = TypeVar("R", bound=Record)
S = TypeVar("S", bound=Pace)


@dataclass(frozen=True, slots=True)
class _Version(Generic[R]):
    """An account, and the times of the clock from which reads and the search see it so."""

    record: R
    read_from: float
    found_from: float


class Records(Generic[R, S]):
    """Accounts by id, each with the versions that some reader may still see."""

    def __init__(
        self, cast: Sequence[R], settings: S, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.lock = threading.RLock()
        self._cast = cast
        self._initial = settings
        self._clock = clock
        self._loses_writes = False
        self.reset()

    def reset(self) -> None:
        """The cast and the settings as at the start."""
        with self.lock:
            self.settings = self._initial
            self._versions: dict[str, list[_Version[R]]] = {}
            # Every account that ever had an e-mail, in lower case: a lagging search needs the past.
            self._had_email: dict[str, set[str]] = {}
            for record in self._cast:
                self.put(record)

    def put(self, record: R) -> None:
        """Set an account by hand: true and seen by everyone at once."""
        with self.lock:
            self._versions[record.account_id] = [_Version(record, float("-inf"), float("-inf"))]
            self._had_email.setdefault(record.email.lower(), set()).add(record.account_id)

    def person(self, account_id: str) -> R | None:
        """The account as it really is."""
        with self.lock:
            versions = self._versions.get(account_id)
            return versions[-1].record if versions else None

    def people(self) -> list[R]:
        """Everybody as they really are, by account id."""
        with self.lock:
            return [self._versions[account_id][-1].record for account_id in sorted(self._versions)]

    def read(self, account_id: str) -> R | None:
        """The account as a read by id sees it now."""
        with self.lock:
            now = self._clock()
            seen = [v for v in self._versions.get(account_id, ()) if v.read_from <= now]
            return seen[-1].record if seen else None

    def search(self, emails: Collection[str] | None = None) -> list[R]:
        """Everybody, or whoever has one of these e-mails, as the search sees them now.

        By account id; e-mails are compared as `search_ignores_case` says.
        """
        with self.lock:
            if emails is None:
                return [self._found(account_id) for account_id in sorted(self._versions)]
            fold = str.lower if self.settings.search_ignores_case else str
            wanted = {fold(email) for email in emails}
            ids = {i for email in emails for i in self._had_email.get(email.lower(), ())}
            found = [self._found(account_id) for account_id in sorted(ids)]
            return [record for record in found if fold(record.email) in wanted]

    def change(self, account_id: str, **changes: Any) -> None:
        """Write to an account: true at once, seen by the readers later."""
        with self.lock:
            if self._loses_writes:
                return
            versions = self._versions[account_id]
            now = self._clock()
            read_from = now + self.settings.consistency_delay.total_seconds()
            found_from = read_from + self.settings.search_lag.total_seconds()
            changed = replace(versions[-1].record, **changes)  # type: ignore[type-var]  # every Record is a dataclass
            seen = [i for i, version in enumerate(versions) if version.found_from <= now]
            version = _Version(changed, read_from, found_from)
            self._versions[account_id] = [*versions[seen[-1] :], version]

    @contextmanager
    def losing_writes(self) -> Iterator[None]:
        """Holds the lock; what is changed meanwhile is not."""
        with self.lock:
            self._loses_writes = True
            try:
                yield
            finally:
                self._loses_writes = False

    def _found(self, account_id: str) -> R:
        now = self._clock()
        return [v for v in self._versions[account_id] if v.found_from <= now][-1].record
