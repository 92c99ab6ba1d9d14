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

from tests.workers.records import DAY, NOW, delivery, person, record
from webhook.api import OPERATIONS
from workers.ledger import tokens
from workers.ledger.users import Role

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


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


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda each: each.name)
def test_whatever_is_asked_is_answered_as_described(app, sqlite_ledger, operation):
    """Schemathesis makes up questions, right ones and wrong ones."""
    ledger = sqlite_ledger
    kept = record(ledger, delivery(person("lena"), person("tom")))
    token = tokens.add(ledger, "schemathesis", Role.OPERATOR, lasts=DAY, actor="root", now=NOW)
    headers = {"Authorization": f"Bearer {token}"}
    schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", app(ledger), headers=headers)
    ids = {"job": kept.jobs[0], "delivery": kept.delivery}

    @settings(max_examples=25, suppress_health_check=[*HealthCheck], database=None)
    @given(case=schema[operation.path][operation.method].as_strategy())
    def ask(case):
        case.call_and_validate(headers=headers, checks=CHECKS)
        case.path_parameters = {name: ids[name] for name in case.path_parameters or {}}
        case.call_and_validate(headers=headers, checks=CHECKS)

    ask()
