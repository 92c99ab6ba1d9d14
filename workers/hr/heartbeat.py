"""Whether the webhook itself still lives: it dies in silence with the account of whoever made it.

Once an hour one of the workers asks each HR system that can be asked for its webhook and the log of
it.  Gone after it was seen, or its last attempts all failed: an alarm.  A webhook that the key may
not see (BambooHR shows it to whoever made it, and a global one to nobody) is no alarm; `leaver
doctor` says so.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

import sqlalchemy as sa

from workers.errors import TargetError
from workers.hr.base import HrSystem, Try
from workers.journal import Calls
from workers.ledger import Ledger
from workers.ledger.alarms import close_alarm, raise_alarm
from workers.ledger.store import insert
from workers.ledger.tables import heartbeats
from workers.runtime import Runtime

EVERY = timedelta(hours=1)
LOOKS = timedelta(minutes=1)

#: So many of the newest attempts must all have failed; BambooHR itself tries again six times.
FAILED_IN_A_ROW = 3


class Pulse(StrEnum):
    """What is known of a webhook."""

    ALIVE = "alive"
    FAILING = "failing"
    UNSEEN = "unseen"  # the key is shown no webhook of this source
    UNREADABLE = "unreadable"  # the key may not ask, or HR does not answer


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """What HR says of the webhook of a source."""

    pulse: Pulse
    detail: str = ""


def judged(tries: Sequence[Try]) -> Heartbeat:
    """What a webhook's log says."""
    newest = sorted(tries, key=lambda each: each.at)[-FAILED_IN_A_ROW:]
    failed = [each for each in newest if each.status is None or not 200 <= each.status < 300]
    if len(failed) < FAILED_IN_A_ROW:
        last = f"last attempt {newest[-1].at}" if newest else "nothing sent lately"
        return Heartbeat(Pulse.ALIVE, last)
    statuses = ", ".join(str(each.status or "no answer") for each in failed)
    return Heartbeat(Pulse.FAILING, f"its last attempts failed: {statuses}")


def felt(hr: HrSystem, source: str) -> Heartbeat:
    """Ask HR.  Never raises for what HR answers."""
    try:
        tries = hr.webhook(Calls(), source)
    except TargetError as error:
        return Heartbeat(Pulse.UNREADABLE, str(error))
    if tries is None:
        return Heartbeat(Pulse.UNSEEN, "the key is shown no webhook that posts to this source")
    return judged(tries)


def claim(ledger: Ledger, source: str, now: datetime) -> bool:
    """Whether this worker is the one that asks this time."""
    with ledger.write() as tx:
        row = insert(tx, heartbeats).values(source=source, checked_at=now)
        taken = row.on_conflict_do_update(
            index_elements=["source"],
            set_={"checked_at": now},
            where=heartbeats.c.checked_at <= now - EVERY,
        ).returning(heartbeats.c.source)
        return tx.execute(taken).one_or_none() is not None


def keep(ledger: Ledger, source: str, heartbeat: Heartbeat, now: datetime) -> None:
    """Write down what was felt, with the alarm that follows from it."""
    with ledger.write() as tx:
        own = heartbeats.c.source == source
        seen_at = tx.scalar(sa.select(heartbeats.c.seen_at).where(own))
        seen = {"seen_at": now} if heartbeat.pulse in (Pulse.ALIVE, Pulse.FAILING) else {}
        tx.execute(sa.update(heartbeats).where(own).values(pulse=heartbeat.pulse, **seen))
        if heartbeat.pulse is Pulse.ALIVE:
            close_alarm(tx, "webhook_dead", source, now)
        elif heartbeat.pulse is Pulse.FAILING:
            text = f"the webhook of {source}: {heartbeat.detail}; look at it in HR"
            raise_alarm(tx, "webhook_dead", source, text, now)
        elif heartbeat.pulse is Pulse.UNSEEN and seen_at is not None:
            text = (
                f"the webhook of {source} is gone since {seen_at:%Y-%m-%d %H:%M}Z: make it again "
                "in HR, with an account that stays"
            )
            raise_alarm(tx, "webhook_dead", source, text, now)


class Listener:
    """What one worker does about it, on a thread of its own (workers/beside.py)."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    def once(self, now: datetime) -> None:
        """Ask for each source that it is time for."""
        ledger = self._runtime.ledger
        for source, hr in self._runtime.hr.items():
            if claim(ledger, source, now):
                keep(ledger, source, felt(hr, source), self._runtime.clock.now())
