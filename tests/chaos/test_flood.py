"""A broken HR import, or a stolen key: 500 people are terminated within a minute."""

import random
import time
from collections import Counter

import pytest

from tests.installation import DEACTIVATED, End, disables, people
from tests.servers import wait_until
from workers.leavers import State

LIMIT = 10  # the default of policy.brake, within an hour
RELEASED = 25


@pytest.mark.usefixtures("receiver")
@pytest.mark.timeout(300)
def test_a_flood_stops_at_the_brake_and_goes_on_by_the_number(installation):
    """Two workers work on 32 of them at once, and now and then one is killed."""
    everybody = people(500)
    installation.sandbox.add(*everybody)
    installation.sandbox.behave(latency=0.05)
    installation.configure({"policy.brake": None, "targets.cloud.concurrency": 32})
    workers = [installation.start("work"), installation.start("work")]

    for start in range(0, len(everybody), 10):
        assert installation.send(*everybody[start : start + 10]).status_code == 202
    kill_now_and_then(installation, workers)
    installation.wait_for_ends(seconds=200)

    braked = End("held", None, "brake")
    assert Counter(installation.ends().values()) == {DEACTIVATED: LIMIT, braked: 500 - LIMIT}
    assert installation.open_alarms() == {"brake"}

    release = ("brake", "release", "--leavers", str(RELEASED), "--reason", "these leave")
    assert installation.leaver(*release).returncode == 0
    kill_now_and_then(installation, workers)
    done = LIMIT + RELEASED
    wait_until(lambda: Counter(installation.ends().values())[DEACTIVATED] >= done, seconds=100)
    installation.wait_for_ends()

    assert Counter(installation.ends().values()) == {DEACTIVATED: done, braked: 500 - done}
    assert len(set(disables(installation.sandbox.writes()))) == done
    assert installation.sandbox.counters()["disables_of_inactive"] == 0


def kill_now_and_then(installation, workers):
    """kill -9 one of the two, and start another in its place, while there is work."""
    moments = random.Random(2026)
    for _ in range(2):
        time.sleep(moments.uniform(0.2, 1.0))
        victim = moments.randrange(2)
        workers[victim].kill()
        workers[victim] = installation.start("work")
        if {job.state for job in installation.jobs()} <= {State.DONE, State.HELD}:
            return
