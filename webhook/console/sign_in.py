"""Signing in, by a local user's password or by a link, and signing out.

At an OpenID provider: openid.py.
"""

from urllib.parse import urlsplit

from flask import Blueprint, abort, g, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from webhook.console import access, passwords
from webhook.console.situation import at
from workers.ledger import sessions, users

pages = Blueprint("sign_in", __name__, url_prefix="/sign-in")


@pages.get("")
def form() -> ResponseReturnValue:
    """Ask who it is."""
    return ask()


@pages.post("")
def enter() -> ResponseReturnValue:
    """Sign in by name and password."""
    ledger, now = at().ledger, at().now()
    name, password = request.form.get("name", ""), request.form.get("password", "")
    address = request.remote_addr or ""
    if users.throttled(ledger, name, address, now):
        minutes = users.THROTTLE.total_seconds() // 60
        return ask(f"Too many sign-ins failed. Wait for {minutes:.0f} minutes."), 429
    known = users.credentials(ledger, name)
    if not passwords.is_right(known and known[1], password) or known is None:
        users.failed(ledger, name, address, now)
        return ask("Name or password is wrong."), 401
    token = sessions.start(ledger, name, known[0], how="by password", now=now)
    return let_in(token, request.form.get("next", ""))


@pages.get("/link/<token>")
def link(token: str) -> ResponseReturnValue:
    """A link is used up by a click, and not by what only looks where it leads."""
    return render_template("link.html", token=token)


@pages.post("/link/<token>")
def follow(token: str) -> ResponseReturnValue:
    """Sign in by a link."""
    session = sessions.follow(at().ledger, token, at().now())
    if session is None:
        return ask("The link was used, or is too old."), 401
    return let_in(session, "")


@pages.post("/end")
def end() -> ResponseReturnValue:
    """Sign out."""
    sessions.end(at().ledger, access.current(), at().now())
    response = make_response(redirect(url_for("sign_in.form"), 303))
    response.delete_cookie(access.COOKIE)
    return response


def ask(fault: str = "") -> str:
    """The page that asks who it is."""
    g.session = None
    wanted = request.values.get("next", "")
    openid = at().settings.console.openid
    return render_template(
        "sign_in.html",
        fault=fault,
        next=wanted,
        name=request.form.get("name"),
        provider=openid and urlsplit(openid.issuer).hostname,
    )


def let_in(token: str, wanted: str) -> ResponseReturnValue:
    """Have the browser keep a session, and go where it wanted to go."""
    # Only a place of our own: "//other.example" and "/\other.example" are places elsewhere.
    place = wanted if wanted.startswith("/") and wanted[1:2] not in ("/", "\\") else "/"
    if any(ord(character) < 32 for character in place):
        abort(400)
    return access.keep(make_response(redirect(place, 303)), token)
