"""The OpenAPI description, made from the operations themselves."""

import functools
from typing import Any

from pydantic import TypeAdapter

from webhook.api import access, problems
from webhook.api.operation import ID, Operation
from workers.ledger.users import Role

REF = "#/components/schemas/{model}"

WHY = {
    "401": "No token, or one that has expired or was removed",
    "403": "The token's role is not enough",
    "404": "There is no such thing",
    "422": "Something in the query is not as described here",
    "503": "The ledger cannot be reached now",
}


@functools.cache
def described(operations: tuple[Operation, ...]) -> dict[str, Any]:
    """The whole document."""
    types = {each.name: each.gives for each in operations} | {"problem": problems.Problem}
    given, shared = TypeAdapter.json_schemas(
        [(name, "validation", TypeAdapter(kind)) for name, kind in types.items()],
        ref_template=REF,
    )
    results = {name: schema for (name, _), schema in given.items()}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Leaver",
            "version": "1",
            "description": "What `leaver` shows, for programs.  Times are RFC 3339 in UTC; lists "
            "are newest first, and `next` is the cursor of the next page.",
        },
        "servers": [{"url": access.API.rstrip("/")}],
        "security": [{"token": []}],
        "paths": {each.path: {"get": _operation(each, results)} for each in operations},
        "components": {
            "schemas": shared["$defs"],
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A token of `leaver token add`.",
                }
            },
        },
    }


def _operation(each: Operation, results: dict[str, Any]) -> dict[str, Any]:
    asked = each.query.model_json_schema(ref_template=REF).get("properties", {})
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "pattern": ID}}
        for name in each.parts
    ] + [_parameter(name, schema) for name, schema in asked.items()]
    codes = ["401", "422", "503"]
    codes += ["403"] if each.role is not Role.VIEWER or "reveal" in asked else []
    codes += ["404"] if each.parts else []
    answer = {"application/json": {"schema": results[each.name]}}
    problem = {problems.CONTENT_TYPE: {"schema": results["problem"]}}
    return {
        "operationId": each.name,
        "summary": (each.view.__doc__ or "").strip(),
        "x-role": each.role,
        "parameters": parameters,
        "responses": {"200": {"description": "It is so", "content": answer}}
        | {code: {"description": WHY[code], "content": problem} for code in sorted(codes)},
    }


def _parameter(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    """A field of a query: what may be left out is never null."""
    said = {key: value for key, value in schema.items() if key not in ("title", "default")}
    if "anyOf" in said:
        [kind] = [each for each in said.pop("anyOf") if each != {"type": "null"}]
        said = kind | said
    described = {"description": said.pop("description")} if "description" in said else {}
    return {"name": name, "in": "query", "required": False, "schema": said} | described
