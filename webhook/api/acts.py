"""What is done to jobs: replay, release, hold, cancel, reinstate."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any

from pydantic import Field

from webhook.acts import jobs as acts
from webhook.acts import reinstate as giving_back
from webhook.acts.jobs import ACTS, MOST, Act, Run
from webhook.acts.reinstate import Reinstated
from webhook.api import access
from webhook.api.jobs import Which, meant
from webhook.api.lists import Listed
from webhook.api.meant import Id, Several, Why
from webhook.api.operation import Body, Conflict, Operation
from webhook.console.situation import at
from workers.leavers import JobId, State
from workers.ledger.queries import jobs as kept
from workers.ledger.queries.jobs import Job, JobFilter
from workers.ledger.users import Role


class Meant(Several):
    """Which jobs, by ids or by a filter, and why.  `expected` is how many the filter is to fit.

    Ids are of jobs or, but for a replay, of leavers: then those jobs of theirs that have not ended,
    or to release those that are held.
    """

    filter: Which | None = None


class Replay(Meant):
    """`force`: whatever HR says by now, and whichever account was matched before."""

    force: bool = False


class Reinstatement(Body):
    """Ids are of jobs that deactivated, or of leavers: then all such jobs of theirs.

    `force`: whatever HR says.
    """

    reason: Why
    ids: Annotated[tuple[Id, ...], Field(min_length=1, max_length=MOST)]
    force: bool = False


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a job; `result` is empty where nothing was done, and `why_not` says why."""

    id: JobId
    result: str
    why_not: str
    state: State


@dataclass(frozen=True, slots=True)
class Acted:
    """What became of each of so many jobs; of a dry run, which they are."""

    jobs: int
    results: tuple[Result, ...]


def replay(said: Replay) -> Acted:
    """Run held or ended jobs again, in a new round."""
    return _act(said, ACTS["replay"], partial(acts.replay, force=said.force))


def release(said: Meant) -> Acted:
    """Let held jobs go on; every rule is asked again."""
    return _act(said, ACTS["release"], ACTS["release"].run)


def hold(said: Meant) -> Acted:
    """Make jobs wait for a person."""
    return _act(said, ACTS["hold"], ACTS["hold"].run)


def cancel(said: Meant) -> Acted:
    """End jobs without doing anything more."""
    return _act(said, ACTS["cancel"], ACTS["cancel"].run)


def reinstate(said: Reinstatement) -> Listed[Reinstated]:
    """Give back what jobs have taken away, each by a job beside it."""
    here = at()
    found = giving_back.meant(here.ledger, said.ids)
    if len(found) > MOST:
        raise Conflict(f"more than {MOST} jobs are meant; nothing was done")
    by: dict[str, Any] = {"actor": access.actor(), "why": said.reason, "now": here.now()}
    done = [
        giving_back.reinstate(here.settings, here.ledger, job, force=said.force, **by)
        for job in found
    ]
    here.waker.wake([each.id for each in done if each.id])
    return Listed(tuple(done))


def _act(said: Meant, act: Act, run: Run) -> Acted:
    ledger, chosen = at().ledger, _chosen(said, act)
    if said.dry_run:
        return Acted(len(chosen), tuple(Result(job.id, "", "", job.state) for job in chosen))
    by: dict[str, Any] = {"actor": access.actor(), "why": said.reason, "now": at().now()}
    done = {job.id: run(ledger, job.id, **by) or "" for job in chosen}
    after = kept.listed(ledger, JobFilter(ids=[*done]), limit=MOST)
    at().waker.wake([job.id for job in after if done[job.id] and job.state is State.QUEUED])
    results = (
        Result(job.id, done[job.id], "" if done[job.id] else acts.why_not(job), job.state)
        for job in after
    )
    return Acted(len(chosen), tuple(results))


def _chosen(said: Meant, act: Act) -> Sequence[Job]:
    """Exactly the jobs that are meant, or none.  Raises Mistyped, NotFound and Conflict."""
    which = said.filter if said.filter and said.filter.model_dump(exclude_defaults=True) else None
    said.check(filtered=which is not None, noun="jobs")
    if which is None:
        wanted = JobFilter(ids=acts.meant(at().ledger, said.ids, act))
    else:
        wanted = meant(which)
    return said.counted(kept.listed(at().ledger, wanted, limit=MOST + 1), "jobs")


OPERATIONS = (
    Operation("/jobs/replay", replay, Role.OPERATOR),
    Operation("/jobs/release", release, Role.OPERATOR),
    Operation("/jobs/hold", hold, Role.OPERATOR),
    Operation("/jobs/cancel", cancel, Role.OPERATOR),
    Operation("/jobs/reinstate", reinstate, Role.OPERATOR),
)
