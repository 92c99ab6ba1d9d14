"""What BambooHR is asked, and that no error of it reads as an answer."""

import pytest

from tests.workers.records import DAY, NOW
from tests.workers.targets.books import Book
from tests.workers.targets.scripted import ScriptedServer, answer
from workers.errors import LockedOut, Refused, Unavailable
from workers.hr.heartbeat import Pulse, felt
from workers.leavers import LeaverKind
from workers.sandbox.bamboohr.employees import Employee

LENA = Employee("lena.vogt@example.com")
GONE = {"status": "Inactive", "employment": "Terminated"}


def asked(hr, employee_id=LENA.account_id, *, last_email="", book=None):
    return hr.employee(book or Book(), employee_id, last_email=last_email, now=NOW)


def test_whoever_hr_says_is_terminated_leaves_now(hr, company):
    """Status and employment status both say so, and the date is not ahead."""
    company.change(LENA, **GONE, termination_date="2026-11-20")

    leaver = asked(hr)

    assert (leaver.kind, leaver.email, leaver.employee_id) == (
        LeaverKind.TERMINATED,
        LENA.email,
        LENA.account_id,
    )
    assert (leaver.cutoff.at, str(leaver.cutoff.hr_date)) == (NOW, "2026-11-20")


def test_a_date_ahead_is_the_cutoff(hr, company):
    """HR may have moved it since the event."""
    company.change(LENA, **GONE, termination_date="2026-12-01")

    assert asked(hr).cutoff.at > NOW + 7 * DAY


def test_whoever_is_active_works_here(hr):
    """That may take back what HR said before."""
    assert asked(hr).kind is LeaverKind.REHIRED


@pytest.mark.parametrize("employment", ["Leave of absence", "Full-Time", "Suspended"])
def test_inactive_alone_is_neither(hr, company, employment):
    """Somebody on leave keeps their access."""
    company.change(LENA, status="Inactive", employment=employment)

    assert asked(hr) is None


@pytest.mark.parametrize("email", ["", "  "])
def test_a_blanked_address_is_the_last_one_seen(hr, ask, company, email):
    """HR may empty the field when somebody leaves."""
    company.change(LENA, **GONE, email="")

    assert asked(hr, last_email=LENA.email).email == LENA.email
    with pytest.raises(Refused) as refused:
        asked(hr)
    assert refused.value.reason == "hr_no_email"


@pytest.mark.parametrize("hidden", ["status", "employmentHistoryStatus", "workEmail"])
def test_what_the_key_may_not_see_is_said_by_name(hr, company, hidden):
    """Null because it is hidden must not read as null because it is empty."""
    company.change(LENA, **GONE, restricted=[hidden])

    with pytest.raises(Refused) as refused:
        asked(hr)

    assert refused.value.reason == "hr_unclear"
    assert hidden in refused.value.detail


@pytest.mark.parametrize("empty", [{"status": None}, {"employment": None}, {"status": ""}])
def test_a_half_that_is_empty_is_unclear(hr, company, empty):
    """Neither a termination nor none."""
    company.change(LENA, **{**GONE, **empty})

    with pytest.raises(Refused) as refused:
        asked(hr)
    assert refused.value.reason == "hr_unclear"


def test_both_halves_empty_are_unclear_too(hr, company):
    """An empty record would else read as somebody who is not terminated."""
    company.change(LENA, status=None, employment=None)

    with pytest.raises(Refused) as refused:
        asked(hr)
    assert refused.value.reason == "hr_unclear"


@pytest.mark.parametrize("employee_id", ["4711", "0", ""])
def test_an_employee_whom_nobody_knows_is_held(hr, employee_id):
    """A record may be deleted; and 0 would be the owner of the key."""
    with pytest.raises(Refused) as refused:
        asked(hr, employee_id)
    assert refused.value.reason == "hr_unknown"


@pytest.mark.parametrize(
    ("fault", "error", "reason"),
    [
        ("401", LockedOut, "credential_refused"),
        ("429", LockedOut, "rate_limited"),
        ("too_often", LockedOut, "rate_limited"),
        ("forbidden", LockedOut, "misconfigured"),
        ("page_404", LockedOut, "misconfigured"),
        ("500", Unavailable, None),
        ("503", Unavailable, None),
        ("limit_503", Unavailable, None),
        ("html", Unavailable, None),
        ("html_502", Unavailable, None),
        ("empty", Unavailable, None),
        ("dropped", Unavailable, None),
        ("truncated", Unavailable, None),
        ("cut", Unavailable, None),
    ],
)
def test_no_trouble_of_hr_is_an_answer(hr, company, fault, error, reason):
    """Least of all "not terminated"."""
    company.change(LENA, **GONE)
    company.always(fault, "bamboohr.employee.get")

    with pytest.raises(error) as raised:
        asked(hr)

    assert getattr(raised.value, "reason", None) == reason


def test_a_limit_that_says_until_when_is_kept(hr, company):
    """BambooHR says "Limit Exceeded" with a 503."""
    company.always("limit_503", "bamboohr.employee.get")

    with pytest.raises(Unavailable) as raised:
        asked(hr)
    assert raised.value.retry_after.total_seconds() == 2


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({"id": "8", "status": "Inactive", "employmentHistoryStatus": "Terminated"}, Refused),
        ({"id": "7"}, Unavailable),
        ({}, Unavailable),
        (["id"], Unavailable),
        ("7", Unavailable),
        ({"error": {"code": 500}}, Unavailable),
        ({"id": "7", "status": ["Inactive"], "employmentHistoryStatus": "Terminated"}, Refused),
    ],
)
def test_an_answer_that_is_not_about_the_employee_is_none(ask, body, error):
    """Whoever is asked for, and nobody else."""
    with ScriptedServer(answer(200, body)) as server, pytest.raises(error):
        asked(ask(server.base_url), "7", last_email="lena@example.com")


def test_an_answer_without_an_id_is_believed(ask):
    """Whether the id is always there is not documented; the address of the call had it."""
    body = {"status": "Active", "employmentHistoryStatus": "Full-Time"}
    with ScriptedServer(answer(200, body)) as server:
        assert asked(ask(server.base_url), "7").kind is LeaverKind.REHIRED


def test_the_customers_own_fields_are_asked_for_too(ask):
    """The same names as in a webhook's body, and they go first."""
    body = {
        "id": "7",
        "status": "Inactive",
        "employmentHistoryStatus": "Terminated",
        "workEmail": "other@example.com",
        "companyEmail": "lena@example.com",
    }
    with ScriptedServer(answer(200, body)) as server:
        leaver = asked(ask(server.base_url, fields={"companyEmail": "email"}), "7")

    assert leaver.email == "lena@example.com"
    assert b"companyEmail" in server.requests[0]


def test_the_call_is_kept_without_the_key(hr, company):
    """The key is the user name: it must not be in the record either."""
    book = Book()

    asked(hr, book=book)

    (call,) = book.calls
    assert (call.name, call.status, call.write) == ("hr.employee", 200, False)
    assert call.path == f"/api/v1/employees/{LENA.account_id}"


def test_a_key_is_proven_whoever_it_belongs_to(hr, ask, company):
    """Its user need not be an employee; but the key must be one."""
    hr.prove_credential(Book())

    with pytest.raises(LockedOut):
        ask(f"{company.base_url}/bamboohr", "test-key-of-a-stranger").prove_credential(Book())


def test_a_wrong_key_is_refused(ask, company):
    """It pauses the lookups, and says nothing about anybody."""
    with pytest.raises(LockedOut) as raised:
        asked(ask(f"{company.base_url}/bamboohr", "test-key-of-a-stranger"))
    assert raised.value.reason == "credential_refused"


@pytest.mark.parametrize(
    ("settings", "pulse"),
    [
        ({}, Pulse.ALIVE),
        ({"webhook_log": [202, 202]}, Pulse.ALIVE),
        ({"webhook_log": [401, 401, 202]}, Pulse.ALIVE),
        ({"webhook_log": [202, 503, 503]}, Pulse.ALIVE),
        ({"webhook_log": [202, 401, 503, 401]}, Pulse.FAILING),
        ({"webhooks": "none"}, Pulse.UNSEEN),
        ({"webhook_url": "https://elsewhere.example.com/webhooks/other"}, Pulse.UNSEEN),
        ({"webhooks": "hidden"}, Pulse.UNREADABLE),
    ],
)
def test_the_pulse_of_a_webhook_is_what_hr_says_of_it(hr, company, settings, pulse):
    """It dies in silence with the account of whoever made it."""
    company.set(**settings)

    assert felt(hr, "bamboohr").pulse is pulse


@pytest.mark.parametrize("fault", ["401", "503", "html", "too_often", "dropped", "truncated"])
@pytest.mark.parametrize("call", ["bamboohr.webhook.list", "bamboohr.webhook.log"])
def test_a_pulse_that_cannot_be_felt_says_nothing(hr, company, fault, call):
    """A rate limit must not read as a dead webhook, nor as a living one."""
    company.set(webhook_log=[202, 202])
    company.always(fault, call)

    assert felt(hr, "bamboohr").pulse is Pulse.UNREADABLE
