"""The pages of jobs: the list with its filter, and the story of one."""

import re

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from webhook.acts import reinstate as acts
from webhook.acts.jobs import ACTS, can_force, possible
from webhook.console import access, approvals
from webhook.console.explaining import explained
from webhook.console.filters import Mistyped, given, job_filter
from webhook.console.situation import at
from workers.leavers import FINISHED, OUTCOMES, JobId, Outcome, State
from workers.ledger import trail
from workers.ledger.approvals import MISSING
from workers.ledger.explanations import Question
from workers.ledger.moves import TOGETHER
from workers.ledger.queries import NotFound
from workers.ledger.queries import jobs as kept
from workers.ledger.reinstatements import deactivations
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


@pages.post("/<job>/explain")
@access.needs(Role.OPERATOR)
def explain(job: str) -> ResponseReturnValue:
    """What a worker says would happen to it now; nothing is changed."""
    wanted = _found(job).id
    told, fault = explained([Question(wanted)], actor=access.current().actor)
    return render_template("explanation.html", job=wanted, told=told, fault=fault)


@pages.post("/<job>/reinstate")
@access.needs(Role.OPERATOR)
def reinstate(job: str) -> ResponseReturnValue:
    """Give back what it has taken, by a job beside it, to which this leads."""
    wanted, why = _found(job).id, request.form.get("reason", "").strip()
    if not why:
        return _shown(job, reveal=False, fault="Say why: the audit trail keeps it."), 400
    result = acts.reinstate(
        at().settings,
        at().ledger,
        wanted,
        actor=access.current().actor,
        why=why,
        force=bool(request.form.get("force")),
        now=at().now(),
    )
    if result.id is None:
        fault = f"It cannot be reinstated: {result.refused}"
        return _shown(job, reveal=False, fault=fault), 409
    at().waker.wake([result.id])
    return redirect(url_for("jobs.one", job=result.id), 303)


def _found(job: str) -> kept.JobInFull:
    try:
        return kept.one(at().ledger, JobId(job))
    except NotFound as error:
        abort(404, str(error))


def _shown(job: str, *, reveal: bool, fault: str = "") -> str:
    # Before the job is read: what changes in between is shown, and not approved.
    waiting = approvals.waiting([JobId(job)])
    found = _found(job)
    ended = found.state in FINISHED
    help_ = None if found.state in WELL_ENDED else JOB.get(found.reason)
    return render_template(
        "job.html",
        fault=fault,
        can_reinstate=ended and found.id in deactivations(at().ledger, found.leaver),
        job=found,
        reveal=reveal,
        possible=possible(found),
        can_force=can_force(found),
        waiting=waiting,
        help=help_,
        advised=_advised(found.reason) if help_ else "",
        outcome=OUTCOMES[found.outcome] if found.outcome else "",
        live=found.state in MOVING,
    )


def _advised(reason: str) -> str:
    """The act on this one job that the advice about a reason names first; "" for none."""
    named = None if reason in TOGETHER else re.search("release|replay", JOB[reason].to_do)
    return named[0] if named else ""
