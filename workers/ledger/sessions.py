"""Who is signed in to the console, and links that sign somebody in once.

What a browser keeps, and what stands in a link, is known to nobody else: the ledger has its hash.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from workers.ledger import tables as t
from workers.ledger.store import Ledger
from workers.ledger.users import Role

#: A session ends after so long without a request, and after so long in any case.
IDLE = timedelta(hours=1)
LONGEST = timedelta(hours=12)

#: How exactly the last request is known: nobody needs a write for each.
SEEN_EVERY = timedelta(minutes=1)

#: How long a link can be used.
LINK_LASTS = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody who is signed in.  Every form that changes something bears `csrf`."""

    id: str
    user: str
    role: Role
    csrf: str

    @property
    def actor(self) -> str:
        """Who it is, as the audit trail names them."""
        return actor_of(self.user)


def actor_of(user: str) -> str:
    """A user of the console, beside those of the command line, who may have the same name."""
    return f"{user} (console)"


def start(ledger: Ledger, user: str, role: Role, *, how: str, now: datetime) -> str:
    """Sign somebody in; returns what only their browser may know."""
    with ledger.write() as tx:
        return _start(tx, user, role, how=how, now=now)


def of(ledger: Ledger, token: str, now: datetime) -> Session | None:
    """The session of a browser; None where it has none, or it has ended."""
    kept = t.sessions.c
    alive = (kept.id == _hash(token), kept.seen_at > now - IDLE, kept.started_at > now - LONGEST)
    with ledger.read() as tx:
        row = tx.execute(sa.select(t.sessions).where(*alive)).one_or_none()
    if row is None:
        return None
    if row.seen_at <= now - SEEN_EVERY:
        with ledger.write() as tx:
            tx.execute(sa.update(t.sessions).where(kept.id == row.id).values(seen_at=now))
    return Session(row.id, row.user, Role(row.role), row.csrf)


def end(ledger: Ledger, session: Session, now: datetime) -> None:
    """Sign somebody out in this browser."""
    with ledger.write() as tx:
        tx.execute(sa.delete(t.sessions).where(t.sessions.c.id == session.id))
        entry = {"at": now, "actor": session.actor, "action": "sign out"}
        tx.execute(sa.insert(t.audit).values(entry))


def new_link(ledger: Ledger, user: str, role: Role, *, actor: str, now: datetime) -> str:
    """What stands in a link that signs somebody in, once and within LINK_LASTS."""
    token = secrets.token_urlsafe(32)
    row = {"id": _hash(token), "user": user, "role": role, "expires_at": now + LINK_LASTS}
    with ledger.write() as tx:
        tx.execute(sa.delete(t.links).where(t.links.c.expires_at <= now))
        tx.execute(sa.insert(t.links).values(row))
        entry = {"at": now, "actor": actor, "action": "make a link", "detail": f"{user}, {role}"}
        tx.execute(sa.insert(t.audit).values(entry))
    return token


def follow(ledger: Ledger, link: str, now: datetime) -> str | None:
    """Use up a link and sign in whom it is for, as `start` does; None where it is not valid."""
    own = (t.links.c.id == _hash(link), t.links.c.expires_at > now)
    with ledger.write() as tx:
        row = tx.execute(sa.delete(t.links).where(*own).returning(t.links)).one_or_none()
        if row is None:
            return None
        return _start(tx, row.user, Role(row.role), how="by a link", now=now)


def _start(tx: sa.Connection, user: str, role: Role, *, how: str, now: datetime) -> str:
    token = secrets.token_urlsafe(32)
    kept = t.sessions.c
    over = sa.or_(kept.seen_at <= now - IDLE, kept.started_at <= now - LONGEST)
    tx.execute(sa.delete(t.sessions).where(over))
    row = {"id": _hash(token), "user": user, "role": role, "csrf": secrets.token_urlsafe(32)}
    tx.execute(sa.insert(t.sessions).values(**row, started_at=now, seen_at=now))
    entry = {"at": now, "actor": actor_of(user), "action": "sign in", "detail": f"{how}, as {role}"}
    tx.execute(sa.insert(t.audit).values(entry))
    return token


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
