"""The fake of the User management API keeps the state and the traps of the real one."""

import pytest

from workers.sandbox import people
from workers.sandbox.atlassian.org import ORG_ID


def manage(person, path=""):
    return f"/users/{person.account_id}/manage{path}"


def disable(api, person):
    return api.post(manage(person, "/lifecycle/disable"), json={"message": "Employment ended"})


def account_status(api, person):
    return api.get(manage(person, "/profile")).json()["account"]["account_status"]


def allowance(api, person, privilege="lifecycle.enablement"):
    return api.get(manage(person), params={"privileges": privilege}).json()[privilege]


def test_a_disabled_account_is_inactive_wherever_it_is_read(api):
    """The read-back after the write is the proof."""
    answer = disable(api, people.LENA)

    users = f"/admin/v2/orgs/{ORG_ID}/directories/-/users"
    user = api.get(f"{users}/{people.LENA.account_id}").json()["data"]
    (hit,) = api.post(f"{users}/search", json={"emails": [people.LENA.email]}).json()["data"]
    assert (answer.status_code, answer.content) == (204, b"")
    assert account_status(api, people.LENA) == "inactive"
    assert (user["accountStatus"], user["status"]) == ("inactive", "deactivated")
    assert "deactivatedOn" in user
    assert hit["status"] == "deactivated"


def test_an_enabled_account_is_active_again(api):
    """For a rehire."""
    api.post(manage(people.INACTIVE, "/lifecycle/enable"), json={})

    assert account_status(api, people.INACTIVE) == "active"


@pytest.mark.parametrize("status", [204, 409])
def test_disabling_again_has_either_answer(api, control, status):
    """Undocumented, so a client is tried with both."""
    control.patch("/settings", json={"disable_again": status})

    assert disable(api, people.INACTIVE).status_code == status


@pytest.mark.parametrize("path", ["", "/profile", "/api-tokens"])
def test_an_unmanaged_account_is_none_of_our_business(api, path):
    """403 here means "use suspend", not "the key is bad"."""
    answer = api.get(manage(people.UNMANAGED, path))

    assert (answer.status_code, answer.json()) == (403, {"key": "forbidden"})


def test_an_unmanaged_account_cannot_be_disabled(api):
    """And stays as it is."""
    answer = disable(api, people.UNMANAGED)

    assert (answer.status_code, answer.json()) == (403, {"key": "forbidden"})


def test_an_unknown_account_is_not_found(api):
    """In the shape of this API, which has no `errors`."""
    answer = api.get("/users/712020:unknown/manage/profile")

    assert (answer.status_code, answer.json()) == (404, {"key": "accountNotFound"})


@pytest.mark.parametrize(
    ("person", "reason"),
    [
        (people.SYNCED, "externalDirectory.scim"),
        (people.GOOGLE_SYNCED, "externalDirectory.google"),
    ],
    ids=lambda value: getattr(value, "name", value),
)
def test_a_synced_account_belongs_to_its_provider(api, person, reason):
    """The pre-flight says so, and the write is refused with the same reason."""
    refusal = {"allowed": False, "reason": {"key": reason}}

    answer = disable(api, person)

    assert allowance(api, person) == refusal
    assert (answer.status_code, answer.json()) == (
        403,
        {"key": "forbidden.action", "context": refusal},
    )
    assert account_status(api, person) == "active"


def test_a_conflict_names_the_account_and_a_code(api):
    """Somebody who owns a site cannot be disabled: a person has to look."""
    answer = disable(api, people.CONFLICTING)

    body = answer.json()
    assert (answer.status_code, body["key"]) == (409, "conflict.lifecycleErrors")
    assert body["context"]["accountId"] == people.CONFLICTING.account_id
    assert body["context"]["errorCodes"][0]["code"] == "sandbox.ownsSite"
    assert allowance(api, people.CONFLICTING) == {"allowed": True}


def test_only_the_privileges_asked_for_are_told(api):
    """The parameter is repeated; a list with commas is one unknown name."""
    asked = {"privileges": ["lifecycle.enablement", "apiToken.read"]}

    repeated = api.get(manage(people.LENA), params=asked).json()
    joined = api.get(manage(people.LENA), params={"privileges": ",".join(asked["privileges"])})

    assert set(repeated) == set(asked["privileges"])
    assert joined.json() == {}


def test_api_tokens_outlive_their_owner(api):
    """They have to be deleted one by one."""
    disable(api, people.TOM)
    before = [token["id"] for token in api.get(manage(people.TOM, "/api-tokens")).json()]

    gone = [api.delete(manage(people.TOM, f"/api-tokens/{token}")).status_code for token in before]

    assert before == [token.id for token in people.TOM.tokens]
    assert gone == [204, 204]
    assert api.get(manage(people.TOM, "/api-tokens")).json() == []


def test_a_token_is_deleted_once(api):
    """After a lost answer the second try finds nothing."""
    path = manage(people.TOM, f"/api-tokens/{people.TOM.tokens[0].id}")
    api.delete(path)

    answer = api.delete(path)

    assert (answer.status_code, answer.json()) == (404, {"key": "notFound"})


def test_tokens_can_be_out_of_reach(api):
    """On some plans; the deactivation itself must not fail for it."""
    answer = api.get(manage(people.TOKENS_LOCKED, "/api-tokens"))

    assert (answer.status_code, answer.json()["key"]) == (403, "forbidden.action")
    assert allowance(api, people.TOKENS_LOCKED, "apiToken.read")["allowed"] is False


@pytest.mark.parametrize(
    ("options", "status"),
    [
        ({}, 415),
        ({"data": "message=x"}, 415),
        ({"data": "{", "headers": {"Content-Type": "application/json"}}, 400),
        ({"json": []}, 400),
        ({"json": {"message": 5}}, 400),
        ({"json": {}}, 204),
    ],
    ids=str,
)
def test_a_disable_needs_a_json_object(api, options, status):
    """The message is optional, the object is not."""
    answer = api.post(manage(people.LENA, "/lifecycle/disable"), **options)

    assert answer.status_code == status


def test_a_bad_key_is_refused_in_the_shape_of_this_api(connect):
    """Not in the gateway's, as the Organizations API does."""
    answer = connect("wrong-key").get(manage(people.LENA))

    assert (answer.status_code, answer.json()) == (401, {"key": "unauthorized"})


def test_an_address_that_does_not_exist_is_not_found(api):
    """`notFound`, where an account would be `accountNotFound`."""
    answer = api.get(manage(people.LENA, "/unknown"))

    assert (answer.status_code, answer.json()) == (404, {"key": "notFound"})
