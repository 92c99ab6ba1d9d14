"""Questions of an operator that only a worker can answer: what would be done now, and why?

The door never resolves the secret of a target.  So it asks here (ask), wakes a worker, and looks
for the answer (answers); a worker takes the question (take) and answers it (answer).  Whoever asked
takes everything away again (forget), because it holds personal data; what a command that died has
left behind goes with the first question after a day.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from workers.leavers import Cutoff, ExplanationId, JobId, Leaver, LeaverKind, new_id
from workers.ledger import tables as t
from workers.ledger.store import Ledger

KEPT = timedelta(days=1)

#: How long one worker has for a question before another may try.
PATIENCE = timedelta(seconds=15)


@dataclass(frozen=True, slots=True)
class Question:
    """What would become of a job, or of a leaver of `source` in `target` if HR sent them now?

    A leaver of kind lookup is asked about at HR, which then is the target.
    """

    job: JobId | None = None
    source: str = ""
    target: str = ""
    leaver: Leaver | None = None


def ask(
    ledger: Ledger, questions: Sequence[Question], *, actor: str, now: datetime
) -> list[ExplanationId]:
    """Put these questions; gives the id of each."""
    ids = [ExplanationId(new_id()) for _ in questions]
    with ledger.write() as tx:
        tx.execute(sa.delete(t.explanations).where(t.explanations.c.asked_at < now - KEPT))
        for one, question in zip(ids, questions, strict=True):
            tx.execute(
                sa.insert(t.explanations).values(
                    id=one,
                    asked_at=now,
                    actor=actor,
                    job_id=question.job,
                    source=question.source,
                    target=question.target,
                    leaver=_as_kept(question.leaver) if question.leaver else None,
                )
            )
    return ids


def take(ledger: Ledger, wanted: ExplanationId, now: datetime) -> Question | None:
    """The question, for this worker to answer; None where nobody asks it, or another has it."""
    table = t.explanations
    free = sa.or_(table.c.taken_until.is_(None), table.c.taken_until <= now)
    with ledger.write() as tx:
        row = (
            tx.execute(
                sa.update(table)
                .where(table.c.id == wanted, table.c.answer.is_(None), free)
                .values(taken_until=now + PATIENCE)
                .returning(table)
            )
            .mappings()
            .one_or_none()
        )
    if row is None:
        return None
    leaver = _as_meant(row["leaver"]) if row["leaver"] else None
    return Question(row["job_id"], row["source"], row["target"], leaver)


def answer(ledger: Ledger, wanted: ExplanationId, told: Mapping[str, Any]) -> None:
    """Give the answer; nothing happens where nobody waits for it any more."""
    own = t.explanations.c.id == wanted
    with ledger.write() as tx:
        tx.execute(sa.update(t.explanations).where(own).values(answer=dict(told)))


def answers(
    ledger: Ledger, wanted: Sequence[ExplanationId]
) -> Mapping[ExplanationId, Mapping[str, Any]]:
    """What has been answered of these questions."""
    table = t.explanations
    query = sa.select(table.c.id, table.c.answer).where(table.c.answer.is_not(None))
    with ledger.read() as tx:
        return {row.id: row.answer for row in tx.execute(query.where(table.c.id.in_(wanted)))}


def forget(ledger: Ledger, wanted: Sequence[ExplanationId]) -> None:
    """Take these questions away, answered or not."""
    with ledger.write() as tx:
        tx.execute(sa.delete(t.explanations).where(t.explanations.c.id.in_(wanted)))


def _as_kept(leaver: Leaver) -> dict[str, str | None]:
    cutoff, happened_at = leaver.cutoff, leaver.happened_at
    return {
        "email": leaver.email,
        "employee_id": leaver.employee_id,
        "kind": leaver.kind,
        "cutoff": cutoff.at.isoformat(),
        "hr_date": cutoff.hr_date.isoformat() if cutoff.hr_date else None,
        "hr_zone": cutoff.hr_zone,
        "happened_at": happened_at.isoformat() if happened_at else None,
    }


def _as_meant(kept: Mapping[str, Any]) -> Leaver:
    hr_date, happened_at = kept["hr_date"], kept["happened_at"]
    cutoff = Cutoff(
        datetime.fromisoformat(kept["cutoff"]),
        date.fromisoformat(hr_date) if hr_date else None,
        kept["hr_zone"],
    )
    return Leaver(
        email=kept["email"],
        employee_id=kept["employee_id"],
        cutoff=cutoff,
        kind=LeaverKind(kept["kind"]),
        happened_at=datetime.fromisoformat(happened_at) if happened_at else None,
    )
