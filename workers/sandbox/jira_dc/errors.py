"""Jira's error shapes.

    resource      {"errorMessages": ["..."], "errors": {"field": "..."}}
    framework     {"message": "...", "status-code": 404}, for an address without a resource
    login         a web page, or an empty body, with headers that say why

Sources: Jira's own functional test of the user resource and its UserResource.java, of Jira 6.3, as
found in public; https://docs.atlassian.com/software/jira/docs/api/REST/8.3.0 (read 2026-11-23).
The texts come in the language of the caller.
"""

from collections.abc import Callable, Mapping

from flask import request

from workers.sandbox.answers import Answer, json_answer

NO_PERMISSION = "You do not have the permission to do this"


def refused(status: int, *messages: str, errors: Mapping[str, str] | None = None) -> Answer:
    """The shape of a resource."""
    return json_answer(status, {"errorMessages": list(messages), "errors": dict(errors or {})})


def no_resource(status: int) -> Answer:
    """The shape of the framework around the resources."""
    text = f"null for uri: {request.url}" if status == 404 else "HTTP method not allowed"
    return json_answer(status, {"message": text, "status-code": status})


def not_logged_in(reason: str = "") -> Answer:
    """401 as a page; `reason` is what the login filter found, "" if nobody tried."""
    return login_page(401, f"Basic Authentication Failure - Reason : {reason}", reason)


def captcha() -> Answer:
    """The login was rejected without even looking at the password."""
    login = request.host_url + "jira-dc/login.jsp"
    return login_page(
        403,
        "Basic Authentication Failure - Reason : AUTHENTICATION_DENIED",
        "AUTHENTICATION_DENIED",
        {"X-Authentication-Denied-Reason": f"CAPTCHA_CHALLENGE; login-url={login}"},
    )


def login_page(
    status: int, text: str, reason: str, headers: Mapping[str, str] | None = None
) -> Answer:
    page = f"<html><head><title>{status}</title></head><body><p>{text}</p></body></html>"
    told = {"X-Seraph-LoginReason": reason} if reason else {}
    return Answer(
        status,
        page.encode(),
        "text/html;charset=UTF-8",
        {"WWW-Authenticate": 'OAuth realm="jira-dc"', **told, **(headers or {})},
    )


def passwords_disabled() -> Answer:
    """Seen in Jira 8.16 (codeclou.io, 2021)."""
    text = "Basic Authentication has been disabled on this instance."
    return json_answer(403, {"message": text})


def slow_down() -> Answer:
    """The headers are those that Confluence documents; Jira is assumed to have them too.

    https://confluence.atlassian.com/doc/_ratelimiting_httpheaders-992678779.html (read 2026-11-23)
    """
    headers = {
        "X-RateLimit-Limit": "10",
        "X-RateLimit-Remaining": "0",
        "X-RateLimit-Interval-Seconds": "60",
        "X-RateLimit-FillRate": "10",
        "Retry-After": "3",
    }
    return json_answer(429, {"message": "Rate limit exceeded."}, headers)


def _asked() -> str:
    return request.args.get("key") or request.args.get("username", "")


def no_user_with_key() -> Answer:
    return refused(404, f"The user with the key '{_asked()}' does not exist")


ERRORS: Mapping[str, Callable[[], Answer]] = {
    "captcha": captcha,
    "passwords_disabled": passwords_disabled,
    "login_nobody": lambda: login_page(200, "", "AUTHENTICATED_FAILED"),
    "slow_down": slow_down,
    "no_permission": lambda: refused(403, NO_PERMISSION),
    "no_user": no_user_with_key,
    "no_resource": lambda: no_resource(404),
    "bad_request": lambda: refused(400, "The request is invalid"),
    "read_only": lambda: refused(400, "The user's directory is read only."),
    "read_only_403": lambda: refused(403, "The directory does not allow updates: read-only"),
    "page_403": lambda: Answer(403, b"<html>Forbidden by the proxy</html>", "text/html"),
}
