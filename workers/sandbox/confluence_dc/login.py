"""Who calls Confluence, and how it refuses a credential.

A token comes as Bearer (from 7.9 on), a password as Basic.  A wrong credential is 401, or else the
call goes on as nobody's, and only X-Seraph-LoginReason tells.
"""

import base64
import binascii

from flask import g, request

from workers.sandbox.answers import Refused
from workers.sandbox.confluence_dc.errors import login_page, refused
from workers.sandbox.confluence_dc.users import Confluence, User, by_name

FAILED = "AUTHENTICATED_FAILED"


def caller(confluence: Confluence) -> User | None:
    """The user behind the request at hand, None for nobody; refuses a wrong credential."""
    scheme, _, sent = request.headers.get("Authorization", "").partition(" ")
    if not scheme:
        return None
    user = None
    if scheme == "Bearer" and confluence.settings.is_at_least(7, 9):
        user = _by_token(confluence, sent.strip())
    elif scheme == "Basic" and confluence.settings.passwords:
        user = _by_password(confluence, sent)
    if user is None or not user.active:
        if confluence.settings.wrong_login == "refused":
            raise Refused(login_page(401, FAILED))
        g.login_failed = True
        return None
    return user


def must_see_users(confluence: Confluence) -> User | None:
    """The caller; 403 for nobody, unless nobody may look at users too."""
    user = caller(confluence)
    if user is None and not confluence.settings.anonymous:
        raise Refused(refused(403, "User not permitted to use Confluence"))
    return user


def must_administer(confluence: Confluence) -> User:
    user = caller(confluence)
    if user is None:
        raise Refused(login_page(401, FAILED if "login_failed" in g else ""))
    if not user.administers:
        raise Refused(refused(403, "User not permitted to administer Confluence"))
    return user


def _by_token(confluence: Confluence, token: str) -> User | None:
    return next((user for user in confluence.people() if user.token and user.token == token), None)


def _by_password(confluence: Confluence, sent: str) -> User | None:
    try:
        username, _, password = base64.b64decode(sent, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    user = by_name(confluence, username)
    return user if user and user.password == password else None
