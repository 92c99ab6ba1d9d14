"""Counts of deliveries that were not taken.  Bounded: one row per source, reason and minute."""

from collections.abc import Mapping
from datetime import datetime, timedelta

import sqlalchemy as sa

from workers.ledger.store import Ledger, insert
from workers.ledger.tables import rejections

#: How long the counts are kept by the minute.
KEPT = timedelta(days=7)


def count_rejections(
    ledger: Ledger, counts: Mapping[tuple[str, str], int], *, now: datetime
) -> None:
    """Add counts by (source, reason) to this minute."""
    minute = now.replace(second=0, microsecond=0)
    with ledger.write() as tx:
        for (source, reason), count in counts.items():
            row = insert(tx, rejections).values(
                source=source, reason=reason, minute=minute, count=count
            )
            tx.execute(
                row.on_conflict_do_update(
                    index_elements=["source", "reason", "minute"],
                    set_={"count": rejections.c.count + row.excluded.count},
                )
            )
        tx.execute(sa.delete(rejections).where(rejections.c.minute < now - KEPT))
