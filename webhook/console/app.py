"""The console as a Flask app.

    /               what needs a person, and how it goes (overview.py)
    /jobs           lists and stories of jobs (jobs.py), and what is done to them (acts.py)
    /leavers        whom they are about (leavers.py), and one entered by hand (terminate.py)
    /deliveries     what came in (deliveries.py)
    /quarantine     what was not read: read again, or dismissed (quarantine.py)
    /holds          which sources, targets and leavers are held (holds.py)
    /brake          where the brake stands, and its release (brake.py)
    /audit          who did what (audit.py)
    /sign-in        by password or link (sign_in.py), or at an OpenID provider (openid.py)
    /api/v1         the same for programs (webhook/api)
    GET /metrics    Prometheus text
    GET /healthz    how it goes, as JSON: 503 when nobody is deactivated

Who may see and do what: access.py.
"""

from collections.abc import Callable
from datetime import UTC, datetime

from flask import Flask, Response, g, render_template, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException
from werkzeug.middleware.proxy_fix import ProxyFix

from config.settings import Settings
from webhook import api, request_ids
from webhook.api import problems
from webhook.console import (
    access,
    acts,
    approvals,
    audit,
    brake,
    deliveries,
    health,
    holds,
    jobs,
    leavers,
    metrics,
    openid,
    overview,
    quarantine,
    sign_in,
    terminate,
    words,
)
from webhook.console.situation import Situation, Wakes, at
from workers.ledger import Ledger, LedgerUnavailable

#: Each has a blueprint.
PAGES = (
    overview,
    jobs,
    acts,
    approvals,
    leavers,
    terminate,
    deliveries,
    quarantine,
    holds,
    brake,
    audit,
    sign_in,
    openid,
)

#: A browser must guess nothing, embed nothing, keep nothing, and run only what is ours.
SECURITY_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; "
    "img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


def utc_now() -> datetime:
    """The instant."""
    return datetime.now(UTC)


def create_app(
    settings: Settings,
    ledger: Ledger,
    waker: Wakes,
    clock: Callable[[], datetime] = utc_now,
) -> Flask:
    """The console of this ledger.  Nothing connects before a request comes."""
    app = Flask("webhook.console")
    app.json.sort_keys = False  # type: ignore[attr-defined]  # Flask's own provider has it
    app.extensions["leaver"] = Situation(ledger, settings, waker, clock)
    app.jinja_env.filters.update(words.FILTERS)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    request_ids.give(app, proxied=bool(settings.server.trusted_proxies))
    access.guard(app)
    for module in PAGES:
        app.register_blueprint(module.pages)

    api.register(app)

    @app.get("/metrics")
    def show_metrics() -> ResponseReturnValue:
        return metrics.scraped(at().ledger, at().now()), {"Content-Type": metrics.CONTENT_TYPE}

    @app.get("/healthz")
    def show_health() -> ResponseReturnValue:
        found = health.found(at().ledger, at().now())
        return found, 503 if found["status"] == health.FAILING else 200

    @app.context_processor
    def always() -> dict[str, object]:
        """What every page has."""
        here = at()
        return {"session": g.get("session"), "now": here.now(), "mode": here.settings.policy.mode}

    @app.errorhandler(HTTPException)
    def error(problem: HTTPException) -> ResponseReturnValue:
        """One word of JSON for a program, a page for a person; with the error's own headers."""
        if request.path.startswith(access.API):
            return problems.of(problem)
        response = problem.get_response()
        if request.path in access.FOR_PROGRAMS:
            response.data = app.json.dumps({"error": problem.name.lower()}) + "\n"
            response.content_type = "application/json"
        else:
            response.data = render_template("error.html", problem=problem)
            response.content_type = "text/html; charset=utf-8"
        return response

    @app.errorhandler(LedgerUnavailable)
    def unavailable(_: LedgerUnavailable) -> ResponseReturnValue:
        """Why is in the log of whoever writes: the text may name hosts and files."""
        again = {"Retry-After": "5"}
        if request.path.startswith(access.API):
            return problems.told(503, "the ledger cannot be reached now"), again
        g.session = None
        return render_template("unavailable.html"), 503, again

    @app.after_request
    def secure(response: Response) -> Response:
        response.headers.update(SECURITY_HEADERS)
        if request.endpoint == "static":
            response.headers["Cache-Control"] = "max-age=300"
        return response

    if hops := settings.server.trusted_proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, hops, hops, hops, 0, 0)  # type: ignore[method-assign]
    return app
