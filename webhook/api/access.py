"""Which program asks, and what it may do.

A token in the header Authorization, and nothing else: what a browser sends by itself opens nothing
here, so that no other site can use it.
"""

from flask import Flask, abort, g, request
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import Unauthorized

from webhook.console.access import API as EVERY_API
from webhook.console.situation import at
from workers.ledger import tokens
from workers.ledger.tokens import Token
from workers.ledger.users import Role

API = f"{EVERY_API}v1/"

LONGEST_BODY = 1 << 20


def guard(app: Flask) -> None:
    """Have every request of the API checked, also one for what does not exist."""

    @app.before_request
    def admit() -> None:
        if not request.path.startswith(EVERY_API):
            return
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        known = tokens.of(at().ledger, given.strip(), at().now())
        if scheme.lower() != "bearer" or known is None:
            challenge = WWWAuthenticate("bearer", {"realm": "leaver"})
            raise Unauthorized(
                "send `Authorization: Bearer TOKEN`, with a token of `leaver token add` that has "
                "neither expired nor been removed",
                www_authenticate=challenge,
            )
        g.token = known
        request.max_content_length = LONGEST_BODY


def check(role: Role) -> None:
    """Only for a token with this role, or a higher one."""
    if not token().role.may(role):
        abort(403, f"this takes the role {role}; the token's is {token().role}")


def actor() -> str:
    """Which program asks, as the audit trail names it beside people."""
    return f"{token().name} (API)"


def token() -> Token:
    """The token of this request."""
    known: Token = g.token
    return known
