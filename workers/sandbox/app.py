"""The sandbox as a Flask app."""

import time
from collections.abc import Callable

from flask import Flask, Response, jsonify, request
from werkzeug.exceptions import HTTPException

from workers.sandbox.atlassian import CLOUD
from workers.sandbox.bamboohr import BAMBOOHR
from workers.sandbox.book import Book
from workers.sandbox.calls import Log
from workers.sandbox.confluence_dc import CONFLUENCE_DC
from workers.sandbox.control import control
from workers.sandbox.crowd import CROWD
from workers.sandbox.finch import FINCH
from workers.sandbox.gate import as_response, gated
from workers.sandbox.gusto import GUSTO
from workers.sandbox.jira_cloud_site import JIRA_CLOUD_SITE
from workers.sandbox.jira_dc import JIRA_DC
from workers.sandbox.jira_um1 import JIRA_UM1
from workers.sandbox.records import Pace
from workers.sandbox.scim import SCIM
from workers.sandbox.state import Settings
from workers.sandbox.system import System

SYSTEMS = {
    system.name: system
    for system in (
        BAMBOOHR,
        CLOUD,
        CONFLUENCE_DC,
        CROWD,
        FINCH,
        GUSTO,
        JIRA_CLOUD_SITE,
        JIRA_DC,
        JIRA_UM1,
        SCIM,
    )
}
OPERATIONS = {
    operation.name: operation for system in SYSTEMS.values() for operation in system.operations
}


def create_app(pace: Pace | None = None, *, clock: Callable[[], float] = time.monotonic) -> Flask:
    """A sandbox with its casts in it.  clock gives seconds, for `consistency_delay`."""
    pace = pace or Settings()
    states = {name: system.start(pace, clock) for name, system in SYSTEMS.items()}
    book, log = Book(OPERATIONS), Log()
    app = Flask(__name__, static_folder=None)
    app.register_blueprint(control(SYSTEMS, states, book, log))
    for name, system in SYSTEMS.items():
        for operation in system.operations:
            view = gated(operation, states[name], book, log)
            app.add_url_rule(operation.rule, operation.name, view, methods=[operation.method])

    @app.errorhandler(HTTPException)
    def no_operation(error: HTTPException) -> Response | tuple[Response, int]:
        """What no API has is in the log too: nobody should call a retired address unseen."""
        status = error.code or 500
        if request.path.startswith("/sandbox"):
            return jsonify(error=error.description), status
        with log.recording(request, None) as call:
            answer = _system().unknown(status)
            call.status = answer.status
        return as_response(answer)

    return app


def _system() -> System:
    """The system whose address was called."""
    return SYSTEMS.get(request.path.split("/")[1], CLOUD)
