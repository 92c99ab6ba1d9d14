"""Lists of what is of certain kinds, newest first, and how many of them there are.

Which kinds fit, and how many each has, the tallies say; and for each kind there is an index in the
order of lists (received_at, id).  So neither few hits among very many rows, nor none, nor the last
page take longer than the first page of everything.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from workers.ledger import tables as t
from workers.ledger import tallies
from workers.ledger.tallies import Of

_TABLES = {"jobs": t.jobs, "deliveries": t.deliveries}


@dataclass(frozen=True, slots=True)
class Part:
    """Which part of a list: since then, older than the row `after`, newer than the row `before`."""

    table: sa.Table
    since: datetime | None = None
    after: str | None = None
    before: str | None = None

    def of(self, rows: sa.FromClause) -> list[sa.ColumnElement[bool]]:
        """That a row of the table, or its alias, is in it; none is, if there is no such row."""
        place, where = sa.tuple_(rows.c.received_at, rows.c.id), []
        if self.since is not None:
            where.append(rows.c.received_at >= self.since)
        if self.after is not None:
            where.append(place < self._place(self.after))
        if self.before is not None:
            where.append(place > self._place(self.before))
        return where

    def _place(self, row: str) -> sa.ColumnElement[Any]:
        received_at = sa.select(self.table.c.received_at).where(self.table.c.id == row)
        return sa.tuple_(received_at.correlate(None).scalar_subquery(), sa.literal(row))


def in_order(rows: sa.FromClause, *, backwards: bool = False) -> list[sa.ColumnElement[Any]]:
    """The order of a list: newest first, or backwards."""
    columns = (rows.c.received_at, rows.c.id)
    return [column.asc() if backwards else column.desc() for column in columns]


def first(
    tx: sa.Connection,
    of: Of,
    *which: sa.ColumnElement[bool],
    part: Part,
    limit: int,
    backwards: bool = False,
) -> sa.Select[Any]:
    """The first `limit` ids of the kinds that fit, in this part of the list."""
    table, kinds = _TABLES[of], tallies.kinds(of, *which)
    own = table.alias("own")
    # Of no kind more than `limit` rows come before this one.
    place = (
        sa.select(own.c.received_at)
        .where(*_fits(own, kinds), *part.of(own))
        .order_by(*in_order(own, backwards=backwards))
        .limit(1)
        .offset(limit - 1)
        .scalar_subquery()
    )
    furthest = sa.func.min(place) if backwards else sa.func.max(place)
    found = tx.scalar(sa.select(furthest).select_from(kinds))
    fitting = sa.select(table.c.id, table.c.received_at)
    fitting = fitting.join_from(kinds, table, sa.and_(*_fits(table, kinds))).where(*part.of(table))
    if found is not None:
        received_at = table.c.received_at
        fitting = fitting.where(received_at <= found if backwards else received_at >= found)
    # All of them are taken before they are sorted: a database that thought of the limit would look
    # through everything in the order of the list.
    few = fitting.cte("few").prefix_with("MATERIALIZED")
    return sa.select(few.c.id).order_by(*in_order(few, backwards=backwards)).limit(limit)


def by_state(
    tx: sa.Connection, of: Of, *which: sa.ColumnElement[bool], since: datetime | None = None
) -> Mapping[str, int]:
    """How many of the kinds that fit were received since then, or ever, by state or status."""
    table, kinds = _TABLES[of], tallies.kinds(of, *which)
    number: sa.ColumnElement[Any] = kinds.c.number
    if since is not None:
        lately = (*_fits(table, kinds), table.c.received_at >= since)
        number = sa.select(sa.func.count()).where(*lately).correlate(kinds).scalar_subquery()
    sums = sa.select(kinds.c.state, sa.func.sum(number)).group_by(kinds.c.state)
    return {row[0]: int(row[1]) for row in tx.execute(sums) if row[1]}


def count(
    tx: sa.Connection, of: Of, *which: sa.ColumnElement[bool], since: datetime | None = None
) -> int:
    """The same of all states."""
    if since is not None and not which:  # The time alone stands in an index that is much smaller.
        received_at = _TABLES[of].c.received_at
        return tx.scalar(sa.select(sa.func.count()).where(received_at >= since)) or 0
    return sum(by_state(tx, of, *which, since=since).values())


def _fits(rows: sa.FromClause, kinds: sa.Subquery) -> list[sa.ColumnElement[bool]]:
    """That a row is of a kind."""
    if "status" in rows.c:
        return [rows.c.source == kinds.c.source, rows.c.status == kinds.c.state]
    own = [rows.c[name] == kinds.c[name] for name in ("source", "target", "state", "reason")]
    return [*own, t.said(rows.c.outcome) == t.said(kinds.c.outcome)]
