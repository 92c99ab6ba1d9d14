"""Jobs: the list, and one in full."""

from dataclasses import replace
from typing import Annotated

from pydantic import Field

from webhook.api import access
from webhook.api.lists import Line, Listed, Paged, Since, page, row_of
from webhook.api.operation import ID, Operation, Query
from webhook.console.filters import FIELDS, job_filter
from webhook.console.situation import at
from webhook.console.words import masked
from workers.leavers import JobId, Outcome, State
from workers.ledger import trail
from workers.ledger.queries import jobs as kept
from workers.ledger.queries.jobs import Job, JobFilter, JobInFull
from workers.ledger.users import Role
from workers.reasons import JOB


class Which(Query):
    """Which jobs: those that fit everything that is given."""

    state: State | None = None
    outcome: Outcome | None = None
    source: Line | None = None
    target: Line | None = None
    reason: Annotated[str | None, Field(json_schema_extra={"enum": sorted(JOB)})] = None
    email: Annotated[Line | None, Field(description="the whole address, in any case")] = None
    since: Since = None
    unfinished: Annotated[bool, Field(description="only those that have not ended")] = False


class Filter(Paged, Which):
    """Which jobs, and how many."""


class Shown(Query):
    """How much is shown."""

    reveal: Annotated[
        bool, Field(description="personal data in clear: for operators, and audited")
    ] = False


def listed(asked: Filter) -> Listed[Job]:
    """List jobs, the newest first, with masked addresses."""
    after = row_of(asked.cursor, ID)
    found = kept.listed(
        at().ledger,
        meant(asked),
        limit=asked.limit + 1,
        after=JobId(after) if after else None,
    )
    return page([replace(job, email=masked(job.email)) for job in found], asked.limit, "id")


def meant(which: Which) -> JobFilter:
    """The filter that is meant.  Raises Mistyped."""
    said = {name: str(value) for name in FIELDS if (value := getattr(which, name)) is not None}
    return replace(job_filter(said, at().now()), unfinished=which.unfinished)


def one(asked: Shown, job: str) -> JobInFull:
    """Show one job with its rounds, attempts, calls and audit trail."""
    if asked.reveal:
        access.check(Role.OPERATOR)
    found = kept.one(at().ledger, JobId(job))
    if not asked.reveal:
        return replace(found, email=masked(found.email), snapshot=None)
    trail.looked(at().ledger, found.id, actor=access.actor(), now=at().now())
    return found


OPERATIONS = (Operation("/jobs", listed), Operation("/jobs/{job}", one))
