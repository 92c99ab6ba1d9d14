"""A whole Leaver for one test: a folder, real processes, and the sandbox that they work on.

    Installation   the folder with its configuration; starts processes, sends what HR would send
    Process        one of the processes: can be killed, frozen and told to read its configuration
    Sandbox        the fake Atlassian, in the process of the test, ordered about over HTTP

    with Installation(tmp_path, queue_url=redis_server.url) as installation:
        receiver, worker = installation.start("serve"), installation.start("work")
        answer = installation.send(LENA.email)
        installation.wait_for_ends(LENA.email)

Leaving it ends everything that it started, and fails the test if a process met an error that
nobody had thought of.
"""

import json
import os
import signal
import socket
import subprocess
import tempfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self

import requests
import sqlalchemy as sa

from config.settings import load
from config.sources import BambooHR
from tests import nursery
from tests.servers import free_port, wait_until
from webhook.sources import bamboohr
from webhook.sources.base import Termination, sign
from webhook.verify import sign_bamboohr
from workers.leavers import FINISHED, State
from workers.ledger import open_ledger, tables
from workers.ledger.queries import condition, jobs
from workers.ledger.queries.jobs import Job, JobFilter, JobInFull
from workers.sandbox.app import create_app
from workers.sandbox.atlassian.org import API_KEY, ORG_ID
from workers.sandbox.people import OPERATOR
from workers.sandbox.server import Server
from workers.sandbox.state import Settings as SandboxSettings

SOURCE, TARGET = "bamboohr", "cloud"
KEY = "test-key-not-a-secret"

#: How long a test waits for what takes a moment, also on a busy machine, in seconds.
PATIENCE_S = 60

#: What a process logs of an error that nobody had thought of.
UNEXPECTED = {
    "attempt broke",
    "body not understood",
    "delivery not recorded",
    "doctor broke",
    "element not understood",
    "explanation broke",
    "heartbeat broke",
    "process crashed",
    "sweep broke",
    "thread crashed",
}


class Installation:
    """One Leaver with a source `bamboohr` and a target `cloud`, which is the sandbox."""

    def __init__(self, folder: Path, *, queue_url: str, ledger_url: str | None = None) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}/webhooks/{SOURCE}"
        self.config = folder / "leaver.toml"
        self._server = Server(create_app(SandboxSettings(latency=timedelta())))
        self.sandbox = Sandbox(self._server.base_url)
        self._settings: dict[str, Any] = {
            "server.listen": f"127.0.0.1:{self.port}",
            "console.listen": f"127.0.0.1:{free_port()}",
            "ledger.url": ledger_url or f"sqlite:///{folder / 'leaver.db'}",
            "queue.url": queue_url,
            "policy.mode": "act",
            "policy.timezone": "Europe/Berlin",
            "policy.brake": [],
            "retry.first_delay": "1s",
            "retry.max_delay": "2s",
            "verify.timeout": "5s",
            f"sources.{SOURCE}.kind": "bamboohr",
            f"sources.{SOURCE}.secrets": [KEY],
            f"sources.{SOURCE}.targets": [TARGET],
            f"targets.{TARGET}.kind": "atlassian-org",
            f"targets.{TARGET}.base_url": self._server.base_url,
            f"targets.{TARGET}.org_id": ORG_ID,
            f"targets.{TARGET}.api_key": API_KEY,
            f"targets.{TARGET}.operated_by": OPERATOR.email,
            f"targets.{TARGET}.idp_grace": "1s",
            f"targets.{TARGET}.calls_per_second": 1000,
        }
        self.ledger = open_ledger(self._settings["ledger.url"])
        self._processes: list[Process] = []

    def __enter__(self) -> Self:
        self._server.__enter__()
        self.configure({})
        self.ledger.migrate()
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        for process in self._processes:
            process.ask_to_stop()
        for process in self._processes:
            process.end()
        self._server.__exit__()
        self.ledger.close()
        if kind is None:
            assert not self.unexpected()

    def configure(self, changes: Mapping[str, Any]) -> None:
        """Change the file; None takes a key out.  Who runs already learns of it by reload()."""
        self._settings |= changes
        kept = {key: value for key, value in self._settings.items() if value is not None}
        # A string, number or list of JSON is one of TOML as well.
        self.config.write_text("".join(f"{key} = {json.dumps(kept[key])}\n" for key in kept))

    def setting(self, key: str) -> Any:
        """What the file says."""
        return self._settings[key]

    def start(self, command: str) -> "Process":
        """Start `leaver COMMAND` (serve, work or up), and wait until it does its work.

        And until it has examined what it works with: no fault that is ordered meets those calls.
        """
        if command != "work":
            wait_until(self._port_is_free)
        log = self.folder / f"{command}-{len(self._processes) + 1}.log"
        process = Process(["--config", str(self.config), command], log)
        self._processes.append(process)
        ready = {"serve": self._answers, "work": process.has_signed(self), "up": process.is_up}
        wait_until(ready[command], seconds=PATIENCE_S)
        process.wait_for("doctor done", times=3 if command == "up" else 1)
        return process

    def leaver(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end, as somebody who types it."""
        with tempfile.TemporaryDirectory(dir=self.folder) as folder:
            said, errors = Path(folder, "out"), Path(folder, "err")
            said.touch()
            errors.touch()
            words = ("--config", str(self.config), *words)
            process = nursery.start([*words], said, _environment(), errors=errors)
            process.join(PATIENCE_S)
            if process.exitcode is None:
                process.kill()
                raise AssertionError(f"`leaver {' '.join(words)}` goes on and on")
            output = said.read_text(), errors.read_text()
            return subprocess.CompletedProcess(words, process.exitcode, *output)

    def read(self, *words: str) -> list[Any]:
        """What a command prints with --json, one document a line.  It must succeed."""
        ended = self.leaver(*words, "--json")
        assert ended.returncode == 0, ended.stderr
        return [json.loads(line) for line in ended.stdout.splitlines()]

    # What HR sends

    def send(self, *emails: str, timeout: float = PATIENCE_S) -> requests.Response:
        """One delivery in which all these people have been terminated."""
        body = self.body(*emails)
        return self.post(body, self.sign(body), timeout=timeout)

    def body(self, *emails: str) -> bytes:
        """What BambooHR would send when all these people have been terminated."""
        people = [Termination(email, str(zlib.crc32(email.encode()))) for email in emails]
        _, body = sign(bamboohr, people, self._source(), now=datetime.now(UTC))
        return body

    def sign(self, body: bytes) -> dict[str, str]:
        """The headers with which BambooHR would send `body`."""
        key = self.setting(f"sources.{SOURCE}.secrets")[0].encode()
        return {"Content-Type": "application/json"} | sign_bamboohr(body, key, at=datetime.now(UTC))

    def post(
        self, body: bytes, headers: Mapping[str, str], *, timeout: float = PATIENCE_S
    ) -> requests.Response:
        """Post to the source."""
        return requests.post(self.url, body, headers=dict(headers), timeout=timeout)

    # What the ledger says

    def jobs(self, *emails: str) -> list[Job]:
        """All jobs, or those of these people, oldest first."""
        found = reversed(list(jobs.every(self.ledger, JobFilter())))
        return [job for job in found if not emails or job.email in emails]

    def job(self, email: str) -> JobInFull:
        """The one job of somebody, with all that was done."""
        [found] = self.jobs(email)
        return jobs.one(self.ledger, found.id)

    def open_alarms(self) -> set[str]:
        """The kinds of what a person must know now."""
        return {alarm.kind for alarm in condition.alarms_open(self.ledger)}

    def wait_for_state(self, state: State, *emails: str, seconds: float = PATIENCE_S) -> None:
        """Wait until the jobs of these people, or all jobs, are in this state."""
        self._wait_until(lambda: self._states(*emails) == {state}, seconds)

    def wait_for_ends(self, *emails: str, seconds: float = 60) -> None:
        """Wait until the jobs of these people, or all jobs, have ended or are held."""
        ends = {*FINISHED, State.HELD}
        self._wait_until(lambda: set() < self._states(*emails) <= ends, seconds)

    def ends(self, *emails: str) -> dict[str, "End"]:
        """How the jobs of these people, or all jobs, ended."""
        return {job.email: End(job.state, job.outcome, job.reason) for job in self.jobs(*emails)}

    def unexpected(self) -> list[dict[str, Any]]:
        """The lines of all logs that tell of errors in Leaver itself."""
        lines = [line for process in self._processes for line in process.lines()]
        return [line for line in lines if line["event"] in UNEXPECTED]

    def _states(self, *emails: str) -> set[str]:
        """What is asked again and again, so it is asked of the tables themselves."""
        states = sa.select(tables.jobs.c.state).join(tables.leavers).distinct()
        if emails:
            states = states.where(tables.leavers.c.email.in_(emails))
        with self.ledger.read() as tx:
            return set(tx.scalars(states))

    def _wait_until(self, condition: Callable[[], bool], seconds: float) -> None:
        try:
            wait_until(condition, seconds=seconds)
        except AssertionError:
            counts = Counter(self.ends().values())
            raise AssertionError(f"after {seconds} s: {counts}") from None

    def _source(self) -> BambooHR:
        source = load(self.config, environ={}).sources[SOURCE]
        assert isinstance(source, BambooHR)
        return source

    def _answers(self) -> bool:
        with suppress(requests.RequestException):
            return requests.get(f"http://127.0.0.1:{self.port}/livez", timeout=5).ok
        return False

    def _port_is_free(self) -> bool:
        with socket.socket() as probe, suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", self.port))
            return True
        return False


@dataclass(frozen=True, slots=True)
class End:
    """How a job ended."""

    state: str
    outcome: str | None = None
    reason: str = ""


DEACTIVATED = End("done", "deactivated")


class Process:
    """One process of an installation, with all that it starts itself."""

    def __init__(self, words: list[str], log: Path) -> None:
        self._log = log
        log.touch()  # It is read at once.
        self._process = nursery.start(words, log, _environment())
        self.pid = self._process.pid or 0  # It has been started.

    def ask_to_stop(self) -> None:
        """SIGTERM, also to one that is frozen."""
        for number in (signal.SIGTERM, signal.SIGCONT):
            self._signal(number)

    def end(self) -> None:
        """Wait for the end that it was asked for, and kill whatever is left."""
        self._process.join(timeout=10)
        self.kill()

    def kill(self) -> None:
        """kill -9, and everything that it started."""
        self._signal_all(signal.SIGKILL)
        self._process.join()

    def freeze(self) -> None:
        """Stop it in its tracks; nobody who talks to it is told."""
        self._signal_all(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        self._signal_all(signal.SIGCONT)

    def reload(self, says: str = "configuration read again") -> None:
        """SIGHUP, and wait until it has done so, or says something else."""
        said = self.count(says)
        self._signal(signal.SIGHUP)
        self.wait_for(says, times=said + 1)

    def wait_for(self, event: str, times: int = 1) -> None:
        """Wait until it has logged this event, so often in all."""
        wait_until(lambda: self.count(event) >= times, seconds=PATIENCE_S)

    def children(self) -> list[int]:
        """The processes that it started itself."""
        listed = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text()
        return [int(pid) for pid in listed.split()]

    def lines(self) -> list[dict[str, Any]]:
        """What it logged, the lines that are events."""
        lines = self._log.read_text(errors="replace").splitlines()
        return [json.loads(line) for line in lines if line.startswith("{") and line.endswith("}")]

    def count(self, event: str) -> int:
        """How often it logged this event."""
        # Of thousands of lines, many times: they are not parsed.
        return self._log.read_text(errors="replace").count(f'"event": "{event}"')

    def has_signed(self, installation: Installation) -> Any:
        """Whether this worker has written into the ledger that it is there."""
        name = f"{socket.gethostname()}:{self.pid}"

        def look() -> bool:
            assert self._process.exitcode is None, self._log.read_text()
            alive = condition.workers(installation.ledger, now=datetime.now(UTC))
            return name in {worker.name for worker in alive}

        return look

    def is_up(self) -> bool:
        """Whether `leaver up` says that everything is ready."""
        assert self._process.exitcode is None, self._log.read_text()
        return "ready" in self._log.read_text().splitlines()

    def _signal(self, number: signal.Signals) -> None:
        if self._process.exitcode is None:
            os.kill(self.pid, number)

    def _signal_all(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.pid, number)


class Sandbox:
    """The fake Atlassian.  Every call that Leaver makes is in its log."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url

    def add(self, *emails: str, **facts: Any) -> None:
        """More people, active and managed unless `facts` say otherwise."""
        self._ask("POST", "people", json=[{"email": email} | facts for email in emails])

    def order(self, fault: str, **details: Any) -> None:
        """Have something go wrong: every time, unless `times` says how often."""
        self._ask("POST", "faults", json={"fault": fault, "times": None} | details)

    def heal(self) -> None:
        """Nothing goes wrong any more; what hangs is let go."""
        self._ask("DELETE", "faults")

    def behave(self, **settings: Any) -> None:
        """Change its settings, see workers/sandbox/state.py."""
        self._ask("PATCH", "settings", json=settings)

    def people(self, email: str) -> Any:
        """Everybody with this address, as they really are."""
        return self._ask("GET", f"people?email={email}")["people"]

    def person(self, email: str) -> Any:
        """The one person with this address."""
        [found] = self.people(email)
        return found

    def calls(self, operation: str | None = None) -> Any:
        """Every call, or those of one operation, in order."""
        query = f"?operation={operation}" if operation else ""
        return self._ask("GET", f"calls{query}")["calls"]

    def hits(self) -> int:
        """How many calls a fault has fallen on."""
        return sum(order["hits"] for order in self._ask("GET", "faults")["orders"])

    def hanging(self) -> int:
        """How many calls have not been answered yet."""
        return sum(not call["finished"] for call in self.calls())

    def writes(self) -> Any:
        """The calls that write, in order."""
        return self._ask("GET", "writes")["writes"]

    def counters(self) -> Any:
        """What it counted, see workers/sandbox/calls.py."""
        return self._ask("GET", "calls?since=1000000000")["counters"]

    def _ask(self, method: str, what: str, **options: Any) -> Any:
        url = f"{self.base_url}/sandbox/{what}"
        answer = requests.request(method, url, timeout=PATIENCE_S, **options)
        assert answer.ok, answer.text
        return answer.json() if answer.content else None


def people(number: int, name: str = "person") -> list[str]:
    """So many addresses."""
    return [f"{name}-{place}@example.com" for place in range(1, number + 1)]


def disables(writes: Iterable[Mapping[str, Any]]) -> list[str]:
    """The account of each disable, also of those that changed nothing."""
    return [call["account_id"] for call in writes if call["operation"] == "lifecycle.disable"]


def _environment() -> dict[str, str]:
    """Ours, with no proxy between the processes."""
    return os.environ | {"NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}
