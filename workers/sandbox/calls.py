"""The calls that the sandbox saw, in order, and what was counted about them.

A key is kept as a fingerprint only.  The newest 100,000 calls are kept; the counters know all.
"""

import hashlib
import threading
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Literal

from flask import Request

from workers.sandbox.answers import Operation

_KEPT = 100_000

# A write changed something, found nothing to change, was refused, lost its change on order, or was
# kept by a fault or a bad request from taking place at all.
Effect = Literal["changed", "unchanged", "refused", "lost", "prevented"]


@dataclass(slots=True)
class Call:
    """One call.  A finished call without a status was never answered.

    operation      its name; None for an address that does not exist
    connection     the client's address and port: calls on one connection share it
    key            fingerprint of the credential, None without one
    fault          the ordered fault that fell on it
    found          a write only: the status of the account just before
    """

    number: int
    at: datetime
    method: str
    path: str
    operation: str | None
    writes: bool
    connection: str
    key: str | None
    account_id: str | None = None
    emails: tuple[str, ...] = ()
    fault: str | None = None
    found: str | None = None
    effect: Effect | None = None
    status: int | None = None
    finished: bool = False


class Log:
    """Every call from its beginning.  Safe to use from many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running = 0
        self._written_now: Counter[str | None] = Counter()
        self._times_cleared = 0
        self.clear()

    def clear(self) -> None:
        """Forget all calls; those that still run are not counted when they end."""
        with self._lock:
            self._times_cleared += 1
            self._calls: deque[Call] = deque(maxlen=_KEPT)
            self._number = 0
            self._operations: Counter[str] = Counter()
            self._statuses: Counter[str] = Counter()
            self._connections: set[str] = set()
            self._most_at_once = 0
            self._overlapping_writes = 0
            self._disables_of_inactive = 0

    @contextmanager
    def recording(
        self,
        request: Request,
        operation: Operation | None,
        account_id: str | None = None,
        emails: tuple[str, ...] = (),
    ) -> Iterator[Call]:
        """Puts a call in the list, counts it as running, and closes it at the end."""
        call = Call(
            number=0,
            at=datetime.now(UTC),
            method=request.method,
            path=request.path,
            operation=operation.name if operation else None,
            writes=operation.writes if operation else False,
            connection=f"{request.remote_addr}:{request.environ.get('REMOTE_PORT')}",
            key=_fingerprint(request.headers.get("Authorization")),
            account_id=account_id,
            emails=emails,
        )
        with self._lock:
            self._begin(call)
            times_cleared = self._times_cleared
        try:
            yield call
        finally:
            with self._lock:
                self._running -= 1
                if call.writes:
                    self._written_now[call.account_id] -= 1
                if times_cleared == self._times_cleared:
                    self._end(call)

    def calls(
        self, *, operation: str | None = None, account_id: str | None = None, since: int = 0
    ) -> list[Call]:
        """The calls with a number above `since`, in order."""
        with self._lock:
            return [
                replace(call)
                for call in self._calls
                if call.number > since
                and operation in (None, call.operation)
                and account_id in (None, call.account_id)
            ]

    def counters(self) -> dict[str, Any]:
        """What was counted since the start or the last reset.

        most_at_once            the most calls that ran at one time
        overlapping_writes      writes that began while another ran on the same account
        disables_of_inactive    disables that reached an account which was not active any more
        """
        with self._lock:
            return {
                "calls": self._number,
                "operations": dict(self._operations),
                "statuses": dict(self._statuses),
                "connections": len(self._connections),
                "most_at_once": self._most_at_once,
                "overlapping_writes": self._overlapping_writes,
                "disables_of_inactive": self._disables_of_inactive,
            }

    def _begin(self, call: Call) -> None:
        self._number += 1
        call.number = self._number
        self._calls.append(call)
        self._operations[call.operation or "unknown"] += 1
        self._connections.add(call.connection)
        self._running += 1
        self._most_at_once = max(self._most_at_once, self._running)
        if call.writes:
            self._overlapping_writes += self._written_now[call.account_id] > 0
            self._written_now[call.account_id] += 1

    def _end(self, call: Call) -> None:
        call.finished = True
        self._statuses[str(call.status or "none")] += 1
        if call.operation == "lifecycle.disable" and call.found not in (None, "active"):
            self._disables_of_inactive += 1


def _fingerprint(credential: str | None) -> str | None:
    """The first eight hex digits of its SHA-256."""
    return hashlib.sha256(credential.encode()).hexdigest()[:8] if credential else None
