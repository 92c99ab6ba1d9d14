"""Who asks, and what they may do: sessions, roles, and requests that another site has sent.

Nothing is shown without a session but the sign-in, /healthz and /metrics.  What changes something
is a POST from a page of our own: its origin is checked, and the secret of its session with it.
"""

import hmac
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from flask import Flask, Response, abort, g, redirect, request, url_for
from flask.typing import ResponseReturnValue

from webhook.console.situation import at
from workers.ledger import sessions
from workers.ledger.sessions import Session
from workers.ledger.users import Role

View = TypeVar("View", bound=Callable[..., Any])

COOKIE = "leaver_session"

#: Whoever reads these is a program, and nothing in them is anybody's business only.
FOR_PROGRAMS = ("/metrics", "/healthz")

#: Under it only tokens count (webhook/api/access.py), never a session.
API = "/api/"

#: Views for somebody who is about to sign in.
OPEN = {
    "sign_in.form",
    "sign_in.enter",
    "sign_in.link",
    "sign_in.follow",
    "openid.begin",
    "openid.end",
}


def guard(app: Flask) -> None:
    """Have every request of the app checked."""

    @app.before_request
    def admit() -> ResponseReturnValue | None:
        if request.path in FOR_PROGRAMS or request.endpoint == "static":
            return None
        if request.path.startswith(API):
            return None
        g.session = sessions.of(at().ledger, request.cookies.get(COOKIE, ""), at().now())
        if request.method == "POST":
            _refuse_other_sites()
        if request.endpoint in OPEN:
            return None
        if g.session is None:
            wanted = request.full_path.rstrip("?") if request.method == "GET" else "/"
            return redirect(url_for("sign_in.form", next=wanted))
        if request.method == "POST":
            given = request.form.get("csrf", "")
            if not hmac.compare_digest(given.encode(), g.session.csrf.encode()):
                abort(400, "the form is too old: go back, load the page again, and repeat it")
        return None


def needs(role: Role) -> Callable[[View], View]:
    """Only for somebody with this role, or a higher one."""

    def wrap(view: View) -> View:
        @wraps(view)
        def checked(*args: Any, **kwargs: Any) -> Any:
            if not current().role.may(role):
                abort(403, f"this takes the role {role}; yours is {current().role}")
            return view(*args, **kwargs)

        return checked  # type: ignore[return-value]  # the same arguments and result

    return wrap


def current() -> Session:
    """Who asks."""
    session: Session = g.session
    return session


def keep(response: Response, token: str) -> Response:
    """Have the browser keep a session."""
    response.set_cookie(COOKIE, token, httponly=True, samesite="Lax", secure=request.is_secure)
    return response


def _refuse_other_sites() -> None:
    """Browsers say from where a form was sent; what is no browser has no cookie to misuse."""
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    if site not in (None, "same-origin", "none"):
        abort(400, "this was sent from another site")
    if origin is not None and origin != request.host_url.rstrip("/"):
        abort(400, "this was sent from another site; behind a proxy set server.trusted_proxies")
