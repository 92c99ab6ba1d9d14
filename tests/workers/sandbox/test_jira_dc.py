"""The fake of Jira Data Center keeps the state and the traps of the real one."""

import pytest

from workers.sandbox.jira_dc import users

USER = "/rest/api/2/user"
SESSION = "/rest/auth/1/session"
BASIC = ("it-admin", users.PASSWORD)


@pytest.fixture
def ask(base_url, control, client):
    """Makes callers: ask() is the administrator, ask(key) another token, ask("") nobody."""
    callers = []

    def new(key=users.TOKEN):
        callers.append(client(f"{base_url}/jira-dc", key))
        return callers[-1]

    yield new
    for caller in callers:
        caller.close()


@pytest.fixture
def settings(control):
    """Changes how this Jira behaves: settings(version="8.2.0")."""
    return lambda **changed: control.patch("/jira-dc/settings", json=changed).raise_for_status()


@pytest.fixture
def jira(ask):
    return ask()


def found(jira, text, **options):
    """The keys of the users that a search shows."""
    query = {"username": text, "includeInactive": "true", **options}
    return {user["key"] for user in jira.get(f"{USER}/search", params=query).json()}


def keys(*people):
    return {user.account_id for user in people}


def read(jira, user, **options):
    return jira.get(USER, params={"key": user.account_id, **options})


def deactivate(jira, user, body=None):
    body = {"active": False} if body is None else body
    return jira.put(USER, params={"key": user.account_id}, json=body)


# Search -------------------------------------------------------------------------------------------


def test_a_search_finds_more_than_the_address(jira):
    """By a part of the address, and by a username that is somebody else's address."""
    people = (users.LENA, users.NEARLY, users.LONGER, users.ALIAS)

    assert found(jira, users.LENA.email) == keys(*people)
    assert found(jira, users.LENA.email.upper()) == keys(*people)


def test_a_search_shows_active_users_unless_told_otherwise(jira):
    """Somebody who is off already would look like nobody."""
    address = users.INACTIVE.email

    assert jira.get(f"{USER}/search", params={"username": address}).json() == []
    assert found(jira, address) == keys(users.INACTIVE)
    assert found(jira, users.HALF_GONE.email, includeActive="false") == keys(users.HALF_GONE)


def test_a_search_never_says_that_it_left_some_out(jira, control):
    """A hundred at most, whatever was asked for."""
    crowd = [{"email": f"crowd-{n}@example.com"} for n in range(150)]
    control.post("/jira-dc/people", json=crowd)

    assert len(found(jira, "crowd-", maxResults=1000)) == 100


@pytest.mark.parametrize(("emails", "shown"), [("masked", "lena dot vogt at"), ("hidden", None)])
def test_addresses_can_be_kept_from_everybody(jira, settings, emails, shown):
    """Also from administrators; and then nobody is found by address."""
    settings(emails=emails)

    address = read(jira, users.LENA).json().get("emailAddress")
    assert (address or "").startswith(shown) if shown else address is None
    assert found(jira, users.TOM.email) == set()


def test_who_may_not_browse_users_finds_nobody(ask):
    """200 and an empty list: the most dangerous answer of all."""
    answer = ask(users.BLIND_TOKEN).get(f"{USER}/search", params={"username": "lena"})

    assert (answer.status_code, answer.json()) == (200, [])


def test_a_deleted_user_is_shown_on_request_only(jira):
    """It is still in Jira's history."""
    assert found(jira, users.DELETED.email) == set()
    assert read(jira, users.DELETED).status_code == 404
    assert read(jira, users.DELETED, includeDeleted="true").json()["deleted"] is True


# One user -----------------------------------------------------------------------------------------


def test_key_and_username_are_two_things(jira):
    """The username changes, the key stays."""
    user = read(jira, users.TOM).json()

    assert (user["key"], user["name"]) == ("tberger", "tberg")
    assert jira.get(USER, params={"username": "TBERG"}).json()["key"] == "tberger"
    assert jira.get(USER, params={"username": "tberger"}).status_code == 404


@pytest.mark.parametrize(
    ("query", "status", "says"),
    [
        ({"key": "nobody"}, 404, "'nobody' does not exist"),
        ({"username": "nobody"}, 404, "'nobody' does not exist"),
        ({}, 404, "need to be provided"),
        ({"key": "tberger", "username": "tberg"}, 400, "Only one"),
    ],
)
def test_a_user_that_is_not_there_is_told_apart_by_text_only(jira, query, status, says):
    """404 is also what a call without a user gets."""
    answer = jira.get(USER, params=query)

    assert answer.status_code == status
    assert says in answer.json()["errorMessages"][0]


def test_an_address_that_does_not_exist_has_another_shape(jira):
    """As behind a wrong context path."""
    answer = jira.get("/rest/api/2/nothing")

    assert (answer.status_code, answer.json()["status-code"]) == (404, 404)


# Deactivation -------------------------------------------------------------------------------------


def test_a_deactivated_user_is_inactive_wherever_it_is_read(jira):
    """And everything else about it stays."""
    answer = deactivate(jira, users.LENA)

    assert (answer.status_code, answer.json()["active"]) == (200, False)
    assert read(jira, users.LENA).json() == answer.json()
    assert found(jira, users.LENA.email, includeInactive="false") == keys(
        users.NEARLY, users.LONGER, users.ALIAS
    )


@pytest.mark.parametrize(("taken", "status"), [("ignored", 200), ("refused", 400)])
def test_active_as_a_text_changes_nothing(jira, settings, taken, status):
    """ "false" is not false."""
    settings(active_as_text=taken)

    answer = deactivate(jira, users.LENA, {"active": "false", "displayName": "Lena Vogt"})

    assert answer.status_code == status
    assert read(jira, users.LENA).json()["active"] is True


def test_an_old_jira_cannot_do_it(jira, settings):
    """`active` is writable since 8.3: before that there is no value to be changed, or none is."""
    settings(version="8.2.4", passwords=True)
    jira.headers["Authorization"] = None
    jira.auth = BASIC

    assert deactivate(jira, users.LENA).status_code == 400
    with_name = {"active": False, "displayName": "Lena Vogt"}
    assert deactivate(jira, users.LENA, with_name).json()["active"] is True


@pytest.mark.parametrize(
    ("user", "field", "says"),
    [
        (users.READ_ONLY, None, "read only"),
        (users.LEAD, "active", "HR"),
        (users.COMPONENT_LEAD, "active", "HR, OPS"),
        (users.OPERATOR, None, "logged in"),
    ],
)
def test_a_refusal_says_why_in_a_text(jira, user, field, says):
    """All are 400; only leads have a field."""
    answer = deactivate(jira, user)

    said = answer.json()
    assert answer.status_code == 400
    assert says in (said["errors"][field] if field else said["errorMessages"][0])


@pytest.mark.parametrize("key", ["", users.WEAK_TOKEN])
def test_only_administrators_deactivate(ask, key):
    """Nobody gets 403 too, where every other call says 401."""
    assert deactivate(ask(key), users.LENA).status_code == 403


def test_sessions_outlive_a_deactivation_in_the_record_until_they_are_ended(ask, control, jira):
    """The cookie of an inactive user is worth nothing; ending it removes it."""
    lena = ask("")
    lena.post(SESSION, json={"username": "lvogt", "password": users.PASSWORD})
    assert lena.get("/rest/api/2/myself").json()["key"] == users.LENA.account_id

    deactivate(jira, users.LENA)
    assert lena.get("/rest/api/2/myself").status_code == 401
    assert jira.delete(f"{USER}/session/lvogt").status_code == 200

    assert control.get(f"/jira-dc/people/{users.LENA.account_id}").json()["sessions"] == []
    assert jira.delete(f"{USER}/session/nobody").status_code == 404


# Login --------------------------------------------------------------------------------------------


def test_a_wrong_credential_is_a_page_with_a_header(ask):
    """No JSON to be read."""
    answer = ask("wrong").get("/rest/api/2/myself")

    assert answer.status_code == 401
    assert answer.headers["X-Seraph-LoginReason"] == "AUTHENTICATED_FAILED"
    assert answer.headers["Content-Type"].startswith("text/html")


def test_a_wrong_credential_may_be_taken_for_nobody(ask, settings):
    """Then the header is the only sign, beside an empty list."""
    settings(wrong_login="nobody")

    answer = ask("wrong").get(f"{USER}/search", params={"username": users.LENA.email})

    assert (answer.status_code, answer.json()) == (200, [])
    assert answer.headers["X-Seraph-LoginReason"] == "AUTHENTICATED_FAILED"


@pytest.mark.parametrize("way", ["basic", "session"])
def test_after_some_failures_a_captcha_is_wanted(ask, way):
    """403, also for the right password."""
    nobody = ask("")

    def try_with(password):
        if way == "basic":
            return nobody.get("/rest/api/2/myself", auth=("it-admin", password))
        return nobody.post(SESSION, json={"username": "it-admin", "password": password})

    failed = [try_with("wrong").status_code for _ in range(3)]
    answer = try_with(users.PASSWORD)

    assert failed == [401, 401, 401]
    assert answer.status_code == 403
    assert answer.headers["X-Seraph-LoginReason"] == "AUTHENTICATION_DENIED"
    assert answer.headers["X-Authentication-Denied-Reason"].startswith("CAPTCHA_CHALLENGE")


def test_logins_may_be_throttled(ask, settings):
    """403 as well, though nothing is wrong with the credential."""
    settings(throttles_logins=True)

    answer = ask("").post(SESSION, json={"username": "it-admin", "password": users.PASSWORD})

    assert answer.status_code == 403


def test_jira_11_takes_tokens_only(ask, settings):
    """Unless its administrator allowed passwords again."""
    settings(version="11.0.0")
    nobody, login = ask(""), {"username": "it-admin", "password": users.PASSWORD}

    refused = [nobody.get("/rest/api/2/myself", auth=BASIC), nobody.post(SESSION, json=login)]

    assert [answer.status_code for answer in refused] == [403, 403]
    assert all("disabled" in answer.json()["message"] for answer in refused)
    assert ask().get("/rest/api/2/myself").status_code == 200
    settings(passwords=True)
    assert ask("").get("/rest/api/2/myself", auth=BASIC).status_code == 200


def test_tokens_came_with_8_14(ask, settings):
    """Before, the header is simply not understood."""
    settings(version="8.13.0")

    assert ask().get("/rest/api/2/myself").status_code == 401


def test_a_session_ends_with_the_logout(ask):
    """The cookie is the session."""
    admin = ask("")
    admin.post(SESSION, json={"username": "it-admin", "password": users.PASSWORD})
    assert admin.get(SESSION).json()["name"] == "it-admin"

    assert admin.delete(SESSION).status_code == 204
    assert admin.get(SESSION).status_code == 401


def test_everybody_is_told_what_they_may_do(ask):
    """An administrator may not have the permission to browse users."""
    may = {
        key: ask(key).get("/rest/api/2/mypermissions").json()["permissions"]
        for key in (users.TOKEN, users.WEAK_TOKEN, users.BLIND_TOKEN)
    }

    def has(key, permission):
        return may[key][permission]["havePermission"]

    assert [has(key, "ADMINISTER") for key in may] == [True, False, True]
    assert [has(key, "USER_PICKER") for key in may] == [True, True, False]


def test_a_limit_on_calls_says_how_long_to_wait(jira, control):
    """With the headers of a data center."""
    control.post("/faults", json={"fault": "slow_down", "operation": "jira-dc.user.get"})

    answer = read(jira, users.LENA)

    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "3")
    assert answer.headers["X-RateLimit-Interval-Seconds"] == "60"
