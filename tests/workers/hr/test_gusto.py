"""What Gusto is asked, and that no error of it reads as an answer."""

from zoneinfo import ZoneInfo

import pytest

from config.sources import Api
from tests.workers.records import DAY, NOW
from tests.workers.targets.books import Book
from tests.workers.targets.sandbox import Control
from workers.errors import LockedOut, Refused, Unavailable
from workers.hr.gusto import Gusto
from workers.leavers import LeaverKind
from workers.limits import Unlimited
from workers.sandbox.employees import Employee
from workers.sandbox.gusto import TOKEN

LENA = Employee("lena.vogt@example.com")
ID = LENA.account_id


@pytest.fixture
def company(hr_sandbox_url):
    control = Control(hr_sandbox_url, "/gusto")
    control.reset()
    yield control
    control.close()


@pytest.fixture
def ask(company):
    """Asks the faked Gusto about Lena, or whoever has this id."""

    def asked(employee_id=ID, *, last_email="", key=TOKEN):
        api = Api.model_validate({"base_url": f"{company.base_url}/gusto", "api_key": key})
        hr = Gusto(api, ZoneInfo("Europe/Berlin"), Unlimited())
        hr.prove_credential(Book())
        return hr.employee(Book(), employee_id, last_email=last_email, now=NOW)

    return asked


def test_whoever_is_terminated_leaves_with_the_work_address(company, ask):
    """The private one may be that of another account."""
    company.change(LENA, terminated=True, termination_date="2026-11-20")

    said = ask()

    assert (said.kind, said.email, said.employee_id) == (LeaverKind.TERMINATED, LENA.email, ID)
    assert said.cutoff.at == NOW


def test_a_date_ahead_is_the_cutoff(company, ask):
    """The last of several: somebody may have left before."""
    dates = [{"effective_date": "2020-01-31"}, {"effective_date": "2026-12-01"}]
    company.change(LENA, terminated=True, says={"terminations": dates})

    assert ask().cutoff.at > NOW + 7 * DAY


def test_without_a_date_it_is_now(company, ask):
    """Gusto itself says that they are terminated."""
    company.change(LENA, terminated=True, says={"terminations": None})

    assert ask().cutoff.at == NOW


def test_whoever_is_not_terminated_works_here(company, ask):
    """Also who left once, and came back; that may take back what HR said before."""
    assert ask().kind is LeaverKind.REHIRED

    former = [{"active": True, "effective_date": "2020-01-31"}]
    company.change(LENA, says={"terminations": former})
    assert ask().kind is LeaverKind.REHIRED


@pytest.mark.parametrize(
    "says",
    [
        {"terminated": None},
        {"terminated": "true"},
        {"terminated": 1},
        {"terminated": False, "terminations": [{"active": False, "effective_date": "2026-11-20"}]},
        {"terminated": False, "terminations": [{"effective_date": "2020-01-31"}]},
        {"terminations": "none"},
        {"terminations": ["2026-11-20"]},
        {"terminations": [{"effective_date": "20 November"}]},
        {"uuid": "somebody-else"},
        {"uuid": None},
        {"work_email": ["lena.vogt@example.com"]},
        {"work_email": "Lena <lena.vogt@example.com>"},
    ],
)
def test_what_is_unclear_is_neither_an_answer_nor_the_other(company, ask, says):
    """It is held, for a person to look at."""
    company.change(LENA, terminated=True, says=says)

    with pytest.raises(Refused) as refused:
        ask()
    assert refused.value.reason == "hr_unclear"


@pytest.mark.parametrize("email", [None, "", " "])
def test_a_blanked_address_is_the_last_one_seen(company, ask, email):
    """And never the private one."""
    company.change(LENA, terminated=True, says={"work_email": email})

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
        ("html_404", LockedOut),
        ("500", Unavailable),
        ("html", Unavailable),
        ("empty", Unavailable),
        ("truncated", Unavailable),
        ("dropped", Unavailable),
    ],
)
def test_no_error_is_an_answer(company, ask, fault, kind):
    """It is asked again later."""
    company.fault(fault, "gusto.employee.get")

    with pytest.raises(kind):
        ask()


def test_a_wrong_token_is_refused(ask):
    """As `leaver doctor` says."""
    with pytest.raises(LockedOut) as refused:
        ask(key="another-token-not-a-secret")
    assert refused.value.reason == "credential_refused"
