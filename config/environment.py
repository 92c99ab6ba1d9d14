"""What the environment sets: LEAVER_SECTION__KEY, and for a secret LEAVER_SECTION__KEY_FILE too.

A source or a target has its name between section and key, with `-` written `_`:
LEAVER_SOURCES__WORKDAY_EMEA__SECRETS.  A setting that is a table itself has its keys behind it:
LEAVER_SOURCES__BAMBOOHR__API__API_KEY.  A variable that sets nothing is refused, never ignored.
"""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from config.secret import ConfigurationError, Secret, SecretFile, Withheld

PREFIX = "LEAVER_"
OTHER_VARIABLES = ("LEAVER_CONFIG", "LEAVER_OPENAPI_DIR", "LEAVER_USER_PASSWORD")
NAMED_SECTIONS = ("sources", "targets")

Key = tuple[str, ...]  # ("policy", "mode"), or with a name ("sources", "workday-emea", "secrets")
Models = Mapping[str, Mapping[str, type[BaseModel]]]  # section -> kind -> model


@dataclass(frozen=True, slots=True)
class Overlay:
    """Values as nested tables, the variable that each came from, and what was wrong."""

    values: dict[str, Any] = field(default_factory=dict)
    variables: dict[Key, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


def overlay(environ: Mapping[str, str], models: Models) -> Overlay:
    """Every LEAVER_ variable of the environment, put where it belongs."""
    result = Overlay()
    for variable in sorted(environ):
        if not variable.startswith(PREFIX) or variable in OTHER_VARIABLES:
            continue
        key, setting, names_file = _look_up(variable, models)
        if setting is None:
            result.problems.append(_unknown(variable, models))
        elif key in result.variables:
            result.problems.append(f"{result.variables[key]} and {variable} are both set; keep one")
        else:
            value: object = environ[variable]
            if names_file:
                value = _from_file(variable, environ[variable], setting)
            _put(result.values, key, value)
            result.variables[key] = variable
    return result


def key_of(variable: str) -> Key:
    """Where the value of a variable would belong."""
    section, *rest = variable.removeprefix(PREFIX).lower().split("__")
    if section in NAMED_SECTIONS and rest:
        rest[0] = rest[0].replace("_", "-")
    return (section, *rest)


def variable_of(key: Key) -> str:
    """The variable that sets a key."""
    return PREFIX + "__".join(key).upper().replace("-", "_")


def is_secret(setting: FieldInfo) -> bool:
    """Whether the value of a setting must never be shown."""
    types = (setting.annotation, *get_args(setting.annotation))
    return Secret in (getattr(kind, "__origin__", kind) for kind in types)


def fields_of(section: str, models: Models) -> dict[str, FieldInfo]:
    """What can be set in a section, of all its kinds together."""
    kinds = models.get(section, {}).values()
    return {name: setting for model in kinds for name, setting in model.model_fields.items()}


def _look_up(variable: str, models: Models) -> tuple[Key, FieldInfo | None, bool]:
    """The key a variable sets, its setting (None: unknown), and whether the value names a file."""
    key = key_of(variable)
    if not variable.isupper():
        return key, None, False
    if setting := _field_at(key, models):
        return key, setting, False
    key = key_of(variable.removesuffix("_FILE"))
    setting = _field_at(key, models)
    return key, setting if setting and is_secret(setting) else None, True


def inside(setting: FieldInfo | None) -> Mapping[str, FieldInfo]:
    """What can be set in a setting that is a table of settings itself."""
    types = (setting.annotation, *get_args(setting.annotation)) if setting else ()
    tables = [kind for kind in types if isinstance(kind, type) and issubclass(kind, BaseModel)]
    return tables[0].model_fields if tables else {}


def _field_at(key: Key, models: Models) -> FieldInfo | None:
    path = key[2:] if key[0] in NAMED_SECTIONS else key[1:]
    found = fields_of(key[0], models).get(path[0]) if path else None
    for name in path[1:]:
        found = inside(found).get(name)
    return found


def _from_file(variable: str, path: str, setting: FieldInfo) -> object:
    """A secret that is read when it is needed; of a list of secrets, the lines of the file.

    Where those cannot be read, the list holds one secret that says so when it is revealed: a
    worker starts without the file that only the receiver may read.
    """
    file = SecretFile.at(variable, path)
    if get_origin(setting.annotation) is not tuple:
        return Secret(file)
    try:
        return file.lines()
    except ConfigurationError as error:
        return (Secret(Withheld(str(error))),)


def _put(table: dict[str, Any], key: Key, value: object) -> None:
    *path, last = key
    for name in path:
        table = table.setdefault(name, {})
    table[last] = value


def _unknown(variable: str, models: Models) -> str:
    _, *rest = key_of(variable)
    name = rest[0] if len(rest) > 1 else "name"
    known = [
        variable_of((section, name, key) if section in NAMED_SECTIONS else (section, key))
        for section in models
        for key in fields_of(section, models)
    ]
    close = difflib.get_close_matches(variable.upper(), known, n=1, cutoff=0.7)
    hint = f"did you mean {close[0]}?" if close else "variables are LEAVER_SECTION__KEY"
    return f"{variable} is not a setting; {hint}"
