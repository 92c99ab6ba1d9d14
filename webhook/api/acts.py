"""What is done to jobs: replay, release, hold, cancel."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any

from pydantic import Field

from webhook.acts import jobs as acts
from webhook.api import access
from webhook.api.jobs import Which, meant
from webhook.api.operation import ID, Body, Conflict, Operation
from webhook.console.filters import Mistyped
from webhook.console.situation import at
from workers.leavers import JobId, State
from workers.ledger.queries import NotFound
from workers.ledger.queries import jobs as kept
from workers.ledger.queries.jobs import Job, JobFilter
from workers.ledger.users import Role

#: Why it is done; the audit trail keeps it.
Why = Annotated[
    str, Field(max_length=1000, pattern=r"^[^\x00-\x1f\x7f]*[^\x00-\x20\x7f][^\x00-\x1f\x7f]*$")
]
Id = Annotated[str, Field(pattern=f"^{ID}$")]


class Meant(Body):
    """Which jobs, by ids or by a filter, and why.  `expected` is how many the filter is to fit."""

    reason: Why
    ids: Annotated[tuple[Id, ...], Field(max_length=acts.MOST)] = ()
    filter: Which | None = None
    expected: Annotated[int, Field(ge=0, le=acts.MOST)] | None = None
    dry_run: bool = False


class Replay(Meant):
    """`force`: whatever HR says by now, and whichever account was matched before."""

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
    return _act(said, partial(acts.replay, force=said.force))


def release(said: Meant) -> Acted:
    """Let held jobs go on; every rule is asked again."""
    return _act(said, acts.ACTS["release"].run)


def hold(said: Meant) -> Acted:
    """Make jobs wait for a person."""
    return _act(said, acts.ACTS["hold"].run)


def cancel(said: Meant) -> Acted:
    """End jobs without doing anything more."""
    return _act(said, acts.ACTS["cancel"].run)


def _act(said: Meant, run: Callable[..., str | None]) -> Acted:
    ledger, chosen = at().ledger, _chosen(said)
    if said.dry_run:
        return Acted(len(chosen), tuple(Result(job.id, "", "", job.state) for job in chosen))
    by: dict[str, Any] = {"actor": access.actor(), "why": said.reason, "now": at().now()}
    done = {job.id: run(ledger, job.id, **by) or "" for job in chosen}
    after = kept.listed(ledger, JobFilter(ids=[*done]), limit=acts.MOST)
    at().waker.wake([job.id for job in after if done[job.id] and job.state is State.QUEUED])
    results = (
        Result(job.id, done[job.id], "" if done[job.id] else acts.why_not(job), job.state)
        for job in after
    )
    return Acted(len(chosen), tuple(results))


def _chosen(said: Meant) -> list[Job]:
    """Exactly the jobs that are meant, or none.  Raises Mistyped, NotFound and Conflict."""
    which = said.filter and said.filter.model_dump(exclude_none=True)
    if bool(said.ids) == bool(which):
        raise Mistyped("say which jobs: either ids, or a filter that says something")
    if said.ids or said.filter is None:
        found = kept.listed(
            at().ledger, JobFilter(ids=[JobId(each) for each in said.ids]), limit=acts.MOST
        )
        missing = {*said.ids} - {job.id for job in found}
        if missing:
            raise NotFound(f"no job has the id {min(missing)}; nothing was done")
        return found
    if said.expected is None and not said.dry_run:
        raise Mistyped("expected is missing: how many jobs the filter fits, as a dry_run says")
    found = kept.listed(at().ledger, meant(said.filter), limit=acts.MOST + 1)
    if len(found) > acts.MOST:
        raise Conflict(f"more than {acts.MOST} jobs fit; nothing was done")
    if said.expected not in (None, len(found)):
        raise Conflict(f"{len(found)} jobs fit, not {said.expected}; nothing was done")
    return found


OPERATIONS = (
    Operation("/jobs/replay", replay, Role.OPERATOR),
    Operation("/jobs/release", release, Role.OPERATOR),
    Operation("/jobs/hold", hold, Role.OPERATOR),
    Operation("/jobs/cancel", cancel, Role.OPERATOR),
)
