"""The receiver as a process: real sockets, signals, and what is not even HTTP."""

import json
import os
import signal
import socket
import sqlite3
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
import requests
import sqlalchemy as sa

from config.settings import load
from config.values import Address
from tests.servers import free_port, wait_until
from tests.webhook.receiving import empty_ledger
from webhook.serve import SILENCE_S, listen
from webhook.sources import standard
from webhook.sources.base import Termination, sign
from webhook.verify import sign_bamboohr
from workers.ledger import tables

KEY = "test-key-not-a-secret"
NEXT_KEY = "test-key-of-next-year"
CONFIGURATION = """
[server]
listen = "127.0.0.1:{port}"
max_body_bytes = 65536

[policy]
timezone = "Europe/Berlin"

[queue]
url = "redis://127.0.0.1:1/0"

[sources.bamboohr]
kind = "bamboohr"
secrets = {keys}

[sources.standard]
kind = "standard"
secrets = ["whsec_dGVzdC1rZXktbm90LWEtc2VjcmV0LTEyMzQ="]

[targets.cloud]
kind = "atlassian-org"
org_id = "test-org"
api_key = "test-key-not-a-secret"
"""


class Receiver:
    """`leaver serve` in a folder of its own, on a port of its own."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "leaver.toml"
        self.log = folder / "log"
        self.ledger = folder / "var" / "leaver.db"
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.configure([KEY])
        self.ledger.parent.mkdir()
        self.ledger.write_bytes(empty_ledger())

    def configure(self, keys: list[str], **changes: str) -> None:
        text = CONFIGURATION.format(port=self.port, keys=keys)
        for old, new in changes.items():
            text = text.replace(old, new)
        self.file.write_text(text)

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "webhook.cli", "--config", str(self.file), "serve"],
                stderr=log,
                stdout=log,
                start_new_session=True,
            )
        wait_until(self.is_ready, seconds=30)

    def is_ready(self) -> bool:
        assert self.process.poll() is None, self.log.read_text()
        try:
            return requests.get(f"{self.url}/readyz", timeout=5).ok
        except requests.ConnectionError:
            return False

    def kill(self) -> None:
        """kill -9 of all its processes."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(timeout=10)

    def events(self, name: str) -> list[dict[str, object]]:
        lines = [json.loads(line) for line in self.log.read_text().splitlines()]
        return [line for line in lines if line["event"] == name]

    def children(self) -> list[int]:
        """The processes that receive."""
        path = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(pid) for pid in path.read_text().split()]

    def reload(self) -> None:
        """SIGHUP, and wait until every process is a new one."""
        before = set(self.children())
        self.process.send_signal(signal.SIGHUP)
        wait_until(lambda: (now := set(self.children())) and not now & before, seconds=20)

    def post(self, who: str = "jane@example.com", *, key: str = KEY) -> requests.Response:
        headers, body = signed(who, key)
        return requests.post(
            f"{self.url}/webhooks/bamboohr", data=body, headers=headers, timeout=10
        )

    def raw(self, *parts: bytes) -> bytes:
        """Send these bytes and give all that comes back until the connection is closed."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=20) as connection:
            for part in parts:
                connection.sendall(part)
            answer = b""
            while received := connection.recv(65536):
                answer += received
            return answer

    def emails(self) -> list[str]:
        with sqlite3.connect(self.ledger) as connection:
            rows = connection.execute("SELECT email FROM leavers").fetchall()
        connection.close()
        return [email for (email,) in rows]


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that has ended may still be listed until somebody asks."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def signed(who: str, key: str = KEY) -> tuple[dict[str, str], bytes]:
    """Somebody's termination, as BambooHR would send it now."""
    fields = {"Status": "Inactive", "Employment Status": "Terminated", "Work Email": who}
    body = json.dumps({"employees": [{"id": "1", "fields": fields}]}).encode()
    return sign_bamboohr(body, key.encode(), at=datetime.now(UTC)), body


def request_of(headers: dict[str, str] | list[tuple[str, str]], body: bytes = b"") -> bytes:
    pairs = headers if isinstance(headers, list) else list(headers.items())
    lines = [
        "POST /webhooks/bamboohr HTTP/1.1",
        "Host: x",
        "Connection: close",
        *(f"{k}: {v}" for k, v in pairs),
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Receiver]:
    """A receiver that many tests send to, and none of them stops."""
    yield from started(tmp_path_factory.mktemp("receiver"))


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[Receiver]:
    """A receiver for one test alone, which may stop it."""
    yield from started(tmp_path)


def started(folder: Path) -> Iterator[Receiver]:
    receiver = Receiver(folder)
    receiver.start()
    yield receiver
    receiver.kill()


def test_what_is_not_http_is_400_and_does_no_harm(running):
    """Never 5xx, after which HR systems come again; never a word about why."""
    post = b"POST /webhooks/bamboohr HTTP/1.1\r\nHost: x\r\n"
    hostile = [
        b"GARBAGE\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        b"POST /webhooks/bamboohr HTTP/9.9\r\n\r\n",
        b"GET /" + b"x" * 10_000 + b" HTTP/1.1\r\n\r\n",
        post + b"A: " + b"x" * 100_000 + b"\r\n\r\n",
        post + b"A: b\r\n" * 200 + b"\r\n",
        post + b"No colon\r\n\r\n",
        post + b"Content-Length: -1\r\n\r\n",
        post + b"Content-Length: x\r\n\r\n",
        post + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        post + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        post + b"Transfer-Encoding: gzip\r\n\r\n",
        post + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
        post + b"Transfer-Encoding: chunked\r\n\r\n5\r\nabcdefgh\r\n",
        post + b"Expect: the unexpected\r\n\r\n",
    ]

    for request in hostile:
        head, _, body = running.raw(request).partition(b"\r\n\r\n")

        assert head.startswith(b"HTTP/1.1 400 "), request
        assert json.loads(body) == {"error": "bad request"}, request
    assert running.is_ready()
    assert not running.events("Error handling request (no URI read)")


@pytest.mark.parametrize("length_is_said", [True, False])
def test_a_giant_body_is_413_and_the_answer_can_be_read(running, length_is_said):
    """A sender that still sends must not only see a broken connection."""
    giant = b"x" * 3_000_000
    if length_is_said:
        request = request_of({"Content-Length": str(len(giant))}, giant)
    else:
        request = request_of(
            {"Transfer-Encoding": "chunked"}, b"%x\r\n%b\r\n" % (len(giant), giant)
        )

    assert running.raw(request).startswith(b"HTTP/1.1 413 ")


def test_a_body_in_chunks_is_accepted(running):
    """Not every sender knows the length beforehand; the signature covers the joined bytes."""
    headers, body = signed("chunks@example.com")
    chunks = b"5\r\n%b\r\n%x\r\n%b\r\n0\r\n\r\n" % (body[:5], len(body) - 5, body[5:])

    answer = running.raw(request_of(headers | {"Transfer-Encoding": "chunked"}, chunks))

    assert answer.startswith(b"HTTP/1.1 202 ")
    assert "chunks@example.com" in running.emails()


def test_an_empty_body_is_401(running):
    """Nothing is not signed."""
    assert running.raw(request_of({"Content-Length": "0"})).startswith(b"HTTP/1.1 401 ")


def test_a_doubled_header_is_401(running):
    """The server joins them with a comma; which one would have been signed?"""
    headers, body = signed("jane@example.com")
    for name, value in headers.items():
        doubled = [*headers.items(), (name, value), ("Content-Length", str(len(body)))]

        assert running.raw(request_of(doubled, body)).startswith(b"HTTP/1.1 401 ")


def test_two_signature_headers_of_standard_webhooks_are_both_tried(running):
    """One of them may be of a key that we do not have yet."""
    settings = load(running.file, environ={}).sources["standard"]
    jane = Termination("jane@example.com", "1", date(2026, 11, 20))
    headers, body = sign(standard, [jane], settings, now=datetime.now(UTC))
    doubled = [
        ("webhook-signature", "v1,bm90IGEgc2lnbmF0dXJl"),
        *headers.items(),
        ("Content-Length", str(len(body))),
    ]

    answer = running.raw(request_of(doubled, body).replace(b"bamboohr", b"standard", 1))

    assert answer.startswith(b"HTTP/1.1 202 ")


def test_a_job_outlives_whoever_accepted_it(receiver):
    """kill -9 right after the 202: it is on disk before it is said."""
    answer = receiver.post("jane@example.com")
    receiver.kill()

    assert answer.json()["status"] == "accepted"
    assert receiver.emails() == ["jane@example.com"]


def test_a_killed_process_is_replaced(receiver):
    """Whoever posts meanwhile only waits a little."""
    (victim,) = receiver.children()
    os.kill(victim, signal.SIGKILL)

    assert receiver.post().status_code == 202
    assert victim not in receiver.children()


def test_on_postgresql_two_processes_receive(opened, postgres, tmp_path):
    """It takes many writers at once; each process has connections of its own."""
    url = postgres.database_url()
    ledger = opened(url)
    ledger.migrate()
    receiver = Receiver(tmp_path)
    receiver.configure([KEY], **{"[queue]": f'[ledger]\nurl = "{url}"\n[queue]'})
    try:
        receiver.start()
        wait_until(lambda: len(receiver.children()) == 2)

        answers = [receiver.post(f"person{number}@example.com") for number in range(8)]
    finally:
        receiver.kill()

    assert {answer.status_code for answer in answers} == {202}
    with ledger.read() as tx:
        assert tx.scalar(sa.select(sa.func.count()).select_from(tables.leavers)) == 8


def test_what_is_not_well_is_logged_once_it_has_started(receiver):
    """By one of its processes, and not again by those that replace it."""
    wait_until(lambda: receiver.events("doctor done"), seconds=30)

    receiver.reload()

    assert [line["code"] for line in receiver.events("doctor")] == ["D005"]
    assert len(receiver.events("doctor done")) == 1


def test_sighup_brings_a_new_key_into_use(receiver):
    """Keys are changed without a pause."""
    before = receiver.post("jane@example.com", key=NEXT_KEY)
    receiver.configure([KEY, NEXT_KEY])
    receiver.reload()

    assert before.status_code == 401
    assert receiver.post("jane@example.com", key=NEXT_KEY).status_code == 202


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("Europe/Berlin", "Middle/Earth", "policy.timezone"),
        ("[queue]", '[ledger]\nurl = "sqlite:///empty.db"\n[queue]', "leaver migrate"),
    ],
)
def test_a_bad_configuration_is_refused_and_the_old_one_stays(receiver, old, new, said):
    """A slip in the file must not close the door."""
    receiver.configure([NEXT_KEY], **{old: new})
    receiver.reload()

    assert receiver.post().status_code == 202
    (line,) = receiver.events("configuration refused")
    assert said in str(line["error"])


@pytest.mark.exhaustive
def test_sighup_drops_no_connection(receiver):
    """Neither a new connection nor one that is kept, while processes are replaced three times."""
    stop = threading.Event()
    answers: list[int | str] = []

    def send(name: str, *, keep: bool) -> None:
        session, number = requests.Session(), 0
        while not stop.is_set():
            number += 1
            headers, body = signed(f"{name}{number}@example.com")
            url = f"{receiver.url}/webhooks/bamboohr"
            try:
                how = session if keep else requests
                answers.append(how.post(url, data=body, headers=headers, timeout=10).status_code)
            except requests.RequestException as error:
                answers.append(repr(error))

    senders = [
        threading.Thread(target=send, args=(f"sender{number}-",), kwargs={"keep": number % 2 == 0})
        for number in range(4)
    ]
    for sender in senders:
        sender.start()
    for _ in range(3):
        receiver.reload()
    stop.set()
    for sender in senders:
        sender.join()

    assert set(answers) == {202}
    assert len(receiver.emails()) == len(answers)


def test_sigterm_lets_a_delivery_end_and_leaves_nobody_behind(receiver):
    """What has begun is answered; then all of it is gone, well before anybody loses patience."""
    headers, body = signed("jane@example.com")
    request = request_of(headers | {"Content-Length": str(len(body))}, body)
    children = receiver.children()
    with socket.create_connection(("127.0.0.1", receiver.port), timeout=10) as connection:
        connection.sendall(request[:-10])
        # Once the other half of the request is awaited, a second connection is served all the same.
        assert receiver.is_ready()
        receiver.process.send_signal(signal.SIGTERM)
        connection.sendall(request[-10:])
        answer = connection.recv(65536)

    assert receiver.process.wait(timeout=10) == 0
    assert answer.startswith(b"HTTP/1.1 202 ")
    wait_until(lambda: not any(is_alive(pid) for pid in children))


def test_rejections_are_written_before_the_end(receiver):
    """A restart must not hide that a key is wrong."""
    for _ in range(20):
        receiver.post(key="test-key-of-a-stranger")
    receiver.process.send_signal(signal.SIGTERM)
    receiver.process.wait(timeout=10)

    with sqlite3.connect(receiver.ledger) as connection:
        (count,) = connection.execute("SELECT sum(count) FROM rejections").fetchone()
    connection.close()
    assert count == 20


def test_a_taken_port_is_one_clear_line(running):
    """Whoever starts a second one learns which setting it is about."""
    second = subprocess.run(
        [sys.executable, "-m", "webhook.cli", "--config", str(running.file), "serve"],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )

    assert second.returncode == 2
    assert second.stderr.count("\n") == 1
    assert f"server.listen: 127.0.0.1:{running.port}" in second.stderr


def test_a_sender_that_falls_silent_is_given_up():
    """One that vanished in the middle of a request must not hold a thread for ever."""
    size = struct.calcsize("ll")
    with (
        listen("server.listen", Address("127.0.0.1", 0)) as listener,
        socket.create_connection(listener.getsockname()),
        listener.accept()[0] as connection,
    ):
        limit = connection.getsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, size)

    assert struct.unpack("ll", limit) == (SILENCE_S, 0)
