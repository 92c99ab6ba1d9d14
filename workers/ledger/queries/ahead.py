"""What the next attempt of a job would be given, without taking the job.

waiting   as it is
held      as after `leaver release`, or as after the approval that it waits for
ended     as after `leaver replay`
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from workers.leavers import (
    FINISHED,
    Action,
    AttemptId,
    Cutoff,
    JobId,
    Leaver,
    LeaverId,
    LeaverKind,
    Outcome,
    Standing,
    State,
    hr_target,
)
from workers.ledger import approvals, holds
from workers.ledger import tables as t
from workers.ledger.moves import Claim
from workers.ledger.queries import NotFound
from workers.ledger.store import Ledger

#: What must be done first, so that there is a next attempt.
FIRST = {State.HELD: "release"} | dict.fromkeys(FINISHED, "replay")


@dataclass(frozen=True, slots=True)
class Ahead:
    """The next attempt of a job, or of one that there would be (`state` None)."""

    claim: Claim
    kind: LeaverKind
    said: Cutoff  # as it came in first; HR may have moved it since
    received_at: datetime
    state: State | None = None
    outcome: Outcome | None = None
    reason: str = ""
    detail: str = ""
    stop: str = ""  # what somebody asked for while the job runs
    side: holds.Standing | None = None  # by whom the whole source or target is held

    @property
    def first(self) -> str:
        """What must be done with the job first: "release", "approve", "replay", or "".

        What is held with its whole source or target goes on by itself when that is released.
        """
        if self.state is None or self.reason in holds.SIDE_OF:
            return ""
        if self.state is State.HELD and self.reason == approvals.MISSING:
            return "approve"
        return FIRST.get(self.state, "")


def of_job(ledger: Ledger, job: JobId, *, worker: str) -> Ahead:
    """The next attempt of a job.  Raises NotFound."""
    said = (t.leavers.c.employee_id, t.leavers.c.kind, t.leavers.c.hr_date, t.leavers.c.hr_zone)
    when = (t.leavers.c.cutoff.label("said"), t.leavers.c.created_at)
    query = sa.select(t.jobs, *said, *when, t.targets.c.resumed_at).join(t.leavers)
    query = query.outerjoin(t.targets, t.targets.c.name == t.jobs.c.target)
    with ledger.read() as tx:
        row = tx.execute(query.where(t.jobs.c.id == job)).mappings().one_or_none()
        if row is None:
            raise NotFound(f"no job has the id {job}")
        state = State(row["state"])
        ahead = {**row, **_anew(state, row)}
        approved = row["reason"] == approvals.MISSING or approvals.given(tx, ahead)
        claim = _claim({**ahead, "approved": approved}, worker)
        side = _side(tx, claim)
    return Ahead(
        claim=claim,
        kind=LeaverKind(row["kind"]),
        said=Cutoff(row["said"], row["hr_date"], row["hr_zone"]),
        received_at=row["created_at"],
        state=state,
        outcome=Outcome(row["outcome"]) if row["outcome"] else None,
        reason=row["reason"],
        detail=row["detail"],
        stop=row["stop"] or "",
        side=side,
    )


def _anew(state: State, row: sa.RowMapping) -> dict[str, Any]:
    """What a release or a replay makes of a job."""
    if state is State.HELD:
        return {"watched_since": None}
    if state in FINISHED:
        forgotten = ("intended_at", "watched_since", "outage_at")
        return {**dict.fromkeys(forgotten), "forced": False, "round": row["round"] + 1}
    return {}


def of_leaver(
    ledger: Ledger, leaver: Leaver, *, source: str, target: str, worker: str, now: datetime
) -> Ahead:
    """The first attempt that there would be if HR sent this leaver now."""
    lookup = target == hr_target(source)
    about = {
        "id": "",
        "leaver_id": "",
        "source": source,
        "target": target,
        "action": Action.LOOKUP if lookup else Action.DEACTIVATE,
        "email": leaver.email,
        "employee_id": leaver.employee_id,
        "cutoff": leaver.cutoff.at,
        "standing": Standing.LEAVING,
        "forced": False,
        "approved": False,
        "round": 1,
        **dict.fromkeys(("account_id", "snapshot", "intended_at", "watched_since")),
        **dict.fromkeys(("outage_at", "resumed_at")),
    }
    claim = _claim(about, worker)
    with ledger.read() as tx:
        side = _side(tx, claim)
    return Ahead(claim, leaver.kind, leaver.cutoff, now, side=side)


def _side(tx: sa.Connection, claim: Claim) -> holds.Standing | None:
    return holds.against(tx, source=claim.source, target=claim.target, action=claim.action)


def _claim(row: dict[str, Any], worker: str) -> Claim:
    """A claim that owns nothing: no move accepts its token."""
    return Claim(
        job=JobId(row["id"]),
        leaver=LeaverId(row["leaver_id"]),
        attempt=AttemptId(""),
        token=-1,
        worker=worker,
        source=row["source"],
        target=row["target"],
        action=Action(row["action"]),
        email=row["email"],
        employee_id=row["employee_id"],
        cutoff=row["cutoff"],
        standing=Standing(row["standing"]),
        request_id="",
        forced=row["forced"],
        approved=row["approved"],
        round=row["round"],
        attempts=0,
        tries=0,
        account_id=row["account_id"],
        snapshot=row["snapshot"],
        intended_at=row["intended_at"],
        watched_since=row["watched_since"],
        outage_at=row["outage_at"],
        resumed_at=row["resumed_at"],
        working_seconds=0.0,
        pauses=0,
        probe_call=None,
    )
