"""The book of one attempt: every call as it happens, and the leave to write, kept in the ledger."""

from collections.abc import Callable
from datetime import datetime, timedelta

import sqlalchemy as sa

from workers.leavers import AccountId
from workers.ledger import Ledger, moves, pauses
from workers.ledger.brakes import Brakes
from workers.ledger.moves import Claim
from workers.ledger.tables import calls
from workers.targets.base import Account, Call

#: How long a worker owns a job without a sign of life.  It must outlast one call
#: (workers/targets/http.py CALL_BUDGET) and one pause of the read-back, with room to spare; and it
#: bounds how long a killed worker keeps a leaver waiting.
LEASE = timedelta(seconds=30)


class LedgerJournal:
    """workers.targets.base.Journal, written to the ledger as it goes."""

    def __init__(self, ledger: Ledger, claim: Claim, now: Callable[[], datetime]) -> None:
        self._ledger = ledger
        self._claim = claim
        self._now = now
        self._brakes: Brakes | None = None
        self._to_approve = False
        self._account: AccountId | None = claim.account_id
        self.wrote = claim.intended_at is not None
        self.calls = 0

    def go_by(self, brakes: Brakes, *, to_approve: bool = False) -> None:
        """What the leave to write takes.

        It must be of the configuration by which everything else is decided: an older one may have
        no brake because it was in shadow mode.
        """
        self._brakes, self._to_approve = brakes, to_approve

    def pin(self, account: Account) -> None:
        """Fix the account of the job, and take it for the attempt.

        The first one stays.  Raises LeaseLost or AccountBusy.
        """
        moves.pin(self._ledger, self._claim, account.id, now=self._now(), lease=LEASE)
        self._account = account.id

    def keep(self, account: Account) -> None:
        """Keep the account's state from before anything was written; the first one stays."""
        snapshot = {"way": account.way, "access": account.access, **account.snapshot}
        moves.keep(self._ledger, self._claim, snapshot)

    def watch(self) -> None:
        """Note since when an identity provider is watched; the first time stays."""
        moves.watch(self._ledger, self._claim, self._now())

    def intend(self, call: str) -> None:
        """Ask the ledger for the leave to write.

        Raises Stopped, LeaseLost, Braked or AccountBusy.
        """
        if self._account is None:
            raise RuntimeError(f"{call} would write before an account was matched")
        if self._brakes is None:
            raise RuntimeError(f"{call} would write before it was said what that takes")
        moves.intend(
            self._ledger,
            self._claim,
            self._account,
            brakes=self._brakes,
            to_approve=self._to_approve,
            now=self._now(),
            lease=LEASE,
        )
        self.wrote = True

    def renew(self) -> None:
        """Keep the job for another LEASE.  Raises LeaseLost."""
        with self._ledger.write() as tx:
            moves.renew(tx, self._claim, self._now() + LEASE)

    def record(self, call: Call) -> None:
        """Keep the call, and the job with it for another LEASE.  Raises LeaseLost."""
        self.calls += 1
        with self._ledger.write() as tx:
            now = self._now()
            moves.renew(tx, self._claim, now + LEASE)
            tx.execute(
                sa.insert(calls).values(
                    attempt_id=self._claim.attempt,
                    at=call.at,
                    name=call.name,
                    method=call.method,
                    path=call.path,
                    write=call.write,
                    status=call.status,
                    duration_ms=call.duration_ms,
                    error=call.error,
                )
            )
            if call.name == self._claim.probe_call and not call.error:
                pauses.resume(tx, self._claim.target, self._claim.job, now)


class Calls:
    """A journal of calls that belong to no job: it collects them, and lets nobody write."""

    def __init__(self) -> None:
        self.made: list[Call] = []

    def intend(self, call: str) -> None:
        """Refuse: nothing is written here."""
        raise RuntimeError(f"no job stands behind it, so it must not write: {call}")

    def record(self, call: Call) -> None:
        """Keep it."""
        self.made.append(call)

    def renew(self) -> None:
        """No lease to renew."""
