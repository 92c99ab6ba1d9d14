"""What commands print: tables and bars for people, JSON for programs.

Nothing in a table is cut or broken: an id can be copied, and a terminal wraps what is too wide.  In
a pipe it is plain columns, and what explains it goes to stderr.  Times are UTC.  Control characters
are shown, never sent.
"""

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
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

#: From so many steps on there is a bar.
MANY = 10

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


def lines(headings: Sequence[str], batches: Iterable[Iterable[Sequence[object]]]) -> None:
    """A table that goes on, in plain columns: rows are printed as they come."""
    rows, widths = [[heading.upper() for heading in headings]], [0] * len(headings)
    for batch in batches:
        rows += [[_cell(value) for value in row] for row in batch]
        widths = _plain(rows, widths)
        rows = []


@dataclass(frozen=True, slots=True)
class Progress:
    """What may come meanwhile: a line of what was asked for, and that one more step is done."""

    say: Callable[[str], None]
    step: Callable[[], None]


@contextmanager
def progress(doing: str, total: int | None = None, *, hidden: bool = False) -> Iterator[Progress]:
    """A bar while something is done that may take long, of `total` steps where that is known.

    It is gone afterwards.  There is none for what is done at once, and none beside a pipe: whoever
    reads it may write to this terminal too.
    """
    on_terminal = sys.stdout.isatty() and sys.stderr.isatty()
    if hidden or not on_terminal or (total is not None and total < MANY):
        yield Progress(say, lambda: None)
        return
    from rich import progress as parts
    from rich.console import Console
    from rich.text import Text

    known = (parts.MofNCompleteColumn(), parts.TimeRemainingColumn())
    times = (parts.TimeElapsedColumn(),) if total is None else known
    console = Console(highlight=False)

    def say_above(text: str) -> None:
        console.print(Text(_printable(text)), soft_wrap=True)

    with parts.Progress(
        parts.TextColumn("{task.description}"),
        parts.BarColumn(),
        *times,
        console=console,
        transient=True,
    ) as bar:
        task = bar.add_task(doing, total=total)
        yield Progress(say_above, lambda: bar.advance(task))


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
