"""What is done to jobs that are there: replay, release, hold, cancel."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from config.settings import Settings
from workers.leavers import UNFINISHED, JobId, State
from workers.ledger import Ledger, moves
from workers.ledger.approvals import MISSING
from workers.ledger.holds import side_of
from workers.ledger.moves import CANCELLABLE, HOLDABLE, REPLAYABLE
from workers.ledger.queries import jobs as kept
from workers.ledger.queries.jobs import Job
from workers.reasons import JOB

#: So many jobs at once; whoever means more repeats it, and sees each time what becomes of it.
MOST = 1000


class Run(Protocol):
    """Does an act to one job; returns what happened, or None where it could not."""

    def __call__(
        self, ledger: Ledger, job: JobId, *, actor: str, why: str, now: datetime
    ) -> str | None: ...


@dataclass(frozen=True, slots=True)
class Act:
    """One of the things that can be done to a job, and the states in which it can."""

    name: str
    past: str
    could_not: str
    states: tuple[State, ...]
    does: str
    run: Run


def replay(
    ledger: Ledger, job: JobId, *, actor: str, why: str, now: datetime, force: bool = False
) -> str | None:
    """Open a new round; what `force` means says moves.replay_by."""
    done = moves.replay_by(ledger, job, actor=actor, why=why, force=force, now=now)
    return "replayed" if done else None


def release(ledger: Ledger, job: JobId, *, actor: str, why: str, now: datetime) -> str | None:
    """Let a held job go on."""
    return "released" if moves.release_by(ledger, job, actor=actor, why=why, now=now) else None


ACTS = {
    act.name: act
    for act in (
        Act(
            "replay",
            "replayed",
            "is under way already",
            REPLAYABLE,
            "Run again, in a new round",
            replay,
        ),
        Act(
            "release",
            "released",
            "cannot be released",
            (State.HELD,),
            "Let go on; all rules are asked again",
            release,
        ),
        Act(
            "hold",
            "held",
            "cannot be held",
            (*HOLDABLE, State.RUNNING),
            "Wait for a person",
            moves.hold_by,
        ),
        Act(
            "cancel",
            "cancelled",
            "cannot be cancelled",
            (*CANCELLABLE, State.RUNNING),
            "End without more",
            moves.cancel_by,
        ),
    )
}


def possible(job: Job) -> list[Act]:
    """What makes sense for a job now."""
    unfit = "release" if job.reason == MISSING else ""
    return [act for act in ACTS.values() if job.state in act.states and act.name != unfit]


def can_force(job: Job) -> bool:
    """Whether a job is held for what only a forced replay gets over."""
    help_ = JOB.get(job.reason)
    return job.state == State.HELD and help_ is not None and "--force" in help_.to_do


def meant(ledger: Ledger, parts: Sequence[str], act: Act) -> list[JobId]:
    """The jobs with these ids, and of leavers with these those that the act is for.

    A replay takes no leavers: nobody means all that ever ended.  Raises NotFound.
    """
    if act.name == "replay":
        return [kept.find(ledger, part) for part in parts]
    states = (State.HELD,) if act.name == "release" else UNFINISHED
    found = [job for part in parts for job in kept.find_with_leavers(ledger, part, states)]
    return list(dict.fromkeys(found))


def why_not(job: Job) -> str:
    """Why an act could not be done to a job, which is as it was found afterwards."""
    if job.state == State.HELD and job.reason == MISSING:
        return f"it waits for a second person, who decides in the console, at /jobs/{job.id}"
    side = side_of(job.reason, source=job.source, target=job.target)
    if job.state == State.HELD and side:
        command = f"`leaver release --{side.kind} {side.name} --reason TEXT`"
        return f"the whole {side} is held; {command} lets all its jobs go"
    return f"it is {job.state}"


def shadows(settings: Settings, jobs: Iterable[Job]) -> list[str]:
    """For each target of these jobs that only looks: that nothing will be changed there."""
    said = [
        f'{job.target}, {shadow} is "shadow": the account is found, nothing is changed.'
        for job in jobs
        if (shadow := settings.shadowed_by(job.source, job.target))
    ]
    return list(dict.fromkeys(said))
