"""The receiver as a Flask app: its routes, its health, and JSON for every error.

    POST /webhooks/<source>   receive.py; also GET, where the sender shakes hands
    GET  /livez               this process answers
    GET  /readyz              deliveries can be recorded

Nothing connects when the app is made; the rejections' thread starts with the first rejection.
"""

from collections.abc import Callable
from datetime import UTC, datetime

from flask import Flask
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException
from werkzeug.middleware.proxy_fix import ProxyFix

from config.settings import Settings
from webhook import request_ids
from webhook.receive import Receiver
from webhook.rejections import Rejections
from workers.dispatch import Waker
from workers.ledger import Ledger, LedgerUnavailable


def utc_now() -> datetime:
    """The instant."""
    return datetime.now(UTC)


def create_app(
    settings: Settings,
    ledger: Ledger,
    waker: Waker,
    clock: Callable[[], datetime] = utc_now,
) -> Flask:
    """The receiver for these settings.  ConfigurationError if a source's secret cannot be had."""
    app = Flask("webhook", static_folder=None)
    app.json.sort_keys = False  # type: ignore[attr-defined]  # Flask's own provider has it
    app.config["MAX_CONTENT_LENGTH"] = settings.server.max_body_bytes + 1  # see receive.py
    app.config["PROVIDE_AUTOMATIC_OPTIONS"] = False
    request_ids.give(app, proxied=bool(settings.server.trusted_proxies))
    app.extensions["rejections"] = rejections = Rejections(ledger, clock)
    receiver = Receiver(settings, ledger, waker, rejections, clock)
    app.add_url_rule("/webhooks/<source>", view_func=receiver.receive, methods=["POST"])
    for name in receiver.handshakes:
        app.add_url_rule(
            f"/webhooks/{name}",
            view_func=receiver.shake_hands,
            methods=["GET"],
            defaults={"source": name},
        )

    @app.get("/livez")
    def livez() -> ResponseReturnValue:
        return {"status": "alive"}

    @app.get("/readyz")
    def readyz() -> ResponseReturnValue:
        """The queue does not decide: without it deliveries are recorded all the same."""
        try:
            ledger.ping()
            ready = True
        except LedgerUnavailable:
            ready = False
        states = {"ledger": _state(ready), "queue": _state(waker.reachable())}
        return {"status": "ready" if ready else "not ready", **states}, 200 if ready else 503

    @app.errorhandler(HTTPException)
    def error(problem: HTTPException) -> ResponseReturnValue:
        """A plain word; what was wrong with it is in our log, not in the answer."""
        response = problem.get_response()
        response.data = app.json.dumps({"error": problem.name.lower()}) + "\n"
        response.content_type = "application/json"
        return response

    if hops := settings.server.trusted_proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]  # as Flask's documentation does it
    return app


def _state(is_well: bool) -> str:
    return "ok" if is_well else "unavailable"
