"""Leave to ask an HR system within a job of another target, and what becomes of that HR system.

HR is paused and probed as a target is (pauses.py), under the name of its lookups.
"""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from workers.leavers import hr_target
from workers.ledger import pauses
from workers.ledger import tables as t
from workers.ledger.moves import Claim
from workers.ledger.store import Ledger


@dataclass(frozen=True, slots=True)
class Leave:
    """Whether HR may be asked: now, or not before `wait`; `probing` says that it is paused."""

    wait: datetime | None = None
    probing: bool = False
    pauses: int = 0  # in a row


def take(ledger: Ledger, claim: Claim, *, until: datetime, now: datetime) -> Leave:
    """Ask for it.  Of a paused HR system one job at a time is the probe, until `until`."""
    target = hr_target(claim.source)
    paused = t.targets.c.name == target, t.targets.c.paused_at.is_not(None)
    with ledger.read() as tx:
        if tx.scalar(sa.select(t.targets.c.name).where(*paused)) is None:
            return Leave()
    with ledger.write() as tx:
        row = pauses.locked(tx, target)
        if row["paused_at"] is None:
            return Leave()
        if pauses.take_probe(tx, target, claim.job, now=now, until=until):
            return Leave(probing=True, pauses=row["pauses"])
        return Leave(wait=max(row["paused_until"], row["probe_until"] or now))


def paused_until(ledger: Ledger, source: str) -> datetime | None:
    """Until when the HR system of this source is left alone; None where it may be asked."""
    paused = t.targets.c.name == hr_target(source), t.targets.c.paused_at.is_not(None)
    with ledger.read() as tx:
        until: datetime | None = tx.scalar(sa.select(t.targets.c.paused_until).where(*paused))
        return until


def answered(ledger: Ledger, claim: Claim, leave: Leave, now: datetime) -> None:
    """HR has answered: it is paused no longer."""
    if leave.probing:
        with ledger.write() as tx:
            pauses.resume(tx, hr_target(claim.source), claim.job, now)


def refused(
    ledger: Ledger,
    claim: Claim,
    leave: Leave,
    *,
    reason: str,
    call: str,
    detail: str,
    until: datetime,
    now: datetime,
) -> None:
    """HR is in trouble: it is paused, for lookups as well."""
    with ledger.write() as tx:
        pauses.pause(
            tx,
            hr_target(claim.source),
            reason=reason,
            call=call,
            detail=detail,
            until=until,
            now=now,
            probe=claim.job if leave.probing else None,
        )
