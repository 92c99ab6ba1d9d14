"""A server that answers with exactly the bytes it is given, however wrong they are."""

import json
import socketserver
import threading
from collections.abc import Iterable, Mapping

Script = bytes | Iterable[bytes]


class ScriptedServer(socketserver.ThreadingTCPServer):
    """Each request gets the next answer; the last one is repeated.

    An answer without Content-Length ends with the connection.  `requests` are the heads and bodies
    that came in, `connections` how many connections carried them.
    """

    daemon_threads = True
    block_on_close = False

    def __init__(self, *answers: Script) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers = list(answers)
        self.requests: list[bytes] = []
        self.connections = 0
        self.lock = threading.Lock()

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def __enter__(self) -> "ScriptedServer":
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.shutdown()
        self.server_close()

    def next_answer(self, request: bytes) -> Script:
        with self.lock:
            self.requests.append(request)
            return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up is what some tests are about."""


class _Handler(socketserver.StreamRequestHandler):
    server: ScriptedServer

    def handle(self) -> None:
        with self.server.lock:
            self.server.connections += 1
        while request := self._request():
            answer = self.server.next_answer(request)
            pieces = [answer] if isinstance(answer, bytes) else answer
            head = b""
            for piece in pieces:
                head += piece
                self.wfile.write(piece)
            if b"content-length:" not in head.lower():
                return

    def _request(self) -> bytes:
        lines = []
        while (line := self.rfile.readline()) not in (b"\r\n", b""):
            lines.append(line)
        lengths = [line for line in lines if line.lower().startswith(b"content-length:")]
        body = self.rfile.read(int(lengths[0].split(b":")[1])) if lengths else b""
        return b"".join(lines) + body


def answer(
    status: int = 200, body: object = None, headers: Mapping[str, str] | None = None
) -> bytes:
    """An HTTP answer; `body` is JSON unless it is bytes already, and None is an empty one."""
    content = (
        body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    )
    lines = [f"HTTP/1.1 {status} Reason", f"Content-Length: {len(content)}"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + content
