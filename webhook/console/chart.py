"""Small pictures of days as SVG shapes: pure arithmetic, drawn by templates/chart.html."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from workers.leavers import TAKEN_AWAY, Outcome, State
from workers.ledger.queries.overview import Day

#: The drawing, in its own units.
WIDTH, HEIGHT = 560, 120

#: What jobs came to, as one picture can show it: each job that ended is in one of these.
ENDS: Mapping[str, Sequence[str]] = {
    "access taken away": TAKEN_AWAY,
    "nothing to take": (Outcome.ALREADY_INACTIVE, Outcome.NO_ACCOUNT),
    "given back": (Outcome.REINSTATED, Outcome.ALREADY_ACTIVE),
    "shadow": (Outcome.WOULD_DEACTIVATE, Outcome.WOULD_REINSTATE),
    "failed": (State.FAILED,),
    "cancelled": (State.CANCELLED,),
}

#: The times that a line marks, as far as the slowest needs them.
MARKS = {
    "1 s": timedelta(seconds=1),
    "10 s": timedelta(seconds=10),
    "1 min": timedelta(minutes=1),
    "10 min": timedelta(minutes=10),
    "1 h": timedelta(hours=1),
    "10 h": timedelta(hours=10),
    "4 d": timedelta(days=4),
}


@dataclass(frozen=True, slots=True)
class Bar:
    """One day's bar, or a part of it; `kind` counts from 1, `title` is what it says."""

    x: float
    y: float
    width: float
    height: float
    kind: int
    title: str


@dataclass(frozen=True, slots=True)
class Mark:
    """A height with what it means."""

    y: float
    text: str


@dataclass(frozen=True, slots=True)
class Point:
    """One day's dot on a line."""

    x: float
    y: float
    title: str


@dataclass(frozen=True, slots=True)
class Line:
    """One line through the days on which there was something."""

    name: str
    points: tuple[Point, ...]

    @property
    def path(self) -> str:
        """As SVG writes it."""
        return " ".join(f"{point.x:.1f},{point.y:.1f}" for point in self.points)


@dataclass(frozen=True, slots=True)
class Chart:
    """One picture of bars or lines; `names` are those of the kinds that are in it."""

    names: Mapping[int, str]
    marks: tuple[Mark, ...]
    bars: tuple[Bar, ...] = ()
    lines: tuple[Line, ...] = ()


def deliveries(days: Sequence[Day]) -> Chart:
    """What came in, day by day."""
    return _bars(("deliveries",), [(day, (day.deliveries,)) for day in days])


def ends(days: Sequence[Day]) -> Chart:
    """What jobs came to, day by day."""
    counts = [
        (day, tuple(sum(day.jobs.get(word, 0) for word in words) for words in ENDS.values()))
        for day in days
    ]
    return _bars(tuple(ENDS), counts)


def times(days: Sequence[Day]) -> Chart:
    """Time to deprovision, day by day: by magnitude, as seconds and hours stand side by side."""
    step = WIDTH / max(len(days), 1)
    slowest = max((day.late for day in days if day.late), default=timedelta(minutes=1))

    def height(time: timedelta) -> float:
        share = math.log1p(time.total_seconds()) / math.log1p(max(slowest.total_seconds(), 1.0))
        return HEIGHT * (1 - 0.95 * min(share, 1.0))

    def line(name: str, times: Sequence[timedelta | None]) -> Line:
        return Line(
            name,
            tuple(
                Point((place + 0.5) * step, height(time), f"{day.day:%d %b}, {name}: {took(time)}")
                for place, (day, time) in enumerate(zip(days, times, strict=True))
                if time is not None
            ),
        )

    lines = (
        line("median", [day.median for day in days]),
        line("95 of 100", [day.late for day in days]),
    )
    marks = tuple(Mark(height(time), text) for text, time in MARKS.items() if time <= slowest)
    names = {kind: each.name for kind, each in enumerate(lines, 1) if each.points}
    return Chart(names, marks, lines=lines)


def _bars(names: tuple[str, ...], days: Sequence[tuple[Day, Sequence[int]]]) -> Chart:
    """A bar for each day, its parts one upon the other; the highest fills the drawing."""
    highest = max((sum(counts) for _, counts in days), default=0)
    step = WIDTH / max(len(days), 1)
    bars = []
    for place, (day, counts) in enumerate(days):
        below = 0
        for kind, (name, count) in enumerate(zip(names, counts, strict=True), 1):
            if not count:
                continue
            below += count
            bars.append(
                Bar(
                    place * step + step * 0.15,
                    HEIGHT * (1 - below / highest),
                    step * 0.7,
                    HEIGHT * count / highest,
                    kind,
                    f"{day.day:%d %b}: {count:,} {name}",
                )
            )
    there = {bar.kind: names[bar.kind - 1] for bar in sorted(bars, key=lambda bar: bar.kind)}
    return Chart(there, (Mark(0, f"{highest:,}"),) if highest else (), bars=tuple(bars))


def took(time: timedelta) -> str:
    """A length of time for people: "0.8 s", "42 s", "3 min", "5 h", "2 d"."""
    seconds = time.total_seconds()
    for limit, unit, length in (
        (9.95, "s", 1.0),
        (99.5, "s", 1.0),
        (5970, "min", 60.0),
        (172800, "h", 3600.0),
    ):
        if seconds < limit:
            return f"{seconds / length:.{int(limit < 10)}f} {unit}"
    return f"{seconds / 86400:.0f} d"
