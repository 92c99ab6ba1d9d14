"""Paths into a JSON document, as sources.X.fields has them: names with dots between.

    worker.email            a name in an object in an object
    contacts[0].email       the first entry of a list
    contacts[*].email       every entry of a list
    $                       the whole document

What a path does not find is not there; nothing is guessed.  config/values.py has checked its form.
"""

import functools
import re
from collections.abc import Sequence
from typing import Any

#: A name in an object, or which entries of a list.
Step = str | slice

_STEP = re.compile(r"\[(\d+|\*)\]|([^.\[\]]+)")


@functools.cache
def steps_of(path: str) -> tuple[Step, ...]:
    """The steps of a path, without the `$` that it may begin with."""
    return tuple(_step(*found) for found in _STEP.findall(path.removeprefix("$")))


def _step(entry: str, name: str) -> Step:
    if entry == "*":
        return slice(None)
    return slice(int(entry), int(entry) + 1) if entry else name


def values_at(document: Any, path: str) -> list[Any]:
    """Every value that the path leads to."""
    found = [document]
    for step in steps_of(path):
        found = [inner for value in found for inner in _inner(value, step)]
    return found


def planted(tree: Any, steps: Sequence[Step], value: Any) -> Any:
    """A document that has `value` there and is else like `tree`."""
    if not steps:
        return value
    step, *rest = steps
    if isinstance(step, str):
        known = tree if isinstance(tree, dict) else {}
        return known | {step: planted(known.get(step), rest, value)}
    place = step.start or 0
    entries = list(tree) if isinstance(tree, list) else []
    entries += [None] * (place + 1 - len(entries))
    entries[place] = planted(entries[place], rest, value)
    return entries


def _inner(value: Any, step: Step) -> list[Any]:
    if isinstance(step, slice):
        return value[step] if isinstance(value, list) else []
    return [value[step]] if isinstance(value, dict) and step in value else []
