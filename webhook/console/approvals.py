"""What waits for a second person: first what is to be approved, then why, then what became of it.

What an approver was shown of a job comes back with the form, as its mark: nothing else is approved.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from flask import Blueprint, abort, render_template, request
from flask.typing import ResponseReturnValue

from webhook.acts.jobs import MOST
from webhook.console import access, acts
from webhook.console.situation import at
from workers.leavers import JobId
from workers.ledger import approvals, moves
from workers.ledger.moves import CannotApprove
from workers.ledger.queries import jobs as kept
from workers.ledger.queries.jobs import Job, JobFilter
from workers.ledger.users import Role

pages = Blueprint("approvals", __name__, url_prefix="/approvals")


@dataclass(frozen=True, slots=True)
class Decision:
    """One of the two things that an approver may say."""

    name: str
    past: str
    does: str
    run: Callable[..., None]


DECISIONS = {
    each.name: each
    for each in (
        Decision("approve", "approved", "Let go on; all rules are asked again", moves.approve_by),
        Decision("refuse", "refused", "End without more", moves.refuse_by),
    )
}


@dataclass(frozen=True, slots=True)
class Waiting:
    """A job that waits for a second person; `own` says who asked where that may be who looks."""

    job: Job
    seen: str
    askers: Sequence[str]
    own: str


def waiting(ids: Sequence[JobId]) -> list[Waiting]:
    """Those of these jobs that wait for a second person.

    The marks are read before what is shown: what changes in between is shown, and not approved.
    """
    asked = approvals.asked(at().ledger, ids)
    jobs = kept.listed(at().ledger, JobFilter(ids=list(asked)), limit=MOST)
    return [_waiting(job, asked[job.id]) for job in jobs]


def _waiting(job: Job, asked: approvals.Asked) -> Waiting:
    own = (each for each in asked.askers if approvals.same_person(each, access.current().actor))
    return Waiting(job, asked.seen, asked.askers, next(own, ""))


@pages.post("/<name>")
@access.needs(Role.APPROVER)
def preview(name: str) -> ResponseReturnValue:
    """Show what would be approved or refused, and ask why."""
    return _preview(_decision(name), waiting([job.id for job in acts.meant()]))


@pages.post("/<name>/do")
@access.needs(Role.APPROVER)
def do(name: str) -> ResponseReturnValue:
    """Approve or refuse exactly what was shown, and tell what became of each."""
    decision, seen = _decision(name), _seen()
    why = request.form.get("reason", "").strip()
    chosen = kept.listed(at().ledger, JobFilter(ids=list(seen)), limit=MOST)
    if not why or not chosen:
        return _preview(decision, waiting(list(seen)), unsaid=True), 400
    results = [(job, _decide(decision, job.id, seen[job.id], why)) for job in chosen]
    at().waker.wake([job.id for job, refused in results if not refused and name == "approve"])
    return render_template("approved.html", decision=decision, results=results, why=why)


def _decide(decision: Decision, job: JobId, seen: str, why: str) -> str:
    """Why it could not be done, "" where it was."""
    about = {"seen": seen, "actor": access.current().actor, "why": why, "now": at().now()}
    try:
        decision.run(at().ledger, job, **about)
    except CannotApprove as refused:
        return str(refused)
    return ""


def _decision(name: str) -> Decision:
    return DECISIONS.get(name) or abort(404)


def _seen() -> Mapping[JobId, str]:
    """The jobs that a form names, each with the mark of what was shown of it."""
    pairs = (word.partition(":") for each in request.form.getlist("seen") for word in each.split())
    named = {JobId(job): seen for job, _, seen in pairs}
    return dict(list(named.items())[:MOST])


def _preview(decision: Decision, shown: Sequence[Waiting], *, unsaid: bool = False) -> str:
    return render_template(
        "approve.html", decision=decision, waiting=shown, most=MOST, unsaid=unsaid
    )
