"""What commands print: tables for people, JSON for programs.

Nothing in a table is cut or broken: an id can be copied, and a terminal wraps what is too wide.  In
a pipe it is plain columns, and what explains it goes to stderr.  Times are UTC.  Control characters
are shown, never sent.
"""

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.table import Table

    from workers.reasons import Reason

#: Draws a line, and below it a table by its headings and rows.
Draw = Callable[[str, Sequence[str], Iterable[Sequence[object]]], None]

NOTHING = "-"

#: Rich breaks what is wider.
WIDEST = 10_000

#: So many lines of a screen are no rows: one above the table, its headings, and the cursor's.
OTHER_LINES = 3

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
        _plain([[heading.upper() for heading in headings], *cells], [0] * len(headings))


def lines(headings: Sequence[str], batches: "Iterable[Iterable[Sequence[object]]]") -> None:
    """A table that goes on, in plain columns: rows are printed as they come."""
    rows, widths = [[heading.upper() for heading in headings]], [0] * len(headings)
    for batch in batches:
        rows += [[_cell(value) for value in row] for row in batch]
        widths = _plain(rows, widths)
        rows = []


@contextmanager
def screen() -> Iterator[Draw]:
    """Draws on the terminal, each time over what was drawn before; what does not fit is cut."""
    from rich.console import Console, Group
    from rich.live import Live
    from rich.segment import Segment, SegmentLines
    from rich.text import Text

    console = Console(highlight=False)

    def draw(line: str, headings: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        fitting = islice(rows, max(0, console.height - OTHER_LINES))
        table = _drawn(headings, ([_cell(value) for value in row] for row in fitting))
        whole = Group(Text(_printable(line), "bold"), table)
        drawn = console.render_lines(whole, console.options.update_width(WIDEST), pad=False)
        cut = [Segment.adjust_line_length(each, console.width, pad=False) for each in drawn]
        # A last line of its own for the cursor: the ^C of who ends it must not break another.
        live.update(SegmentLines([*cut, []], new_lines=True), refresh=True)

    with Live(console=console, auto_refresh=False) as live:
        yield draw


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

    Console(highlight=False, width=WIDEST).print(_drawn(headings, rows))


def _drawn(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> "Table":
    from rich.table import Table
    from rich.text import Text

    drawn = Table(box=None, pad_edge=False, header_style="bold")
    for heading in headings:
        drawn.add_column(heading, no_wrap=True)
    for row in rows:
        drawn.add_row(*(Text(cell, COLOURS.get(cell, "")) for cell in row))
    return drawn


def _plain(rows: Sequence[Sequence[str]], widths: Sequence[int]) -> list[int]:
    """Print the rows in columns at least so wide; gives how wide they are."""
    columns = zip(widths, zip(*rows, strict=True), strict=True)
    wide = [max(width, *map(len, column)) for width, column in columns]
    for row in rows:
        padded = (cell.ljust(width) for cell, width in zip(row, wide, strict=True))
        click.echo("  ".join(padded).rstrip())
    return wide


def _cell(value: object) -> str:
    if value is None or value == "":
        return NOTHING
    return _printable(when(value) if isinstance(value, datetime) else str(value))


def _printable(text: str) -> str:
    return "".join(
        each if each.isprintable() or each == "\n" else each.encode("unicode_escape").decode()
        for each in text
    )
