"""The target atlassian-org does the right thing to the right account, against the sandbox."""

from dataclasses import replace

import pytest

from tests.workers.targets.books import Book
from tests.workers.targets.conformance import Conformance, Stage
from tests.workers.targets.leaving import Leaving, Returning
from tests.workers.targets.scripted import ScriptedServer, answer
from workers.deprovision import Done, Held
from workers.errors import LeaseLost, LockedOut, Refused, Unavailable
from workers.leavers import AccountId, Outcome
from workers.sandbox import people
from workers.sandbox.atlassian.org import API_KEY, ORG_ID
from workers.targets.base import Access, Account, Way


class TestAtlassianOrg(Conformance):
    """The promises of every target, with an account that the organization manages or does not."""

    @pytest.fixture(params=[people.TOM, people.UNMANAGED], ids=["managed", "unmanaged"])
    def stage(self, request, control, target, make_target):
        return Stage(
            target=target,
            active=request.param.email,
            inactive=people.INACTIVE.email,
            twins=people.TWIN.email,
            nobody=people.NOBODY,
            key=API_KEY,
            control=control,
            with_wrong_key=make_target(control.base_url, key="wrong-test-key"),
            at=make_target,
        )


def found(target, person, book=None):
    """The account of a person of the sandbox, as the search shows it."""
    (account,) = target.find(book or Book(), person.email)
    assert account.id == person.account_id
    return account


def ready(target, person):
    return target.preflight(Book(), found(target, person))


def reads(target, account):
    return target.read(Book(), account).access


# Finding -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("person", "access", "way"),
    [
        (people.LENA, Access.ACTIVE, Way.DEACTIVATE),
        (people.AMIRA, Access.ACTIVE, Way.DEACTIVATE),
        (people.JONAS, Access.ACTIVE, Way.DEACTIVATE),
        (people.NOT_INVITED, Access.ACTIVE, Way.DEACTIVATE),
        (people.SUSPENDED, Access.ACTIVE, Way.DEACTIVATE),
        (people.INACTIVE, Access.OFF, Way.DEACTIVATE),
        (people.FOR_DELETION, Access.OFF, Way.DEACTIVATE),
        (people.CLOSED, Access.OFF, Way.DEACTIVATE),
        (people.UNMANAGED, Access.ACTIVE, Way.SUSPEND),
        (people.SYNCED, Access.ACTIVE, Way.IDP),
    ],
)
def test_the_state_of_an_account_is_understood(target, person, access, way):
    """A managed account that is merely suspended or not invited can still log in elsewhere."""
    account = found(target, person)

    assert (account.access, account.way) == (access, way)
    assert reads(target, account) is access


def test_two_accounts_of_one_address_are_both_shown(target):
    """The caller holds the job; a target that took the first would hit the wrong person."""
    twins = target.find(Book(), people.TWIN.email)

    assert {twin.id for twin in twins} == {people.TWIN.account_id, people.OTHER_TWIN.account_id}


def test_the_search_may_mind_upper_case(control, target):
    """Atlassian does not say; "nobody" because of a capital would leave the account open."""
    control.set(search_ignores_case=False)

    (account,) = target.find(Book(), people.LENA.email.title())

    assert account.id == people.LENA.account_id


def test_administrators_are_seen_at_once(target):
    """They are held, not suspended by surprise."""
    assert found(target, people.ADMINISTRATOR).administrator
    assert not found(target, people.LENA).administrator


def test_an_app_is_no_person(target):
    """Neither by what the search says nor by what its profile says."""
    account = target.read(Book(), replace(found(target, people.LENA), id=people.APP.account_id))

    assert not account.person


def test_a_field_that_is_missing_is_never_good_news(target, control):
    """Every field of a user is optional: the job is held, not done."""
    control.change(people.RETICENT, withheld=["accountStatus", "status", "claimStatus"])

    account = found(target, people.RETICENT)

    assert (account.access, account.way) == (Access.UNKNOWN, Way.UNCLEAR)


def test_a_hidden_address_stays_unknown(target):
    """The caller cannot compare it, and holds the job."""
    assert found(target, people.RETICENT).email is None


def page(*users, following=None):
    return answer(200, {"data": list(users), "links": {"next": following} if following else {}})


def user(number=1, **fields):
    """A managed active user as the organization API shows it, with other fields if given."""
    usual = {
        "accountId": f"712020:{number}",
        "accountType": "atlassian",
        "accountStatus": "active",
        "membershipStatus": "active",
        "status": "active",
        "claimStatus": "managed",
        "managementSource": "invited",
        "email": "lena@example.com",
        "platformRoles": [],
    }
    return {name: value for name, value in {**usual, **fields}.items() if value is not None}


def find(make_target, *answers):
    """What the search makes of these answers, and the requests it took."""
    with ScriptedServer(*answers) as server:
        accounts = make_target(server.base_url).find(Book(), "lena@example.com")
    return accounts, server.requests


def test_all_pages_of_a_search_count(make_target):
    """The second of two accounts may be on the second page."""
    accounts, requests = find(make_target, page(user(1), following="c1"), page(user(2)))

    assert [account.id for account in accounts] == ["712020:1", "712020:2"]
    assert b'"cursor": "c1"' in requests[1]
    assert b'"emails": ["lena@example.com"]' in requests[1]


def test_pages_without_end_are_no_answer(make_target):
    """A cursor that never ends must not keep a worker for ever."""
    with pytest.raises(Unavailable, match="pages"):
        find(make_target, page(following="again"))


@pytest.mark.parametrize(
    "body", [{}, {"data": None}, {"data": {}}, [], "nobody", {"errors": []}, {"links": {}}]
)
def test_an_answer_without_its_list_is_not_nobody(make_target, body):
    """Only an empty list says that there is nobody."""
    with pytest.raises(Unavailable):
        find(make_target, answer(200, body))


def test_an_account_that_is_listed_twice_is_one(make_target):
    """It may be in several directories."""
    accounts, _ = find(make_target, page(user(1), user(1, addedToOrg="2024-01-01")))

    assert len(accounts) == 1


def test_an_account_with_two_faces_is_unclear(make_target):
    """Which of them is true, a person must see."""
    (account,), _ = find(make_target, page(user(1), user(1, claimStatus="unmanaged")))

    assert (account.access, account.way) == (Access.UNKNOWN, Way.UNCLEAR)


@pytest.mark.parametrize("odd_id", [None, "", 7, "../x", "a b", "x" * 129, "é", "a\nb"])
def test_an_account_without_a_proper_id_is_unclear(make_target, odd_id):
    """It can neither be written to nor read back."""
    with pytest.raises(Refused) as refused:
        find(make_target, page(user(accountId=odd_id)))

    assert refused.value.reason == "unclear_account"


# Pre-flight ---------------------------------------------------------------------------------------


def test_a_managed_account_may_be_deactivated(target):
    """The usual case."""
    assert ready(target, people.LENA).way is Way.DEACTIVATE


@pytest.mark.parametrize("person", [people.SYNCED, people.GOOGLE_SYNCED])
def test_an_account_of_an_identity_provider_is_left_to_it(target, person):
    """Whatever the search said of its source: the pre-flight has the reason."""
    account = replace(found(target, person), way=Way.DEACTIVATE)

    assert target.preflight(Book(), account).way is Way.IDP


def test_a_refusal_that_names_an_external_directory_means_the_same(control, target):
    """It may come as an error instead of an answer."""
    account = found(target, people.LENA)
    control.fault("forbidden.action/externalDirectory.scim", "manage.get")

    assert target.preflight(Book(), account).way is Way.IDP


def test_a_synced_account_that_we_may_deactivate_is_deactivated(control, target):
    """What Atlassian allows now counts, not how the account came into the directory."""
    with_source = replace(found(target, people.LENA), way=Way.IDP)

    assert target.preflight(Book(), with_source).way is Way.DEACTIVATE


def test_another_restriction_is_a_persons_business(control, target):
    """The operator gets Atlassian's own word for it."""
    control.change(people.LENA, restrictions={"lifecycle.enablement": "blocked.exportControl"})

    with pytest.raises(Refused, match=r"blocked\.exportControl") as refused:
        ready(target, people.LENA)

    assert refused.value.reason == "refused"


@pytest.mark.parametrize("body", [{}, {"lifecycle.enablement": True}, [], {"other": 1}])
def test_no_word_on_the_privilege_is_no_permission(make_target, body):
    """Only `allowed: true` is."""
    account = Account(AccountId("712020:1"), None, Access.ACTIVE, Way.DEACTIVATE)
    with ScriptedServer(answer(200, body)) as server, pytest.raises(Refused) as refused:
        make_target(server.base_url).preflight(Book(), account)

    assert refused.value.reason == "unclear_account"


def test_an_account_that_is_not_ours_is_refused(target):
    """The search called it managed, user management does not."""
    account = replace(found(target, people.UNMANAGED), way=Way.DEACTIVATE)

    with pytest.raises(Refused) as refused:
        target.preflight(Book(), account)

    assert refused.value.reason == "refused"


def test_roles_that_the_search_did_not_tell_are_asked_for(control, target):
    """Else an administrator would pass for anybody."""
    control.change(people.ADMINISTRATOR, withheld=["platformRoles"])
    account = found(target, people.ADMINISTRATOR)
    assert not account.administrator

    account = target.preflight(Book(), account)

    assert account.administrator
    assert account.snapshot["platformRoles"] == ["atlassian/org-admin"]


def test_known_roles_are_not_asked_for_again(target):
    """One call less for every leaver."""
    book = Book()
    target.preflight(book, found(target, people.LENA))

    assert book.names == ["manage.get"]


@pytest.mark.parametrize(
    "assignment",
    [
        {"roles": ["atlassian/org-admin"]},
        {"roleAssignments": [{"role": "atlassian/site-admin"}]},
        {"roles": None, "roleAssignments": [{"role": 1}, None, {"role": "atlassian/org-admin"}]},
    ],
)
def test_roles_are_read_in_the_old_and_the_new_form(make_target, assignment):
    """One of the two will go away."""
    account = Account(AccountId("712020:1"), None, Access.ACTIVE, Way.DEACTIVATE)
    allowed = answer(200, {"lifecycle.enablement": {"allowed": True}})
    with ScriptedServer(allowed, page({}, assignment)) as server:
        assert make_target(server.base_url).preflight(Book(), account).administrator


def test_the_directories_are_kept_as_the_state_before(target):
    """A reinstatement needs to know them."""
    account = ready(target, people.UNMANAGED)

    assert len(account.snapshot["directories"]) == 2


def test_a_directory_where_somebody_else_suspended_the_account_is_not_restored(control, target):
    """A reinstatement gives back what Leaver took, and nothing that was gone before."""
    control.change(people.UNMANAGED, directories={"primary": "suspended", "secondary": "active"})
    account = ready(target, people.UNMANAGED)
    target.switch_off(Book(), account)

    target.switch_on(Book(), account, account.snapshot)

    really = control.really(people.UNMANAGED)["directories"]
    assert really == {"primary": "suspended", "secondary": "active"}


def test_without_a_directory_where_it_was_active_nothing_is_restored(control, target):
    """A person decides what the account may do."""
    control.change(people.UNMANAGED, directories={"primary": "suspended", "secondary": "suspended"})
    account = ready(target, people.UNMANAGED)

    with pytest.raises(Refused, match="no directory"):
        target.switch_on(Book(), account, account.snapshot)

    assert control.writes() == []


def test_only_what_leaver_suspended_is_given_back(control, target):
    """The other directory was closed to the person before, for a reason that still holds."""
    before = {"primary": "suspended", "secondary": "active"}
    control.change(people.UNMANAGED, directories=before)
    job = Leaving(target, people.UNMANAGED.email)
    job.attempt()

    assert Returning(job).attempt() == Done(Outcome.REINSTATED)
    assert control.really(people.UNMANAGED)["directories"] == before


def test_what_an_identity_provider_manages_by_now_only_that_may_enable(control, target):
    """Switched on here, its next sync would switch it off again."""
    job = Leaving(target, people.TOM.email)
    job.attempt()
    control.change(people.TOM, source="synced")
    back = Returning(job)

    assert back.attempt() == Held("idp_enables")
    assert not back.notes.wrote


# Reading ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("person", [people.LENA, people.UNMANAGED])
def test_an_address_that_changed_since_the_search_shows(control, target, person):
    """The account may be somebody else's by now, as far as the address says."""
    account = found(target, person)
    control.change(person, email="renamed@example.com")

    assert target.read(Book(), account).email == "renamed@example.com"


@pytest.mark.parametrize("way", [Way.DEACTIVATE, Way.SUSPEND])
def test_an_address_that_is_not_shown_stays_as_it_was_found(make_target, way):
    """Every field is optional."""
    account = Account(AccountId("712020:1"), "lena@example.com", Access.ACTIVE, way)
    profile = {"account_id": account.id, "account_status": "active"}
    both = answer(200, {"account": profile, "data": {"accountId": account.id}})
    with ScriptedServer(both) as server:
        assert make_target(server.base_url).read(Book(), account).email == account.email


def test_reading_never_goes_through_the_search(control, target):
    """The search may be behind for long."""
    account = found(target, people.LENA)
    control.always("empty_list", "users.search")

    assert reads(target, account) is Access.ACTIVE


@pytest.mark.parametrize("way", [Way.DEACTIVATE, Way.SUSPEND])
@pytest.mark.parametrize("code", ["ADMIN-404-1", "ADMIN-404-2", "ADMIN-UAM-404-2", "unknown"])
def test_another_404_is_no_absence(make_target, way, code):
    """A wrong organization must not make an account gone."""
    account = Account(AccountId("712020:1"), None, Access.ACTIVE, way)
    lost = answer(404, {"errors": [{"code": code}]})
    with ScriptedServer(lost) as server, pytest.raises(LockedOut) as error:
        make_target(server.base_url).read(Book(), account)

    assert error.value.reason == "misconfigured"


@pytest.mark.parametrize("way", [Way.DEACTIVATE, Way.SUSPEND])
def test_an_answer_about_somebody_else_is_not_believed(make_target, way):
    """It would prove the wrong account off."""
    other = answer(
        200,
        {
            "account": {"account_id": "712020:2", "account_status": "inactive"},
            "data": user(2, accountStatus="inactive", status="deactivated"),
        },
    )
    account = Account(AccountId("712020:1"), None, Access.ACTIVE, way)
    with ScriptedServer(other) as server, pytest.raises(Refused) as refused:
        make_target(server.base_url).read(Book(), account)

    assert refused.value.reason == "unclear_account"


@pytest.mark.parametrize("status", [None, "", "blocked", 1, ["inactive"], "Inactive"])
def test_a_profile_that_does_not_say_inactive_proves_nothing(make_target, status):
    """Only Atlassian's own words count."""
    profile = {"account": {"account_id": "712020:1", "account_status": status}}
    account = Account(AccountId("712020:1"), None, Access.ACTIVE, Way.DEACTIVATE)
    with ScriptedServer(answer(200, profile)) as server:
        read = make_target(server.base_url).read(Book(), account)

    assert read.access is Access.UNKNOWN


def test_an_account_of_which_only_the_id_is_known_can_be_read(target):
    """A retry whose search finds nobody has no more than the pinned id."""
    for person in (people.LENA, people.UNMANAGED):
        pinned = Account(AccountId(person.account_id), None, Access.UNKNOWN, Way.UNCLEAR)

        assert reads(target, pinned) is Access.ACTIVE


# Switching off ------------------------------------------------------------------------------------


def test_a_managed_account_is_deactivated(control, target):
    """It is the account itself that goes."""
    target.switch_off(Book(), ready(target, people.LENA))

    assert control.really(people.LENA)["account_status"] == "inactive"
    assert [write["path"] for write in control.writes()] == [
        f"/users/{people.LENA.account_id}/manage/lifecycle/disable"
    ]


def test_the_person_is_not_told_why(make_target):
    """Atlassian may show the text at the next login."""
    account = Account(AccountId("712020:1"), None, Access.ACTIVE, Way.DEACTIVATE)
    with ScriptedServer(answer(204)) as server:
        make_target(server.base_url).switch_off(Book(), account)

    assert server.requests[0].endswith(b'{"message": "Deactivated by your organization"}')


def test_an_unmanaged_account_is_suspended_in_each_directory(control, target):
    """In one alone it would still be in."""
    target.switch_off(Book(), ready(target, people.UNMANAGED))

    really = control.really(people.UNMANAGED)
    assert really["directories"] == {"primary": "suspended", "secondary": "suspended"}
    assert really["account_status"] == "active"
    assert not any("/directories/-/" in write["path"] for write in control.writes())


def test_a_suspend_in_one_of_two_directories_does_not_read_as_off(control, target):
    """The first write may have been the last that happened."""
    account = ready(target, people.UNMANAGED)
    control.change(people.UNMANAGED, directories={"primary": "suspended", "secondary": "active"})

    assert reads(target, account) is Access.ACTIVE


@pytest.mark.parametrize("again", [204, 409])
def test_a_second_suspend_is_no_error(control, target, again):
    """After an unknown outcome it happens; Atlassian does not say what it answers."""
    control.set(suspend_again=again)
    account = ready(target, people.UNMANAGED)

    target.switch_off(Book(), account)
    target.switch_off(Book(), account)

    assert reads(target, account) is Access.OFF


def test_without_directories_of_its_own_all_directories_are_tried(control, target):
    """That filter may show nothing; where the person is not, there is nothing to suspend."""
    control.change(people.UNMANAGED, directories={"primary": "active"})
    account = ready(target, people.UNMANAGED)
    control.fault("empty_list", "directories.list")

    target.switch_off(Book(), account)

    assert reads(target, account) is Access.OFF


def test_an_organization_without_directories_cannot_suspend(control, target):
    """Nothing would be written, and nobody would see it."""
    account = found(target, people.UNMANAGED)
    control.always("empty_list", "directories.list")

    with pytest.raises(Refused, match="no directory"):
        target.preflight(Book(), account)


@pytest.mark.parametrize("odd_id", [None, "", "-", "../x", 7])
def test_a_directory_without_a_proper_id_is_no_answer(make_target, odd_id):
    """`-` would mean every directory, which a suspend does not document."""
    account = Account(AccountId("712020:1"), None, Access.ACTIVE, Way.SUSPEND)
    listed = answer(200, {"data": [{"directoryId": "d1"}, {"directoryId": odd_id}]})
    with ScriptedServer(listed) as server, pytest.raises(Unavailable):
        make_target(server.base_url).switch_off(Book(), account)

    assert all(request.startswith(b"GET ") for request in server.requests)


def test_an_administrator_is_not_suspended(control, target):
    """Atlassian refuses it; the operator reads why."""
    control.change(people.UNMANAGED, roles=["atlassian/org-admin"])

    with pytest.raises(Refused) as refused:
        target.switch_off(Book(), found(target, people.UNMANAGED))

    assert refused.value.reason == "administrator"


def test_a_lifecycle_conflict_is_held_with_its_codes(target):
    """The leaver owns something that must be handed over."""
    with pytest.raises(Refused, match=r"sandbox\.ownsSite") as refused:
        target.switch_off(Book(), ready(target, people.CONFLICTING))

    assert refused.value.reason == "lifecycle_conflict"


def test_a_write_that_was_lost_does_not_read_as_off(control, target):
    """Success without doing it: only the read-back notices."""
    account = ready(target, people.LENA)
    control.fault("lost_write", "lifecycle.disable")

    target.switch_off(Book(), account)

    assert reads(target, account) is Access.ACTIVE


def test_a_write_that_happened_without_an_answer_reads_as_off(control, target):
    """So the next attempt has nothing to write."""
    account = ready(target, people.LENA)
    control.fault("dropped", "lifecycle.disable", after_effect=True)

    with pytest.raises(Unavailable):
        target.switch_off(Book(), account)

    assert reads(target, account) is Access.OFF


@pytest.mark.parametrize("way", [Way.IDP, Way.UNCLEAR])
def test_without_a_way_nothing_is_written(control, target, way):
    """It would be a mistake of the procedure, and must not become one in the target."""
    with pytest.raises(Refused):
        target.switch_off(Book(), replace(found(target, people.LENA), way=way))

    assert control.writes() == []


# Cleaning up --------------------------------------------------------------------------------------


def test_api_tokens_are_removed(control, target):
    """They may outlive the account."""
    assert target.clean_up(Book(), found(target, people.TOM)) == ""

    assert control.really(people.TOM)["tokens"] == []


def test_tokens_that_the_plan_protects_are_named(target):
    """A sentence for the record; the account is off all the same."""
    left = target.clean_up(Book(), found(target, people.TOKENS_LOCKED))

    assert left == "API tokens could not be listed: 403 forbidden.action: managedAccount"


def test_one_token_that_cannot_be_removed_does_not_save_the_others(control, target):
    """As much as can be removed is removed."""
    control.fault("forbidden", "tokens.delete")

    left = target.clean_up(Book(), found(target, people.TOM))

    assert left == "API tokens that could not be removed: 1 (403 forbidden)"
    assert len(control.really(people.TOM)["tokens"]) == 1


def test_a_storm_ends_the_cleaning_up(control, target):
    """The rest of the tokens would only make it worse."""
    control.always("429", "tokens.delete")

    left = target.clean_up(Book(), found(target, people.TOM))

    assert left.startswith("API tokens that could not be removed: 2 (429")
    assert len(control.writes()) == 1


def test_a_token_that_is_gone_already_is_no_trouble(control, target):
    """An earlier attempt removed it."""
    control.fault("notFound", "tokens.delete")

    assert target.clean_up(Book(), found(target, people.TOM)) == ""


def test_cleaning_up_needs_leave_as_well(control, target):
    """It writes, so a worker without its job may not."""
    account = found(target, people.TOM)

    with pytest.raises(LeaseLost):
        target.clean_up(Book(LeaseLost()), account)

    assert control.writes() == []


def test_an_account_that_lives_on_elsewhere_keeps_its_tokens(control, target):
    """They are not the company's to remove."""
    book = Book()

    assert target.clean_up(book, found(target, people.UNMANAGED)) == ""
    assert book.calls == []


# The credential -----------------------------------------------------------------------------------


def test_another_organization_is_no_proof(control, make_target):
    """Its users would all be "not found"."""
    with pytest.raises(LockedOut) as error:
        make_target(control.base_url, org_id="another-org").prove_credential(Book())

    assert error.value.reason == "misconfigured"


@pytest.mark.parametrize("body", [{}, {"data": []}, {"data": {"id": "other"}}, [ORG_ID]])
def test_only_the_organization_itself_proves_the_credential(make_target, body):
    """A list that is empty for a key with scopes does not."""
    with ScriptedServer(answer(200, body)) as server, pytest.raises(LockedOut):
        make_target(server.base_url).prove_credential(Book())


def test_a_search_in_another_organization_finds_no_nobody(control, make_target):
    """404 there is about us, never about the leaver."""
    with pytest.raises(LockedOut) as error:
        make_target(control.base_url, org_id="another-org").find(Book(), people.NOBODY)

    assert error.value.reason == "misconfigured"
