"""Every kind of target at once, and every leaver of an account one after the other."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.installation import PATIENCE_S, Installation
from tests.servers import wait_until
from workers.leavers import State
from workers.ledger.queries import jobs as queries
from workers.sandbox.app import SYSTEMS
from workers.sandbox.confluence_dc import users as wiki
from workers.sandbox.crowd import users as crowd
from workers.sandbox.jira_cloud_site import users as site
from workers.sandbox.jira_dc import users as jira
from workers.sandbox.people import TOM
from workers.sandbox.scim import users as scim
from workers.targets import BUILDERS
from workers.targets.jira_cloud_site import WHAT_STAYS

#: By kind: the system that it works on, and its settings.  `cloud` is an atlassian-org already.
TARGETS: dict[str, tuple[str, dict[str, Any]]] = {
    "atlassian-scim": ("scim", {"directory_id": scim.DIRECTORY_ID, "api_key": scim.KEY}),
    "confluence-dc": ("confluence-dc", {"token": wiki.TOKEN, "operated_by": wiki.OPERATOR.email}),
    "crowd": ("crowd", {"application": crowd.APPLICATION, "password": crowd.PASSWORD}),
    "jira-cloud-site": ("jira-cloud-site", {"email": site.OPERATOR.email, "api_token": site.TOKEN}),
    "jira-dc": ("jira-dc", {"token": jira.TOKEN, "operated_by": jira.OPERATOR.email}),
    "jira-um1": ("jira-um1", {"username": jira.OPERATOR.username, "password": jira.PASSWORD}),
}
ALL = {"cloud", *TARGETS}
PLACES = {"", *(system for system, _ in TARGETS.values())}


@pytest.fixture
def everywhere(tmp_path: Path) -> Iterator[Installation]:
    """A Leaver with every kind of target; each delivery goes to all of them."""
    with Installation(tmp_path, queue_url="embedded") as installation:
        settings: dict[str, Any] = {"sources.bamboohr.targets": sorted(ALL)}
        for kind, (system, own) in TARGETS.items():
            # The address of a fake of the cloud has its own beginning already.
            base_url = installation.sandbox.base_url + SYSTEMS[system].prefix * (system != "scim")
            known = {"kind": kind, "base_url": base_url, "calls_per_second": 1000, **own}
            settings |= {f"targets.{kind}.{key}": value for key, value in known.items()}
        installation.configure(settings)
        yield installation


def is_in(installation: Installation, system: str) -> bool:
    """Whether Tom really still has access there."""
    url = f"{installation.sandbox.base_url}/sandbox{SYSTEMS[system].prefix}/people"
    [tom] = requests.get(f"{url}?email={TOM.email}", timeout=PATIENCE_S).json()["people"]
    if system == "":
        return tom["account_status"] == "active"
    return bool(tom["groups"]) if system == "jira-cloud-site" else tom["active"] is True


def states(installation: Installation, *targets: str) -> set[str]:
    """The states of the jobs of these targets."""
    return {job.state for job in installation.jobs() if job.target in targets}


def test_a_leaver_is_gone_from_every_kind_of_target_but_the_one_that_fails(everywhere):
    """One delivery makes a job for each target; each succeeds, or fails, on its own."""
    assert {"atlassian-org", *TARGETS} == set(BUILDERS)
    everywhere.sandbox.order("500", operation="jira-dc.user.update")
    everywhere.start("up")

    accepted = everywhere.send(TOM.email).json()

    assert len(accepted["jobs"]) == len(ALL)
    jobs = {job.target: job for job in everywhere.jobs()}
    assert set(jobs) == ALL
    others = ALL - {"jira-dc"}
    wait_until(lambda: states(everywhere, *others) == {State.DONE}, seconds=PATIENCE_S)
    wait_until(lambda: states(everywhere, "jira-dc") == {State.RETRYING}, seconds=PATIENCE_S)
    assert {system for system in PLACES if is_in(everywhere, system)} == {"jira-dc"}

    everywhere.sandbox.heal()
    everywhere.wait_for_state(State.DONE)

    ended = {job.target: (job.outcome, job.detail) for job in everywhere.jobs()}
    assert ended.pop("jira-cloud-site") == ("suspended", WHAT_STAYS)
    assert {outcome for outcome, _ in ended.values()} == {"deactivated"}
    assert not is_in(everywhere, "jira-dc")


def test_two_leavers_with_one_account_never_write_to_it_at_the_same_time(installation, receiver):
    """Two systems report one person; both jobs run at once, and one waits for the other's end."""
    installation.send(TOM.email)
    installation.read("terminate", TOM.email, "--reason", "a test")
    slow = {"operation": "lifecycle.disable", "lasts": 3}
    installation.sandbox.order("late", **slow)

    installation.start("work")
    installation.wait_for_state(State.DONE)

    assert len(installation.sandbox.calls("lifecycle.disable")) == 1
    jobs = installation.jobs()
    assert sorted(job.outcome for job in jobs) == ["already_inactive", "deactivated"]
    [waited] = [job for job in jobs if job.outcome == "already_inactive"]
    [only] = queries.one(installation.ledger, waited.id).rounds
    assert "account_busy" in [attempt.reason for attempt in only.attempts]
