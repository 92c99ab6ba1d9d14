"""Crowd's error shapes.

    resource      {"reason": "USER_NOT_FOUND", "message": "..."}
    around it     a web page: a wrong address, a wrong password, an address of the caller that the
                  application does not list

Sources: ErrorEntity and RestCrowdClient of Crowd's own Java client, and
https://developer.atlassian.com/server/crowd/json-requests-and-responses/ (read 2026-11-23).  Not
confirmed: the status of a permission that is missing, and the texts.
"""

from collections.abc import Callable, Mapping

from flask import request

from workers.sandbox.answers import Answer, json_answer


def refused(status: int, reason: str, message: str) -> Answer:
    """The shape of a resource."""
    return json_answer(status, {"reason": reason, "message": message})


def no_user(username: str) -> Answer:
    return refused(404, "USER_NOT_FOUND", f"User <{username}> does not exist")


def no_permission() -> Answer:
    text = "Not allowed to perform operation 'UPDATE_USER' on the directory"
    return refused(403, "APPLICATION_PERMISSION_DENIED", text)


def web_page(status: int, text: str = "") -> Answer:
    """The shape of what stands around the resources."""
    page = f"<!doctype html><html><body><h1>HTTP Status {status}</h1><p>{text}</p></body></html>"
    return Answer(status, page.encode(), "text/html;charset=utf-8")


def unknown_caller() -> Answer:
    """The address that a request comes from is not among the application's remote addresses."""
    return web_page(403, f"Client with address {request.remote_addr} is forbidden")


WRONG_PASSWORD = web_page(401, "Application failed to authenticate")

ERRORS: Mapping[str, Callable[[], Answer]] = {
    "APPLICATION_PERMISSION_DENIED": no_permission,
    "USER_NOT_FOUND": lambda: no_user(request.args.get("username", "")),
    "OPERATION_FAILED": lambda: refused(500, "OPERATION_FAILED", "The directory failed"),
    "page_404": lambda: web_page(404),
    "xml": lambda: Answer(200, b'<?xml version="1.0"?><users expand="user"/>', "application/xml"),
}
