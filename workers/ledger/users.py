"""Who may use the console: local users, their roles, and sign-ins that failed.

A password is never here, only its hash (webhook/console/passwords.py).
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

import sqlalchemy as sa

from workers.ledger import tables as t
from workers.ledger.store import Ledger

#: Within THROTTLE so many failed sign-ins of one user, or from one address, and no more are tried.
THROTTLE = timedelta(minutes=15)
FAILED_OF_USER = 5
FAILED_FROM_ADDRESS = 20


class Role(StrEnum):
    """What somebody may do; each may do what those before it may."""

    VIEWER = "viewer"  # look
    OPERATOR = "operator"  # replay, hold, release, cancel, terminate, see e-mail addresses
    APPROVER = "approver"  # approve what others ask for, release the brake

    def may(self, needed: "Role") -> bool:
        """Whether this role is enough where `needed` is asked for."""
        order = list(Role)
        return order.index(self) >= order.index(needed)


@dataclass(frozen=True, slots=True)
class User:
    """One local user."""

    name: str
    role: Role
    added_at: datetime
    added_by: str


def put(
    ledger: Ledger, name: str, role: Role, password_hash: str, *, actor: str, now: datetime
) -> bool:
    """Add a user, or give a known one this role and password.  Returns whether it is a new one.

    A known one is signed out everywhere.
    """
    with ledger.write() as tx:
        changed = tx.execute(
            sa.update(t.users)
            .where(t.users.c.name == name)
            .values(role=role, password_hash=password_hash)
        ).rowcount
        if not changed:
            row = {"name": name, "role": role, "added_at": now, "added_by": actor}
            tx.execute(sa.insert(t.users).values(**row, password_hash=password_hash))
        _sign_out(tx, name)
        _audit(tx, actor, "change user" if changed else "add user", f"{name}, {role}", now)
    return not changed


def remove(ledger: Ledger, name: str, *, actor: str, now: datetime) -> bool:
    """Remove a user, who is signed out at once.  False where there is none of this name."""
    with ledger.write() as tx:
        removed = tx.execute(sa.delete(t.users).where(t.users.c.name == name)).rowcount
        if removed:
            _sign_out(tx, name)
            _audit(tx, actor, "remove user", name, now)
    return bool(removed)


def sign_out(ledger: Ledger, name: str, *, actor: str, now: datetime) -> bool:
    """End all sessions of this name, however they began.  False where there is none."""
    with ledger.write() as tx:
        ended = _sign_out(tx, name)
        if ended:
            _audit(tx, actor, "sign out user", name, now)
    return ended


def listed(ledger: Ledger) -> list[User]:
    """All users, by name."""
    kept = t.users.c
    query = sa.select(kept.name, kept.role, kept.added_at, kept.added_by).order_by(kept.name)
    with ledger.read() as tx:
        return [
            User(row.name, Role(row.role), row.added_at, row.added_by) for row in tx.execute(query)
        ]


def credentials(ledger: Ledger, name: str) -> tuple[Role, str] | None:
    """The role and the password's hash of a user; None where there is none of this name."""
    kept = t.users.c
    with ledger.read() as tx:
        row = tx.execute(
            sa.select(kept.role, kept.password_hash).where(kept.name == name)
        ).one_or_none()
    return row and (Role(row.role), row.password_hash)


def failed(ledger: Ledger, name: str, address: str, now: datetime) -> None:
    """A sign-in failed; what lies too long ago to count is forgotten."""
    kept = t.failed_sign_ins
    with ledger.write() as tx:
        tx.execute(sa.delete(kept).where(kept.c.at <= now - THROTTLE))
        tx.execute(sa.insert(kept).values(at=now, user=_hash(name), address=address[:64]))


def throttled(ledger: Ledger, name: str, address: str, now: datetime) -> bool:
    """Whether no sign-in of this user, or from this address, is tried now."""
    kept = t.failed_sign_ins.c

    count = sa.select(sa.func.count()).where(kept.at > now - THROTTLE)
    with ledger.read() as tx:
        of_user = tx.scalar(count.where(kept.user == _hash(name))) or 0
        from_address = tx.scalar(count.where(kept.address == address[:64])) or 0
    return of_user >= FAILED_OF_USER or from_address >= FAILED_FROM_ADDRESS


def _hash(name: str) -> str:
    """Somebody may have typed their password into the wrong field."""
    return hashlib.sha256(name.encode(errors="replace")).hexdigest()


def _sign_out(tx: sa.Connection, name: str) -> bool:
    """End the sessions of this name, and those that a link would begin."""
    ended = [
        tx.execute(sa.delete(table).where(table.c.user == name)).rowcount
        for table in (t.sessions, t.links)
    ]
    return any(ended)


def _audit(tx: sa.Connection, actor: str, action: str, detail: str, now: datetime) -> None:
    tx.execute(sa.insert(t.audit).values(at=now, actor=actor, action=action, detail=detail))
