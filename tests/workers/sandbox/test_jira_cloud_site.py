"""The fake of a Jira site in the cloud keeps the state and the traps of the real one."""

import pytest

from workers.sandbox.jira_cloud_site import users

GROUP = "/group/user"


@pytest.fixture
def ask(base_url, control, client):
    """Makes callers: ask() is the administrator, ask(user) another, ask(None) nobody."""
    callers = []

    def new(user=users.OPERATOR, token=None):
        callers.append(client(f"{base_url}/jira-cloud-site/rest/api/3"))
        if user:
            callers[-1].auth = (user.email, token or user.token)
        return callers[-1]

    yield new
    for caller in callers:
        caller.close()


def found(caller, text):
    shown = caller.get("/user/search", params={"query": text}).json()
    return {user["accountId"] for user in shown}


def groups(caller, user):
    query = {"accountId": user.account_id, "expand": "groups"}
    return [each["name"] for each in caller.get("/user", params=query).json()["groups"]["items"]]


def test_a_search_shows_active_users_by_a_beginning(ask):
    """It is no exact search."""
    site = ask()

    assert found(site, users.LENA.email) == {users.LENA.account_id, users.NEARLY.account_id}
    assert found(site, users.INACTIVE.email) == set()


def test_who_hides_the_address_is_not_found_by_it(ask, control):
    """200, and an empty list."""
    path = f"/jira-cloud-site/people/{users.TOM.account_id}"
    control.patch(path, json={"shows_email": False}).raise_for_status()

    assert found(ask(), users.TOM.email) == set()


@pytest.mark.parametrize("user", [None, users.BLIND])
def test_who_may_not_browse_users_finds_nobody(ask, user):
    """200, and an empty list; no 403."""
    answer = ask(user).get("/user/search", params={"query": users.LENA.email})

    assert (answer.status_code, answer.json()) == (200, [])


@pytest.mark.parametrize(("wrong_login", "status"), [("refused", 401), ("nobody", 200)])
def test_a_wrong_token_is_told_by_a_header(ask, control, wrong_login, status):
    """Which is all that there is, if it is taken for nobody's."""
    control.patch("/jira-cloud-site/settings", json={"wrong_login": wrong_login})

    answer = ask(token="wrong").get("/user/search", params={"query": users.LENA.email})

    assert answer.status_code == status
    assert answer.headers["X-Seraph-LoginReason"] == "AUTHENTICATED_FAILED"


def test_a_group_that_was_left_and_joined_shows_in_the_user(ask):
    """200 and 201."""
    site, query = ask(), {"groupId": "id-of-project-hr", "accountId": users.TOM.account_id}

    assert site.delete(GROUP, params=query).status_code == 200
    assert "project-hr" not in groups(site, users.TOM)
    body = {"accountId": users.TOM.account_id}
    assert site.post(GROUP, params=query, json=body).status_code == 201
    assert "project-hr" in groups(site, users.TOM)


def test_only_administrators_change_groups(ask):
    """403, and nothing is changed."""
    query = {"groupId": f"id-of-{users.USERS}", "accountId": users.LENA.account_id}

    assert ask(users.WEAK).delete(GROUP, params=query).status_code == 403
    assert groups(ask(), users.LENA) == [users.USERS]


def test_a_user_that_is_not_there_looks_like_one_that_may_not_be_seen(ask):
    """404 with the same text."""
    nobody = ask().get("/user", params={"accountId": "nobody"})
    unseen = ask(users.BLIND).get("/user", params={"accountId": users.LENA.account_id})

    assert (nobody.status_code, unseen.status_code) == (404, 404)
    assert nobody.json() == unseen.json()
