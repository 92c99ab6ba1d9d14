"""What HR's word moves, inside the transaction that records it (people.py)."""

from datetime import datetime

import sqlalchemy as sa

from workers.leavers import Action, JobId, LeaverId, Standing, State, new_id
from workers.ledger import tables as t
from workers.ledger import tallies
from workers.ledger.moves.move import HOLDABLE, certain_move, open_round, waits
from workers.ledger.moves.stops import STOPS, ask, note_rescinded_late, stopped


def open_job(
    tx: sa.Connection,
    leaver: LeaverId,
    *,
    source: str,
    target: str,
    action: Action = Action.DEACTIVATE,
    email: str,
    cutoff: datetime,
    actor: str,
    why: str,
    now: datetime,
) -> JobId:
    """Open the first round of a job: queued, or scheduled where its cutoff is ahead."""
    job = JobId(new_id())
    state, beside = waits(cutoff, now)
    opened = (
        sa.insert(t.jobs)
        .values(
            id=job,
            leaver_id=leaver,
            source=source,
            target=target,
            action=action,
            email=email,
            cutoff=cutoff,
            standing=Standing.LEAVING,
            state=state,
            received_at=now,
            **beside,
        )
        .returning(*(t.jobs.c[name] for name in tallies.KIND))
    )
    tallies.job_became(tx, None, tx.execute(opened).mappings().one())
    open_round(tx, job, 1, actor=actor, why=why, now=now)
    entry = {"at": now, "actor": actor, "action": "open", "job_id": job}
    tx.execute(sa.insert(t.audit).values(**entry, to_state=state, detail=why))
    return job


def steer(
    tx: sa.Connection,
    job: JobId,
    *,
    email: str,
    cutoff: datetime,
    standing: Standing,
    actor: str,
    why: str,
    now: datetime,
) -> None:
    """Bring a job in line with what HR says now.  What was done already is never undone here."""
    before = tx.execute(sa.select(t.jobs).where(t.jobs.c.id == job).with_for_update()).mappings()
    was = before.one()
    said = {"email": email, "cutoff": cutoff, "standing": standing}
    tx.execute(sa.update(t.jobs).where(t.jobs.c.id == job).values(**said))
    state = State(was["state"])
    move = {"actor": actor, "now": now, "where": (t.jobs.c.state == state,), "audit_detail": why}
    if standing is Standing.LEAVING:
        to, beside = waits(cutoff, now)
        moved = cutoff != was["cutoff"] and State.SCHEDULED in (state, to)
        if state in HOLDABLE and moved:
            certain_move(tx, job, "reschedule", to, **beside, **move)
        return
    stop = "rescind" if standing is Standing.RESCINDED else "rehire"
    if state is State.RUNNING:
        ask(tx, job, stop, actor=actor, why=why, now=now)
    elif state in HOLDABLE or (state is State.HELD and stop == "rescind"):
        to, reason = stopped(stop, was["intended_at"])
        certain_move(tx, job, stop, to, reason=reason, detail=why, **move)
    elif was["reason"] == "rescinded" and stop == "rehire":
        # An event came in late, and shows that the rescind was about a later leaving.
        to, reason = STOPS[stop]
        anew = t.jobs.c.round + 1
        row = certain_move(tx, job, stop, to, reason=reason, detail=why, round=anew, **move)
        open_round(tx, job, row["round"], actor=actor, why=why, now=now)
    elif state is State.DONE and stop == "rescind":
        note_rescinded_late(tx, dict(was), why, now)
