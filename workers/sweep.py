"""The sweep: every worker looks, about once a second, for what nobody works on.

It runs on a thread of its own, and any number of them may run at once: each step is a conditional
move.  It takes back jobs whose worker died, queues those whose cutoff has come, lets go those that
a person let pass or released, holds those whose source or target no worker has, and wakes what is
due.  So a lost message, an emptied or frozen Redis or a killed worker costs seconds, never a
leaver.
"""

import threading
from datetime import datetime, timedelta

import sqlalchemy as sa
import structlog

from workers import watch, watch_sources
from workers.dispatch import Waker
from workers.ledger import LedgerUnavailable, due, moves, tallies
from workers.ledger.holds import Kind
from workers.ledger.store import insert
from workers.ledger.tables import workers
from workers.runtime import Runtime

log = structlog.get_logger(__name__)

#: How often it looks when nothing happens, and how often at most when much does.
EVERY = timedelta(seconds=1)
AT_MOST_EVERY = timedelta(milliseconds=50)

#: After a wake-up, this long is waited for the job to be claimed before it is woken again.
GRACE = timedelta(seconds=10)

#: How long a target that no worker has ever had is waited for.
MISSING_GRACE = timedelta(minutes=1)

#: How often a worker writes that it is alive, and how long it is remembered when it is not.
SIGN_OF_LIFE = timedelta(seconds=5)
REMEMBERED = timedelta(days=1)


class Sweep(threading.Thread):
    """The thread of one worker."""

    def __init__(self, runtime: Runtime, waker: Waker) -> None:
        super().__init__(name="sweep", daemon=True)
        self._runtime = runtime
        self._waker = waker
        self._signed_at: datetime | None = None
        self._signed: dict[str, list[str]] = {}
        # Of sources and targets: all that this worker ever had, and since when nobody has these.
        self._had: dict[Kind, set[str]] = {"source": set(), "target": set()}
        self._missing: dict[Kind, dict[str, datetime]] = {"source": {}, "target": {}}

    def run(self) -> None:
        """Sweep until the worker stops."""
        runtime = self._runtime
        while not runtime.stopping.is_set():
            runtime.nudged.clear()
            try:
                self.once(runtime.clock.now())
            except LedgerUnavailable as error:
                log.error("ledger unavailable", during="sweep", error=str(error))
            except Exception:
                # The thread must outlive anything: without it nothing is retried.
                log.exception("sweep broke")
            runtime.stopping.wait(AT_MOST_EVERY.total_seconds())
            runtime.nudged.wait(EVERY.total_seconds())

    def once(self, now: datetime) -> None:
        """One look."""
        runtime = self._runtime
        ledger, name = runtime.ledger, runtime.name
        for job in due.expired(ledger, now):
            if moves.take_back(ledger, job, actor=name, now=now):
                log.warning("job taken back", job_id=job)
        for job in due.matured(ledger, now):
            moves.mature(ledger, job, actor=name, now=now)
        self._hold_missing("source", runtime.sources(), now)
        self._hold_missing("target", {*runtime.concurrency()}, now)
        for job in due.let_go(ledger):
            moves.let_go(ledger, job, actor=name, now=now)
        room = runtime.concurrency()
        woken = due.to_wake(ledger, room, sources=runtime.sources(), now=now, grace=GRACE)
        self._waker.wake(woken)
        # Last: whatever is wrong with an alarm, leavers go on.
        own = {"sources": sorted(runtime.sources()), "targets": sorted(room)}
        if self._signed_at is None or now - self._signed_at >= SIGN_OF_LIFE or own != self._signed:
            self._sign(own, now)

    def _hold_missing(self, kind: Kind, own: set[str], now: datetime) -> None:
        """Hold the jobs of sources, or of targets, that no worker has.

        At once where this worker had it before; else after MISSING_GRACE, as the receiver may have
        read a new configuration first.
        """
        ledger, name = self._runtime.ledger, self._runtime.name
        had, since = self._had[kind], self._missing[kind]
        had |= own
        missing = due.unknown(ledger, kind, own)
        if missing:
            missing -= due.known_to_others(ledger, kind, name, now - MISSING_GRACE)
        self._missing[kind] = since = {each: since.get(each, now) for each in missing}
        gone = [each for each in missing if each in had or now - since[each] >= MISSING_GRACE]
        if gone:
            for job in due.waiting_for(ledger, kind, gone):
                moves.hold_missing(ledger, job, kind=kind, actor=name, now=now)

    def _sign(self, names: dict[str, list[str]], now: datetime) -> None:
        self._signed_at, self._signed = now, names
        runtime = self._runtime
        own = {"name": runtime.name, "started_at": runtime.started_at}
        seen = {"seen_at": now, **names}
        with runtime.ledger.write() as tx:
            tx.execute(
                insert(tx, workers)
                .values(own | seen)
                .on_conflict_do_update(index_elements=["name"], set_=seen)
            )
            tx.execute(sa.delete(workers).where(workers.c.seen_at < now - REMEMBERED))
        tallies.fold(runtime.ledger)
        watch.look(runtime.ledger, runtime.settings.targets, now)
        watch.remind(runtime.ledger, runtime.settings.policy.remind_every, now)
        watch_sources.look(runtime.ledger, runtime.settings, now)
