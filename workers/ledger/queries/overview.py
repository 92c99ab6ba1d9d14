"""What the console shows first: what waits for a person, and how it has been going day by day.

Every figure comes from an index, so that a million jobs of years past cost nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from workers.leavers import TAKEN_AWAY, Action, DeliveryStatus, State
from workers.ledger import tables as t
from workers.ledger import tallies
from workers.ledger.quarantine import WAITS
from workers.ledger.store import Ledger

#: The days that are shown, today included.
DAYS = 14


@dataclass(frozen=True, slots=True)
class Waiting:
    """So many jobs wait for a person: held or failed, and why."""

    state: State
    reason: str
    jobs: int


@dataclass(frozen=True, slots=True)
class Day:
    """One day in UTC.  `median` and `late` (95 of 100) are from the later of receipt and cutoff to
    the proof, of the leavers whom Leaver itself switched off; None where there was none.
    """

    day: date
    deliveries: int
    jobs: Mapping[str, int]  # ended that day, by outcome, else by state
    median: timedelta | None
    late: timedelta | None


def waiting(ledger: Ledger) -> list[Waiting]:
    """What waits for a person, most first."""
    kinds = tallies.kinds("jobs", t.tallies.c.state.in_((State.HELD, State.FAILED)))
    query = sa.select(kinds.c.state, kinds.c.reason, sa.func.sum(kinds.c.number))
    query = query.group_by(kinds.c.state, kinds.c.reason)
    with ledger.read() as tx:
        found = [Waiting(State(row[0]), row[1], int(row[2])) for row in tx.execute(query)]
    return sorted(found, key=lambda each: (-each.jobs, each.state, each.reason))


def quarantined(ledger: Ledger) -> int:
    """How many deliveries hold something that waits in quarantine."""
    query = sa.select(sa.func.count(t.elements.c.delivery_id.distinct())).where(WAITS)
    with ledger.read() as tx:
        return tx.scalar(query) or 0


def days(ledger: Ledger, *, now: datetime) -> list[Day]:
    """The last DAYS days, oldest first."""
    today = now.date()
    wanted = [today - timedelta(days=ago) for ago in reversed(range(DAYS))]
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    since = midnight - timedelta(days=DAYS - 1)
    with ledger.read() as tx:
        deliveries = _deliveries(tx, since)
        jobs = _ended(tx, since)
        times = _times(tx, since)
    return [
        Day(day, deliveries.get(str(day), 0), jobs.get(str(day), {}), *times.get(str(day), _NONE))
        for day in wanted
    ]


_NONE = (None, None)


def _deliveries(tx: sa.Connection, since: datetime) -> Mapping[str, int]:
    kept = t.deliveries.c
    day = _day(tx, kept.received_at)
    query = sa.select(day, sa.func.count()).where(
        kept.received_at >= since, kept.status != DeliveryStatus.IGNORED
    )
    return {row[0]: row[1] for row in tx.execute(query.group_by(day))}


def _ended(tx: sa.Connection, since: datetime) -> Mapping[str, Mapping[str, int]]:
    kept = t.jobs.c
    day, how = _day(tx, kept.finished_at), sa.func.coalesce(kept.outcome, kept.state)
    query = sa.select(day, how, sa.func.count()).where(
        kept.finished_at >= since, kept.action != Action.LOOKUP
    )
    found: dict[str, dict[str, int]] = {}
    for each, word, count in tx.execute(query.group_by(day, how)):
        found.setdefault(each, {})[word] = count
    return found


def _times(tx: sa.Connection, since: datetime) -> Mapping[str, tuple[timedelta, timedelta]]:
    """By nearest rank: a time that somebody really had to wait."""
    kept = t.jobs.c
    day = _day(tx, kept.finished_at).label("day")
    began = sa.case((kept.cutoff > kept.received_at, kept.cutoff), else_=kept.received_at)
    took = _seconds(tx, kept.finished_at, began).label("took")
    own = (kept.finished_at >= since, kept.outcome.in_(TAKEN_AWAY))
    ranked = sa.select(
        day,
        took,
        sa.func.row_number().over(partition_by=day, order_by=took).label("rank"),
        sa.func.count().over(partition_by=day).label("all"),
    ).where(*own)
    each = ranked.subquery().c
    percent = each.rank * 100

    def at_least(share: int) -> sa.ColumnElement[Any]:
        return sa.func.min(sa.case((percent >= each.all * share, each.took)))

    query = sa.select(each.day, at_least(50), at_least(95)).group_by(each.day)
    return {row[0]: (_span(row[1]), _span(row[2])) for row in tx.execute(query)}


def _span(seconds: float) -> timedelta:
    """To the millisecond: SQLite's days are no more exact."""
    return timedelta(milliseconds=round(seconds * 1000))


def _day(tx: sa.Connection, instant: sa.Column[Any]) -> sa.ColumnElement[str]:
    """The day of an instant in UTC, as "2026-11-24"."""
    if tx.dialect.name == "sqlite":
        return sa.func.strftime("%Y-%m-%d", instant, type_=sa.String)
    return sa.func.to_char(sa.func.timezone("UTC", instant), "YYYY-MM-DD", type_=sa.String)


def _seconds(
    tx: sa.Connection, later: sa.Column[Any], earlier: sa.ColumnElement[Any]
) -> sa.ColumnElement[float]:
    if tx.dialect.name == "sqlite":
        days_between = sa.func.julianday(later) - sa.func.julianday(earlier)
        return sa.cast(days_between * 86400.0, sa.Float)
    return sa.cast(sa.func.extract("epoch", later - earlier), sa.Float)


def last_seen(ledger: Ledger, sources: Iterable[str]) -> Mapping[str, datetime | None]:
    """When each source was last heard; None where nothing came so far."""
    kept = t.deliveries.c
    with ledger.read() as tx:
        return {
            name: tx.scalar(sa.select(sa.func.max(kept.received_at)).where(kept.source == name))
            for name in sources
        }


def latest(days: Sequence[Day]) -> Day | None:
    """The newest day on which somebody was switched off."""
    return next((day for day in reversed(days) if day.median is not None), None)
