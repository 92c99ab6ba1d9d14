"""People, settings and the start of a rehearsal are set over HTTP."""

import pytest

from workers.sandbox import people
from workers.sandbox.atlassian.org import ORG_ID

SEARCH = f"/admin/v2/orgs/{ORG_ID}/directories/-/users/search"


def test_the_cast_is_there_at_the_start(control):
    """Every kind of account that the match rules tell apart."""
    told = control.get("/people").json()["people"]

    assert {person["account_id"] for person in told} == {p.account_id for p in people.CAST}


def test_a_person_needs_an_address_only(api, control):
    """The rest is an ordinary active managed account."""
    (made,) = control.post("/people", json={"email": "new@example.com"}).json()["people"]

    found = api.post(SEARCH, json={"emails": ["new@example.com"]}).json()["data"]
    assert [user["accountId"] for user in found] == [made["account_id"]]
    assert found[0]["status"] == "active"


def test_thousands_of_people_are_made_at_once(control):
    """For a load."""
    crowd = [{"email": f"crowd-{n}@example.com"} for n in range(2000)]

    made = control.post("/people", json=crowd).json()["people"]

    assert len({person["account_id"] for person in made}) == 2000
    assert (
        len(control.get("/people", params={"email": "crowd-1999@example.com"}).json()["people"])
        == 1
    )


@pytest.mark.parametrize(
    ("body", "hint"),
    [
        ({}, "email: Field required"),
        ({"email": "nobody"}, "email"),
        ({"email": "a@example.com", "account_status": "off"}, "account_status"),
        ({"email": "a@example.com", "directories": {"third": "active"}}, "directories"),
        ({"email": "a@example.com", "mail": "b"}, "mail: "),
        ({"email": "a@example.com", "account_id": "no spaces"}, "account_id"),
        ({"email": "a@example.com", "account_id": people.LENA.account_id}, "account_id"),
        ([{"email": "a@example.com", "account_id": "x"}] * 2, "account_id"),
        ("a@example.com", "JSON object"),
    ],
    ids=str,
)
def test_a_person_that_makes_no_sense_is_refused_with_a_hint(control, body, hint):
    """And nobody is made."""
    answer = control.post("/people", json=body)

    assert answer.status_code == 400
    assert hint in answer.json()["error"]
    assert len(control.get("/people").json()["people"]) == len(people.CAST)


def test_a_person_is_changed_by_hand(api, control):
    """As when the identity provider deactivates somebody."""
    path = f"/people/{people.SYNCED.account_id}"

    control.patch(path, json={"account_status": "inactive"})

    answer = api.get(f"/users/{people.SYNCED.account_id}/manage/profile")
    assert answer.json()["account"]["account_status"] == "inactive"
    assert control.get(path).json()["email"] == people.SYNCED.email


@pytest.mark.parametrize("change", [{"account_id": "x"}, {"roles": ["king"]}, []], ids=str)
def test_a_change_that_makes_no_sense_is_refused(control, change):
    """The person stays as they were."""
    path = f"/people/{people.LENA.account_id}"
    before = control.get(path).json()

    assert control.patch(path, json=change).status_code == 400
    assert control.get(path).json() == before


def test_nobody_is_not_found(control):
    """In JSON, as all else here."""
    answer = control.get("/people/nobody")

    assert answer.status_code == 404
    assert "error" in answer.json()


def test_settings_are_changed_one_by_one(control):
    """In seconds, where they are times."""
    control.patch("/settings", json={"consistency_delay": 2.5})
    control.patch("/settings", json={"disable_again": 409})

    told = control.get("/settings").json()
    assert (told["consistency_delay"], told["disable_again"], told["latency"]) == (2.5, 409, 0)


@pytest.mark.parametrize(
    "change", [{"latency": -1}, {"latency": "soon"}, {"disable_again": 500}, {"lag": 1}], ids=str
)
def test_settings_that_make_no_sense_are_refused(control, change):
    """And change nothing."""
    before = control.get("/settings").json()

    assert control.patch("/settings", json=change).status_code == 400
    assert control.get("/settings").json() == before


def test_reset_puts_everything_back(api, control):
    """So that one rehearsal does not spoil the next."""
    start = control.get("/settings").json()
    control.patch("/settings", json={"search_lag": 9})
    control.post("/people", json={"email": "new@example.com"})
    control.post("/faults", json={"fault": "500", "times": None})
    api.get(f"/admin/v1/orgs/{ORG_ID}")

    control.post("/reset")

    assert control.get("/settings").json() == start
    assert len(control.get("/people").json()["people"]) == len(people.CAST)
    assert control.get("/faults").json()["orders"] == []
    assert control.get("/calls").json()["counters"]["calls"] == 0
