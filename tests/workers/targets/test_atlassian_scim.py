"""The target atlassian-scim does the right thing to the right user, against the faked directory."""

import pytest

from config.secret import Secret
from config.targets import AtlassianScim as Settings
from tests.workers.targets.books import Book
from tests.workers.targets.conformance import Conformance, Stage
from tests.workers.targets.leaving import Leaving
from tests.workers.targets.scripted import ScriptedServer, answer
from workers.deprovision import Done, Held
from workers.errors import LockedOut, Refused, Unavailable
from workers.leavers import AccountId, Outcome
from workers.limits import Unlimited
from workers.sandbox import people
from workers.sandbox.scim import users
from workers.targets import build
from workers.targets.atlassian_scim import account_of
from workers.targets.base import Access, Account, Way

GONE = Account(AccountId("gone"), None, Access.UNKNOWN, Way.DEACTIVATE)


def make(base_url, *, key=users.KEY, directory_id=users.DIRECTORY_ID):
    settings = Settings(
        kind="atlassian-scim", base_url=base_url, directory_id=directory_id, api_key=Secret(key)
    )
    return build("directory", settings, Unlimited())


@pytest.fixture
def scim(control):
    """The operator of the faked directory."""
    scim = control.of("/scim")
    yield scim
    scim.close()


@pytest.fixture
def target(scim):
    return make(scim.base_url)


class TestAtlassianScim(Conformance):
    """The promises of every target."""

    @pytest.fixture
    def stage(self, scim, target):
        return Stage(
            target=target,
            active=users.LENA.email,
            inactive=users.INACTIVE.email,
            twins=users.TWIN.email,
            nobody=people.NOBODY,
            key=users.KEY,
            control=scim,
            with_wrong_key=make(scim.base_url, key="wrong-test-key"),
            at=make,
        )


def found(target, user, book=None):
    (account,) = target.find(book or Book(), user.email)
    assert account.id == user.account_id
    return account


def page(*shown, total=None):
    return answer(200, {"totalResults": len(shown) if total is None else total, "Resources": shown})


@pytest.mark.parametrize("user", [users.LENA, users.TOM, users.CAPITALS, users.QUOTED])
def test_a_user_is_found_by_the_address(target, user):
    """Whatever the userName is, and whatever has to be quoted."""
    account = found(target, user)

    assert account.email == user.email
    assert account.access is Access.ACTIVE


def test_a_server_that_minds_the_case_of_names_hides_nobody(target, scim):
    """The address decides in the end, and it is compared here."""
    scim.set(search_ignores_case=False)

    assert target.find(Book(), users.LENA.email.title())[0].id == users.LENA.account_id


def test_somebody_beyond_the_first_page_is_found(target, scim):
    """Who is named otherwise is only in the whole list."""
    scim.set(most_listed=3)
    book = Book()

    found(target, users.TOM, book)

    assert book.names.count("users.list") > 1


def test_who_is_found_by_name_is_found_in_one_call(target):
    """The usual case in a directory that may have thousands."""
    book = Book()

    found(target, users.LENA, book)

    assert book.names == ["users.search"]


@pytest.mark.parametrize("email", [users.RENAMED.user_name, users.ALIAS.other_emails[0]])
def test_an_address_that_is_not_the_primary_one_is_held(target, email):
    """It is somebody's, but whose, a person must say."""
    result = Leaving(target, email).attempt()

    assert isinstance(result, Held)
    assert result.reason == "email_mismatch"


def test_pages_that_do_not_show_everybody_prove_nothing():
    """The one who is missing may be the leaver."""
    user = {"id": "a", "userName": "a", "active": True}
    with (
        ScriptedServer(page(), page(user, total=2), page(total=2)) as server,
        pytest.raises(Unavailable, match="1 of 2"),
    ):
        make(server.base_url).find(Book(), people.NOBODY)


def test_pages_that_repeat_a_user_prove_nothing():
    """The directory changed between two pages."""
    user = {"id": "a", "userName": "a", "active": True}
    with (
        ScriptedServer(page(), page(user, total=2)) as server,
        pytest.raises(Unavailable, match="1 of 2"),
    ):
        make(server.base_url).find(Book(), people.NOBODY)


def test_a_server_that_ignores_the_filter_changes_nothing():
    """Then the answer is everybody."""
    other = {"id": "a", "userName": "other@example.com", "active": True}
    with ScriptedServer(page(other)) as server:
        assert make(server.base_url).find(Book(), people.NOBODY) == ()


def test_an_empty_directory_proves_nothing():
    """Every leaver would end as somebody without an account."""
    with ScriptedServer(page()) as server, pytest.raises(LockedOut, match="directory_id") as error:
        make(server.base_url).prove_credential(Book())

    assert error.value.reason == "misconfigured"


def test_a_wrong_directory_makes_nobody_gone(scim):
    """It is answered as a missing user is."""
    target = make(scim.base_url, directory_id="another")

    with pytest.raises(LockedOut) as error:
        target.read(Book(), GONE)

    assert error.value.reason == "misconfigured"


@pytest.mark.parametrize("call", ["list", "patch"])
def test_403_is_about_the_key(target, scim, call):
    """Also when the call is about one user: nobody else's would go better."""
    account = found(target, users.LENA)
    scim.fault("forbidden", f"scim.users.{call}")

    question = {
        "list": lambda: target.find(Book(), people.NOBODY),
        "patch": lambda: target.switch_off(Book(), account),
    }
    with pytest.raises(LockedOut) as error:
        question[call]()

    assert error.value.reason == "credential_refused"


def test_a_refused_patch_is_held(target, scim):
    """Trying again does not help."""
    scim.always("uniqueness", "scim.users.patch")

    with pytest.raises(Refused) as error:
        target.switch_off(Book(), found(target, users.LENA))

    assert error.value.reason == "refused"


def test_only_the_activity_is_written(target, scim):
    """A PATCH, never a PUT or a DELETE; everything else about the user stays."""
    before = scim.really(users.TOM)

    result = Leaving(target, users.TOM.email).attempt()

    assert isinstance(result, Done)
    assert result.outcome is Outcome.DEACTIVATED
    assert scim.really(users.TOM) == before | {"active": False}
    assert [call["method"] for call in scim.writes()] == ["PATCH"]


def test_who_was_not_active_is_not_activated(target):
    """A reinstatement gives back what was taken, no more."""
    account = found(target, users.INACTIVE)

    with pytest.raises(Refused, match="not active before"):
        target.switch_on(Book(), account, account.snapshot)


@pytest.mark.parametrize("active", ["false", "False", 0, None])
def test_only_a_boolean_says_whether_a_user_is_active(active):
    """Nothing is off because a field is missing or a text."""
    assert account_of("a.call", {"id": "a", "active": active}).access is Access.UNKNOWN


@pytest.mark.parametrize(
    ("emails", "address"),
    [
        (
            [{"value": "a@example.com", "primary": True}, {"value": "b@example.com"}],
            "a@example.com",
        ),
        ([{"value": "a@example.com"}], "a@example.com"),
        ([{"value": "a@example.com"}, {"value": "b@example.com"}], None),
        ([{"value": "a@example.com", "primary": True}] * 2, None),
        ([{"value": 7, "primary": True}], None),
        ([], None),
        (None, None),
    ],
)
def test_the_primary_address_is_the_one_that_counts(emails, address):
    """Where it is unclear, the address counts as hidden."""
    assert account_of("a.call", {"id": "a", "emails": emails}).email == address


def test_another_user_in_the_answer_is_refused():
    """Whatever stands in between may mix up answers."""
    with (
        ScriptedServer(answer(200, {"id": "somebody-else", "active": False})) as server,
        pytest.raises(Refused) as error,
    ):
        make(server.base_url).read(Book(), GONE)

    assert error.value.reason == "unclear_account"
