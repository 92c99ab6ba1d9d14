"""Counting the deliveries that were not taken.

A stranger must not be able to make us write, so a request only counts in memory; a thread adds the
counts to the ledger every second.  Sources and reasons are few, so this cannot grow.
"""

import threading
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

from workers.ledger import Ledger
from workers.ledger.rejections import count_rejections

log = structlog.get_logger(__name__)


class Rejections:
    """The counts of one process.  Its thread starts with the first one, so after any fork."""

    def __init__(
        self,
        ledger: Ledger,
        clock: Callable[[], datetime],
        *,
        every: timedelta = timedelta(seconds=1),
    ) -> None:
        self._ledger = ledger
        self._clock = clock
        self._every = every
        self._counts: Counter[tuple[str, str]] = Counter()
        self._lock = threading.Lock()
        self._any = threading.Event()
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None

    def count(self, source: str, reason: str) -> None:
        """One more.  Never blocks for the ledger."""
        with self._lock:
            self._counts[source, reason] += 1
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="rejections", daemon=True)
                self._thread.start()
        self._any.set()

    def flush(self) -> None:
        """Write the counts down.  What the ledger does not take is kept for the next time."""
        with self._lock:
            counts, self._counts = self._counts, Counter()
            self._any.clear()
        if not counts:
            return
        try:
            count_rejections(self._ledger, counts, now=self._clock())
        except Exception as error:  # noqa: BLE001 - the counts must outlive whatever it is
            log.warning("rejections not written", error=type(error).__name__)
            with self._lock:
                self._counts.update(counts)
            self._any.set()

    def close(self) -> None:
        """Write down what is left."""
        self._closed.set()
        self._any.set()
        if self._thread is not None:
            self._thread.join(timeout=1)
        self.flush()

    def _run(self) -> None:
        while not self._closed.is_set():
            self._any.wait()
            self._closed.wait(self._every.total_seconds())
            self.flush()
