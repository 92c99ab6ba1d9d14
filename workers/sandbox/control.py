"""The control of the sandbox over HTTP.

    GET    /sandbox/people                  everybody; ?email= for one address
    POST   /sandbox/people                  one person or a list of them: {"email": ...} is enough
    GET    /sandbox/people/<account_id>     as they really are
    PATCH  /sandbox/people/<account_id>     changes by hand, seen at once everywhere
    GET    /sandbox/calls                   ?operation= &account_id= &since=<number>; and counters
    GET    /sandbox/writes                  the calls that write, likewise
    GET    /sandbox/faults                  the orders, and what can be ordered
    POST   /sandbox/faults                  {"fault": "429", "operation": "users.search", ...}
    DELETE /sandbox/faults                  everything goes well again; calls that hang are let go
    GET    /sandbox/settings                see workers/sandbox/state.py
    PATCH  /sandbox/settings
    POST   /sandbox/reset                   people, settings, orders and calls as at the start

That is the cloud.  Any other system has its people and settings in its own corner, such as
/sandbox/jira-dc/people; calls, faults and the reset are for all.

Bad input is answered 400 `{"error": "..."}`.  There is no credential: it listens on loopback.
"""

from collections.abc import Mapping
from typing import Any, TypeVar

from flask import Blueprint, Response, abort, jsonify, request
from pydantic import TypeAdapter, ValidationError

from workers.sandbox.book import Book, Placed
from workers.sandbox.calls import Call, Log
from workers.sandbox.faults import Order, kind_of
from workers.sandbox.records import Records
from workers.sandbox.system import System

T = TypeVar("T")

_ORDER = TypeAdapter(Order)
_CALLS = TypeAdapter(list[Call])


class BadInput(Exception):
    """What an operator of the sandbox sent cannot be used; the text says why."""


def control(
    systems: Mapping[str, System], states: Mapping[str, Records[Any, Any]], book: Book, log: Log
) -> Blueprint:
    pages = Blueprint("sandbox", __name__, url_prefix="/sandbox")
    for name, system in systems.items():
        pages.register_blueprint(_corner(system, states[name]))

    @pages.errorhandler(BadInput)
    def bad_input(error: BadInput) -> tuple[Response, int]:
        return jsonify(error=str(error)), 400

    @pages.get("/calls")
    def list_calls() -> Response:
        return jsonify(calls=_listed(log, writes_only=False), counters=log.counters())

    @pages.get("/writes")
    def list_writes() -> Response:
        return jsonify(writes=_listed(log, writes_only=True), counters=log.counters())

    @pages.get("/faults")
    def list_faults() -> Response:
        faults = {word: kind_of(word).meaning for word in book.faults()}
        return jsonify(orders=[_told(placed) for placed in book.orders()], faults=faults)

    @pages.post("/faults")
    def order_fault() -> tuple[Response, int]:
        try:
            placed = book.place(_valid(_ORDER, _object()))
        except ValueError as error:
            raise BadInput(str(error)) from error
        return jsonify(_told(placed)), 201

    @pages.delete("/faults")
    def clear_faults() -> tuple[str, int]:
        book.clear()
        return "", 204

    @pages.post("/reset")
    def reset() -> tuple[str, int]:
        for state in states.values():
            state.reset()
        book.clear()
        log.clear()
        return "", 204

    return pages


def _corner(system: System, state: Records[Any, Any]) -> Blueprint:
    """The people and the settings of one system."""
    corner = Blueprint(f"corner-{system.name}", __name__, url_prefix=system.prefix)
    one: TypeAdapter[Any] = TypeAdapter(system.person)
    many: TypeAdapter[Any] = TypeAdapter(list[system.person])  # type: ignore[name-defined]  # known at run time
    settings: TypeAdapter[Any] = TypeAdapter(system.settings)

    @corner.get("/people")
    def list_people() -> Response:
        email = request.args.get("email")
        people = [person for person in state.people() if email in (None, person.email)]
        return jsonify(people=many.dump_python(people, mode="json"))

    @corner.post("/people")
    def add_people() -> tuple[Response, int]:
        body = request.get_json(silent=True)
        people = _valid(many, body if isinstance(body, list) else [_object()])
        with state.lock:
            known = {person.account_id for person in state.people()}
            for person in people:
                if person.account_id in known:
                    raise BadInput(f"account_id: {person.account_id} exists already")
                known.add(person.account_id)
            for person in people:
                state.put(person)
        return jsonify(people=many.dump_python(people, mode="json")), 201

    @corner.get("/people/<account_id>")
    def get_person(account_id: str) -> Response:
        return jsonify(one.dump_python(_person(state, account_id), mode="json"))

    @corner.patch("/people/<account_id>")
    def change_person(account_id: str) -> Response:
        with state.lock:
            changed = _changed(one, _person(state, account_id))
            if changed.account_id != account_id:
                raise BadInput("account_id: cannot be changed")
            state.put(changed)
        return jsonify(one.dump_python(changed, mode="json"))

    @corner.get("/settings")
    def get_settings() -> Response:
        return jsonify(settings.dump_python(state.settings, mode="json"))

    @corner.patch("/settings")
    def change_settings() -> Response:
        with state.lock:
            state.settings = _changed(settings, state.settings)
        return get_settings()

    return corner


def _object() -> dict[str, Any]:
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        raise BadInput("the body must be a JSON object, sent as application/json")
    return body


def _valid(adapter: TypeAdapter[T], given: Any) -> T:
    try:
        return adapter.validate_python(given)
    except ValidationError as error:
        faults = [f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()[:5]]
        raise BadInput("; ".join(faults)) from error


def _changed(adapter: TypeAdapter[T], known: T) -> T:
    """What is known with the fields of the body in their place."""
    return _valid(adapter, adapter.dump_python(known) | _object())


def _person(state: Records[Any, Any], account_id: str) -> Any:
    return state.person(account_id) or abort(404)


def _listed(log: Log, *, writes_only: bool) -> Any:
    since = request.args.get("since", "0")
    if not since.isdecimal():
        raise BadInput("since: the number of a call")
    calls = log.calls(
        operation=request.args.get("operation"),
        account_id=request.args.get("account_id"),
        since=int(since),
    )
    shown = [call for call in calls if call.writes or not writes_only]
    return _CALLS.dump_python(shown, mode="json")


def _told(placed: Placed) -> dict[str, Any]:
    order = _ORDER.dump_python(placed.order, mode="json")
    return {"id": placed.id, "passed": placed.passed, "hits": placed.hits, **order}
