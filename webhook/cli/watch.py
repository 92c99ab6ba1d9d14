"""`leaver jobs --watch`: jobs as they move.

On a terminal the newest ones, drawn anew; in a pipe, or as JSON, a line for each that is new or has
moved.  What has moved stands in the audit trail: a look costs little, however many jobs there are.
"""

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, TypeVar

from webhook.cli.jobs import HEADINGS, cells
from webhook.cli.options import ROWS
from webhook.cli.output import lines, screen, show_json, warn, when
from webhook.cli.situation import now
from workers.leavers import JobId, State
from workers.ledger import LedgerUnavailable
from workers.ledger.queries import jobs as kept
from workers.ledger.queries import trail

if TYPE_CHECKING:
    from workers.ledger import Ledger
    from workers.ledger.queries.jobs import Job, JobFilter
    from workers.ledger.queries.trail import Mark

Seen = TypeVar("Seen")

#: The time between two looks, in seconds; after one that took long, so many times what it took.
EVERY_S = 1.0
REST = 9

#: So much of the end of an id is shown where there is little room; commands take it.
SHORT = 12


def watch(ledger: "Ledger", wanted: "JobFilter", limit: int | None, json_: bool) -> None:
    """Show the jobs that fit, or the newest `limit`, and what becomes of them, until Ctrl-C."""
    try:
        if sys.stdout.isatty() and not json_:
            _draw(ledger, wanted, limit or ROWS)
        elif json_:
            for jobs in follow(ledger, wanted, limit):
                for job in jobs:
                    show_json(job)
        else:
            lines(HEADINGS, (map(cells, jobs) for jobs in follow(ledger, wanted, limit)))
    except KeyboardInterrupt:
        return


def follow(
    ledger: "Ledger", wanted: "JobFilter", limit: int | None, *, every_s: float = EVERY_S
) -> "Iterator[Sequence[Job]]":
    """The jobs that fit, or the newest `limit`, oldest first; then those that move, for ever.

    A job that moves several times between two looks is given once, as it is then.
    """
    end = trail.end(ledger)  # Taken first: what moves meanwhile is given again.
    if limit:
        yield kept.listed(ledger, wanted, limit=limit)[::-1]
    else:
        yield from kept.oldest_first(ledger, wanted)
    readable = True
    for jobs in _looks(ledger, end, lambda moved: kept.among(ledger, wanted, moved), every_s):
        if isinstance(jobs, LedgerUnavailable):
            if readable:
                warn(_unreadable(jobs))
            readable = False
            continue
        if not readable:
            warn("The ledger can be read again.")
        readable = True
        if jobs:
            yield jobs


def _draw(ledger: "Ledger", wanted: "JobFilter", limit: int) -> None:
    counts, rows = "", None

    def look(moved: "Sequence[JobId]") -> None:
        nonlocal counts, rows
        if moved or rows is None:
            counts = _counted(ledger, wanted)
            newest = kept.listed(ledger, wanted, limit=limit)
            rows = [(job.id[-SHORT:], *cells(job)[1:]) for job in newest]

    with screen() as draw:
        for fault in _looks(ledger, trail.end(ledger), look, EVERY_S):
            draw(f"{when(now())}  {_unreadable(fault) if fault else counts}", HEADINGS, rows or ())


def _looks(
    ledger: "Ledger", end: "Mark", look: "Callable[[Sequence[JobId]], Seen]", every_s: float
) -> "Iterator[Seen | LedgerUnavailable]":
    """What `look` makes of the jobs that have moved, time and again; or why it cannot be had."""
    while True:
        began = time.monotonic()
        seen: Seen | LedgerUnavailable
        try:
            moved, next_end = trail.moved(ledger, end)
            seen, end = look(moved), next_end
        except LedgerUnavailable as error:
            seen = error
        took = time.monotonic() - began
        yield seen
        time.sleep(max(every_s, REST * took))


def _counted(ledger: "Ledger", wanted: "JobFilter") -> str:
    counts = kept.by_state(ledger, wanted)
    told = [f"{state} {counts[state]}" for state in State if state in counts]
    return ", ".join(told) or "no job fits"


def _unreadable(error: LedgerUnavailable) -> str:
    return f"The ledger cannot be read now ({' '.join(str(error).split())}); it is tried again."
