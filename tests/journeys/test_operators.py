"""What operators do: rehearse in shadow mode, enter, hold, release, cancel and replay."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.installation import DEACTIVATED, End
from tests.servers import wait_until
from workers.leavers import State
from workers.sandbox.people import CAST, LENA, NOBODY, TOM

WHY = ("--reason", "a test")
STANDARD_KEY = "whsec_dGVzdC1rZXktbm90LWEtc2VjcmV0LTEyMzQ="


@pytest.mark.usefixtures("receiver")
def test_shadow_mode_writes_nothing_and_a_replay_then_does(installation):
    """How everybody begins: watch first, then switch it on for what was seen."""
    installation.configure({"policy.mode": "shadow"})
    worker = installation.start("work")
    before = [installation.sandbox.people(person.email) for person in CAST]
    installation.send(*{person.email for person in CAST}, NOBODY)
    installation.wait_for_ends()
    assert installation.ends()[LENA.email] == End("done", "would_deactivate")
    assert installation.sandbox.writes() == []
    assert [installation.sandbox.people(person.email) for person in CAST] == before
    found = installation.read("jobs", "--outcome", "would_deactivate")

    installation.configure({"policy.mode": "act"})
    worker.reload()
    ended = installation.leaver("replay", "--outcome", "would_deactivate", *WHY, "--yes")

    assert (ended.returncode, f"{len(found)} jobs in cloud" in ended.stdout) == (0, True)
    installation.wait_for_ends()
    assert installation.ends()[LENA.email] == DEACTIVATED
    assert installation.sandbox.person(LENA.email)["account_status"] == "inactive"


@pytest.mark.usefixtures("receiver")
def test_a_protected_chief_executive_whom_hr_terminates_keeps_the_account(installation):
    """Somebody hears of it, and reads in the job why it waits and how to go on."""
    installation.configure({"policy.protected": ["tom@example.com", LENA.email]})
    installation.start("work")

    [job] = installation.send(LENA.email).json()["jobs"]
    installation.wait_for_ends()

    assert installation.ends() == {LENA.email: End("held", reason="protected")}
    assert installation.open_alarms() == {"job_held"}
    assert installation.sandbox.writes() == []
    shown = installation.leaver("job", job)
    assert "entry 2 of policy.protected" in shown.stdout
    assert "take it off, then `leaver release ID --reason TEXT`" in shown.stdout + shown.stderr


@pytest.mark.usefixtures("worker")
def test_a_cutoff_ahead_is_waited_for(installation):
    """Nobody's access ends before their last day does."""
    cutoff = datetime.now(UTC) + timedelta(seconds=15)

    [job] = installation.read("terminate", LENA.email, "--at", cutoff.isoformat(), *WHY)

    assert (job["state"], job["reason"]) == ("scheduled", "cutoff_ahead")
    [told] = installation.read("explain", job["id"])
    assert told["next"]["reason"] == "cutoff_ahead"
    installation.wait_for_state(State.DONE)
    first = installation.sandbox.writes()[0]
    assert datetime.fromisoformat(first["at"]) >= cutoff
    assert installation.ends() == {LENA.email: DEACTIVATED}


@pytest.mark.usefixtures("receiver", "worker")
@pytest.mark.parametrize(
    ("command", "stopped", "goes_on"),
    [
        ("hold", End("held", reason="operator_hold"), "release"),
        ("cancel", End("cancelled", reason="operator_cancel"), "replay"),
    ],
)
def test_a_running_job_is_stopped_before_it_writes(installation, command, stopped, goes_on):
    """The operator's word comes too late only when the account is off."""
    installation.sandbox.order("late", operation="manage.get", lasts=60)
    [job] = installation.send(LENA.email).json()["jobs"]
    wait_until(installation.sandbox.hanging)

    [result] = installation.read(command, job, *WHY)
    installation.sandbox.heal()

    assert result["result"] == "stopping"
    wait_until(lambda: installation.ends() == {LENA.email: stopped})
    assert installation.sandbox.writes() == []

    assert installation.leaver(goes_on, job, *WHY, *_yes(goes_on)).returncode == 0
    installation.wait_for_state(State.DONE)
    assert installation.ends() == {LENA.email: DEACTIVATED}


@pytest.mark.usefixtures("receiver", "worker")
def test_a_hold_stops_only_the_job_that_it_names(installation):
    """Somebody else's leaving goes on meanwhile."""
    installation.sandbox.order("late", operation="users.search", email=LENA.email, lasts=60)
    [job] = installation.send(LENA.email).json()["jobs"]
    wait_until(installation.sandbox.hanging)

    installation.read("hold", job, *WHY)
    installation.send(TOM.email)

    installation.wait_for_state(State.DONE, TOM.email)
    installation.sandbox.heal()
    installation.wait_for_state(State.HELD, LENA.email)
    assert installation.sandbox.person(LENA.email)["account_status"] == "active"


@pytest.mark.usefixtures("receiver")
def test_a_replay_of_a_failed_job_keeps_the_old_rounds(installation):
    """What was tried and failed is evidence; and no replay is taken for a repetition."""
    installation.configure({"verify.timeout": "1s", "retry.give_up_after": "1s"})
    installation.start("work")
    installation.sandbox.order("lost_write")
    [job] = installation.send(LENA.email).json()["jobs"]
    installation.wait_for_state(State.FAILED)
    assert installation.open_alarms() == {"job_failed"}
    [failed] = installation.read("job", job)

    installation.sandbox.heal()
    for state in ("failed", "done"):
        ended = installation.leaver("replay", job, "--state", state, *WHY, "--yes")
        assert ended.returncode == 0, ended.stderr
        installation.wait_for_state(State.DONE)

    [shown] = installation.read("job", job)
    assert shown["rounds"][0] == failed["rounds"][0]
    ends = [(each["state"], each["outcome"], each["reason"]) for each in shown["rounds"]]
    assert ends == [
        ("failed", None, "gave_up"),
        ("done", "deactivated", ""),
        ("done", "already_inactive", ""),
    ]
    assert [len(each["attempts"]) > 0 for each in shown["rounds"]] == [True, True, True]
    assert installation.open_alarms() == set()


def test_a_person_whom_hr_takes_back_too_late_gets_the_access_back(installation):
    """Deactivated and taken back by HR: an alarm, one command, and the account is on again."""
    installation.configure(
        {"sources.standard.kind": "standard", "sources.standard.secrets": [STANDARD_KEY]}
    )
    for process in ("serve", "work"):
        installation.start(process)
    send = ("send", "standard", "--email", LENA.email)
    assert installation.leaver(*send).returncode == 0
    installation.wait_for_state(State.DONE)
    assert installation.leaver(*send, "--event", "rescinded").returncode == 0
    assert installation.open_alarms() == {"rescinded_late"}

    [job] = installation.jobs()
    installation.read("reinstate", job.id, *WHY)

    installation.wait_for_state(State.DONE)
    assert [each.outcome for each in installation.jobs()] == ["deactivated", "reinstated"]
    assert installation.sandbox.person(LENA.email)["account_status"] == "active"
    assert installation.open_alarms() == set()


def _yes(command: str) -> list[str]:
    return ["--yes"] if command == "replay" else []
