"""What the sweep looks for: jobs to wake, to queue, to hold or to take back."""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

import sqlalchemy as sa

from workers.leavers import JobId, State
from workers.ledger import Ledger, moves, tallies
from workers.ledger.holds import Kind
from workers.ledger.tables import jobs, targets, unfinished, workers
from workers.ledger.tables import tallies as noted

WAITING = (State.QUEUED, State.RETRYING)
WAITING_LONG = (*WAITING, State.SCHEDULED)

#: How many jobs one look takes at most, so that a sweep stays short.
AT_A_LOOK = 500

#: How many wake-ups may wait beyond the places that a target has: enough that a place which falls
#: free is taken at once, and few, because each that finds no place costs a transaction.
LEAST_SPARE = 2
ONE_SPARE_FOR = 8


def matured(ledger: Ledger, now: datetime) -> list[JobId]:
    """Scheduled jobs whose cutoff has come."""
    return _ids(ledger, jobs.c.state == State.SCHEDULED, jobs.c.due_at <= now)


def expired(ledger: Ledger, now: datetime) -> list[JobId]:
    """Running jobs whose lease ran out."""
    return _ids(ledger, jobs.c.state == State.RUNNING, jobs.c.lease_until <= now)


def unknown(ledger: Ledger, kind: Kind, known: Collection[str]) -> set[str]:
    """The sources or targets other than these that jobs wait for."""
    waiting = tallies.kinds("jobs", noted.c.state.in_(WAITING_LONG), noted.c[kind].not_in(known))
    with ledger.read() as tx:
        return {*tx.scalars(sa.select(waiting.c[kind]))}


def known_to_others(ledger: Ledger, kind: Kind, worker: str, since: datetime) -> set[str]:
    """The sources or targets that the other workers have, of those that were seen since then."""
    names = workers.c[f"{kind}s"]
    others = sa.select(names).where(workers.c.name != worker, workers.c.seen_at > since)
    with ledger.read() as tx:
        return {name for names in tx.scalars(others) for name in names}


def waiting_for(ledger: Ledger, kind: Kind, names: Collection[str]) -> list[JobId]:
    """Waiting jobs of these sources or targets."""
    return _ids(ledger, jobs.c.state.in_(WAITING_LONG), jobs.c[kind].in_(names))


def others_wait(ledger: Ledger, target: str, job: JobId, now: datetime) -> bool:
    """Whether another job of the target is due, and so could probe it."""
    return bool(
        _ids(
            ledger,
            jobs.c.target == target,
            jobs.c.id != job,
            jobs.c.state.in_(WAITING),
            jobs.c.due_at <= now,
        )
    )


def let_go(ledger: Ledger) -> list[JobId]:
    """Jobs held by the brake or with their whole source or target, which a person has let go."""
    return _ids(ledger, moves.may_go())


def to_wake(
    ledger: Ledger,
    concurrency: Mapping[str, int],
    *,
    sources: Collection[str],
    now: datetime,
    grace: timedelta,
) -> list[JobId]:
    """Due jobs of these targets and sources that nobody was woken for lately.

    They are marked as woken until `now + grace`.
    For each target little more than its concurrency is running or woken at once; a paused target
    gets one wake-up, its probe, when the pause is over.
    """
    woken: list[JobId] = []
    with ledger.write() as tx:
        for target, limit in concurrency.items():
            room = _room(tx, target, limit, now)
            if room <= 0:
                continue
            due = (
                sa.select(jobs.c.id)
                .where(
                    unfinished,
                    jobs.c.target == target,
                    jobs.c.source.in_(sources),
                    jobs.c.state.in_(WAITING),
                    jobs.c.due_at <= now,
                    sa.or_(jobs.c.woken_until.is_(None), jobs.c.woken_until <= now),
                )
                .order_by(jobs.c.due_at, jobs.c.id)
                .limit(room)
                .with_for_update(skip_locked=True)
            )
            found = [JobId(row) for row in tx.scalars(due)]
            if found:
                tx.execute(
                    sa.update(jobs).where(jobs.c.id.in_(found)).values(woken_until=now + grace)
                )
            woken += found
    return woken


def _room(tx: sa.Connection, target: str, limit: int, now: datetime) -> int:
    pause = tx.execute(
        sa.select(targets.c.paused_until, targets.c.probe_until).where(
            targets.c.name == target, targets.c.paused_at.is_not(None)
        )
    ).one_or_none()
    if pause is None:
        most = limit + max(LEAST_SPARE, limit // ONE_SPARE_FOR)
    elif pause.paused_until > now or (pause.probe_until and pause.probe_until > now):
        return 0
    else:
        most = 1
    woken = tx.scalar(
        sa.select(sa.func.count()).where(
            unfinished,
            jobs.c.target == target,
            jobs.c.state.in_(WAITING),
            jobs.c.woken_until > now,
        )
    )
    at_work = (unfinished, jobs.c.target == target, jobs.c.state == State.RUNNING)
    running = tx.scalar(sa.select(sa.func.count()).where(*at_work))
    return most - int(woken or 0) - (int(running or 0) if pause is None else 0)


def _ids(ledger: Ledger, *where: sa.ColumnElement[bool]) -> list[JobId]:
    with ledger.read() as tx:
        query = sa.select(jobs.c.id).where(unfinished, *where).order_by(jobs.c.id)
        found = tx.scalars(query.limit(AT_A_LOOK))
        return [JobId(row) for row in found]
