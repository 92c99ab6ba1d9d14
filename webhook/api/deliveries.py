"""Deliveries: what came in, and what became of each person in it."""

from dataclasses import replace

from webhook.api import access
from webhook.api.jobs import Shown
from webhook.api.lists import Line, Listed, Paged, Since, page, row_of
from webhook.api.operation import ID, Operation
from webhook.console.filters import since
from webhook.console.situation import at
from workers.leavers import DeliveryId, DeliveryStatus
from workers.ledger import trail
from workers.ledger.queries import deliveries as kept
from workers.ledger.queries.deliveries import DeliveryFilter, DeliveryInFull, KeptDelivery
from workers.ledger.users import Role


class Filter(Paged):
    """Which deliveries: those that fit everything that is given."""

    source: Line | None = None
    status: DeliveryStatus | None = None
    since: Since = None


def listed(asked: Filter) -> Listed[KeptDelivery]:
    """List what HR systems sent, the newest first."""
    after = row_of(asked.cursor, ID)
    began = since(asked.since, at().now()) if asked.since else None
    wanted = DeliveryFilter(asked.source, asked.status, began)
    before = DeliveryId(after) if after else None
    found = kept.listed(at().ledger, wanted, limit=asked.limit + 1, after=before)
    return page(found, asked.limit, "id")


def one(asked: Shown, delivery: str) -> DeliveryInFull:
    """Show one delivery with everybody in it, and its body only where that is asked for."""
    if asked.reveal:
        access.check(Role.OPERATOR)
    found = kept.one(at().ledger, DeliveryId(delivery))
    if not asked.reveal:
        return replace(found, body=None)
    trail.looked(at().ledger, delivery=found.id, actor=access.actor(), now=at().now())
    return found


OPERATIONS = (Operation("/deliveries", listed), Operation("/deliveries/{delivery}", one))
