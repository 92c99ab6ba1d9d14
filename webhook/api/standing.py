"""How it goes: what waits, what a person must know, what is held, and where the brake stands."""

from dataclasses import dataclass

from webhook.api.lists import Listed, Paged, page, row_of
from webhook.api.operation import ID, Operation
from webhook.console.situation import at
from workers.ledger.queries import brakes, condition, holds, overview
from workers.ledger.queries.brakes import Brakes
from workers.ledger.queries.condition import Alarm, Pause
from workers.ledger.queries.holds import StandingHold
from workers.ledger.queries.overview import Waiting


@dataclass(frozen=True, slots=True)
class Status:
    """Ages in seconds are zero where there is no such job; `waiting` are those for a person."""

    mode: str
    workers: int
    oldest_unfinished_seconds: float
    oldest_overdue_seconds: float
    open_alarms: int
    waiting: tuple[Waiting, ...]
    paused_targets: tuple[Pause, ...]


def status() -> Status:
    """Tell at a glance how it goes."""
    ledger = at().ledger
    health = condition.health(ledger, now=at().now())
    return Status(
        mode=at().settings.policy.mode,
        workers=health.workers,
        oldest_unfinished_seconds=health.oldest_unfinished.total_seconds(),
        oldest_overdue_seconds=health.oldest_overdue.total_seconds(),
        open_alarms=sum(condition.alarms_by_kind(ledger).values()),
        waiting=tuple(overview.waiting(ledger)),
        paused_targets=tuple(condition.pauses(ledger)),
    )


def alarms(asked: Paged) -> Listed[Alarm]:
    """List the open alarms, the newest first."""
    after = row_of(asked.cursor, ID)
    found = condition.alarms_open(at().ledger, limit=asked.limit + 1, after=after)
    return page(found, asked.limit, "id")


def held() -> Listed[StandingHold]:
    """List the whole sources and targets that are held, the oldest first."""
    return Listed(tuple(holds.standing(at().ledger)))


def brake() -> Brakes:
    """Show where the brake stands: windows, room, who waits."""
    return brakes.standing(at().ledger, at().settings.all_brakes(), now=at().now())


OPERATIONS = (
    Operation("/status", status),
    Operation("/alarms", alarms),
    Operation("/holds", held),
    Operation("/brake", brake),
)
