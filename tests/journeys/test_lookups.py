"""An event-based webhook of BambooHR: no values, and the account is off all the same."""

from tests.installation import DEACTIVATED, SOURCE
from tests.workers.targets.sandbox import Control
from workers.sandbox.bamboohr.employees import API_KEY, Employee
from workers.sandbox.people import LENA

EMPLOYEE = Employee(LENA.email)


def test_a_thin_event_ends_in_a_deactivated_account(installation):
    """`leaver send`, as BambooHR recommends its webhooks; the values come from its API."""
    url = installation.sandbox.base_url
    installation.configure(
        {
            f"sources.{SOURCE}.api.base_url": f"{url}/bamboohr",
            f"sources.{SOURCE}.api.api_key": API_KEY,
        }
    )
    installation.start("serve")
    installation.start("work")
    hr = Control(url, "/bamboohr")
    hr.change(EMPLOYEE, status="Inactive", employment="Terminated")

    [sent] = installation.read("send", SOURCE, "--event", "lookup", "--email", LENA.email)
    installation.wait_for_ends(LENA.email)

    assert sent["answer"]["elements"]["lookup"] == 1
    assert installation.ends(LENA.email) == {LENA.email: DEACTIVATED}
    hr.close()
