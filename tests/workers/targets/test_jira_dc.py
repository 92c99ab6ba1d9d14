"""The target jira-dc does the right thing to the right user, against the faked Jira."""

import pytest

from config.secret import Secret
from config.targets import JiraDC as Settings
from tests.workers.targets.books import Book
from tests.workers.targets.conformance import Conformance, Promises, Stage
from tests.workers.targets.leaving import Leaving
from tests.workers.targets.scripted import ScriptedServer, answer
from workers.deprovision import Done, Held
from workers.errors import LockedOut, Refused, Unavailable
from workers.leavers import AccountId, Outcome
from workers.limits import Unlimited
from workers.sandbox import people
from workers.sandbox.jira_dc import users
from workers.targets import build
from workers.targets.base import Access, Account, Way
from workers.targets.jira_dc import account_of

CREDENTIALS = {
    "token": {"token": Secret(users.TOKEN)},
    "basic": {"username": "it-admin", "password": Secret(users.PASSWORD)},
    "session": {"username": "it-admin", "password": Secret(users.PASSWORD)},
}
WRONG = {
    "token": {"token": Secret("wrong-test-token")},
    "basic": {"username": "it-admin", "password": Secret("wrong-test-password")},
    "session": {"username": "it-admin", "password": Secret("wrong-test-password")},
}


def make(base_url, auth="token", **credential):
    """A target jira-dc; with a credential of its own if given."""
    chosen = credential or CREDENTIALS[auth]
    settings = Settings(kind="jira-dc", base_url=base_url, auth=auth, **chosen)
    return build("jira", settings, Unlimited())


@pytest.fixture
def jira(control):
    """The operator of the faked Jira."""
    jira = control.of("/jira-dc")
    yield jira
    jira.close()


@pytest.fixture
def url(jira):
    return f"{jira.base_url}/jira-dc"


@pytest.fixture
def target(url):
    return make(url)


class OnJira:
    """The stage, with one way to show who we are."""

    auth = "token"

    @pytest.fixture
    def stage(self, jira, url):
        return Stage(
            target=make(url, self.auth),
            active=users.TOM.email,
            inactive=users.INACTIVE.email,
            twins=users.TWIN.email,
            nobody=people.NOBODY,
            key=users.TOKEN if self.auth == "token" else users.PASSWORD,
            control=jira,
            with_wrong_key=make(url, self.auth, **WRONG[self.auth]),
            at=lambda base_url: make(base_url, self.auth),
        )


class TestJiraDC(OnJira, Conformance):
    """The promises of every target, with a token."""


class TestWithPassword(OnJira, Promises):
    """The same with username and password; its calls are those with a token."""

    auth = "basic"


class TestWithSession(OnJira, Conformance):
    """The same with the cookie of a session."""

    auth = "session"


def found(target, user):
    """The account of a user of the sandbox, as the search shows it."""
    (account,) = target.find(Book(), user.email)
    assert account.id == user.account_id
    return account


def account(user, **changes):
    """What a target knows of a user."""
    facts = {"id": AccountId(user.account_id), "email": user.email, "username": user.username}
    return Account(**{**facts, "access": Access.ACTIVE, "way": Way.DEACTIVATE, **changes})


# Finding ------------------------------------------------------------------------------------------


def test_only_the_whole_address_is_the_leavers(target):
    """The search also shows a longer address, a shorter one, and a username that is the address."""
    assert found(target, users.LENA).username == "lvogt"


@pytest.mark.parametrize("user", [users.TOM, users.CAPITALS, users.NAMED_BY_EMAIL])
def test_a_user_is_found_whatever_it_is_called(target, user):
    """Renamed since, written with capitals, named by the address."""
    assert found(target, user).email == user.email


def test_an_inactive_user_beside_an_active_one_is_not_overlooked(target):
    """Which of them is the leaver, a person must say."""
    accounts = target.find(Book(), users.HALF_GONE.email)

    assert {each.id: each.access for each in accounts} == {
        users.HALF_GONE.account_id: Access.OFF,
        users.STILL_THERE.account_id: Access.ACTIVE,
    }


def test_a_search_that_shows_its_most_is_not_believed(target, jira):
    """The leaver may be the one who is left out, and Jira does not say that anybody is."""
    crowd = [{"email": f"x{n}.nobody@example.com", "name": f"n{n}"} for n in range(99)]
    jira.call("POST", "/jira-dc/people", [*crowd, {"email": "y.nobody@example.com"}])

    with pytest.raises(Refused) as refused:
        target.find(Book(), people.NOBODY)

    assert refused.value.reason == "ambiguous_match"


@pytest.mark.parametrize("emails", ["masked", "hidden"])
def test_a_hidden_address_is_nobodys_and_nobody_is_absent(target, jira, emails):
    """With addresses hidden a search by address finds nobody, and says nothing."""
    jira.set(emails=emails)
    (by_username,) = target.find(Book(), users.NAMED_BY_EMAIL.email)

    assert by_username.email is None
    for email in (users.TOM.email, people.NOBODY):
        with pytest.raises(LockedOut, match="shows no e-mail address") as error:
            Leaving(target, email).attempt()
        assert error.value.reason == "misconfigured"


@pytest.mark.parametrize("body", [{}, None, "nobody", {"users": []}, {"errorMessages": []}])
def test_an_answer_without_its_list_is_not_nobody(body):
    """Only an empty list says that there is nobody."""
    with ScriptedServer(answer(200, body)) as server, pytest.raises(Unavailable):
        make(server.base_url).find(Book(), people.NOBODY)


@pytest.mark.parametrize("user", [{}, None, [], {"name": "lvogt"}, {"key": ""}, {"key": 7}])
def test_a_user_without_a_key_is_unclear(user):
    """It can neither be written to nor read back."""
    with pytest.raises(Refused) as refused:
        account_of("user.search", user)

    assert refused.value.reason == "unclear_account"


@pytest.mark.parametrize(
    ("active", "deleted", "access"),
    [
        (True, False, Access.ACTIVE),
        (False, False, Access.OFF),
        (False, True, Access.OFF),
        (True, True, Access.UNKNOWN),
        ("false", False, Access.UNKNOWN),
        ("true", False, Access.UNKNOWN),
        (None, False, Access.UNKNOWN),
        (0, False, Access.UNKNOWN),
        (1, False, Access.UNKNOWN),
        (False, "no", Access.UNKNOWN),
    ],
)
def test_only_a_boolean_says_whether_a_user_is_active(active, deleted, access):
    """Nothing else may pass for off."""
    user = {"key": "JIRAUSER1", "active": active, "deleted": deleted}

    assert account_of("user.get", user).access is access


def test_an_old_jira_does_not_say_who_is_deleted():
    """The field came later than `active`."""
    assert account_of("user.get", {"key": "k", "active": False}).access is Access.OFF


def test_the_state_before_holds_no_name_and_no_address(target):
    """It is kept for long; the key and the state are enough to reinstate."""
    assert found(target, users.LENA).snapshot == {
        "key": users.LENA.account_id,
        "active": True,
        "deleted": False,
    }


# Reading ------------------------------------------------------------------------------------------


def test_a_user_is_read_by_key(target, jira):
    """The username may have changed since, and may be somebody else's by now."""
    before = found(target, users.LENA)
    jira.change(users.LENA, name="lena.married", active=False)
    jira.add("new@example.com", name="lvogt")

    seen = target.read(Book(), before)

    assert (seen.id, seen.username, seen.access) == (before.id, "lena.married", Access.OFF)


def test_a_deleted_user_is_off(target):
    """Its directory lost it; Jira keeps it for its history."""
    assert target.read(Book(), account(users.DELETED)).access is Access.OFF


def test_an_answer_about_somebody_else_is_not_believed():
    """It would prove the wrong user off."""
    other = answer(200, {"key": "JIRAUSER2", "name": "other", "active": False})
    with ScriptedServer(other) as server, pytest.raises(Refused) as refused:
        make(server.base_url).read(Book(), account(users.LENA))

    assert refused.value.reason == "unclear_account"


@pytest.mark.parametrize(
    "body",
    [
        {"message": f"null for uri: https://jira/user?key={users.LENA.account_id}"},
        {"errorMessages": ["Either 'username' or 'key' need to be provided"]},
        {"errorMessages": []},
        {"errorMessages": [None, 7]},
        {"errorMessages": users.LENA.account_id},
        b"<html>JIRAUSER10100 not found</html>",
        None,
    ],
)
def test_a_404_that_does_not_name_the_user_proves_nothing(body):
    """A wrong address, or a proxy that drops the query, must not make anybody gone."""
    with ScriptedServer(answer(404, body)) as server, pytest.raises(LockedOut) as error:
        make(server.base_url).read(Book(), account(users.LENA))

    assert error.value.reason == "misconfigured"


def test_a_refused_reading_is_about_us(target, jira):
    """Who may see one user may see all: the target is paused, and no job is held."""
    jira.fault("no_permission", "jira-dc.user.get")

    with pytest.raises(LockedOut) as error:
        target.read(Book(), account(users.LENA))

    assert error.value.reason == "misconfigured"


def test_a_key_that_is_an_address_is_found_missing_too():
    """In old installations the key is the first username, whatever that was."""
    key = users.NAMED_BY_EMAIL.email
    gone = answer(404, {"errorMessages": [f"Der Benutzer '{key}' existiert nicht"], "errors": {}})
    with ScriptedServer(gone) as server:
        assert make(server.base_url).read(Book(), account(users.LENA, id=AccountId(key))) is None


# Switching off ------------------------------------------------------------------------------------


def test_a_boolean_is_sent(target):
    """ "false" is ignored by some versions."""
    with ScriptedServer(answer(200, {})) as server:
        make(server.base_url).switch_off(Book(), account(users.LENA))

    assert server.requests[0].startswith(b"PUT /rest/api/2/user?key=JIRAUSER10100 ")
    assert server.requests[0].endswith(b'{"active": false}')


def test_nothing_but_the_activity_changes(target, jira):
    """Fields that are left out stay."""
    before = jira.really(users.LENA)

    target.switch_off(Book(), found(target, users.LENA))

    assert jira.really(users.LENA) == before | {"active": False}


@pytest.mark.parametrize(
    ("user", "reason", "says"),
    [
        (users.READ_ONLY, "read_only_directory", "read only"),
        (users.LEAD, "project_lead", "HR"),
        (users.COMPONENT_LEAD, "project_lead", "HR, OPS"),
        (users.OPERATOR, "refused", "logged in"),
    ],
)
def test_a_user_whom_jira_does_not_deactivate_is_held_with_the_reason(
    target, jira, user, reason, says
):
    """Each wants another act of a person."""
    with pytest.raises(Refused, match=says) as refused:
        Leaving(target, user.email).attempt()

    assert refused.value.reason == reason
    assert jira.really(user)["active"]


def test_a_read_only_directory_may_be_told_by_403_too(target, jira):
    """No page says which."""
    jira.fault("read_only_403", "jira-dc.user.update")

    with pytest.raises(Refused) as refused:
        target.switch_off(Book(), found(target, users.LENA))

    assert refused.value.reason == "read_only_directory"


def test_a_user_who_vanishes_before_the_write_is_no_trouble_of_the_target(target, jira):
    """404 for one user must not pause the target for all."""
    gone = account(users.LENA, id=AccountId("JIRAUSER1"))

    target.switch_off(Book(), gone)

    assert target.read(Book(), gone) is None


def test_an_old_jira_that_cannot_deactivate_holds_the_job(url, jira):
    """Nobody is called deactivated there."""
    jira.set(version="8.2.6")
    target = make(url, "basic")

    with pytest.raises(Refused, match="No value found") as refused:
        Leaving(target, users.LENA.email).attempt()

    assert refused.value.reason == "refused"


def test_who_was_not_active_is_not_switched_on(target, jira):
    """A reinstatement gives back what was there, and no more."""
    with pytest.raises(Refused):
        target.switch_on(Book(), account(users.INACTIVE), {"active": False})

    assert not jira.really(users.INACTIVE)["active"]


# Cleaning up --------------------------------------------------------------------------------------


def test_the_sessions_of_the_leaver_are_ended(target, jira):
    """An open browser would still be in."""
    jira.change(users.LENA, sessions=["ABC", "DEF"])

    job = Leaving(target, users.LENA.email)

    assert job.attempt() == Done(Outcome.DEACTIVATED)
    assert jira.really(users.LENA)["sessions"] == []
    assert job.notes.calls[-1].path == "/rest/api/2/user/session/<name>"


def test_sessions_that_cannot_be_ended_are_told(target, jira):
    """The user is off all the same."""
    jira.fault("no_permission", "jira-dc.session.end")

    result = Leaving(target, users.LENA.email).attempt()

    assert result.outcome is Outcome.DEACTIVATED
    assert result.detail.startswith("sessions could not be ended: 403")


def test_a_user_without_a_username_keeps_its_sessions(target):
    """They can be ended by name only."""
    left = target.clean_up(Book(), account(users.LENA, username=None))

    assert left.startswith("sessions could not be ended")


# The credential -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("token", "says"),
    [
        (users.WEAK_TOKEN, "no Jira administrator"),
        (users.BLIND_TOKEN, "Browse Users"),
        (users.NAMELESS_TOKEN, "no e-mail address"),
    ],
)
def test_a_credential_that_would_find_nobody_is_no_proof(url, token, says):
    """Each of them gets an empty list where there are users, or may not act on them."""
    target = make(url, token=Secret(token))

    with pytest.raises(LockedOut, match=says) as error:
        Leaving(target, people.NOBODY).attempt()

    assert error.value.reason == "misconfigured"


def test_a_credential_that_may_not_act_holds_nobody(url):
    """403 for every leaver is about us: the target is paused, and no job is held."""
    with pytest.raises(LockedOut) as error:
        Leaving(make(url, token=Secret(users.WEAK_TOKEN)), users.LENA.email).attempt()

    assert error.value.reason == "misconfigured"


@pytest.mark.parametrize("auth", ["token", "basic"])
def test_a_credential_that_is_taken_for_nobodys_is_refused(url, jira, auth):
    """200, an empty list, and a header that says why."""
    jira.set(wrong_login="nobody")

    with pytest.raises(LockedOut) as error:
        Leaving(make(url, auth, **WRONG[auth]), users.LENA.email).attempt()

    assert error.value.reason == "credential_refused"


@pytest.mark.parametrize("auth", ["basic", "session"])
def test_a_captcha_is_no_wrong_password(url, jira, auth):
    """The password may be right: a person must log in once, not change it."""
    jira.change(users.OPERATOR, failed_logins=3)

    with pytest.raises(LockedOut) as error:
        Leaving(make(url, auth), users.LENA.email).attempt()

    assert error.value.reason == "login_denied"


def test_logins_that_are_throttled_are_no_wrong_password(url, jira):
    """Too many of them, for now."""
    jira.set(throttles_logins=True)

    with pytest.raises(LockedOut) as error:
        Leaving(make(url, "session"), users.LENA.email).attempt()

    assert error.value.reason == "login_denied"


@pytest.mark.parametrize("auth", ["basic", "session"])
def test_jira_11_says_that_it_takes_no_passwords(url, jira, auth):
    """The operator must make a token; the password is not the trouble."""
    jira.set(version="11.0.0")

    with pytest.raises(LockedOut, match="has been disabled") as error:
        Leaving(make(url, auth), users.LENA.email).attempt()

    assert error.value.reason == "misconfigured"
    assert Leaving(make(url), users.LENA.email).attempt() == Done(Outcome.DEACTIVATED)


def test_an_old_jira_is_named_by_the_proof(url, jira):
    """`leaver doctor` says it before the first leaver does."""
    jira.set(version="8.2.6")

    with pytest.raises(LockedOut, match=r"Jira 8\.2\.6 cannot") as error:
        make(url, "basic").prove_credential(Book())

    assert error.value.reason == "misconfigured"


@pytest.mark.parametrize("numbers", [None, [], "9.12.0", ["9"], [9.5], [True]])
def test_a_version_that_cannot_be_read_proves_nothing(numbers):
    """It may be any."""
    with ScriptedServer(answer(200, {"versionNumbers": numbers})) as server:
        target = make(server.base_url)
        with pytest.raises((Unavailable, LockedOut)):
            target.prove_credential(Book())


def test_a_session_is_closed_and_never_shared(url, jira):
    """One login for one attempt; the cookie is in no record."""
    job = Leaving(make(url, "session"), users.LENA.email)

    job.attempt()

    names = job.notes.names
    assert (names[0], names[-1]) == ("session.open", "session.close")
    assert names.count("session.open") == 1
    assert jira.really(users.OPERATOR)["sessions"] == []


def test_the_rate_limit_of_a_data_center_is_one(target, jira):
    """With its own headers."""
    jira.fault("slow_down", "jira-dc.user.search")

    with pytest.raises(LockedOut) as error:
        target.find(Book(), users.LENA.email)

    assert (error.value.reason, error.value.retry_after.seconds) == ("rate_limited", 3)


def test_a_page_of_a_proxy_is_no_word_of_jira(target, jira):
    """403 with a page and no header comes from something in between."""
    before = found(target, users.LENA)
    jira.fault("page_403", "jira-dc.user.update")

    with pytest.raises(Unavailable):
        target.switch_off(Book(), before)


def test_two_users_with_one_address_are_held_before_anything_is_asked(target):
    """Also where one of them is off, or in another directory."""
    for email in (users.TWIN.email, users.HALF_GONE.email):
        result = Leaving(target, email).attempt()

        assert isinstance(result, Held)
        assert result.reason == "ambiguous_match"
