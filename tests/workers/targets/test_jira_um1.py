"""The target jira-um1 does what the old script did, and believes only what it reads."""

import pytest

from config.secret import Secret
from config.targets import JiraUm1 as Settings
from tests.workers.targets.books import Book
from tests.workers.targets.conformance import Conformance, Stage
from tests.workers.targets.leaving import Leaving
from tests.workers.targets.scripted import ScriptedServer, answer
from workers.deprovision import Done, NotVerified
from workers.errors import LockedOut, Refused, Unavailable
from workers.leavers import AccountId, Outcome
from workers.limits import Unlimited
from workers.sandbox import people
from workers.sandbox.jira_dc import users
from workers.targets import build
from workers.targets.base import Access, Account, Way
from workers.targets.jira_um1 import account_of

LOGIN = answer(200, {"session": {"name": "JSESSIONID", "value": "test-cookie"}})
TOM = Account(AccountId("tberg"), users.TOM.email, Access.ACTIVE, Way.DEACTIVATE, "tberg")


def make(base_url, username="it-admin", password=users.PASSWORD):
    settings = Settings(
        kind="jira-um1", base_url=base_url, username=username, password=Secret(password)
    )
    return build("old-jira", settings, Unlimited())


@pytest.fixture
def jira(control):
    """The operator of the faked Jira."""
    jira = control.of("/jira-um1")
    yield jira
    jira.close()


@pytest.fixture
def url(jira):
    return f"{jira.base_url}/jira-um1"


@pytest.fixture
def target(url):
    return make(url)


class TestJiraUm1(Conformance):
    """The promises of every target."""

    @pytest.fixture
    def stage(self, jira, url):
        return Stage(
            target=make(url),
            active=users.TOM.email,
            inactive=users.INACTIVE.email,
            twins="",
            nobody=people.NOBODY,
            key=users.PASSWORD,
            control=jira,
            with_wrong_key=make(url, password="wrong-test-password"),
            at=make,
            tells_groups=False,
        )


def test_the_calls_are_those_of_the_script(target):
    """Log in, find, read, deactivate, read back, and, which the script forgot, log out."""
    job = Leaving(target, users.TOM.email)

    assert job.attempt() == Done(Outcome.DEACTIVATED)
    assert job.notes.names == [
        "session.open",
        "user.get",
        "user.get",
        "user.deactivate",
        "user.get",
        "session.close",
    ]


def test_the_session_is_closed_at_the_end(target, jira):
    """Also when something went wrong in between."""
    jira.fault("500", "jira-um1.user.get")

    with pytest.raises(Unavailable):
        Leaving(target, users.TOM.email).attempt()

    assert jira.really(users.OPERATOR)["sessions"] == []


def test_addresses_and_names_are_encoded():
    """A + in an address is no space, and an & begins no other parameter."""
    account = Account(AccountId("a&b c"), None, Access.ACTIVE, Way.DEACTIVATE)
    nobody = answer(404, {"message": "nobody"})
    with (
        ScriptedServer(LOGIN, nobody, answer(204)) as server,
        make(server.base_url).session(Book()) as target,
    ):
        target.find(Book(), "a+b&c@example.com")
        target.switch_off(Book(), account)

    lines = [request.split(b" HTTP")[0] for request in server.requests[1:3]]
    assert lines == [
        b"GET /admin/rest/um/1/user?email=a%2Bb%26c%40example.com",
        b"POST /admin/rest/um/1/user/deactivate?username=a%26b+c",
    ]


def test_an_answer_about_another_user_is_never_taken():
    """It would prove the wrong user off, or ours absent."""
    other = answer(200, {"name": "other", "email": users.TOM.email, "active": False})
    with (
        ScriptedServer(LOGIN, other) as server,
        make(server.base_url).session(Book()) as target,
        pytest.raises(Refused) as refused,
    ):
        target.read(Book(), TOM)

    assert refused.value.reason == "account_changed"


def test_a_user_is_not_gone_while_nobody_is_ever_found():
    """A 404 with a text is also what a wrong address, or a proxy, says; it holds no leaver."""
    shown = answer(200, [{"name": "tberg", "email": users.TOM.email, "active": True}])
    nowhere = answer(404, {"message": "null for uri", "status-code": 404})
    with (
        ScriptedServer(LOGIN, nowhere, shown, nowhere) as server,
        make(server.base_url).session(Book()) as target,
        pytest.raises(LockedOut) as error,
    ):
        target.read(Book(), TOM)

    assert error.value.reason == "misconfigured"


def test_a_user_is_not_read_without_an_address(target):
    """The API has no other way; a person looks."""
    with target.session(Book()) as within, pytest.raises(Refused) as refused:
        within.read(
            Book(), Account(AccountId("tberg"), None, Access.UNKNOWN, Way.DEACTIVATE, "tberg")
        )

    assert refused.value.reason == "account_gone"


@pytest.mark.parametrize("active", ["false", "true", None, 0, 1])
def test_only_a_boolean_says_whether_a_user_is_active(active):
    """Nothing else may pass for off."""
    assert account_of("user.get", {"name": "tberg", "active": active}).access is Access.UNKNOWN


def test_a_success_without_effect_is_never_done(target, jira):
    """A directory that Jira only reads: the old script reported it as deactivated."""
    result = Leaving(target, users.READ_ONLY.email).attempt(verify="1s")

    assert isinstance(result, NotVerified)
    assert jira.really(users.READ_ONLY)["active"]


def test_who_was_not_active_is_not_switched_on(target):
    """A reinstatement gives back what was there, and no more."""
    with target.session(Book()) as within, pytest.raises(Refused):
        within.switch_on(Book(), TOM, {"active": False})


@pytest.mark.parametrize("captcha", ["captcha_after", "throttles_logins"])
def test_a_login_that_is_not_looked_at_is_told_from_a_wrong_one(target, jira, captcha):
    """Another password would not help."""
    jira.set(**{captcha: True if captcha == "throttles_logins" else 0})

    with pytest.raises(LockedOut) as error:
        Leaving(target, users.TOM.email).attempt()

    assert error.value.reason == "login_denied"


def test_a_login_that_may_not_see_users_is_no_proof(url):
    """It is right all the same."""
    with pytest.raises(LockedOut) as error:
        Leaving(make(url, "weak"), people.NOBODY).attempt()

    assert error.value.reason == "misconfigured"


@pytest.mark.parametrize("listed", [[], [{"name": "robot", "email": "", "active": True}]])
def test_a_list_without_an_address_is_no_proof(listed):
    """Nobody could be found by address."""
    with (
        ScriptedServer(LOGIN, answer(200, listed)) as server,
        make(server.base_url).session(Book()) as target,
        pytest.raises(LockedOut) as error,
    ):
        target.prove_credential(Book())

    assert error.value.reason == "misconfigured"


def test_nobody_is_not_believed_where_nobody_is_ever_found():
    """A 404 may be a wrong address: the same resource must find somebody who exists."""
    shown = answer(200, [{"name": "tberg", "email": users.TOM.email, "active": True}])
    nowhere = answer(404, {"message": "null for uri", "status-code": 404})
    answers = (LOGIN, nowhere, shown, nowhere)
    with ScriptedServer(*answers) as server, pytest.raises(LockedOut) as error:
        Leaving(make(server.base_url), people.NOBODY).attempt()

    assert error.value.reason == "misconfigured"
