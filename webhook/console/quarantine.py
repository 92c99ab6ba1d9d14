"""What waits in quarantine: first which deliveries, then why, then what became of each."""

from collections.abc import Sequence
from dataclasses import dataclass

from flask import Blueprint, abort, render_template, request
from flask.typing import ResponseReturnValue

from webhook.acts.quarantine import DeliveryResult, Reparser, dismiss
from webhook.console import access
from webhook.console.situation import at
from workers.leavers import DeliveryId
from workers.ledger.queries import NotFound, deliveries
from workers.ledger.users import Role

pages = Blueprint("quarantine", __name__, url_prefix="/quarantine")

#: So many deliveries at once: a page of the list.
MOST = 50


@dataclass(frozen=True, slots=True)
class Act:
    """One of the two ways out of quarantine."""

    name: str
    past: str
    does: str


ACTS = {
    each.name: each
    for each in (
        Act("reparse", "read", "Read again with the mapping of today, and done what they say"),
        Act("dismiss", "dismissed", "Taken out unread, for what is no leaver; nothing is deleted"),
    )
}


@pages.post("/<name>")
@access.needs(Role.OPERATOR)
def preview(name: str) -> ResponseReturnValue:
    """What would become of each, and ask why."""
    return _preview(_act(name), _chosen())


@pages.post("/<name>/do")
@access.needs(Role.OPERATOR)
def do(name: str) -> ResponseReturnValue:
    """Do it to exactly those that were shown, the oldest first."""
    act, chosen = _act(name), _chosen()
    why = request.form.get("reason", "").strip()
    if not why or not chosen:
        return _preview(act, chosen, unsaid=True), 400
    results = _read(chosen, why) if name == "reparse" else _dismissed(chosen, why)
    at().waker.wake([job for result in results for job in result.jobs])
    return render_template("quarantine_result.html", act=act, results=results, why=why)


def _read(chosen: Sequence[DeliveryId], why: str, *, dry_run: bool = False) -> list[DeliveryResult]:
    actor = access.current().actor
    reparser = Reparser(at().settings, at().ledger, actor=actor, why=why, dry_run=dry_run)
    return [reparser.reparse(each, at().now()) for each in chosen]


def _dismissed(chosen: Sequence[DeliveryId], why: str) -> list[DeliveryResult]:
    by = {"actor": access.current().actor, "why": why}
    return [dismiss(at().ledger, each, **by, now=at().now()) for each in chosen]


def _act(name: str) -> Act:
    return ACTS.get(name) or abort(404)


def _chosen() -> list[DeliveryId]:
    """The deliveries that a form names, the oldest first, as they came."""
    ids = {word for each in request.form.getlist("id") for word in each.split()}
    try:
        return [deliveries.one(at().ledger, DeliveryId(each)).id for each in sorted(ids)[:MOST]]
    except NotFound as error:
        abort(404, str(error))


def _preview(act: Act, chosen: Sequence[DeliveryId], *, unsaid: bool = False) -> str:
    would = _read(chosen, "", dry_run=True) if act.name == "reparse" else []
    return render_template(
        "quarantine.html", act=act, chosen=chosen, would=would, most=MOST, unsaid=unsaid
    )
