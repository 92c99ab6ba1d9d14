"""What every client of an HR system passes that is asked with a token, against its fake."""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

import pytest

from config.sources import Api
from tests.workers.records import NOW
from tests.workers.targets.books import Book
from tests.workers.targets.sandbox import Control
from workers.errors import LockedOut, Refused, Unavailable
from workers.hr.base import HrSystem
from workers.leavers import LeaverKind
from workers.limits import Unlimited
from workers.sandbox.employees import Employee
from workers.targets.base import Limit

LENA = Employee("lena.vogt@example.com")
ID = LENA.account_id


class HrConformance:
    """A subclass says which HR system, and what of its answers is unclear, or holds no address."""

    place: str  # where the sandbox has it
    client: Callable[[Api, ZoneInfo, Limit], HrSystem]
    token: str
    operations: ClassVar[tuple[str, ...]]  # of the sandbox: each may fail
    unclear: ClassVar[tuple[Mapping[str, Any], ...]]
    no_address: ClassVar[tuple[Mapping[str, Any], ...]]

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Ask each test about every answer that the subclass names."""
        for name in ("operations", "unclear", "no_address"):
            if name in metafunc.fixturenames:
                metafunc.parametrize(name, getattr(self, name), ids=str)

    @pytest.fixture
    def company(self, hr_sandbox_url):
        """The operator of the fake."""
        control = Control(hr_sandbox_url, f"/{self.place}")
        control.reset()
        yield control
        control.close()

    @pytest.fixture
    def ask(self, company):
        """Asks about Lena, or whoever has this id."""

        def asked(employee_id=ID, *, last_email="", key=self.token):
            url = f"{company.base_url}/{self.place}"
            api = Api.model_validate({"base_url": url, "api_key": key})
            hr = type(self).client(api, ZoneInfo("Europe/Berlin"), Unlimited())
            hr.prove_credential(Book())
            return hr.employee(Book(), employee_id, last_email=last_email, now=NOW)

        return asked

    def test_whoever_is_terminated_leaves_with_the_work_address(self, company, ask):
        """The private one may be that of another account."""
        company.change(LENA, terminated=True, termination_date="2026-11-20")

        said = ask()

        assert (said.kind, said.email, said.employee_id) == (LeaverKind.TERMINATED, LENA.email, ID)
        assert said.cutoff.at == NOW

    def test_whoever_is_not_terminated_works_here(self, ask):
        """That may take back what HR said before."""
        assert ask().kind is LeaverKind.REHIRED

    def test_what_is_unclear_is_neither_an_answer_nor_the_other(self, company, ask, unclear):
        """It is held, for a person to look at."""
        company.change(LENA, terminated=True, says=unclear)

        with pytest.raises(Refused) as refused:
            ask()
        assert refused.value.reason == "hr_unclear"

    def test_without_a_work_address_the_last_one_seen_counts(self, company, ask, no_address):
        """HR may blank it when somebody leaves; the private one never counts."""
        company.change(LENA, terminated=True, says=no_address)

        assert ask(last_email=LENA.email).email == LENA.email
        with pytest.raises(Refused) as refused:
            ask()
        assert refused.value.reason == "hr_no_email"

    @pytest.mark.parametrize("employee_id", ["", "nobody"])
    def test_whoever_is_unknown_is_held(self, ask, employee_id):
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
    def test_no_error_is_an_answer(self, company, ask, operations, fault, kind):
        """It is asked again later."""
        company.change(LENA, terminated=True)
        company.fault(fault, operations)

        with pytest.raises(kind):
            ask()

    def test_a_wrong_token_is_refused(self, ask):
        """As `leaver doctor` says."""
        with pytest.raises(LockedOut) as refused:
            ask(key="another-token-not-a-secret")
        assert refused.value.reason == "credential_refused"
