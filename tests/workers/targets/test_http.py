"""A call is bounded, recorded, sent once, and never sent at all without leave to write."""

import base64
import contextlib
import gzip
import ipaddress
import json
import ssl
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from config.secret import ConfigurationError, Secret
from config.targets import Target
from tests.servers import free_port
from tests.workers.targets.books import Book
from tests.workers.targets.scripted import ScriptedServer, answer
from workers.errors import (
    AccountBusy,
    LeaseLost,
    LockedOut,
    Refused,
    Stopped,
    TargetError,
    Unavailable,
)
from workers.limits import Unlimited
from workers.targets.answers import CLOUD
from workers.targets.credentials import Basic, Bearer, Login
from workers.targets.http import CALL_BUDGET, MAX_ANSWER_BYTES, Client, Name

KEY = "test-key-not-a-secret"
EMAIL = "lena.vogt@example.com"
OK = answer(200, {"data": []})
PATH = ("users", "712020:ab|c", "manage")


def client_of(server, *, key=KEY, credential=None, connections=2, budget=CALL_BUDGET, **settings):
    url = server if isinstance(server, str) else server.base_url
    credential = credential or Bearer(Secret(key))
    own = Target(base_url=url, concurrency=connections, **settings)
    return Client(own, credential, dialect=CLOUD, limit=Unlimited(), budget=budget)


def ask(server, book=None, **options):
    return client_of(server, **options).ask(book or Book(), "manage.get", PATH, about_account=True)


def write(server, book=None, **options):
    return client_of(server, **options).write(book or Book(), "disable", "POST", PATH)


# What is sent -------------------------------------------------------------------------------------


def test_a_call_carries_the_key_and_says_who_it_is():
    """Atlassian wants a bearer key; its operators see who calls."""
    with ScriptedServer(OK) as server:
        ask(server)

    head = server.requests[0].decode()
    assert f"Authorization: Bearer {KEY}\r\n" in head
    assert "User-Agent: leaver/" in head


def test_a_user_and_a_password_are_sent_as_basic():
    """In UTF-8, as the standard of 2015 has it and Atlassian expects it."""
    with ScriptedServer(OK) as server:
        ask(server, credential=Basic("leaver", Secret("pässword:not-a-secret")))

    expected = base64.b64encode("leaver:pässword:not-a-secret".encode())
    assert b"Authorization: Basic " + expected + b"\r\n" in server.requests[0]


def test_a_target_may_have_headers_of_its_own():
    """Jira lets no program write that does not say that it is none of a browser."""
    own = Target(base_url="http://127.0.0.1")
    with ScriptedServer(OK) as server:
        settings = own.model_copy(update={"base_url": server.base_url})
        headers = {"X-Atlassian-Token": "no-check"}
        client = Client(
            settings, Bearer(Secret(KEY)), dialect=CLOUD, limit=Unlimited(), headers=headers
        )
        client.ask(Book(), "manage.get", PATH)

    assert b"X-Atlassian-Token: no-check\r\n" in server.requests[0]


def test_a_write_may_have_a_query():
    """Some APIs name the user there; the journal keeps no query."""
    book = Book()
    with ScriptedServer(answer(204)) as server:
        client = client_of(server)
        client.write(
            book, "user.put", "PUT", ("user",), query={"username": "l vogt"}, body={"active": False}
        )

    assert server.requests[0].startswith(b"PUT /user?username=l+vogt HTTP/1.1\r\n")
    assert server.requests[0].endswith(b'{"active": false}')
    assert book.calls[0].path == "/user"


def test_every_call_waits_for_its_turn_before_it_asks_for_leave():
    """A leave that waits is stale by the time of the write."""
    book = Book()

    class Turns:
        def wait(self, journal):
            journal.events.append("turn")

    with ScriptedServer(OK) as server:
        own = Target(base_url=server.base_url)
        client = Client(own, Bearer(Secret(KEY)), dialect=CLOUD, limit=Turns())
        client.ask(book, "manage.get", PATH)
        client.write(book, "disable", "POST", PATH)

    events = [event if isinstance(event, str) else event.name for event in book.events]
    assert events == ["turn", "manage.get", "turn", "disable", "disable"]


def test_an_account_id_stays_one_segment_of_the_address():
    """Ids hold `:` and `|`, and nothing in an id may lead to another resource."""
    with ScriptedServer(OK) as server:
        client_of(server).ask(Book(), "manage.get", ("users", "712020:a|b/../c?d#e", "manage"))

    path = b"/users/712020%3Aa%7Cb%2F..%2Fc%3Fd%23e/manage"
    assert server.requests[0].startswith(b"GET " + path + b" HTTP/1.1\r\n")


@pytest.mark.parametrize("odd_id", ["", ".", ".."])
def test_an_id_that_would_change_the_address_is_refused(odd_id):
    """`users/../manage` is somebody else's page."""
    with ScriptedServer(OK) as server:
        with pytest.raises(Refused) as refused:
            client_of(server).write(Book(), "disable", "POST", ("users", odd_id, "manage"))

        assert refused.value.reason == "unclear_account"
        assert server.requests == []


@pytest.mark.parametrize("body", [None, {}, {"message": "m"}])
def test_a_post_always_has_a_json_body(body):
    """Atlassian answers 415 to a POST without one, even where none is documented."""
    with ScriptedServer(answer(204)) as server:
        client_of(server).write(Book(), "suspend", "POST", PATH, body=body)

    head, content = server.requests[0].lower().split(b"\r\n", 1)
    assert head.startswith(b"post ")
    assert b"content-type: application/json" in content
    assert content.endswith(b'{"message": "m"}' if body else b"{}")


# What may be written ------------------------------------------------------------------------------


@pytest.mark.parametrize("refusal", [Stopped("hold"), LeaseLost(), AccountBusy()])
def test_nothing_is_written_without_leave(refusal):
    """A worker that lost its job, or was told to stop, must not touch the account."""
    book = Book(refusal)
    with ScriptedServer(OK) as server, pytest.raises(type(refusal)):
        write(server, book)

    assert server.requests == []
    assert book.events == []


def test_the_leave_is_asked_just_before_the_write():
    """Between the two nothing else may take time."""
    book = Book()
    with ScriptedServer(answer(204)) as server:
        write(server, book)

    leave, call = book.events
    assert leave == "disable"
    assert (call.name, call.write) == ("disable", True)


def test_questions_need_no_leave():
    """A read may be made while a job is on hold."""
    book = Book(Stopped("hold"))
    with ScriptedServer(OK) as server:
        client = client_of(server)
        client.ask(book, "org.get", ("admin",))
        client.ask(book, "users.search", ("search",), search={"emails": [EMAIL]})

    assert [call.write for call in book.calls] == [False, False]


def test_nothing_is_sent_after_the_time_of_the_call_is_over():
    """The name server may have used it up; by then another worker may own the job."""
    with ScriptedServer(OK) as server:
        with pytest.raises(Unavailable):
            write(server, budget=timedelta())
        ask(server)

    assert [request.split()[0] for request in server.requests] == [b"GET"]


def test_a_leave_that_came_too_slowly_sends_nothing():
    """A ledger that was slow, or a process that was frozen, between the leave and the write."""
    budget = timedelta(milliseconds=50)

    class Slow(Book):
        def intend(self, call):
            time.sleep(2 * budget.total_seconds())

    with ScriptedServer(OK) as server:
        with pytest.raises(Unavailable):
            write(server, Slow(), budget=budget)
        ask(server)

    assert [request.split()[0] for request in server.requests] == [b"GET"]


def test_a_lost_lease_shows_at_the_record_of_the_call():
    """The answer came too late for us to act on it."""

    class Late(Book):
        def record(self, call):
            raise LeaseLost

    with ScriptedServer(answer(503)) as server, pytest.raises(LeaseLost):
        ask(server, Late())


# Sessions ---------------------------------------------------------------------------------------

LOGIN = ("rest", "auth", "1", "session")
COOKIE = "8F2C-cookie-not-a-secret"
OPENED = answer(
    200,
    {"session": {"name": "JSESSIONID", "value": COOKIE}, "loginInfo": {"loginCount": 1}},
    {"Set-Cookie": f"JSESSIONID={COOKIE}; Path=/; HttpOnly"},
)


def session(server, book=None):
    """A session with what the server answers to a login."""
    client = client_of(server, credential=Login("leaver", Secret(KEY)))
    return client.session(book or Book(), LOGIN)


def test_a_session_is_opened_used_and_closed():
    """The password goes over the wire once, and nobody finds the session open afterwards."""
    book = Book()
    with ScriptedServer(OPENED, OK, answer(204)) as server, session(server, book) as inside:
        inside.ask(book, "manage.get", PATH)

    opened, used, closed = server.requests
    assert opened.startswith(b"POST /rest/auth/1/session ")
    assert opened.endswith(json.dumps({"username": "leaver", "password": KEY}).encode())
    assert f"Cookie: JSESSIONID={COOKIE}\r\n".encode() in used
    assert KEY.encode() not in used + closed
    assert closed.startswith(b"DELETE /rest/auth/1/session ")
    assert f"Cookie: JSESSIONID={COOKIE}\r\n".encode() in closed
    assert [(call.name, call.write) for call in book.calls] == [
        ("session.open", False),
        ("manage.get", False),
        ("session.close", False),
    ]


def test_all_cookies_of_the_login_are_carried():
    """A load balancer in front finds the right node by one of them."""
    cookies = answer(200, {}, {"Set-Cookie": "node=n1; Path=/\r\nSet-Cookie: JSESSIONID=x; Path=/"})
    with ScriptedServer(cookies, OK) as server, session(server) as inside:
        inside.ask(Book(), "manage.get", PATH)

    (line,) = [row for row in server.requests[1].split(b"\r\n") if row.startswith(b"Cookie: ")]
    assert set(line.removeprefix(b"Cookie: ").split(b"; ")) == {b"node=n1", b"JSESSIONID=x"}


def test_a_session_is_closed_whatever_happens_inside():
    """An attempt ends in many ways."""
    with ScriptedServer(OPENED, answer(204)) as server, pytest.raises(LeaseLost), session(server):
        raise LeaseLost

    assert server.requests[-1].startswith(b"DELETE ")


def test_a_logout_that_fails_changes_nothing():
    """By then the account is off, and read as off."""
    with ScriptedServer(OPENED, OK, answer(500)) as server, session(server) as inside:
        assert inside.ask(Book(), "manage.get", PATH).status == 200


def test_two_sessions_know_nothing_of_each_other():
    """Many jobs of a target share one client."""
    other = answer(200, {"session": {"name": "JSESSIONID", "value": "another-cookie"}})
    with ScriptedServer(OPENED, other, OK, OK, answer(204)) as server:
        client = client_of(server, credential=Login("leaver", Secret(KEY)))
        with client.session(Book(), LOGIN) as one, client.session(Book(), LOGIN) as two:
            one.ask(Book(), "manage.get", PATH)
            two.ask(Book(), "manage.get", PATH)

    assert COOKIE.encode() in server.requests[2]
    assert b"another-cookie" in server.requests[3]


@pytest.mark.parametrize("opened", [{}, {"session": {}}, {"session": None}, [], {"session": "x"}])
def test_a_login_without_a_session_is_an_outage(opened):
    """Whatever followed would be asked as nobody, and nobody sees no users."""
    server = ScriptedServer(answer(200, opened))
    with server, pytest.raises(Unavailable), session(server):
        raise AssertionError("nobody gets here")


@pytest.mark.parametrize(
    ("headers", "status", "reason"),
    [
        ({}, 401, "credential_refused"),
        ({"X-Seraph-LoginReason": "AUTHENTICATED_FAILED"}, 401, "credential_refused"),
        ({"X-Seraph-LoginReason": "AUTHENTICATED_FAILED"}, 200, "credential_refused"),
        ({"X-Seraph-LoginReason": "AUTHENTICATION_DENIED"}, 403, "login_denied"),
        ({"X-Seraph-LoginReason": "AUTHENTICATION_DENIED"}, 401, "login_denied"),
        (
            {"X-Authentication-Denied-Reason": "CAPTCHA_CHALLENGE; login-url=https://j/login.jsp"},
            403,
            "login_denied",
        ),
    ],
)
def test_a_refused_login_is_told_from_one_that_was_not_looked_at(headers, status, reason):
    """One needs another password, the other a person who solves a CAPTCHA."""
    server = ScriptedServer(answer(status, {}, headers))
    with server, pytest.raises(LockedOut) as error, session(server):
        raise AssertionError("nobody gets here")

    assert error.value.reason == reason


@pytest.mark.parametrize("status", [200, 400, 404])
def test_a_refused_login_is_seen_on_any_answer(status):
    """A dead token gets an empty list with 200: the most dangerous "nobody" there is."""
    refused = answer(status, [], {"X-Seraph-LoginReason": "AUTHENTICATED_FAILED"})
    with ScriptedServer(refused) as server, pytest.raises(LockedOut) as error:
        client_of(server).ask(Book(), "users.search", PATH, accept=lambda _: True)

    assert error.value.reason == "credential_refused"


@pytest.mark.parametrize("said", ["OK", "OUT", "AUTHORISATION_FAILED"])
def test_other_words_about_the_login_are_no_refusal(said):
    """They come with good credentials, too."""
    with ScriptedServer(answer(200, {"data": []}, {"X-Seraph-LoginReason": said})) as server:
        assert ask(server).body == {"data": []}


# What comes back ----------------------------------------------------------------------------------


def test_an_answer_is_parsed():
    """The usual case."""
    with ScriptedServer(answer(200, {"data": [1]})) as server:
        assert ask(server).body == {"data": [1]}


def test_a_compressed_answer_is_read_too():
    """We ask for none, but a proxy in between may not care."""
    packed = answer(200, gzip.compress(b'{"data": []}'), {"Content-Encoding": "gzip"})
    with ScriptedServer(packed) as server:
        assert ask(server).body == {"data": []}


TOO_LONG = answer(200, b'{"data": []}' + b" " * MAX_ANSWER_BYTES)
BOMB = answer(200, gzip.compress(b"[]" + b" " * 10**8), {"Content-Encoding": "gzip"})
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    "broken",
    [
        b"",
        b"nonsense\r\n\r\n",
        b"HTTP/1.1 abc OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 70_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n",
        OK[:-3],
        CHUNKED + b'c\r\n{"data": []}\r\n',
        CHUNKED + b"zz\r\n",
        answer(200),
        answer(204),
        answer(200, b"   "),
        answer(200, b"<html>Sign in</html>"),
        answer(200, b'{"data": ['),
        answer(200, b"\xff\xfe\x00\xd8"),
        answer(200, b"[" * 200_000),
        answer(200, b"9" * 5000),
        answer(200, b"null"),
        answer(200, b"x", {"Content-Encoding": "gzip"}),
        TOO_LONG,
        BOMB,
    ],
)
def test_an_answer_that_cannot_be_used_is_an_outage(broken):
    """Truncated, oversized, empty or no JSON at all: none may pass for "nobody found"."""
    book = Book()
    with ScriptedServer(broken) as server, pytest.raises(Unavailable):
        ask(server, book, budget=timedelta(seconds=1))

    assert book.calls[0].error


def test_an_address_where_nobody_answers_is_an_outage():
    """The journal keeps such calls too."""
    book = Book()
    with pytest.raises(Unavailable, match="connection failed"):
        ask(f"http://127.0.0.1:{free_port()}", book)

    assert (book.calls[0].status, book.calls[0].name) == (None, "manage.get")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(status):
    """It would carry the key to another address."""
    with ScriptedServer(OK) as elsewhere:
        redirect = answer(status, headers={"Location": f"{elsewhere.base_url}/trap"})
        with ScriptedServer(redirect) as server, pytest.raises(LockedOut) as error:
            ask(server)

    assert error.value.reason == "misconfigured"
    assert elsewhere.requests == []


def test_a_call_is_never_tried_again_here():
    """Retries are the ledger's business; a second POST here would go out without leave."""
    with ScriptedServer(answer(503)) as server, pytest.raises(Unavailable):
        write(server)

    assert len(server.requests) == 1


@pytest.mark.exhaustive
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(st.binary(max_size=200), st.integers(100, 999), st.booleans())
def test_any_bytes_give_an_answer_or_an_error_of_ours(content, status, framed):
    """The worker has one broad net, and this is not it."""
    start = f"HTTP/1.1 {status} X\r\n".encode()
    length = f"Content-Length: {len(content)}\r\n\r\n".encode()
    whole = start + length + content if framed else start + content
    with ScriptedServer(whole) as server, contextlib.suppress(TargetError):
        assert ask(server, budget=timedelta(seconds=2)).body is not None


# How long it takes --------------------------------------------------------------------------------


def drip(start):
    yield start
    for _ in range(100_000):
        time.sleep(0.02)
        yield b"x"


@pytest.mark.parametrize(
    "start",
    [b"", b"HTTP/1.1 200 OK\r\nX-Long: ", b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n"],
)
def test_an_answer_that_drips_does_not_outlast_the_call(start):
    """Each byte renews a socket's own time-out, here for half an hour; the lease lasts 30 s."""
    slow = pytest.raises(Unavailable, match="no answer in time")
    with ScriptedServer(drip(start)) as server, slow:
        ask(server, budget=timedelta(milliseconds=300))


# Connections --------------------------------------------------------------------------------------


def test_connections_are_used_again():
    """A new TLS connection for each call would cost more than the call."""
    with ScriptedServer(OK) as server:
        client = client_of(server)
        for _ in range(10):
            client.ask(Book(), "manage.get", PATH)

    assert (len(server.requests), server.connections) == (10, 1)


def test_many_threads_share_one_client():
    """All jobs of a target go through it at once, and no more connections stay than it may keep."""
    with ScriptedServer(OK) as server:
        client = client_of(server, connections=4)
        with ThreadPoolExecutor(4) as threads:
            calls = [threads.submit(client.ask, Book(), "manage.get", PATH) for _ in range(100)]
        bodies = [call.result().body for call in calls]

    assert bodies == [{"data": []}] * 100
    assert server.connections <= 4


def test_an_errors_connection_is_used_again():
    """A storm of 429 must not become a storm of connections."""
    with ScriptedServer(answer(429, {"code": 429, "message": "slow"})) as server:
        client = client_of(server)
        for _ in range(5):
            with pytest.raises(LockedOut):
                client.ask(Book(), "manage.get", PATH)

    assert server.connections == 1


def test_no_cookie_is_kept():
    """Calls know nothing of each other."""
    with ScriptedServer(answer(200, {}, {"Set-Cookie": "session=1"}), OK) as server:
        client = client_of(server)
        client.ask(Book(), "manage.get", PATH)
        client.ask(Book(), "manage.get", PATH)

    assert b"session=1" not in server.requests[1]


def test_a_netrc_file_does_not_replace_the_key(tmp_path, monkeypatch):
    """requests would prefer it to our header, and the target would see another user."""
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login other password other\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    with ScriptedServer(OK) as server:
        ask(server)

    assert f"Bearer {KEY}".encode() in server.requests[0]


def test_the_proxy_of_the_environment_is_used(monkeypatch):
    """Many of those who run it can reach Atlassian in no other way."""
    with ScriptedServer(OK) as proxy:
        for name in ("http_proxy", "HTTP_PROXY"):
            monkeypatch.setenv(name, proxy.base_url)
        for name in ("no_proxy", "NO_PROXY"):
            monkeypatch.delenv(name, raising=False)
        ask("http://atlassian.example")

    assert proxy.requests[0].startswith(b"GET http://atlassian.example/users/")


def test_a_deadline_counts_through_a_proxy_too(monkeypatch):
    """The connections of a proxy are made in another place."""
    with ScriptedServer(OK) as proxy:
        monkeypatch.setenv("http_proxy", proxy.base_url)
        monkeypatch.delenv("no_proxy", raising=False)
        with pytest.raises(Unavailable):
            write("http://atlassian.example", budget=timedelta())
        ask("http://atlassian.example")

    assert [request.split()[0] for request in proxy.requests] == [b"GET"]


class TLSServer(ScriptedServer):
    """The same with a certificate that nobody has signed."""

    def __init__(self, folder, *answers):
        super().__init__(*answers)
        self.certificate = folder / "certificate.pem"
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(self._make_certificate(folder))

    @property
    def base_url(self):
        return super().base_url.replace("http:", "https:")

    def get_request(self):
        sock, address = super().get_request()
        return self.context.wrap_socket(sock, server_side=True), address

    def _make_certificate(self, folder):
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
        now = datetime.now(UTC)
        certificate = (
            x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + timedelta(hours=1))
            .add_extension(
                x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
                critical=False,
            )
            .sign(key, hashes.SHA256())
        )
        pem = serialization.Encoding.PEM
        self.certificate.write_bytes(certificate.public_bytes(pem))
        whole = folder / "server.pem"
        whole.write_bytes(
            certificate.public_bytes(pem)
            + key.private_bytes(
                pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        return whole


@pytest.fixture
def tls_server(tmp_path):
    with TLSServer(tmp_path, OK) as server:
        yield server


def test_an_unknown_certificate_gets_no_key(tls_server):
    """Somebody in between would otherwise own the organization."""
    with pytest.raises(Unavailable, match="no trusted TLS connection"):
        ask(tls_server)

    assert tls_server.requests == []


def test_certificates_of_the_settings_are_trusted(tls_server, monkeypatch):
    """An own certificate authority, and the one of the environment does not matter."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/somewhere/else.pem")

    assert ask(tls_server, ca_bundle=tls_server.certificate).body == {"data": []}


def test_certificates_are_verified_where_plain_http_would_do(tls_server):
    """insecure is about http:// alone: a wrong certificate is no accident to be waved through."""
    with pytest.raises(Unavailable, match="no trusted TLS connection"):
        ask(tls_server, insecure=True)


def test_certificates_of_the_environment_are_trusted(tls_server, monkeypatch):
    """A company's proxy signs with the company's own."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tls_server.certificate))

    assert ask(tls_server).body == {"data": []}


# What is kept and shown ---------------------------------------------------------------------------


def test_a_call_is_recorded_with_what_was_asked_and_answered():
    """`leaver job ID` shows it to the operator."""
    book, before = Book(), datetime.now(UTC)
    gone = answer(404, {"key": "accountNotFound"})
    with ScriptedServer(gone) as server, pytest.raises(Refused):
        ask(server, book)

    (call,) = book.calls
    assert (call.name, call.method, call.status) == ("manage.get", "GET", 404)
    assert call.path == "/users/712020%3Aab%7Cc/manage"
    assert call.error == "404 accountNotFound"
    assert before <= call.at <= datetime.now(UTC)
    assert call.duration_ms >= 0


def test_a_query_and_an_email_address_are_not_recorded():
    """Some targets have the e-mail address as the account's id, or search by query."""
    book = Book()
    with ScriptedServer(OK) as server:
        client_of(server).ask(book, "users.get", ("users", EMAIL), query={"email": EMAIL})

    assert book.calls[0].path == "/users/<e-mail>"
    assert b"GET /users/lena.vogt%40example.com?email=lena.vogt%40example.com" in server.requests[0]


def test_a_username_in_an_address_is_not_recorded():
    """It names a person as the e-mail address does."""
    book = Book()
    with ScriptedServer(answer(204)) as server:
        path = ("user", "session", Name("l vogt"))
        client_of(server).write(book, "session.end", "DELETE", path)

    assert book.calls[0].path == "/user/session/<name>"
    assert server.requests[0].startswith(b"DELETE /user/session/l%20vogt ")


keys = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=12, max_size=40)


@settings(max_examples=40)
@given(keys, st.sampled_from((401, 403, 400, 429, 500)), st.sampled_from((0, 190)))
def test_a_target_that_repeats_the_key_does_not_get_it_into_the_record(key, status, before):
    """ "The token ... is not valid" is what some gateways say; a part of the key is too much."""
    book = Book()
    said = {"code": status, "message": f"{'é' * before} {key} is not valid"}
    with ScriptedServer(answer(status, said)) as server, pytest.raises(TargetError) as error:
        ask(server, book, key=key)

    assert key[:6] not in str(error.value)
    assert key[:6] not in repr(book.calls)


@pytest.mark.parametrize(
    "repeated",
    ["p/ss-word", "p\\/ss-word", base64.b64encode(b"leaver:p/ss-word").decode()],
)
def test_a_password_stays_out_of_the_record_too(repeated):
    """Also as Basic writes it, and as some servers write a slash in JSON."""
    said = b'{"message": "no ' + repeated.encode() + b' here"}'
    credential, book = Basic("leaver", Secret("p/ss-word")), Book()
    with ScriptedServer(answer(400, said)) as server, pytest.raises(Refused) as error:
        ask(server, book, credential=credential)

    assert book.calls[0].error == "400 no <key> here"
    assert "ss-word" not in str(error.value)


def test_a_cookie_stays_out_of_the_record_too():
    """Whoever has it is us, until it is closed."""
    book = Book()
    said = answer(400, {"message": f"bad session {COOKIE}"})
    server = ScriptedServer(OPENED, said, answer(204))
    with server, session(server) as inside, pytest.raises(Refused):
        inside.ask(book, "manage.get", PATH, about_account=True)

    assert book.calls[0].error == "400 bad session <key>"


def test_data_that_looks_like_a_weak_password_stays_as_it_is():
    """Masked, the user "admin" would be somebody else."""
    with ScriptedServer(answer(200, {"name": "admin"})) as server:
        found = ask(server, credential=Basic("leaver", Secret("admin")))

    assert found.body == {"name": "admin"}


def test_an_error_does_not_carry_the_request_with_its_key():
    """A traceback in the log shows what an exception holds."""
    with pytest.raises(Unavailable) as error:
        ask(f"http://127.0.0.1:{free_port()}")

    assert error.value.__cause__ is None
    assert error.value.__context__ is None


def test_the_key_is_read_again_for_each_call(tmp_path):
    """A rotated key counts from the next call; nobody restarts a worker for it."""

    class Rotating(Secret):
        texts = iter(("first-test-key", "second-test-key"))

        def reveal(self):
            return next(self.texts)

    with ScriptedServer(OK) as server:
        client = client_of(server, credential=Bearer(Rotating("")))
        client.ask(Book(), "manage.get", PATH)
        client.ask(Book(), "manage.get", PATH)

    assert b"first-test-key" in server.requests[0]
    assert b"second-test-key" in server.requests[1]


def test_a_key_that_cannot_be_read_pauses_the_target():
    """The file may be missing while it is rotated; no job may fail for that."""

    class Missing(Secret):
        def reveal(self):
            raise ConfigurationError("LEAVER_TARGETS__CLOUD__API_KEY_FILE: cannot be read")

    book = Book()
    with ScriptedServer(OK) as server:
        client = client_of(server, credential=Bearer(Missing("")))
        with pytest.raises(LockedOut, match="API_KEY_FILE") as error:
            client.write(book, "disable", "POST", PATH)

    assert error.value.reason == "credential_refused"
    assert (server.requests, book.events) == ([], [])
