"""The description is true: of every route, and of whatever the routes answer."""

import re

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.workers.records import DAY, NOW, delivery, job_row, person, record
from webhook.api import OPERATIONS
from workers.leavers import new_id
from workers.ledger import holds, key_offers, outbox, tokens
from workers.ledger.holds import Side
from workers.ledger.outbox import Message, MessageKind
from workers.ledger.users import Role

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


@pytest.fixture
def ledger(sqlite_ledger):
    """One is enough: what is answered does not depend on the database."""
    return sqlite_ledger


def test_every_route_is_described_and_every_operation_is_a_route(program, app, ledger):
    """A route that nobody describes is one that nobody tests."""
    described = program()("/openapi.json").json["paths"]

    routes = {
        (re.sub(r"<(\w+)>", r"{\1}", rule.rule.removeprefix("/api/v1")), method.lower())
        for rule in app(ledger).url_map.iter_rules()
        for method in rule.methods - {"HEAD", "OPTIONS"}
        if rule.rule.startswith("/api/")
    }
    assert routes - {("/openapi.json", "get")} == {
        (path, method) for path, methods in described.items() for method in methods
    }


@pytest.mark.exhaustive
@pytest.mark.usefixtures("worker")
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda each: each.name)
def test_whatever_is_asked_is_answered_as_described(app, ledger, operation):
    """Schemathesis makes up questions, right ones and wrong ones, also about what there is."""
    known = known_in(ledger)
    if operation.path.startswith("/deliveries"):
        known["ids"] = [known["delivery"]]
    if operation.name == "holds.release":
        holds.hold(ledger, Side("source", "hr"), actor="root", why="a test", now=NOW)
    api = app(ledger, LEAVER_NOTIFY__URLS="jsons://example.com/hook")
    token = tokens.add(ledger, "schemathesis", Role.APPROVER, lasts=DAY, actor="root", now=NOW)
    headers = {"Authorization": f"Bearer {token}"}
    schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", api, headers=headers)
    answered = []

    @settings(max_examples=15, suppress_health_check=[*HealthCheck], database=None)
    @given(case=schema[operation.path][operation.method].as_strategy())
    def ask(case):
        case.call_and_validate(headers=headers, checks=CHECKS)
        case.path_parameters = {name: known[name] for name in case.path_parameters or {}}
        if isinstance(case.body, dict):
            case.body |= {name: known[name] for name in operation.body.model_fields.keys() & known}
            case.body.pop("filter", None)
            case.headers["Idempotency-Key"] = new_id()
        answer = case.call_and_validate(headers=headers, checks=CHECKS)
        answered.append(answer.status_code)

    ask()

    assert 200 in answered


def known_in(ledger):
    """Puts something of each kind into a ledger, and says by what it is named."""
    kept = record(ledger, delivery(person("lena"), person("tom")))
    key_offers.offer(ledger, "hr", "test-token-not-a-secret", now=NOW)
    with ledger.write() as tx:
        message = outbox.put(tx, Message(MessageKind.ALARM, "Leaver: 1 alarm", "a text"), NOW)
    return {
        "job": kept.jobs[0],
        "delivery": kept.delivery,
        "leaver": job_row(ledger, kept.jobs[0]).leaver_id,
        "message": message,
        "ids": kept.jobs,
        "id": key_offers.offers(ledger)[0].id,
        "source": "hr",
        "kind": "source",
        "name": "hr",
        "email": "tom@example.com",
        "at": "now",
        "targets": ["cloud"],
    }
