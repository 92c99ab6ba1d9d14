"""The fake of Crowd keeps the state and the traps of the real one."""

import pytest

from workers.sandbox.crowd import users

REST = "/crowd/rest/usermanagement/1"
AUTH = (users.APPLICATION, users.PASSWORD)


@pytest.fixture
def crowd(base_url, control, client):
    """A caller that is the application."""
    with client(f"{base_url}{REST}") as caller:
        caller.auth = AUTH
        caller.headers["Accept"] = "application/json"
        yield caller


def search(crowd, restriction=None, **options):
    query = {"entity-type": "user", "expand": "user", **options}
    if restriction is not None:
        query["restriction"] = restriction
    return crowd.get("/search", params=query)


def names(crowd, restriction=None, **options):
    return [user["name"] for user in search(crowd, restriction, **options).json()["users"]]


def user_of(crowd, name):
    return crowd.get("/user", params={"username": name})


def put(crowd, name, body):
    return crowd.put("/user", params={"username": name}, json=body)


@pytest.mark.parametrize(
    ("restriction", "found"),
    [
        ("email=lena.vogt@example.com", ["lvogt"]),
        ('email = "LENA.vogt@example.com"', ["lvogt"]),
        ('email="lena.vogt+test@example.com"', ["lvogt-test"]),
        (r'email="\"o.neill\"@example.com"', ["oneill"]),
        ("email=lena*", ["lvogt", "lvogt-test"]),
        ('email="nobody@example.com"', []),
    ],
)
def test_a_restriction_finds_by_address(crowd, restriction, found):
    """Quotes carry any character, and a star matches anything."""
    assert names(crowd, restriction) == found


@pytest.mark.parametrize("restriction", ["email=lena+test@example.com", 'email="a', "", "mail=a"])
def test_a_restriction_that_cannot_be_parsed_is_refused(crowd, restriction):
    """A value with a + must be in quotes."""
    answer = search(crowd, restriction)

    assert (answer.status_code, answer.json()["reason"]) == (400, "ILLEGAL_ARGUMENT")


def test_a_search_gives_names_only_unless_told_to_expand(crowd):
    """Neither the address nor whether the user is active."""
    (user,) = search(crowd, "email=lena.vogt@example.com", expand="").json()["users"]

    assert set(user) == {"link", "name"}


def test_a_search_gives_no_more_than_asked_for(crowd):
    """And does not say that there are more."""
    assert names(crowd, **{"max-results": 2, "start-index": 1}) == names(crowd)[1:3]


def test_a_name_in_two_directories_is_seen_once(crowd):
    """As the user of the first."""
    assert names(crowd).count("sam") == 1
    assert user_of(crowd, "SAM").json()["email"] == users.SHADOWING.email


def test_a_write_takes_its_body_for_the_whole_user(crowd):
    """What is left out is blank afterwards."""
    answer = put(crowd, "lvogt", {"name": "lvogt", "active": False})

    user = user_of(crowd, "lvogt").json()
    assert answer.status_code == 204
    assert (user["active"], user["email"], user["display-name"]) == (False, "", "")


def test_a_user_that_is_sent_back_whole_stays_whole(crowd):
    """Only `active` is another."""
    user = user_of(crowd, "lvogt").json()

    put(crowd, "lvogt", {**user, "active": False})

    assert user_of(crowd, "lvogt").json() == {**user, "active": False}


@pytest.mark.parametrize("body", [[], {}, {"name": "tberg", "active": False}])
def test_a_body_that_is_not_this_user_is_refused(crowd, body):
    """The name in the address and the name in the body must be one."""
    assert put(crowd, "lvogt", body).status_code == 400


def test_a_write_needs_a_permission_in_the_users_directory(crowd, control):
    """Each directory has its own."""
    in_ldap = put(crowd, "nsync", {"name": "nsync", "active": False})
    control.patch("/crowd/settings", json={"may_update": False})
    anywhere = put(crowd, "lvogt", {"name": "lvogt", "active": False})

    assert [answer.status_code for answer in (in_ldap, anywhere)] == [403, 403]
    assert in_ldap.json()["reason"] == "APPLICATION_PERMISSION_DENIED"


def test_nobody_and_no_such_address_are_both_404(crowd):
    """The first with a reason, the second as a page."""
    nobody, nowhere = user_of(crowd, "nobody"), crowd.get("/nothing")

    assert nobody.status_code == nowhere.status_code == 404
    assert nobody.json() == {"reason": "USER_NOT_FOUND", "message": "User <nobody> does not exist"}
    assert nowhere.headers["Content-Type"].startswith("text/html")


def test_who_does_not_ask_for_json_gets_xml(crowd):
    """It is Crowd's own format."""
    answer = crowd.get("/user", params={"username": "lvogt"}, headers={"Accept": "*/*"})

    assert answer.headers["Content-Type"] == "application/xml"


def test_sessions_end_together(crowd, control):
    """All of one user."""
    assert crowd.delete("/session", params={"username": "tberg"}).status_code == 204

    assert control.get(f"/crowd/people/{users.TOM.account_id}").json()["sessions"] == []


def test_a_caller_is_an_application_at_a_known_address(crowd, control):
    """A wrong password and a strange address are pages."""
    wrong = crowd.get("/search", auth=(users.APPLICATION, "wrong"))
    control.patch("/crowd/settings", json={"knows_address": False})
    strange = search(crowd)

    assert (wrong.status_code, strange.status_code) == (401, 403)
    assert "forbidden" in strange.text


def test_an_application_without_a_directory_sees_nobody(crowd, control):
    """200 and an empty list."""
    control.patch("/crowd/settings", json={"sees_users": False})

    assert search(crowd).json()["users"] == []
