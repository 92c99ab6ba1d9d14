"""The fake of the Organizations API keeps the state and the traps of the real one."""

from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from workers.sandbox import people
from workers.sandbox.atlassian.accounts import DIRECTORY_IDS
from workers.sandbox.atlassian.org import ORG_ID

V1 = f"/admin/v1/orgs/{ORG_ID}"
V2 = f"/admin/v2/orgs/{ORG_ID}/directories"
SEARCH = f"{V2}/-/users/search"
PRIMARY, SECONDARY = DIRECTORY_IDS["primary"], DIRECTORY_IDS["secondary"]

property_test = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def found(api, **body):
    return api.post(SEARCH, json=body).json()["data"]


def details(api, person, directory="-"):
    return api.get(f"{V2}/{directory}/users/{person.account_id}").json()["data"]


def suspend(api, person, directory=PRIMARY, verb="suspend"):
    return api.post(f"{V2}/{directory}/users/{person.account_id}/{verb}", json={})


def error_code(answer):
    return answer.json()["errors"][0]["code"]


# Finding -----------------------------------------------------------------------------------------


def test_an_exact_address_finds_its_account_and_no_other(api):
    """The whole product rests on this call."""
    users = found(api, emails=[people.LENA.email])

    assert [user["accountId"] for user in users] == [people.LENA.account_id]
    assert (users[0]["status"], users[0]["claimStatus"]) == ("active", "managed")


@pytest.mark.parametrize("email", [people.NOBODY, "lena.vogt@example.co", "lena.vogt"])
def test_an_address_that_nobody_has_finds_an_empty_list(api, email):
    """There is no 404 for "no such user"; a part of an address is not an address."""
    answer = api.post(SEARCH, json={"emails": [email]})

    assert (answer.status_code, answer.json()["data"]) == (200, [])


def test_one_address_can_belong_to_two_accounts(api):
    """A client must not take the first."""
    users = found(api, emails=[people.TWIN.email])

    assert {user["accountId"] for user in users} == {
        people.TWIN.account_id,
        people.OTHER_TWIN.account_id,
    }


@pytest.mark.parametrize(("ignores_case", "count"), [(True, 1), (False, 0)])
def test_the_search_may_or_may_not_ignore_case(api, control, ignores_case, count):
    """Atlassian does not say, so a client is tried with both."""
    control.patch("/settings", json={"search_ignores_case": ignores_case})

    assert len(found(api, emails=["Lena.Vogt@Example.com"])) == count


def test_a_managed_account_in_no_directory_is_found(api):
    """It can log in, so it has to be deactivated too."""
    (user,) = found(api, emails=[people.NOT_INVITED.email])

    assert (user["membershipStatus"], user["status"]) == ("no_membership", "not_invited")


def test_roles_are_told_only_on_request(api):
    """Without `expand` an administrator looks like anybody else."""
    (plain,) = found(api, emails=[people.ADMINISTRATOR.email])
    (expanded,) = found(api, emails=[people.ADMINISTRATOR.email], expand=["platformRoles"])

    assert "platformRoles" not in plain
    assert expanded["platformRoles"] == ["atlassian/org-admin"]


def test_fields_of_a_user_can_be_missing(api):
    """Only the list itself is required by the description."""
    (user,) = found(api, emails=[people.RETICENT.email])

    assert user["accountId"] == people.RETICENT.account_id
    assert not {"email", "status", "accountStatus", "claimStatus"} & set(user)


@pytest.mark.parametrize(
    "body",
    [
        {"emails": ["a@example.com"], "searchTerm": "a"},
        {"emails": ["a@example.com", "a@example.com"]},
        {"emails": [f"{n}@example.com" for n in range(101)]},
        {"emails": []},
        {"emails": "a@example.com"},
        {"limit": 101},
        {"limit": "5"},
        {"email": "a@example.com"},
        {"cursor": "garbage"},
        [],
    ],
    ids=str,
)
def test_a_search_that_breaks_the_rules_is_refused(api, body):
    """A fake that forgives would hide our mistakes."""
    answer = api.post(SEARCH, json=body)

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["status"] == "400"


@pytest.mark.parametrize(
    ("filters", "person", "expected"),
    [
        ({"searchTerm": "lena"}, people.LENA, True),
        ({"accountIds": [people.TOM.account_id]}, people.LENA, False),
        ({"directoryIds": [SECONDARY]}, people.TOM, True),
        ({"directoryIds": [SECONDARY]}, people.LENA, False),
        ({"emailDomains": ["agency.example"]}, people.UNMANAGED, True),
        ({"claimStatus": "unmanaged"}, people.LENA, False),
        ({"accountStatus": ["inactive"]}, people.INACTIVE, True),
        ({"membershipStatus": ["suspended"]}, people.SUSPENDED, True),
        ({"status": ["for_deletion"]}, people.FOR_DELETION, True),
        ({"status": ["deactivated"]}, people.LENA, False),
    ],
    ids=str,
)
def test_filters_narrow_the_search(api, filters, person, expected):
    """Each filter must be able to say yes and no."""
    users = found(api, limit=100, **filters)

    assert (person.account_id in {user["accountId"] for user in users}) is expected


def test_cursors_lead_through_everybody_once(api, control):
    """A client that reads only the first page misses accounts."""
    control.post("/people", json=[{"email": f"many-{n}@example.com"} for n in range(120)])

    pages = [api.post(SEARCH, json={"emailDomains": ["example.com"], "limit": 50}).json()]
    while "next" in pages[-1]["links"]:
        pages.append(api.post(SEARCH, json={"cursor": pages[-1]["links"]["next"]}).json())

    ids = [user["accountId"] for page in pages for user in page["data"]]
    assert len(pages) == 3
    assert len(ids) == len(set(ids)) == 120 + len(people.CAST) - 1


def test_a_cursor_discards_what_is_sent_with_it(api):
    """As documented: the first request decides."""
    first = api.post(SEARCH, json={"emailDomains": ["example.com"], "limit": 1}).json()

    again = api.post(
        SEARCH, json={"cursor": first["links"]["self"], "emails": [people.UNMANAGED.email]}
    ).json()

    assert again["data"] == first["data"]


def test_a_cursor_of_another_list_is_refused(api):
    """A cursor is opaque, and is not to be carried elsewhere."""
    cursor = api.get(f"{V2}?limit=1").json()["links"]["next"]

    assert api.post(SEARCH, json={"cursor": cursor}).status_code == 400
    assert api.get(V2, params={"cursor": cursor}).status_code == 200


@property_test
@given(cursor=st.text(max_size=60))
def test_no_cursor_breaks_the_fake(api, cursor):
    """A 500 of the fake's own would look like an ordered one."""
    answer = api.post(SEARCH, json={"cursor": cursor})

    assert answer.status_code == 400


@property_test
@given(
    body=st.dictionaries(
        st.sampled_from(["emails", "searchTerm", "limit", "cursor", "status", "expand", "x"]),
        st.none() | st.integers() | st.text(max_size=5) | st.lists(st.text(max_size=5), max_size=3),
        max_size=3,
    )
)
def test_no_body_breaks_the_search(api, body):
    """Every body is a search or is refused."""
    answer = api.post(SEARCH, json=body)

    assert answer.status_code in (200, 400)


def test_the_list_of_managed_accounts_pages_by_address(api, control):
    """In v1 `next` is an address; in v2 it is a cursor."""
    control.post("/people", json=[{"email": f"many-{n}@example.com"} for n in range(60)])

    first = api.get(f"{V1}/users").json()
    second = api.get(first["links"]["next"].removeprefix(api.base_url)).json()

    emails = {account["email"] for account in first["data"] + second["data"] if "email" in account}
    assert first["meta"]["total"] == len(first["data"]) + len(second["data"])
    assert people.LENA.email in emails
    assert people.UNMANAGED.email not in emails
    assert "next" not in second["links"]


def test_directories_can_be_asked_for_by_member(api):
    """That is how the directories to suspend in are found."""
    tom = api.get(V2, params={"accountId": people.TOM.account_id}).json()["data"]
    lena = api.get(V2, params={"accountId": people.LENA.account_id}).json()["data"]

    assert [directory["directoryId"] for directory in tom] == [PRIMARY, SECONDARY]
    assert [directory["directoryId"] for directory in lena] == [PRIMARY]


@pytest.mark.parametrize("person", [people.LENA, people.JONAS], ids=lambda p: p.account_id)
def test_an_account_id_may_be_quoted_in_the_path(api, person):
    """Account ids hold `:` and `|`."""
    answer = api.get(f"{V2}/-/users/{quote(person.account_id, safe='')}")

    assert answer.json()["data"]["accountId"] == person.account_id


# Suspending --------------------------------------------------------------------------------------


def test_suspended_means_suspended_in_every_directory(api):
    """One directory of two is not enough."""
    suspend(api, people.UNMANAGED, PRIMARY)
    in_one = details(api, people.UNMANAGED)
    suspend(api, people.UNMANAGED, SECONDARY)
    in_both = details(api, people.UNMANAGED)

    assert (in_one["membershipStatus"], in_one["status"]) == ("active", "active")
    assert (in_both["membershipStatus"], in_both["status"]) == ("suspended", "suspended")


def test_restore_takes_a_suspension_back(api):
    """For a rehire."""
    suspend(api, people.SUSPENDED, verb="restore")

    assert details(api, people.SUSPENDED)["membershipStatus"] == "active"


def test_an_administrator_is_suspended_only_without_the_role(api):
    """The refusal is a 400, as if our request were wrong."""
    role = f"{V1}/users/{people.ADMINISTRATOR.account_id}/role-assignments"

    refused = suspend(api, people.ADMINISTRATOR)
    api.post(f"{role}/revoke", json={"role": "atlassian/org-admin"})
    done = suspend(api, people.ADMINISTRATOR)

    assert (refused.status_code, error_code(refused)) == (400, "ADMIN-UAM-400-1")
    assert done.status_code == 204


def test_a_user_who_is_not_in_the_directory_cannot_be_suspended_there(api):
    """One of the several meanings of 404."""
    answer = suspend(api, people.LENA, SECONDARY)

    assert (answer.status_code, error_code(answer)) == (404, "ADMIN-UAM-404-1")


@pytest.mark.parametrize(("everywhere", "status"), [(False, 404), (True, 204)])
def test_suspend_may_or_may_not_take_every_directory(api, control, everywhere, status):
    """The description gives `-` to reads only."""
    control.patch("/settings", json={"suspend_everywhere": everywhere})

    assert suspend(api, people.UNMANAGED, "-").status_code == status


@pytest.mark.parametrize("status", [204, 409])
def test_suspending_again_has_either_answer(api, control, status):
    """Undocumented, so a client is tried with both."""
    control.patch("/settings", json={"suspend_again": status})

    assert suspend(api, people.SUSPENDED).status_code == status


def test_roles_come_and_go(api):
    """An administrator has to lose the role before anything else."""
    role = f"{V1}/users/{people.LENA.account_id}/role-assignments"
    listed = f"{V2}/-/users/{people.LENA.account_id}/role-assignments"

    api.post(f"{role}/assign", json={"role": "atlassian/org-admin"})
    assigned = api.get(listed).json()["data"]
    api.post(f"{role}/revoke", json={"role": "atlassian/org-admin"})
    revoked = api.get(listed).json()["data"]

    assert assigned[0]["roles"] == ["atlassian/org-admin"]
    assert revoked == []


# Being refused -----------------------------------------------------------------------------------


@pytest.mark.parametrize("verb", ["suspend", "restore"])
def test_a_post_without_a_body_is_the_wrong_media_type(api, verb):
    """No documentation says so; somebody measured it."""
    answer = api.post(f"{V2}/{PRIMARY}/users/{people.LENA.account_id}/{verb}")

    assert (answer.status_code, error_code(answer)) == (415, "ADMIN-UAM-415-1")


@pytest.mark.parametrize("authorization", [None, "Bearer wrong-key", "Basic c2l0ZTp0b2tlbg=="])
def test_a_bad_credential_is_refused_by_the_gateway(connect, authorization):
    """Its code is a number in its own shape; a site token is no key."""
    stranger = connect()

    answer = stranger.get(V1, headers={"Authorization": authorization} if authorization else {})

    assert (answer.status_code, answer.json()["code"]) == (401, 401)


def test_a_wrong_organization_is_told_in_two_shapes(api):
    """Neither may be read as "no such user"."""
    v1 = api.get("/admin/v1/orgs/other")
    v2 = api.post("/admin/v2/orgs/other/directories/-/users/search", json={})

    assert (v1.status_code, error_code(v1)) == (404, "ADMIN-404-2")
    assert (v2.status_code, v2.json()["message"]) == (404, "TCS validation failed")


def test_a_retired_address_is_gone_and_seen(api, control):
    """Most tutorials call it; the log shows who does."""
    answer = api.post(f"{V1}/users/search", json={"emails": []})

    (call,) = control.get("/calls").json()["calls"]
    assert answer.status_code == 404
    assert (call["operation"], call["status"]) == (None, 404)


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("PUT", V2, {}, 405, "ADMIN-UAM-405-1"),
        ("GET", f"{V2}?limit=101", None, 400, "ADMIN-UAM-400-1"),
        (
            "POST",
            f"{V1}/users/{people.LENA.account_id}/role-assignments/assign",
            {"role": "atlassian/user"},
            400,
            "ADMIN-UAM-400-1",
        ),
    ],
    ids=["method", "limit", "role"],
)
def test_a_wrong_request_is_refused_in_the_application_shape(api, method, path, body, status, code):
    """Our own mistakes have to be told from a leaver's trouble."""
    answer = api.request(method, path, json=body)

    assert (answer.status_code, error_code(answer)) == (status, code)
