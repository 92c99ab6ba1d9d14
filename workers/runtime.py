"""What one worker process holds: configuration, ledger, name and clock, and whom it talks to."""

import os
import socket
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

import structlog

from config.secret import ConfigurationError
from config.settings import AtlassianOrg, Settings
from config.sources import OPERATOR, Api
from workers import targets
from workers.deprovision import Order
from workers.errors import WorkerStopping
from workers.hr import systems
from workers.hr.base import HrSystem
from workers.leavers import hr_target
from workers.ledger import Ledger, open_ledger
from workers.limits import PATIENCE, SharedLimit
from workers.messages.recipients import Recipient, recipients_of
from workers.queue import redis_client
from workers.targets.base import Target

log = structlog.get_logger(__name__)


class WorkerClock:
    """The real time; waiting ends at once when the worker stops."""

    def __init__(self, stopping: threading.Event) -> None:
        self._stopping = stopping

    def now(self) -> datetime:
        """The instant."""
        return datetime.now(UTC)

    def wait(self, delay: timedelta) -> None:
        """Wait.  Raises WorkerStopping."""
        if self._stopping.wait(delay.total_seconds()):
            raise WorkerStopping


class Runtime:
    """Shared by all threads of a worker.  `reload` swaps the configuration between two attempts."""

    def __init__(self, load: Callable[[], Settings]) -> None:
        self._load = load
        self.settings = settings = load()
        self.ledger: Ledger = open_ledger(settings.ledger.url.reveal())
        self.name = f"{socket.gethostname()}:{os.getpid()}"
        self.started_at = datetime.now(UTC)
        self.stopping = threading.Event()
        self.nudged = threading.Event()  # something changed: the sweep should look now
        self.clock = WorkerClock(self.stopping)
        self._redis = redis_client(settings.queue.url.reveal(), settings.home, patience=PATIENCE)
        self.targets: Mapping[str, Target] = self._build(settings)
        self.hr: Mapping[str, HrSystem] = self._build_hr(settings)
        self.recipients: Mapping[str, Recipient] = recipients_of(settings.notify)

    def reload(self) -> None:
        """Read the configuration again; a bad one is refused, and the old one stays."""
        try:
            settings = self._load()
            built, asked = self._build(settings), self._build_hr(settings)
            recipients = recipients_of(settings.notify)
        except ConfigurationError as error:
            log.error("configuration refused", error=str(error))
            return
        self.settings, self.targets, self.hr = settings, built, asked
        self.recipients = recipients
        log.info("configuration read again")
        self.nudged.set()

    def sources(self) -> set[str]:
        """Whose leavers this worker knows how to treat: those that are configured, and ours."""
        return {OPERATOR, *self.settings.sources}

    def concurrency(self) -> dict[str, int]:
        """How many jobs of each target, and lookups of each source, may run at once."""
        settings = self.settings
        apis = {hr_target(source): api.concurrency for source, api in settings.apis.items()}
        return {name: target.concurrency for name, target in settings.targets.items()} | apis

    def order(self, source: str, target: str) -> Order:
        """What the configuration says about a job of this source in this target."""
        settings = self.settings
        if source not in self.sources():
            # Taken out since the claim.  Without it policy.mode alone would say whether to act.
            raise LookupError(f"the configuration no longer has the source {source}")
        own = settings.targets[target]
        return Order(
            policy=settings.policy,
            brakes=settings.brakes_of(source),
            retry=settings.retry,
            verify=settings.verify,
            shadow=settings.shadowed_by(source, target),
            operators=settings.operators,
            idp_grace=own.idp_grace if isinstance(own, AtlassianOrg) else timedelta(),
        )

    def _build(self, settings: Settings) -> dict[str, Target]:
        return {
            name: targets.build(name, own, SharedLimit(name, own, self._redis, self.clock.wait))
            for name, own in settings.targets.items()
        }

    def _build_hr(self, settings: Settings) -> dict[str, HrSystem]:
        def limit(source: str, api: Api) -> SharedLimit:
            return SharedLimit(hr_target(source), api, self._redis, self.clock.wait)

        return systems.build(settings, limit)
