"""The page of the audit trail: who did what, when and why."""

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from webhook.console.situation import at
from workers.ledger.queries import trail

pages = Blueprint("audit", __name__, url_prefix="/audit")

PAGE = 100


@pages.get("")
def show() -> ResponseReturnValue:
    """The newest entries, or those before."""
    actor, action = request.args.get("actor", "").strip(), request.args.get("action", "").strip()
    after = request.args.get("after", "")
    found = trail.listed(
        at().ledger,
        actor=actor,
        action=action,
        limit=PAGE + 1,
        after=int(after) if after.isascii() and after.isdecimal() and len(after) < 19 else None,
    )
    return render_template(
        "audit.html", entries=found[:PAGE], older=len(found) > PAGE, actor=actor, action=action
    )
