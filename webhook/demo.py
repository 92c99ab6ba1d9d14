"""`leaver demo`: one leaver, rehearsed on this machine.

Everything is real but Atlassian: receiver, ledger, queue, worker and console, in a temporary folder
with a configuration of its own.  Nothing outside this machine is called or changed.
"""

import http.client
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from config import logs
from config.environment import PREFIX
from config.settings import Address, Console, Server, load
from webhook.sources import SOURCES
from webhook.sources.base import Termination, sign
from webhook.story import Teller
from webhook.supervise import Child, Stop, Supervisor
from webhook.up import answers, listening, places, program, start
from workers.leavers import JobId, Outcome
from workers.ledger import open_ledger, sessions
from workers.ledger.queries import jobs
from workers.ledger.users import Role
from workers.sandbox.atlassian.org import API_KEY, ORG_ID
from workers.sandbox.people import LENA, OPERATOR, TOM
from workers.sandbox.server import HOST, PORT

SOURCE = "bamboohr"

#: How long starting may take, and how long the leaver may, in seconds.
START_S = 60.0
LEAVER_S = 60.0

#: So many lines of the log are shown when something went wrong.
LINES = 20

CONFIGURATION = """\
# The configuration of a rehearsal: every key in it is a plainly marked test key.
[server]
listen = "{receiver}"

[console]
listen = "{console}"

[policy]
mode = "act"
timezone = "UTC"

[retry]
first_delay = "2s"

[sources.bamboohr]
kind = "bamboohr"
secrets = ["test-key-not-a-secret"]

[targets.cloud]
kind = "atlassian-org"
base_url = "http://{sandbox}"
org_id = "{org_id}"
api_key = "{api_key}"
operated_by = "{operated_by}"
"""

NEXT = """
It goes on until Ctrl-C.  The console, in which this link signs you in once:

  http://{console}/sign-in/link/{link}

In another terminal:

  export LEAVER_CONFIG={config}
  {leaver} send bamboohr --email {somebody}
  {leaver} jobs
  {leaver} job {job}
  {leaver} replay {job} --reason "to see it again"
  curl http://{console}/metrics

The people of the sandbox, and the faults it can be ordered (here: three searches answer 503):

  curl http://{sandbox}/sandbox/people
  curl http://{sandbox}/sandbox/faults
  curl http://{sandbox}/sandbox/faults -H 'Content-Type: application/json' \\
    -d '{{"fault": "503", "operation": "users.search", "times": 3}}'

The log of all parts is {log}"""


def demo(*, once: bool) -> int:
    """Rehearse; with `once` end then, with 0 only if the account was verified inactive."""
    click.secho("A rehearsal: all on this machine, against a fake Atlassian.\n", bold=True)
    with tempfile.TemporaryDirectory(prefix="leaver-demo-") as folder:
        rehearsal = Rehearsal(Path(folder))
        code, job = 1, None
        try:
            with rehearsal.log.open("a") as log:
                logs.configure(log)
                with Supervisor(output=log, env=_environment()) as supervisor:
                    rehearsal.start(supervisor)
                    job = rehearsal.perform(supervisor)
                    if job and not once:
                        rehearsal.go_on(supervisor, job)
        except Stop as stop:
            code = stop.code
        if job:
            return 0
        if code != 0:
            rehearsal.show_log()
        return code or int(once)


class Rehearsal:
    """One rehearsal, in a folder of its own."""

    def __init__(self, home: Path) -> None:
        self.log = home / "leaver.log"
        self._config = home / "leaver.toml"
        self._sandbox = _free("sandbox", Address(HOST, PORT))
        self._config.write_text(
            CONFIGURATION.format(
                receiver=_free("receiver", Server().listen),
                console=_free("console", Console().listen),
                sandbox=self._sandbox,
                org_id=ORG_ID,
                api_key=API_KEY,
                operated_by=OPERATOR.email,
            )
        )
        self._settings = load(self._config, environ={})
        self._ledger = open_ledger(self._settings.ledger.url.reveal())
        self._teller = Teller(self._ledger, click.echo)

    def start(self, supervisor: Supervisor) -> None:
        """Start everything and wait until it is ready.  Raises Stop."""
        began = time.monotonic()
        supervisor.start(
            Child(
                "sandbox",
                program(None, "sandbox", "--port", str(self._sandbox.port)),
                ready=answers(self._sandbox, "/sandbox/settings"),
                reloads=False,
            )
        )
        for what, where in [("sandbox", f"http://{self._sandbox}"), *places(self._settings)]:
            click.echo(f"{what:<10}{where}")
        start(supervisor, self._settings, self._config)
        if not supervisor.watch_until(lambda: not supervisor.waits_for, START_S):
            click.echo(f"not ready: {' and '.join(supervisor.waits_for)}")
            raise Stop(1)
        click.echo(f"{'ready':<10}after {time.monotonic() - began:.1f} s")

    def perform(self, supervisor: Supervisor) -> JobId | None:
        """Let somebody leave and tell what happens; the job, if it is proven.  Raises Stop."""
        click.echo(f"\nBambooHR says that {LENA.name} has been terminated.")
        status, answer = self._post_termination(LENA.email)
        word = answer.get("status", answer)
        click.echo(f"Its delivery, signed with a test key, is answered {status} {word}.")
        if status != 202:
            return None
        job = JobId(answer["jobs"][0])
        supervisor.watch_until(lambda: self._tell_until_ended(job), LEAVER_S)
        outcome = jobs.one(self._ledger, job).outcome
        _, person = _ask(self._sandbox, "GET", f"/sandbox/people/{LENA.account_id}")
        says = click.style(person["account_status"], bold=True)
        click.echo(f"\nThe sandbox itself, asked about {LENA.email}: {says}")
        proven = outcome is Outcome.DEACTIVATED and person["account_status"] == "inactive"
        return job if proven else None

    def go_on(self, supervisor: Supervisor, job: JobId) -> None:
        """Say what to try, and tell what happens until Ctrl-C.  Raises Stop."""
        places = {"console": self._settings.console.listen, "sandbox": self._sandbox}
        link = sessions.new_link(
            self._ledger, "demo", Role.APPROVER, actor="demo", now=datetime.now(UTC)
        )
        words = {"leaver": _command(), "somebody": TOM.email, "job": job, "link": link}
        click.echo(NEXT.format(config=self._config, log=self.log, **places, **words))
        while True:
            supervisor.watch(0.1)
            self._teller.tell()

    def show_log(self) -> None:
        """The end of what all parts logged."""
        click.echo(f"\nThe rehearsal failed. The last {LINES} lines of its log:", err=True)
        for line in self.log.read_text(errors="replace").splitlines()[-LINES:]:
            click.echo(line, err=True)

    def _post_termination(self, email: str) -> tuple[int, Any]:
        source = self._settings.sources[SOURCE]
        person = Termination(email, "1001")
        headers, body = sign(SOURCES[source.kind], [person], source, now=datetime.now(UTC))
        path = f"/webhooks/{SOURCE}"
        return _ask(self._settings.server.listen, "POST", path, body, headers)

    def _tell_until_ended(self, job: JobId) -> bool:
        # Asked before it is told, so that the end is told too.
        ended = jobs.one(self._ledger, job).finished_at is not None
        self._teller.tell()
        return ended


def _ask(
    server: Address,
    method: str,
    path: str,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
) -> tuple[int, Any]:
    """Status and JSON of an answer from this machine, whatever proxy the environment names."""
    connection = http.client.HTTPConnection(server.host, server.port, timeout=10)
    try:
        connection.request(method, path, body, dict(headers or {}))
        answer = connection.getresponse()
        return answer.status, json.load(answer)
    finally:
        connection.close()


def _free(name: str, usual: Address) -> Address:
    """The usual address of a server, or if it is taken the same one with another port."""
    try:
        listening(usual).close()
    except OSError:
        with listening(replace(usual, port=0)) as chosen:
            port = chosen.getsockname()[1]
        click.echo(f"port {usual.port} is taken: the {name} listens on {port} this time")
        return replace(usual, port=port)
    return usual


def _environment() -> dict[str, str]:
    """Ours, without what would change the configuration of the children or lead them away."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    return kept | {"NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}


def _command() -> str:
    """How the reader can call this program."""
    own = Path(sys.executable).with_name("leaver")
    return "leaver" if shutil.which("leaver") or not own.exists() else str(own)
