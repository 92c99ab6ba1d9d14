"""What becomes of the accounts that shadow mode left alone: when each was last on, and first off.

A sighting begins with a round that ended as would_deactivate, and ends when the account is seen
off, is watched for long enough, or the job is replayed.  An answer that is no answer moves neither
instant: only its detail is kept.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from workers.leavers import AccountId, JobId, State
from workers.ledger import tables as t
from workers.ledger.store import Ledger
from workers.shadow.verdicts import SHORTEST, next_look


@dataclass(frozen=True, slots=True)
class Sighting:
    """An account to look at, as the round knew it."""

    job: JobId
    round: int
    target: str
    account_id: AccountId
    email: str
    snapshot: dict[str, Any]


def begin(tx: sa.Connection, job: JobId, number: int, now: datetime) -> None:
    """Watch the account of a round that has just ended; it was on."""
    row = {"job_id": job, "round": number, "last_on_at": now, "next_look_at": now + SHORTEST}
    tx.execute(sa.insert(t.sightings).values(row))


def take(
    ledger: Ledger, targets: Collection[str], *, now: datetime, at_most: int
) -> list[Sighting]:
    """The accounts whose look is due, each for one worker alone: its next look is later already.

    None of a target that is paused, or that works on jobs: leavers go first.
    """
    round_of = sa.and_(t.jobs.c.id == t.sightings.c.job_id, t.jobs.c.round == t.sightings.c.round)
    due = (
        sa.select(t.jobs)
        .join(t.sightings, round_of)
        .where(
            t.sightings.c.next_look_at <= now,
            t.jobs.c.target.in_(targets),
            t.jobs.c.account_id.is_not(None),
            ~_engaged(now),
        )
        .order_by(t.sightings.c.next_look_at)
        .limit(at_most)
        .with_for_update(of=t.sightings, skip_locked=True)
    )
    with ledger.write() as tx:
        rows = tx.execute(due).mappings().all()
        for row in rows:
            following = next_look(row["finished_at"], now)
            tx.execute(_of(row["id"], row["round"]).values(next_look_at=following))
    return [
        Sighting(
            job=row["id"],
            round=row["round"],
            target=row["target"],
            account_id=row["account_id"],
            email=row["email"],
            snapshot=row["snapshot"] or {},
        )
        for row in rows
    ]


def on(ledger: Ledger, sighting: Sighting, at: datetime) -> None:
    """It was on after `at`."""
    later = t.sightings.c.last_on_at < at
    with ledger.write() as tx:
        tx.execute(_open(sighting).where(later).values(last_on_at=at, detail=""))


def off(ledger: Ledger, sighting: Sighting, at: datetime, *, gone: bool) -> None:
    """It was off before `at`, or `gone` altogether; nobody looks any more."""
    # The clocks of two workers may differ.
    seen_on = t.sightings.c.last_on_at
    at_last = sa.case((seen_on > at, seen_on), else_=sa.literal(at, seen_on.type))
    with ledger.write() as tx:
        values = {"first_off_at": at_last, "next_look_at": None, "gone": gone, "detail": ""}
        tx.execute(_open(sighting).values(values))


def unseen(ledger: Ledger, sighting: Sighting, detail: str) -> None:
    """There was no answer."""
    with ledger.write() as tx:
        tx.execute(_open(sighting).values(detail=detail))


def put_off(ledger: Ledger, sightings: Sequence[Sighting], detail: str, now: datetime) -> None:
    """The target was not asked after all: it is with the next look, and without who failed."""
    with ledger.write() as tx:
        for each in sightings:
            tx.execute(_watched(each).values(detail=detail, next_look_at=now))


def spare(ledger: Ledger, target: str, until: datetime, *, last: Sighting | None) -> None:
    """Nobody looks at any account of this target until then; `last` comes after the others."""
    own = sa.exists().where(t.jobs.c.id == t.sightings.c.job_id, t.jobs.c.target == target)
    query = sa.update(t.sightings).where(t.sightings.c.next_look_at < until, own)
    with ledger.write() as tx:
        tx.execute(query.values(next_look_at=until))
        if last is not None:
            tx.execute(_watched(last).values(next_look_at=until + SHORTEST))


def _of(job: JobId, number: int) -> sa.Update:
    return sa.update(t.sightings).where(t.sightings.c.job_id == job, t.sightings.c.round == number)


def _open(sighting: Sighting) -> sa.Update:
    return _of(sighting.job, sighting.round).where(t.sightings.c.first_off_at.is_(None))


def _watched(sighting: Sighting) -> sa.Update:
    return _open(sighting).where(t.sightings.c.next_look_at.is_not(None))


def _engaged(now: datetime) -> sa.ColumnElement[bool]:
    """Whether the job's target is paused, or has jobs that are due or running."""
    at_work = t.jobs.alias("at_work")
    return sa.or_(
        sa.exists().where(t.targets.c.name == t.jobs.c.target, t.targets.c.paused_at.is_not(None)),
        sa.exists().where(
            at_work.c.finished_at.is_(None),
            at_work.c.target == t.jobs.c.target,
            at_work.c.state.in_((State.QUEUED, State.RETRYING, State.RUNNING)),
            at_work.c.due_at <= now,
        ),
    )
