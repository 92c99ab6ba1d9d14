"""Errors, as problem details (RFC 9457)."""

from dataclasses import dataclass
from http import HTTPStatus

from flask import Response, jsonify
from pydantic import ValidationError
from werkzeug.exceptions import HTTPException

from workers.ledger.queries import as_json

CONTENT_TYPE = "application/problem+json"


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong; `fields` says it of each field that is."""

    type: str
    title: str
    status: int
    detail: str
    fields: dict[str, str]


def of(error: HTTPException) -> Response:
    """The answer to a request that failed, with the error's own headers."""
    response = told(error.code or 500, error.description or "")
    own = [(name, value) for name, value in error.get_headers() if name != "Content-Type"]
    response.headers.extend(own)
    return response


def mistyped(error: ValidationError) -> Response:
    """The answer to a request whose fields are not as described."""
    fields = {
        ".".join(map(str, each["loc"])): each["msg"]
        for each in error.errors(include_url=False, include_context=False, include_input=False)
    }
    return told(422, "some fields are not as /api/v1/openapi.json describes them", fields)


def told(status: int, detail: str, fields: dict[str, str] | None = None) -> Response:
    """A problem as an answer."""
    title = HTTPStatus(status).phrase
    response = jsonify(as_json(Problem("about:blank", title, status, detail, fields or {})))
    response.status_code, response.content_type = status, CONTENT_TYPE
    return response
