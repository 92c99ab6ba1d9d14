"""What each part examines once it has started, and how it says what it found.

    receiver   ledger, queue, its clock, published keys
    console    what stands in the ledger and needs somebody
    worker     whom it talks to (examination.py: only workers load the code of targets)

Each has its own, so that `leaver up`, which is all three, says everything once.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime

import structlog

from config.settings import Settings
from webhook.doctor import machinery, people, record, sources
from webhook.doctor.check import Check, Result
from workers.ledger import LedgerUnavailable, open_ledger

log = structlog.get_logger(__name__)

Examine = Callable[[Settings], Iterator[Check]]


def begin(part: str, examine: Examine, settings: Settings) -> None:
    """Examine on a thread of its own, which ends with the process."""
    told = (part, examine(settings))
    threading.Thread(target=tell, args=told, name="doctor", daemon=True).start()


def tell(part: str, checks: Iterator[Check]) -> None:
    """Log whatever is not well."""
    made = faults = 0
    try:
        for check in checks:
            made += 1
            if check.result is not Result.OK:
                faults += 1
                about = {"check": check.name, "finding": check.finding, "hint": check.hint}
                log.warning("doctor", code=check.code, **about)
    except LedgerUnavailable as error:
        log.error("ledger unavailable", during="doctor", error=str(error))
    except Exception:
        log.exception("doctor broke", part=part)
    log.info("doctor done", part=part, checks=made, findings=faults)


def receiver(settings: Settings) -> Iterator[Check]:
    """What deliveries need."""
    with closing(open_ledger(settings.ledger.url.reveal())) as ledger:
        readable = yield from machinery.ledger_sound(ledger)
        yield from machinery.queue_sound(settings)
        yield machinery.clock_right(machinery.own_clocks(settings, ledger if readable else None))
    for name, source in settings.sources.items():
        yield from sources.keys_published(name, source)


def console(settings: Settings) -> Iterator[Check]:
    """What people are needed for.  Workers are only just coming, so that none lives is no fault."""
    with closing(open_ledger(settings.ledger.url.reveal())) as ledger:
        yield from people.approvers_there(settings, ledger)
        yield from record.needs_somebody(ledger, datetime.now(UTC))
