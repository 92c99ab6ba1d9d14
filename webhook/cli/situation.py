"""What a command works with: the configuration, the ledger, the clock, and who runs it."""

import logging
import os
import pwd
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from webhook.cli.output import warn

if TYPE_CHECKING:
    from config.settings import Settings
    from workers.dispatch import Waker
    from workers.leavers import JobId
    from workers.ledger import Ledger

#: How long a command waits until its wake-ups are sent, in seconds.
WAKING_S = 3.0


class Refused(click.ClickException):
    """It does not start: something about the configuration or this machine must change first."""

    exit_code = 2


@dataclass(frozen=True, slots=True)
class Situation:
    """The situation of one command; nothing is read before it is asked for."""

    config: Path | None

    def settings(self) -> "Settings":
        """The configuration.  Raises ConfigurationError."""
        from config.settings import load

        return load(self.config)

    @contextmanager
    def ledger(self, settings: "Settings") -> Iterator["Ledger"]:
        """The ledger, its schema checked.

        Raises LedgerOutdated, and LedgerUnavailable.  Looking never makes a ledger.
        """
        from workers.ledger import LedgerOutdated, open_ledger

        ledger = open_ledger(settings.ledger.url.reveal())
        file = ledger.engine.url.database
        if ledger.is_sqlite and file and not Path(file).exists():
            raise LedgerOutdated(f"there is no ledger at {file} yet: run `leaver migrate`")
        try:
            ledger.check_schema()
            yield ledger
        finally:
            ledger.close()


def log_errors_only() -> None:
    """For a command that tells by itself what it did; on stderr."""
    import structlog

    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )


def now() -> datetime:
    """The instant."""
    return datetime.now(UTC)


def actor() -> str:
    """The operating system's user who runs this, as the audit trail names operators."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # A container may run under a number without a name.
        return f"uid {os.getuid()}"


def wake(settings: "Settings", jobs: "Sequence[JobId]") -> None:
    """Wake the workers for these jobs.

    They find the jobs by themselves as well, so nobody waits long for the queue here.
    """
    if not jobs:
        return
    reached = waker(settings)
    if reached is None:
        warn("The queue cannot be reached; the jobs run as soon as it is back.")
        return
    reached.wake(jobs)
    reached.flush(WAKING_S)


def waker(settings: "Settings") -> "Waker | None":
    """What wakes the workers; None where the queue cannot be reached."""
    from redis.exceptions import RedisError

    from workers.dispatch import Waker
    from workers.queue import redis_client

    url = settings.queue.url.reveal()
    try:
        with closing(redis_client(url, settings.home)) as client:
            client.ping()
    except (RedisError, OSError):
        return None
    return Waker(url, settings.home)
