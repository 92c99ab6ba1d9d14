"""A web server on loopback to which apprise's json:// posts, and a worker that sends there."""

import json
import threading
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from config.secret import Secret
from config.settings import Notify
from tests.workers.fakes import FakeClock
from tests.workers.records import SECOND
from tests.workers.shop import Shop
from workers.ledger import Ledger
from workers.messages.post import Post
from workers.messages.recipients import recipients_of


@dataclass
class Inbox:
    """What has arrived.  `status` is what it answers, `holds` what it waits for before."""

    status: int = 200
    path: str = "/"
    got: list[dict[str, Any]] = field(default_factory=list)
    holds: threading.Event | None = None
    _server: ThreadingHTTPServer | None = None
    _port: int = 0

    def __enter__(self) -> "Inbox":
        inbox = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                size = int(self.headers["Content-Length"])
                inbox.got.append(json.loads(self.rfile.read(size)))
                if inbox.holds:
                    inbox.holds.wait(10)
                self.send_response(inbox.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Tests are silent."""

        self._server = ThreadingHTTPServer(("127.0.0.1", self._port), Handler)
        self._server.daemon_threads = True
        self._port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.holds:
            self.holds.set()
        if self._server:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    down = __exit__

    def up(self) -> None:
        """Listen again on the same port."""
        self.__enter__()

    @property
    def url(self) -> str:
        """As it stands in notify.urls."""
        return f"json://127.0.0.1:{self._port}{self.path}"

    @property
    def titles(self) -> list[str]:
        """The title of each message that has arrived."""
        return [each["title"] for each in self.got]


class Office:
    """A worker whose clock is moved by hand, and which sends messages."""

    def __init__(self, ledger: Ledger, home: Path, *urls: str, **about: Any) -> None:
        self.ledger = ledger
        self.shop = Shop(ledger, home, clock=about.pop("clock", None) or FakeClock())
        self.clock = self.shop.clock
        self.post = Post(self.shop.runtime)
        self.configure(*urls, **about)

    def configure(self, *urls: str, **about: Any) -> None:
        """What SIGHUP does."""
        notify = Notify(urls=tuple(map(Secret, urls)), **about)
        runtime = self.shop.runtime
        runtime.settings = runtime.settings.model_copy(update={"notify": notify})
        runtime.recipients = recipients_of(notify)

    def look(self, after: timedelta = SECOND) -> None:
        """The next look of the thread."""
        self.post.once(self.clock.move(after))
