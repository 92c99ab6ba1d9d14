"""An id for each request: in the answer, in the ledger, and in every line logged about it.

A worker that attempts a job logs the id of the request that brought the leaver, so that one id
leads from the first byte to the last attempt.  Behind a proxy of ours (server.trusted_proxies) the
id that it gave counts, so that its log and ours can be read together.
"""

import re

import structlog
from flask import Flask, Response, g, request

from workers.leavers import new_id

HEADER = "X-Request-Id"

#: Long enough to be one of its kind, and nothing that a log or a header could stumble over.
PLAUSIBLE = re.compile(r"[A-Za-z0-9._=+/-]{8,64}")


def give(app: Flask, *, proxied: bool) -> None:
    """Give every request of `app` an id; to be called before anything else looks at a request."""

    @app.before_request
    def begin() -> None:
        said = request.headers.get(HEADER, "") if proxied else ""
        g.request_id = said if PLAUSIBLE.fullmatch(said) else new_id()
        structlog.contextvars.bind_contextvars(request_id=g.request_id)

    @app.after_request
    def answer(response: Response) -> Response:
        response.headers[HEADER] = g.request_id
        return response

    @app.teardown_request
    def forget(_: BaseException | None) -> None:
        structlog.contextvars.unbind_contextvars("request_id")


def current() -> str:
    """The id of the request that is answered now."""
    given: str = g.request_id
    return given
