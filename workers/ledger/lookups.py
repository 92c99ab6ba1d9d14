"""Lookups: what the HR system must be asked, because its event says only that something changed.

A lookup is a job whose target is the HR system itself, so it is claimed, retried, held, replayed
and shown as every job is.  Its own row of `leavers` has the kind lookup, and stands for nobody yet;
what HR answers is heard of the person (people.py) in the transaction that ends the lookup.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from workers.leavers import (
    Action,
    JobId,
    Leaver,
    LeaverId,
    LeaverKind,
    Outcome,
    hr_target,
    new_id,
)
from workers.ledger import moves, people
from workers.ledger import tables as t
from workers.ledger.moves import Claim
from workers.ledger.store import Ledger

#: How far the sender's clock may be behind ours for its event to be taken as later than our asking.
SKEW = timedelta(minutes=10)


def open_lookup(
    tx: sa.Connection,
    leaver_id: LeaverId,
    leaver: Leaver,
    *,
    source: str,
    at: datetime,
    why: str,
    request_id: str,
    now: datetime,
) -> JobId:
    """Have a worker ask HR about an employee; `at` is the sender's time of the event."""
    # A person of its own: what HR has said of the employee so far is not touched by it.
    about: dict[str, Any] = {"source": source, "at": at, "request_id": request_id, "now": now}
    people.write_down(tx, leaver_id, leaver, person=leaver_id, **about)
    own = t.leavers.c.id == leaver_id
    tx.execute(sa.update(t.leavers).where(own).values(owner=leaver_id))
    return moves.open_job(
        tx,
        leaver_id,
        source=source,
        target=hr_target(source),
        action=Action.LOOKUP,
        email="",
        cutoff=now,
        actor=f"source:{source}",
        why=why,
        now=now,
    )


def repeat(
    tx: sa.Connection,
    leavers: Collection[LeaverId],
    *,
    signed_at: datetime | None,
    source: str,
    now: datetime,
) -> None:
    """Ask again where the same event came again, signed after HR was last asked.

    Two changes of one employee may make the very same body, as a form says no time.  One that was
    signed before we asked is a repetition; so whoever captured it cannot have us ask for ever.
    """
    if not leavers:
        return
    asked = sa.select(t.jobs.c.id, t.jobs.c.finished_at).where(
        t.jobs.c.leaver_id.in_(leavers),
        t.jobs.c.action == Action.LOOKUP,
        t.jobs.c.finished_at.is_not(None),
    )
    for job, finished_at in tx.execute(asked.order_by(t.jobs.c.id)).all():
        if signed_at is not None and signed_at > finished_at - SKEW:
            why = "the same event came again"
            moves.replay(tx, JobId(job), actor=f"source:{source}", why=why, now=now)


def last_email(ledger: Ledger, source: str, employee_id: str) -> str:
    """The e-mail address that HR said last of this employee, "" where it never said one."""
    said = (
        sa.select(t.leavers.c.email)
        .where(
            t.leavers.c.source == source,
            t.leavers.c.person == employee_id,
            t.leavers.c.email != "",
        )
        .order_by(t.leavers.c.happened_at.desc(), t.leavers.c.id.desc())
        .limit(1)
    )
    with ledger.read() as tx:
        return tx.scalar(said) or ""


def finish(
    ledger: Ledger,
    claim: Claim,
    said: Leaver | None,
    *,
    asked_at: datetime,
    targets: Sequence[str],
    now: datetime,
) -> Outcome:
    """End a lookup with what HR says: the leaver and its jobs are made, or there is none."""
    leaves = said is not None and said.kind is LeaverKind.TERMINATED
    outcome = Outcome.LEAVER_FOUND if leaves else Outcome.NO_LEAVER

    detail = "" if said is None else f"HR says: {said.kind}"
    with ledger.write() as tx:
        people.lock(tx, claim.source)
        moves.finish_in(tx, claim, outcome, detail=detail, now=now)
        if said is not None:
            _hear(tx, claim, said, asked_at, targets, now)
    return outcome


def _hear(
    tx: sa.Connection,
    claim: Claim,
    said: Leaver,
    asked_at: datetime,
    targets: Sequence[str],
    now: datetime,
) -> None:
    leaver_id = LeaverId(new_id())
    people.hear(
        tx,
        leaver_id,
        said,
        source=claim.source,
        # HR was asked after all that it had sent: that counts, not when the event was sent.
        at=_as_sent(asked_at),
        targets=targets,
        why=f"lookup {claim.job}",
        request_id=claim.request_id,
        now=now,
    )
    found = t.leavers.c.id == leaver_id
    tx.execute(sa.update(t.leavers).where(found).values(found_by=claim.job))


def postpone(ledger: Ledger, claim: Claim, said: Leaver, now: datetime) -> None:
    """Hear that HR has moved the date of a job's leaver: all open jobs of the person follow."""
    corrected = replace(said, kind=LeaverKind.CORRECTED)
    with ledger.write() as tx:
        people.lock(tx, claim.source)
        people.hear(
            tx,
            LeaverId(new_id()),
            corrected,
            source=claim.source,
            at=_as_sent(now),
            targets=(),
            why=f"HR was asked for job {claim.job}",
            request_id=claim.request_id,
            now=now,
        )


def _as_sent(at: datetime) -> datetime:
    """Senders say whole seconds: what they send within this one must not be taken as older."""
    return at.replace(microsecond=0)
