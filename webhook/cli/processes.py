"""The processes: demo, up, serve, console, work, sandbox, and migrate before them.

Each reads the configuration at start and again at SIGHUP, and checks it for its role.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

import click

from webhook.cli.output import progress, say
from webhook.cli.situation import Refused, Situation

if TYPE_CHECKING:
    from config.checks import Role
    from config.settings import Settings


@click.command()
@click.option("--once", is_flag=True, help="Stop after the proof; exit 0 only if it succeeded.")
def demo(once: bool) -> int:
    """Rehearse one leaver on this machine, start to proof.

    Against a fake Atlassian, in a temporary folder: nothing outside is called or changed.
    """
    from webhook.demo import demo as run

    return run(once=once)


@click.command()
@click.pass_obj
def up(at: Situation) -> int:
    """Run everything on this machine.

    The embedded queue where it is configured, receiver, console and worker.
    """
    from webhook.up import up as run

    return run(_loader(at, "up"), at.config)


@click.command()
@click.pass_obj
def serve(at: Situation) -> None:
    """Run the receiver alone: where HR systems post."""
    from webhook.serve import serve as run

    _require_queue(at, "serve")
    run(_loader(at, "serve"))


@click.command()
@click.pass_obj
def console(at: Situation) -> None:
    """Run the console alone: metrics and health for operators."""
    from webhook.console.serve import serve as run

    run(_loader(at, "console"))


@click.command()
@click.pass_obj
def work(at: Situation) -> int:
    """Run a worker alone: it deactivates and reads back."""
    from webhook.doctor import at_start, examination
    from workers.app import run

    _require_queue(at, "work")
    return run(_loader(at, "work"), partial(at_start.begin, "worker", examination.worker))


@click.command()
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8002,
    show_default=True,
    help="Port on this machine; 0 takes a free one.",
)
def sandbox(port: int) -> None:
    """Run the fakes of all Atlassian systems alone, for rehearsals.

    There are people in them, and faults to order: see /sandbox/people and /sandbox/faults.  The
    README has the address and the credential of each.
    """
    from workers.sandbox import server

    try:
        server.run(port=port, ready=lambda url: say(f"The sandbox answers at {url}"))
    except OSError as error:
        raise Refused(f"port {port}: {error.strerror}; choose another --port") from error


@click.command()
@click.pass_obj
def migrate(at: Situation) -> None:
    """Bring the ledger's schema up to date.

    Makes the ledger where there is none.  `leaver up` and `leaver demo` do it themselves.
    """
    from workers.ledger import open_ledger
    from workers.ledger.store import SCHEMA

    ledger = open_ledger(at.settings().ledger.url.reveal())
    with progress("migrating"):
        ledger.migrate()
    ledger.close()
    say(f"The ledger has schema {SCHEMA}.")


def _require_queue(at: Situation, role: "Role") -> None:
    """Raise ConfigurationError where the embedded queue is set and nobody has started it."""
    from workers.queue import require_running

    settings = _checked(at.settings(), role)
    require_running(settings.queue.url.reveal(), settings.home)


def _loader(at: Situation, role: "Role") -> "Callable[[], Settings]":
    """What reads the configuration for a process of this role, now and at SIGHUP."""
    from config import logs

    logs.configure()
    return lambda: _warned(at.settings(), role)


def _warned(settings: "Settings", role: "Role") -> "Settings":
    """The settings, checked, with every warning logged; those of `up` are its children's to say."""
    import structlog

    from config.checks import check

    log = structlog.get_logger()
    for finding in check(_checked(settings, role), role, today=datetime.now(UTC).date()):
        if role != "up":
            log.warning("configuration", code=finding.code, fault=finding.fault, hint=finding.hint)
    return settings


def _checked(settings: "Settings", role: "Role") -> "Settings":
    """The settings.  ConfigurationError where something in them stops the start."""
    from config.checks import check
    from config.secret import ConfigurationError

    for finding in check(settings, role, today=datetime.now(UTC).date()):
        if finding.stops:
            raise ConfigurationError(str(finding))
    return settings
