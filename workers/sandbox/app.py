"""The sandbox as a Flask app."""

import time
from collections.abc import Callable

from flask import Flask, Response, jsonify, request
from werkzeug.exceptions import HTTPException

from workers.sandbox.answers import Answer
from workers.sandbox.atlassian import org, users
from workers.sandbox.atlassian.errors import application, edge, keyed
from workers.sandbox.book import Book
from workers.sandbox.calls import Log
from workers.sandbox.control import control
from workers.sandbox.gate import as_response, gated
from workers.sandbox.state import Settings, State

OPERATIONS = {operation.name: operation for operation in (*org.OPERATIONS, *users.OPERATIONS)}


def create_app(
    settings: Settings | None = None, *, clock: Callable[[], float] = time.monotonic
) -> Flask:
    """A sandbox with the cast in it.  clock gives seconds, for `consistency_delay`."""
    state, book, log = State(settings, clock=clock), Book(OPERATIONS), Log()
    app = Flask(__name__, static_folder=None)
    app.register_blueprint(control(state, book, log))
    for operation in OPERATIONS.values():
        view = gated(operation, state, book, log)
        app.add_url_rule(operation.rule, operation.name, view, methods=[operation.method])

    @app.errorhandler(HTTPException)
    def no_operation(error: HTTPException) -> Response | tuple[Response, int]:
        """What no API has is in the log too: nobody should call a retired address unseen."""
        status = error.code or 500
        if request.path.startswith("/sandbox"):
            return jsonify(error=error.description), status
        with log.recording(request, None) as call:
            answer = _unknown(status)
            call.status = answer.status
        return as_response(answer)

    return app


def _unknown(status: int) -> Answer:
    if status == 405:
        return application("ADMIN-UAM-405-1")
    if request.path.startswith("/users/"):
        return keyed(404, "notFound")
    return edge(404, "Not Found")
