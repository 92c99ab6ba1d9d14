"""An operation of the API: what it takes, gives and needs stands in the annotations of a function.

By the same it is called, checked and described (openapi.py), so the three cannot drift apart:

    def one(asked: Shown, job: str) -> JobInFull
    def replay(said: Replay) -> Acted

`asked` is a pydantic model of the query and `said` of a JSON body; every other argument stands in
the path; what is returned is a fact, which becomes JSON.  What has a body is a POST: it acts, once
(once.py), unless it only asks.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, get_type_hints

from flask import Response, abort, jsonify, request
from flask.typing import ResponseReturnValue
from pydantic import BaseModel, ConfigDict, ValidationError

from webhook.acts.asking import Unanswered
from webhook.api import access, once, problems
from webhook.console.filters import Mistyped
from workers.ledger.queries import NotFound, as_json
from workers.ledger.users import Role

#: Ids are whole here: what a program keeps, it need not abbreviate.
ID = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"


class Conflict(Exception):
    """What is asked for does not go with what is there; the message says why."""


class PeopleOnly(Exception):
    """Only a person may do it, whatever a token's role; the message says where."""


class Query(BaseModel):
    """What may stand behind the question mark.  What is unknown is refused: a filter that is left
    out in silence would mean more than was meant."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Body(BaseModel):
    """What may stand in a body; a value of another type is not guessed at."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


@dataclass(frozen=True)
class Operation:
    """`path` as an OpenAPI description writes it, for those with `role` or a higher one.

    `acts` is False of a POST that only asks: repeated it does no harm, and its answer is not kept.
    """

    path: str
    view: Callable[..., Any]
    role: Role = Role.VIEWER
    acts: bool = True

    @property
    def name(self) -> str:
        """Its name: the noun and the verb."""
        return f"{self.view.__module__.rpartition('.')[2]}.{self.view.__name__}"

    @property
    def rule(self) -> str:
        """The path as Flask writes it."""
        return access.API.rstrip("/") + re.sub(r"\{(\w+)\}", r"<\1>", self.path)

    @property
    def parts(self) -> list[str]:
        """The ids in the path."""
        return re.findall(r"\{(\w+)\}", self.path)

    @cached_property
    def query(self) -> type[Query]:
        """What it takes."""
        model: type[Query] = get_type_hints(self.view).get("asked", Query)
        return model

    @cached_property
    def body(self) -> type[Body] | None:
        """What a POST says; None for a GET."""
        model: type[Body] | None = get_type_hints(self.view).get("said")
        return model

    @property
    def method(self) -> str:
        """GET or POST."""
        return "POST" if self.body else "GET"

    @property
    def gives(self) -> Any:
        """The type of what it gives."""
        return get_type_hints(self.view)["return"]

    def answer(self, **ids: str) -> ResponseReturnValue:
        """Check a request, and answer it."""
        access.check(self.role)
        if not all(re.fullmatch(ID, each) for each in ids.values()):
            abort(404, "ids are UUIDs, written whole and in small letters")
        try:
            asked = self.query.model_validate(_given())
            takes: dict[str, Any] = {} if self.query is Query else {"asked": asked}
            if self.body is None:
                return self._done(takes | ids)
            if not request.is_json:
                abort(415, "send a body of application/json")
            takes["said"] = self.body.model_validate_json(request.get_data())
        except ValidationError as error:
            return problems.mistyped(error)
        except Mistyped as error:
            return problems.told(422, str(error))
        if not self.acts:
            return self._done(takes)
        return once.answered(lambda: self._done(takes | ids))

    def _done(self, takes: dict[str, Any]) -> Response:
        try:
            fact = self.view(**takes)
        except Mistyped as error:
            return problems.told(422, str(error))
        except NotFound as error:
            return problems.told(404, str(error))
        except Conflict as error:
            return problems.told(409, str(error))
        except PeopleOnly as error:
            return problems.told(403, str(error))
        except Unanswered as error:
            return problems.told(503, str(error))
        said = as_json(fact)
        if "next" in said and said["next"] is None:
            del said["next"]
        return jsonify(said)


def _given() -> dict[str, str]:
    twice = [name for name, values in request.args.lists() if len(values) > 1]
    if twice:
        raise Mistyped("a field is given more than once")
    return request.args.to_dict()
