"""What is asked of the ledger.  Nothing here writes.

    jobs.py         lists of jobs, and one job with its rounds, attempts, calls and audit trail
    lists.py        the order of lists, and those of certain kinds
    leavers.py      lists of leavers, and one person with all that was said of them
    deliveries.py   what came in, and what was not taken
    brakes.py       where the brake stands
    trail.py        the audit trail
    holds.py        which whole sources and targets are held
    shadow.py       what the shadow report is made of
    messages.py     what people were told
    overview.py     the figures and pictures of the first page of the console
    condition.py    alarms, pauses, workers, and the figures behind the metrics

A fact's fields are named as in JSON, and `as_json` makes that JSON.  Lists are newest first; a page
goes on after the last id of the page before it.
"""

import dataclasses
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

import sqlalchemy as sa

from workers.ledger.store import Ledger
from workers.ledger.tables import suffix_of

#: How many rows are taken at a time where all are wanted.
PAGE = 500

#: The fewest characters of an id that are looked for.
SHORTEST_PART = 6


class NotFound(LookupError):
    """Nothing has this id, or several have its part; the message says which."""


class Ambiguous(NotFound):
    """Several have this part of an id."""


def as_json(fact: Any) -> Any:
    """A fact, or anything made of facts, as json.dumps takes it: times in RFC 3339, UTC, with Z."""
    match fact:
        case datetime():
            return fact.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        case date():
            return fact.isoformat()
        case Mapping():
            return {str(name): as_json(value) for name, value in fact.items()}
        case list() | tuple():
            return [as_json(value) for value in fact]
    if dataclasses.is_dataclass(fact):
        fields = dataclasses.fields(fact)
        return {field.name: as_json(getattr(fact, field.name)) for field in fields}
    return fact


def columns_of(table: sa.Table, fact: type) -> list[sa.Column[Any]]:
    """The columns of `table` that `fact` has a field for."""
    return [table.c[field.name] for field in dataclasses.fields(fact) if field.name in table.c]


def without(row: sa.RowMapping, *names: str) -> dict[str, Any]:
    """`row` without these columns."""
    return {name: value for name, value in row.items() if name not in names}


def find_id(ledger: Ledger, table: sa.Table, noun: str, part: str) -> str:
    """The one id in `table` that is, begins or ends with `part`.  Raises NotFound."""
    part = part.lower()
    if len(part) < SHORTEST_PART or not set(part) <= set("0123456789abcdef-"):
        raise NotFound(f"{part!r} is not the id of a {noun}, nor {SHORTEST_PART} characters of one")
    # Whatever follows the part in an id comes before a "g".
    begins = (table.c.id >= part, table.c.id < f"{part}g", table.c.id.startswith(part))
    ends = (suffix_of(table.c.id) == part[-SHORTEST_PART:], table.c.id.endswith(part))
    with ledger.read() as tx:
        either = [
            tx.scalars(sa.select(table.c.id).where(*each).limit(2)) for each in (begins, ends)
        ]
        found = sorted({id_ for ids in either for id_ in ids})
    if not found:
        raise NotFound(f"no {noun} has the id {part}")
    if len(found) > 1:
        raise Ambiguous(f"several ids begin or end with {part}, such as {' and '.join(found)}")
    return str(found[0])
