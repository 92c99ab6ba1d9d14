"""Signing in at an OpenID provider: to it by a link, and back from it.

What must be the same on the way back lies in a cookie of this browser: signed with a key made from
the client's secret, short-lived, and for this path only.  So a stranger leaves nothing behind here,
and nobody can have another browser end what theirs began.
"""

import hmac
from dataclasses import asdict
from typing import Any

import structlog
from flask import Blueprint, abort, make_response, redirect, render_template, request
from flask.typing import ResponseReturnValue
from itsdangerous import BadData, URLSafeSerializer

from config.openid import OpenId
from config.secret import ConfigurationError
from webhook.console import provider, sign_in
from webhook.console.provider import Begun, Refused, Unreachable
from webhook.console.situation import at
from workers.ledger import sessions

log = structlog.get_logger(__name__)

PATH = "/sign-in/openid"
BACK = "/back"
COOKIE = "leaver_openid"
LASTS_S = 600
LONGEST_PLACE = 1000  # characters; browsers keep no larger cookie than 4096 bytes

pages = Blueprint("openid", __name__, url_prefix=PATH)


@pages.get("")
def begin() -> ResponseReturnValue:
    """Send the browser to the provider."""
    own, begun = _own(), Begun.now()
    try:
        response = make_response(redirect(provider.place_to_sign_in(own, begun, _back(own)), 303))
        wanted = request.args.get("next", "")[:LONGEST_PLACE]
        kept = asdict(begun) | {"next": wanted, "at": at().now().timestamp()}
        value = str(_signer(own).dumps(kept))
    except (Unreachable, ConfigurationError) as why:
        return _unreachable(why)
    response.set_cookie(
        COOKIE,
        value,
        max_age=LASTS_S,
        path=PATH,
        httponly=True,
        samesite="Lax",
        secure=request.is_secure,
    )
    return response


@pages.get(BACK)
def end() -> ResponseReturnValue:
    """Sign in whom the provider sends back; the cookie is used up, whatever comes of it."""
    response = make_response(_end(_own()))
    response.delete_cookie(COOKIE, path=PATH)
    return response


def _end(own: OpenId) -> ResponseReturnValue:
    try:
        kept = _kept(own)
        code = _code(own, kept["state"])
        begun = Begun(kept["state"], kept["nonce"], kept["verifier"])
        person = provider.person(own, begun, code, _back(own), at().now())
    except Refused as why:
        log.warning("sign-in refused", why=str(why))
        return sign_in.ask("That did not sign you in. Begin again here."), 401
    except (Unreachable, ConfigurationError) as why:
        return _unreachable(why)
    if person.role is None:
        log.warning("sign-in refused", why="in no group of console.openid.roles")
        return render_template("no_role.html"), 403
    how = "by OpenID Connect"
    token = sessions.start(at().ledger, person.name, person.role, how=how, now=at().now())
    return sign_in.let_in(token, kept["next"])


def _kept(own: OpenId) -> dict[str, Any]:
    """What this browser was given when it began."""
    try:
        kept: dict[str, Any] = _signer(own).loads(request.cookies.get(COOKIE, ""))
    except BadData:
        raise Refused("this browser did not begin it, or has ended it") from None
    if not 0 <= at().now().timestamp() - kept["at"] <= LASTS_S:
        raise Refused("it began too long ago")
    return kept


def _code(own: OpenId, state: str) -> str:
    """The code that the provider sent, as an answer to this browser's question."""
    given = request.args
    if not hmac.compare_digest(given.get("state", "").encode(), state.encode()):
        raise Refused("another state than this browser's")
    if given.get("iss", own.issuer) != own.issuer:  # RFC 9207
        raise Refused("an answer of another provider")
    if "error" in given:
        raise Refused(f"the provider says {provider.plain(given['error'])}")
    return given.get("code", "")


def _own() -> OpenId:
    own = at().settings.console.openid
    return own or abort(404)


def _back(own: OpenId) -> str:
    return own.public_url + PATH + BACK


def _signer(own: OpenId) -> URLSafeSerializer:
    return URLSafeSerializer(own.client_secret.reveal(), salt="leaver sign-in by OpenID Connect")


def _unreachable(why: Exception) -> ResponseReturnValue:
    log.error("openid provider not reached", why=str(why))
    fault = "The OpenID provider cannot be asked now. Try again, or sign in with a password."
    return sign_in.ask(fault), 503
