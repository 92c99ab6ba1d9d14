"""Approvals: that a second person wants what a job is about to do (policy.approve).

An approval is for one round, and for exactly what the approver saw of the job: `seen` is a mark of
who is meant and what is to be done.  When any of that changes, it takes a new one.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from workers.leavers import JobId, State
from workers.ledger import tables as t
from workers.ledger.store import Ledger

JobRow = sa.RowMapping | Mapping[str, Any]

#: Why a job is held that waits for an approval.
MISSING = "approval_missing"

#: What an approver approves: of which round, who is meant, and what is done when.
APPROVED = ("round", "action", "target", "email", "account_id", "cutoff", "standing", "forced")


@dataclass(frozen=True, slots=True)
class Asked:
    """What a job waits for: `seen` marks what is to be approved, `askers` wanted it."""

    seen: str
    askers: tuple[str, ...]


def asked(ledger: Ledger, jobs: Iterable[JobId]) -> Mapping[JobId, Asked]:
    """What is to be approved, of those of these jobs that wait for an approval."""
    held = (t.jobs.c.state == State.HELD, t.jobs.c.reason == MISSING)
    with ledger.read() as tx:
        rows = tx.execute(with_askers().where(t.jobs.c.id.in_(list(jobs)), *held)).mappings()
        return {JobId(row["id"]): Asked(mark(row), askers(row)) for row in rows}


def mark(job: JobRow) -> str:
    """Tells apart what of a row of jobs an approval is for."""
    said = "\n".join(str(job[name]) for name in APPROVED)
    return hashlib.sha256(said.encode()).hexdigest()


def given(tx: sa.Connection, job: JobRow) -> bool:
    """Whether somebody has approved what this row of jobs says now."""
    kept = t.approvals.c
    own = (kept.job_id == job["id"], kept.round == job["round"], kept.seen == mark(job))
    return tx.scalar(sa.select(kept.job_id).where(*own)) is not None


def with_askers() -> sa.Select[Any]:
    """Jobs, each with whoever entered its leaver and whoever opened its round."""
    own_round = sa.and_(t.rounds.c.job_id == t.jobs.c.id, t.rounds.c.round == t.jobs.c.round)
    query = sa.select(t.jobs, t.leavers.c.entered_by, t.rounds.c.actor.label("opened_by"))
    return query.join(t.leavers, t.leavers.c.id == t.jobs.c.leaver_id).join(t.rounds, own_round)


def askers(job: JobRow) -> tuple[str, ...]:
    """Who wants this round of a job (a row of with_askers)."""
    found = (job["entered_by"], job["opened_by"])
    return tuple(dict.fromkeys(actor for actor in found if actor))


def same_person(one: str, other: str) -> bool:
    """Whether two actors may be one person, in doubt yes.

    Told by the name before "@" and " (console)", whatever its letter case: `lena` on the command
    line, `Lena (console)` and `lena@example.com (console)` are one.
    """
    return _name(one) == _name(other)


def _name(actor: str) -> str:
    return actor.partition(" (")[0].partition("@")[0].strip().casefold()
