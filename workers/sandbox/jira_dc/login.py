"""Who calls Jira, and how it refuses a credential.

A token comes as Bearer, a password as Basic or to /rest/auth/1/session, which gives a cookie.
A wrong credential is 401, or else the call goes on as nobody's, and only X-Seraph-LoginReason
tells.  After some failures Jira wants a CAPTCHA: 403, whether or not the password is right.
https://developer.atlassian.com/server/jira/platform/basic-authentication/ (read 2026-11-23)
"""

import base64
import binascii
from uuid import uuid4

from flask import g, request

from workers.sandbox.answers import NO_CONTENT, Answer, Refused, json_answer
from workers.sandbox.jira_dc.errors import captcha, not_logged_in, passwords_disabled, refused
from workers.sandbox.jira_dc.users import Jira, User, by_name

COOKIE = "JSESSIONID"
FAILED = "AUTHENTICATED_FAILED"


def caller(jira: Jira) -> User | None:
    """The user behind the request at hand, None for nobody; refuses a wrong credential."""
    scheme, _, sent = request.headers.get("Authorization", "").partition(" ")
    if scheme == "Bearer" and jira.settings.is_at_least(8, 14):
        return _by_token(jira, sent.strip())
    if scheme == "Basic":
        return _by_password(jira, *_named(sent))
    return _by_cookie(jira)


def must_be_known(jira: Jira) -> User:
    """The caller; 401 for nobody."""
    user = caller(jira)
    if user is None:
        raise Refused(not_logged_in(FAILED if "login_failed" in g else ""))
    return user


def log_in(jira: Jira) -> Answer:
    """POST /rest/auth/1/session."""
    if not jira.settings.takes_passwords:
        raise Refused(passwords_disabled())
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        raise Refused(refused(400, "The body is no login"))
    user = by_name(jira, str(body.get("username", "")))
    if jira.settings.throttles_logins or (user and _must_prove_to_be_human(jira, user)):
        raise Refused(captcha())
    if user is None or not _fits(jira, user, str(body.get("password", ""))):
        raise Refused(refused(401, "Login failed"))
    cookie = uuid4().hex.upper()
    jira.change(user.account_id, sessions=(*user.sessions, cookie), failed_logins=0)
    return json_answer(
        200,
        {
            "session": {"name": COOKIE, "value": cookie},
            "loginInfo": {"failedLoginCount": user.failed_logins, "loginCount": 1},
        },
        {"Set-Cookie": f"{COOKIE}={cookie}; Path=/jira-dc; HttpOnly"},
    )


def who_is_logged_in(jira: Jira) -> Answer:
    """GET /rest/auth/1/session."""
    user = must_be_known(jira)
    return json_answer(200, {"name": user.username, "self": request.base_url, "loginInfo": {}})


def log_out(jira: Jira) -> Answer:
    """DELETE /rest/auth/1/session."""
    user = must_be_known(jira)
    sent = request.cookies.get(COOKIE)
    jira.change(user.account_id, sessions=tuple(each for each in user.sessions if each != sent))
    return NO_CONTENT


def _by_token(jira: Jira, token: str) -> User | None:
    for user in jira.people():
        if user.token and user.token == token and user.active:
            return user
    _fail(jira)
    return None


def _by_password(jira: Jira, username: str, password: str) -> User | None:
    if not jira.settings.takes_passwords:
        raise Refused(passwords_disabled())
    user = by_name(jira, username)
    if user and _must_prove_to_be_human(jira, user):
        raise Refused(captcha())
    if user and _fits(jira, user, password):
        return user
    _fail(jira)
    return None


def _by_cookie(jira: Jira) -> User | None:
    cookie = request.cookies.get(COOKIE)
    return next((user for user in jira.people() if cookie in user.sessions and user.active), None)


def _fail(jira: Jira) -> None:
    """The credential is wrong: refused, or else the call goes on as nobody's."""
    if jira.settings.wrong_login == "refused":
        raise Refused(not_logged_in(FAILED))
    g.login_failed = True


def _named(sent: str) -> tuple[str, str]:
    try:
        username, _, password = base64.b64decode(sent, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        raise Refused(not_logged_in(FAILED)) from None
    return username, password


def _must_prove_to_be_human(jira: Jira, user: User) -> bool:
    return user.failed_logins >= jira.settings.captcha_after


def _fits(jira: Jira, user: User, password: str) -> bool:
    if user.active and user.password == password:
        return True
    jira.change(user.account_id, failed_logins=user.failed_logins + 1)
    return False
