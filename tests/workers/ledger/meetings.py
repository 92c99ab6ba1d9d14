"""Lets transactions of PostgreSQL meet at the worst moment."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa

from tests.servers import wait_until
from workers.leavers import JobId
from workers.ledger import Ledger
from workers.ledger import tables as t

WAITING = sa.text(
    "SELECT count(*) FROM pg_stat_activity"
    " WHERE datname = current_database() AND wait_event_type = 'Lock'"
)


@contextmanager
def one_behind_the_other(
    ledger: Ledger, job: JobId, *, at: sa.Select[Any] | None = None
) -> Iterator[Callable[[Callable[[], Any]], Future[Any]]]:
    """Lets calls wait for a job's row, each behind the last one; they go on when the block ends.

    So the moments between two statements, which are a race in production, are met every time.
    `at` is another row to wait for.
    """
    row = sa.select(t.jobs.c.id).where(t.jobs.c.id == job) if at is None else at
    with ThreadPoolExecutor() as threads, ledger.write() as tx:
        tx.execute(row.with_for_update())
        count = 0

        def start(call: Callable[[], Any]) -> Future[Any]:
            nonlocal count
            count += 1
            running = threads.submit(call)
            wait_until(lambda: _waiting(ledger) == count)
            return running

        yield start


def _waiting(ledger: Ledger) -> int:
    with ledger.read() as tx:
        return int(tx.scalar(WAITING) or 0)
