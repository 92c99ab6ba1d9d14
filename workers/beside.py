"""Threads of a worker beside its sweep, for what asks systems that may be slow to answer."""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

from workers.errors import WorkerStopping
from workers.ledger import LedgerUnavailable
from workers.runtime import Runtime

log = structlog.get_logger(__name__)


class Beside(threading.Thread):
    """Does something each `every`, with the instant, until the worker stops."""

    def __init__(
        self, runtime: Runtime, name: str, once: Callable[[datetime], None], every: timedelta
    ) -> None:
        super().__init__(name=name, daemon=True)
        self._runtime = runtime
        self._once = once
        self._every = every

    def run(self) -> None:
        """Do it, again and again."""
        stopping = self._runtime.stopping
        while not stopping.is_set():
            try:
                self._once(self._runtime.clock.now())
            except LedgerUnavailable as error:
                log.error("ledger unavailable", during=self.name, error=str(error))
            except WorkerStopping:
                return
            except Exception:
                # The thread must outlive anything: nobody would notice that it is gone.
                log.exception("thread broke", thread=self.name)
            stopping.wait(self._every.total_seconds())
