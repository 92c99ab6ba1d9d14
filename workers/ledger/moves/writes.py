"""What a worker notes on the way to a write, and the leave to write (intend)."""

from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from workers.errors import AccountBusy, Braked, Stopped
from workers.leavers import AccountId
from workers.ledger import approvals, holds
from workers.ledger import tables as t
from workers.ledger.brakes import Brakes, take
from workers.ledger.moves.claims import Claim, lock_owned, owned
from workers.ledger.moves.move import first
from workers.ledger.store import Ledger, insert


def pin(
    ledger: Ledger, claim: Claim, account: AccountId, *, now: datetime, lease: timedelta
) -> None:
    """Fix the account of this job, for which the first match stays, and take it for this attempt.

    Raises LeaseLost, and AccountBusy while another job works on this account of this target.
    """
    with ledger.write() as tx:
        lock_owned(tx, claim)
        _take_account(tx, claim, account, now=now, until=now + lease)
        tx.execute(
            sa.update(t.jobs)
            .where(*owned(claim), t.jobs.c.account_id.is_(None))
            .values(account_id=account)
        )


def keep(ledger: Ledger, claim: Claim, snapshot: dict[str, Any]) -> None:
    """Keep the account's state from before the first write ever; the first one stays.

    Raises LeaseLost.
    """
    with ledger.write() as tx:
        lock_owned(tx, claim)
        tx.execute(
            sa.update(t.jobs)
            .where(*owned(claim), t.jobs.c.snapshot.is_(None), t.jobs.c.intended_at.is_(None))
            .values(snapshot=snapshot)
        )


def watch(ledger: Ledger, claim: Claim, now: datetime) -> None:
    """Note since when an identity provider is watched for this account.  Raises LeaseLost."""
    with ledger.write() as tx:
        lock_owned(tx, claim)
        tx.execute(
            sa.update(t.jobs)
            .where(*owned(claim), t.jobs.c.watched_since.is_(None))
            .values(watched_since=now)
        )


def intend(
    ledger: Ledger,
    claim: Claim,
    account: AccountId,
    *,
    brakes: Brakes,
    to_approve: bool = False,
    now: datetime,
    lease: timedelta,
) -> None:
    """Just before a write: may it still be made?  `lease` must outlast the call.

    Raises LeaseLost when the job is no longer ours, Stopped when an operator asked for a hold or a
    cancel or holds the whole source or target, or when what the job says now is `to_approve` by a
    second person and nobody has, Braked when the leaver must wait at the brake,
    AccountBusy while another job works on this account of this target.
    """
    with ledger.write() as tx:
        row = lock_owned(tx, claim)
        if row["stop"]:
            raise Stopped(row["stop"])
        # Only now: that the job is locked first is what makes a standing hold exact (holds.py).
        standing = holds.against(tx, source=claim.source, target=claim.target, action=claim.action)
        if standing:
            raise Stopped(standing.side.reason)
        if to_approve and not approvals.given(tx, row):
            raise Stopped("unapproved")
        against = ""
        if row["intended_at"] is None:
            against = take(
                tx,
                claim.leaver,
                claim.round,
                source=claim.source,
                brakes=brakes,
                actor=claim.worker,
                now=now,
            )
        if not against:
            marks = {"intended_at": first(t.jobs.c.intended_at, now), "wrote_at": now}
            _take_account(tx, claim, account, now=now, until=now + lease, **marks)
    # Only here, because the brake keeps that it was asked.
    if against:
        raise Braked(against)


def _take_account(
    tx: sa.Connection,
    claim: Claim,
    account: AccountId,
    *,
    now: datetime,
    until: datetime,
    **marks: Any,
) -> None:
    """The account is this job's until `until`, and the job gets its marks.  Raises AccountBusy."""
    tx.execute(sa.update(t.jobs).where(*owned(claim)).values(lease_until=until, **marks))
    own = insert(tx, t.accounts).values(
        target=claim.target,
        account_id=account,
        job_id=claim.job,
        token=claim.token,
        lease_until=until,
    )
    taken = tx.execute(
        own.on_conflict_do_update(
            index_elements=["target", "account_id"],
            set_={"job_id": claim.job, "token": claim.token, "lease_until": until},
            where=sa.or_(t.accounts.c.job_id == claim.job, t.accounts.c.lease_until <= now),
        ).returning(t.accounts.c.job_id)
    ).one_or_none()
    if taken is None:
        raise AccountBusy
