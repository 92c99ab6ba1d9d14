"""Tallies: how many jobs and deliveries there are of each kind, without counting them.

A kind of jobs is one source, target, state, outcome and reason; of deliveries, one source and
status; of their repetitions, one source.  Whoever writes or moves one notes in the same transaction
that its kind has one more, and the kind that it was one less; how many there are is the sum.  So it
is right at every moment, as whoever asks sees it.

Notes are only ever added, so that nobody waits for anybody.  The sweep sums up what has gathered
(fold): it takes notes away and puts their sum in their place.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Any, Literal

import sqlalchemy as sa

from workers.leavers import DeliveryStatus
from workers.ledger import tables as t
from workers.ledger.store import Ledger

Of = Literal["jobs", "deliveries", "repetitions"]
JobRow = sa.RowMapping | Mapping[str, Any]

#: What tells a kind from the others.
KIND = ("source", "target", "state", "outcome", "reason")

#: How many notes gather before they are summed up, and how many are at a time.
GATHERED = 500
AT_A_TIME = 5000


def job_became(tx: sa.Connection, was: JobRow | None, now: JobRow) -> None:
    """A job that was of that kind, None if it is new, is of this one from now on."""
    _note(tx, "jobs", _kind_of(was) if was else None, _kind_of(now))


def delivery_became(tx: sa.Connection, source: str, was: str | None, now: DeliveryStatus) -> None:
    """A delivery that had that status, None if it is new, has this one from now on."""
    _note(tx, "deliveries", (source, "", was, "", "") if was else None, (source, "", now, "", ""))


def delivery_repeated(tx: sa.Connection, source: str) -> None:
    """A delivery came once more."""
    _note(tx, "repetitions", None, (source, "", "", "", ""))


def kinds(of: Of, *where: sa.ColumnElement[bool]) -> sa.Subquery:
    """The kinds of which there are any, each with its `number`."""
    number = sa.func.sum(t.tallies.c.number).label("number")
    query = sa.select(*_KIND, number).where(t.tallies.c.of == of, *where)
    return query.group_by(*_KIND).having(number > 0).subquery("kinds")


def fold(ledger: Ledger) -> None:
    """Sum up the notes that have gathered.  Safe to run in every worker at once."""
    each = sa.select(t.tallies.c.of, *_KIND).distinct().subquery()
    needed = sa.select(sa.func.count()).select_from(each).scalar_subquery()
    gathered = sa.select(sa.func.count() - needed).select_from(t.tallies)
    with ledger.read() as tx:
        if (tx.scalar(gathered) or 0) < GATHERED:
            return
    kept = t.tallies.c
    oldest = sa.select(kept.id).order_by(kept.id).limit(AT_A_TIME)
    taken = sa.delete(t.tallies).where(kept.id.in_(oldest.with_for_update(skip_locked=True)))
    sums: Counter[tuple[str, ...]] = Counter()
    with ledger.write() as tx:
        for row in tx.execute(taken.returning(kept.of, *_KIND, kept.number)):
            sums[row[:-1]] += row[-1]
        _add(tx, sums)


_KIND = [t.tallies.c[name] for name in KIND]


def _kind_of(job: JobRow) -> tuple[str, ...]:
    return tuple(job[name] or "" for name in KIND)


def _note(tx: sa.Connection, of: Of, was: tuple[str, ...] | None, now: tuple[str, ...]) -> None:
    if was != now:
        _add(tx, {(of, *now): 1} | ({(of, *was): -1} if was else {}))


def _add(tx: sa.Connection, numbers: Mapping[tuple[str, ...], int]) -> None:
    notes = [
        dict(zip(("of", *KIND, "number"), (*kind, number), strict=True))
        for kind, number in numbers.items()
        if number
    ]
    if notes:
        tx.execute(sa.insert(t.tallies), notes)
