"""What the shadow report is made of."""

from datetime import datetime

import sqlalchemy as sa

from workers.leavers import Action, Outcome, Standing, State
from workers.ledger import tables as t
from workers.ledger.queries import columns_of
from workers.ledger.store import Ledger
from workers.shadow.verdicts import Shadowed


def shadowed(ledger: Ledger, *, since: datetime) -> list[Shadowed]:
    """The jobs that came in or ended since then, with what was seen of their accounts later."""
    of_round = sa.and_(t.sightings.c.job_id == t.jobs.c.id, t.sightings.c.round == t.jobs.c.round)
    query = (
        sa.select(
            t.jobs.c.id.label("job"),
            t.jobs.c.leaver_id.label("leaver"),
            t.leavers.c.employee_id,
            *(each for each in columns_of(t.jobs, Shadowed) if each.name != "detail"),
            t.sightings.c.last_on_at,
            t.sightings.c.first_off_at,
            sa.func.coalesce(t.sightings.c.gone, sa.false()).label("gone"),
            sa.func.coalesce(t.sightings.c.detail, t.jobs.c.detail).label("detail"),
        )
        .select_from(t.jobs.join(t.leavers).outerjoin(t.sightings, of_round))
        .where(
            t.jobs.c.action == Action.DEACTIVATE,
            sa.or_(t.jobs.c.received_at >= since, t.jobs.c.finished_at >= since),
        )
    )
    with ledger.read() as tx:
        heard = {row[0]: row[1] for row in tx.execute(_taken_back())}
        facts = [_fact(row, heard.get(row["leaver"])) for row in tx.execute(query).mappings()]
    # Sorted here: so that the database looks for what was received or ended, and not for an order.
    return sorted(facts, key=lambda fact: fact.job)


def _fact(row: sa.RowMapping, heard_at: datetime | None) -> Shadowed:
    standing = Standing(row["standing"])
    typed = {
        "state": State(row["state"]),
        "outcome": Outcome(row["outcome"]) if row["outcome"] else None,
        "standing": standing,
        "gone": bool(row["gone"]),
        "taken_back_at": None if standing is Standing.LEAVING else heard_at,
    }
    return Shadowed(**dict(row) | typed)


def _taken_back() -> sa.Select[str, datetime]:
    """For each leaver whose leaving HR took back, when we heard of it last."""
    kept = t.leavers.c
    query = sa.select(kept.owner, sa.func.max(kept.created_at)).where(sa.text(t.TAKEN_BACK))
    return query.group_by(kept.owner)
