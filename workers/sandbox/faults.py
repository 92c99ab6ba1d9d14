"""What can go wrong on request, and how it is ordered.

An Order names a fault and the calls it falls on.  The faults are those in KINDS, which any API can
have, and the documented errors of the API that is called, by the vendor's word for them
(`ADMIN-UAM-404-1`, `forbidden.action/externalDirectory.scim`, `conflict.lifecycleErrors`).

A fault keeps the operation from taking place, unless the order says `after_effect`: then it takes
place and only the caller does not learn of it.
"""

import math
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Annotated

from annotated_types import Ge
from pydantic import ConfigDict

from workers.sandbox.answers import NO_ANSWER, Answer, Operation, instant, json_answer

EVERY_OPERATION = "*"
LOST_WRITE = "lost_write"


@dataclass(frozen=True, slots=True)
class Order:
    """A fault on order; in JSON a time span is a number of seconds.

    operation       its name, or "*" for every operation that the fault fits
    times           how many calls it falls on; None: all, until it is cleared
    after           how many calls it lets pass before
    after_effect    let the operation take place first
    account_id      only calls with this account in their path
    email           only calls for the account with this e-mail, and searches for it
    retry_after     for 429 (default 3 s) and 503 (default: not said)
    lasts           how long a timeout hangs, how late an answer is, or what a drip takes
    """

    __pydantic_config__ = ConfigDict(extra="forbid", ser_json_timedelta="float")

    fault: str
    operation: str = EVERY_OPERATION
    times: Annotated[int, Ge(1)] | None = 1
    after: Annotated[int, Ge(0)] = 0
    after_effect: bool = False
    account_id: str | None = None
    email: str | None = None
    retry_after: Annotated[timedelta, Ge(timedelta(0))] | None = None
    lasts: Annotated[timedelta, Ge(timedelta(0))] = timedelta(seconds=30)


Spoil = Callable[[Order, Operation, Answer], Answer]


@dataclass(frozen=True, slots=True)
class Kind:
    """One fault.

    spoil       the faulty answer, from the order, the operation and its true answer
    reshapes    it needs the true answer, so the operation always takes place
    hangs       the call is held for as long as the order lasts, or until it is cleared
    fits        the operations that can have it
    """

    meaning: str
    spoil: Spoil
    reshapes: bool = False
    hangs: bool = False
    fits: Callable[[Operation], bool] = lambda operation: True


def kind_of(fault: str) -> Kind:
    """A fault of KINDS, or the error that an API documents under this word."""
    return KINDS.get(fault) or Kind(
        "documented error",
        lambda order, operation, true: operation.api.errors[fault](),
        fits=lambda operation: fault in operation.api.errors,
    )


def _waiting_time(order: Order) -> timedelta:
    return timedelta(seconds=3) if order.retry_after is None else order.retry_after


def _no_header(order: Order) -> dict[str, str]:
    return {}


def _in_seconds(order: Order) -> dict[str, str]:
    return {"Retry-After": str(math.ceil(_waiting_time(order).total_seconds()))}


def _as_http_date(order: Order) -> dict[str, str]:
    # An HTTP-date has whole seconds: rounded up, so that nobody comes back too early.
    until = datetime.now(UTC) + _waiting_time(order) + timedelta(seconds=1)
    return {"Retry-After": format_datetime(until.replace(microsecond=0), usegmt=True)}


def _as_reset(order: Order) -> dict[str, str]:
    """ISO-8601 in UTC, not seconds: "Rate limits" in the Organizations API (read 2026-11-23)."""
    return {
        "X-RateLimit-Limit": "200",
        "X-RateLimit-Remaining": "0",
        "X-RateLimit-Reset": instant(datetime.now(UTC) + _waiting_time(order)),
    }


def _if_asked(order: Order) -> dict[str, str]:
    return {} if order.retry_after is None else _in_seconds(order)


def _gateway(
    status: int, message: str, headers: Callable[[Order], dict[str, str]] = _no_header
) -> Spoil:
    body = {"code": status, "message": message}
    return lambda order, operation, true: json_answer(status, body, headers(order))


def _rate_limited(headers: Callable[[Order], dict[str, str]] = _no_header) -> Spoil:
    return _gateway(429, "Rate limit exceeded", headers)


def _unauthorized(order: Order, operation: Operation, true: Answer) -> Answer:
    return operation.api.unauthorized


def _internal_error(order: Order, operation: Operation, true: Answer) -> Answer:
    return operation.api.internal_error


def _html(status: int) -> Spoil:
    page = b"<!doctype html><html><body><h1>We're having trouble</h1></body></html>"
    return lambda order, operation, true: Answer(status, page, "text/html; charset=utf-8")


def _bare(status: int) -> Spoil:
    return lambda order, operation, true: Answer(status)


def _empty(order: Order, operation: Operation, true: Answer) -> Answer:
    return Answer(200, b"", "application/json")


def _empty_list(order: Order, operation: Operation, true: Answer) -> Answer:
    return json_answer(200, operation.empty)


def _no_answer(order: Order, operation: Operation, true: Answer) -> Answer:
    return NO_ANSWER


def _unspoilt(order: Order, operation: Operation, true: Answer) -> Answer:
    return true


def _truncated(order: Order, operation: Operation, true: Answer) -> Answer:
    return replace(true, content=true.content[: len(true.content) // 2])


def _cut(order: Order, operation: Operation, true: Answer) -> Answer:
    def half(content: bytes) -> Iterator[bytes]:
        yield content[: len(content) // 2]
        raise ConnectionAbortedError

    return replace(true, deliver=half)


def _drip(order: Order, operation: Operation, true: Answer) -> Answer:
    def drops(content: bytes) -> Iterator[bytes]:
        size = math.ceil(len(content) / 20)
        for start in range(0, len(content), size):
            time.sleep(order.lasts.total_seconds() / 20)
            yield content[start : start + size]

    return replace(true, deliver=drops)


def _writes(operation: Operation) -> bool:
    return operation.writes


def _reads(operation: Operation) -> bool:
    return not operation.writes


def _lists(operation: Operation) -> bool:
    return operation.empty is not None


KINDS: Mapping[str, Kind] = {
    "429": Kind("429, Retry-After in seconds", _rate_limited(_in_seconds)),
    "429_date": Kind("429, Retry-After as an HTTP-date", _rate_limited(_as_http_date)),
    "429_reset": Kind("429, X-RateLimit-Reset as ISO-8601", _rate_limited(_as_reset)),
    "429_bare": Kind("429 that does not say until when", _rate_limited()),
    "401": Kind("the credential is refused", _unauthorized),
    "500": Kind("500 as the API has it", _internal_error),
    "502": Kind("502 from the gateway", _gateway(502, "Bad Gateway")),
    "503": Kind("503, Retry-After if asked", _gateway(503, "Service Unavailable", _if_asked)),
    "html": Kind("200 with an HTML page", _html(200)),
    "html_404": Kind("404 with an HTML page", _html(404)),
    "html_502": Kind("502 with an HTML page", _html(502)),
    **{
        f"bare_{status}": Kind(f"{status} without a body", _bare(status))
        for status in (204, 302, 403, 404, 409)
    },
    "empty": Kind("200 with an empty body", _empty),
    "empty_list": Kind("200 with an empty list", _empty_list, fits=_lists),
    "dropped": Kind("closed without an answer", _no_answer),
    "timeout": Kind("silence for as long as it lasts, then closed", _no_answer, hangs=True),
    "late": Kind(
        "the true answer, after as long as it lasts", _unspoilt, reshapes=True, hangs=True
    ),
    "truncated": Kind("half of the body, as if all", _truncated, reshapes=True, fits=_reads),
    "cut": Kind("half of the body, then closed", _cut, reshapes=True, fits=_reads),
    "drip": Kind("the body, a little at a time", _drip, reshapes=True, fits=_reads),
    LOST_WRITE: Kind("success without doing it", _unspoilt, reshapes=True, fits=_writes),
}
