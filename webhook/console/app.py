"""The console as a Flask app.

GET /metrics   Prometheus text
GET /healthz   how it goes, as JSON: 503 when nobody is deactivated
"""

from collections.abc import Callable
from datetime import UTC, datetime

from flask import Flask, Response
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException

from webhook.console import health, metrics
from workers.ledger import Ledger

#: A browser must guess nothing, embed nothing, keep nothing and run nothing.
SECURITY_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


def utc_now() -> datetime:
    """The instant."""
    return datetime.now(UTC)


def create_app(ledger: Ledger, clock: Callable[[], datetime] = utc_now) -> Flask:
    """The console of this ledger.  Nothing connects before a request comes."""
    app = Flask("webhook.console", static_folder=None)
    app.json.sort_keys = False  # type: ignore[attr-defined]  # Flask's own provider has it

    @app.get("/metrics")
    def show_metrics() -> ResponseReturnValue:
        return metrics.scraped(ledger, clock()), {"Content-Type": metrics.CONTENT_TYPE}

    @app.get("/healthz")
    def show_health() -> ResponseReturnValue:
        found = health.found(ledger, clock())
        return found, 503 if found["status"] == health.FAILING else 200

    @app.errorhandler(HTTPException)
    def error(problem: HTTPException) -> ResponseReturnValue:
        """One word of JSON, with the headers that belong to the error."""
        response = problem.get_response()
        response.data = app.json.dumps({"error": problem.name.lower()}) + "\n"
        response.content_type = "application/json"
        return response

    @app.after_request
    def secure(response: Response) -> Response:
        response.headers.update(SECURITY_HEADERS)
        return response

    return app
