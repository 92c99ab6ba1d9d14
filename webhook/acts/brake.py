"""Letting leavers pass the brake (workers/ledger/brakes.py)."""

from datetime import datetime

from config.settings import Settings
from config.sources import OPERATOR
from workers.ledger import Ledger, brakes
from workers.ledger.brakes import Released


class UnknownSource(LookupError):
    """There is none of this name; the message says which there are."""


def people_only(settings: Settings) -> str:
    """Why only a person who has signed in may do it; "" where a command or a program may."""
    approve = settings.policy.approve
    if approve == "none":
        return ""
    return (
        f'policy.approve is "{approve}": an approver releases the brake in the console, at /brake'
    )


def release(
    settings: Settings,
    ledger: Ledger,
    leavers: int,
    *,
    source: str | None,
    actor: str,
    why: str,
    now: datetime,
) -> Released:
    """Let so many more leavers pass, of one source or of all.  Raises UnknownSource."""
    known = (*settings.sources, OPERATOR)
    if source is not None and source not in known:
        raise UnknownSource(f"no source {source}; known: {', '.join(known)}")
    return brakes.release(ledger, leavers, source=source, actor=actor, why=why, now=now)
