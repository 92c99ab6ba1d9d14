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
            sa.case((t.jobs.c.standing != Standing.LEAVING, _taken_back())).label("taken_back_at"),
        )
        .select_from(t.jobs.join(t.leavers).outerjoin(t.sightings, of_round))
        .where(
            t.jobs.c.action == Action.DEACTIVATE,
            sa.or_(t.jobs.c.received_at >= since, t.jobs.c.finished_at >= since),
        )
    )
    with ledger.read() as tx:
        facts = [_fact(row) for row in tx.execute(query).mappings()]
    # Sorted here: so that the database looks for what was received or ended, and not for an order.
    return sorted(facts, key=lambda fact: fact.job)


def _fact(row: sa.RowMapping) -> Shadowed:
    typed = {
        "state": State(row["state"]),
        "outcome": Outcome(row["outcome"]) if row["outcome"] else None,
        "standing": Standing(row["standing"]),
        "gone": bool(row["gone"]),
    }
    return Shadowed(**dict(row) | typed)


def _taken_back() -> sa.ScalarSelect[datetime]:
    """When we heard last that HR took back the leaving that a row of jobs is about."""
    heard = t.leavers.alias("heard").c
    query = sa.select(sa.func.max(heard.created_at)).where(sa.text(t.TAKEN_BACK))
    return query.where(heard.owner == t.jobs.c.leaver_id).scalar_subquery()
