"""Small pictures of days as SVG shapes: pure arithmetic, drawn by templates/chart.html."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from workers.ledger.queries.overview import Day

#: The drawing, in its own units.
WIDTH, HEIGHT = 560, 120


@dataclass(frozen=True, slots=True)
class Bar:
    """One day's bar; `title` is what it says when pointed at."""

    x: float
    y: float
    width: float
    height: float
    title: str


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


def bars(counts: Sequence[tuple[str, int]]) -> tuple[Bar, ...]:
    """A bar for each (day, count); the highest fills the drawing."""
    highest = max((count for _, count in counts), default=0) or 1
    step = WIDTH / max(len(counts), 1)
    return tuple(
        Bar(
            place * step + step * 0.15,
            HEIGHT * (1 - count / highest),
            step * 0.7,
            HEIGHT * count / highest,
            f"{day}: {count}",
        )
        for place, (day, count) in enumerate(counts)
    )


def lines(days: Sequence[Day]) -> tuple[Line, ...]:
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

    return (
        line("median", [day.median for day in days]),
        line("95 of 100", [day.late for day in days]),
    )


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
