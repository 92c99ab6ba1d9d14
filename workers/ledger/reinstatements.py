"""Reinstatements: jobs that give back what a deactivation has taken from an account.

One stands beside each deactivation that is taken back: the same leaver, the same target, the
action `reinstate`; once more later is a new round.  What is given back is the snapshot of the
deactivation, which stays there until it was given back, and is then kept with the reinstatement.

Which of the two counts:

    opening             the deactivation must have ended, and must have written
    a replay of the     holds a reinstatement that is unfinished (moves/): the later word of an
    deactivation        operator counts.  One that holds the account at that moment ends its
                        attempt first, and the deactivation acts on what it left
    another leaver      whose deactivation of the same account is under way holds it as well
    a late retry        there is none: an ended deactivation goes on only by a replay

No two jobs work on one account at a time (moves.pin), so neither reads what the other one writes.
Rows are locked in one order: the deactivation, then its reinstatement.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from config.sources import OPERATOR
from workers.leavers import (
    TAKEN_AWAY,
    UNFINISHED,
    AccountId,
    Action,
    JobId,
    LeaverId,
    Outcome,
    State,
)
from workers.ledger import moves, people
from workers.ledger import tables as t
from workers.ledger.alarms import close_alarm
from workers.ledger.moves import Claim
from workers.ledger.store import Ledger

#: Under way: a worker may act on it at any moment.
AT_WORK = (State.QUEUED, State.RUNNING, State.RETRYING)

#: With these nothing is left to give back.
GIVEN_BACK = (Outcome.REINSTATED, Outcome.ALREADY_ACTIVE)


class CannotReinstate(Exception):
    """No reinstatement was opened; the message says why, and which command helps."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What the ledger says just before something is given back.

    snapshot    how the account was before Leaver wrote to it; None: nothing is left to give back
    at_work     a deactivation of the same account that is under way
    out         by what HR has sent so far the person must not have access
    """

    snapshot: dict[str, Any] | None
    at_work: JobId | None
    out: bool


def deactivations(ledger: Ledger, leaver: LeaverId) -> list[JobId]:
    """The jobs of a leaver by which something was taken that can be given back."""
    # A later event of HR about a leaver has changed the jobs of an earlier one.
    owner = sa.select(t.leavers.c.owner).where(t.leavers.c.id == leaver).scalar_subquery()
    query = sa.select(t.jobs.c.id).where(
        sa.or_(t.jobs.c.leaver_id == leaver, t.jobs.c.leaver_id == owner),
        t.jobs.c.action == Action.DEACTIVATE,
        t.jobs.c.wrote_at.is_not(None),
    )
    with ledger.read() as tx:
        return [JobId(job) for job in tx.scalars(query.order_by(t.jobs.c.id))]


def reinstate(
    ledger: Ledger,
    deactivation: JobId,
    *,
    actor: str,
    why: str,
    force: bool,
    hr_is_asked: bool,
    now: datetime,
) -> JobId:
    """Open the reinstatement of a deactivation, or a new round of it; it is due at once.

    `force` goes on whatever HR says.  With `hr_is_asked` a worker asks HR itself just before, and
    what HR has sent so far is no hindrance.  Raises CannotReinstate.
    """
    with ledger.write() as tx:
        query = sa.select(t.jobs).where(t.jobs.c.id == deactivation).with_for_update()
        was = tx.execute(query).mappings().one()
        known = _reinstatement_of(tx, was)
        _check(was, known)
        _check_taken(tx, was, known)
        if not force and not hr_is_asked:
            _check_hr(tx, was, now)
        about: dict[str, Any] = {"actor": actor, "why": why, "now": now}
        job = JobId(known["id"]) if known else None
        if job is None:
            place = {name: was[name] for name in ("source", "target", "email")}
            leaver = was["leaver_id"]
            job = moves.open_job(tx, leaver, action=Action.REINSTATE, cutoff=now, **place, **about)
        else:
            moves.replay(tx, job, force=force, **about)
        own = {"account_id": was["account_id"], "email": was["email"], "forced": force}
        tx.execute(
            sa.update(t.jobs).where(t.jobs.c.id == job).values(standing=was["standing"], **own)
        )
        return job


def taken(ledger: Ledger, claim: Claim, now: datetime) -> Taken:
    """What the ledger says about the reinstatement that is claimed."""
    jobs = t.jobs.c
    deactivates = (jobs.target == claim.target, jobs.action == Action.DEACTIVATE)
    own = jobs.leaver_id == claim.leaver
    snapshot = sa.select(jobs.snapshot).where(own, *_of_account(claim.target, claim.account_id))
    same = sa.or_(
        jobs.account_id == claim.account_id,
        sa.func.lower(jobs.email) == claim.email.lower(),
    )
    under_way = sa.or_(own, sa.and_(same, jobs.state.in_(AT_WORK)))
    at_work = sa.select(jobs.id).where(t.unfinished, *deactivates, under_way)
    person = sa.select(t.leavers.c.person).where(t.leavers.c.id == claim.leaver)
    with ledger.read() as tx:
        return Taken(
            snapshot=tx.scalar(snapshot),
            at_work=tx.scalar(at_work.order_by(jobs.id).limit(1)),
            out=people.are_out(tx, claim.source, tx.scalars(person).one(), now),
        )


def finish(
    ledger: Ledger, claim: Claim, outcome: Outcome, *, detail: str = "", now: datetime
) -> None:
    """The reinstatement is done: what `outcome` says was read back from the target."""
    with ledger.write() as tx:
        query = sa.select(t.jobs).where(*_of_account(claim.target, claim.account_id))
        taken_by = tx.execute(query.order_by(t.jobs.c.id).with_for_update()).mappings().all()
        moves.finish_in(tx, claim, outcome, detail=detail, now=now)
        if outcome not in GIVEN_BACK:
            return
        for was in taken_by:
            own = t.jobs.c.id == was["id"]
            tx.execute(sa.update(t.jobs).where(own).values(wrote_at=None, snapshot=None))
            close_alarm(tx, moves.LATE, was["id"], now)
            if was["leaver_id"] == claim.leaver:
                kept = sa.update(t.jobs).where(t.jobs.c.id == claim.job)
                tx.execute(kept.values(snapshot=was["snapshot"]))


def _of_account(target: str, account: AccountId | None) -> tuple[sa.ColumnElement[bool], ...]:
    """That a row of jobs is a deactivation which has taken something from this account."""
    jobs = t.jobs.c
    deactivates = jobs.action == Action.DEACTIVATE
    return (
        jobs.target == target,
        jobs.account_id == account,
        deactivates,
        jobs.wrote_at.is_not(None),
    )


def _reinstatement_of(tx: sa.Connection, was: sa.RowMapping) -> sa.RowMapping | None:
    query = sa.select(t.jobs).where(
        t.jobs.c.leaver_id == was["leaver_id"],
        t.jobs.c.target == was["target"],
        t.jobs.c.action == Action.REINSTATE,
    )
    return tx.execute(query.with_for_update()).mappings().one_or_none()


def _check(was: sa.RowMapping, known: sa.RowMapping | None) -> None:
    """Refuse what is no deactivation, or has not ended, or has its reinstatement."""
    job, state = was["id"], was["state"]
    if was["action"] == Action.REINSTATE:
        raise CannotReinstate(f"it is a reinstatement itself: `leaver replay {job} --reason TEXT`")
    if was["action"] != Action.DEACTIVATE:
        raise CannotReinstate(f"it is a {was['action']}: nothing was switched off by it")
    if state in UNFINISHED:
        raise CannotReinstate(f"it is {state}: first `leaver cancel {job} --reason TEXT`")
    if known and known["state"] in UNFINISHED:
        raise CannotReinstate(
            f"its reinstatement is {known['state']}: see `leaver job {known['id']}`"
        )


def _check_taken(tx: sa.Connection, was: sa.RowMapping, known: sa.RowMapping | None) -> None:
    """Refuse where nothing is left to give back, or another job has the later before-state."""
    if was["wrote_at"] is None or was["snapshot"] is None:
        raise CannotReinstate(_nothing(tx, was, known))
    later = sa.select(t.jobs.c.id).where(
        *_of_account(was["target"], was["account_id"]), t.jobs.c.wrote_at > was["wrote_at"]
    )
    if (other := tx.scalar(later.order_by(t.jobs.c.wrote_at.desc()).limit(1))) is not None:
        raise CannotReinstate(f"job {other} has switched the account off since: reinstate that one")


def _nothing(tx: sa.Connection, was: sa.RowMapping, known: sa.RowMapping | None) -> str:
    """Why there is nothing to give back."""
    if known is not None and known["outcome"] in GIVEN_BACK:
        return f"job {known['id']} gave back what was taken: nothing is left"
    off = sa.select(t.rounds.c.round).where(
        t.rounds.c.job_id == was["id"], t.rounds.c.outcome.in_(TAKEN_AWAY)
    )
    if was["wrote_at"] is not None or tx.scalar(off) is not None:
        return (
            "nothing is left to give back: another job did, or a replay with --force has forgotten "
            "how the account was; then enable it by hand"
        )
    ended = was["outcome"] or was["reason"]
    return f"it is {was['state']} ({ended}): Leaver has switched nothing off"


def _check_hr(tx: sa.Connection, was: sa.RowMapping, now: datetime) -> None:
    """Refuse where the person, by all that is known here, is out."""
    person = sa.select(t.leavers.c.person).where(t.leavers.c.id == was["leaver_id"])
    if not people.are_out(tx, was["source"], tx.scalars(person).one(), now):
        return
    if was["source"] == OPERATOR:
        raise CannotReinstate("an operator entered the leaver, no HR system: --force enables it")
    raise CannotReinstate(
        f"{was['source']} has not said that the person works here, or does again; --force enables "
        "the account all the same"
    )
