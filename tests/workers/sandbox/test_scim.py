"""The fake of a provisioned directory keeps the state and the traps of the real one."""

import pytest

from workers.sandbox.scim import users

USERS = f"/scim/directory/{users.DIRECTORY_ID}/Users"


@pytest.fixture
def scim(base_url, control, client):
    with client(base_url, users.KEY) as scim:
        yield scim


def path(user):
    return f"{USERS}/{user.account_id}"


def named(scim, name):
    body = scim.get(USERS, params={"filter": f'userName eq "{name}"'}).json()
    assert body["totalResults"] == len(body["Resources"])
    return [user["id"] for user in body["Resources"]]


def patch(scim, user, value, *, spelling="Operations", target="active"):
    change = {"op": "replace", "path": target, "value": value}
    return scim.patch(path(user), json={spelling: [change]})


def test_a_filter_finds_a_name_and_no_address(scim):
    """A name need not be the address."""
    assert named(scim, users.LENA.email) == [users.LENA.account_id]
    assert named(scim, users.TOM.name) == [users.TOM.account_id]
    assert named(scim, users.TOM.email) == []


@pytest.mark.parametrize("text", ['emails eq "a"', 'userName co "a"', "userName eq a"])
def test_no_other_filter_is_supported(scim, text):
    """400 in the shape of SCIM, whose status is a text."""
    answer = scim.get(USERS, params={"filter": text})

    assert answer.status_code == 400
    assert (answer.json()["status"], answer.json()["scimType"]) == ("400", "invalidFilter")


def test_pages_show_everybody_once(scim, control):
    """startIndex begins with 1."""
    control.patch("/scim/settings", json={"most_listed": 4}).raise_for_status()
    seen, start = [], 1
    while shown := scim.get(USERS, params={"startIndex": start}).json()["Resources"]:
        seen += [user["id"] for user in shown]
        start += len(shown)

    assert sorted(seen) == sorted(user.account_id for user in users.CAST)


@pytest.mark.parametrize("spelling", ["Operations", "operations"])
def test_a_patch_shows_wherever_it_is_read(scim, spelling):
    """And nothing else about the user changes."""
    before = scim.get(path(users.LENA)).json()

    answer = patch(scim, users.LENA, False, spelling=spelling)

    assert answer.status_code == 200
    assert answer.json() == before | {"active": False}
    assert scim.get(path(users.LENA)).json() == answer.json()


@pytest.mark.parametrize(
    ("value", "target", "word"),
    [("False", "active", "invalidValue"), (False, "userName", "invalidPath")],
)
def test_a_patch_that_is_not_understood_changes_nothing(scim, value, target, word):
    """ "False" is not false."""
    answer = patch(scim, users.LENA, value, target=target)

    assert (answer.status_code, answer.json()["scimType"]) == (400, word)
    assert scim.get(path(users.LENA)).json()["active"] is True


def test_a_user_and_a_directory_that_are_not_there_look_alike(scim):
    """404, in the same shape."""
    answers = [scim.get(f"{USERS}/nobody"), scim.get("/scim/directory/other/Users/nobody")]

    assert [answer.status_code for answer in answers] == [404, 404]
    assert len({tuple(answer.json()) for answer in answers}) == 1


def test_a_wrong_key_has_another_shape(base_url, control, client):
    """It comes from what stands before SCIM."""
    with client(base_url, "wrong") as stranger:
        answer = stranger.get(USERS)

    assert answer.status_code == 401
    assert set(answer.json()) == {"error", "traceId"}
