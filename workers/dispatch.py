"""Wake-ups to Celery, by task name, and nothing more.

A wake-up carries the id of a job, or of a question about one.  It may be lost, doubled or late: the
ledger decides what runs, and the sweep (workers/sweep.py), or whoever waits for an answer, sends it
again.  So nobody ever waits for one: a thread of its own sends them, because publishing to a frozen
Redis blocks for as long as its time-outs last.
"""

import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import structlog

from workers.leavers import ExplanationId, JobId
from workers.queue import celery_options

log = structlog.get_logger(__name__)

QUEUE = "leaver"
ATTEMPT = "leaver.attempt"
EXPLAIN = "leaver.explain"

#: More than this many waiting wake-ups are dropped; the sweep finds their jobs.
WAITING_LIMIT = 10_000


class Waker:
    """Sends wake-ups from a thread of its own.  Make one per process, after any fork."""

    def __init__(self, queue_url: str, home: Path) -> None:
        self._options = celery_options(queue_url, home)
        self._waiting: dict[tuple[str, str], None] = {}  # tasks and ids; a set that keeps its order
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._reachable = True

    def wake(self, jobs: Iterable[JobId]) -> None:
        """Have these jobs woken soon.  Never blocks, never fails."""
        self._have(ATTEMPT, jobs)

    def ask(self, questions: Iterable[ExplanationId]) -> None:
        """Have these questions answered soon.  Never blocks, never fails."""
        self._have(EXPLAIN, questions)

    def _have(self, task: str, ids: Iterable[str]) -> None:
        with self._changed:
            for each in ids:
                if len(self._waiting) < WAITING_LIMIT:
                    self._waiting[task, each] = None
            if self._thread is None:
                self._thread = threading.Thread(target=self._send, name="waker", daemon=True)
                self._thread.start()
            self._changed.notify()

    def reachable(self) -> bool:
        """Whether the queue took the last wake-up that was sent."""
        return self._reachable

    def flush(self, timeout_s: float) -> bool:
        """Wait until all was sent, for a short-lived process; False if the time was too short."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._waiting, timeout_s)

    def _send(self) -> None:
        from celery import Celery

        app = Celery("leaver", set_as_current=False)
        app.conf.update(self._options)
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting)
                wake_up = next(iter(self._waiting))
            self._publish(app, *wake_up)
            with self._changed:
                self._waiting.pop(wake_up, None)
                if not self._reachable:
                    # What waits here is stale by the time the queue is back.
                    self._waiting.clear()
                self._changed.notify_all()

    def _publish(self, app: Any, task: str, about: str) -> None:
        try:
            app.send_task(task, args=[about], queue=QUEUE, retry=False)
        except Exception as error:  # noqa: BLE001 - whatever kombu or the socket raises: the sweep repeats it
            if self._reachable:
                log.warning("queue unreachable", error=type(error).__name__)
            self._reachable = False
        else:
            if not self._reachable:
                log.info("queue reachable again")
            self._reachable = True
