"""The keys that HR systems posted by themselves.

Whoever knows or confirms a key can speak as that HR system, and what HR says is acted on.  So it
takes an approver; and while policy.approve is set no program does it, because it would be a way
around the second person.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Annotated

from pydantic import Field

from webhook.api import access
from webhook.api.lists import Line, Listed
from webhook.api.meant import Why
from webhook.api.operation import Body, Operation, PeopleOnly, Query
from webhook.console.situation import at
from workers.ledger import key_offers, trail
from workers.ledger.key_offers import Offer
from workers.ledger.queries import NotFound
from workers.ledger.users import Role


class KeysShown(Query):
    """How much is shown."""

    reveal: Annotated[
        bool, Field(description="the keys that wait in clear: for approvers, and audited")
    ] = False


class SourceKey(Body):
    """Which key of which source, and why."""

    source: Line
    id: Line
    reason: Why


@dataclass(frozen=True, slots=True)
class KeyActed:
    """What became of a key: it is confirmed or forgotten."""

    source: str
    id: str
    result: str


def listed(asked: KeysShown) -> Listed[Offer]:
    """List the keys that came by themselves, the oldest first."""
    found = key_offers.offers(at().ledger)
    if not asked.reveal:
        return Listed(tuple(replace(each, key="") for each in found))
    access.check(Role.APPROVER)
    _check_policy()
    trail.looked(at().ledger, about="source keys", actor=access.actor(), now=at().now())
    return Listed(found)


def confirm(said: SourceKey) -> KeyActed:
    """Take deliveries of the source that are signed with this key, from now on."""
    _check_policy()
    return _act(said, key_offers.confirm, "confirmed")


def forget(said: SourceKey) -> KeyActed:
    """Forget a key, also one that was confirmed."""
    return _act(said, key_offers.forget, "forgotten")


def _check_policy() -> None:
    """Raises PeopleOnly while no program may do it."""
    approve = at().settings.policy.approve
    if approve != "none":
        raise PeopleOnly(f'policy.approve is "{approve}": see `leaver source`, on the command line')


def _act(said: SourceKey, act: Callable[..., bool], result: str) -> KeyActed:
    by = {"actor": access.actor(), "why": said.reason, "now": at().now()}
    if not act(at().ledger, said.source, said.id, **by):
        raise NotFound(f"no such key of {said.source}")
    return KeyActed(said.source, said.id, result)


OPERATIONS = (
    Operation("/source-keys", listed),
    Operation("/source-keys/confirm", confirm, Role.APPROVER),
    Operation("/source-keys/forget", forget, Role.APPROVER),
)
