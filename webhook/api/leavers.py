"""Leavers: the list, one person with all that was said and done, and one entered by hand."""

from dataclasses import replace
from typing import Annotated

from pydantic import Field

from webhook import request_ids
from webhook.acts import terminate as acts
from webhook.api import access
from webhook.api.jobs import Shown
from webhook.api.lists import Line, Listed, Paged, page, row_of
from webhook.api.meant import Why
from webhook.api.operation import ID, Body, Operation
from webhook.console.filters import Mistyped
from webhook.console.situation import at
from webhook.console.words import masked
from workers.leavers import Leaver, LeaverId, State
from workers.ledger import trail
from workers.ledger.queries import leavers as kept
from workers.ledger.queries.jobs import Job
from workers.ledger.queries.leavers import KeptLeaver, LeaverFilter, Person
from workers.ledger.users import Role


class Filter(Paged):
    """Which leavers: those that fit everything that is given."""

    email: Annotated[Line | None, Field(description="the whole address, in any case")] = None
    employee_id: Line | None = None
    source: Line | None = None


class Leaving(Body):
    """Who leaves, and when; of no targets, all are meant."""

    email: Line
    at: Annotated[
        Line, Field(description="now, a date (the end of that day), or a time with its offset")
    ] = "now"
    targets: Annotated[tuple[Line, ...], Field(max_length=100)] = ()


class Termination(Leaving):
    """Who leaves, when and why; of no targets, all are meant."""

    reason: Why


def listed(asked: Filter) -> Listed[KeptLeaver]:
    """List leavers, the newest first, with masked addresses."""
    after = row_of(asked.cursor, ID)
    wanted = LeaverFilter(asked.email, asked.employee_id, asked.source)
    before = LeaverId(after) if after else None
    found = kept.listed(at().ledger, wanted, limit=asked.limit + 1, after=before)
    hidden = [replace(each, email=masked(each.email)) for each in found]
    return page(hidden, asked.limit, "id")


def one(asked: Shown, leaver: str) -> Person:
    """Show the person whom a leaver is about: all that was said, and all jobs."""
    if asked.reveal:
        access.check(Role.OPERATOR)
    found = kept.person(at().ledger, LeaverId(leaver))
    if asked.reveal:
        about = f"leaver {leaver}"
        trail.looked(at().ledger, about=about, actor=access.actor(), now=at().now())
        return found
    return replace(
        found,
        leavers=tuple(replace(each, email=masked(each.email)) for each in found.leavers),
        jobs=tuple(replace(job, email=masked(job.email)) for job in found.jobs),
        snapshots={},
    )


def terminate(said: Termination) -> Listed[Job]:
    """Enter a leaver by hand, and give the jobs that this opens."""
    leaver, targets = meant(said)
    jobs = acts.enter(
        at().ledger,
        leaver,
        targets,
        actor=access.actor(),
        why=said.reason,
        request_id=request_ids.current(),
        now=at().now(),
    )
    at().waker.wake([job.id for job in jobs if job.state is State.QUEUED])
    return Listed(tuple(replace(job, email=masked(job.email)) for job in jobs))


def meant(said: Leaving) -> tuple[Leaver, tuple[str, ...]]:
    """The leaver, and the targets.  Raises Mistyped."""
    settings = at().settings
    try:
        targets = acts.targets_said(settings, said.targets)
        return acts.leaver_said(settings, said.email, said.at, now=at().now()), targets
    except acts.Mistyped as error:
        raise Mistyped(str(error)) from error


OPERATIONS = (
    Operation("/leavers", listed),
    Operation("/leavers/{leaver}", one),
    Operation("/leavers", terminate, Role.OPERATOR),
)
