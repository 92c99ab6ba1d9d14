"""How fast is the console over a million jobs?  `make bench-console`

The ledger of five years (crowd.py) behind the real `leaver console`.  Every page with each of its
filters, every list of the API, what the command line reads, and what each worker asks of the ledger
all the time, are asked for in turn, many times over.  Exit code 1 if, of any of them, 95 of 100
answers do not come within 200 ms.

`--ledger postgresql` starts a private server; `--jobs 20000 --rounds 3` is a quick look.
"""

# ruff: noqa: T201 - it prints what it measured

import argparse
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sized
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from urllib.parse import urlencode

import requests
import sqlalchemy as sa

from config.settings import load
from config.sources import OPERATOR
from tests.bench import crowd
from tests.servers import PostgresServer, find_postgres, free_port, wait_until
from tests.workers.records import delivery, person
from webhook.cli.situation import log_errors_only
from workers import watch, watch_sources
from workers.leavers import DeliveryStatus, JobId, Outcome, State, new_id
from workers.ledger import (
    Ledger,
    due,
    intake,
    moves,
    open_ledger,
    sessions,
    sightings,
    tallies,
    tokens,
)
from workers.ledger import tables as t
from workers.ledger.queries import NotFound, brakes, condition, deliveries, holds, jobs, trail
from workers.ledger.queries.deliveries import DeliveryFilter
from workers.ledger.queries.jobs import Job, JobFilter
from workers.ledger.users import Role

LIMIT_MS = 200.0
CONFIGURATION = """
[console]
listen = "127.0.0.1:{port}"
[ledger]
url = "{ledger}"
[queue]
url = "redis://127.0.0.1:{nobody}/0"
[policy]
timezone = "Europe/Berlin"
approve = "all"
[targets.cloud]
kind = "atlassian-org"
org_id = "test-org"
api_key = "test-key-not-a-secret"
operated_by = "it-admin@example.com"
[targets.jira-dc]
kind = "jira-dc"
base_url = "https://jira.example.com"
token = "test-key-not-a-secret"
operated_by = "it-admin@example.com"
"""
SOURCE = """
[sources.{name}]
kind = "standard"
secrets = ["whsec_dGVzdC1rZXktbm90LWEtc2VjcmV0LWF0LWFsbA=="]
"""
PAGE = 50
NOBODY, NO_ID = "nobody@example.com", "0123456789ab"

#: What is asked of the list of jobs; of each the first page and the last one.
JOBS: tuple[Mapping[str, str], ...] = (
    {},
    *({"state": each} for each in ("done", "held", "failed", "cancelled", "scheduled", "queued")),
    *({"outcome": each} for each in ("deactivated", "would_deactivate", "no_account", "suspended")),
    *({"source": each} for each in ("bamboohr", "old-hr", "apac", "operator")),
    *({"target": each} for each in ("cloud", "jira-dc", "crowd")),
    *({"reason": each} for each in ("gave_up", "email_domain", "project_lead", "hr_unknown")),
    *({"since": each} for each in ("1h", "2d", "90d", "900d")),
    {"email": NOBODY},
    {"email": crowd.email_of(1000)},
    {"email": NOBODY, "state": "held"},
    {"source": "apac", "target": "crowd"},
    {"source": "workday", "target": "jira-dc", "outcome": "no_account"},
    {"state": "held", "reason": "protected", "source": "apac"},
    {"state": "failed", "since": "2d"},
    {"outcome": "deactivated", "since": "2d"},
    {"outcome": "would_deactivate", "since": "900d"},
    {"reason": "project_lead", "since": "900d"},
    {"source": "old-hr", "since": "90d"},
    {"source": "old-hr", "since": "900d"},
    {"target": "crowd", "since": "900d"},
)


@dataclass
class Asked:
    """One thing that is asked for, how many rows came, and how long that took."""

    name: str
    ask: Callable[[], Sized | int | None]
    took_ms: list[float] = field(default_factory=list)
    rows: int = 0

    def once(self) -> None:
        """Ask, and remember."""
        began = time.perf_counter()
        found = self.ask()
        self.took_ms.append((time.perf_counter() - began) * 1000)
        self.rows = len(found) if isinstance(found, Sized) else int(found or 0)

    def within(self, percent: int) -> float:
        """So many per cent of the answers took no longer, in milliseconds."""
        ordered = sorted(self.took_ms)
        return ordered[max(0, -(-len(ordered) * percent // 100) - 1)]


class Visitor:
    """Somebody who is signed in to the console, or a program with a token."""

    def __init__(self, url: str, ledger: Ledger) -> None:
        now = datetime.now(UTC)
        token = sessions.start(ledger, "bench", Role.APPROVER, how="to measure", now=now)
        own = sessions.of(ledger, token, now)
        bearer = tokens.add(
            ledger, "bench", Role.OPERATOR, lasts=timedelta(days=1), actor="bench", now=now
        )
        assert own is not None
        self._csrf, self._url = own.csrf, url
        self._http = requests.Session()
        self._http.trust_env = False
        self._http.headers["Authorization"] = f"Bearer {bearer}"
        self._http.cookies["leaver_session"] = token

    def get(self, path: str, said: Mapping[str, str] | None = None) -> int:
        """Load a page, or a list of the API; gives its rows."""
        query = f"?{urlencode(said)}" if said else ""
        return _rows(self._http.get(f"{self._url}{path}{query}", timeout=60))

    def post(self, path: str, said: Mapping[str, str]) -> int:
        """Send a form."""
        form = {"csrf": self._csrf, **said}
        return _rows(self._http.post(f"{self._url}{path}", data=form, timeout=60))


def _rows(answer: requests.Response) -> int:
    answer.raise_for_status()
    if answer.headers["Content-Type"] == "application/json":
        said = answer.json()
        return len(said.get("items", said.get("rows", ())))
    return max(0, answer.text.count("<tr>") - 1)


class Sample:
    """Ids from anywhere in the ledger, another one each time."""

    def __init__(self, ledger: Ledger, table: sa.Table, now: datetime) -> None:
        self._random = random.Random(2)
        with ledger.read() as tx:
            self._ids = [self._near(tx, table, now) for _ in range(50)]
            oldest = sa.select(table.c.id).order_by(table.c.id).limit(PAGE + 1)
            #: Behind it comes the last page.
            self.last = str(tx.scalars(oldest).all()[-1])

    def _near(self, tx: sa.Connection, table: sa.Table, now: datetime) -> str:
        if table is t.audit:
            newest = tx.scalar(sa.select(sa.func.max(table.c.id))) or 0
            return str(self._random.randint(1, newest))
        at = now - crowd.SPAN * self._random.random()
        bound = f"{int(at.timestamp() * 1000):012x}"
        near = table.c.id >= f"{bound[:8]}-{bound[8:]}"
        return str(
            tx.scalars(sa.select(table.c.id).where(near).order_by(table.c.id).limit(1)).one()
        )

    def one(self) -> str:
        """One of them."""
        return self._random.choice(self._ids)


def main() -> int:
    log_errors_only()
    options = argparse.ArgumentParser(description=__doc__, add_help=True)
    options.add_argument("--jobs", type=int, default=1_000_000)
    options.add_argument("--rounds", type=int, default=40)
    options.add_argument("--ledger", choices=["sqlite", "postgresql"], default="sqlite")
    chosen = options.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="leaver-console-")))
        file = f"sqlite:///{folder / 'leaver.db'}"
        url = _postgres(stack) if chosen.ledger == "postgresql" else file
        ledger = open_ledger(url)
        stack.callback(ledger.close)
        ledger.migrate()
        crowd.fill(ledger, chosen.jobs, now=datetime.now(UTC), say=_progress())
        return measure(stack, folder, ledger, url, chosen.rounds)


def measure(stack: ExitStack, folder: Path, ledger: Ledger, url: str, rounds: int) -> int:
    """Ask for everything so many times, and say how long it took."""
    now = datetime.now(UTC)
    _be_alive(ledger, now)
    config, port = folder / "leaver.toml", free_port()
    said = {"port": port, "nobody": free_port(), "ledger": url}
    names = [each.name for each in crowd.SOURCES.parts if each.name != OPERATOR]
    sources = "".join(SOURCE.format(name=name) for name in names)
    config.write_text(CONFIGURATION.format(**said) + sources)
    stack.enter_context(_console(config, port))
    visitor = Visitor(f"http://127.0.0.1:{port}", ledger)
    everything = [*_pages(visitor, ledger, now), *_commands(ledger), *_work(ledger, config)]

    order = random.Random(3)
    say = _progress()
    for number in range(rounds):
        say(f"round {number + 1} of {rounds}")
        for each in order.sample(everything, len(everything)):
            each.once()
    _tell(everything)
    return int(any(each.within(95) > LIMIT_MS for each in everything))


def _tell(everything: list[Asked]) -> None:
    print(f"{'':66}{'rows':>6}{'p50':>8}{'p95':>8}{'max':>8}   ms")
    for each in everything:
        p50, p95 = each.within(50), each.within(95)
        over = f"  over {LIMIT_MS:.0f}" if p95 > LIMIT_MS else ""
        print(f"{each.name:66}{each.rows:6}{p50:8.1f}{p95:8.1f}{max(each.took_ms):8.1f}{over}")
    medians = {each.name: each.within(50) for each in everything}
    ratios = {
        name: median / first
        for name, median in medians.items()
        if (first := medians.get(name.removesuffix(", last page"))) and name.endswith("last page")
    }
    worst = max(ratios, key=lambda name: ratios[name])
    print(f"a last page takes {statistics.median(ratios.values()):.2f} times what the first takes")
    print(f"at most {ratios[worst]:.2f} times: {worst}")
    print(f"load average {os.getloadavg()[0]:.1f}, {os.cpu_count()} cores")


def _pages(at: Visitor, ledger: Ledger, now: datetime) -> Iterator[Asked]:
    """Whatever the console serves."""
    job, leaver, delivery, entry = (
        Sample(ledger, table, now) for table in (t.jobs, t.leavers, t.deliveries, t.audit)
    )

    def page(
        path: str, said: Mapping[str, str] | None = None, what: str = "", **more: str
    ) -> Asked:
        name = f"{path} {urlencode(said or {})}".strip() + what
        return Asked(name, lambda: at.get(path, {**(said or {}), **more}))

    def deep(path: str, sample: Sample, said: Mapping[str, str] | None = None) -> Asked:
        about = dict(said or {})
        name = f"{path} {urlencode(about)}".strip() + ", any page"
        return Asked(name, lambda: at.get(path, {**about, "after": sample.one()}))

    def form(path: str, said: Mapping[str, str]) -> Asked:
        return Asked(f"POST {path} {urlencode(said)}", lambda: at.post(path, said))

    for path in ("/", "/brake", "/holds", "/terminate", "/metrics", "/healthz"):
        yield page(path)
    for said in JOBS:
        yield page("/jobs", said)
        yield page("/jobs", said, ", last page", last="1")
    for said in ({}, {"state": "done"}, {"outcome": "no_account"}, {"source": "old-hr"}):
        yield deep("/jobs", job, said)
    yield Asked("/jobs/ID", lambda: at.get(f"/jobs/{job.one()}"))
    for act, said in (("replay", {"state": "failed"}), ("cancel", {"reason": "email_domain"})):
        yield form(f"/acts/{act}", {**said, "all": "1"})
    yield form("/approvals/approve", {"reason": "approval_missing", "all": "1"})

    for said in (
        {},
        *({"source": each.name} for each in crowd.SOURCES.parts),
        {"email": NOBODY},
        {"email": crowd.email_of(1000)},
        {"employee_id": "1000"},
        {"employee_id": "none"},
        {"employee_id": "1000", "source": "apac"},
    ):
        yield page("/leavers", said)
    yield page("/leavers", {}, ", last page", after=leaver.last)
    yield deep("/leavers", leaver)
    yield Asked("/leavers/ID", lambda: at.get(f"/leavers/{leaver.one()}"))

    statuses = ("accepted", "ignored", "quarantined", "duplicate")
    for said in (
        {},
        *({"source": each} for each in ("bamboohr", "old-hr", "apac")),
        *({"status": each} for each in statuses),
        *({"source": "apac", "status": each} for each in statuses),
    ):
        yield page("/deliveries", said)
    yield page("/deliveries", {}, ", last page", after=delivery.last)
    yield deep("/deliveries", delivery)
    yield Asked("/deliveries/ID", lambda: at.get(f"/deliveries/{delivery.one()}"))

    for said in (
        {},
        {"actor": "lena"},
        {"actor": "source:bamboohr"},
        {"actor": "nobody"},
        {"action": "claim"},
        {"action": "cancel"},
        {"action": "none"},
        {"actor": "source:bamboohr", "action": "received"},
        {"actor": "source:bamboohr", "action": "claim"},
        {"actor": "lena", "action": "hold"},
    ):
        yield page("/audit", said)
    yield page("/audit", {}, ", last page", after=entry.last)
    yield deep("/audit", entry)

    for name in ("status", "alarms", "holds", "brake"):
        yield page(f"/api/v1/{name}")
    yield page("/api/v1/alarms", {"limit": "500"})
    yield page("/api/v1/shadow-report", {"since": "1d"})
    for said in (
        {},
        {"limit": "500"},
        {"limit": "500", "source": "old-hr"},
        {"state": "held", "limit": "500"},
        {"reason": "project_lead"},
        {"outcome": "deactivated", "since": "30d", "limit": "500"},
    ):
        yield page("/api/v1/jobs", said)
    for said in (
        {},
        {"limit": "500"},
        {"source": "old-hr", "since": "90d"},
        {"source": "old-hr", "since": "900d"},
        {"status": "duplicate", "since": "30d"},
        {"status": "quarantined", "since": "900d"},
    ):
        yield page("/api/v1/deliveries", said)
    for said in ({}, {"limit": "500"}, {"source": "old-hr"}, {"employee_id": "none"}):
        yield page("/api/v1/leavers", said)
    for said in ({}, {"limit": "500"}):
        yield page("/api/v1/messages", said)
    for said in ({}, {"limit": "500"}, {"actor": "nobody"}, {"action": "cancel", "limit": "500"}):
        yield page("/api/v1/audit", said)
    yield Asked("/api/v1/jobs/ID", lambda: at.get(f"/api/v1/jobs/{job.one()}"))
    yield Asked("/api/v1/leavers/ID", lambda: at.get(f"/api/v1/leavers/{leaver.one()}"))
    yield Asked("/api/v1/deliveries/ID", lambda: at.get(f"/api/v1/deliveries/{delivery.one()}"))


def _commands(ledger: Ledger) -> Iterator[Asked]:
    """What the command line reads, without the start of its process."""
    now = datetime.now(UTC)
    job, leaver = Sample(ledger, t.jobs, now), Sample(ledger, t.leavers, now)

    def counted(wanted: JobFilter) -> Callable[[], list[Job]]:
        return lambda: jobs.listed(ledger, wanted, limit=100) if jobs.count(ledger, wanted) else []

    lately = JobFilter(outcome=Outcome.DEACTIVATED, since=now - timedelta(days=30))
    for name, wanted in {
        "": JobFilter(),
        " --state failed": JobFilter(state=State.FAILED),
        " --source old-hr": JobFilter(source="old-hr"),
        " --outcome deactivated --since 30d": lately,
        " --since 900d": JobFilter(since=now - timedelta(days=900)),
        " --source bamboohr --since 900d": JobFilter(
            source="bamboohr", since=now - timedelta(days=900)
        ),
        " --email": JobFilter(email=NOBODY),
    }.items():
        yield Asked(f"leaver jobs{name}, counted", counted(wanted))
    end = trail.end(ledger)
    yield Asked("leaver jobs --watch, each second", lambda: trail.moved(ledger, end)[0])
    yield Asked("leaver jobs --watch, counted", lambda: jobs.by_state(ledger, JobFilter()))
    old, again = DeliveryFilter("old-hr"), DeliveryFilter(status=DeliveryStatus.DUPLICATE)
    yield Asked("leaver deliveries --source, counted", lambda: deliveries.count(ledger, old))
    yield Asked("leaver deliveries, sent again, counted", lambda: deliveries.count(ledger, again))
    yield Asked("leaver job, by the end of its id", lambda: [jobs.find(ledger, job.one()[-12:])])
    yield Asked("leaver job, by the beginning", lambda: [jobs.find(ledger, job.one()[:18])])
    yield Asked("leaver job, that is none", lambda: _missed(jobs.find, ledger, NO_ID))
    release = partial(jobs.find_with_leavers, states=(State.HELD,))
    yield Asked("leaver release, of a leaver", lambda: _missed(release, ledger, leaver.one()))
    yield Asked("leaver doctor, figures", lambda: condition.figures(ledger, now=now).jobs)
    yield Asked("leaver holds, names", lambda: holds.known(ledger, "source"))
    yield Asked("leaver brake", lambda: brakes.standing(ledger, {}, now=now).brakes)


def _missed(find: Callable[[Ledger, str], object], ledger: Ledger, part: str) -> None:
    with suppress(NotFound):
        find(ledger, part)


def _work(ledger: Ledger, config: Path) -> Iterator[Asked]:
    """What a worker asks all the time, and the road of one leaver."""
    settings = load(config)
    names, room = {*settings.sources, OPERATOR}, {"cloud": 8, "jira-dc": 8, "hr:bamboohr": 8}
    at_once = timedelta(milliseconds=1)

    def now() -> datetime:
        return datetime.now(UTC)

    yield Asked("sweep: expired", lambda: due.expired(ledger, now()))
    yield Asked("sweep: matured", lambda: due.matured(ledger, now()))
    yield Asked("sweep: unknown sources", lambda: due.unknown(ledger, "source", names))
    yield Asked("sweep: unknown targets", lambda: due.unknown(ledger, "target", {*room}))
    yield Asked("sweep: let go", lambda: due.let_go(ledger))
    yield Asked(
        "sweep: wake", lambda: due.to_wake(ledger, room, sources=names, now=now(), grace=at_once)
    )
    yield Asked("sweep: fold the tallies", lambda: tallies.fold(ledger))
    yield Asked("watch: look", lambda: watch.look(ledger, settings.targets, now()))
    yield Asked("watch: remind", lambda: watch.remind(ledger, timedelta(days=1), now()))
    yield Asked("watch: sources", lambda: watch_sources.look(ledger, settings, now()))
    yield Asked("lookout", lambda: sightings.take(ledger, [*room], now=now(), at_most=50))
    yield Asked("a leaver: record, claim, finish", lambda: _road(ledger, names))


def _road(ledger: Ledger, names: set[str]) -> int:
    at = datetime.now(UTC)
    sent = delivery(person(new_id(), cutoff=at), source="bamboohr", at=at)
    week = timedelta(days=7)
    [job] = intake.record(ledger, sent, now=at, dedup_window=week).jobs
    claim = moves.claim(
        ledger,
        JobId(job),
        worker="bench",
        now=at,
        lease=timedelta(minutes=1),
        sources=names,
        concurrency={"cloud": 1000},
    )
    assert claim is not None
    moves.finish(ledger, claim, Outcome.ALREADY_INACTIVE, now=at)
    return 1


@contextmanager
def _console(config: Path, port: int) -> Iterator[None]:
    """The real process."""
    command = [sys.executable, "-m", "webhook.cli", "--config", str(config), "console"]
    with (config.parent / "console.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env=os.environ)
    try:
        wait_until(lambda: _answers(process, port, config.parent / "console.log"), seconds=60)
        yield
    finally:
        process.terminate()
        process.wait(timeout=30)


def _answers(process: "subprocess.Popen[bytes]", port: int, log: Path) -> bool:
    assert process.poll() is None, log.read_text()
    try:
        return requests.get(f"http://127.0.0.1:{port}/sign-in", timeout=5).ok
    except requests.RequestException:
        return False


def _be_alive(ledger: Ledger, now: datetime) -> None:
    """A worker that shows itself as long as anybody asks, and a target that is held."""
    row = {"name": "leaver-1", "started_at": now, "seen_at": now + timedelta(days=1)}
    held = {"kind": "target", "name": "crowd", "held_at": now, "actor": "lena", "reason": "moved"}
    with ledger.write() as tx:
        tx.execute(sa.insert(t.workers).values(**row, sources=[], targets=[]))
        tx.execute(sa.insert(t.holds).values(held))


def _postgres(stack: ExitStack) -> str:
    binaries = find_postgres()
    if binaries is None:
        sys.exit("postgresql is not installed (as root: apt-get install postgresql)")
    server = PostgresServer(binaries)
    stack.callback(server.remove)
    server.start()
    return server.database_url()


def _progress() -> Callable[[str], None]:
    """Tells what is being done, and since how long, where somebody looks."""
    began = time.monotonic()

    def say(what: str) -> None:
        if sys.stderr.isatty():
            print(f"\r{time.monotonic() - began:5.0f} s  {what:50}", end="", file=sys.stderr)

    return say


if __name__ == "__main__":
    sys.exit(main())
