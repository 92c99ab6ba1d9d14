"""Who is there to decide what Leaver leaves to people."""

from collections.abc import Iterator

from config.settings import Settings
from webhook.doctor.check import Check, Result
from workers.ledger import Ledger, users
from workers.ledger.users import Role


def approvers_there(settings: Settings, ledger: Ledger) -> Iterator[Check]:
    """Where policy.approve asks for a second person: that there is one."""
    wanted = f'policy.approve is "{settings.policy.approve}"'
    if settings.policy.approve == "none":
        return
    openid = settings.console.openid
    by_group = openid is not None and Role.APPROVER in openid.roles.values()
    if by_group or any(user.role is Role.APPROVER for user in users.listed(ledger)):
        yield Check("D013", "approvers", Result.OK, f"{wanted}, and somebody can approve")
    else:
        hint = "`leaver user add NAME --role approver`, or console.openid.roles"
        fault = f"{wanted}, and nobody has the role approver: jobs wait for ever"
        yield Check("D013", "approvers", Result.ATTENTION, fault, hint)
