"""The server of the sandbox: threads, kept-alive connections, and the power to hang up.

Werkzeug's server closes each connection after one answer and gunicorn forks, so neither can
rehearse pooled connections, or a connection that dies, against one state in one process.
"""

import contextlib
import signal
import socket
import sys
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from socketserver import TCPServer
from typing import Any, Self
from urllib.parse import unquote_to_bytes, urlsplit
from wsgiref.types import WSGIApplication, WSGIEnvironment

from workers.sandbox.app import create_app
from workers.sandbox.state import Settings

HOST = "127.0.0.1"
PORT = 8002
BASE_URL = f"http://{HOST}:{PORT}"


class Server(ThreadingHTTPServer):
    """Serves a WSGI app on a thread per connection; port 0 takes a free one.

        with Server(create_app()) as sandbox:
            requests.get(f"{sandbox.base_url}/sandbox/people")

    OSError if the address is taken.  Leaving it closes every connection, also those that hang.
    """

    daemon_threads = True
    request_queue_size = 256

    def __init__(self, app: WSGIApplication, host: str = HOST, port: int = 0) -> None:
        self.app = app
        self._connections: set[socket.socket] = set()
        super().__init__((host, port), _Handler)

    @property
    def base_url(self) -> str:
        host, port = self.server_address[:2]
        return f"http://{host!s}:{port}"

    def server_bind(self) -> None:
        TCPServer.server_bind(self)  # HTTPServer would ask the name service who we are.

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.shutdown()
        self.server_close()
        for connection in list(self._connections):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._connections.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        # A client that goes away while it waits is what some rehearsals are about.
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    """Calls the app for each request of a connection."""

    server: Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        length = self.headers.get("Content-Length", "0")
        if "Transfer-Encoding" in self.headers or not length.isdecimal():
            self.close_connection = True
            self.send_error(411)
            return
        body = self.rfile.read(int(length))
        head = b""

        def start_response(
            status: str, headers: list[tuple[str, str]], exc_info: Any = None
        ) -> Callable[[bytes], object]:
            nonlocal head
            lines = [f"HTTP/1.1 {status}", f"Date: {self.date_time_string()}"]
            lines += [f"{name}: {value}" for name, value in headers]
            head = "\r\n".join([*lines, "", ""]).encode("latin-1")
            return self.wfile.write

        pieces = self.server.app(self._environ(body), start_response)
        try:
            for piece in filter(None, pieces):
                self.wfile.write(head + piece)
                head = b""
            self.wfile.write(head)
        except ConnectionError:
            self.close_connection = True
        finally:
            close = getattr(pieces, "close", None)  # Optional for a WSGI app's answer.
            if close:
                close()

    do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_GET  # noqa: N815  http.server's names

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  http.server's name
        """The calls are at /sandbox/calls."""

    def _environ(self, body: bytes) -> WSGIEnvironment:
        url = urlsplit(self.path)
        environ: WSGIEnvironment = {
            "REQUEST_METHOD": self.command,
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote_to_bytes(url.path).decode("latin-1"),
            "QUERY_STRING": url.query,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "SERVER_NAME": str(self.server.server_address[0]),
            "SERVER_PORT": str(self.server.server_address[1]),
            "SERVER_PROTOCOL": self.request_version,
            "REMOTE_ADDR": self.client_address[0],
            "REMOTE_PORT": str(self.client_address[1]),
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": BytesIO(body),
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }
        for name, value in self.headers.items():
            environ[f"HTTP_{name.upper().replace('-', '_')}"] = value
        return environ


def run(
    host: str = HOST,
    port: int = PORT,
    settings: Settings | None = None,
    *,
    ready: Callable[[str], None] = lambda base_url: None,
) -> None:
    """Serves until Ctrl-C or SIGTERM; calls ready with the address once it listens.

    OSError if the address is taken.  To be called from the main thread, for the signals.
    """
    server = Server(create_app(settings), host, port)

    def stop(_signal: int, _frame: object) -> None:
        # Not by an exception: where it is raised in a finalizer, Python drops it.  And not on this
        # thread, which is to end what it waits for.
        threading.Thread(target=server.shutdown, daemon=True).start()

    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, stop)
    ready(server.base_url)
    server.serve_forever()
    server.server_close()
