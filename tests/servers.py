"""Real servers for tests: private, on loopback, in a folder that is thrown away.

    RedisServer       the queue; can be stopped, killed, frozen and emptied at will
    PostgresServer    the ledger; gives out fresh empty databases
    impatient_client  a Redis client for asking how the server is
    wait_until        polls for what will be true soon, instead of sleeping for luck
    free_port         a port nobody listens on

Tests reach the servers through the fixtures of conftest.py and import the rest:
`from tests.servers import wait_until`.
"""

import itertools
import os
import pwd
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import psycopg
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

T = TypeVar("T")


def wait_until(predicate: Callable[[], T], *, seconds: float = 30) -> T:
    """The first true value that predicate gives; AssertionError if there is none in time.

    It asks less and less often, so that who waits long takes no time from what is waited for.
    """
    deadline, pause = time.monotonic() + seconds, 0.01
    while not (value := predicate()):
        if time.monotonic() > deadline:
            raise AssertionError(f"still {value!r} after {seconds} s")
        time.sleep(pause)
        pause = min(pause * 1.1, 0.2)
    return value


def free_port() -> int:
    """A loopback port that nobody listens on.

    Below the range from which the system serves outgoing connections: while a server is
    stopped, no client can take its port by accident.
    """
    while True:
        port = random.SystemRandom().randint(20_000, 32_000)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


class Server:
    """One server process.  After stop() or kill() it can be started again on the same port."""

    stop_signal = signal.SIGTERM

    def __init__(self, command: list[str], *, log: Path, user: str | None = None) -> None:
        self.log = log
        self._command = command
        self._user = user
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The process id; only while it runs."""
        if self._process is None:
            raise RuntimeError(f"{self._command[0]} does not run")
        return self._process.pid

    def start(self) -> None:
        """Return once it answers; nothing happens if it runs already."""
        if not self._has_ended():
            return
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.log.parent,
                **as_user(self._user),
            )

        def ready() -> bool:
            if self._has_ended():
                raise RuntimeError(f"{self._command[0]} ended at once:\n{self.log.read_text()}")
            return self._answers()

        wait_until(ready, seconds=30)

    def stop(self) -> None:
        """End it in order; nothing happens if it does not run."""
        self._end(self.stop_signal)

    def _end(self, how: signal.Signals) -> None:
        if self._process is None:
            return
        self._process.send_signal(how)
        self._process.send_signal(signal.SIGCONT)  # A frozen process would never hear the first.
        self._process.wait(timeout=30)
        self._process = None

    def _has_ended(self) -> bool:
        return self._process is None or self._process.poll() is not None

    def _answers(self) -> bool:
        raise NotImplementedError


def as_user(user: str | None) -> dict[str, Any]:
    """Arguments for subprocess: run as that user, and in none of root's groups."""
    if user is None:
        return {}
    return {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []}


class RedisServer(Server):
    """A Redis or Valkey server, empty at first, that keeps its append-only file when stopped."""

    def __init__(self, binary: Path, folder: Path) -> None:
        folder.mkdir()
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        options = {
            "--bind": "127.0.0.1",
            "--port": str(self.port),
            "--dir": str(folder),
            "--appendonly": "yes",
            "--save": "",
        }
        command = [str(binary), *itertools.chain.from_iterable(options.items())]
        super().__init__(command, log=folder / "log")

    def kill(self) -> None:
        """kill -9."""
        self._end(signal.SIGKILL)

    def freeze(self) -> None:
        """Stop it in its tracks: connections stay open and nothing is answered."""
        os.kill(self.pid, signal.SIGSTOP)
        os.waitpid(self.pid, os.WUNTRACED)

    def thaw(self) -> None:
        """Let a frozen server go on."""
        os.kill(self.pid, signal.SIGCONT)

    def flushall(self) -> None:
        """Throw away everything it holds."""
        with impatient_client(self.url) as client:
            client.flushall()

    def _answers(self) -> bool:
        try:
            with impatient_client(self.url) as client:
                return bool(client.ping())
        except (redis.ConnectionError, redis.TimeoutError):  # Not yet up, or reading its file.
            return False


def impatient_client(url: str) -> redis.Redis:
    """A client that waits half a second and does not try again, for asking how a server is."""
    return redis.Redis.from_url(url, socket_timeout=0.5, retry=Retry(NoBackoff(), 0))


class PostgresServer(Server):
    """A PostgreSQL cluster of its own.

    It does not flush to disk, which is quick and loses nothing unless the machine itself dies.
    """

    stop_signal = signal.SIGINT  # Ends its connections instead of waiting for them.

    def __init__(self, binaries: Path) -> None:
        # Not in pytest's folder: that one is closed to the user who runs PostgreSQL for root.
        self._folder = Path(tempfile.mkdtemp(prefix="leaver-postgres-"))
        user = None if os.geteuid() else unprivileged_user()
        if user:
            shutil.chown(self._folder, user)
        data = self._folder / "data"
        options = f"-D {data} -U leaver --auth=trust --encoding=UTF8 --locale=C --no-sync"
        subprocess.run(
            [str(binaries / "initdb"), *options.split()],
            check=True,
            capture_output=True,
            cwd="/",
            **as_user(user),
        )

        self.port = free_port()
        self._databases: list[str] = []
        self._names = (f"leaver_{number}" for number in itertools.count(1))
        options = f"-D {data} -k {self._folder} -h 127.0.0.1 -p {self.port} -F"
        command = [str(binaries / "postgres"), *options.split(), "-c", "full_page_writes=off"]
        super().__init__(command, log=self._folder / "log", user=user)

    def database_url(self) -> str:
        """The SQLAlchemy URL of a new, empty database."""
        name = next(self._names)
        self._execute(f"CREATE DATABASE {name}")
        self._databases.append(name)
        return f"postgresql+psycopg://leaver@127.0.0.1:{self.port}/{name}"

    def drop_databases(self) -> None:
        """Drop what database_url() gave out, whoever is still connected."""
        while self._databases:
            self._execute(f"DROP DATABASE {self._databases.pop()} WITH (FORCE)")

    def remove(self) -> None:
        """Stop it and delete its files."""
        self.stop()
        shutil.rmtree(self._folder)

    def _execute(self, statement: str) -> None:
        where = f"host=127.0.0.1 port={self.port} user=leaver dbname=postgres"
        with psycopg.connect(where, autocommit=True) as connection:
            connection.execute(statement)

    def _answers(self) -> bool:
        try:
            self._execute("SELECT 1")
        except psycopg.OperationalError:
            return False
        return True


def unprivileged_user() -> str:
    """PostgreSQL refuses to run as root, so root lends it another user."""
    return "postgres" if any(user.pw_name == "postgres" for user in pwd.getpwall()) else "nobody"


def find_postgres() -> Path | None:
    """The folder with PostgreSQL's server programs: Debian keeps them off the PATH."""
    debian = Path("/usr/lib/postgresql").glob("*/bin")
    newest_first = sorted(debian, key=lambda folder: float(folder.parent.name), reverse=True)
    on_path = [Path(folder) for folder in os.get_exec_path()]
    for folder in [*newest_first, *on_path]:
        # Not Path.exists(): a folder on an inherited PATH may be closed to us.
        if all(os.access(folder / program, os.X_OK) for program in ("initdb", "postgres")):
            return folder
    return None
