"""Pauses of a target: while it refuses our credential, asks us to slow down, or is out.

A pause costs no job an attempt, nor time towards giving up.  When its time is over, one job at a
time may try (the probe).  The target is open again as soon as the call that failed succeeds, or the
probe ends in any other way than by being locked out again; after an outage or a rate limit also
where no job waits (workers/watch.py).
"""

from datetime import datetime, timedelta

import sqlalchemy as sa

from workers.leavers import JobId
from workers.ledger.alarms import close_alarm, raise_alarm
from workers.ledger.store import insert
from workers.ledger.tables import targets


def locked(tx: sa.Connection, target: str) -> sa.RowMapping:
    """What is kept of a target; nobody else changes it until the transaction ends."""
    tx.execute(insert(tx, targets).values(name=target).on_conflict_do_nothing())
    row = sa.select(targets).where(targets.c.name == target).with_for_update()
    return tx.execute(row).mappings().one()


def paused_seconds(row: sa.RowMapping, now: datetime) -> float:
    """How long the target has been paused in all its life, the pause under way included."""
    under_way = now - row["paused_at"] if row["paused_at"] else timedelta()
    return float(row["paused_seconds"]) + under_way.total_seconds()


def pause(
    tx: sa.Connection,
    target: str,
    *,
    reason: str,
    call: str,
    detail: str,
    until: datetime,
    now: datetime,
    probe: JobId | None,
) -> None:
    """Pause the target until `until`, or longer where it is paused longer already.

    `probe` names the job whose probe failed, which makes this pause one more in a row.  A refused
    credential is an alarm at once; other pauses become one when they last (workers/watch.py).
    """
    row = locked(tx, target)
    values = {}
    if row["paused_at"] is None or probe is not None:
        values = {"pauses": targets.c.pauses + 1, "probe_job": None, "probe_until": None}
    tx.execute(
        sa.update(targets)
        .where(targets.c.name == target)
        .values(
            paused_at=row["paused_at"] or now,
            paused_until=max(until, row["paused_until"] or until),
            pause_reason=reason,
            pause_detail=detail,
            pause_call=call,
            **values,
        )
    )
    if reason in ("credential_refused", "misconfigured"):
        raise_alarm(
            tx,
            "target_paused",
            target,
            f"{target}: {reason} at {call}: {detail}. Check it with `leaver doctor`.",
            now,
        )


def take_probe(
    tx: sa.Connection, target: str, job: JobId, *, now: datetime, until: datetime
) -> bool:
    """Whether this job may be the one that tries a target whose pause is over."""
    taken = tx.execute(
        sa.update(targets)
        .where(
            targets.c.name == target,
            targets.c.paused_at.is_not(None),
            targets.c.paused_until <= now,
            sa.or_(targets.c.probe_until.is_(None), targets.c.probe_until <= now),
        )
        .values(probe_job=job, probe_until=until)
    )
    return taken.rowcount == 1


def extend_probe(tx: sa.Connection, target: str, job: JobId, until: datetime) -> None:
    """Keep the probe with the job that holds it."""
    tx.execute(
        sa.update(targets)
        .where(targets.c.name == target, targets.c.probe_job == job)
        .values(probe_until=until)
    )


def resume(tx: sa.Connection, target: str, job: JobId, now: datetime) -> None:
    """Open the target again, if `job` is its probe."""
    if locked(tx, target)["probe_job"] == job:
        end(tx, target, now)


def end(tx: sa.Connection, target: str, now: datetime) -> None:
    """Open the target again."""
    row = locked(tx, target)
    tx.execute(
        sa.update(targets)
        .where(targets.c.name == target)
        .values(
            paused_at=None,
            paused_until=None,
            pauses=0,
            probe_job=None,
            probe_until=None,
            resumed_at=now,
            paused_seconds=paused_seconds(row, now),
        )
    )
    close_alarm(tx, "target_paused", target, now)
