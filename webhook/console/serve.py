"""The console's server: gunicorn with one process and a few threads.

SIGHUP reads the configuration again; SIGTERM ends it.
"""

import socket
from collections.abc import Callable

import structlog
from flask import Flask
from gunicorn.app.base import BaseApplication
from gunicorn.workers.gthread import ThreadWorker

from config.secret import ConfigurationError
from config.settings import Address, Settings
from webhook.console.app import create_app
from webhook.doctor import at_start
from webhook.serve import GRACE_S, Log, listen, require_schema
from workers.dispatch import Waker
from workers.ledger import open_ledger

log = structlog.get_logger(__name__)

THREADS = 4


def serve(load: Callable[[], Settings]) -> None:
    """Show until SIGTERM; ends in SystemExit with the exit code.

    Raises ConfigurationError where the configuration is wrong or console.listen is taken, and
    LedgerOutdated.  A ledger that cannot be reached is what the console then shows.
    """
    settings = load().for_the_door()
    require_schema(settings)
    listener = listen("console.listen", settings.console.listen)
    log.info("console started", listen=str(Address(*listener.getsockname()[:2])))
    _Server(load, settings, listener).run()


class _Server(BaseApplication):  # type: ignore[misc]  # gunicorn has no types
    """What gunicorn asks for."""

    def __init__(
        self, load: Callable[[], Settings], settings: Settings, listener: socket.socket
    ) -> None:
        self._load_settings = load
        self._settings = settings
        self._listener = listener
        super().__init__()

    def load_config(self) -> None:
        """gunicorn's own settings."""
        options = {
            "bind": f"fd://{self._listener.detach()}",
            "worker_class": "gthread",
            "threads": THREADS,
            "graceful_timeout": GRACE_S,
            "forwarded_allow_ips": "",
            "logger_class": Log,
            "loglevel": "warning",
            "errorlog": None,
            "control_socket_disable": True,
            "post_worker_init": self._begun,
        }
        for name, value in options.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        """The app, made in the process that uses it: no connection is carried over a fork."""
        settings = self._settings
        ledger = open_ledger(settings.ledger.url.reveal())
        waker = Waker(settings.queue.url.reveal(), settings.home)
        return create_app(settings, ledger, waker)

    def _begun(self, process: ThreadWorker) -> None:
        if process.age == 1:  # Not again for those that replace it.
            at_start.begin("console", at_start.console, self._settings)

    def reload(self) -> None:
        """Read the configuration again, before the process is replaced."""
        try:
            self._settings = self._load_settings().for_the_door()
        except ConfigurationError as error:
            log.error("configuration refused", error=str(error))
            return
        log.info("configuration read again")
