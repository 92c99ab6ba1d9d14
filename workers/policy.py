"""Pure decisions: may we look for this leaver, which account is theirs, may it be written to?

Nothing here reads a clock, a file or the network, so every rule can be tested over all its inputs.
None means that no rule of the step objects.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase

from config.settings import Policy
from workers.leavers import AccountId
from workers.targets.base import Access, Account, Way


@dataclass(frozen=True, slots=True)
class Wait:
    """Not before `until`."""

    until: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Hold:
    """A person must decide; `reason` is a word of reasons.py, `detail` holds no personal data."""

    reason: str
    detail: str = ""


def same_address(one: str, other: str) -> bool:
    """Whether two e-mail addresses are one: by letter case they may differ, by nothing else.

    Both in small letters and in capitals: either alone takes some letters for others, such as the
    Kelvin sign for a k, or ß for ss.
    """
    return one.lower() == other.lower() and one.upper() == other.upper()


def before_looking(
    *,
    email: str,
    employee_id: str,
    cutoff: datetime,
    leaving: bool,
    policy: Policy,
    operators: Collection[str],
    now: datetime,
) -> Wait | Hold | None:
    """What stands against this leaver before the target is asked anything.

    `leaving` is False where HR said later that the person stays, and no operator forces it.
    """
    if not leaving:
        return Hold("superseded")
    if cutoff > now:
        return Wait(cutoff, "cutoff_ahead")
    if protected := protects(policy, "e-mail", email) or protects(policy, "employee", employee_id):
        return protected
    domain = email.lower().rpartition("@")[2]
    if policy.email_domains and domain not in {d.lower() for d in policy.email_domains}:
        return Hold("email_domain", f"{domain} is not one of policy.email_domains")
    if any(same_address(email, operator) for operator in operators):
        return Hold("operated_by")
    return None


def protects(policy: Policy, kind: str, value: str) -> Hold | None:
    """The entry of policy.protected that names this e-mail address, employee or account.

    It is told by its place in the list, as an address is personal data.  Letter case does not
    matter: rather one held too many.
    """
    wanted = value.lower()
    for place, entry in enumerate(policy.protected, start=1):
        prefix, colon, rest = entry.lower().partition(":")
        if not colon:
            prefix, rest = "e-mail", prefix
        if prefix != kind or not wanted:
            continue
        # As it is as well, as some characters of an address are those of a pattern.
        if wanted == rest or (kind == "e-mail" and fnmatchcase(wanted, rest)):
            shown = f": {entry}" if colon or "*" in entry else ""
            return Hold("protected", f"entry {place} of policy.protected{shown}")
    return None


def match(
    found: Sequence[Account], *, email: str, pinned: AccountId | None
) -> Account | Hold | None:
    """The one account that is this leaver's; None when the target has none.

    Only an exact match counts, and only one.  What the target found but hides or spells otherwise
    is for a person to judge, never for us to ignore.
    """
    exact = [a for a in found if a.email is not None and same_address(a.email, email)]
    hidden = [a for a in found if a.email is None]
    if len(exact) + len(hidden) > 1:
        return Hold("ambiguous_match", f"{len(exact) + len(hidden)} accounts")
    if len(found) > len(exact) + len(hidden):
        return Hold("email_mismatch", f"{len(found)} found, {len(exact)} with the same address")
    if hidden:
        return Hold("unclear_account", "the target hides the account's e-mail address")
    if not exact:
        return None
    if pinned is not None and exact[0].id != pinned:
        return Hold("account_changed", f"first {pinned}, now {exact[0].id}")
    return exact[0]


def after_reading(account: Account, *, email: str) -> Hold | None:
    """What stands against taking this account for the leaver's: a search may be behind."""
    if account.email is not None and not same_address(account.email, email):
        return Hold("email_mismatch", "the account has another address by now")
    return None


def before_writing(account: Account, *, policy: Policy, operators: Collection[str]) -> Hold | None:
    """What stands against switching this account off.

    `operators` are the e-mail addresses and usernames of the account behind our credential.
    """
    if protected := protects(policy, "account", account.id):
        return protected
    if not account.person:
        return Hold("not_a_person")
    if account.administrator:
        return Hold("administrator")
    names = (account.email, account.username)
    if any(name and same_address(name, operator) for name in names for operator in operators):
        return Hold("operated_by")
    if account.access is Access.UNKNOWN or account.way is Way.UNCLEAR:
        return Hold("unclear_account", f"access {account.access}, way {account.way}")
    return None
