"""What commands print: tables for people, JSON for programs.

Nothing in a table is cut or broken: an id can be copied, and a terminal wraps what is too wide.  In
a pipe it is plain columns, and what explains it goes to stderr.  Times are UTC.  Control characters
are shown, never sent.
"""

import json
import sys
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Mapping

    from workers.reasons import Reason

NOTHING = "-"

#: Rich breaks what is wider.
WIDEST = 10_000

#: Words that catch the eye on a terminal.
COLOURS = {"held": "yellow", "quarantined": "yellow", "failed": "red", "done": "green"}


def show_json(fact: Any) -> None:
    """One fact as one line of JSON."""
    from workers.ledger.queries import as_json

    click.echo(json.dumps(as_json(fact)))


def say(text: str = "") -> None:
    """A line of what was asked for."""
    click.echo(_printable(text))


def note(text: str = "") -> None:
    """A line beside what was asked for: it must not get between the columns in a pipe."""
    click.echo(_printable(text), err=not sys.stdout.isatty())


def warn(text: str) -> None:
    """A line for whoever runs the command, never for what reads its output."""
    click.echo(_printable(text), err=True)


def table(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """A table."""
    cells = [[_cell(value) for value in row] for row in rows]
    if sys.stdout.isatty():
        _on_terminal(headings, cells)
    else:
        _plain([[heading.upper() for heading in headings], *cells])


def explain(words: Iterable[str], meanings: "Mapping[str, Reason]") -> None:
    """What the reason words that were shown mean, and what to do."""
    known = [word for word in dict.fromkeys(words) if word in meanings]
    if known:
        note()
    for word in known:
        note(f"{word}: {meanings[word].means}")
        note(f"{' ' * len(word)}  {meanings[word].to_do}")


def when(instant: datetime | None) -> str:
    """An instant to the second."""
    return f"{instant:%Y-%m-%d %H:%M:%S}Z" if instant else NOTHING


def _on_terminal(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    drawn = Table(box=None, pad_edge=False, header_style="bold")
    for heading in headings:
        drawn.add_column(heading, no_wrap=True)
    for row in rows:
        drawn.add_row(*(Text(cell, COLOURS.get(cell, "")) for cell in row))
    Console(highlight=False, width=WIDEST).print(drawn)


def _plain(rows: Sequence[Sequence[str]]) -> None:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        padded = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        click.echo("  ".join(padded).rstrip())


def _cell(value: object) -> str:
    if value is None or value == "":
        return NOTHING
    return _printable(when(value) if isinstance(value, datetime) else str(value))


def _printable(text: str) -> str:
    return "".join(
        each if each.isprintable() or each == "\n" else each.encode("unicode_escape").decode()
        for each in text
    )
