"""The way of one call: latency, ordered fault, credential, operation, log."""

import random
import time
from collections.abc import Callable
from contextlib import nullcontext
from datetime import timedelta
from typing import Any

from flask import Response, request

from workers.sandbox.answers import NO_CONTENT, Answer, Operation, Refused
from workers.sandbox.book import Book, Placed
from workers.sandbox.calls import Call, Effect, Log
from workers.sandbox.faults import LOST_WRITE, kind_of
from workers.sandbox.records import Records


def gated(
    operation: Operation, state: Records[Any, Any], book: Book, log: Log
) -> Callable[..., Response]:
    """The Flask view of an operation."""

    def view(**path: str) -> Response:
        account_id = operation.api.account(state, path)
        emails = _emails(state, account_id)
        with log.recording(request, operation, account_id, emails) as call:
            _take_time(state.settings.latency)
            placed = book.take(operation, account_id, emails)
            answer = _answer(operation, state, call, placed, path)
            call.status = answer.status
        return as_response(answer)

    return view


def _answer(
    operation: Operation,
    state: Records[Any, Any],
    call: Call,
    placed: Placed | None,
    path: dict[str, Any],
) -> Answer:
    call.effect = "prevented" if operation.writes else None
    if placed is None:
        return _operate(operation, state, call, path)
    order, kind = placed.order, kind_of(placed.order.fault)
    call.fault = order.fault
    true = NO_CONTENT
    if order.after_effect or kind.reshapes:
        true = _operate(operation, state, call, path, loses=order.fault == LOST_WRITE)
    if kind.hangs:
        placed.cleared.wait(order.lasts.total_seconds())
    return kind.spoil(order, operation, true)


def _operate(
    operation: Operation,
    state: Records[Any, Any],
    call: Call,
    path: dict[str, Any],
    *,
    loses: bool = False,
) -> Answer:
    """What the operation really answers, and in the call what a write did."""
    if not operation.api.admits(request):
        return operation.api.unauthorized
    # No documentation says so; measured by the author of a script that suspends users from a CSV
    # file and told in its README (read 2026-11-23).  `{}` is enough of a body.
    if operation.method == "POST" and request.mimetype != "application/json":
        return operation.api.unsupported_media_type
    account_id = call.account_id or ""
    with state.lock, state.losing_writes() if loses else nullcontext():
        before = state.person(account_id)
        try:
            answer = operation.answer(state, **path)
        except Refused as refused:
            answer = refused.answer
        if operation.writes:
            call.found = before.account_status if before else None
            call.effect = _effect(answer, changed=state.person(account_id) != before, lost=loses)
        return answer


def _effect(answer: Answer, *, changed: bool, lost: bool) -> Effect:
    if answer.status is None or answer.status >= 300:
        return "refused"
    if lost:
        return "lost"
    return "changed" if changed else "unchanged"


def _emails(state: Records[Any, Any], account_id: str | None) -> tuple[str, ...]:
    """Whom the call is about: the account in its path, or the e-mails in its body."""
    if account_id:
        person = state.person(account_id)
        return (person.email,) if person else ()
    body = request.get_json(silent=True)
    emails = body.get("emails") if isinstance(body, dict) else None
    return tuple(str(email) for email in emails) if isinstance(emails, list) else ()


def _take_time(latency: timedelta) -> None:
    if latency:
        time.sleep(latency.total_seconds() * random.uniform(0.5, 1.5))  # noqa: S311  not a secret


def as_response(answer: Answer) -> Response:
    response = Response(
        answer.deliver(answer.content),
        status=answer.status or 200,  # Without a status the connection ends before it is sent.
        headers=dict(answer.headers),
        content_type=answer.media_type or None,
    )
    if not answer.media_type:
        response.headers.pop("Content-Type", None)
    if answer.status != 204:
        response.headers["Content-Length"] = str(len(answer.content))
    return response
