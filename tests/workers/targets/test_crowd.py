"""The target crowd does the right thing to the right user, against the faked Crowd."""

from dataclasses import replace

import pytest
from atlassian import Crowd as PublishedClient

from config.secret import Secret
from config.targets import Crowd as Settings
from tests.workers.targets.books import Book
from tests.workers.targets.conformance import Conformance, Stage
from tests.workers.targets.leaving import Leaving
from tests.workers.targets.scripted import ScriptedServer, answer
from workers.deprovision import Done
from workers.errors import LockedOut, Refused, Unavailable
from workers.leavers import AccountId, Outcome
from workers.limits import Unlimited
from workers.sandbox import people
from workers.sandbox.crowd import users
from workers.targets import build
from workers.targets.base import Access, Account, Way
from workers.targets.crowd import account_of


def make(base_url, password=users.PASSWORD):
    settings = Settings(
        kind="crowd",
        base_url=base_url,
        application=users.APPLICATION,
        password=Secret(password),
    )
    return build("crowd", settings, Unlimited())


@pytest.fixture
def crowd(control):
    """The operator of the faked Crowd."""
    crowd = control.of("/crowd")
    yield crowd
    crowd.close()


@pytest.fixture
def url(crowd):
    return f"{crowd.base_url}/crowd"


@pytest.fixture
def target(url):
    return make(url)


class TestCrowd(Conformance):
    """The promises of every target."""

    @pytest.fixture
    def stage(self, crowd, url):
        return Stage(
            target=make(url),
            active=users.LENA.email,
            inactive=users.INACTIVE.email,
            twins=users.TWIN.email,
            nobody=people.NOBODY,
            key=users.PASSWORD,
            control=crowd,
            with_wrong_key=make(url, "wrong-test-password"),
            at=make,
        )


def found(target, user):
    """The account of a user of the sandbox, as the search shows it."""
    (account,) = target.find(Book(), user.email)
    assert account.id == user.username
    return account


LENA = Account(
    id=AccountId("lvogt"),
    email=users.LENA.email,
    access=Access.ACTIVE,
    way=Way.DEACTIVATE,
    username="lvogt",
)
SHOWN = {"name": "lvogt", "email": users.LENA.email, "active": True}


# Finding ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "user", [users.TOM, users.NAMED_BY_EMAIL, users.TAGGED, users.QUOTED, users.READ_ONLY]
)
def test_a_user_is_found_by_any_address(target, user):
    """With capitals in the name, a tag or quotes in the address, in another directory."""
    assert found(target, user).email == user.email


def test_a_star_in_an_address_stands_for_itself(target):
    """In a search it matches anything."""
    assert target.find(Book(), "*@example.com") == ()


def test_a_name_in_two_directories_is_the_user_of_the_first(target):
    """The other one is hidden by Crowd, whatever its address."""
    assert found(target, users.SHADOWING).username == "sam"
    assert target.find(Book(), users.SHADOWED.email) == ()


def test_a_search_that_shows_its_most_is_not_believed(target, crowd):
    """The leaver may be the one who is left out."""
    crowd.call("POST", "/crowd/people", [{"email": f"x{n}@many.example"} for n in range(100)])

    with pytest.raises(Refused) as refused:
        target.find(Book(), "*@many.example")

    assert refused.value.reason == "ambiguous_match"


def test_names_without_addresses_are_nobodys(target):
    """A Crowd that does not expand shows who has the address, but not that it has it."""
    with ScriptedServer(answer(200, {"users": [{"name": "lvogt"}]})) as server:
        (account,) = make(server.base_url).find(Book(), users.LENA.email)

    assert (account.email, account.access) == (None, Access.UNKNOWN)


@pytest.mark.parametrize("body", [{}, [], "nobody", {"users": None}, {"users": {}}])
def test_an_answer_without_its_list_is_not_nobody(body):
    """Only an empty list says that there is nobody."""
    with ScriptedServer(answer(200, body)) as server, pytest.raises(Unavailable):
        make(server.base_url).find(Book(), people.NOBODY)


def test_an_answer_in_xml_is_not_nobody(target, crowd):
    """Crowd's own format, should something in between drop what we accept."""
    crowd.always("xml")

    with pytest.raises(Unavailable):
        target.find(Book(), people.NOBODY)


@pytest.mark.parametrize("user", [{}, None, [], {"email": "a@example.com"}, {"name": 7}])
def test_a_user_without_a_name_is_unclear(user):
    """It can neither be written to nor read back."""
    with pytest.raises(Refused) as refused:
        account_of("user.search", user)

    assert refused.value.reason == "unclear_account"


@pytest.mark.parametrize("active", ["false", "true", None, 0, 1])
def test_only_a_boolean_says_whether_a_user_is_active(active):
    """Nothing else may pass for off."""
    assert account_of("user.get", {**SHOWN, "active": active}).access is Access.UNKNOWN


# Reading ------------------------------------------------------------------------------------------


def test_an_answer_about_somebody_else_is_not_believed():
    """It would prove the wrong user off."""
    other = answer(200, {**SHOWN, "name": "other", "active": False})
    with ScriptedServer(other) as server, pytest.raises(Refused) as refused:
        make(server.base_url).read(Book(), LENA)

    assert refused.value.reason == "unclear_account"


@pytest.mark.parametrize("fault", ["page_404", "USER_NOT_FOUND"])
def test_only_crowds_own_word_makes_a_user_absent(target, crowd, fault):
    """A wrong address is answered 404 too."""
    crowd.always(fault, "crowd.user.get")

    if fault == "USER_NOT_FOUND":
        assert target.read(Book(), LENA) is None
        return
    with pytest.raises(LockedOut) as error:
        target.read(Book(), LENA)
    assert error.value.reason == "misconfigured"


# Switching off ------------------------------------------------------------------------------------


def test_nothing_but_the_activity_changes(target, crowd):
    """Crowd blanks what a write leaves out."""
    before = crowd.really(users.TOM)

    target.switch_off(Book(), found(target, users.TOM))

    assert crowd.really(users.TOM) == before | {"active": False}


def test_what_newer_versions_show_is_sent_back_too():
    """Links, attributes and the password are resources of their own, and stay out."""
    user = {**SHOWN, "created-date": 5, "expand": "attributes", "link": {}, "password": {}}
    with ScriptedServer(answer(200, {**user, "attributes": {}}), answer(204)) as server:
        make(server.base_url).switch_off(Book(), LENA)

    body = server.requests[1].rpartition(b"\r\n")[2]
    assert server.requests[1].startswith(b"PUT /rest/usermanagement/1/user?username=lvogt ")
    assert body == (
        b'{"name": "lvogt", "email": "lena.vogt@example.com", "active": false, "created-date": 5}'
    )


def test_a_name_that_came_to_somebody_else_is_not_written_to(target, crowd):
    """Just before the write the address must still be the leaver's."""
    account = found(target, users.LENA)
    crowd.change(users.LENA, email="somebody.else@example.com")

    with pytest.raises(Refused) as refused:
        target.switch_off(Book(), account)

    assert refused.value.reason == "email_mismatch"
    assert crowd.really(users.LENA)["active"]


def test_a_user_who_vanishes_before_the_write_is_held(target):
    """Nothing is written under a name that nobody has."""
    book = Book()

    with pytest.raises(Refused) as refused:
        target.switch_off(book, replace(LENA, id=AccountId("gone"), username="gone"))

    assert refused.value.reason == "account_gone"
    assert book.names == ["user.get"]


def test_a_directory_that_may_not_be_changed_holds_the_job(target, crowd):
    """An application has its permissions for each directory: others go on."""
    with pytest.raises(Refused, match="APPLICATION_PERMISSION_DENIED") as refused:
        Leaving(target, users.READ_ONLY.email).attempt()

    assert refused.value.reason == "read_only_directory"
    assert crowd.really(users.READ_ONLY)["active"]


def test_who_was_not_active_is_not_switched_on(target, crowd):
    """A reinstatement gives back what was there, and no more."""
    with pytest.raises(Refused):
        target.switch_on(Book(), found(target, users.INACTIVE), {"active": False})

    assert not crowd.really(users.INACTIVE)["active"]


def test_a_published_client_sees_what_the_target_did(target, url):
    """Written by others: the fake speaks Crowd to it, and shows it the user as inactive."""
    client = PublishedClient(
        url=url, username=users.APPLICATION, password=users.PASSWORD, api_version="1"
    )
    before = client.user("lvogt")

    target.switch_off(Book(), found(target, users.LENA))

    assert client.user("lvogt") == {**before, "active": False}


# Cleaning up --------------------------------------------------------------------------------------


def test_the_sessions_of_the_leaver_are_ended(target, crowd):
    """An open browser would still be in."""
    assert Leaving(target, users.TOM.email).attempt() == Done(Outcome.DEACTIVATED)
    assert crowd.really(users.TOM)["sessions"] == []


def test_sessions_that_cannot_be_ended_are_told(target, crowd):
    """An old Crowd has no call for it; the user is off all the same."""
    crowd.set(ends_sessions=False)

    result = Leaving(target, users.TOM.email).attempt()

    assert result.outcome is Outcome.DEACTIVATED
    assert result.detail.startswith("sessions could not be ended: 405")


# The credential -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("setting", "says"), [("sees_users", "shows 0 users"), ("emails", "no e-mail address")]
)
def test_an_application_that_would_find_nobody_is_no_proof(target, crowd, setting, says):
    """Its password is right all the same."""
    crowd.set(**{setting: False})

    with pytest.raises(LockedOut, match=says) as error:
        Leaving(target, people.NOBODY).attempt()

    assert error.value.reason == "misconfigured"


def test_a_search_by_address_that_finds_nobody_is_no_proof():
    """It must find somebody whom Crowd shows."""
    shows, finds = answer(200, {"users": [SHOWN]}), answer(200, {"users": []})
    with ScriptedServer(shows, finds) as server, pytest.raises(LockedOut, match="does not find"):
        make(server.base_url).prove_credential(Book())


def test_a_caller_whom_crowd_does_not_let_in_learns_where_to_say_so(target, crowd):
    """The password is right, and everybody's job would fail."""
    crowd.set(knows_address=False)

    with pytest.raises(LockedOut, match="remote addresses") as error:
        Leaving(target, users.LENA.email).attempt()

    assert error.value.reason == "misconfigured"
