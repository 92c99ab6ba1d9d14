"""What is done to deliveries that wait in quarantine: reparse, dismiss."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from webhook.acts import quarantine as acts
from webhook.acts.jobs import MOST
from webhook.acts.quarantine import DeliveryResult, Reparser
from webhook.api import access
from webhook.api.lists import Line, Since
from webhook.api.meant import Several
from webhook.api.operation import Operation, Query
from webhook.console.filters import since
from webhook.console.situation import at
from workers.leavers import DeliveryId, DeliveryStatus
from workers.ledger.queries import deliveries as kept
from workers.ledger.queries.deliveries import DeliveryFilter
from workers.ledger.users import Role


class InQuarantine(Query):
    """Deliveries of which something is in quarantine, and which fit everything that is given."""

    status: Literal["quarantined"]
    source: Line | None = None
    since: Since = None


class MeantDeliveries(Several):
    """Which deliveries, by ids or by a filter, and why; `expected` is how many it is to fit."""

    filter: InQuarantine | None = None


@dataclass(frozen=True, slots=True)
class ActedOnDeliveries:
    """What became of each of so many deliveries, the oldest first."""

    deliveries: int
    results: tuple[DeliveryResult, ...]


def reparse(said: MeantDeliveries) -> ActedOnDeliveries:
    """Read quarantined deliveries again, with the mapping of today, and do what they say."""
    here = at()
    by = {"actor": access.actor(), "why": said.reason}
    reparser = Reparser(here.settings, here.ledger, **by, dry_run=said.dry_run)
    done = _each(said, lambda delivery: reparser.reparse(delivery, here.now()))
    here.waker.wake([job for each in done.results for job in each.jobs])
    return done


def dismiss(said: MeantDeliveries) -> ActedOnDeliveries:
    """Take deliveries out of quarantine unread; a dry run only says which it would be."""
    here = at()
    by = {"actor": access.actor(), "why": said.reason}
    if said.dry_run:
        return _each(said, lambda delivery: DeliveryResult(delivery, ""))
    return _each(said, lambda each: acts.dismiss(here.ledger, each, **by, now=here.now()))


def _each(said: MeantDeliveries, act: Callable[[DeliveryId], DeliveryResult]) -> ActedOnDeliveries:
    chosen = _chosen(said)
    return ActedOnDeliveries(len(chosen), tuple(map(act, chosen)))


def _chosen(said: MeantDeliveries) -> Sequence[DeliveryId]:
    """Exactly those that are meant, or none.  Raises Mistyped, NotFound and Conflict."""
    which = said.filter
    said.check(filtered=which is not None, noun="deliveries")
    if which is None:
        return sorted(acts.meant(at().ledger, said.ids))
    began = since(which.since, at().now()) if which.since else None
    wanted = DeliveryFilter(which.source, DeliveryStatus.QUARANTINED, began)
    found = kept.listed(at().ledger, wanted, limit=MOST + 1)
    return said.counted([each.id for each in reversed(found)], "deliveries")


OPERATIONS = (
    Operation("/deliveries/reparse", reparse, Role.OPERATOR),
    Operation("/deliveries/dismiss", dismiss, Role.OPERATOR),
)
