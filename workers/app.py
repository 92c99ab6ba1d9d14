"""The worker process: a Celery worker on threads, with the sweep beside it.

Celery only hands over wake-ups.  Signals are ours: SIGTERM and SIGINT stop in good order (pauses
end, running attempts give their jobs back), SIGHUP reads the configuration again.
"""

import signal
import threading
from collections.abc import Callable
from typing import Any

import structlog
from celery import Celery, signals
from celery.worker import WorkController, state

from config.settings import Settings
from workers import lookout
from workers.beside import Beside
from workers.dispatch import QUEUE, Waker
from workers.hr import heartbeat
from workers.messages import post
from workers.queue import celery_options
from workers.runtime import Runtime
from workers.sweep import Sweep
from workers.tasks import register

log = structlog.get_logger(__name__)


def run(load: Callable[[], Settings], begun: Callable[[Settings], None]) -> int:
    """Run a worker until it is told to stop; returns the exit code.

    `begun` is called once it works, with its settings, and returns at once.
    Raises ConfigurationError, LedgerOutdated and LedgerUnavailable before anything starts.
    """
    runtime = Runtime(load)
    runtime.ledger.check_schema()
    settings = runtime.settings
    app = Celery("leaver", set_as_current=True)
    queue_url = settings.queue.url.reveal()
    app.conf.update(celery_options(queue_url, settings.home))
    register(app, runtime)
    signals.setup_logging.connect(_keep_our_logging, weak=False)

    sweep = Sweep(runtime, Waker(queue_url, settings.home))
    worker = WorkController(
        app=app,
        pool_cls="threads",
        concurrency=max(1, sum(runtime.concurrency().values())),
        queues=[QUEUE],
        hostname=f"leaver@{runtime.name}",
        without_gossip=True,
        without_mingle=True,
        without_heartbeat=True,
        task_events=False,
    )

    def stop(number: int, _frame: Any) -> None:
        log.info("worker stopping", signal=signal.Signals(number).name)
        runtime.stopping.set()
        runtime.nudged.set()
        # An exit code, by Celery's own use of it; its stubs do not know.
        state.should_stop = 0  # type: ignore[assignment]

    def reload(_number: int, _frame: Any) -> None:
        # Not in the signal handler itself: it may interrupt the very code that it would call.
        threading.Thread(target=runtime.reload, name="reload", daemon=True).start()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    signal.signal(signal.SIGHUP, reload)

    log.info("worker started", worker=runtime.name, targets=sorted(settings.targets))
    sweep.start()
    Beside(runtime, "heartbeat", heartbeat.Listener(runtime).once, heartbeat.LOOKS).start()
    Beside(runtime, "lookout", lookout.Lookout(runtime).once, lookout.EVERY).start()
    Beside(runtime, "messages", post.Post(runtime).once, post.EVERY).start()
    begun(settings)
    worker.start()
    runtime.stopping.set()
    return int(worker.exitcode or 0)


def _keep_our_logging(**_: Any) -> None:
    """Connected to Celery's signal, so that it sets up no logging of its own."""
