"""The policy: one pure function from what is known of a job to what is to be done.

RULES is the table of all rules, in the order in which they are asked; the first that objects
decides, and only where none does the decision is Act.  Whoever learned what was missing asks again
with more facts (workers/deprovision.py), and all rules are asked again.  Nothing here reads a
clock, a file or the network.

The leave to write is the ledger's alone (intend, in workers/ledger/moves/writes.py): it asks once
more, under its locks, whether somebody stops the job and whether the brake has room.
"""

import unicodedata
from collections.abc import Callable
from fnmatch import fnmatchcase

from config.settings import Policy
from config.sources import OPERATOR
from workers.decisions import (
    UNKNOWN,
    Act,
    Decision,
    Facts,
    Find,
    Groups,
    Hold,
    Learn,
    Nobody,
    OffAlready,
    Preflight,
    Read,
    Stop,
    Wait,
    Watch,
    WouldAct,
)
from workers.explanation import Asked
from workers.leavers import Action, Standing
from workers.ledger.approvals import MISSING
from workers.ledger.moves import Claim
from workers.targets.base import Access, Way


def decide(facts: Facts) -> Decision:
    """What is to be done."""
    return weigh(facts)[0]


def weigh(facts: Facts) -> tuple[Decision, tuple[Asked, ...]]:
    """The same, with every rule that was asked."""
    asked: list[Asked] = []
    for name, rule in RULES.items():
        answer = rule(facts)
        if isinstance(answer, Learn):
            return answer, tuple(asked)
        if not isinstance(answer, str):
            return answer, (*asked, Asked(name, _in_words(answer, facts), decides=True))
        asked.append(Asked(name, answer))
    return Act(facts.account), tuple(asked)


def _in_words(decision: Decision, facts: Facts) -> str:
    match decision:
        case Wait(until, reason):
            return f"{reason}: not before {until:%Y-%m-%d %H:%M:%S}Z"
        case Hold(reason, detail):
            return f"{reason}: {detail}" if detail else reason
        case Stop(stop):
            return f"stopped: {stop}"
        case Nobody():
            return "no account is found"
        case OffAlready(account):
            return f"{account.id} is off already"
        case Watch(account):
            return f"an identity provider manages {account.id}: only it may switch it off"
        case _:
            return f"{facts.shadow} is shadow"


# --- Rules: before anybody looks ------------------------------------------------------------

Answer = str | Decision


def _standing(facts: Facts) -> Answer:
    """Whether HR said later that the person stays, and no operator forces it."""
    if facts.forced:
        return "an operator forces this round, whatever HR said later"
    return "leaves" if facts.standing is Standing.LEAVING else Hold("superseded")


def _cutoff(facts: Facts) -> Answer:
    return "is over" if facts.cutoff <= facts.now else Wait(facts.cutoff, "cutoff_ahead")


def _protected_person(facts: Facts) -> Answer:
    return (
        _protects(facts.policy, "e-mail", facts.email)
        or _protects(facts.policy, "employee", facts.employee_id)
        or "no entry of policy.protected names the address or the employee"
    )


def _protects(policy: Policy, kind: str, value: str) -> Hold | None:
    """The entry of policy.protected that names this e-mail address, employee, account or group.

    It is told by its place in the list, as an address is personal data.
    """
    wanted = _folded(value)
    for place, entry in enumerate(policy.protected, start=1):
        prefix, colon, rest = _folded(entry).partition(":")
        if not colon:
            prefix, rest = "e-mail", prefix
        if prefix != kind or not wanted:
            continue
        # As it is as well, as some characters of an address are those of a pattern.
        if wanted == rest or (kind in ("e-mail", "group") and fnmatchcase(wanted, rest)):
            shown = f": {entry}" if colon or "*" in entry else ""
            return Hold("protected", f"entry {place} of policy.protected{shown}")
    return None


def _folded(text: str) -> str:
    """`text` so that what looks the same is the same: rather one held too many."""
    return unicodedata.normalize("NFKC", text).casefold()


def _email_domain(facts: Facts) -> Answer:
    domain = facts.email.lower().rpartition("@")[2]
    if not facts.policy.email_domains:
        return "policy.email_domains lists none, so every domain is ours"
    if domain in {each.lower() for each in facts.policy.email_domains}:
        return f"policy.email_domains lists {domain}"
    return Hold("email_domain", f"{domain} is not one of policy.email_domains")


def _operated_by(facts: Facts) -> Answer:
    return _names_an_operator(facts, facts.email) or "the address is not that of operated_by"


def _names_an_operator(facts: Facts, *names: str | None) -> Hold | None:
    hit = any(n and same_address(n, operator) for n in names for operator in facts.operators)
    return Hold("operated_by") if hit else None


def same_address(one: str, other: str) -> bool:
    """Whether two e-mail addresses are one: by letter case they may differ, by nothing else.

    Both in small letters and in capitals: either alone takes some letters for others, such as the
    Kelvin sign for a k, or ß for ss.
    """
    return one.lower() == other.lower() and one.upper() == other.upper()


# --- Rules: whose account is it? ------------------------------------------------------------


def _match(facts: Facts) -> Answer:
    """Only an exact match counts, and only one.

    What the target found but hides or spells otherwise is for a person to judge, never for us to
    ignore.
    """
    found = facts.found
    if found is UNKNOWN:
        return Find()
    exact = [a for a in found if a.email is not None and same_address(a.email, facts.email)]
    hidden = [a for a in found if a.email is None]
    if len(exact) + len(hidden) > 1:
        return Hold("ambiguous_match", f"{len(exact) + len(hidden)} accounts")
    if len(found) > len(exact) + len(hidden):
        return Hold("email_mismatch", f"{len(found)} found, {len(exact)} with the same address")
    if hidden:
        return Hold("unclear_account", "the target hides the account's e-mail address")
    if not exact:
        return "none has this address any more" if facts.pinned else Nobody()
    if facts.pinned and exact[0].id != facts.pinned.id:
        return Hold("account_changed", f"first {facts.pinned.id}, now {exact[0].id}")
    return f"{exact[0].id} has exactly this address, and no other account has"


def _reading(facts: Facts) -> Answer:
    """The account by its id; one that the search no longer finds must read as off."""
    matched = facts.found[0] if isinstance(facts.found, tuple) and facts.found else facts.pinned
    if matched is None:
        raise RuntimeError("the reading was asked for before an account was matched")
    if facts.read is UNKNOWN:
        return Read(matched)
    if facts.found:
        if facts.read is None:
            return Hold("account_gone", f"found by search, but {matched.id} cannot be read")
        return f"{matched.id} is there"
    if facts.read is not None and facts.read.access is Access.OFF:
        return OffAlready(facts.read)
    return Hold("account_gone", f"{matched.id} is no longer found by the e-mail address")


def _same_address(facts: Facts) -> Answer:
    """A search may be behind."""
    email = facts.account.email
    if email is not None and not same_address(email, facts.email):
        return Hold("email_mismatch", "the account has another address by now")
    return "read by its id it has the same address" if email else "the target hides it by now"


# --- Rules: may it be switched off? ---------------------------------------------------------


def _access(facts: Facts) -> Answer:
    account = facts.account
    if account.person and account.access is Access.OFF:
        return OffAlready(account)
    return f"the account is {account.access}"


def _protected_account(facts: Facts) -> Answer:
    protected = _protects(facts.policy, "account", facts.account.id)
    return protected or "no entry of policy.protected names the account"


def _person(facts: Facts) -> Answer:
    return "it is a person's account" if facts.account.person else Hold("not_a_person")


def _administrator(facts: Facts) -> Answer:
    return Hold("administrator") if facts.account.administrator else "it is no administrator's"


def _operates(facts: Facts) -> Answer:
    names = (facts.account.email, facts.account.username)
    return _names_an_operator(facts, *names) or "the account is not that of operated_by"


def _clear(facts: Facts) -> Answer:
    account = facts.account
    if account.access is Access.UNKNOWN or account.way is Way.UNCLEAR:
        return Hold("unclear_account", f"access {account.access}, way {account.way}")
    return "the target says all that must be known"


def _protected_group(facts: Facts) -> Answer:
    """Asked of the target only where an entry names a group: it is one call more."""
    if not any(entry.lower().startswith("group:") for entry in facts.policy.protected):
        return "no entry of policy.protected names a group"
    if facts.groups is UNKNOWN:
        return Groups(facts.account)
    hits = (_protects(facts.policy, "group", group) for group in facts.groups)
    return next(filter(None, hits), "the account is in no group that policy.protected names")


def _preflight(facts: Facts) -> Answer:
    if facts.ready is UNKNOWN:
        return Preflight(facts.account)
    return f"the way to switch it off: {facts.account.way}"


def _identity_provider(facts: Facts) -> Answer:
    account = facts.account
    return Watch(account) if account.way is Way.IDP else "none has to switch it off"


def _mode(facts: Facts) -> Answer:
    return WouldAct(facts.account) if facts.shadow else "act"


def _stop(facts: Facts) -> Answer:
    return Stop(facts.stop) if facts.stop else "nobody stops it"


def _approval(facts: Facts) -> Answer:
    if not facts.to_approve:
        return f"policy.approve is {facts.policy.approve}: this takes no second person"
    return "a second person approved it" if facts.approved else unapproved(facts.policy)


def must_be_approved(policy: Policy, claim: Claim) -> bool:
    """Whether policy.approve wants a second person for this job."""
    if claim.action is Action.LOOKUP:
        return False
    by_hand = claim.forced or claim.source == OPERATOR
    return policy.approve == "all" or (policy.approve == "manual" and by_hand)


def unapproved(policy: Policy) -> Hold:
    """That nobody has approved what must be."""
    return Hold(MISSING, f"policy.approve is {policy.approve}")


def _brake(facts: Facts) -> Answer:
    return Hold("brake", facts.braked) if facts.braked else "it lets this leaver pass"


#: Every rule by the name under which an explanation shows it.
RULES: dict[str, Callable[[Facts], Answer]] = {
    "HR's word": _standing,
    "cutoff": _cutoff,
    "protected person": _protected_person,
    "e-mail domain": _email_domain,
    "own address": _operated_by,
    "match": _match,
    "read by id": _reading,
    "same address": _same_address,
    "access": _access,
    "protected account": _protected_account,
    "person": _person,
    "administrator": _administrator,
    "own account": _operates,
    "clear": _clear,
    "protected group": _protected_group,
    "pre-flight": _preflight,
    "identity provider": _identity_provider,
    "mode": _mode,
    "stop": _stop,
    "approval": _approval,
    "brake": _brake,
}
