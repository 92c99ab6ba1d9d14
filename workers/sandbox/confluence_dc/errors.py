"""Confluence's error shapes.

    resource      {"statusCode": 404, "data": {...}, "message": "...", "reason": "Not Found"}
    framework     {"message": "...", "status-code": 404}, for an address without a resource
    login         a web page with headers that say why

The first was seen by the tests of a public client, zeldigas/text2confl (read 2026-11-23).
"""

from collections.abc import Callable, Mapping
from http import HTTPStatus

from flask import request

from workers.sandbox.answers import Answer, json_answer


def refused(status: int, message: str) -> Answer:
    """The shape of a resource."""
    body = {
        "statusCode": status,
        "data": {"authorized": status not in (401, 403), "valid": True, "errors": []},
        "message": message,
        "reason": HTTPStatus(status).phrase,
    }
    return json_answer(status, body)


def no_resource(status: int) -> Answer:
    """The shape of the framework around the resources."""
    text = f"null for uri: {request.url}" if status == 404 else "HTTP method not allowed"
    return json_answer(status, {"message": text, "status-code": status})


def login_page(status: int, reason: str, headers: Mapping[str, str] | None = None) -> Answer:
    """The page of the login filter; `reason` is "" if nobody tried to log in."""
    page = f"<html><head><title>{status}</title></head><body>{reason}</body></html>"
    told = {"X-Seraph-LoginReason": reason} if reason else {}
    return Answer(status, page.encode(), "text/html;charset=UTF-8", {**told, **(headers or {})})


def captcha() -> Answer:
    login = request.host_url + "confluence-dc/login.action"
    why = {"X-Authentication-Denied-Reason": f"CAPTCHA_CHALLENGE; login-url={login}"}
    return login_page(403, "AUTHENTICATION_DENIED", why)


def slow_down() -> Answer:
    """https://confluence.atlassian.com/doc/_ratelimiting_httpheaders-992678779.html (2026-11-23)"""
    headers = {
        "X-RateLimit-Limit": "10",
        "X-RateLimit-Remaining": "0",
        "X-RateLimit-Interval-Seconds": "60",
        "X-RateLimit-FillRate": "10",
        "Retry-After": "3",
    }
    return json_answer(429, {"message": "Rate limit exceeded."}, headers)


def no_user() -> Answer:
    key, name = request.args.get("key"), request.args.get("username", "")
    named = f"key : {key}" if key else f"username : {name}"
    return refused(404, f"No user found with {named}")


ERRORS: Mapping[str, Callable[[], Answer]] = {
    "captcha": captcha,
    "login_nobody": lambda: login_page(200, "AUTHENTICATED_FAILED"),
    "slow_down": slow_down,
    "no_permission": lambda: refused(403, "User not permitted to do this"),
    "no_user": no_user,
    "no_resource": lambda: no_resource(404),
    "page_403": lambda: Answer(403, b"<html>Forbidden by the proxy</html>", "text/html"),
}
