"""The target jira-cloud-site does the right thing to the right user, against the faked site."""

from dataclasses import replace

import pytest

from config.secret import Secret
from config.targets import JiraCloudSite as Settings
from tests.workers.targets.books import Book
from tests.workers.targets.conformance import Conformance, Stage
from tests.workers.targets.leaving import Leaving
from tests.workers.targets.scripted import ScriptedServer, answer
from workers.deprovision import Done, Held
from workers.errors import LockedOut, Refused, Unavailable
from workers.leavers import AccountId, Outcome
from workers.limits import Unlimited
from workers.sandbox import people
from workers.sandbox.jira_cloud_site import users
from workers.targets import build
from workers.targets.base import Access
from workers.targets.jira_cloud_site import WHAT_STAYS, account_of


def make(base_url, *, user=users.OPERATOR, token=None):
    settings = Settings(
        kind="jira-cloud-site",
        base_url=base_url,
        email=user.email,
        api_token=Secret(token or user.token),
    )
    return build("site", settings, Unlimited())


@pytest.fixture
def site(control):
    """The operator of the faked site."""
    site = control.of("/jira-cloud-site")
    yield site
    site.close()


@pytest.fixture
def url(site):
    return f"{site.base_url}/jira-cloud-site"


@pytest.fixture
def target(url):
    return make(url)


class TestJiraCloudSite(Conformance):
    """The promises of every target."""

    @pytest.fixture
    def stage(self, site, url, target):
        return Stage(
            target=target,
            active=users.TOM.email,
            inactive=users.WITHOUT_GROUPS.email,
            twins="",
            nobody=people.NOBODY,
            key=users.TOKEN,
            control=site,
            with_wrong_key=make(url, token="wrong-test-token"),
            at=make,
        )


def found(target, user):
    (account,) = target.find(Book(), user.email)
    assert account.id == user.account_id
    return account


# The credential ----------------------------------------------------------------------------------


def test_a_dead_token_that_is_taken_for_nobody_is_no_empty_answer(url, site):
    """200, an empty list, and a header that nobody looks at."""
    site.set(wrong_login="nobody")
    target = make(url, token="wrong-test-token")

    for question in (target.prove_credential, lambda book: target.find(book, people.NOBODY)):
        with pytest.raises(LockedOut) as error:
            question(Book())
        assert error.value.reason == "credential_refused"


@pytest.mark.parametrize(
    ("fault", "reason"), [("nobody", "credential_refused"), ("denied", "login_denied")]
)
@pytest.mark.parametrize("call", ["user.search", "users.list", "user.get", "group.leave"])
def test_the_header_counts_on_every_answer(target, site, call, fault, reason):
    """Also on one that looks like success."""
    site.always(fault, f"jira-cloud-site.{call}")

    email = people.NOBODY if call == "users.list" else users.TOM.email
    with pytest.raises(LockedOut) as error:
        Leaving(target, email).attempt()

    assert error.value.reason == reason


@pytest.mark.parametrize(
    ("user", "permission"), [(users.WEAK, "ADMINISTER"), (users.BLIND, "USER_PICKER")]
)
def test_a_credential_that_may_too_little_proves_nothing(url, user, permission):
    """Without leave to browse users, everybody is nobody."""
    with pytest.raises(LockedOut, match=permission) as error:
        Leaving(make(url, user=user), people.NOBODY).attempt()

    assert error.value.reason == "misconfigured"


def test_who_may_not_browse_users_makes_nobody_gone(target, url):
    """A user is then answered as one that does not exist."""
    account = found(target, users.LENA)

    with pytest.raises(LockedOut, match="USER_PICKER"):
        make(url, user=users.BLIND).read(Book(), account)


# Finding -----------------------------------------------------------------------------------------


def test_who_is_not_active_is_found_in_the_list(target):
    """A search shows active users only."""
    assert found(target, users.INACTIVE).access is Access.OFF


def test_somebody_beyond_the_first_page_is_found(target, site):
    """Pages may be shorter than asked for."""
    site.set(most_listed=3)

    found(target, users.INACTIVE)


def test_who_hides_the_address_is_held(target, site):
    """It may be the leaver; that cannot be guessed."""
    site.set(finds_hidden=True)
    site.change(users.LENA, shows_email=False)

    result = Leaving(target, users.LENA.email).attempt()

    assert isinstance(result, Held)
    assert result.reason == "unclear_account"


def test_nobody_is_absent_while_somebody_hides_the_address(target, site):
    """A search may not find hidden addresses at all."""
    site.change(users.LENA, shows_email=False)

    for email in (users.LENA.email, people.NOBODY):
        with pytest.raises(Refused, match="1 people hide") as error:
            target.find(Book(), email)
        assert error.value.reason == "unclear_account"


def test_who_hides_the_address_and_is_inactive_is_in_nobodys_way(target, site):
    """There is no access to take away."""
    site.change(users.INACTIVE, shows_email=False)

    assert target.find(Book(), people.NOBODY) == ()


def test_the_same_page_twice_proves_nothing():
    """The one who is missing may be the leaver."""
    user = {"accountId": "a", "accountType": "atlassian", "emailAddress": "a@example.com"}
    with (
        ScriptedServer(answer(200, []), answer(200, [user])) as server,
        pytest.raises(Unavailable, match="two pages"),
    ):
        make(server.base_url).find(Book(), people.NOBODY)


@pytest.mark.parametrize("kind", ["app", "customer", "unknown"])
def test_only_an_atlassian_account_is_a_person(target, site, kind):
    """Apps and portal customers are held, should their address be the leaver's."""
    site.change(users.TOM, account_type=kind)

    result = Leaving(target, users.TOM.email).attempt()

    assert isinstance(result, Held)
    assert result.reason == "not_a_person"


@pytest.mark.parametrize(
    "group", ["site-admins", "administrators", "jira-admins-acme", "org-admins", "Admin"]
)
def test_an_administrator_is_held(target, site, group):
    """Told by the names of the groups."""
    site.change(users.LENA, groups=[users.USERS, group])

    result = Leaving(target, users.LENA.email).attempt()

    assert isinstance(result, Held)
    assert result.reason == "administrator"
    assert site.writes() == []


def test_a_group_that_only_sounds_like_it_is_no_administrators(target, site):
    """ "Administration" is a department."""
    site.change(users.LENA, groups=["administration-berlin", "badminton"])

    assert not found(target, users.LENA).administrator


# Taking away and giving back ---------------------------------------------------------------------


def test_what_a_site_cannot_do_is_said(target, site):
    """The account works elsewhere, and the reader of the outcome must know."""
    job = Leaving(target, users.TOM.email)

    assert job.attempt() == Done(Outcome.SUSPENDED, WHAT_STAYS)
    assert site.really(users.TOM)["groups"] == []
    assert job.notes.snapshot["groups"] == sorted(f"id-of-{each}" for each in users.TOM.groups)


def test_a_group_that_cannot_be_left_does_not_save_the_others(target, site):
    """Held, with as little access as possible."""
    site.once("forbidden", "jira-cloud-site.group.leave")

    with pytest.raises(Refused) as error:
        Leaving(target, users.TOM.email).attempt(verify="1s")

    assert error.value.reason == "refused"
    assert len(site.really(users.TOM)["groups"]) == 1


def test_a_reinstatement_joins_what_was_left(target, site):
    """Also the second time, when some of it was done before."""
    before = found(target, users.TOM)
    target.switch_off(Book(), before)
    site.change(users.TOM, groups=["project-hr"])

    target.switch_on(Book(), before, before.snapshot)

    assert set(site.really(users.TOM)["groups"]) == set(users.TOM.groups)


def test_nothing_is_given_that_the_snapshot_does_not_show(target):
    """An empty snapshot gives nothing back."""
    account = found(target, users.WITHOUT_GROUPS)

    with pytest.raises(Refused, match="no group"):
        target.switch_on(Book(), account, account.snapshot)


def test_access_without_a_group_cannot_be_taken_away(target):
    """And is not called gone either."""
    account = replace(found(target, users.LENA), snapshot={"groups": []})

    with pytest.raises(Refused, match="without a group"):
        target.switch_off(Book(), account)


NONE, ONE = {"size": 0, "items": []}, {"size": 1, "items": [{"groupId": "a", "name": "a"}]}


@pytest.mark.parametrize(
    ("facts", "access"),
    [
        ({"active": True, "groups": ONE, "applicationRoles": NONE}, Access.ACTIVE),
        ({"active": True, "groups": NONE, "applicationRoles": ONE}, Access.ACTIVE),
        ({"active": True, "groups": NONE, "applicationRoles": NONE}, Access.OFF),
        ({"active": False}, Access.OFF),
        ({"active": True}, Access.UNKNOWN),
        ({"active": True, "groups": NONE}, Access.UNKNOWN),
        ({"groups": NONE, "applicationRoles": NONE}, Access.UNKNOWN),
        ({"active": "true", "groups": NONE, "applicationRoles": NONE}, Access.UNKNOWN),
        ({"active": True, "groups": {"size": 1, "items": []}, "applicationRoles": NONE},
         Access.UNKNOWN),
        ({"active": True, "groups": {"size": 1, "items": [{}]}, "applicationRoles": NONE},
         Access.UNKNOWN),
    ],
)  # fmt: skip
def test_only_a_whole_answer_says_that_there_is_no_access(facts, access):
    """A list that is not there, or not whole, is no empty one."""
    assert account_of({"accountId": "a", **facts}).access is access


def test_another_account_in_the_answer_is_refused(target):
    """Whatever stands in between may mix up answers."""
    account = replace(found(target, users.LENA), id=AccountId("somebody"))
    with (
        ScriptedServer(answer(200, {"accountId": "somebody-else", "active": False})) as server,
        pytest.raises(Refused) as error,
    ):
        make(server.base_url).read(Book(), account)

    assert error.value.reason == "unclear_account"
