"""What Gusto is asked, and that no error of it reads as an answer."""

from tests.workers.hr.conformance import LENA, HrConformance
from tests.workers.records import DAY, NOW
from workers.hr.gusto import Gusto
from workers.leavers import LeaverKind
from workers.sandbox.gusto import TOKEN


class TestGusto(HrConformance):
    place = "gusto"
    client = Gusto
    token = TOKEN
    operations = ("gusto.employee.get",)
    unclear = (
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
    )
    no_address = ({"work_email": None}, {"work_email": ""}, {"work_email": " "})

    def test_a_date_ahead_is_the_cutoff(self, company, ask):
        """The last of several: somebody may have left before."""
        dates = [{"effective_date": "2020-01-31"}, {"effective_date": "2026-12-01"}]
        company.change(LENA, terminated=True, says={"terminations": dates})

        assert ask().cutoff.at > NOW + 7 * DAY

    def test_without_a_date_it_is_now(self, company, ask):
        """Gusto itself says that they are terminated."""
        company.change(LENA, terminated=True, says={"terminations": None})

        assert ask().cutoff.at == NOW

    def test_whoever_left_once_and_came_back_works_here(self, company, ask):
        """The old termination may stay in the list."""
        former = [{"active": True, "effective_date": "2020-01-31"}]
        company.change(LENA, says={"terminations": former})

        assert ask().kind is LeaverKind.REHIRED
