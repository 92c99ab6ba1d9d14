"""What was wrong with the settings, in one line for each fault.

A line names the key (or the variable that set it), the value unless it is secret, and what is
allowed.
"""

import difflib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pydantic import ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from config.environment import NAMED_SECTIONS, Key, Models, inside, is_secret, variable_of
from config.secret import MASK, ConfigurationError

LONGEST_VALUE = 60  # characters of a wrong value that are shown
BROKEN_RULE = "broken_rule"  # a rule between two settings; its context has key, value and sentence

# What pydantic finds by itself, as the end of a sentence that begins with the value.
SENTENCES = {
    BROKEN_RULE: "{sentence}",
    "value_error": "{error}",
    "model_type": "is not a table",
    "model_attributes_type": "is not a table",
    "dict_type": "is not a table",
    "tuple_type": 'is not a list; use ["..."]',
    "literal_error": "is not known; use {expected}",
    "union_tag_invalid": "is not known; use {expected_tags}",
    "greater_than_equal": "is too small; use at least {ge}",
    "less_than_equal": "is too large; use at most {le}",
}


@dataclass(frozen=True, slots=True)
class Fault:
    """What pydantic found: the key, the kind of its source or target, and the value there.

    `entry` is the place in a list, counted from 1; 0 means the whole.
    """

    key: Key
    kind: str
    entry: int
    value: object

    @classmethod
    def of(cls, details: ErrorDetails, models: Models) -> "Fault":
        """Pydantic puts an entry at the end, and one of several kinds between name and key."""
        context = details.get("ctx", {})
        if details["type"] == BROKEN_RULE:
            return cls(context["key"], "", 0, context["value"])
        place = [part for part in details["loc"] if isinstance(part, str) and part != "[key]"]
        entry = details["loc"][-1]
        if details["type"].startswith("union_tag"):
            return cls((*place, "kind"), "", 0, context.get("tag"))
        kinds = models.get(place[0], {})
        kind = place.pop(2) if len(kinds) > 1 and len(place) > 2 else next(iter(kinds), "")
        counted = entry + 1 if isinstance(entry, int) else 0
        return cls(tuple(place), kind, counted, details["input"])


@dataclass(frozen=True, slots=True)
class Refusals:
    """Turns what pydantic found into lines; `file` is where all is set that no variable set."""

    file: str
    variables: Mapping[Key, str]
    models: Models

    def lines(self, error: ValidationError) -> list[str]:
        """One line for each fault."""
        return [self._line(details) for details in error.errors(include_url=False)]

    def _line(self, details: ErrorDetails) -> str:
        fault, context = Fault.of(details, self.models), details.get("ctx", {})
        subject, known = self._subject(fault), self._known(fault)
        setting = known.get(fault.key[-1])
        match details["type"], context.get("error"):
            case _, ConfigurationError() as error:
                return str(error)  # It names the variable and its file.
            case "extra_forbidden", _:
                of_kind = f' of kind "{fault.kind}"' if fault.kind else ""
                return f"{subject} is not a setting{of_kind}{did_you_mean(fault.key[-1], known)}"
            case "missing", _:
                meaning = setting.description if setting else ""
                return f"{subject} is missing (or {variable_of(fault.key)}): {meaning}"
            case "union_tag_not_found", _:
                kinds = " or ".join(f'"{kind}"' for kind in self.models[fault.key[0]])
                return f"{subject} is missing; use {kinds}"
        named = {key: str(value).replace("'", '"') for key, value in context.items()}
        sentence = SENTENCES.get(details["type"], details["msg"]).format(**named)
        value = "" if setting and is_secret(setting) else shown(fault.value)
        return f"{subject}: {value} {sentence}" if value else f"{subject} {sentence}"

    def _known(self, fault: Fault) -> Mapping[str, FieldInfo | None]:
        """What can be set in the table where the fault is."""
        if len(fault.key) == 1:
            return dict.fromkeys(self.models)
        kinds = self.models.get(fault.key[0], {})
        known = kinds[fault.kind].model_fields if fault.kind in kinds else {}
        for name in fault.key[2 if fault.key[0] in NAMED_SECTIONS else 1 : -1]:
            known = dict(inside(known.get(name)))
        return known

    def _subject(self, fault: Fault) -> str:
        """The variable that set the key, else the file and the key."""
        entry = f", entry {fault.entry}" if fault.entry else ""
        if fault.key in self.variables:
            return self.variables[fault.key] + entry
        return f"{self.file}: {dotted(fault.key)}{entry}"


def dotted(key: Key) -> str:
    """A key as TOML writes it."""
    return ".".join(part if re.fullmatch("[A-Za-z0-9_-]+", part) else quoted(part) for part in key)


def did_you_mean(key: str, known: Iterable[str]) -> str:
    """The end of a sentence about an unknown key."""
    close = difflib.get_close_matches(key, known, n=1)
    return f'; did you mean "{close[0]}"?' if close else ""


def shown(value: object) -> str:
    """A wrong value in one short line, without a password that stands in a URL; "" for a table."""
    if value is None or isinstance(value, dict | list | tuple):
        return ""
    text = re.sub(r"//\S*@", f"//{MASK}@", value) if isinstance(value, str) else value
    line = quoted(text)
    return line if len(line) <= LONGEST_VALUE else line[:LONGEST_VALUE] + "..."


def quoted(value: object) -> str:
    """A value on one line, as TOML would have it."""
    return json.dumps(value, ensure_ascii=not str(value).isprintable(), default=str)
