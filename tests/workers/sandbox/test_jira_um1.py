"""The fake of the old user management API keeps the state and the traps of the real one."""

import pytest

from workers.sandbox.jira_dc import users

SESSION = "/rest/auth/1/session"
USER = "/admin/rest/um/1/user"


@pytest.fixture
def visitor(base_url, control, client):
    """A caller without a session."""
    with client(f"{base_url}/jira-um1") as caller:
        yield caller


@pytest.fixture
def jira(visitor):
    """A caller with the session of an administrator."""
    opened = log_in(visitor, "it-admin").json()["session"]
    visitor.headers["Cookie"] = f"{opened['name']}={opened['value']}"
    return visitor


def log_in(caller, username, password=users.PASSWORD):
    return caller.post(SESSION, json={"username": username, "password": password})


def test_a_user_is_found_by_address(jira):
    """Active or not."""
    user = jira.get(USER, params={"email": users.TOM.email.upper()}).json()

    assert (user["name"], user["email"], user["active"]) == ("tberg", users.TOM.email, True)
    assert jira.get(USER, params={"email": users.INACTIVE.email}).json()["active"] is False


def test_nobody_and_no_such_address_look_alike(jira):
    """404 with a text."""
    nobody, nowhere = jira.get(USER, params={"email": "nobody@example.com"}), jira.get("/nothing")

    assert nobody.status_code == nowhere.status_code == 404
    assert set(nobody.json()) == set(nowhere.json())


def test_deactivation_and_back(jira):
    """By username."""
    seen = []
    for verb in ("deactivate", "activate"):
        answer = jira.post(f"{USER}/{verb}", params={"username": "tberg"}, json={})
        assert answer.status_code == 200
        seen.append(jira.get(USER, params={"email": users.TOM.email}).json()["active"])

    assert seen == [False, True]


def test_a_user_of_a_read_only_directory_is_answered_a_success(jira):
    """And stays active."""
    query = {"username": users.READ_ONLY.username}

    assert jira.post(f"{USER}/deactivate", params=query, json={}).status_code == 200
    assert jira.get(USER, params={"email": users.READ_ONLY.email}).json()["active"]


def test_the_list_gives_as_many_as_asked_for(jira):
    """A bare array."""
    query = {"start-index": 1, "max-results": 2}

    assert len(jira.get(f"{USER}/search", params=query).json()) == 2


def test_only_administrators_with_a_session_are_let_in(visitor):
    """401 without, 403 for anybody else."""
    without = visitor.get(USER, params={"email": users.TOM.email})
    opened = log_in(visitor, "weak").json()["session"]
    visitor.headers["Cookie"] = f"{opened['name']}={opened['value']}"
    weak = visitor.get(USER, params={"email": users.TOM.email})

    assert (without.status_code, weak.status_code) == (401, 403)
