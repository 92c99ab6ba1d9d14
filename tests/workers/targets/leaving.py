"""One leaver's jobs in one target, attempt after attempt, remembering what the ledger would."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from tests.workers.claims import claim_of, order
from tests.workers.fakes import FakeClock
from tests.workers.targets.books import Book
from workers import reinstate
from workers.deprovision import Clock, Result, attempt
from workers.leavers import AccountId, Action
from workers.ledger.moves import Claim
from workers.targets.base import Account, Target


class Notes(Book):
    """workers.deprovision.Notes: pinned and kept once, as in the ledger."""

    def __init__(self) -> None:
        super().__init__()
        self.wrote = False
        self.account_id: AccountId | None = None
        self.snapshot: dict[str, Any] | None = None

    def intend(self, call: str) -> None:
        super().intend(call)
        self.wrote = True

    def pin(self, account: Account) -> None:
        self.account_id = self.account_id or account.id

    def keep(self, account: Account) -> None:
        kept = {"way": account.way, "access": account.access, **account.snapshot}
        self.snapshot = self.snapshot or json.loads(json.dumps(kept))

    def watch(self) -> None:
        pass


@dataclass
class Leaving:
    """The job of one leaver; `notes` holds all calls of all its attempts.

    Nobody waits in truth between two readings, but for a target that takes its time.
    """

    target: Target
    email: str
    notes: Notes = field(default_factory=Notes)
    clock: Clock = field(default_factory=FakeClock)

    def attempt(self, *, verify: str = "10s", protected: Sequence[str] = ()) -> Result:
        """One attempt, as a worker makes it; it reads back for `verify`."""
        told = order(verify=verify, protected=protected)
        with self.target.session(self.notes) as ready:
            return attempt(self._claim(), ready, self.notes, told, self.clock)

    def _claim(self) -> Claim:
        notes = self.notes
        now = self.clock.now()
        return claim_of(
            target=self.target.name,
            email=self.email,
            cutoff=now - timedelta(hours=1),
            account_id=notes.account_id,
            snapshot=notes.snapshot,
            intended_at=now if notes.wrote else None,
        )


@dataclass
class Returning:
    """The reinstatement of what that job has taken."""

    left: Leaving
    notes: Notes = field(default_factory=Notes)

    def attempt(self, *, verify: str = "10s") -> Result:
        """One attempt, as a worker makes it."""
        left = self.left
        claim = claim_of(
            action=Action.REINSTATE,
            target=left.target.name,
            email=left.email,
            account_id=left.notes.account_id,
        )
        snapshot = left.notes.snapshot or {}
        with left.target.session(self.notes) as ready:
            return reinstate.attempt(
                claim, snapshot, ready, self.notes, order(verify=verify), left.clock
            )
