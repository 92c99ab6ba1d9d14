"""The OpenAPI description, made from the operations themselves."""

import functools
from typing import Any

from pydantic import TypeAdapter

from webhook.api import access, once, problems
from webhook.api.operation import ID, Operation
from workers.ledger.users import Role

REF = "#/components/schemas/{model}"

WHY = {
    "400": "No Idempotency-Key, or one that cannot be",
    "401": "No token, or one that has expired or was removed",
    "403": "The token's role is not enough, or only a person may do it",
    "404": "There is no such thing",
    "409": "It does not go with what is there, or with this key it is being done, or broke off",
    "413": "The body is too large",
    "415": "The body is no JSON",
    "422": "Something in query or body is not as described here; or the key came with another body",
    "503": "The ledger cannot be reached now, or no worker answers",
}

KEY = {
    "name": once.HEADER,
    "in": "header",
    "required": True,
    "description": "New for each thing that is asked for, and the same when it is asked for again: "
    "then the first answer comes back, and nothing is done twice.  Remembered for a day.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
}


@functools.cache
def described(operations: tuple[Operation, ...]) -> dict[str, Any]:
    """The whole document."""
    types: dict[str, Any] = {each.name: each.gives for each in operations} | {
        "problem": problems.Problem
    }
    types |= {_said(each): each.body for each in operations if each.body}
    given, shared = TypeAdapter.json_schemas(
        [(name, "validation", TypeAdapter(kind)) for name, kind in types.items()],
        ref_template=REF,
    )
    results = {name: schema for (name, _), schema in given.items()}
    paths: dict[str, dict[str, Any]] = {}
    for each in operations:
        paths.setdefault(each.path, {})[each.method.lower()] = _operation(each, results)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Leaver",
            "version": "1",
            "description": "What `leaver` shows and does, for programs.  Times are RFC 3339 in "
            "UTC; lists are newest first, and `next` is the cursor of the next page.",
        },
        "servers": [{"url": access.API.rstrip("/")}],
        "security": [{"token": []}],
        "paths": paths,
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
    acts = {}
    if each.body:
        codes += ["413", "415"]
        if each.acts:
            codes += ["400", "404", "409"]
            parameters.append(KEY)
        said = {"application/json": {"schema": results[_said(each)]}}
        acts = {"requestBody": {"required": True, "content": said}}
    return {
        "operationId": each.name,
        "summary": (each.view.__doc__ or "").strip(),
        "x-role": each.role,
        "parameters": parameters,
        "responses": {"200": {"description": "It is so", "content": answer}}
        | {code: {"description": WHY[code], "content": problem} for code in sorted({*codes})},
    } | acts


def _said(each: Operation) -> str:
    return f"{each.name} said"


def _parameter(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    """A field of a query: what may be left out is never null."""
    said = {key: value for key, value in schema.items() if key not in ("title", "default")}
    if "anyOf" in said:
        [kind] = [each for each in said.pop("anyOf") if each != {"type": "null"}]
        said = kind | said
    described = {"description": said.pop("description")} if "description" in said else {}
    return {"name": name, "in": "query", "required": False, "schema": said} | described
