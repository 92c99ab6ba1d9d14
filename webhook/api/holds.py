"""Whole sources and targets: held and released.  Which are held, standing.py says."""

from webhook.acts import sides
from webhook.acts.sides import SideHeld, SideReleased, UnknownSide, checked
from webhook.api import access
from webhook.api.lists import Line
from webhook.api.meant import Why
from webhook.api.operation import Body, Conflict, Operation
from webhook.console.filters import Mistyped
from webhook.console.situation import at
from workers.ledger.holds import Kind, Side
from workers.ledger.users import Role


class WholeSide(Body):
    """Which source or target, and why."""

    kind: Kind
    name: Line
    reason: Why


def hold(said: WholeSide) -> SideHeld:
    """Have everything of a source or target wait, also what is still to come."""
    here, side = at(), _side(said)
    done = sides.hold(here.ledger, side, actor=access.actor(), why=said.reason, now=here.now())
    if not done.result:
        raise Conflict(f"{side} is held already")
    return done


def release(said: WholeSide) -> SideReleased:
    """Let what waits with its source or target go on; every rule is asked again."""
    here, side = at(), _side(said)
    done = sides.release(here.ledger, side, actor=access.actor(), why=said.reason, now=here.now())
    if not done.result:
        raise Conflict(f"{side} is not held")
    return done


def _side(said: WholeSide) -> Side:
    """Raises Mistyped."""
    try:
        return checked(at().settings, at().ledger, Side(said.kind, said.name))
    except UnknownSide as error:
        raise Mistyped(str(error)) from error


OPERATIONS = (
    Operation("/holds", hold, Role.OPERATOR),
    Operation("/holds/release", release, Role.OPERATOR),
)
