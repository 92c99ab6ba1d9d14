"""One id leads from the first byte to the last attempt."""

import io
import json
from dataclasses import replace

import pytest
import structlog
from flask import Flask

from config import logs
from tests.workers.fakes import FakeTarget, account
from tests.workers.records import delivery, person, record
from tests.workers.shop import Shop
from webhook import request_ids

GIVEN = "proxy-4711/ab=="


@pytest.fixture
def lines():
    """Reads what was logged, as whoever keeps the log does."""
    stream = io.StringIO()
    logs.configure(stream, json=True)
    return lambda: [json.loads(line) for line in stream.getvalue().splitlines()]


def client(*, proxied):
    app = Flask("app")
    request_ids.give(app, proxied=proxied)

    @app.get("/")
    def home():
        return request_ids.current()

    return app.test_client()


def asked(client, given=None, path="/"):
    return client.get(path, headers={} if given is None else {"X-Request-Id": given})


def test_every_request_has_an_id_of_its_own():
    """Two that had the same could not be told apart."""
    home = client(proxied=False)

    first, second = asked(home), asked(home)

    assert len({first.text, second.text}) == 2
    assert first.headers["X-Request-Id"] == first.text


def test_the_id_that_our_proxy_gave_counts():
    """Its log and ours can be read together."""
    assert asked(client(proxied=True), GIVEN).text == GIVEN


def test_without_a_proxy_nobody_gives_an_id():
    """Whoever could choose it could make two requests look like one."""
    assert asked(client(proxied=False), GIVEN).text != GIVEN


@pytest.mark.parametrize(
    "given", ["", "short", "x" * 65, "jane@example.com", "a b c d e f", "\u00e9" * 9]
)
def test_what_is_no_id_is_replaced(given):
    """It is logged, and comes back in a header."""
    assert asked(client(proxied=True), given).text != given


def test_an_error_has_its_id_too():
    """It is what whoever reports it can name."""
    assert asked(client(proxied=True), GIVEN, "/nowhere").headers["X-Request-Id"] == GIVEN


def test_the_line_of_a_delivery_has_the_id_of_its_answer(receiver, lines):
    """A sender's support can say which request it was."""
    answer = receiver.post("bamboohr", {}, b"x")

    assert [line["request_id"] for line in lines()] == [answer.headers["X-Request-Id"]]


def test_what_is_logged_after_a_request_has_no_id(receiver, lines):
    """A thread does other work too; under the last request's id it would be looked for in vain."""
    receiver.post("bamboohr", {}, b"x")

    structlog.get_logger().info("something else")

    assert "request_id" not in lines()[-1]


def test_the_line_of_an_attempt_has_the_id_of_the_delivery(sqlite_ledger, tmp_path, lines):
    """Also days later, and on another machine."""
    brought = replace(delivery(person("lena")), request_id=GIVEN)
    [job] = record(sqlite_ledger, brought).jobs
    shop = Shop(sqlite_ledger, tmp_path, FakeTarget(account("lena")))

    shop.work(job)

    shop.close()
    attempts = [line for line in lines() if line["event"] == "attempt"]
    assert [(line["job_id"], line["request_id"]) for line in attempts] == [(job, GIVEN)]
