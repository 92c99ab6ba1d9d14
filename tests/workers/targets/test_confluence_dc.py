"""The target confluence-dc does the right thing to the right user, against the faked Confluence."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.secret import Secret
from config.targets import ConfluenceDC as Settings
from tests.workers.targets.books import Book
from tests.workers.targets.conformance import Conformance, Promises, Stage
from tests.workers.targets.leaving import Leaving
from tests.workers.targets.scripted import ScriptedServer, answer
from workers.deprovision import Done, Held, NotVerified
from workers.errors import LockedOut, Refused, Unavailable
from workers.leavers import AccountId, Outcome
from workers.limits import Unlimited
from workers.sandbox import people
from workers.sandbox.confluence_dc import users
from workers.targets import build
from workers.targets.base import Access, Account, Way
from workers.targets.confluence_dc import account_of
from workers.targets.confluence_list import whole_list

BASIC = {"auth": "basic", "username": "it-admin", "password": Secret(users.PASSWORD)}


def make(base_url, usernames="any", **credential):
    """A target confluence-dc; with a credential of its own if given."""
    settings = Settings(
        kind="confluence-dc",
        base_url=base_url,
        usernames=usernames,
        **(credential or {"token": Secret(users.TOKEN)}),
    )
    return build("wiki", settings, Unlimited())


@pytest.fixture
def wiki(control):
    """The operator of the faked Confluence."""
    wiki = control.of("/confluence-dc")
    yield wiki
    wiki.close()


@pytest.fixture
def url(wiki):
    return f"{wiki.base_url}/confluence-dc"


@pytest.fixture
def target(url):
    return make(url)


class TestConfluenceDC(Conformance):
    """The promises of every target, with a token."""

    @pytest.fixture
    def stage(self, wiki, url):
        return Stage(
            target=make(url),
            active=users.TOM.email,
            inactive=users.INACTIVE.email,
            twins=users.TWIN.email,
            nobody=people.NOBODY,
            key=users.TOKEN,
            control=wiki,
            with_wrong_key=make(url, token=Secret("wrong-test-token")),
            at=make,
        )


class TestWithPassword(Promises):
    """The same with username and password; its calls are those with a token."""

    @pytest.fixture
    def stage(self, wiki, url):
        wrong = {**BASIC, "password": Secret("wrong-test-password")}
        return Stage(
            target=make(url, **BASIC),
            active=users.TOM.email,
            inactive=users.INACTIVE.email,
            twins=users.TWIN.email,
            nobody=people.NOBODY,
            key=users.PASSWORD,
            control=wiki,
            with_wrong_key=make(url, **wrong),
            at=lambda base_url: make(base_url, **BASIC),
        )


def account(user, **changes):
    """What a target knows of a user."""
    facts = {"id": AccountId(user.account_id), "email": user.email, "username": user.username}
    return Account(**{**facts, "access": Access.ACTIVE, "way": Way.DEACTIVATE, **changes})


def ids(accounts):
    return {each.id for each in accounts}


# Finding without a rule for usernames -------------------------------------------------------------


@pytest.mark.parametrize("user", [users.LENA, users.TOM, users.AMIRA, users.CAPITALS])
def test_a_user_is_found_by_its_address_whatever_its_name(target, user):
    """In the list of active users, which is compared whole."""
    (found,) = target.find(Book(), user.email.lower())

    assert (found.id, found.email) == (user.account_id, user.email)


def test_a_user_whom_the_list_leaves_out_is_found_under_a_usual_name(target):
    """Inactive or without a license: not in the list, but perhaps named by the address."""
    for user, access in ((users.INACTIVE, Access.OFF), (users.UNLICENSED, Access.ACTIVE)):
        (found,) = target.find(Book(), user.email)

        assert (found.id, found.access) == (user.account_id, access)


@pytest.mark.parametrize("email", [people.FOR_DELETION.email, users.RENAMED.username])
def test_a_namesake_is_nobody(target, email):
    """Somebody else has the part before the @, or the whole address, as username."""
    assert target.find(Book(), email) == ()


@pytest.mark.parametrize("longest_page", [2, 3, 5, 200])
def test_every_page_of_the_list_counts(target, wiki, longest_page):
    """However short Confluence makes them."""
    wiki.set(longest_page=longest_page)

    assert ids(target.find(Book(), users.TWIN.email)) == {
        users.TWIN.account_id,
        users.OTHER_TWIN.account_id,
    }
    assert ids(target.find(Book(), users.OPERATOR.email)) == {users.OPERATOR.account_id}


@pytest.mark.parametrize(
    "settings",
    [{"version": "9.2.1"}, {"version": "10.1.0"}, {"emails": "masked"}, {"emails": "hidden"}],
)
def test_without_addresses_in_the_list_nobody_is_absent(url, wiki, settings):
    """Too old, or addresses are hidden: the operator must say what usernames are."""
    wiki.set(**settings)
    for email in (users.LENA.email, people.NOBODY):
        with pytest.raises(LockedOut, match=r"set targets\.wiki\.usernames") as error:
            Leaving(make(url), email).attempt()

        assert error.value.reason == "misconfigured"
    with pytest.raises(LockedOut, match=r"set targets\.wiki\.usernames"):
        make(url).prove_credential(Book())
    make(url, "email").prove_credential(Book())


def test_without_the_profile_of_the_mobile_app_the_list_is_enough(target, wiki):
    """No page promises that it is there."""
    wiki.set(mobile=False)

    assert ids(target.find(Book(), users.LENA.email)) == {users.LENA.account_id}
    assert target.find(Book(), users.INACTIVE.email) == ()


def test_who_was_deactivated_since_is_not_taken_for_nobody(target, wiki):
    """The list no longer shows who was matched before; the key still does."""
    job = Leaving(target, users.LENA.email)
    wiki.fault("lost_write", "confluence-dc.user.disable")
    assert isinstance(job.attempt(verify="1s"), NotVerified)
    wiki.change(users.LENA, active=False)

    assert job.attempt() == Done(Outcome.DEACTIVATED)


# Finding with a rule ------------------------------------------------------------------------------


def test_an_address_as_username_finds_the_user(url, wiki):
    """And nobody else is looked at."""
    book = Book()

    (found,) = make(url, "email").find(book, users.AMIRA.email.upper())

    assert (found.id, found.email) == (users.AMIRA.account_id, users.AMIRA.email)
    assert "active.list" not in book.names


def test_the_name_is_the_address_where_no_other_is_shown(url, wiki):
    """That is what the rule says."""
    wiki.set(emails="hidden")

    result = Leaving(make(url, "email"), users.AMIRA.email).attempt()

    assert result == Done(Outcome.DEACTIVATED)


def test_an_address_as_username_of_somebody_with_another_address_is_held(url):
    """Who is right, a person must say."""
    result = Leaving(make(url, "email"), users.RENAMED.username).attempt()

    assert (type(result), result.reason) == (Held, "email_mismatch")


def test_a_username_of_somebody_elses_address_is_held(url):
    """p.alt@other.example has the username that the rule gives peter.alt@example.com."""
    result = Leaving(make(url, "local-part"), people.FOR_DELETION.email).attempt()

    assert (type(result), result.reason) == (Held, "email_mismatch")


@pytest.mark.parametrize(
    "settings", [{"mobile": False}, {"emails": "hidden"}, {"emails": "masked"}]
)
def test_a_username_that_no_address_confirms_is_held(url, wiki, settings):
    """The part before the @ may be anybody's."""
    wiki.set(**settings)

    result = Leaving(make(url, "local-part"), users.TOM.email).attempt()

    assert (type(result), result.reason) == (Held, "unclear_account")
    assert wiki.really(users.TOM)["active"]


def test_a_username_that_the_address_confirms_is_the_leavers(url, wiki):
    """Capitals in the address do not count."""
    job = Leaving(make(url, "local-part"), users.CAPITALS.email)

    assert job.attempt() == Done(Outcome.DEACTIVATED)
    assert not wiki.really(users.CAPITALS)["active"]


@pytest.mark.parametrize("usernames", ["email", "local-part"])
def test_no_user_of_that_name_is_nobody(url, usernames):
    """After a proof, as everywhere."""
    job = Leaving(make(url, usernames), people.NOBODY)

    assert job.attempt() == Done(Outcome.NO_ACCOUNT)
    assert "current.get" in job.notes.names


def test_an_answer_about_another_name_is_not_believed():
    """A look-up that ignores what it is asked for would match anybody."""
    other = answer(200, {"type": "known", "userKey": "k", "username": "admin", "status": "current"})
    with ScriptedServer(other) as server, pytest.raises(Refused) as refused:
        make(server.base_url, "local-part").find(Book(), users.TOM.email)

    assert refused.value.reason == "unclear_account"


@pytest.mark.parametrize("shown_for", ["somebody.else", None])
def test_an_address_of_another_profile_confirms_nothing(shown_for):
    """Then it would be the wrong person whom it proves right."""
    user = {"type": "known", "userKey": "k", "username": "tom.berg", "status": "current"}
    profile = {"userName": shown_for, "email": users.TOM.email}
    with ScriptedServer(answer(200, user), answer(200, profile)) as server:
        (found,) = make(server.base_url, "local-part").find(Book(), users.TOM.email)

    assert found.email is None


@pytest.mark.parametrize("usernames", ["any", "email", "local-part"])
def test_who_may_see_nobody_holds_nobody(url, wiki, usernames):
    """403 for a look-up is about us, not about the leaver."""
    wiki.always("no_permission", "confluence-dc.user.get")

    with pytest.raises(LockedOut) as error:
        make(url, usernames).find(Book(), users.TOM.email)

    assert error.value.reason == "misconfigured"


# The list -----------------------------------------------------------------------------------------


class Moving:
    """A list of users by position; `moves` says who goes to its end before which page."""

    def __init__(self, size, limit, moves=()):
        self.keys = [f"k{n}" for n in range(size)]
        self.limit = limit
        self.moves = list(moves)
        self.pages = 0

    def page(self, start):
        if self.pages and self.moves:
            for position in self.moves.pop(0):
                self.keys.append(self.keys.pop(position % len(self.keys)))
        self.pages += 1
        return [{"userKey": key} for key in self.keys[start : start + self.limit]]


def keys_of(moving):
    return {user["userKey"] for user in whole_list("active.list", moving.page)}


@given(st.integers(1, 60), st.integers(2, 20))
def test_a_list_that_rests_is_read_whole(size, limit):
    """Whatever the length of a page."""
    assert keys_of(Moving(size, limit)) == {f"k{n}" for n in range(size)}


@given(
    st.integers(1, 60),
    st.integers(2, 20),
    st.lists(st.lists(st.integers(0, 100), max_size=12), max_size=30),
)
def test_a_list_that_moves_is_read_whole_or_not_at_all(size, limit, moves):
    """Whoever logs in goes to the end, and nobody may be skipped for that."""
    moving = Moving(size, limit, moves)
    try:
        read = keys_of(moving)
    except Unavailable:
        return

    assert read == {f"k{n}" for n in range(size)}


def test_a_list_that_moves_a_little_is_read_whole():
    """People log in all day; the target must not look broken for that."""
    moving = Moving(60, 10, moves=[[0, 0, 0]] * 30)

    assert len(keys_of(moving)) == 60


@pytest.mark.parametrize("body", [None, [], {}, {"results": None}, {"results": {}}])
def test_an_answer_without_its_list_is_not_nobody(body):
    """Only a list that was read to its end says that somebody is not in it."""
    with ScriptedServer(answer(200, body)) as server, pytest.raises(Unavailable):
        make(server.base_url).find(Book(), people.NOBODY)


@pytest.mark.parametrize("page", [[], [{"username": "x"}], [None], ["x"], [{"userKey": 7}]])
def test_what_is_no_page_of_users_is_never_the_end_of_the_list(page):
    """We are an active user ourselves: an empty list is a broken one."""
    with pytest.raises(Unavailable):
        whole_list("active.list", lambda start: page)


def test_a_list_without_end_is_too_long():
    """No worker may read for ever."""

    def page(start):
        return [{"userKey": str(n)} for n in range(start, start + 2)]

    with pytest.raises(LockedOut, match="usernames"):
        whole_list("active.list", page)


# Reading ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "access"),
    [
        ("current", Access.ACTIVE),
        ("Active", Access.ACTIVE),
        ("deactivated", Access.OFF),
        ("Deactivated", Access.OFF),
        ("DEACTIVATED", Access.OFF),
        ("inactive", Access.UNKNOWN),
        ("", Access.UNKNOWN),
        (None, Access.UNKNOWN),
        (False, Access.UNKNOWN),
    ],
)
def test_only_known_words_say_whether_a_user_is_active(status, access):
    """They differ between what was seen and what was described."""
    assert account_of("user.get", {"userKey": "k", "status": status}).access is access


def test_both_spellings_are_understood(target, wiki):
    """The whole way, not only the word."""
    wiki.set(status_words=["Active", "Deactivated"])

    assert Leaving(target, users.TOM.email).attempt() == Done(Outcome.DEACTIVATED)


@pytest.mark.parametrize("kind", ["anonymous", "unknown", None])
def test_only_a_known_user_is_a_person(kind):
    """Nobody is a user too, in Confluence."""
    assert not account_of("user.get", {"userKey": "k", "type": kind}).person


@pytest.mark.parametrize("user", [None, [], {}, {"username": "tom"}, {"userKey": 7}])
def test_a_user_without_a_key_is_unclear(user):
    """It can neither be pinned nor read back."""
    with pytest.raises(Refused) as refused:
        account_of("user.get", user)

    assert refused.value.reason == "unclear_account"


def test_a_user_is_read_by_key(target, wiki):
    """The username may have changed since, and may be somebody else's by now."""
    wiki.change(users.TOM, name="tom.married", active=False)
    wiki.add("new@example.com", name="tom.berg")

    seen = target.read(Book(), account(users.TOM))

    assert (seen.username, seen.access) == ("tom.married", Access.OFF)


def test_an_answer_about_somebody_else_is_not_believed():
    """It would prove the wrong user off."""
    other = answer(200, {"type": "known", "userKey": "other", "status": "deactivated"})
    with ScriptedServer(other) as server, pytest.raises(Refused) as refused:
        make(server.base_url).read(Book(), account(users.TOM))

    assert refused.value.reason == "unclear_account"


@pytest.mark.parametrize(
    "body", [{"message": "null for uri", "status-code": 404}, {}, None, b"<html>", ["statusCode"]]
)
def test_a_404_of_another_shape_proves_nothing(body):
    """A wrong address must not make anybody gone."""
    with ScriptedServer(answer(404, body)) as server, pytest.raises(LockedOut) as error:
        make(server.base_url).read(Book(), account(users.TOM))

    assert error.value.reason == "misconfigured"


# Switching off ------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [200, 204])
def test_a_disable_is_proven_by_the_reading_whatever_it_answers(target, wiki, status):
    """The description says only that there is no content."""
    wiki.set(disable_answer=status)

    job = Leaving(target, users.TOM.email)

    assert job.attempt() == Done(Outcome.DEACTIVATED)
    assert not wiki.really(users.TOM)["active"]
    (write,) = [call for call in job.notes.calls if call.write]
    assert write.path == "/rest/api/admin/user/<name>/disable"


@pytest.mark.parametrize("status", [400, 403])
def test_a_read_only_directory_is_held_with_the_reason(target, wiki, status):
    """The person is disabled there, not here."""
    wiki.set(read_only=status)

    with pytest.raises(Refused) as refused:
        Leaving(target, users.READ_ONLY.email).attempt()

    assert refused.value.reason == "read_only_directory"


def test_a_disable_that_succeeds_without_effect_is_not_done(target, wiki):
    """A read-only directory may be answered so."""
    wiki.set(read_only=204)

    result = Leaving(target, users.READ_ONLY.email).attempt(verify="1s")

    assert isinstance(result, NotVerified)


def test_a_confluence_without_the_call_is_misconfigured_for_nobody(url, wiki):
    """Before 8.2 there is none: the job is not done, and the answer says why."""
    wiki.set(version="8.1.4")

    with pytest.raises(LockedOut) as error:
        Leaving(make(url, "local-part"), users.TOM.email).attempt()

    assert error.value.reason == "misconfigured"
    assert wiki.really(users.TOM)["active"]


def test_who_was_not_active_is_not_switched_on(target, wiki):
    """A reinstatement gives back what was there, and no more."""
    with pytest.raises(Refused):
        target.switch_on(Book(), account(users.INACTIVE), {"status": "deactivated"})

    assert not wiki.really(users.INACTIVE)["active"]


def test_a_user_without_a_username_cannot_be_written_to(target, wiki):
    """The only call goes by name."""
    with pytest.raises(Refused) as refused:
        target.switch_off(Book(), account(users.TOM, username=None))

    assert refused.value.reason == "unclear_account"
    assert wiki.writes() == []


# The credential -----------------------------------------------------------------------------------


def test_nobody_is_not_a_credential(url, wiki):
    """Confluence answers 200 to who is nobody, and may let them look at users."""
    wiki.set(wrong_login="nobody", anonymous=True)
    target = make(url, "local-part", token=Secret("wrong-test-token"))
    for email in (people.NOBODY, users.TOM.email):
        with pytest.raises(LockedOut) as error:
            Leaving(target, email).attempt()

        assert error.value.reason == "credential_refused"


def test_nobody_is_not_a_credential_without_the_header_either():
    """A proxy may remove it."""
    anonymous = answer(200, {"type": "anonymous", "displayName": "Anonymous"})
    with ScriptedServer(anonymous) as server, pytest.raises(LockedOut) as error:
        make(server.base_url).prove_credential(Book())

    assert error.value.reason == "credential_refused"


@pytest.mark.parametrize("version", ["10.2.1", "9.2.1"])
@pytest.mark.parametrize("email", [people.NOBODY, users.TOM.email])
@pytest.mark.parametrize("usernames", ["any", "local-part"])
def test_a_credential_that_may_not_act_is_no_proof(url, wiki, version, email, usernames):
    """It would be refused for every leaver: the target is paused, and no job is held."""
    wiki.set(version=version)
    job = Leaving(make(url, usernames, token=Secret(users.WEAK_TOKEN)), email)

    with pytest.raises(LockedOut) as error:
        job.attempt()

    assert error.value.reason == "misconfigured"
    assert not job.notes.wrote


def test_an_older_confluence_shows_who_administers_by_the_group(url, wiki):
    """Its permissions cannot be read before 9.3."""
    wiki.set(version="9.2.1")
    book = Book()

    make(url, "local-part").prove_credential(book)

    assert book.names == ["current.get", "permissions.list", "groups.list"]


def test_a_captcha_is_no_wrong_password(url, wiki):
    """The password may be right: a person must log in once, not change it."""
    wiki.always("captcha")

    with pytest.raises(LockedOut) as error:
        Leaving(make(url, **BASIC), users.TOM.email).attempt()

    assert error.value.reason == "login_denied"


def test_the_rate_limit_of_a_data_center_is_one(target, wiki):
    """With its own headers."""
    wiki.fault("slow_down", "confluence-dc.active.list")

    with pytest.raises(LockedOut) as error:
        target.find(Book(), users.TOM.email)

    assert (error.value.reason, error.value.retry_after.seconds) == ("rate_limited", 3)
