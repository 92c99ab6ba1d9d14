"""The API for programs: /api/v1, served by the console's process.

    access.py       tokens, and what each may do
    problems.py     errors, as problem details (RFC 9457)
    operation.py    what an operation takes, gives and needs; checked and described by the same
    openapi.py      the description of them all
    once.py         keys, so that nothing is done twice
    lists.py        pages of a list, and their cursors
    meant.py        what a body says of an act: why, and which are meant
    jobs.py         jobs
    acts.py         what is done to jobs
    leavers.py      leavers: listed, in full, entered by hand
    deliveries.py   what came in
    quarantine.py   what is done to what could not be read
    explain.py      what would be done, and why
    standing.py     how it goes: status, alarms, holds, brake
    holds.py        whole sources and targets held and released
    brake.py        the release of the brake
    source_keys.py  the keys that HR systems posted by themselves
    messages.py     the messages to people
    audit.py        the audit trail
    shadow.py       the shadow report

Whatever a response holds is a fact of workers/ledger/queries, written as `--json` writes it.
"""

from flask import Flask, jsonify
from flask.typing import ResponseReturnValue

from webhook.api import (
    access,
    acts,
    audit,
    brake,
    deliveries,
    explain,
    holds,
    jobs,
    leavers,
    messages,
    openapi,
    quarantine,
    shadow,
    source_keys,
    standing,
)

OPERATIONS = (
    *standing.OPERATIONS,
    *jobs.OPERATIONS,
    *acts.OPERATIONS,
    *leavers.OPERATIONS,
    *deliveries.OPERATIONS,
    *quarantine.OPERATIONS,
    *explain.OPERATIONS,
    *holds.OPERATIONS,
    *brake.OPERATIONS,
    *source_keys.OPERATIONS,
    *messages.OPERATIONS,
    *audit.OPERATIONS,
    *shadow.OPERATIONS,
)


def register(app: Flask) -> None:
    """Have the app serve the API."""
    access.guard(app)
    for operation in OPERATIONS:
        name, method = f"api.{operation.name}", operation.method
        app.add_url_rule(operation.rule, name, operation.answer, methods=[method])

    @app.get(f"{access.API}openapi.json", endpoint="api.describe")
    def describe() -> ResponseReturnValue:
        return jsonify(openapi.described(OPERATIONS))
