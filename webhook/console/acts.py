"""What an operator does to jobs: first which and how many, then why, then what became of each."""

from collections.abc import Sequence
from functools import partial
from urllib.parse import urlencode

from flask import Blueprint, abort, render_template, request
from flask.typing import ResponseReturnValue

from webhook.acts.jobs import ACTS, MOST, Act, replay, why_not
from webhook.console import access
from webhook.console.filters import Mistyped, given, job_filter
from webhook.console.situation import at
from workers.leavers import JobId
from workers.ledger.queries import jobs as kept
from workers.ledger.queries.jobs import Job, JobFilter
from workers.ledger.users import Role

pages = Blueprint("acts", __name__, url_prefix="/acts")


@pages.post("/<name>")
@access.needs(Role.OPERATOR)
def preview(name: str) -> ResponseReturnValue:
    """Say how many jobs of which kind it would be, and ask why."""
    return _preview(_act(name), meant(), urlencode(given(request.form)))


@pages.post("/<name>/do")
@access.needs(Role.OPERATOR)
def do(name: str) -> ResponseReturnValue:
    """Do it to exactly the jobs that were shown, and tell what became of each."""
    act, ledger, now = _act(name), at().ledger, at().now()
    why = request.form.get("reason", "").strip()
    chosen, of_list = _chosen(), request.form.get("list", "")
    if not why or not chosen:
        return _preview(act, chosen, of_list, unsaid=True), 400
    forced = name == "replay" and request.form.get("force")
    run = partial(replay, force=True) if forced else act.run
    actor = access.current().actor
    results = [(job, run(ledger, job.id, actor=actor, why=why, now=now)) for job in chosen]
    at().waker.wake([job.id for job, result in results if result in ("replayed", "released")])
    undone = [job.id for job, result in results if not result]
    left = kept.listed(ledger, JobFilter(ids=undone), limit=MOST)
    return render_template(
        "result.html",
        act=act,
        results=results,
        why=why,
        why_not={job.id: why_not(job) for job in left},
        of_list=of_list,
    )


def meant() -> Sequence[Job]:
    """The jobs that a form of the list names: the chosen ones, or all that fit its filter."""
    if not request.form.get("all"):
        return _chosen()
    said = given(request.form)
    if not said:
        abort(400, "every job would be meant: filter the list first, or choose some of it")
    try:
        wanted = job_filter(said, at().now())
    except Mistyped as error:
        abort(400, str(error))
    return kept.listed(at().ledger, wanted, limit=MOST)


def _act(name: str) -> Act:
    return ACTS.get(name) or abort(404)


def _chosen() -> list[Job]:
    """The jobs that a form names by their ids."""
    ids = [JobId(word) for each in request.form.getlist("id") for word in each.split()]
    return kept.listed(at().ledger, JobFilter(ids=ids[:MOST]), limit=MOST)


def _preview(act: Act, chosen: Sequence[Job], of_list: str, *, unsaid: bool = False) -> str:
    """`of_list` is the filter of the list from which they were chosen, as its address has it."""
    return render_template(
        "preview.html",
        act=act,
        jobs=chosen,
        kinds=kept.kinds(chosen),
        unfit=sum(job.state not in act.states for job in chosen),
        most=MOST,
        unsaid=unsaid,
        of_list=of_list,
    )
