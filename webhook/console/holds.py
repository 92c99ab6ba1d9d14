"""The page of holds: which whole sources and targets wait, and which leavers."""

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from config.sources import OPERATOR
from webhook.acts import sides
from webhook.acts.sides import UnknownSide, checked
from webhook.console import access
from webhook.console.situation import at
from workers.leavers import State, hr_target
from workers.ledger.holds import Side
from workers.ledger.queries import holds, jobs
from workers.ledger.queries.jobs import JobFilter
from workers.ledger.users import Role

pages = Blueprint("holds", __name__, url_prefix="/holds")

#: Jobs that are shown, the newest; the others are in the list of jobs.
JOBS = 50

HELD_BY_OPERATOR = "operator_hold"


@pages.get("")
def show() -> ResponseReturnValue:
    """What is held, by whom and why, and the form to hold more."""
    return _shown("")


@pages.post("/<act>")
@access.needs(Role.OPERATOR)
def change(act: str) -> ResponseReturnValue:
    """Hold a whole source or target, or let it go."""
    if act not in ("hold", "release"):
        abort(404)
    why = request.form.get("reason", "").strip()
    if not why:
        return _shown("Say why: the audit trail keeps it."), 400
    try:
        side = _side(request.form.get("side", ""))
    except UnknownSide as error:
        return _shown(str(error)), 400
    run = sides.hold if act == "hold" else sides.release
    if not run(at().ledger, side, actor=access.current().actor, why=why, now=at().now()).result:
        return _shown(f"{side} is {'held already' if act == 'hold' else 'not held'}."), 409
    return redirect(url_for("holds.show"), 303)


def _side(said: str) -> Side:
    kind, _, name = said.partition(":")
    match kind:
        case "source" | "target":
            return checked(at().settings, at().ledger, Side(kind, name))
    raise UnknownSide("Choose a source or a target.")


def _shown(fault: str) -> str:
    settings, ledger = at().settings, at().ledger
    by_operator = JobFilter(state=State.HELD, reason=HELD_BY_OPERATOR)
    held = jobs.listed(ledger, by_operator, limit=JOBS + 1)
    return render_template(
        "holds.html",
        standing=holds.standing(ledger),
        held=held[:JOBS],
        more=len(held) > JOBS,
        reason_word=HELD_BY_OPERATOR,
        fault=fault,
        sources=[*settings.sources, OPERATOR],
        targets=[*settings.targets, *map(hr_target, settings.apis)],
    )
