"""Over every mixture of facts: nothing is written where one rule, one doubt or one word says no."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from config.sources import OPERATOR
from tests.workers.claims import claim_of, order
from tests.workers.fakes import FakeClock, FakeNotes, FakeTarget, account
from tests.workers.records import NOW, SECOND
from workers.deprovision import attempt
from workers.errors import AccountBusy, Braked, LeaseLost, Stopped
from workers.leavers import AccountId, Standing
from workers.targets.base import Access, Account, Way

LENA = account("lena")

#: What a person may say, or the ledger know, at the last moment.
REFUSALS = {
    "held": Stopped("hold"),
    "not approved as it is now": Stopped("unapproved"),
    "cancelled": Stopped("cancel"),
    "taken back by HR": Stopped("rescind"),
    "over the brake": Braked("policy.brake: 10 leavers within 1h have passed"),
    "busy account": AccountBusy(),
    "lost lease": LeaseLost(),
}


@dataclass(frozen=True)
class Facts:
    """All that speaks for or against switching lena's account off."""

    claim: dict[str, Any]
    rules: dict[str, Any]
    operators: tuple[str, ...]
    accounts: tuple[Account, ...]
    refusal: str | None


#: One change each, after which nothing may be written.
AGAINST: dict[str, Callable[[Facts], Facts]] = {
    "protected address": lambda f: rules(f, protected=["LENA@example.com"]),
    "protected pattern": lambda f: rules(f, protected=["bob@example.com", "l*@example.com"]),
    "protected employee": lambda f: rules(f, protected=["employee:7"]),
    "protected account": lambda f: rules(f, protected=["account:id-of-lena"]),
    "foreign domain": lambda f: rules(f, email_domains=["example.org"]),
    "shadow": lambda f: rules(f, mode="shadow"),
    "not yet due": lambda f: claim(f, cutoff=NOW + SECOND),
    "rescinded": lambda f: claim(f, standing=Standing.RESCINDED),
    "rehired": lambda f: claim(f, standing=Standing.REHIRED),
    "another account than before": lambda f: claim(f, account_id=AccountId("id-of-another")),
    "unapproved": lambda f: claim(rules(f, approve="all"), approved=False),
    "entered by hand": lambda f: claim(rules(f, approve="manual"), source=OPERATOR, approved=False),
    "operated by": lambda f: replace(f, operators=(*f.operators, "Lena@example.com")),
    "ambiguous": lambda f: replace(f, accounts=(*f.accounts, account("x", hidden=True))),
    "two accounts": lambda f: replace(
        f, accounts=(*f.accounts, account("y", email="lena@example.com"))
    ),
    "administrator": lambda f: lena(f, administrator=True),
    "no person": lambda f: lena(f, person=False),
    "unknown access": lambda f: lena(f, access=Access.UNKNOWN),
    "off already": lambda f: lena(f, access=Access.OFF),
    "unclear way": lambda f: lena(f, way=Way.UNCLEAR),
    "identity provider": lambda f: lena(f, way=Way.IDP),
} | {word: partial(lambda f, word: replace(f, refusal=word), word=word) for word in REFUSALS}

#: Changes that say nothing against it.
HARMLESS: dict[str, Callable[[Facts], Facts]] = {
    "others are protected": lambda f: rules(f, protected=["bob@example.com", "employee:8"]),
    "approved": lambda f: claim(rules(f, approve="all"), approved=True),
    "our domain": lambda f: rules(f, email_domains=["Example.com"]),
    "another operator": lambda f: replace(f, operators=("it@example.com",)),
    "same account as before": lambda f: claim(f, account_id=LENA.id),
    "not managed": lambda f: lena(f, way=Way.SUSPEND),
}


def rules(facts: Facts, **changed: Any) -> Facts:
    return replace(facts, rules=facts.rules | changed)


def claim(facts: Facts, **changed: Any) -> Facts:
    return replace(facts, claim=facts.claim | changed)


def lena(facts: Facts, **changed: Any) -> Facts:
    others = tuple(each for each in facts.accounts if each.id != LENA.id)
    own = [each for each in facts.accounts if each.id == LENA.id]
    return replace(facts, accounts=(*(replace(each, **changed) for each in own), *others))


def written(facts: Facts) -> list[str]:
    """What one attempt writes."""
    clock, notes = FakeClock(), FakeNotes()
    target = FakeTarget(*facts.accounts, clock=clock)
    if facts.accounts:
        target.show_in_search(*facts.accounts)
    if facts.refusal:
        for call in ("switch_off", "switch_on", "clean_up"):
            notes.refuse(call, REFUSALS[facts.refusal])
    told = order(operators=facts.operators, **facts.rules)
    with suppress(Stopped, Braked, AccountBusy, LeaseLost):
        attempt(claim_of(**facts.claim), target, notes, told, clock)
    return notes.writes


def changed(*names: str) -> Facts:
    facts = Facts({}, {}, (), (LENA,), None)
    for name in names:
        facts = (AGAINST | HARMLESS)[name](facts)
    return facts


@given(
    st.lists(st.sampled_from(sorted(HARMLESS)), unique=True),
    st.lists(st.sampled_from(sorted(AGAINST)), min_size=1, max_size=4, unique=True),
)
def test_one_objection_is_enough_whatever_else_is_true(harmless, against):
    """No mixture of facts talks a rule down."""
    assert written(changed(*harmless, *against)) == []


@pytest.mark.parametrize("name", AGAINST)
def test_each_objection_alone_is_enough(name):
    """Each of them, so that none is only held by another one."""
    assert written(changed(name)) == []


@given(st.lists(st.sampled_from(sorted(HARMLESS)), unique=True))
@example([])
def test_where_nothing_objects_the_account_is_switched_off(harmless):
    """Else the other tests would hold for a worker that never does anything."""
    assert written(changed(*harmless))[0] == "switch_off"
