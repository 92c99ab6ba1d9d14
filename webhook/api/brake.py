"""The release of the brake.  Where it stands, standing.py says."""

from typing import Annotated

from pydantic import Field

from webhook.acts import brake as acts
from webhook.api import access
from webhook.api.lists import Line
from webhook.api.meant import Why
from webhook.api.operation import Body, Operation, PeopleOnly
from webhook.console.filters import Mistyped
from webhook.console.situation import at
from workers.ledger.brakes import Released
from workers.ledger.users import Role


class Passage(Body):
    """How many leavers may pass, of one source or of all; 0 takes back what is left of a number."""

    leavers: Annotated[int, Field(ge=0, lt=10**6)]
    reason: Why
    source: Line | None = None


def release(said: Passage) -> Released:
    """Let so many more leavers pass, whatever the windows say: first those who wait."""
    here = at()
    if refused := acts.people_only(here.settings):
        raise PeopleOnly(refused)
    by = {"actor": access.actor(), "why": said.reason}
    try:
        return acts.release(
            here.settings, here.ledger, said.leavers, source=said.source, **by, now=here.now()
        )
    except acts.UnknownSource as error:
        raise Mistyped(str(error)) from error


OPERATIONS = (Operation("/brake/release", release, Role.APPROVER),)
