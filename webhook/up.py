"""`leaver up`: everything on one machine.

The queue if it is the embedded one, the ledger brought up to date, and the three programs that also
run alone on many machines: receiver, console and worker.
"""

import errno
import http.client
import ipaddress
import socket
import sys
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import click

from config.secret import ConfigurationError
from config.settings import Address, Settings
from webhook.supervise import Child, Stop, Supervisor
from workers.embedded import Embedded
from workers.ledger import LedgerUnavailable, open_ledger
from workers.ledger.queries import condition

#: How long one look at a child's health may take, in seconds: nothing else happens meanwhile.
LOOK_S = 0.5

#: How often it is said what is still waited for, in seconds.
SAY_EVERY_S = 10.0

#: How long the embedded queue may take to start, its file put aside and all, in seconds.
QUEUE_START_S = 15.0


def up(load: Callable[[], Settings], path: Path | None) -> int:
    """Run everything until Ctrl-C or SIGTERM; gives the exit code.

    `load` gives the checked settings, which the children read from `path`.  Raises
    ConfigurationError and LedgerUnavailable.
    """
    settings = load()
    try:
        with Supervisor(load) as supervisor:
            for what, where in places(settings):
                click.echo(f"{what:<10}{where}")
            start(supervisor, settings, path)
            while not supervisor.watch_until(lambda: not supervisor.waits_for, SAY_EVERY_S):
                click.echo(f"still waiting for {' and '.join(supervisor.waits_for)}")
            click.echo("ready")
            while True:
                supervisor.watch(SAY_EVERY_S)
    except Stop as stop:
        return stop.code


def start(supervisor: Supervisor, settings: Settings, path: Path | None) -> None:
    """Bring the ledger up to date and start everything, without waiting until it is ready."""
    receiver, console = settings.server.listen, settings.console.listen
    require_free({"server.listen": receiver, "console.listen": console})
    if settings.queue.is_embedded:
        supervisor.start(queue(Embedded(settings.home)))
    url = settings.ledger.url.reveal()
    ledger = open_ledger(url)
    ledger.migrate()
    ledger.close()
    if not supervisor.watch_until(lambda: "queue" not in supervisor.waits_for, QUEUE_START_S):
        # Whoever needs it joins it when starting.
        log = Embedded(settings.home).folder / "log"
        raise ConfigurationError(f"the embedded queue does not start: see {log}")
    supervisor.start(
        Child("receiver", program(path, "serve"), ready=answers(receiver, "/livez")),
        Child("console", program(path, "console"), ready=answers(console, "/healthz")),
        Child("worker", program(path, "work"), ready=announced(url)),
    )


def places(settings: Settings) -> list[tuple[str, str]]:
    """What runs, and where."""
    receiver, console = settings.server.listen, settings.console.listen
    hooks = [("receiver", f"http://{receiver}/webhooks/{source}") for source in settings.sources]
    queue = f"embedded, in {Embedded(settings.home).folder}" if settings.queue.is_embedded else ""
    return [
        *hooks,
        ("console", f"http://{console}/ (`leaver user add NAME`), /metrics and /healthz"),
        *([("queue", queue)] if queue else []),
        ("worker", f"{' and '.join(settings.targets)}, mode {settings.policy.mode}"),
    ]


def program(path: Path | None, *words: str) -> list[str]:
    """How to start a part of this program."""
    config = ["--config", str(path)] if path else []
    # -P: a folder `config` where we are must not be taken for ours.
    return [sys.executable, "-P", "-m", "webhook.cli", *config, *words]


def queue(embedded: Embedded) -> Child:
    """The embedded queue as a child.  Raises ConfigurationError if it runs already."""
    return Child(
        "queue",
        embedded.command(),
        ready=lambda _: embedded.answers(),
        ended_early=embedded.start_afresh,
        ended_for_good=embedded.clear_away,
        reloads=False,
        last=True,
        keeps=(embedded.take(),),
    )


def answers(address: Address, path: str) -> Callable[[int], bool]:
    """Whether a server of ours answers at all; what it says is not our business."""

    def look(_pid: int) -> bool:
        connection = http.client.HTTPConnection(_reachable(address), address.port, timeout=LOOK_S)
        try:
            connection.request("GET", path)
            connection.getresponse()
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()
        return True

    return look


def announced(url: str) -> Callable[[int], bool]:
    """Whether a worker has written into the ledger that it is there."""

    def look(pid: int) -> bool:
        ledger = open_ledger(url)
        try:
            alive = condition.workers(ledger, now=datetime.now(UTC))
        except LedgerUnavailable:
            return False
        finally:
            ledger.close()
        return f"{socket.gethostname()}:{pid}" in [worker.name for worker in alive]

    return look


def require_free(addresses: Mapping[str, Address]) -> None:
    """Raise ConfigurationError unless each address, named by its setting, can be listened on."""
    with ExitStack() as open_together:
        for setting, address in addresses.items():
            if address.port == 0:
                raise ConfigurationError(f"{setting} needs a port that others can know, not 0")
            try:
                open_together.enter_context(listening(address))
            except OSError as error:
                raise ConfigurationError(_why_not(address, setting, error)) from None


def listening(address: Address) -> socket.socket:
    """A socket that listens there.  Raises OSError where that is not possible."""
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    return socket.create_server((address.host, address.port), family=family)


def _why_not(address: Address, setting: str, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"port {address.port} ({setting}) is taken by another process: "
            f"stop it or change {setting}"
        )
    return f"{setting}: nothing can listen on {address}: {error.strerror}"


def _reachable(address: Address) -> str:
    """Where to ask a server that listens everywhere."""
    try:
        everywhere = ipaddress.ip_address(address.host).is_unspecified
    except ValueError:
        return address.host
    return ("::1" if ":" in address.host else "127.0.0.1") if everywhere else address.host
