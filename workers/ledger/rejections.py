"""Counts of deliveries that were not taken.  Bounded: a row per source, reason and minute, for a
while; what is older is summed up in one row, so that a total never falls.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from workers.ledger.store import Ledger, insert
from workers.ledger.tables import rejections

#: How long the counts are kept by the minute.
KEPT = timedelta(days=7)

#: The "minute" of everything older.
OLDER = datetime(1970, 1, 1, tzinfo=UTC)


def count_rejections(
    ledger: Ledger, counts: Mapping[tuple[str, str], int], *, now: datetime
) -> None:
    """Add counts by (source, reason) to this minute."""
    kept = rejections.c
    with ledger.write() as tx:
        # In one order, so that receivers that count at once do not wait for each other for ever.
        for (source, reason), count in sorted(counts.items()):
            _add(tx, source, reason, now.replace(second=0, microsecond=0), count)
        older = tx.execute(
            sa.delete(rejections)
            .where(kept.minute > OLDER, kept.minute < now - KEPT)
            .returning(kept.source, kept.reason, kept.count)
        )
        for source, reason, count in sorted(older.all()):
            _add(tx, source, reason, OLDER, count)


def _add(tx: sa.Connection, source: str, reason: str, minute: datetime, count: int) -> None:
    row = insert(tx, rejections).values(source=source, reason=reason, minute=minute, count=count)
    tx.execute(
        row.on_conflict_do_update(
            index_elements=["source", "reason", "minute"],
            set_={"count": rejections.c.count + row.excluded.count},
        )
    )
