"""What others wrote for the real systems finds in the sandbox what our targets did there.

The fakes and the targets could share a mistake; these two clients, which many people use against
real systems, know neither.  What is tried is every call of theirs that the fakes have.
"""

import atlassian
import jira as pycontribs
import pytest
import requests
from atlassian import cloud_admin

from config import targets as settings_of
from config.secret import Secret
from config.targets import ConfluenceDC, JiraDC
from tests.workers.targets.leaving import Leaving
from workers.deprovision import Done
from workers.leavers import Outcome
from workers.limits import Unlimited
from workers.sandbox import people
from workers.sandbox.atlassian.accounts import DIRECTORY_IDS
from workers.sandbox.atlassian.org import API_KEY, ORG_ID
from workers.sandbox.confluence_dc import users as wiki_users
from workers.sandbox.crowd import users as crowd_users
from workers.sandbox.jira_cloud_site import users as site_users
from workers.sandbox.jira_dc import users as jira_users
from workers.sandbox.scim import users as scim_users
from workers.targets import build


def leaves(settings, user, outcome=Outcome.DEACTIVATED):
    """Our target takes the access of the user with this address there."""
    ended = ends(settings, user)
    assert isinstance(ended, Done)
    assert ended.outcome is outcome


def ends(settings, user):
    """What our target makes of the user with this address."""
    return Leaving(build("target", settings, Unlimited()), user.email).attempt()


# Jira Data Center ---------------------------------------------------------------------------------


@pytest.fixture
def jira_url(control):
    return f"{control.base_url}/jira-dc"


@pytest.fixture
def jira_left(jira_url):
    """Lena has left Jira."""
    settings = JiraDC(kind="jira-dc", base_url=jira_url, token=Secret(jira_users.TOKEN))
    leaves(settings, jira_users.LENA)


@pytest.fixture
def api(jira_url):
    """atlassian-python-api."""
    with atlassian.Jira(url=jira_url, token=jira_users.TOKEN, cloud=False) as client:
        yield client


@pytest.fixture
def client(jira_url):
    """pycontribs jira."""
    client = pycontribs.JIRA(server=jira_url, token_auth=jira_users.TOKEN, max_retries=0)
    yield client
    client.close()


def test_one_client_sees_that_the_leaver_is_inactive_in_jira(jira_left, api):
    """By username, by key, and in its search."""
    lena = jira_users.LENA
    everybody = api.user_find_by_user_string(username=lena.email, include_inactive_users=True)
    active = api.user_find_by_user_string(username=lena.email)

    assert api.is_active_user("lvogt") is False
    assert api.user(key=lena.account_id)["active"] is False
    assert {each["key"] for each in everybody} - {each["key"] for each in active} == {
        lena.account_id
    }
    assert {each["key"] for each in active} == {
        user.account_id for user in (jira_users.NEARLY, jira_users.LONGER, jira_users.ALIAS)
    }


def test_another_client_sees_it_too(jira_left, client):
    """The same, with other words."""
    lena = jira_users.LENA
    everybody = client.search_users(user=lena.email, includeInactive=True)
    active = client.search_users(user=lena.email)

    assert client.user("lvogt").active is False
    assert client.user("avogt").active is True
    assert {each.key for each in everybody} - {each.key for each in active} == {lena.account_id}


def test_both_clients_are_told_who_they_are(api, client):
    """The token works for them as for us."""
    assert api.myself()["key"] == jira_users.OPERATOR.account_id
    assert client.myself()["key"] == jira_users.OPERATOR.account_id
    assert client.server_info()["versionNumbers"] == [10, 3, 5]


def test_a_client_that_does_not_read_back_believes_in_a_success_of_nothing(api):
    """It sends a text where Jira wants a boolean, and is answered 200."""
    answered = api.user_deactivate("lvogt")

    assert answered["name"] == "lvogt"
    assert api.is_active_user("lvogt") is True


# Confluence Data Center ---------------------------------------------------------------------------


@pytest.fixture
def wiki_url(control):
    return f"{control.base_url}/confluence-dc"


@pytest.fixture
def wiki(wiki_url):
    """atlassian-python-api."""
    client = atlassian.Confluence(url=wiki_url, token=wiki_users.TOKEN, cloud=False)
    yield client
    client.close()


def test_a_client_sees_that_the_leaver_is_deactivated_in_confluence(wiki_url, wiki):
    """By username and by key; and nobody else is."""
    tom, lena = wiki_users.TOM, wiki_users.LENA
    token = Secret(wiki_users.TOKEN)
    leaves(ConfluenceDC(kind="confluence-dc", base_url=wiki_url, token=token), tom)

    by_name = wiki.get_user_details_by_username(tom.username, expand="status")
    by_key = wiki.get_user_details_by_userkey(tom.account_id, expand="status")
    other = wiki.get_user_details_by_userkey(lena.account_id, expand="status")

    assert by_name == by_key
    assert (by_key["status"], other["status"]) == ("deactivated", "current")


def test_a_client_finds_the_address_where_we_do(wiki):
    """In the profile of the mobile app."""
    assert wiki.get_mobile_parameters("tom.berg")["email"] == wiki_users.TOM.email


def test_the_newer_half_of_a_client_sees_the_same(wiki_url):
    """Who we are, and a user by name and by key."""
    tom = wiki_users.TOM
    with atlassian.ConfluenceServer(url=wiki_url, token=wiki_users.TOKEN) as client:
        named = client.get_user(tom.username)
        keyed = client.get_user_by_key(tom.account_id)
        ourselves = client.get_current_user()

    assert named == keyed
    assert named["username"] == tom.username
    assert ourselves["userKey"] == wiki_users.OPERATOR.account_id


# The organization ---------------------------------------------------------------------------------


@pytest.fixture
def admin(control, monkeypatch):
    """atlassian-python-api, whose address of the cloud is a constant."""
    monkeypatch.setattr(cloud_admin, "ADMIN_URL", control.base_url)
    with atlassian.CloudAdmin(API_KEY) as client:
        yield client


def organization(base_url):
    return settings_of.AtlassianOrg(
        kind="atlassian-org", base_url=base_url, org_id=ORG_ID, api_key=Secret(API_KEY)
    )


def test_a_client_sees_that_the_leaver_is_deactivated_in_the_organization(control, admin):
    """In its search, in a directory, in the profile; and that no API token is left."""
    tom = people.TOM
    assert admin.get_user_api_tokens(tom.account_id) != []
    assert admin.get_user_management_permissions(tom.account_id, "lifecycle.enablement") == {
        "lifecycle.enablement": {"allowed": True}
    }

    leaves(organization(control.base_url), tom)

    [found] = admin.search_directory_users(ORG_ID, "-", {"emails": [tom.email]})["data"]
    read = admin.get_directory_user(ORG_ID, DIRECTORY_IDS["primary"], tom.account_id)["data"]
    profile = admin.get_user_profile(tom.account_id)["account"]
    assert found["accountStatus"] == read["accountStatus"] == "inactive"
    assert profile["account_status"] == "inactive"
    assert admin.get_user_api_tokens(tom.account_id) == []


def test_a_client_sees_where_the_leaver_is_suspended(control, admin):
    """Whom the company does not manage."""
    guest = people.UNMANAGED
    own = admin.get_directories(ORG_ID, account_id=guest.account_id)["data"]

    leaves(organization(control.base_url), guest, Outcome.SUSPENDED)

    assert {each["directoryId"] for each in own} == set(DIRECTORY_IDS.values())
    for each in own:
        read = admin.get_directory_user(ORG_ID, each["directoryId"], guest.account_id)["data"]
        assert (read["membershipStatus"], read["accountStatus"]) == ("suspended", "active")


def test_whom_a_client_deactivates_is_off_for_us_and_on_again_when_it_activates(control, admin):
    """The same, the other way round."""
    lena, ours = people.LENA, organization(control.base_url)
    assert admin.get_organization(ORG_ID)["data"]["id"] == ORG_ID

    admin.deactivate_user(lena.account_id, "left")
    assert ends(ours, lena) == Done(Outcome.ALREADY_INACTIVE)
    admin.activate_user(lena.account_id)

    leaves(ours, lena)


# A directory that is provisioned ------------------------------------------------------------------


@pytest.fixture
def directory(control, monkeypatch):
    """atlassian-python-api with the key of the directory."""
    monkeypatch.setattr(cloud_admin, "ADMIN_URL", control.base_url)
    with atlassian.CloudAdmin(scim_users.KEY) as client:
        yield client


def provisioned(base_url):
    return settings_of.AtlassianScim(
        kind="atlassian-scim",
        base_url=base_url,
        directory_id=scim_users.DIRECTORY_ID,
        api_key=Secret(scim_users.KEY),
    )


def test_a_client_sees_that_the_leaver_is_inactive_in_the_directory(control, directory):
    """By its filter and by id; and nobody else is."""
    tom, everybody = scim_users.TOM, directory.get_scim_users(scim_users.DIRECTORY_ID)

    leaves(provisioned(control.base_url), tom)

    named = f'userName eq "{tom.user_name}"'
    found = directory.get_scim_users(scim_users.DIRECTORY_ID, filter=named)["Resources"]
    read = directory.get_scim_user(scim_users.DIRECTORY_ID, tom.account_id)
    after = directory.get_scim_users(scim_users.DIRECTORY_ID)["Resources"]
    assert found == [read]
    assert read["active"] is False
    assert [each for each in after if each not in everybody["Resources"]] == [read]


def test_whom_a_client_patches_inactive_is_off_for_us(control, directory):
    """The same, the other way round."""
    change = [{"op": "replace", "path": "active", "value": False}]
    directory.patch_scim_user(scim_users.DIRECTORY_ID, scim_users.LENA.account_id, change)

    assert ends(provisioned(control.base_url), scim_users.LENA) == Done(Outcome.ALREADY_INACTIVE)


# A site of the cloud ------------------------------------------------------------------------------


@pytest.fixture
def site_url(control):
    return f"{control.base_url}/jira-cloud-site"


@pytest.fixture
def site(site_url):
    """atlassian-python-api."""
    login = {"username": site_users.OPERATOR.email, "password": site_users.TOKEN}
    with atlassian.Jira(url=site_url, **login, cloud=True, api_version="3") as client:
        yield client


@pytest.fixture
def site_left(site_url):
    """Tom has left the site."""
    settings = settings_of.JiraCloudSite(
        kind="jira-cloud-site",
        base_url=site_url,
        email=site_users.OPERATOR.email,
        api_token=Secret(site_users.TOKEN),
    )
    leaves(settings, site_users.TOM, Outcome.SUSPENDED)


def test_a_client_sees_that_the_leaver_is_in_no_group_of_the_site(site_left, site):
    """By id, with groups and roles; the account itself is active."""
    tom = site_users.TOM
    read = site.user(account_id=tom.account_id, expand="groups,applicationRoles")
    [found] = site.user_find_by_user_string(query=tom.email)

    assert (read["groups"]["size"], read["applicationRoles"]["size"]) == (0, 0)
    assert read["active"] is True
    assert found["accountId"] == tom.account_id
    assert tom.account_id in {each["accountId"] for each in site.users_get_all()}


def test_both_clients_are_told_what_we_may_on_the_site(site_url, site):
    """The API token works for them as for us."""
    other = pycontribs.JIRA(
        server=site_url,
        basic_auth=(site_users.OPERATOR.email, site_users.TOKEN),
        options={"rest_api_version": "3"},
        get_server_info=False,
        max_retries=0,
    )
    may = {"key": "ADMINISTER", "havePermission": True}

    assert site.myself() == other.myself()
    assert site.get_permissions("ADMINISTER")["permissions"]["ADMINISTER"] == may
    assert other.my_permissions(permissions="ADMINISTER")["permissions"]["ADMINISTER"] == may
    [found] = other.search_users(query=site_users.TOM.email)
    assert found.accountId == site_users.TOM.account_id
    other.close()


# Crowd --------------------------------------------------------------------------------------------


@pytest.fixture
def crowd_url(control):
    return f"{control.base_url}/crowd"


@pytest.fixture
def crowd(crowd_url):
    """atlassian-python-api."""
    login = {"username": crowd_users.APPLICATION, "password": crowd_users.PASSWORD}
    with atlassian.Crowd(url=crowd_url, **login, api_version="1") as client:
        yield client


def application(base_url):
    return settings_of.Crowd(
        kind="crowd",
        base_url=base_url,
        application=crowd_users.APPLICATION,
        password=Secret(crowd_users.PASSWORD),
    )


def test_a_client_sees_that_the_leaver_is_inactive_in_crowd(crowd_url, crowd):
    """And that nothing else of the user has changed."""
    tom = crowd_users.TOM
    before = crowd.user(tom.username)

    leaves(application(crowd_url), tom)

    assert crowd.user(tom.username) == before | {"active": False}


def test_whom_a_client_deactivates_in_crowd_is_off_for_us(crowd_url, crowd):
    """And on again when it activates."""
    lena, ours = crowd_users.LENA, application(crowd_url)

    crowd.user_deactivate(lena.username)
    assert ends(ours, lena) == Done(Outcome.ALREADY_INACTIVE)
    crowd.user_activate(lena.username)

    leaves(ours, lena)


# The old user management API ----------------------------------------------------------------------


def test_whom_the_old_client_deactivates_is_off_for_us(control):
    """pycontribs still calls it, where it takes the Jira for one of the cloud."""
    url, login = f"{control.base_url}/jira-um1", ("it-admin", jira_users.PASSWORD)
    client = pycontribs.JIRA(server=url, get_server_info=False, max_retries=0)
    client.deploymentType = "Cloud"
    opened = requests.post(
        f"{url}/rest/auth/1/session",
        json=dict(zip(("username", "password"), login, strict=True)),
        timeout=10,
    ).json()["session"]
    client.authCookie = f"{opened['name']}={opened['value']}"

    assert client.deactivate_user(jira_users.LENA.username) is True

    client.close()
    settings = settings_of.JiraUm1(
        kind="jira-um1", base_url=url, username=login[0], password=Secret(login[1])
    )
    assert ends(settings, jira_users.LENA) == Done(Outcome.ALREADY_INACTIVE)
