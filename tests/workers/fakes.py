"""A target kept in memory, a journal without a ledger, and a clock that moves when waited on.

The target keeps every promise of workers/targets/base.py: it has accounts, which switch_off()
really changes, and every call of it goes through the journal.  What a vendor does wrong is ordered:
errors, answers that get lost, success without effect, a search or a reading that is behind.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from tests.workers.records import NOW
from workers.errors import WorkerStopping
from workers.hr.base import Try
from workers.leavers import AccountId, Cutoff, ExplanationId, JobId, Leaver, LeaverKind
from workers.targets.base import Access, Account, Call, Journal, Way

#: Every call of the target, and whether it writes.
CALLS = {
    "find": False,
    "read": False,
    "groups": False,
    "preflight": False,
    "switch_off": True,
    "switch_on": True,
    "clean_up": True,
    "prove_credential": False,
}


class FakeClock:
    """Time that passes only when somebody waits for it or moves it."""

    def __init__(self, now: datetime = NOW) -> None:
        self._now = now
        self.stopping = False  # the worker shuts down: nobody waits any longer

    def now(self) -> datetime:
        return self._now

    def wait(self, delay: timedelta) -> None:
        if self.stopping:
            raise WorkerStopping
        self._now += delay

    def move(self, delay: timedelta) -> datetime:
        """Let time pass; returns the new instant."""
        self._now += delay
        return self._now


def account(
    name: str = "lena",
    *,
    access: Access = Access.ACTIVE,
    way: Way = Way.DEACTIVATE,
    person: bool = True,
    administrator: bool = False,
    hidden: bool = False,
    email: str = "",
) -> Account:
    """The account of name@example.com."""
    return Account(
        id=AccountId(f"id-of-{name}"),
        email=None if hidden else email or f"{name}@example.com",
        access=access,
        way=way,
        person=person,
        administrator=administrator,
        snapshot={"status": str(access)},
    )


@dataclass
class _Fault:
    error: Exception
    times: int
    done: bool  # the answer is lost, and what was asked for is done all the same
    after: int  # so many calls go well first
    only: AccountId | None  # calls about this account alone fail


class FakeTarget:
    """workers.targets.base.Target, with accounts in memory."""

    def __init__(self, *accounts: Account, name: str = "cloud", clock: FakeClock | None = None):
        self._name = name
        self._clock = clock or FakeClock()
        self._accounts = {each.id: each for each in accounts}
        self._seen_by_search: tuple[Account, ...] | None = None
        self._faults: dict[str, _Fault] = {}
        self._hooks: dict[str, Callable[[], None]] = {}
        self._off_at: dict[AccountId, datetime] = {}
        self.made: dict[str, int] = defaultdict(int)  # calls by name, failed ones included
        self.without_effect = False  # switch_off() answers success and does nothing
        self.consistent_after = timedelta()  # how long read() shows what was before
        self.left = ""  # what clean_up() has to say
        self.groups_of: dict[AccountId, tuple[str, ...]] = {}

    @property
    def name(self) -> str:
        return self._name

    # --- What a test orders and asks ---

    def put(self, changed: Account) -> None:
        """Add an account, or change it behind everybody's back."""
        self._accounts[changed.id] = changed

    def remove(self, gone: Account) -> None:
        """Delete an account behind everybody's back."""
        del self._accounts[gone.id]

    def freeze_search(self) -> None:
        """The search stays as it is now, whatever happens to the accounts."""
        self._seen_by_search = tuple(self._accounts.values())

    def show_in_search(self, *found: Account) -> None:
        """The search finds exactly these, whatever it is asked for."""
        self._seen_by_search = found

    def fail(
        self,
        call: str,
        error: Exception,
        *,
        times: int = 1,
        done: bool = False,
        after: int = 0,
        only: Account | None = None,
    ) -> None:
        """The next `times` such calls fail, once `after` of them went well."""
        self._faults[call] = _Fault(error, times, done, after, only.id if only else None)

    def heal(self) -> None:
        """Nothing fails any more."""
        self._faults.clear()

    def just_before(self, call: str, happens: Callable[[], None]) -> None:
        """Something happens, once, while the next such call is on its way."""
        self._hooks[call] = happens

    def is_off(self, which: Account) -> bool:
        """Whether the account is off, whatever reading it shows."""
        return self._accounts[which.id].access is Access.OFF

    # --- workers.targets.base.Target ---

    def session(self, _journal: Journal) -> AbstractContextManager["FakeTarget"]:
        return nullcontext(self)

    def prove_credential(self, journal: Journal) -> None:
        self._call(journal, "prove_credential")

    def find(self, journal: Journal, email: str) -> tuple[Account, ...]:
        self._call(journal, "find")
        if self._seen_by_search is not None:
            return self._seen_by_search
        found = self._accounts.values()
        # Not as the policy compares: a search may find more than was asked for.
        return tuple(a for a in found if a.email and a.email.casefold() == email.casefold())

    def groups(self, journal: Journal, account: Account) -> tuple[str, ...]:
        self._call(journal, "groups", about=account.id)
        return self.groups_of.get(account.id, ())

    def preflight(self, journal: Journal, account: Account) -> Account:
        self._call(journal, "preflight", about=account.id)
        return replace(account, way=self._accounts[account.id].way)

    def read(self, journal: Journal, account: Account) -> Account | None:
        self._call(journal, "read", about=account.id)
        known = self._accounts.get(account.id)
        if known is None:
            return None
        off_at = self._off_at.get(account.id)
        if off_at is not None and self._clock.now() < off_at + self.consistent_after:
            return replace(known, access=Access.ACTIVE)
        return known

    def switch_off(self, journal: Journal, account: Account) -> None:
        def done() -> None:
            if not self.without_effect:
                self._off_at[account.id] = self._clock.now()
                self.put(replace(self._accounts[account.id], access=Access.OFF))

        self._call(journal, "switch_off", done, about=account.id)

    def switch_on(self, journal: Journal, account: Account, snapshot: Mapping[str, Any]) -> None:
        def done() -> None:
            self.put(replace(self._accounts[account.id], access=Access.ACTIVE))

        self._call(journal, "switch_on", done, about=account.id)

    def clean_up(self, journal: Journal, account: Account) -> str:
        self._call(journal, "clean_up", about=account.id)
        return self.left

    def _call(
        self,
        journal: Journal,
        name: str,
        effect: Callable[[], None] = lambda: None,
        about: AccountId | None = None,
    ) -> None:
        if CALLS[name]:
            journal.intend(name)
        self.made[name] += 1
        self._hooks.pop(name, lambda: None)()
        fault = self._next_fault(name, about)
        if fault is None or fault.done:
            effect()
        journal.record(self._as_call(name, fault))
        if fault is not None:
            raise fault.error

    def _next_fault(self, name: str, about: AccountId | None) -> _Fault | None:
        fault = self._faults.get(name)
        if fault is None or fault.only not in (None, about):
            return None
        if fault.after:
            fault.after -= 1
            return None
        fault.times -= 1
        if not fault.times:
            del self._faults[name]
        return fault

    def _as_call(self, name: str, fault: _Fault | None) -> Call:
        return Call(
            name=name,
            method="POST" if CALLS[name] else "GET",
            path=f"/{name}",
            write=CALLS[name],
            at=self._clock.now(),
            duration_ms=7,
            status=None if fault else 200,
            error=str(fault.error) if fault else "",
        )


class FakeHr:
    """workers.hr.base.HrSystem: what HR says of each employee, or the trouble it has."""

    def __init__(self) -> None:
        self.says: dict[str, Leaver | None] = {}
        self.trouble: Exception | None = None
        self.asked: list[str] = []
        self.tries: Sequence[Try] | None = ()
        self.just_before: Callable[[], None] = lambda: None

    def terminates(self, employee_id: str, email: str = "", cutoff: datetime = NOW) -> None:
        """HR says that this employee leaves; without an address the last one that was said."""
        self.says[employee_id] = Leaver(email, employee_id, Cutoff(cutoff))

    def employs(self, employee_id: str) -> None:
        """HR says that this employee works here."""
        self.says[employee_id] = Leaver("", employee_id, Cutoff(NOW), LeaverKind.REHIRED)

    def employee(
        self, journal: Journal, employee_id: str, *, last_email: str, now: datetime
    ) -> Leaver | None:
        self.asked.append(employee_id)
        self.just_before()
        call = Call("hr.employee", "GET", f"/{employee_id}", write=False, at=now, duration_ms=7)
        if self.trouble:
            journal.record(replace(call, error=str(self.trouble)))
            raise self.trouble
        journal.record(replace(call, status=200))
        said = self.says[employee_id]
        return replace(said, email=said.email or last_email) if said else None

    def prove_credential(self, journal: Journal) -> None:
        if self.trouble:
            raise self.trouble

    def webhook(self, journal: Journal, source: str) -> Sequence[Try] | None:
        if self.trouble:
            raise self.trouble
        return self.tries


class FakeNotes:
    """workers.deprovision.Notes without a ledger."""

    def __init__(self, *, wrote: bool = False) -> None:
        self.wrote = wrote
        self.pinned: list[Account] = []
        self.kept: list[Account] = []
        self.watched = False
        self.intended: list[str] = []
        self.calls: list[Call] = []
        self._refusals: dict[str, Exception] = {}

    def refuse(self, call: str, error: Exception) -> None:
        """The leave for this write is not given."""
        self._refusals[call] = error

    def pin(self, account: Account) -> None:
        self.pinned.append(account)

    def keep(self, account: Account) -> None:
        self.kept.append(account)

    def watch(self) -> None:
        self.watched = True

    def intend(self, call: str) -> None:
        if call in self._refusals:
            raise self._refusals[call]
        self.intended.append(call)
        self.wrote = True

    def record(self, call: Call) -> None:
        self.calls.append(call)

    def renew(self) -> None:
        pass

    @property
    def writes(self) -> list[str]:
        """The names of the writes that were sent."""
        return [call.name for call in self.calls if call.write]


class FakeWaker:
    """workers.dispatch.Waker with a list for a queue."""

    def __init__(self) -> None:
        self.woken: list[JobId] = []

    def wake(self, jobs: Iterable[JobId]) -> None:
        self.woken += jobs

    def ask(self, questions: Iterable[ExplanationId]) -> None:
        """Nobody answers."""

    def take(self) -> list[JobId]:
        """What is in the queue; it is empty afterwards."""
        woken, self.woken = self.woken, []
        return woken
