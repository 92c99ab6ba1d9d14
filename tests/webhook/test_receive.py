"""POST /webhooks/<source>: the outside contract, and what never happens."""

import sqlite3
from datetime import timedelta
from io import BytesIO
from types import SimpleNamespace
from typing import Any

import pytest
import structlog

from config.secret import ConfigurationError
from config.settings import load
from config.sources import BambooHR
from tests.servers import wait_until
from tests.webhook.receiving import BAMBOOHR_KEYS, NOW, Receiver, configuration
from tests.webhook.sources.conformance import JANE
from webhook.receive import open_doors
from webhook.rejections import Rejections
from webhook.sources import SOURCES, bamboohr
from webhook.sources.base import sign
from webhook.verify import sign_bamboohr


def from_bamboohr(receiver: Receiver) -> tuple[dict[str, str], bytes]:
    settings = receiver.settings.sources["bamboohr"]
    assert isinstance(settings, BambooHR)
    return sign(bamboohr, [JANE], settings, now=NOW)


def signed(body: bytes) -> dict[str, str]:
    return sign_bamboohr(body, BAMBOOHR_KEYS[0].encode(), at=NOW)


def chunked(stream: Any) -> dict[str, Any]:
    """What a server says of a body whose length was not said beforehand."""
    return {
        "wsgi.input": stream,
        "wsgi.input_terminated": True,
        "HTTP_TRANSFER_ENCODING": "chunked",
    }


def break_ledger(receiver: Receiver) -> None:
    """As a disk that died would: nothing can be written any more."""
    with sqlite3.connect(receiver.file) as connection:
        connection.execute("ALTER TABLE seen RENAME TO gone")
    connection.close()


def test_an_unknown_source_is_404(receiver):
    """Also with a signature: there is no key it could be checked with."""
    headers, body = from_bamboohr(receiver)

    answer = receiver.post("nobody", headers, body)

    assert (answer.status_code, answer.json) == (404, {"error": "not found"})


@pytest.mark.parametrize(
    "method", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "X"]
)
def test_only_post_is_allowed(receiver, method):
    """No other method means anything here."""
    answer = receiver.client.open("/webhooks/bamboohr", method=method)

    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")
    assert method == "HEAD" or answer.json == {"error": "method not allowed"}


def test_a_body_of_the_largest_size_is_read(receiver):
    """The limit is what is allowed, not what is refused."""
    body = b"{}".ljust(receiver.settings.server.max_body_bytes)

    assert receiver.post("bamboohr", signed(body), body).status_code == 202


def test_a_larger_body_is_413_and_counted(receiver):
    """HR systems do not send it again, so an operator must hear of it."""
    body = b"{}".ljust(receiver.settings.server.max_body_bytes + 1)

    answer = receiver.post("bamboohr", signed(body), body)

    assert (answer.status_code, answer.json) == (413, {"error": "request entity too large"})
    assert receiver.rejected() == {("bamboohr", "too_large"): 1}


@pytest.mark.parametrize("excess", [1, 100_000])
def test_a_larger_body_in_chunks_is_413_too(receiver, excess):
    """It says no length beforehand; cut off silently, it would look wrongly signed."""
    body = b"x" * (receiver.settings.server.max_body_bytes + excess)

    answer = receiver.client.post(
        "/webhooks/bamboohr",
        headers=signed(body),
        environ_overrides=chunked(BytesIO(body)),
    )

    assert answer.status_code == 413


def test_a_body_in_chunks_is_read(receiver):
    """No content length, and a right signature."""
    headers, body = from_bamboohr(receiver)

    answer = receiver.client.post(
        "/webhooks/bamboohr",
        headers=headers,
        environ_overrides=chunked(BytesIO(body)),
    )

    assert answer.json["status"] == "accepted"


@pytest.mark.parametrize("error", [ValueError, OSError, LookupError])
def test_a_body_that_breaks_off_is_400(receiver, error):
    """Broken chunks, or a sender that went away."""

    def read(_size: int = 0) -> bytes:
        raise error("broken chunk")

    answer = receiver.client.post(
        "/webhooks/bamboohr", environ_overrides=chunked(SimpleNamespace(read=read))
    )

    assert (answer.status_code, answer.json) == (400, {"error": "bad request"})


def test_a_body_that_is_cut_short_counts_against_no_key(receiver):
    """A network that drops connections must not look like a mistyped key."""
    headers, body = from_bamboohr(receiver)

    answer = receiver.client.post(
        "/webhooks/bamboohr",
        headers=headers,
        environ_overrides={
            "wsgi.input": BytesIO(body[:-1]),
            "wsgi.input_terminated": True,
            "CONTENT_LENGTH": str(len(body)),
        },
    )

    assert answer.status_code == 400
    assert receiver.rejected() == {}


def test_an_unknown_content_type_without_a_right_signature_is_415(receiver):
    """It helps whoever sets up a sender, and tells a stranger nothing about keys."""
    answer = receiver.post("bamboohr", {"Content-Type": "text/xml"}, b"<x/>")

    assert answer.status_code == 415
    assert receiver.rejected() == {("bamboohr", "unsupported_media_type"): 1}


@pytest.mark.parametrize("content_type", ["text/plain", "application/JSON; charset=x", "?\u00ff;"])
def test_a_content_type_never_refuses_a_right_signature(receiver, content_type):
    """Whoever has the key is heard."""
    headers, body = from_bamboohr(receiver)

    answer = receiver.post("bamboohr", headers | {"Content-Type": content_type}, body)

    assert answer.json["status"] == "accepted"


def test_what_cannot_be_recorded_is_503(receiver):
    """The sender keeps it and comes again; a 2xx would have been a lie."""
    headers, body = from_bamboohr(receiver)
    break_ledger(receiver)

    answer = receiver.post("bamboohr", headers, body)

    assert (answer.status_code, answer.json) == (503, {"error": "unavailable"})
    assert int(answer.headers["Retry-After"]) > 0
    assert not receiver.bell.rung


class NotUnderstood:
    """A source with an error of ours in its parser."""

    CONTENT_TYPES = frozenset({"application/json"})
    verifier = staticmethod(bamboohr.verifier)

    @staticmethod
    def parse(*_args, **_named):
        raise ZeroDivisionError


def test_a_body_that_breaks_our_parser_is_kept(receiver, monkeypatch):
    """An error of ours must cost time, never a leaver; a 5xx would be sent until it is given up."""
    headers, body = from_bamboohr(receiver)
    monkeypatch.setitem(SOURCES, "bamboohr", NotUnderstood)
    broken = Receiver(receiver.settings, receiver.ledger)

    answer = broken.post("bamboohr", headers, body)

    assert (answer.status_code, answer.json["status"]) == (202, "quarantined")
    assert [row.body for row in receiver.rows("deliveries")] == [body]


def test_a_delivery_is_one_line_without_personal_data(receiver):
    """The log may be read by more people than HR's data."""
    headers, body = from_bamboohr(receiver)

    with structlog.testing.capture_logs() as lines:
        answer = receiver.post("bamboohr", headers, body)

    (line,) = lines
    assert (line["event"], line["source"], line["status"]) == ("delivery", "bamboohr", "accepted")
    assert (line["delivery"], line["leaver"]) == (answer.json["delivery"], 1)
    assert (line["bytes"], line["key"]) == (len(body), "1")
    assert "jane" not in str(line)


def test_a_rejection_is_one_line_with_its_reason(receiver):
    """The reason is for us; the answer has none."""
    with structlog.testing.capture_logs() as lines:
        receiver.post("bamboohr", signed(b"x"), b"y")

    (line,) = lines
    assert (line["status"], line["reason"]) == ("rejected", "signature_wrong")


def test_rejections_reach_the_ledger_by_themselves(receiver):
    """They are written off the request path, and seen within seconds."""
    receiver.post("standard", {}, b"x")
    receiver.post("standard", {}, b"x")

    wait_until(lambda: [row.count for row in receiver.rows("rejections")] == [2])


def test_rejections_outlast_a_ledger_that_is_away(receiver):
    """A key mistyped while the disk is full is still a mistyped key."""
    rejections = Rejections(receiver.ledger, receiver.clock, every=timedelta(days=1))
    with sqlite3.connect(receiver.file) as connection:
        connection.execute("ALTER TABLE rejections RENAME TO away")
        rejections.count("bamboohr", "signature_wrong")
        rejections.flush()
        connection.execute("ALTER TABLE away RENAME TO rejections")
    connection.close()

    rejections.count("bamboohr", "signature_wrong")
    rejections.close()

    assert [row.count for row in receiver.rows("rejections")] == [2]


def test_a_living_process_says_so(receiver):
    """For whoever restarts what hangs."""
    answer = receiver.client.get("/livez")

    assert (answer.status_code, answer.json) == (200, {"status": "alive"})


def test_without_a_queue_it_is_ready_all_the_same(receiver):
    """Deliveries are recorded; the sweep finds them when the queue is back."""
    receiver.bell.answers = False

    answer = receiver.client.get("/readyz")

    assert answer.status_code == 200
    assert answer.json == {"status": "ready", "ledger": "ok", "queue": "unavailable"}


def test_without_a_ledger_it_is_not_ready(receiver):
    """A load balancer sends deliveries elsewhere; a stranger learns no path and no address."""
    receiver.file.write_bytes(b"this is no database" * 1000)

    answer = receiver.client.get("/readyz")

    assert answer.status_code == 503
    assert answer.json == {"status": "not ready", "ledger": "unavailable", "queue": "ok"}


def test_a_file_without_a_key_stops_the_start_and_is_not_shown(tmp_path):
    """A key that cannot be one would refuse every event, one after the other."""
    file, secret = tmp_path / "leaver.toml", tmp_path / "secret"
    file.write_text(configuration())
    secret.write_text("whsec_cut-off-when-it-was-copied")
    environ = {"LEAVER_SOURCES__STANDARD__SECRETS_FILE": str(secret)}

    with pytest.raises(ConfigurationError, match="STANDARD__SECRETS_FILE") as refused:
        open_doors(load(file, environ))

    assert "cut-off" not in str(refused.value)


def test_what_finds_no_room_in_quarantine_is_left_to_the_sender(receiver):
    """HR sends it again after a 503, so nothing is lost; and the disk is not filled."""
    policy = receiver.settings.policy.model_copy(update={"quarantine_limit": 1})
    settings = receiver.settings.model_copy(update={"policy": policy})
    full = Receiver(settings, receiver.ledger)
    key = BAMBOOHR_KEYS[0].encode()

    answers = [
        full.post("bamboohr", sign_bamboohr(body, key, at=NOW), body)
        for body in (b"nonsense", b"more nonsense", b"nonsense")
    ]

    assert [answer.status_code for answer in answers] == [202, 503, 202]
    assert answers[1].headers["Retry-After"] == "30"
    assert answers[2].json["status"] == "duplicate"
