"""What others wrote for the real systems finds in the sandbox what our targets did there.

The fakes and the targets could share a mistake; these two clients, which many people use against
real systems, know neither.
"""

import atlassian
import jira as pycontribs
import pytest

from config.secret import Secret
from config.targets import ConfluenceDC, JiraDC
from tests.workers.targets.leaving import Leaving
from workers.deprovision import Done
from workers.leavers import Outcome
from workers.limits import Unlimited
from workers.sandbox.confluence_dc import users as wiki_users
from workers.sandbox.jira_dc import users as jira_users
from workers.targets import build


def leaves(settings, user):
    """Our target deactivates the user with this address there."""
    target = build("target", settings, Unlimited())
    assert Leaving(target, user.email).attempt() == Done(Outcome.DEACTIVATED)


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
