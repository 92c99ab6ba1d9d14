"""The pages of jobs: the list with its filter, and the story of one."""

from flask import Blueprint, abort, render_template, request
from flask.typing import ResponseReturnValue

from webhook.acts.jobs import ACTS, possible
from webhook.console import access, approvals
from webhook.console.filters import Mistyped, given, job_filter
from webhook.console.situation import at
from workers.leavers import OUTCOMES, JobId, Outcome, State
from workers.ledger import trail
from workers.ledger.approvals import MISSING
from workers.ledger.queries import NotFound
from workers.ledger.queries import jobs as kept
from workers.ledger.users import Role
from workers.reasons import JOB

pages = Blueprint("jobs", __name__, url_prefix="/jobs")

PAGE = 50

#: In these states the reason is no matter of anybody's any more.
WELL_ENDED = (State.DONE, State.CANCELLED)

#: In these states a job moves without anybody's help: the page shows it live.
MOVING = (State.QUEUED, State.RUNNING, State.RETRYING)


@pages.get("")
def listed() -> ResponseReturnValue:
    """The jobs that fit, newest first."""
    said, fault = given(request.args), ""
    after, before = request.args.get("after"), request.args.get("before")
    page = kept.JobPage((), newer=False, older=False)
    try:
        page = kept.page(
            at().ledger,
            job_filter(said, at().now()),
            size=PAGE,
            after=JobId(after) if after else None,
            before=JobId(before) if before else None,
            last="last" in request.args,
        )
    except Mistyped as error:
        fault = str(error)
    return render_template(
        "jobs.html",
        page=page,
        said=said,
        fault=fault,
        states=[*State],
        outcomes=[*Outcome],
        reasons=sorted(JOB),
        meanings=JOB,
        settings=at().settings,
        acts=ACTS.values(),
        decisions=approvals.DECISIONS if said.get("reason") == MISSING else (),
    )


@pages.get("/<job>")
def one(job: str) -> ResponseReturnValue:
    """One job in full, the e-mail address masked."""
    return _shown(job, reveal=False)


@pages.post("/<job>/reveal")
@access.needs(Role.OPERATOR)
def reveal(job: str) -> ResponseReturnValue:
    """The same with the e-mail address; who looked is in the audit trail."""
    trail.looked(at().ledger, JobId(job), actor=access.current().actor, now=at().now())
    return _shown(job, reveal=True)


def _shown(job: str, *, reveal: bool) -> ResponseReturnValue:
    # Before the job is read: what changes in between is shown, and not approved.
    waiting = approvals.waiting([JobId(job)])
    try:
        found = kept.one(at().ledger, JobId(job))
    except NotFound as error:
        abort(404, str(error))
    return render_template(
        "job.html",
        job=found,
        reveal=reveal,
        possible=possible(found),
        waiting=waiting,
        help=None if found.state in WELL_ENDED else JOB.get(found.reason),
        outcome=OUTCOMES[found.outcome] if found.outcome else "",
        live=found.state in MOVING,
    )
