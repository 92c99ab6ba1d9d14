"""Leavers entered by hand."""

from dataclasses import replace
from typing import Annotated

from pydantic import Field

from webhook import request_ids
from webhook.acts import terminate as acts
from webhook.api import access
from webhook.api.acts import Why
from webhook.api.lists import Line, Listed
from webhook.api.operation import Body, Operation
from webhook.console.filters import Mistyped
from webhook.console.situation import at
from webhook.console.words import masked
from workers.leavers import State
from workers.ledger.queries.jobs import Job
from workers.ledger.users import Role


class Termination(Body):
    """Who leaves, when and why; of no targets, all are meant."""

    email: Line
    reason: Why
    at: Annotated[
        Line, Field(description="now, a date (the end of that day), or a time with its offset")
    ] = "now"
    targets: Annotated[tuple[Line, ...], Field(max_length=100)] = ()


def terminate(said: Termination) -> Listed[Job]:
    """Enter a leaver by hand, and give the jobs that this opens."""
    now, settings = at().now(), at().settings
    try:
        targets = acts.targets_said(settings, said.targets)
        leaver = acts.leaver_said(settings, said.email, said.at, now=now)
    except acts.Mistyped as error:
        raise Mistyped(str(error)) from error
    jobs = acts.enter(
        at().ledger,
        leaver,
        targets,
        actor=access.actor(),
        why=said.reason,
        request_id=request_ids.current(),
        now=now,
    )
    at().waker.wake([job.id for job in jobs if job.state is State.QUEUED])
    return Listed(tuple(replace(job, email=masked(job.email)) for job in jobs))


OPERATIONS = (Operation("/leavers", terminate, Role.OPERATOR),)
