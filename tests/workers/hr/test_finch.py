"""What Finch is asked, and that no error of it reads as an answer."""

import pytest

from tests.workers.hr.conformance import LENA, HrConformance
from tests.workers.records import DAY, NOW
from workers.errors import LockedOut
from workers.hr.finch import Finch
from workers.leavers import LeaverKind
from workers.sandbox.finch import TOKEN

WORK = {"data": LENA.email, "type": "work"}


class TestFinch(HrConformance):
    place = "finch"
    client = Finch
    token = TOKEN
    operations = ("finch.employment", "finch.individual")
    unclear = (
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
        {"emails": [{"data": "a@example.com", "type": "work"}, WORK]},
        {"emails": [WORK | {"data": "Lena <lena.vogt@example.com>"}]},
    )
    no_address = (
        {"emails": None},
        {"emails": []},
        {"emails": [{"data": "l@example.org"}]},  # Not said to be of work.
        {"emails": [WORK | {"data": None}]},
    )

    @pytest.mark.parametrize(("date", "ahead"), [("2026-12-01", True), ("", False)])
    def test_the_end_date_is_the_cutoff(self, company, ask, date, ahead):
        """Without one it is now: Finch says that they have left."""
        company.change(LENA, terminated=True, termination_date=date)

        assert (ask().cutoff.at > NOW + 7 * DAY) is ahead

    def test_is_active_alone_will_do(self, company, ask):
        """Not every provider tells more of whoever works there."""
        company.change(LENA, says={"employment_status": None})

        assert ask().kind is LeaverKind.REHIRED

    @pytest.mark.parametrize("status", ["leave", "Leave", "onboarding", "prehire"])
    @pytest.mark.parametrize("active", [True, False, None])
    def test_somebody_on_leave_does_not_leave(self, company, ask, status, active):
        """Whatever is_active says of them."""
        company.change(LENA, says={"employment_status": status, "is_active": active})

        assert ask() is None

    def test_a_wrong_address_is_not_an_unknown_individual(self, company, ask):
        """Finch says of an unknown individual inside an answer that is 200."""
        company.fault("bare_404", "finch.employment")

        with pytest.raises(LockedOut):
            ask()
