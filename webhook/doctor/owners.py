"""The accounts that Leaver itself works with: a guard that names nobody guards nobody."""

from collections.abc import Iterator
from datetime import datetime

from config.secret import ConfigurationError
from config.settings import Policy, TargetSettings
from webhook.doctor.check import Check, Result
from workers import targets
from workers.decisions import Facts, Hold, Nobody, Read
from workers.errors import TargetError
from workers.journal import Calls
from workers.leavers import Standing
from workers.limits import Unlimited
from workers.policy import decide
from workers.targets.base import Account


def owners_known(name: str, own: TargetSettings, policy: Policy, now: datetime) -> Iterator[Check]:
    """Whether the target knows each address under which its credential's account is held.

    A username needs no look: it is the very one that Leaver logs in with.
    """
    for email in own.operators:
        if "@" not in email:
            continue
        where = f"targets.{name} owner"
        try:
            with targets.build(name, own, Unlimited()).session(Calls()) as ready:
                found = ready.find(Calls(), email)
        except (ConfigurationError, TargetError) as error:
            yield Check(
                "D010", where, Result.ADVICE, f"not looked for: {error}", f"see targets.{name}"
            )
        else:
            yield _judged(where, name, _facts(email, found, policy, now))


def _facts(email: str, found: tuple[Account, ...], policy: Policy, now: datetime) -> Facts:
    """As if the owner left, and nothing else were known: what the match alone says is asked for."""
    return Facts(
        email=email,
        employee_id="",
        cutoff=now,
        standing=Standing.LEAVING,
        forced=False,
        to_approve=False,
        approved=False,
        pinned=None,
        policy=policy.model_copy(update={"protected": (), "email_domains": ()}),
        operators=(),
        shadow="",
        now=now,
        found=found,
    )


def _judged(where: str, name: str, facts: Facts) -> Check:
    match decide(facts):
        case Read(account):
            return Check(
                "D010", where, Result.OK, f"{account.id} is held, whoever sends it as a leaver"
            )
        case Nobody():
            hint = f"correct targets.{name}.operated_by: a mistyped address guards nobody"
            return Check("D010", where, Result.ATTENTION, "no account has its address", hint)
        case Hold(reason, detail):
            hint = f"look at the account of targets.{name}.operated_by there"
            return Check("D010", where, Result.ADVICE, f"{reason}: {detail}", hint)
        case other:
            raise RuntimeError(f"a match cannot end as {other}")
