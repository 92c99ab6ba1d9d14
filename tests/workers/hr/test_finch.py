"""What Finch is asked, and that no error of it reads as an answer."""

from zoneinfo import ZoneInfo

import pytest

from config.sources import Api
from tests.workers.records import DAY, NOW
from tests.workers.targets.books import Book
from tests.workers.targets.sandbox import Control
from workers.errors import LockedOut, Refused, Unavailable
from workers.hr.finch import Finch
from workers.leavers import LeaverKind
from workers.limits import Unlimited
from workers.sandbox.employees import Employee
from workers.sandbox.finch import TOKEN

LENA = Employee("lena.vogt@example.com")
ID = LENA.account_id


@pytest.fixture
def company(hr_sandbox_url):
    control = Control(hr_sandbox_url, "/finch")
    control.reset()
    yield control
    control.close()


@pytest.fixture
def ask(company):
    """Asks the faked Finch about Lena, or whoever has this id."""

    def asked(employee_id=ID, *, last_email="", key=TOKEN):
        api = Api.model_validate({"base_url": f"{company.base_url}/finch", "api_key": key})
        hr = Finch(api, ZoneInfo("Europe/Berlin"), Unlimited())
        hr.prove_credential(Book())
        return hr.employee(Book(), employee_id, last_email=last_email, now=NOW)

    return asked


def test_whoever_is_terminated_leaves_with_the_work_address(company, ask):
    """The private one may be that of another account."""
    company.change(LENA, terminated=True, termination_date="2026-11-20")

    said = ask()

    assert (said.kind, said.email, said.employee_id) == (LeaverKind.TERMINATED, LENA.email, ID)
    assert said.cutoff.at == NOW


@pytest.mark.parametrize(("date", "ahead"), [("2026-12-01", True), ("", False)])
def test_the_end_date_is_the_cutoff(company, ask, date, ahead):
    """Without one it is now: Finch says that they have left."""
    company.change(LENA, terminated=True, termination_date=date)

    assert (ask().cutoff.at > NOW + 7 * DAY) is ahead


@pytest.mark.parametrize("status", ["active", None])
def test_whoever_is_active_works_here(company, ask, status):
    """Not every provider tells more than is_active."""
    company.change(LENA, says={"employment_status": status})

    assert ask().kind is LeaverKind.REHIRED


@pytest.mark.parametrize("status", ["leave", "Leave", "onboarding", "prehire"])
@pytest.mark.parametrize("active", [True, False, None])
def test_somebody_on_leave_does_not_leave(company, ask, status, active):
    """Whatever is_active says of them."""
    company.change(LENA, says={"employment_status": status, "is_active": active})

    assert ask() is None


@pytest.mark.parametrize(
    "says",
    [
        {"employment_status": None},
        {"employment_status": "gone"},
        {"employment_status": ["terminated"]},
        {"employment_status": "active"},
        {"is_active": True},
        {"is_active": None},
        {"is_active": 0},
        {"end_date": "20 November"},
        {"id": "somebody-else"},
        {"id": None},
        {"emails": "lena.vogt@example.com"},
        {"emails": [LENA.email]},
        {
            "emails": [
                {"data": "a@example.com", "type": "work"},
                {"data": LENA.email, "type": "work"},
            ]
        },
        {"emails": [{"data": "Lena <lena.vogt@example.com>", "type": "work"}]},
    ],
)
def test_what_is_unclear_is_neither_an_answer_nor_the_other(company, ask, says):
    """It is held, for a person to look at."""
    company.change(LENA, terminated=True, says=says)

    with pytest.raises(Refused) as refused:
        ask()
    assert refused.value.reason == "hr_unclear"


@pytest.mark.parametrize(
    "emails", [None, [], [{"data": "l@example.org"}], [{"data": None, "type": "work"}]]
)
def test_without_a_work_address_the_last_one_seen_counts(company, ask, emails):
    """And never the private one, nor one that is not said to be of work."""
    company.change(LENA, terminated=True, says={"emails": emails})

    assert ask(last_email=LENA.email).email == LENA.email
    with pytest.raises(Refused) as refused:
        ask()
    assert refused.value.reason == "hr_no_email"


@pytest.mark.parametrize("employee_id", ["", "nobody"])
def test_whoever_is_unknown_is_held(ask, employee_id):
    """Not taken as somebody who has not left."""
    with pytest.raises(Refused) as refused:
        ask(employee_id)
    assert refused.value.reason == "hr_unknown"


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("401", LockedOut),
        ("forbidden", LockedOut),
        ("too_often", LockedOut),
        ("bare_404", LockedOut),
        ("html_404", LockedOut),
        ("500", Unavailable),
        ("html", Unavailable),
        ("empty", Unavailable),
        ("truncated", Unavailable),
        ("dropped", Unavailable),
    ],
)
@pytest.mark.parametrize("operation", ["finch.employment", "finch.individual"])
def test_no_error_is_an_answer(company, ask, operation, fault, kind):
    """Each of the two may fail; it is asked again later."""
    company.change(LENA, terminated=True)
    company.fault(fault, operation)

    with pytest.raises(kind):
        ask()


def test_a_wrong_token_is_refused(ask):
    """As `leaver doctor` says."""
    with pytest.raises(LockedOut) as refused:
        ask(key="another-token-not-a-secret")
    assert refused.value.reason == "credential_refused"
