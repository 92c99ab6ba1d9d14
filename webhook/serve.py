"""The receiver's server: gunicorn with threads, see docs/benchmarks.md for why.

One process keeps the listening socket and the configuration; it starts those that receive, and
starts them again should they end.  SIGHUP reads the configuration again and replaces them, on the
same socket, each after its last answer; SIGTERM lets them answer what they hold, for two seconds.
"""

import socket
import struct
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import structlog
from flask import Flask
from gunicorn.app.base import BaseApplication
from gunicorn.glogging import Logger
from gunicorn.http.errors import ParseException
from gunicorn.workers.gthread import ThreadWorker
from sqlalchemy import make_url

from config.secret import ConfigurationError
from config.settings import Settings
from config.values import Address
from webhook.app import create_app
from webhook.doctor import at_start
from webhook.receive import open_doors
from webhook.rejections import Rejections
from workers.dispatch import Waker
from workers.ledger import LedgerOutdated, LedgerUnavailable, open_ledger

log = structlog.get_logger(__name__)

#: Two processes use two cores.  SQLite has one writer at a time, and waiting for it is fair and
#: cheap within a process, and neither between two.
PROCESSES = {"sqlite": 1, "postgresql": 2}
#: More in one process only wait for each other.
THREADS = 4
#: How long what was begun may take to end, at SIGTERM and after a SIGHUP, in seconds.
GRACE_S = 2
#: After this silence within a request the connection is given up, in seconds.  It bounds what a
#: sender that vanished costs; against one that is slow on purpose there is the proxy in front.
SILENCE_S = 10
#: The answer to what is not HTTP.
NOT_HTTP = (
    b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Type: application/json\r\n"
    b'Content-Length: 25\r\n\r\n{"error": "bad request"}\n'
)


def serve(load: Callable[[], Settings]) -> None:
    """Receive until SIGTERM; ends in SystemExit with the exit code.

    Raises ConfigurationError where the configuration is wrong or server.listen is taken, and
    LedgerOutdated.  A ledger that cannot be reached is no reason not to start: deliveries are
    answered 503 until it can, and come again.
    """
    settings = _checked(load)
    listener = listen("server.listen", settings.server.listen)
    log.info("receiver started", listen=str(Address(*listener.getsockname()[:2])))
    _Server(load, settings, listener).run()


def listen(setting: str, address: Address) -> socket.socket:
    """The listening socket.  Raises ConfigurationError if the address cannot be had."""
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    # Connections inherit it from the socket that accepts them.
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", SILENCE_S, 0))
    try:
        listener.bind((address.host, address.port))
        listener.listen(1024)
    except OSError as error:
        listener.close()
        raise ConfigurationError(
            f"{setting}: {address} cannot be listened on: {error.strerror}; "
            "stop what uses it, or set another address"
        ) from None
    return listener


def require_schema(settings: Settings) -> None:
    """Raise LedgerOutdated if the ledger's schema is known to be another one."""
    ledger = open_ledger(settings.ledger.url.reveal())
    try:
        ledger.check_schema()
    except LedgerUnavailable as error:
        log.error("ledger unavailable", error=str(error))
    finally:
        ledger.close()  # Nothing connected is taken along into another process.


def _checked(load: Callable[[], Settings]) -> Settings:
    """The settings, if a process can start with them: one that cannot would end all of them."""
    settings = load().for_the_door()
    open_doors(settings)
    require_schema(settings)
    return settings


class _Server(BaseApplication):  # type: ignore[misc]  # gunicorn has no types
    """What gunicorn asks for: its own settings, and the app of each process."""

    def __init__(
        self, load: Callable[[], Settings], settings: Settings, listener: socket.socket
    ) -> None:
        self._load_settings = load
        self._settings = settings
        self._listener = listener
        self._rejections: Rejections | None = None
        super().__init__()

    def load_config(self) -> None:
        """gunicorn's own settings.  It believes nobody's X-Forwarded-*: that is for app.py."""
        options = {
            "bind": f"fd://{self._listener.detach()}",
            "worker_class": _Process,
            "workers": PROCESSES[make_url(self._settings.ledger.url.reveal()).get_backend_name()],
            "threads": THREADS,
            # A kept connection could be closed at the moment when the next delivery comes on it.
            "keepalive": 0,
            "graceful_timeout": GRACE_S,
            "forwarded_allow_ips": "",
            "forwarder_headers": "",
            "logger_class": Log,
            "loglevel": "warning",
            "errorlog": None,
            "control_socket_disable": True,
            "post_worker_init": self._begun,
            "worker_exit": lambda _server, _process: self._exit(),
        }
        for name, value in options.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        """The app, made in the process that uses it: no connection is carried over a fork."""
        settings = self._settings
        ledger = open_ledger(settings.ledger.url.reveal())
        waker = Waker(settings.queue.url.reveal(), settings.home)
        app = create_app(settings, ledger, waker)
        self._rejections = app.extensions["rejections"]
        return app

    def _begun(self, process: ThreadWorker) -> None:
        if process.age == 1:  # Neither twice, nor again for those that replace it.
            at_start.begin("receiver", at_start.receiver, self._settings)

    def reload(self) -> None:
        """Read the configuration again, before the processes are replaced."""
        try:
            settings = _checked(self._load_settings)
        except (ConfigurationError, LedgerOutdated) as error:
            log.error("configuration refused", error=str(error))
            return
        if settings.server.listen != self._settings.server.listen:
            log.warning("server.listen changes with the next start")
        self._settings = settings
        log.info("configuration read again")

    def _exit(self) -> None:
        if self._rejections is not None:
            self._rejections.close()


class _Process(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """One receiving process."""

    def handle_error(self, req: Any, client: socket.socket, addr: Any, exc: BaseException) -> None:
        """What is not HTTP is answered 400 without a trace of why: gunicorn would say, and would
        answer some of it 501, after which HR systems send again."""
        if not isinstance(exc, ParseException):
            super().handle_error(req, client, addr, exc)
            return
        log.info("request malformed", kind=type(exc).__name__)
        with suppress(OSError):
            client.sendall(NOT_HTTP)


class Log(Logger):  # type: ignore[misc]  # gunicorn has no types
    """gunicorn's own lines, written as all others are."""

    def __init__(self, cfg: Any) -> None:
        super().__init__(cfg)
        self.error_log.propagate = True
