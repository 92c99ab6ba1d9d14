"""Never the wrong person: the rules that stand before every look and every write."""

import string
import unicodedata
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from config.settings import Policy
from tests.workers.fakes import account
from tests.workers.records import NOW, SECOND
from workers import policy as rules
from workers.leavers import AccountId
from workers.policy import Hold, Wait
from workers.targets.base import Access, Way

#: What the sources accept as an address, roughly, and what they would not.
LOCAL = (
    string.ascii_letters + string.digits + "!#$%&'*+-/=?^_`{|}~.[]ßéÉ"
    "\u0131\u0130\u017f\u212a\u212b\u03c3\u03c2\u03a3"  # dotless i and its like, signs, sigmas
)
local_parts = st.text(LOCAL, min_size=1, max_size=20)
addresses = st.builds("{}@{}".format, local_parts, st.sampled_from(["example.com", "Example.ORG"]))


def policy(**rules) -> Policy:
    return Policy.model_validate({"timezone": "UTC", **rules})


def before_looking(
    email="lena@example.com", *, cutoff=NOW, leaving=True, operators=(), employee_id="", **settings
):
    return rules.before_looking(
        email=email,
        employee_id=employee_id,
        cutoff=cutoff,
        leaving=leaving,
        policy=policy(**settings),
        operators=operators,
        now=NOW,
    )


# --- When two addresses are one ---


@given(addresses)
def test_an_address_is_itself_in_capitals_and_in_small_letters(address):
    """HR systems and Atlassian disagree about capitals all day."""
    ascii_only = address.encode("ascii", "ignore").decode()

    assert rules.same_address(address, address)
    assert rules.same_address(ascii_only.upper(), ascii_only.lower())


@given(addresses, addresses)
def test_addresses_that_differ_by_more_than_case_are_two(one, other):
    """Whatever the letters: no folding of one letter into another."""
    if rules.same_address(one, other):
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
    assert not rules.same_address(one, other)
    assert not rules.same_address(other, one)


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
    """A later event of HR said so; only an operator's force goes past it."""
    assert before_looking(cutoff=NOW + ahead, leaving=False) == Hold("superseded")


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
    rule = policy(protected=["account:ID-of-Lena"])

    held = rules.before_writing(account("lena"), policy=rule, operators=())

    assert held == Hold("protected", "entry 1 of policy.protected: account:id-of-lena")
    assert rules.before_writing(account("bob"), policy=rule, operators=()) is None


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

LENA = account("lena")
HIDDEN = account("hidden", hidden=True)


def match(*found, pinned=None, email="lena@example.com"):
    return rules.match(found, email=email, pinned=pinned)


def test_the_one_exact_match_is_the_leavers():
    """In capitals or not."""
    assert match(LENA) == LENA
    assert match(LENA, email="LENA@example.com") == LENA


def test_nobody_found_is_nobody():
    """What that means is not decided here."""
    assert match() is None


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
    held = match(LENA, pinned=AccountId("somebody"))

    assert held.reason == "account_changed"
    assert match(LENA, pinned=LENA.id) == LENA


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
)


@given(found_accounts, st.none() | st.sampled_from(["id-of-a0", "id-of-a1"]))
def test_only_one_exact_match_alone_is_ever_acted_on(found, pinned):
    """Over all that a search may answer."""
    matched = match(*found, pinned=pinned)

    if isinstance(matched, Hold) or matched is None:
        assert matched is not None or not found
        return
    assert found == [matched]
    assert rules.same_address(matched.email, "lena@example.com")
    assert pinned in (None, matched.id)


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
    objection = rules.before_writing(which, policy=policy(), operators=operators)

    clear = which.person and not which.administrator
    clear = clear and which.access is not Access.UNKNOWN and which.way is not Way.UNCLEAR
    clear = clear and which.email not in operators
    assert (objection is None) is clear


@pytest.mark.parametrize(
    ("which", "reason"),
    [
        (account(person=False), "not_a_person"),
        (account(administrator=True), "administrator"),
        (account(access=Access.UNKNOWN), "unclear_account"),
        (account(way=Way.UNCLEAR), "unclear_account"),
    ],
)
def test_each_objection_has_its_own_reason(which, reason):
    """The operator reads what to do from it."""
    held = rules.before_writing(which, policy=policy(), operators=())

    assert held.reason == reason


def test_the_account_we_work_with_is_held_by_what_the_target_says():
    """Whatever address HR has for that person."""
    held = rules.before_writing(account("admin"), policy=policy(), operators=["Admin@example.com"])

    assert held.reason == "operated_by"


def test_the_account_we_work_with_is_held_by_its_username():
    """On a server of one's own the login may have no e-mail address at all."""
    login = replace(account("admin"), email=None, username="Leaver-Admin")

    assert (
        rules.before_writing(login, policy=policy(), operators=["leaver-admin"]).reason
        == "operated_by"
    )


@pytest.mark.parametrize(
    ("which", "theirs"),
    [
        (account(), True),
        (account(email="LENA@example.com"), True),
        (account(hidden=True), True),  # the search has shown the address
        (account(email="lena.new@example.com"), False),
    ],
)
def test_an_account_that_was_renamed_since_is_not_the_leavers(which, theirs):
    """The search may be behind: its address may be somebody else's by now."""
    held = rules.after_reading(which, email="lena@example.com")

    assert (held is None) is theirs
