"""Published keys: kept, fetched again seldom, and never the reason to lose a leaver."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from jwt.algorithms import OKPAlgorithm, RSAAlgorithm

from config.keys import published_keys, token_key
from config.sources import Workday
from tests.webhook.receiving import NOW
from webhook.doctor.sources import keys_published
from webhook.jwks import FRESH, LARGEST, PAUSE, PublishedKeys
from webhook.tokens import sign_token
from webhook.verify import Rejected

OLD = Ed25519PrivateKey.from_private_bytes(b"test-key-not-a-secret-published1")
NEW = Ed25519PrivateKey.from_private_bytes(b"test-key-not-a-secret-published2")
BODY = b"{}"


def jwk(key, key_id: str) -> dict[str, str]:
    return OKPAlgorithm.to_jwk(key, as_dict=True) | {"kid": key_id}


class Publisher:
    """Serves what a test says, and counts who asked."""

    def __init__(self) -> None:
        self.status, self.asked, self.body = 200, 0, b""
        publisher = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                publisher.asked += 1
                self.send_response(publisher.status)
                self.send_header("Content-Length", str(len(publisher.body)))
                self.end_headers()
                self.wfile.write(publisher.body)

            def log_message(self, *_words) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/jwks.json"

    def publish(self, *keys) -> None:
        self.body = json.dumps({"keys": list(keys)}).encode()


@pytest.fixture
def publisher():
    publisher = Publisher()
    publisher.publish(jwk(OLD.public_key(), "old"))
    yield publisher
    publisher.server.shutdown()
    publisher.server.server_close()


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def keys(publisher, clock):
    return PublishedKeys(publisher.url, "us", clock=clock)


def headers(key, key_id: str) -> dict[str, str]:
    signer = token_key(json.dumps(jwk(key, key_id)))
    sent = sign_token(BODY, signer, audience="us", event_id="1", at=NOW)
    return {name.lower(): value for name, value in sent.items()}


def outcome(keys, key=OLD, key_id="old") -> str:
    try:
        return keys.verify(headers(key, key_id), BODY).event_id
    except Rejected as why:
        return why.reason


def test_nothing_is_fetched_before_the_first_token_nor_for_each(publisher, keys):
    """One fetch serves many deliveries."""
    assert publisher.asked == 0

    assert [outcome(keys) for _ in range(3)] == ["1"] * 3
    assert publisher.asked == 1


def test_what_is_no_token_never_has_anything_fetched(publisher, keys):
    """A stranger's noise costs nobody anything."""
    with pytest.raises(Rejected):
        keys.verify({"authorization": "Bearer x"}, BODY)

    assert publisher.asked == 0


def test_a_new_key_is_taken_without_a_lost_delivery(publisher, keys, clock):
    """HR never sends again what was answered 401."""
    outcome(keys)
    publisher.publish(jwk(OLD.public_key(), "old"), jwk(NEW.public_key(), "new"))
    clock.now += PAUSE

    assert outcome(keys, NEW, "new") == "1"


def test_strangers_cannot_have_keys_fetched_more_than_once_a_pause(publisher, keys, clock):
    """Each with another key id."""
    outcome(keys)
    clock.now += PAUSE

    told = {outcome(keys, NEW, f"made-up-{number}") for number in range(10)}

    assert (told, publisher.asked) == ({"signature_wrong"}, 2)


def test_old_keys_count_while_new_ones_cannot_be_fetched(publisher, keys, clock):
    """An outage of theirs must not stop a leaver; a key we do not know may be a new one."""
    outcome(keys)
    publisher.status = 500
    clock.now += FRESH + 1

    assert outcome(keys) == "1"
    assert outcome(keys, NEW, "new") == "keys_unavailable"


@pytest.mark.parametrize(
    ("status", "body"),
    [(500, b""), (301, b""), (200, b"x"), (200, b'{"keys": []}'), (200, b" " * (LARGEST + 1))],
)
def test_without_any_keys_nothing_is_judged(publisher, keys, clock, status, body):
    """503 and not 401, until there are some; and doctor says why."""
    good, publisher.status, publisher.body = publisher.body, status, body
    own = Workday(kind="workday", auth="jwt", audience="us", jwks_url=publisher.url)

    assert outcome(keys) == "keys_unavailable"
    assert [check.result for check in keys_published("w", own)] == ["attention"]

    publisher.status, publisher.body = 200, good
    clock.now += PAUSE
    assert outcome(keys) == "1"
    assert [check.result for check in keys_published("w", own)] == ["ok"]


def test_a_withdrawn_key_stops_counting(publisher, keys, clock):
    """Its thief has ten minutes."""
    outcome(keys)
    publisher.publish(jwk(NEW.public_key(), "new"))
    clock.now += FRESH + 1

    assert outcome(keys) == "signature_wrong"


def test_only_keys_for_our_algorithms_are_read():
    """A shared secret in a published set would let everybody sign."""
    small = RSAAlgorithm.to_jwk(generate_private_key(65537, 2048).public_key(), as_dict=True)
    document = {
        "keys": [
            {"kty": "oct", "k": "dGVzdA"}, None, 1, {"kty": "RSA"}, small | {"alg": "PS256"},
            small | {"use": "enc"}, small, jwk(OLD.public_key(), "old") | {"alg": "EdDSA"},
        ]
    }  # fmt: skip

    found = published_keys(json.dumps(document).encode())

    assert [key.algorithm for key in found] == ["RS256", "EdDSA"]


def test_rs256_is_taken_from_an_rsa_key():
    """The third of the three."""
    key = generate_private_key(65537, 2048)
    signer = token_key(json.dumps(RSAAlgorithm.to_jwk(key, as_dict=True)))

    sent = sign_token(BODY, signer, audience="us", event_id="1", at=NOW)

    assert jwt.get_unverified_header(sent["Authorization"][7:])["alg"] == "RS256"
