"""Entering a leaver by hand: the form, what a worker says that would happen, and the deed."""

from collections.abc import Mapping, Sequence

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from config.sources import OPERATOR
from webhook import request_ids
from webhook.acts import terminate as acts
from webhook.console import access, leavers
from webhook.console.explaining import explained
from webhook.console.situation import at
from workers.leavers import Leaver, State
from workers.ledger.explanations import Question
from workers.ledger.users import Role

pages = Blueprint("terminate", __name__, url_prefix="/terminate")


@pages.get("")
@access.needs(Role.OPERATOR)
def form() -> ResponseReturnValue:
    """An empty form."""
    return _form({})


@pages.post("/again")
@access.needs(Role.OPERATOR)
def again() -> ResponseReturnValue:
    """The form as it was filled in, or with the address of a leaver who is known."""
    known = request.form.get("leaver")
    return _form({"email": leavers.looked(known).email} if known else request.form)


@pages.post("/preview")
@access.needs(Role.OPERATOR)
def preview() -> ResponseReturnValue:
    """What would happen in each target, as a worker says; nothing is entered."""
    try:
        leaver, targets, why = _said()
    except acts.Mistyped as error:
        return _form(request.form, str(error)), 400
    questions = [Question(None, OPERATOR, target, leaver) for target in targets]
    told, fault = explained(questions, actor=access.current().actor)
    settings = at().settings
    return render_template(
        "terminate_preview.html",
        leaver=leaver,
        targets=targets,
        at=request.form.get("at", ""),
        why=why,
        told=told,
        fault=fault,
        shadowed=[target for target in targets if settings.shadowed_by(OPERATOR, target)],
    )


@pages.post("")
@access.needs(Role.OPERATOR)
def enter() -> ResponseReturnValue:
    """Enter the leaver who was shown, and lead to what becomes of it."""
    try:
        leaver, targets, why = _said()
    except acts.Mistyped as error:
        return _form(request.form, str(error)), 400
    actor, now = access.current().actor, at().now()
    by = {"actor": actor, "why": why, "request_id": request_ids.current()}
    jobs = acts.enter(at().ledger, leaver, targets, **by, now=now)
    at().waker.wake([job.id for job in jobs if job.state is State.QUEUED])
    return redirect(url_for("leavers.one", leaver=jobs[0].leaver), 303)


def _said() -> tuple[Leaver, tuple[str, ...], str]:
    """Who leaves, where and why; the targets are chosen, none is meant unsaid.

    Raises Mistyped.
    """
    settings, said = at().settings, {name: word.strip() for name, word in request.form.items()}
    cutoff = said.get("at") or "now"
    leaver = acts.leaver_said(settings, said.get("email", ""), cutoff, now=at().now())
    chosen = request.form.getlist("target")
    if not chosen:
        raise acts.Mistyped("targets", "Choose where access is to be taken away.")
    if not said.get("reason"):
        raise acts.Mistyped("reason", "Say why: the audit trail keeps it.")
    return leaver, acts.targets_said(settings, chosen), said["reason"]


def _form(said: Mapping[str, str], fault: str = "") -> str:
    chosen: Sequence[str] = request.form.getlist("target") or [*at().settings.targets]
    return render_template(
        "terminate.html", said=said, chosen=chosen, fault=fault, settings=at().settings
    )
