"""Never the wrong person: the rules that stand before every look and every write."""

import string
import unicodedata
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import ValidationError

from config.settings import Policy
from config.sources import OPERATOR
from tests.workers.claims import claim_of
from tests.workers.fakes import account
from tests.workers.records import NOW, SECOND
from workers.decisions import (
    UNKNOWN,
    Act,
    Decision,
    Facts,
    Find,
    Groups,
    Hold,
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
from workers.policy import RULES, decide, must_be_approved, same_address, weigh
from workers.targets.base import Access, Account, Way

#: What the sources accept as an address, roughly, and what they would not.
LOCAL = (
    string.ascii_letters + string.digits + "!#$%&'*+-/=?^_`{|}~.[]ßéÉ"
    "\u0131\u0130\u017f\u212a\u212b\u03c3\u03c2\u03a3"  # dotless i and its like, signs, sigmas
)
local_parts = st.text(LOCAL, min_size=1, max_size=20)
addresses = st.builds("{}@{}".format, local_parts, st.sampled_from(["example.com", "Example.ORG"]))


def policy(**rules) -> Policy:
    return Policy.model_validate({"timezone": "UTC", **rules})


LENA = account("lena")
HIDDEN = account("hidden", hidden=True)


def facts_of(
    email="lena@example.com", *, employee_id="", cutoff=NOW, operators=(), **known
) -> Facts:
    """What is known of lena's job, all of which lets her account be switched off."""
    learned = {each: known.pop(each) for each in LEARNED if each in known}
    return Facts(
        email=email,
        employee_id=employee_id,
        cutoff=cutoff,
        standing=known.pop("standing", Standing.LEAVING),
        forced=known.pop("forced", False),
        to_approve=known.pop("to_approve", False),
        approved=known.pop("approved", False),
        pinned=known.pop("pinned", None),
        operators=tuple(operators),
        shadow=known.pop("shadow", ""),
        now=NOW,
        **learned,
        policy=policy(**known),
    )


LEARNED = ("stop", "braked", "found", "read", "groups", "ready")


def before_looking(email="lena@example.com", **known):
    """What stands against looking for this leaver."""
    decision = decide(facts_of(email, **known))
    return None if decision == Find() else decision


def before_writing(which, **known) -> Decision:
    """What is decided once all is known of an account, which has the leaver's address."""
    found = (replace(which, email="lena@example.com"),)
    return decide(facts_of(found=found, read=which, ready=which, **known))


# --- When two addresses are one ---


@given(addresses)
def test_an_address_is_itself_in_capitals_and_in_small_letters(address):
    """HR systems and Atlassian disagree about capitals all day."""
    ascii_only = address.encode("ascii", "ignore").decode()

    assert same_address(address, address)
    assert same_address(ascii_only.upper(), ascii_only.lower())


@given(addresses, addresses)
def test_addresses_that_differ_by_more_than_case_are_two(one, other):
    """Whatever the letters: no folding of one letter into another."""
    if same_address(one, other):
        assert len(one) == len(other)
        for mine, theirs in zip(one, other, strict=True):
            assert mine == theirs or {mine, theirs} <= {mine.lower(), mine.upper()}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("lena+hr@example.com", "lena@example.com"),
        ("l.ena@example.com", "lena@example.com"),
        ("lena@example.com", "lena@example.org"),
        ("lena@mail.example.com", "lena@example.com"),
        ("lena@example.com ", "lena@example.com"),
        ("strauß@example.com", "strauss@example.com"),
        ("STRAUẞ@example.com", "strauss@example.com"),
        ("\u0131pek@example.com", "ipek@example.com"),
        ("\u0130pek@example.com", "ipek@example.com"),
        ("\u0131pek@example.com", "Ipek@example.com"),
        ("\uff4cena@example.com", "lena@example.com"),  # full width
        ("mi\N{KELVIN SIGN}e@example.com", "mike@example.com"),
        ("\N{ANGSTROM SIGN}sa@example.com", "åsa@example.com"),
        ("\u017fam@example.com", "sam@example.com"),
        ("lena@example.com", "l\u0435na@example.com"),  # Cyrillic
        (unicodedata.normalize("NFC", "rené@x.org"), unicodedata.normalize("NFD", "rené@x.org")),
        ("", "lena@example.com"),
    ],
)
def test_addresses_that_only_look_alike_are_two(one, other):
    """Each would be somebody else's account."""
    assert not same_address(one, other)
    assert not same_address(other, one)


# --- Before anybody looks ---


def test_nothing_objects_to_an_ordinary_leaver():
    """The rule of all rules: most leavers simply go."""
    assert before_looking() is None


@given(st.timedeltas(timedelta(microseconds=1), timedelta(days=1000)))
def test_nobody_is_looked_for_before_the_cutoff(ahead):
    """Not even to see whether there is an account."""
    assert before_looking(cutoff=NOW + ahead) == Wait(NOW + ahead, "cutoff_ahead")


@given(st.timedeltas(timedelta(days=-1000), timedelta(days=1000)))
def test_nobody_is_looked_for_who_stays_after_all(ahead):
    """A later event of HR said so."""
    for standing in (Standing.RESCINDED, Standing.REHIRED):
        assert before_looking(cutoff=NOW + ahead, standing=standing) == Hold("superseded")


def test_an_operators_force_goes_past_what_hr_said_later_and_past_nothing_else():
    """Who stays after all may have to go all the same; who is protected may not."""
    stays = {"standing": Standing.REHIRED, "forced": True}

    assert before_looking(**stays) is None
    assert before_looking(protected=["lena@example.com"], **stays).reason == "protected"


def test_at_the_cutoff_access_must_be_gone():
    """The cutoff itself is late enough."""
    assert before_looking(cutoff=NOW) is None


@given(addresses)
@example("a?b@example.com")
@example("[ceo]@example.com")
@example("a[!b]c@example.com")
def test_a_protected_address_is_protected_whatever_characters_it_is_made_of(address):
    """Some characters of an address are those of patterns."""
    held = before_looking(address, protected=[address])

    assert isinstance(held, Hold)
    assert held.reason == "protected"


@pytest.mark.parametrize(
    ("pattern", "email", "protected"),
    [
        ("ceo@example.com", "CEO@Example.com", True),
        ("CEO@EXAMPLE.COM", "ceo@example.com", True),
        ("ceo@example.com", "ceo@example.com.evil.org", False),
        ("ceo@example.com", "vice-ceo@example.com", False),
        ("*-svc@example.com", "jira-svc@example.com", True),
        ("*-svc@example.com", "jira-SVC@example.com", True),
        ("*-svc@example.com", "jira-svc2@example.com", False),
        ("*@board.example.com", "anybody@board.example.com", True),
        ("*", "anybody@example.com", True),
        ("a*b*c@example.com", "a-b-b-c@example.com", True),
    ],
)
def test_patterns_protect_whom_they_name_and_nobody_else(pattern, email, protected):
    """A star stands for anything; everything else for itself."""
    held = before_looking(email, protected=[pattern])

    assert (held is not None) is protected


@pytest.mark.parametrize("form", ["NFC", "NFD", "NFKC", "NFKD"])
@pytest.mark.parametrize(
    "email", ["rené@example.com", "Straße@example.com", "\uff4cena@example.com"]
)
def test_an_entry_protects_however_its_letters_are_put_together(form, email):
    """An editor may write one letter as two, and who reads the file sees no difference."""
    entry = unicodedata.normalize(form, email.upper())

    assert before_looking(email, protected=[entry]).reason == "protected"


@pytest.mark.parametrize(
    "entry",
    [
        "ceo@example.com,cfo@example.com",
        "ceo@example.com cfo@example.com",
        "*-svc@example.com;*-bot@example.com",
        "Chief Executive <ceo@example.com>",
        "ceo @example.com",
        "@example.com",
        "@*.example.com",
        "ceo@",
        "ceo@example.com@example.com",
        "mailto:ceo@example.com",
        "employee: 4711",
    ],
)
def test_an_entry_that_can_name_nobody_is_refused(entry):
    """It would be believed to protect somebody."""
    with pytest.raises(ValidationError):
        policy(protected=[entry])


def test_a_hold_shows_which_entry_matched_and_no_address():
    """Details are printed and logged; a pattern is a rule, an address is a person."""
    by_pattern = before_looking("jira-svc@example.com", protected=["*-svc@example.com"])
    by_address = before_looking("lena@example.com", protected=["lena@example.com"])

    assert by_pattern.detail == "entry 1 of policy.protected: *-svc@example.com"
    assert by_address.detail == "entry 1 of policy.protected"


@pytest.mark.parametrize(
    ("entry", "employee_id", "held"),
    [
        ("employee:4711", "4711", True),
        ("employee:E-4711", "e-4711", True),
        ("employee:4711", "47111", False),
        ("employee:4711", "", False),
        ("employee:*", "4711", False),
        ("account:4711", "4711", False),
    ],
)
def test_an_employee_id_protects_before_anybody_looks(entry, employee_id, held):
    """Whatever address HR gives the chief executive tomorrow."""
    found = before_looking(employee_id=employee_id, protected=["ceo@example.com", entry])

    assert (found is not None) is held
    assert not held or found.detail == f"entry 2 of policy.protected: {entry.lower()}"


def test_an_account_is_protected_by_its_id():
    """Whoever it belongs to, and whatever address it has by then."""
    entry = "account:ID-of-Lena"

    held = before_writing(LENA, protected=[entry])

    assert held == Hold("protected", f"entry 1 of policy.protected: {entry.lower()}")
    assert before_writing(account("bob", email="lena@example.com"), protected=[entry]).account


@pytest.mark.parametrize(
    ("email", "held"),
    [
        ("lena@example.com", False),
        ("lena@EXAMPLE.com", False),
        ("lena@sub.example.com", True),
        ("lena@example.com.evil.org", True),
        ("lena@notexample.com", True),
        ("example.com", False),
    ],
)
def test_leavers_of_other_domains_are_held_where_domains_are_listed(email, held):
    """A mapping mistake may fill in private addresses."""
    found = before_looking(email, email_domains=["example.com", "example.net"])

    assert (found is not None) is held
    assert not found or found.reason == "email_domain"


def test_every_domain_is_ours_where_none_is_listed():
    """A small company need not say it twice."""
    assert before_looking("lena@anywhere.org", email_domains=[]) is None


def test_the_account_we_work_with_is_held_by_its_address():
    """Deactivating it would end all deactivating."""
    assert before_looking("Admin@example.com", operators=["admin@example.com"]) == Hold(
        "operated_by"
    )


def test_the_cutoff_comes_before_every_other_rule():
    """Rules may have changed until then; a hold today would be noise."""
    waiting = before_looking(cutoff=NOW + SECOND, protected=["*"], email_domains=["other.org"])

    assert isinstance(waiting, Wait)


# --- Whose account is it? ---


def match(*found, email="lena@example.com", **known) -> Decision:
    return decide(facts_of(email, found=found, **known))


def test_the_one_exact_match_is_the_leavers():
    """In capitals or not."""
    assert match(LENA) == Read(LENA)
    assert match(LENA, email="LENA@example.com") == Read(LENA)


def test_nobody_found_is_nobody():
    """Whether that is the truth, only a credential that works can tell."""
    assert match() == Nobody()


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        ((LENA, account("lena-2", email="lena@example.com")), "ambiguous_match"),
        ((LENA, account("lena-2", email="LENA@example.com")), "ambiguous_match"),
        ((LENA, HIDDEN), "ambiguous_match"),
        ((HIDDEN, account("hidden-2", hidden=True)), "ambiguous_match"),
        ((HIDDEN,), "unclear_account"),
        ((account("bob"),), "email_mismatch"),
        ((account("lena", email="lena+hr@example.com"),), "email_mismatch"),
        ((LENA, account("bob")), "email_mismatch"),
        ((account("bob"), HIDDEN), "email_mismatch"),
    ],
)
def test_what_is_not_one_exact_match_is_for_a_person_to_judge(found, reason):
    """Neither deactivated nor ignored: the search found something for this address."""
    held = match(*found)

    assert isinstance(held, Hold)
    assert held.reason == reason
    assert "@" not in held.detail


def test_another_account_than_at_the_first_attempt_is_held():
    """The address was given to somebody new."""
    held = match(LENA, pinned=account("somebody"))

    assert held.reason == "account_changed"
    assert match(LENA, pinned=LENA) == Read(LENA)


def test_the_account_of_the_first_attempt_is_read_by_its_id_where_the_search_has_lost_it():
    """Some systems do not show inactive accounts in a search."""
    off = account("lena", access=Access.OFF)

    assert match(pinned=LENA) == Read(LENA)
    assert match(pinned=LENA, read=off) == OffAlready(off)
    assert match(pinned=LENA, read=LENA).reason == "account_gone"
    assert match(pinned=LENA, read=None).reason == "account_gone"


found_accounts = st.lists(
    st.builds(
        lambda number, email: replace(account(f"a{number}"), email=email),
        st.integers(0, 3),
        st.sampled_from(
            ["lena@example.com", "LENA@example.com", "bob@example.com", "lena+x@example.com"]
        )
        | st.none(),
    ),
    max_size=4,
).map(tuple)


@given(found_accounts, st.none() | st.sampled_from([account("a0"), account("a1")]))
def test_only_one_exact_match_alone_is_ever_read(found, pinned):
    """Over all that a search may answer."""
    matched = match(*found, pinned=pinned)

    if not isinstance(matched, Read):
        assert found or matched == Nobody()
    elif found:
        assert found == (matched.account,)
        assert same_address(matched.account.email, "lena@example.com")
        assert pinned is None or pinned.id == matched.account.id
    else:
        assert matched.account == pinned


@pytest.mark.parametrize(
    ("which", "theirs"),
    [
        (LENA, True),
        (account(email="LENA@example.com"), True),
        (account(hidden=True), True),  # the search has shown the address
        (account(email="lena.new@example.com"), False),
    ],
)
def test_an_account_that_was_renamed_since_is_not_the_leavers(which, theirs):
    """The search may be behind: its address may be somebody else's by now."""
    decision = match(LENA, read=which)

    assert decision == (
        Preflight(which)
        if theirs
        else Hold("email_mismatch", "the account has another address by now")
    )


# --- May it be written to? ---

accounts = st.builds(
    account,
    access=st.sampled_from(Access),
    way=st.sampled_from(Way),
    person=st.booleans(),
    administrator=st.booleans(),
    hidden=st.booleans(),
)


@given(accounts, st.lists(st.sampled_from(["lena@example.com", "admin@example.com"])))
def test_an_account_is_written_to_only_if_nothing_at_all_objects(which, operators):
    """One doubt is enough."""
    which = replace(which, email=which.email and "lm@example.com", username="lena@example.com")
    found = (replace(which, email="lm@example.com"),)

    decision = decide(
        facts_of("lm@example.com", operators=operators, found=found, read=which, ready=which)
    )

    clear = which.person and not which.administrator and "lena@example.com" not in operators
    clear = clear and which.access is Access.ACTIVE
    clear = clear and which.way in (Way.DEACTIVATE, Way.SUSPEND)
    assert (decision == Act(which)) is clear


@pytest.mark.parametrize(
    ("which", "reason"),
    [
        (account(person=False), "not_a_person"),
        (account(person=False, access=Access.OFF), "not_a_person"),
        (account(administrator=True), "administrator"),
        (account(access=Access.UNKNOWN), "unclear_account"),
        (account(way=Way.UNCLEAR), "unclear_account"),
    ],
)
def test_each_objection_has_its_own_reason(which, reason):
    """The operator reads what to do from it."""
    assert before_writing(which).reason == reason


def test_what_the_preflight_learns_is_judged_by_every_rule_again():
    """The search does not always tell roles."""
    administrator = replace(LENA, administrator=True)

    decision = decide(facts_of(found=(LENA,), read=LENA, ready=administrator))

    assert decision == Hold("administrator")


def test_the_account_we_work_with_is_held_by_its_username():
    """On a server of one's own the login may have no e-mail address at all."""
    login = replace(account("admin"), email=None, username="Leaver-Admin")

    assert before_writing(login, operators=["leaver-admin"]) == Hold("operated_by")


@pytest.mark.parametrize(
    ("entry", "groups", "held"),
    [
        ("group:board", ("jira-users", "Board"), True),
        ("group:BOARD", ("board",), True),
        ("group:exec-*", ("exec-it",), True),
        ("group:board", (), False),
        ("group:board", ("board-games", "the board"), False),
        ("board@example.com", ("board@example.com",), False),
        ("account:board", ("board",), False),
    ],
)
def test_a_group_protects_who_is_in_it(entry, groups, held):
    """Whoever joins the board tomorrow needs no entry of their own."""
    decision = before_writing(LENA, protected=["ceo@example.com", entry], groups=groups)

    assert (decision == Hold("protected", f"entry 2 of policy.protected: {entry.lower()}")) is held
    assert held or decision == Act(LENA)


def test_groups_are_asked_for_only_where_an_entry_names_one():
    """It is one call more, for everybody."""
    assert before_writing(LENA, protected=["ceo@example.com"]) == Act(LENA)
    assert before_writing(LENA, protected=["group:board"]) == Groups(LENA)


def test_an_account_of_an_identity_provider_is_watched():
    """Atlassian refuses it, and the provider would switch it on again."""
    synced = account(way=Way.IDP)

    assert before_writing(synced) == Watch(synced)


def test_in_shadow_mode_everything_is_decided_but_the_write():
    """It is what a new installation runs for weeks."""
    assert before_writing(LENA, shadow="policy.mode") == WouldAct(LENA)


# --- What a person or the brake says ---


@pytest.mark.parametrize("stop", ["hold", "cancel", "rehire", "rescind"])
def test_what_somebody_stops_is_not_acted_on(stop):
    """However far the facts are known."""
    assert before_writing(LENA, stop=stop) == Stop(stop)


def test_whom_the_brake_holds_is_not_acted_on():
    """In the words of the brake itself."""
    full = "policy.brake: 10 leavers within 1h have passed"

    assert before_writing(LENA, braked=full) == Hold("brake", full)


# --- What takes a second person ---


@pytest.mark.parametrize(
    ("approve", "about", "wanted"),
    [
        ("none", {"source": OPERATOR, "forced": True}, False),
        ("manual", {}, False),
        ("manual", {"source": OPERATOR}, True),
        ("manual", {"forced": True}, True),
        ("manual", {"action": Action.REINSTATE, "forced": True}, True),
        ("all", {}, True),
        ("all", {"action": Action.REINSTATE}, True),
        ("all", {"action": Action.LOOKUP}, False),  # it writes nothing
    ],
)
def test_policy_approve_says_what_takes_a_second_person(approve, about, wanted):
    """By hand is what no HR system said, or what goes on against its word."""
    assert must_be_approved(policy(approve=approve), claim_of(**about)) is wanted


def test_what_nobody_has_approved_is_held_and_says_by_which_setting():
    """A second person must know why they are asked."""
    decision = before_writing(LENA, to_approve=True, approve="all")

    assert decision == Hold("approval_missing", "policy.approve is all")


# --- Every mixture of facts ---

KNOWN = {
    "standing": st.sampled_from(Standing),
    "forced": st.booleans(),
    "cutoff": st.sampled_from([NOW - SECOND, NOW, NOW + SECOND]),
    "employee_id": st.sampled_from(["", "7"]),
    "pinned": st.none() | st.sampled_from([LENA, account("bob")]),
    "operators": st.sampled_from([(), ("bob@example.com",), ("LENA@example.com",)]),
    "to_approve": st.booleans(),
    "approved": st.booleans(),
    "shadow": st.sampled_from(["", "policy.mode"]),
    "stop": st.sampled_from(["", "hold", "cancel"]),
    "braked": st.sampled_from(["", "policy.brake: full"]),
    "protected": st.lists(
        st.sampled_from(
            [
                *("l*@example.com", "bob@example.com", "employee:7", "account:id-of-lena"),
                *("group:board", "group:exec-*"),
            ]
        ),
        unique=True,
    ),
    "email_domains": st.sampled_from([[], ["example.com"], ["example.org"]]),
    "found": st.just(UNKNOWN)
    | st.lists(st.sampled_from([LENA, HIDDEN, account("bob")])).map(tuple),
    "read": st.just(UNKNOWN) | st.none() | accounts,
    "groups": st.just(UNKNOWN)
    | st.lists(st.sampled_from(["Board", "exec-it", "jira-users"])).map(tuple),
    "ready": st.just(UNKNOWN) | accounts,
}

#: The facts of which each alone lets an account be switched off; every other value forbids it.
FAVOURABLE = {
    "cutoff": lambda at: at <= NOW,
    "operators": lambda names: "LENA@example.com" not in names,
    "shadow": lambda setting: not setting,
    "stop": lambda stop: not stop,
    "braked": lambda full: not full,
    "email_domains": lambda domains: "example.org" not in domains,
    "pinned": lambda pinned: pinned in (None, LENA),
    "found": lambda found: found == (LENA,),
    "ready": lambda ready: (
        isinstance(ready, Account)
        and ready.person
        and not ready.administrator
        and ready.access is Access.ACTIVE
        and ready.way in (Way.DEACTIVATE, Way.SUSPEND)
    ),
}


#: The entries that name groups, each with the one of those groups that it names.
IN_GROUPS = {"group:board": "Board", "group:exec-*": "exec-it"}

any_facts: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(KNOWN)


def decided(known) -> tuple[Decision, tuple[Asked, ...]]:
    return weigh(facts_of(**known))


def favourable(known) -> bool:
    leaving = known["standing"] is Standing.LEAVING or known["forced"]
    protected = {"l*@example.com", "account:id-of-lena"}
    protected |= {"employee:7"} if known["employee_id"] else set()
    named = {name for entry, name in IN_GROUPS.items() if entry in known["protected"]}
    groups = known["groups"]
    unprotected = not named if groups is UNKNOWN else named.isdisjoint(groups)
    return (
        unprotected
        and leaving
        and (known["approved"] or not known["to_approve"])
        and not protected & set(known["protected"])
        and known["read"] not in (UNKNOWN, None)
        and all(fits(known[name]) for name, fits in FAVOURABLE.items())
    )


CLEAR = {
    "standing": Standing.LEAVING,
    "forced": False,
    "to_approve": True,
    "approved": True,
    "cutoff": NOW,
    "employee_id": "7",
    "pinned": None,
    "operators": (),
    "shadow": "",
    "stop": "",
    "braked": "",
    "protected": [],
    "email_domains": [],
    "found": (LENA,),
    "read": LENA,
    "groups": UNKNOWN,
    "ready": LENA,
}


@pytest.mark.parametrize("name", KNOWN)
@given(st.data())
def test_an_act_is_decided_only_where_every_fact_allows_it(name, data):
    """No decision to act exists for a protected, held, cancelled, not yet due, ambiguous, braked,
    superseded, unapproved or shadow job: each fact in all its values, beside any mixture of the
    others."""
    mixed = data.draw(any_facts)
    alone = CLEAR | {name: mixed[name]}

    for known in (mixed, alone):
        assert isinstance(decided(known)[0], Act) is favourable(known)


def test_where_every_fact_allows_it_the_account_is_switched_off():
    """Else the other tests would hold for a policy that never acts."""
    assert decided(CLEAR)[0] == Act(LENA)


# --- What was asked ---


@given(any_facts)
def test_the_last_rule_that_was_asked_decides_and_no_other(known):
    """It is what an explanation shows."""
    decision, asked = decided(known)

    deciding = [each for each in asked if each.decides]
    ends = not isinstance(decision, Find | Read | Groups | Preflight | Act)
    assert deciding == ([asked[-1]] if ends else [])
    assert all(each.answer for each in asked)


@given(any_facts)
def test_no_answer_of_a_rule_shows_an_address(known):
    """Explanations are kept for a while; a pattern is a rule, an address is a person."""
    _, asked = decided(known)

    shown = [each.answer.replace("l*@example.com", "") for each in asked]
    assert not any("@" in answer for answer in shown)


def test_every_rule_is_asked_before_an_act():
    """One that is not asked guards nobody."""
    _, asked = decided(CLEAR)

    assert [each.rule for each in asked] == list(RULES)
