"""What HR's events say of one person, taken together: is the person leaving, and when?

Pure, and a function of the set of events alone: they are read in the sender's order, not in the
order in which they came in.  So a correction, a rescind or a rehire that overtook its termination
ends in the same state as if it had not.

    terminated, corrected   open an episode, or change the cutoff of the one that is open
    rescinded               ends the open episode: HR took the termination back
    rehired                 ends the open episode: the person works here again

An episode is one leaving of one person; each has its own jobs.  Only the last one can be open.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from workers.leavers import LeaverId, LeaverKind, Standing


@dataclass(frozen=True, slots=True)
class Event:
    """One event of a person.  `at` is the sender's time of it; equal times are put in the order in
    which they make sense, and then by `id`, so that the order is the same every time."""

    id: LeaverId
    kind: LeaverKind
    at: datetime
    email: str
    cutoff: datetime


@dataclass(frozen=True, slots=True)
class Episode:
    """One leaving of one person: what opened it, what counts now, and all its events."""

    opener: LeaverId
    members: tuple[LeaverId, ...]
    email: str
    cutoff: datetime
    standing: Standing = Standing.LEAVING


def must_be_out(episodes: Sequence[Episode], now: datetime) -> bool:
    """Whether the person, by what HR has said so far, has no access to have now."""
    last = episodes[-1] if episodes else None
    return last is not None and last.standing is Standing.LEAVING and last.cutoff <= now


_SENSE = list(LeaverKind)


def episodes_of(events: Iterable[Event]) -> tuple[Episode, ...]:
    """The episodes of one person, oldest first."""
    ended: list[Episode] = []
    current: Episode | None = None
    for event in sorted(events, key=lambda e: (e.at, _SENSE.index(e.kind), e.id)):
        match event.kind:
            case LeaverKind.TERMINATED | LeaverKind.CORRECTED:
                current = _leaving(current, event)
            case LeaverKind.RESCINDED | LeaverKind.REHIRED if current is not None:
                ended.append(_ended(current, event))
                current = None
    return (*ended, current) if current is not None else tuple(ended)


def _leaving(current: Episode | None, event: Event) -> Episode:
    if current is None:
        return Episode(event.id, (event.id,), event.email, event.cutoff)
    return replace(
        current,
        members=(*current.members, event.id),
        # HR may blank the address when somebody leaves: the last one that was said counts.
        email=event.email or current.email,
        cutoff=event.cutoff,
    )


def _ended(current: Episode, event: Event) -> Episode:
    standing = Standing.RESCINDED if event.kind is LeaverKind.RESCINDED else Standing.REHIRED
    return replace(current, members=(*current.members, event.id), standing=standing)
