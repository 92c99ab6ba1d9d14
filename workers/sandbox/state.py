"""The state of the sandbox: the people as they are, and as slow reads still see them.

Every change makes a new version of a person.  A version is what is true at once; reads by id see
it after `consistency_delay`, the search index after `search_lag` on top of that.  What an
operator of the sandbox changes by hand is seen at once everywhere.

Safe to use from many threads.  `State.lock` is re-entrant: whoever holds it sees and changes
people as one step.
"""

import threading
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Literal

from pydantic import ConfigDict

from workers.sandbox.people import CAST, Person


@dataclass(frozen=True, slots=True)
class Settings:
    """How the sandbox behaves; in JSON a time span is a number of seconds.

    latency                  a call takes between half of this and one and a half times this
    consistency_delay        how long a read by id still shows the state before a write
    search_lag               how much longer the search shows it
    search_ignores_case      whether `emails` finds an address written in another case
    disable_again            what a disable of an inactive account answers
    suspend_again            what a suspend of a suspended user answers
    suspend_everywhere       whether suspend and restore take `-` for "in every directory"

    Of the last four Atlassian says nothing, so a client must be right with either value.
    """

    __pydantic_config__ = ConfigDict(extra="forbid", ser_json_timedelta="float")

    latency: timedelta = timedelta(milliseconds=40)
    consistency_delay: timedelta = timedelta()
    search_lag: timedelta = timedelta()
    search_ignores_case: bool = True
    disable_again: Literal[204, 409] = 204
    suspend_again: Literal[204, 409] = 204
    suspend_everywhere: bool = False

    def __post_init__(self) -> None:
        if min(self.latency, self.consistency_delay, self.search_lag) < timedelta():
            raise ValueError("latency, consistency_delay and search_lag cannot be negative")


@dataclass(frozen=True, slots=True)
class _Version:
    """A person, and the times of the clock from which reads and the search see them so."""

    person: Person
    read_from: float
    found_from: float


class State:
    """People by account id, each with the versions that some reader may still see."""

    def __init__(
        self, settings: Settings | None = None, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.lock = threading.RLock()
        self._initial = settings or Settings()
        self._clock = clock
        self._loses_writes = False
        self.reset()

    def reset(self) -> None:
        """The cast and the settings as at the start."""
        with self.lock:
            self.settings = self._initial
            self._versions: dict[str, list[_Version]] = {}
            # Every account that ever had an e-mail, in lower case: a lagging search needs the past.
            self._had_email: dict[str, set[str]] = {}
            for person in CAST:
                self.put(person)

    def put(self, person: Person) -> None:
        """Set a person by hand: true and seen by everyone at once."""
        with self.lock:
            self._versions[person.account_id] = [_Version(person, float("-inf"), float("-inf"))]
            self._had_email.setdefault(person.email.lower(), set()).add(person.account_id)

    def person(self, account_id: str) -> Person | None:
        """The person as they really are."""
        with self.lock:
            versions = self._versions.get(account_id)
            return versions[-1].person if versions else None

    def people(self) -> list[Person]:
        """Everybody as they really are, by account id."""
        with self.lock:
            return [self._versions[account_id][-1].person for account_id in sorted(self._versions)]

    def read(self, account_id: str) -> Person | None:
        """The person as a read by id sees them now."""
        with self.lock:
            now = self._clock()
            seen = [v for v in self._versions.get(account_id, ()) if v.read_from <= now]
            return seen[-1].person if seen else None

    def search(self, emails: Collection[str] | None = None) -> list[Person]:
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
            return [person for person in found if fold(person.email) in wanted]

    def change(self, account_id: str, **changes: Any) -> None:
        """Write to a person: true at once, seen by the readers later."""
        with self.lock:
            if self._loses_writes:
                return
            versions = self._versions[account_id]
            now = self._clock()
            read_from = now + self.settings.consistency_delay.total_seconds()
            found_from = read_from + self.settings.search_lag.total_seconds()
            changed = replace(versions[-1].person, **changes)
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

    def _found(self, account_id: str) -> Person:
        now = self._clock()
        return [v for v in self._versions[account_id] if v.found_from <= now][-1].person
