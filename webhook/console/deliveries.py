"""The pages of deliveries: what came in, and what became of each person in it."""

from flask import Blueprint, abort, render_template, request
from flask.typing import ResponseReturnValue

from webhook.console import access
from webhook.console.situation import at
from workers.leavers import DeliveryId, DeliveryStatus
from workers.ledger import trail
from workers.ledger.queries import NotFound
from workers.ledger.queries import deliveries as kept
from workers.ledger.queries.deliveries import DeliveryFilter
from workers.ledger.users import Role
from workers.reasons import ELEMENT

pages = Blueprint("deliveries", __name__, url_prefix="/deliveries")

PAGE = 50


@pages.get("")
def listed() -> ResponseReturnValue:
    """What came in, newest first."""
    source, status = request.args.get("source", ""), request.args.get("status", "")
    after = request.args.get("after")
    wanted = DeliveryFilter(
        source=source or None,
        status=DeliveryStatus(status) if status in {*DeliveryStatus} else None,
    )
    found = kept.listed(
        at().ledger, wanted, limit=PAGE + 1, after=DeliveryId(after) if after else None
    )
    return render_template(
        "deliveries.html",
        deliveries=found[:PAGE],
        older=len(found) > PAGE,
        after=after,
        source=source,
        status=status,
        statuses=[*DeliveryStatus],
        settings=at().settings,
        meanings=ELEMENT,
    )


@pages.get("/<delivery>")
def one(delivery: str) -> ResponseReturnValue:
    """One delivery with its people; the body is personal data and hidden."""
    return _shown(delivery, reveal=False)


@pages.post("/<delivery>/reveal")
@access.needs(Role.OPERATOR)
def reveal(delivery: str) -> ResponseReturnValue:
    """The same with its body; who looked is in the audit trail."""
    wanted = DeliveryId(delivery)
    trail.looked(at().ledger, delivery=wanted, actor=access.current().actor, now=at().now())
    return _shown(delivery, reveal=True)


def _shown(delivery: str, *, reveal: bool) -> ResponseReturnValue:
    try:
        found = kept.one(at().ledger, DeliveryId(delivery))
    except NotFound as error:
        abort(404, str(error))
    return render_template("delivery.html", delivery=found, reveal=reveal, meanings=ELEMENT)
