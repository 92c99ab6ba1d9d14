"""Faults fall on the calls they were ordered for, in the way they were ordered."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import pytest
import requests

from workers.sandbox import people
from workers.sandbox.app import OPERATIONS
from workers.sandbox.atlassian.org import ORG_ID
from workers.sandbox.book import Book
from workers.sandbox.faults import KINDS

ORG = f"/admin/v1/orgs/{ORG_ID}"
SEARCH = f"/admin/v2/orgs/{ORG_ID}/directories/-/users/search"


def profile(person=people.LENA):
    return f"/users/{person.account_id}/manage/profile"


def disable(api, person=people.LENA):
    return api.post(f"/users/{person.account_id}/manage/lifecycle/disable", json={})


@pytest.fixture
def order(control):
    """Orders a fault: order("429", times=2)."""

    def place(fault, **details):
        answer = control.post("/faults", json={"fault": fault} | details)
        assert answer.status_code == 201, answer.text
        return answer.json()

    return place


def status_of(control, person=people.LENA):
    return control.get(f"/people/{person.account_id}").json()["account_status"]


# What goes wrong ---------------------------------------------------------------------------------


def test_a_429_says_how_many_seconds_to_wait(api, order):
    """The most common style."""
    order("429", retry_after=3)

    answer = api.get(ORG)

    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "3")
    assert answer.json()["code"] == 429


def test_a_429_says_until_when_to_wait(api, order):
    """The other form of Retry-After."""
    order("429_date", retry_after=60)

    until = parsedate_to_datetime(api.get(ORG).headers["Retry-After"])

    assert timedelta(seconds=55) < until - datetime.now(UTC) < timedelta(seconds=62)


def test_a_429_says_when_the_limit_is_reset(api, order):
    """Atlassian's own header, a time and not a number."""
    order("429_reset", retry_after=60)

    answer = api.get(ORG)

    until = datetime.fromisoformat(answer.headers["X-RateLimit-Reset"])
    assert "Retry-After" not in answer.headers
    assert timedelta(seconds=55) < until - datetime.now(UTC) < timedelta(seconds=62)


def test_a_429_may_say_nothing(api, order):
    """Then the client has to know by itself."""
    order("429_bare")

    answer = api.get(ORG)

    assert answer.status_code == 429
    assert not {"Retry-After", "X-RateLimit-Reset"} & set(answer.headers)


@pytest.mark.parametrize(
    ("fault", "status", "content_type", "starts"),
    [
        ("401", 401, "application/json", b'{"code": 401'),
        ("500", 500, "application/json", b'{"errors"'),
        ("502", 502, "application/json", b'{"code": 502'),
        ("503", 503, "application/json", b'{"code": 503'),
        ("html", 200, "text/html", b"<!doctype html>"),
        ("html_502", 502, "text/html", b"<!doctype html>"),
        ("empty", 200, "application/json", b""),
        ("ADMIN-403-3", 403, "application/json", b'{"errors"'),
        ("ADMIN-UAM-409-2", 409, "application/json", b'{"errors"'),
        ("edge.403", 403, "application/json", b'{"timestamp"'),
        ("unauthorized", 401, "application/json", b'{"key"'),
    ],
)
def test_an_answer_is_replaced(api, order, fault, status, content_type, starts):
    """Once; the next call goes well."""
    order(fault)

    faulty, good = api.get(ORG), api.get(ORG)

    assert faulty.status_code == status
    assert faulty.headers["Content-Type"].startswith(content_type)
    assert faulty.content.startswith(starts)
    assert good.status_code == 200


def test_a_503_can_say_when_to_come_back(api, order):
    """Only if asked to."""
    order("503", retry_after=7)
    order("503")

    said, silent = api.get(ORG), api.get(ORG)

    assert said.headers["Retry-After"] == "7"
    assert "Retry-After" not in silent.headers


def test_half_a_body_is_no_json(api, order):
    """It arrives whole as far as HTTP can tell."""
    order("truncated")

    answer = api.get(ORG)

    with pytest.raises(json.JSONDecodeError):
        answer.json()


@pytest.mark.parametrize("fault", ["cut", "dropped"])
def test_a_connection_can_die(api, order, fault):
    """In the middle of the body, or before a single byte."""
    order(fault)

    with pytest.raises(requests.RequestException):
        api.get(ORG)


def test_a_body_can_come_a_little_at_a_time(api, order):
    """Each piece arrives in time for a read time-out, the whole much later."""
    order("drip", lasts=0.2)

    answer = api.get(ORG, stream=True)
    pieces = list(iter(answer.raw.read1, b""))

    assert len(pieces) > 1
    assert json.loads(b"".join(pieces))["data"]["id"] == ORG_ID


def test_a_search_can_lie(api, order):
    """Empty, although the person is there."""
    order("empty_list", operation="users.search")

    answer = api.post(SEARCH, json={"emails": [people.LENA.email]})

    assert (answer.status_code, answer.json()["data"]) == (200, [])


def test_a_write_can_be_lost(api, control, order):
    """Success without doing it: what the read-back is for."""
    order("lost_write", operation="lifecycle.disable")

    answer = disable(api)

    assert answer.status_code == 204
    assert status_of(control) == "active"


def test_a_lost_write_is_still_refused_where_it_would_be(api, order):
    """Only successes are lies."""
    order("lost_write", operation="lifecycle.disable")

    assert disable(api, people.UNMANAGED).status_code == 403


# When, and on whom -------------------------------------------------------------------------------


@pytest.mark.parametrize(("after_effect", "status"), [(False, "active"), (True, "inactive")])
@pytest.mark.parametrize("fault", ["dropped", "timeout", "500", "429"])
def test_a_fault_comes_before_or_after_the_effect(api, control, order, fault, after_effect, status):
    """The caller cannot tell the two apart, so it has to look."""
    order(fault, operation="lifecycle.disable", after_effect=after_effect, lasts=0.01)

    try:
        answered = disable(api).status_code
    except requests.ConnectionError:
        answered = None

    assert answered != 204
    assert status_of(control) == status


def test_a_call_hangs_for_longer_than_a_client_waits(api, order):
    """Its time-out must come first."""
    order("timeout", lasts=60)

    with pytest.raises(requests.ReadTimeout):
        api.get(ORG, timeout=0.05)


def test_a_call_that_hangs_is_let_go_when_faults_are_cleared(api, control, order, eventually):
    """A rehearsal goes on without waiting for it."""
    order("timeout", lasts=60)

    with ThreadPoolExecutor() as threads:
        hanging = threads.submit(api.get, ORG, timeout=30)
        eventually(lambda: control.get("/faults").json()["orders"][0]["hits"] == 1)
        control.delete("/faults")

        assert isinstance(hanging.exception(timeout=10), requests.ConnectionError)


def test_an_answer_that_is_late_comes_when_faults_are_cleared(api, control, order, eventually):
    """To catch a client in the middle of its work, and let it go on."""
    order("late", operation="lifecycle.disable", lasts=60)

    with ThreadPoolExecutor() as threads:
        waiting = threads.submit(disable, api)
        eventually(lambda: status_of(control) == "inactive")
        assert not waiting.done()
        control.delete("/faults")

        assert waiting.result(timeout=10).status_code == 204


@pytest.mark.parametrize(("times", "expected"), [(2, [429, 429, 200]), (None, [429, 429, 429])])
def test_a_fault_falls_as_often_as_ordered(api, order, times, expected):
    """null is until it is cleared."""
    order("429", times=times)

    assert [api.get(ORG).status_code for _ in range(3)] == expected


def test_a_fault_can_wait_for_its_turn(api, order):
    """To let the first read pass and spoil the read-back."""
    order("503", operation="profile.get", after=1)

    assert [api.get(profile()).status_code for _ in range(3)] == [200, 503, 200]


def test_a_fault_falls_on_its_operation_only(api, order):
    """The others go well meanwhile."""
    order("503", operation="users.search", times=None)

    assert api.get(ORG).status_code == 200
    assert api.post(SEARCH, json={}).status_code == 503


@pytest.mark.parametrize(
    "whom", [{"account_id": people.LENA.account_id}, {"email": people.LENA.email.upper()}], ids=str
)
def test_a_fault_falls_on_one_person_only(api, order, whom):
    """One leaver in trouble among many."""
    order("500", times=None, **whom)

    assert api.get(profile(people.LENA)).status_code == 500
    assert api.get(profile(people.TOM)).status_code == 200


def test_a_fault_by_email_falls_on_searches_for_it(api, order):
    """There is no account id yet at that point."""
    order("500", email=people.LENA.email, times=None)

    assert api.post(SEARCH, json={"emails": [people.LENA.email]}).status_code == 500
    assert api.post(SEARCH, json={"emails": [people.TOM.email]}).status_code == 200


def test_orders_are_told_and_cleared(api, control, order):
    """How often a fault fell is what a rehearsal reports."""
    order("429", times=5)
    api.get(ORG)
    told = control.get("/faults").json()["orders"]

    control.delete("/faults")

    assert [(placed["fault"], placed["hits"]) for placed in told] == [("429", 1)]
    assert control.get("/faults").json()["orders"] == []
    assert api.get(ORG).status_code == 200


# Ordering ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("order", "hint"),
    [
        ({}, "fault: Field required"),
        ({"fault": "429", "operation": "users.find"}, "users.search"),
        ({"fault": "430"}, "429_reset"),
        ({"fault": "forbidden", "operation": "users.search"}, "ADMIN-UAM-403-1"),
        ({"fault": "lost_write", "operation": "users.get"}, "does not exist for"),
        ({"fault": "429", "times": 0}, "times"),
        ({"fault": "429", "retry_after": -1}, "retry_after"),
        ({"fault": "429", "retryafter": 1}, "retryafter"),
        ([], "JSON object"),
    ],
    ids=str,
)
def test_an_order_that_makes_no_sense_is_refused_with_a_hint(control, order, hint):
    """A fault that never falls would make a rehearsal pass for nothing."""
    answer = control.post("/faults", json=order)

    assert answer.status_code == 400
    assert hint in answer.json()["error"]


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_operation_can_be_made_to_fail(name):
    """Each offers its API's documented errors and the faults that fit it."""
    operation = OPERATIONS[name]

    possible = set(Book(OPERATIONS).faults(name))

    assert set(operation.api.errors) <= possible
    assert {word for word, kind in KINDS.items() if kind.fits(operation)} <= possible
    assert ("lost_write" in possible) is operation.writes
