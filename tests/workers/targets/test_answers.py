"""Every error of Atlassian is read as what it means for the leaver, whatever its shape."""

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers import reasons
from workers.errors import LockedOut, Refused, TargetError, Unavailable
from workers.targets.answers import (
    CLOUD,
    DETAIL_LENGTH,
    LOCKED_OUT,
    LONGEST_WAIT,
    MEANING,
    MEANING_FOR_AN_ACCOUNT,
    Answer,
    Dialect,
    absent,
    asked_wait,
    fault_of,
    managed_elsewhere,
    perhaps_done,
    plain,
    problem_of,
)

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
SCIM = {
    "key": "forbidden.action",
    "context": {"allowed": False, "reason": {"key": "externalDirectory.scim"}},
}
LIFECYCLE = {
    "key": "conflict.lifecycleErrors",
    "context": {
        "message": "not eligible",
        "accountId": "712020:1",
        "errorCodes": [{"code": "ownsSite", "message": "..."}, {"code": "billing"}],
    },
}


def application(code, title="A title", **more):
    return {"errors": [{"id": "1", "status": code[-5:-2], "code": code, "title": title, **more}]}


def edge(status, message="TCS validation failed"):
    error = {404: "Not Found", 403: "Forbidden"}[status]
    place = {"timestamp": "2026-08-31T00:00:00Z", "path": "/api/admin/v2/orgs/x"}
    return {**place, "status": status, "error": error, "requestId": "r", "message": message}


def answered(status, body=None, headers=None, flaw=""):
    code, message = problem_of(body)
    return Answer(status, headers or {}, body, flaw, code, message)


def fault(status, body=None, *, about_account=True, needs_body=True, headers=None, flaw=""):
    return fault_of(
        "a.call",
        answered(status, body, headers, flaw),
        dialect=CLOUD,
        needs_body=needs_body,
        about_account=about_account,
        now=NOW,
    )


def word(error):
    return "unavailable" if isinstance(error, Unavailable) else error.reason


# Which error it is --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "body", "about_us", "about_account"),
    [
        (400, application("ADMIN-400-24"), "request_rejected", "request_rejected"),
        (400, application("ADMIN-UAM-400-1"), "request_rejected", "request_rejected"),
        (400, application("ADMIN-UAM-400-2"), "request_rejected", "request_rejected"),
        (400, {"key": "bodyParseFailure"}, "request_rejected", "request_rejected"),
        (400, None, "request_rejected", "request_rejected"),
        (401, {"code": 401, "message": "Unauthorized"}, "credential_refused", "credential_refused"),
        (401, application("ADMIN-401-2"), "credential_refused", "credential_refused"),
        (401, {"key": "unauthorized"}, "credential_refused", "credential_refused"),
        (401, None, "credential_refused", "credential_refused"),
        (402, application("ADMIN-UAM-402-1"), "refused", "refused"),
        (403, application("ADMIN-403-3"), "misconfigured", "misconfigured"),
        (403, application("ADMIN-UAM-403-1"), "credential_refused", "credential_refused"),
        (403, application("ADMIN-UAM-403-2"), "misconfigured", "misconfigured"),
        (403, {"key": "asapUnauthorizedIssuer"}, "credential_refused", "credential_refused"),
        (403, {"code": 403, "message": "Forbidden"}, "credential_refused", "credential_refused"),
        (403, edge(403), "misconfigured", "misconfigured"),
        (403, {"key": "forbidden"}, "misconfigured", "refused"),
        (403, {"key": "forbidden.targetUnverified", "context": "Error: x"}, None, "refused"),
        (403, SCIM, None, "idp_managed"),
        (403, {"key": "forbidden.action"}, None, "refused"),
        (403, None, "misconfigured", "refused"),
        (404, application("ADMIN-404-8"), "misconfigured", "account_gone"),
        (404, application("ADMIN-UAM-404-1"), "misconfigured", "account_gone"),
        (404, {"key": "accountNotFound"}, "misconfigured", "account_gone"),
        (404, {"key": "notFound"}, "misconfigured", "account_gone"),
        (404, application("ADMIN-404-1"), "misconfigured", "misconfigured"),
        (404, application("ADMIN-404-2"), "misconfigured", "misconfigured"),
        (404, application("ADMIN-UAM-404-2"), "misconfigured", "misconfigured"),
        (404, edge(404), "misconfigured", "misconfigured"),
        (404, None, "misconfigured", "misconfigured"),
        (409, LIFECYCLE, None, "lifecycle_conflict"),
        (409, application("ADMIN-UAM-409-2"), "refused", "refused"),
        (415, application("ADMIN-UAM-415-1"), "request_rejected", "request_rejected"),
        (418, None, "request_rejected", "request_rejected"),
        (429, {"code": 429, "message": "slow down"}, "rate_limited", "rate_limited"),
        (429, None, "rate_limited", "rate_limited"),
        (301, None, "misconfigured", "misconfigured"),
        (500, application("ADMIN-500-1"), "unavailable", "unavailable"),
        (503, {"key": "accountNotFound"}, "unavailable", "unavailable"),
        (599, None, "unavailable", "unavailable"),
    ],
)
def test_each_error_has_one_meaning(status, body, about_us, about_account):
    """A wrong key must pause the target, and one odd account must not."""
    if about_us:
        assert word(fault(status, body, about_account=False)) == about_us
    assert word(fault(status, body, about_account=True)) == about_account


def test_every_meaning_is_a_reason_that_an_operator_can_look_up():
    """A word that the list does not know would stand in the record unexplained."""
    tables = (MEANING, MEANING_FOR_AN_ACCOUNT, CLOUD.meaning, CLOUD.for_an_account)
    words = {word for table in tables for word in table.values()} | LOCKED_OUT | {"administrator"}

    assert words <= set(reasons.JOB)


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        "accountNotFound",
        {"key": "somethingElse"},
        {"errors": []},
        {"errors": [application("ADMIN-404-8")["errors"][0], {"code": "ADMIN-404-2"}]},
        {"errors": "ADMIN-404-8"},
        {"message": "ADMIN-404-8"},
        {"detail": "accountNotFound"},
        edge(404, "accountNotFound"),
    ],
)
def test_a_404_without_its_own_code_proves_nothing(body):
    """A wrong organization answers 404 as well: nobody may be called absent for that."""
    assert not absent(answered(404, body))


@pytest.mark.parametrize("status", [200, 400, 403, 410, 500])
def test_the_code_of_absence_counts_with_status_404_only(status):
    """A server in trouble may say anything."""
    assert not absent(answered(status, {"key": "accountNotFound"}))


@pytest.mark.parametrize("directory", ["scim", "google", "somethingNew"])
def test_an_account_of_any_external_directory_is_managed_elsewhere(directory):
    """Leaver then waits for the identity provider instead of holding the job."""
    reason = {"allowed": False, "reason": {"key": f"externalDirectory.{directory}"}}

    assert managed_elsewhere(answered(403, {"key": "forbidden.action", "context": reason}))


@pytest.mark.parametrize("context", [None, "text", 7, [], {}, {"reason": "x"}, {"reason": {}}])
def test_a_context_of_another_shape_is_no_external_directory(context):
    """`context` was seen as a text where the description says object."""
    error = fault(403, {"key": "forbidden.action", "context": context})

    assert (type(error), error.reason) == (Refused, "refused")


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (409, None),
        (409, application("ADMIN-UAM-409-2")),
        (400, application("ADMIN-UAM-400-2", "Inactive user")),
        (400, application("ADMIN-UAM-400-1", "User is already suspended")),
    ],
)
def test_a_second_suspend_may_be_refused_because_the_first_worked(status, body):
    """What it answers is documented nowhere, so every likely refusal leaves it to the read-back."""
    assert perhaps_done(answered(status, body))


def test_other_refusals_of_a_suspend_are_real():
    """Else a refused suspend would only show as an account that stays active."""
    assert not perhaps_done(answered(400, application("ADMIN-UAM-400-1", "Bad request")))
    assert not perhaps_done(answered(403, None))


def test_an_administrator_who_cannot_be_suspended_is_named_as_such():
    """The operator must take the role away, not report a bug; its code is not published."""
    titles = ("Cannot suspend an organization admin", "User is an Administrator of the org")
    for title in titles:
        assert fault(400, application("ADMIN-UAM-400-1", title)).reason == "administrator"
    assert fault(400, application("ADMIN-UAM-400-1", "Bad")).reason == "request_rejected"


@pytest.mark.parametrize(
    ("body", "code", "says"),
    [
        ({"errorMessages": [], "errors": {"active": "Leads HR."}}, "active", "Leads HR"),
        ({"errorMessages": ["No."], "errors": {"active": "x"}}, "", "No. x"),
        ({"errorMessages": [], "errors": {"active": "x", "name": "y"}}, "", "x. y"),
        ({"errorMessages": ["a.", 7, None], "errors": {}}, "", "a. 7"),
        ({"errorMessages": "no", "errors": []}, "", ""),
    ],
)
def test_jira_names_the_field_that_it_refuses(body, code, says):
    """The text comes in the language of the caller; the field does not."""
    assert problem_of(body) == (code, says)


def test_a_phrase_counts_only_where_it_was_published_for():
    """Jira names its administrators in every other refusal."""
    told = answered(400, {"errorMessages": ["Contact your Jira administrators"], "errors": {}})
    said = {"dialect": Dialect(), "needs_body": True, "about_account": True, "now": NOW}

    assert fault_of("a.call", told, **said).reason == "request_rejected"
    assert fault_of("a.call", told, **said | {"dialect": CLOUD}).reason == "administrator"


def test_the_codes_of_a_lifecycle_conflict_reach_the_operator():
    """They say what the leaver still owns."""
    assert fault(409, LIFECYCLE).detail == "409 conflict.lifecycleErrors: ownsSite billing"


# Answers that are none ----------------------------------------------------------------------------


@pytest.mark.parametrize("status", [200, 201, 202, 204, 206])
@pytest.mark.parametrize("flaw", ["", "a web page", "the answer broke off"])
def test_a_read_without_a_body_is_no_answer(status, flaw):
    """An empty 200 for a search must never look like "nobody"."""
    assert isinstance(fault(status, None, flaw=flaw), Unavailable)


def test_a_read_is_answered_by_200_only():
    """206 would be a part of the list."""
    assert isinstance(fault(206, {"data": []}), Unavailable)
    assert fault(200, {"data": []}) is None


@pytest.mark.parametrize("status", [200, 202, 204])
def test_a_write_may_be_answered_without_a_body(status):
    """Atlassian answered 204 and 200 in turn; reading back decides."""
    assert fault(status, None, needs_body=False) is None


def test_a_write_answered_by_a_web_page_has_no_known_outcome():
    """A portal in between says 200 to everything."""
    assert isinstance(fault(200, None, needs_body=False, flaw="a web page"), Unavailable)


@pytest.mark.parametrize("status", [403, 500, 502])
def test_an_error_page_of_something_in_between_is_an_outage(status):
    """A proxy's refusal is not Atlassian's word about the account."""
    assert isinstance(fault(status, None, flaw="a web page"), Unavailable)


def test_a_404_that_broke_off_is_an_outage():
    """It may have been the proof that somebody is absent; a page comes from a wrong address."""
    assert isinstance(fault(404, None, flaw="the answer broke off"), Unavailable)
    assert fault(404, None, flaw="a web page").reason == "misconfigured"


def test_no_answer_at_all_is_an_outage():
    """Connection refused, dropped or timed out: the next attempt reads before it writes."""
    error = fault(None, flaw="no answer in time")

    assert (type(error), error.detail) == (Unavailable, "no answer in time")


# How long to wait ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"Retry-After": "3"}, timedelta(seconds=3)),
        ({"Retry-After": " 0 "}, timedelta()),
        ({"Retry-After": "9" * 400}, LONGEST_WAIT),
        ({"Retry-After": format_datetime(NOW + timedelta(minutes=2))}, timedelta(minutes=2)),
        ({"Retry-After": "Mon, 23 Nov 2026 12:00:30 GMT"}, timedelta(seconds=30)),
        ({"Retry-After": "Mon, 23 Nov 2026 11:00:00 GMT"}, timedelta()),
        ({"X-RateLimit-Reset": "2026-11-23T12:01:00Z"}, timedelta(minutes=1)),
        ({"X-RateLimit-Reset": "2026-11-23T12:01:00.000+00:00"}, timedelta(minutes=1)),
        ({"X-RateLimit-Reset": "2026-11-23T12:01:00"}, timedelta(minutes=1)),
        ({"X-RateLimit-Reset": "2026-11-24T12:00:00Z"}, LONGEST_WAIT),
        ({"Retry-After": "soon", "X-RateLimit-Reset": "2026-11-23T12:01Z"}, timedelta(minutes=1)),
        ({"Retry-After": "3", "X-RateLimit-Reset": "2026-11-23T13:00Z"}, timedelta(seconds=3)),
        ({"Retry-After": "-3"}, None),
        ({"Retry-After": "1.5"}, None),
        ({"Retry-After": "²"}, None),
        ({"X-RateLimit-Reset": "60"}, None),
        ({"X-RateLimit-Reset": "1795435200"}, None),
        ({}, None),
    ],
)
def test_the_target_says_how_long_to_wait(headers, wait):
    """Retry-After in both forms, else Atlassian's reset, which is a date and no number."""
    assert asked_wait(headers, NOW) == wait
    assert fault(429, headers=headers).retry_after == wait


def test_an_outage_may_also_say_how_long_it_lasts():
    """A 503 for maintenance often does."""
    assert fault(503, headers={"Retry-After": "60"}).retry_after == timedelta(minutes=1)


@given(st.text(), st.text(), st.datetimes(timezones=st.just(UTC)))
def test_no_header_can_ask_for_too_long_or_too_little(retry_after, reset, now):
    """A wait is never negative, never endless, and never an exception."""
    wait = asked_wait({"Retry-After": retry_after, "X-RateLimit-Reset": reset}, now)

    assert wait is None or timedelta() <= wait <= LONGEST_WAIT


# What is written down -----------------------------------------------------------------------------

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
FIELDS = ("errors", "key", "context", "reason", "errorCodes", "code", "message", "status", "error")
bodies = json_values | st.recursive(
    json_values,
    lambda inner: (
        st.dictionaries(st.sampled_from((*FIELDS, "title")), inner, max_size=6)
        | st.lists(inner, max_size=3)
    ),
    max_leaves=12,
)


@given(st.integers(100, 999), bodies, st.booleans(), st.booleans())
def test_every_body_with_every_status_is_understood(status, body, about_account, needs_body):
    """Whatever comes, the worker gets an error of ours or an answer, and a short printable text."""
    error = fault(status, body, about_account=about_account, needs_body=needs_body)

    if 200 <= status < 300:
        assert error is None or isinstance(error, Unavailable)
    else:
        assert isinstance(error, Refused | Unavailable | LockedOut)
        assert len(error.detail) <= DETAIL_LENGTH
        assert error.detail.isprintable()


emails = st.emails().filter(lambda email: " " not in email)


@given(
    emails,
    st.sampled_from((400, 401, 403, 404, 409, 429, 500)),
    st.sampled_from(
        (
            lambda text: application("ADMIN-UAM-400-1", text),
            lambda text: application(text, detail=text),
            lambda text: {"key": text, "context": {"reason": {"key": text}}},
            lambda text: {"code": 401, "message": text},
            lambda text: {"status": 404, "error": text, "message": text},
            lambda text: {"message": text},
        )
    ),
    st.text(max_size=20),
)
def test_no_error_repeats_an_email_address(email, status, shape, around):
    """Errors go to log and alarm, where no personal data may be."""
    for text in (f"{around} {email} {around}", email.replace("@", "%40"), f"user={email}."):
        error = fault(status, shape(text))

        assert email not in str(error)
        assert "@" not in error.detail
        assert "%40" not in error.detail


@given(st.text())
def test_plain_text_is_one_short_printable_line(text):
    """It is stored in two databases and shown in terminals."""
    assert plain(text).isprintable()
    assert len(plain(text)) <= DETAIL_LENGTH
    assert json.loads(json.dumps(plain(text)).encode()) == plain(text)


def test_errors_that_differ_are_all_shown():
    """None of them may be lost just because they prove nothing together."""
    body = {"errors": [{"code": "A-1", "title": "one"}, {"code": "B-2", "title": "two"}]}
    error = fault(400, body)

    assert isinstance(error, TargetError)
    assert all(part in error.detail for part in ("A-1", "B-2", "one", "two"))
