"""A worker as it runs in production, with a target in memory and a clock to be moved by hand."""

from datetime import timedelta
from pathlib import Path

import sqlalchemy as sa

from config.settings import load
from tests.workers.fakes import FakeClock, FakeHr, FakeTarget, FakeWaker
from tests.workers.records import HOUR, SECOND, job_row
from workers import attempts
from workers.leavers import UNFINISHED, JobId
from workers.ledger import Ledger
from workers.ledger import tables as t
from workers.runtime import Runtime
from workers.sweep import Sweep

SETTINGS = """
[ledger]
url = "{url}"

[policy]
mode = "act"
timezone = "UTC"
brake = []

[verify]
timeout = "10s"

[sources.bamboohr]
kind = "bamboohr"
secrets = ["test-key-not-a-secret"]
api = {{ base_url = "https://acme.bamboohr.com", api_key = "test-api-key-not-a-secret" }}

[sources.hr]
kind = "bamboohr"
secrets = ["test-key-not-a-secret"]

[targets.cloud]
kind = "atlassian-org"
org_id = "an-organization"
api_key = "test-key-not-a-secret"
concurrency = 4
"""


class Shop:
    """One worker process on a ledger: its runtime, its sweep, and what is in its queue."""

    def __init__(
        self,
        ledger: Ledger,
        home: Path,
        *targets: FakeTarget,
        clock: FakeClock | None = None,
        name: str = "w1",
        hr: FakeHr | None = None,
    ) -> None:
        url = ledger.engine.url.render_as_string(hide_password=False)
        self.file = home / f"{name}.toml"
        self.file.write_text(SETTINGS.format(url=url))
        self.ledger = ledger
        self.clock = clock or FakeClock()
        self.runtime = Runtime(lambda: load(self.file, {}))
        self.runtime.name = name
        self.runtime.ledger = Ledger(ledger.engine)  # Its own, as another process has.
        # The seams of the product: what it builds from settings, and the time.
        self.runtime.targets = {target.name: target for target in targets}
        self.runtime.hr = {"bamboohr": hr} if hr else {}
        self.runtime.clock = self.clock  # type: ignore[assignment]  # one that is moved by hand
        self.waker = FakeWaker()
        self.sweep = Sweep(self.runtime, self.waker)  # type: ignore[arg-type]  # a list for a queue

    def close(self) -> None:
        self.runtime.ledger.close()

    def run(self, job: JobId) -> None:
        """The wake-up of a job arrives."""
        attempts.run(self.runtime, job)

    def look(self) -> None:
        """One look of the sweep, and every wake-up it sends."""
        self.sweep.once(self.clock.now())
        for job in self.waker.take():
            self.run(job)

    def work(self, *jobs: JobId, within: timedelta = HOUR) -> None:
        """Look, again and again, until these jobs are finished or held."""
        end = self.clock.now() + within
        while any(self._goes_on(job) for job in jobs):
            assert self.clock.now() < end, [dict(job_row(self.ledger, job)) for job in jobs]
            self._look_and_wait()

    def spend(self, span: timedelta) -> None:
        """Look, again and again, for so long."""
        end = self.clock.now() + span
        while self.clock.now() < end:
            self._look_and_wait()

    def _look_and_wait(self) -> None:
        """One look, and then nothing until something is due: not a second earlier, not two late."""
        self.look()
        with self.ledger.read() as tx:
            due = sa.func.coalesce(t.jobs.c.lease_until, t.jobs.c.due_at)
            waiting = t.jobs.c.state.in_(UNFINISHED), t.jobs.c.state != "held"
            soonest = tx.scalar(sa.select(sa.func.min(due)).where(*waiting))
            paused_until = tx.scalar(sa.select(sa.func.max(t.targets.c.paused_until)))
        now = self.clock.now()
        following = max(soonest or now, paused_until or now, now + SECOND)
        self.clock.move(min(following - now, HOUR))

    def _goes_on(self, job: JobId) -> bool:
        state = job_row(self.ledger, job)["state"]
        return state in UNFINISHED and state != "held"
