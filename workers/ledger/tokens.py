"""Tokens: who may use the API, as what, and until when.

A token is shown once, when it is made; the ledger has only its hash.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from workers.ledger import tables as t
from workers.ledger.store import Ledger, insert
from workers.ledger.users import Role

#: What tokens begin with, so that a person, or a scanner for leaked secrets, knows one.
PREFIX = "leaver_"

#: How exactly the last use is known: nobody needs a write for each.
USED_EVERY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Token:
    """What is known of a token; `used_at` is None where nobody has used it yet."""

    name: str
    role: Role
    added_at: datetime
    added_by: str
    expires_at: datetime
    used_at: datetime | None


def add(
    ledger: Ledger, name: str, role: Role, *, lasts: timedelta, actor: str, now: datetime
) -> str | None:
    """Make a token, and return it; None where there is one of this name."""
    token = PREFIX + secrets.token_urlsafe(32)
    row = {"hash": _hash(token), "name": name, "role": role, "expires_at": now + lasts}
    with ledger.write() as tx:
        own = insert(tx, t.tokens).values(**row, added_at=now, added_by=actor)
        new = own.on_conflict_do_nothing(index_elements=["name"]).returning(t.tokens.c.name)
        if tx.scalar(new) is None:
            return None
        _audit(tx, actor, "add token", f"{name}, {role}", now)
    return token


def remove(ledger: Ledger, name: str, *, actor: str, now: datetime) -> bool:
    """Remove a token, which opens nothing from now on.  False where there is none of this name."""
    with ledger.write() as tx:
        removed = tx.execute(sa.delete(t.tokens).where(t.tokens.c.name == name)).rowcount
        if removed:
            _audit(tx, actor, "remove token", name, now)
    return bool(removed)


def listed(ledger: Ledger) -> list[Token]:
    """All tokens, by name; expired ones too."""
    with ledger.read() as tx:
        return [_token(row) for row in tx.execute(sa.select(t.tokens).order_by(t.tokens.c.name))]


def of(ledger: Ledger, token: str, now: datetime) -> Token | None:
    """The token that a request bears; None where there is no such one, or it has expired."""
    own = t.tokens.c.hash == _hash(token)
    with ledger.read() as tx:
        query = sa.select(t.tokens).where(own, t.tokens.c.expires_at > now)
        row = tx.execute(query).one_or_none()
    if row is None:
        return None
    if row.used_at is None or row.used_at <= now - USED_EVERY:
        with ledger.write() as tx:
            tx.execute(sa.update(t.tokens).where(own).values(used_at=now))
    return _token(row)


def _token(row: sa.Row[tuple[object, ...]]) -> Token:
    return Token(row.name, Role(row.role), row.added_at, row.added_by, row.expires_at, row.used_at)


def _hash(token: str) -> str:
    # As it has 256 random bits, a slow hash would protect nothing more.
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()


def _audit(tx: sa.Connection, actor: str, action: str, detail: str, now: datetime) -> None:
    tx.execute(sa.insert(t.audit).values(at=now, actor=actor, action=action, detail=detail))
