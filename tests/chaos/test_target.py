"""Atlassian at its worst: nobody is lost, nobody's attempts are spent, and nothing is believed."""

import pytest

from tests.installation import DEACTIVATED, End, disables, people
from tests.servers import wait_until
from workers.leavers import State
from workers.sandbox.people import LENA, NOBODY, UNMANAGED

pytestmark = pytest.mark.usefixtures("receiver")

EVERYBODY = people(10)


@pytest.mark.usefixtures("worker")
def test_a_storm_of_429_spends_no_attempt(installation):
    """The whole target is paused, one job probes it, and all are done after the storm."""
    installation.sandbox.add(*EVERYBODY)
    installation.sandbox.order("429", retry_after=3)
    installation.send(*EVERYBODY)

    wait_until(lambda: installation.sandbox.hits() >= len(EVERYBODY), seconds=60)

    assert {job.state for job in installation.jobs()} <= {"queued", "running", "retrying"}
    assert {job.attempts for job in installation.jobs()} == {0}
    installation.sandbox.heal()
    installation.wait_for_ends()
    assert installation.ends() == dict.fromkeys(EVERYBODY, DEACTIVATED)


@pytest.mark.usefixtures("worker")
def test_a_search_that_answers_503_is_never_read_as_no_such_account(installation):
    """Promise 4: an error is no answer, whoever is looked for."""
    installation.sandbox.order("503", operation="users.search")
    installation.send(LENA.email, NOBODY)

    wait_until(lambda: installation.sandbox.hits() >= 3, seconds=60)

    assert "done" not in {job.state for job in installation.jobs()}
    installation.sandbox.heal()
    installation.wait_for_ends()
    assert installation.ends() == {LENA.email: DEACTIVATED, NOBODY: End("done", "no_account")}


def test_a_success_that_is_none_is_never_believed(installation):
    """Promise 4: done means read back, not answered 204."""
    installation.configure({"verify.timeout": "1s"})
    installation.start("work")
    installation.sandbox.order("lost_write")
    leavers = [LENA.email, UNMANAGED.email]
    installation.send(*leavers)

    wait_until(lambda: all(job.attempts >= 2 for job in installation.jobs()), seconds=30)

    assert {job.reason for job in installation.jobs()} == {"not_verified"}
    assert "done" not in {job.state for job in installation.jobs()}
    installation.sandbox.heal()
    installation.wait_for_ends()
    assert installation.ends() == {
        LENA.email: DEACTIVATED,
        UNMANAGED.email: End("done", "suspended"),
    }


def test_a_refused_key_pauses_the_target_until_there_is_a_good_one(installation):
    """A key that ran out must cost nobody anything but time, and a person must hear of it."""
    key = {"targets.cloud.api_key": installation.setting("targets.cloud.api_key")}
    installation.configure({"targets.cloud.api_key": "wrong-test-key-not-a-secret"})
    worker = installation.start("work")
    installation.sandbox.add(*EVERYBODY)
    installation.send(*EVERYBODY)

    wait_until(lambda: installation.open_alarms() == {"target_paused"})

    assert {job.attempts for job in installation.jobs()} == {0}
    assert "credential_refused" in {job.reason for job in installation.jobs()}
    assert installation.leaver("doctor").returncode == 3
    installation.configure(key)
    worker.reload()
    installation.wait_for_ends()
    assert installation.ends() == dict.fromkeys(EVERYBODY, DEACTIVATED)
    assert installation.open_alarms() == set()


@pytest.mark.usefixtures("worker")
@pytest.mark.parametrize("fault", ["dropped", "timeout", "500"])
def test_an_answer_that_is_lost_after_the_effect_is_read_back(installation, fault):
    """The account is off: nothing is written again, and it is no outage."""
    installation.sandbox.order(
        fault, operation="lifecycle.disable", after_effect=True, times=1, lasts=60
    )
    installation.send(LENA.email)

    installation.wait_for_state(State.DONE)

    assert installation.ends() == {LENA.email: DEACTIVATED}
    assert disables(installation.sandbox.writes()) == [LENA.account_id]
    [attempt] = installation.job(LENA.email).rounds[0].attempts
    assert attempt.result == "done"
