"""The page of the brake: where it stands, and how many leavers may pass."""

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from config.sources import OPERATOR
from webhook.acts import brake as acts
from webhook.console import access
from webhook.console.situation import at
from workers.ledger.queries import brakes
from workers.ledger.users import Role

pages = Blueprint("brake", __name__, url_prefix="/brake")


@pages.get("")
def show() -> ResponseReturnValue:
    """Every window, who waits, and the form to let some pass."""
    return _shown("")


@pages.post("")
@access.needs(Role.APPROVER)
def release() -> ResponseReturnValue:
    """Let so many more leavers pass."""
    number, why = request.form.get("leavers", ""), request.form.get("reason", "").strip()
    source = request.form.get("source") or None
    if not (number.isascii() and number.isdecimal() and len(number) < 7):
        return _shown("Say how many leavers may pass, as a number."), 400
    if not why:
        return _shown("Say why: the audit trail keeps it."), 400
    by = {"actor": access.current().actor, "why": why}
    try:
        acts.release(at().settings, at().ledger, int(number), source=source, **by, now=at().now())
    except acts.UnknownSource as error:
        return _shown(str(error)), 400
    return redirect(url_for("brake.show"), 303)


def _shown(fault: str) -> str:
    settings = at().settings
    configured = settings.brakes_of("")
    for name in settings.sources:
        configured |= settings.brakes_of(name)
    standing = brakes.standing(at().ledger, configured, now=at().now())
    return render_template(
        "brake.html", standing=standing, fault=fault, sources=[*settings.sources, OPERATOR]
    )
