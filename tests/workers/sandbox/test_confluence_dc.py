"""The fake of Confluence Data Center keeps the state and the traps of the real one."""

import pytest

from workers.sandbox.confluence_dc import users

USER = "/rest/api/user"
ACTIVE = "/rest/api/admin/users/list/active"
PROFILE = "/rest/mobile/1.0/profile"


@pytest.fixture
def ask(base_url, control, client):
    """Makes callers: ask() is the administrator, ask(key) another token, ask("") nobody."""
    callers = []

    def new(key=users.TOKEN):
        callers.append(client(f"{base_url}/confluence-dc", key))
        return callers[-1]

    yield new
    for caller in callers:
        caller.close()


@pytest.fixture
def settings(control):
    """Changes how this Confluence behaves: settings(version="8.1.0")."""
    return lambda **changed: control.patch("/confluence-dc/settings", json=changed)


@pytest.fixture
def wiki(ask):
    return ask()


def read(wiki, user, **options):
    query = {"key": user.account_id, "expand": "status", **options}
    return wiki.get(USER, params=query)


def disable(wiki, user):
    return wiki.put(f"/rest/api/admin/user/{user.username}/disable")


def listed(wiki, **options):
    return wiki.get(ACTIVE, params={"limit": 200, **options}).json()["results"]


def test_a_user_is_found_by_key_or_username(wiki):
    """Not by e-mail, and the e-mail is not shown."""
    by_key = read(wiki, users.TOM).json()
    by_name = wiki.get(USER, params={"username": "TOM.BERG", "expand": "status"}).json()

    assert by_key == by_name
    assert (by_key["userKey"], by_key["username"]) == (users.TOM.account_id, "tom.berg")
    assert "email" not in by_key


def test_a_status_is_told_on_request_only(wiki):
    """Without it nobody looks deactivated."""
    assert read(wiki, users.INACTIVE).json()["status"] == "deactivated"
    assert "status" not in read(wiki, users.INACTIVE, expand="").json()


def test_the_status_may_be_spelled_in_another_way(wiki, settings):
    """As a client's documentation has it."""
    settings(status_words=["Active", "Deactivated"])

    words = [read(wiki, user).json()["status"] for user in (users.TOM, users.INACTIVE)]
    assert words == ["Active", "Deactivated"]


def test_an_unknown_user_is_named_in_the_answer(wiki):
    """In another shape than an unknown address."""
    unknown = wiki.get(USER, params={"key": "0" * 32})
    nowhere = wiki.get("/rest/api/nothing")

    assert (unknown.status_code, unknown.json()["statusCode"]) == (404, 404)
    assert "0" * 32 in unknown.json()["message"]
    assert nowhere.json()["status-code"] == 404


def test_a_disable_succeeds_again_and_again(wiki):
    """It is idempotent by description."""
    answers = [disable(wiki, users.TOM).status_code for _ in range(2)]

    assert answers == [204, 204]
    assert read(wiki, users.TOM).json()["status"] == "deactivated"
    wiki.put(f"/rest/api/admin/user/{users.TOM.username}/enable")
    assert read(wiki, users.TOM).json()["status"] == "current"


@pytest.mark.parametrize("answer", [204, 400, 403])
def test_a_read_only_directory_keeps_its_users(wiki, settings, answer):
    """What is answered nobody says; it may even be success."""
    settings(read_only=answer)

    assert disable(wiki, users.READ_ONLY).status_code == answer
    assert read(wiki, users.READ_ONLY).json()["status"] == "current"


@pytest.mark.parametrize(("key", "status"), [(users.WEAK_TOKEN, 403), ("", 401), ("wrong", 401)])
def test_only_administrators_disable(ask, key, status):
    """Who is not one may still look everybody up."""
    assert disable(ask(key), users.TOM).status_code == status
    if key == users.WEAK_TOKEN:
        assert read(ask(key), users.TOM).status_code == 200


def test_the_list_of_active_users_leaves_some_out(wiki, control, settings):
    """Deactivated ones and those without a license; and it is as old as the index."""
    shown = {user["userKey"]: user["email"] for user in listed(wiki)}
    assert shown[users.LENA.account_id] == users.LENA.email
    assert users.INACTIVE.account_id not in shown
    assert users.UNLICENSED.account_id not in shown

    settings(search_lag=60)
    disable(wiki, users.LENA)
    assert users.LENA.account_id in {user["userKey"] for user in listed(wiki)}


def test_a_page_is_shorter_than_asked_for(wiki, settings):
    """Fixed limits of the system count."""
    settings(longest_page=3)

    first = wiki.get(ACTIVE, params={"limit": 200}).json()
    assert (first["size"], first["limit"]) == (3, 3)
    assert "start=3" in first["_links"]["next"]
    assert listed(wiki, start=1)[0] == first["results"][1]
    assert listed(wiki, start=1000) == []


@pytest.mark.parametrize(
    ("version", "has_list", "has_addresses"), [("9.2.1", 404, False), ("9.3.0", 200, False)]
)
def test_an_older_one_lists_no_addresses_or_nobody(
    wiki, settings, version, has_list, has_addresses
):
    """Its users can be found by username only."""
    settings(version=version)

    answer = wiki.get(ACTIVE)
    assert answer.status_code == has_list
    assert ("email" in answer.text) == has_addresses


def test_a_very_old_one_cannot_disable(wiki, settings):
    """There is no such resource."""
    settings(version="8.1.4")

    assert disable(wiki, users.TOM).json()["status-code"] == 404


@pytest.mark.parametrize(
    ("emails", "address"),
    [("shown", users.TOM.email), ("masked", "tom dot berg at example dot com"), ("hidden", None)],
)
def test_the_profile_of_the_mobile_app_has_the_address(wiki, settings, emails, address):
    """As far as addresses are shown at all."""
    settings(emails=emails)

    assert wiki.get(f"{PROFILE}/tom.berg").json().get("email") == address


def test_the_profile_of_nobody_is_an_answer_too(wiki, settings):
    """And where the app is not installed there is none."""
    assert wiki.get(f"{PROFILE}/nobody").json()["unknownUser"] is True

    settings(mobile=False)
    assert wiki.get(f"{PROFILE}/tom.berg").json()["status-code"] == 404


def test_nobody_is_a_user_too(ask):
    """200, where Jira says 401."""
    answer = ask("").get(f"{USER}/current")

    assert (answer.status_code, answer.json()["type"]) == (200, "anonymous")


def test_a_wrong_credential_may_be_taken_for_nobody(ask, settings):
    """Who may look at users, where anonymous access is on; a header is the only sign."""
    settings(wrong_login="nobody", anonymous=True)

    answer = read(ask("wrong"), users.TOM)

    assert (answer.status_code, answer.json()["username"]) == (200, "tom.berg")
    assert answer.headers["X-Seraph-LoginReason"] == "AUTHENTICATED_FAILED"


def test_a_password_is_taken_as_basic(ask):
    """Where it is allowed."""
    admin = ask("")
    admin.auth = ("it-admin", users.PASSWORD)

    assert admin.get(f"{USER}/current").json()["username"] == "it-admin"


@pytest.mark.parametrize(
    ("key", "status", "groups"),
    [
        (users.TOKEN, 200, {"confluence-users", "confluence-administrators"}),
        (users.WEAK_TOKEN, 403, {"confluence-users"}),
    ],
)
def test_who_administers_can_be_seen(ask, key, status, groups):
    """By what they may see, and by their groups."""
    wiki = ask(key)
    me = wiki.get(f"{USER}/current").json()

    told = wiki.get(f"{USER}/memberof", params={"key": me["userKey"]}).json()["results"]
    assert wiki.get("/rest/api/permissions").status_code == status
    assert {group["name"] for group in told} == groups
