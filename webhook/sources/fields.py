"""Reading one value of an HR body, strictly.  Nothing is repaired, nothing is guessed.

A value that cannot be used raises Unusable, which quarantines its element alone; a body that
cannot be read raises Unreadable, which quarantines the delivery.  Details hold no personal data.
"""

import hashlib
import json
import re
from collections.abc import Iterable
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl
from zoneinfo import ZoneInfo

from webhook.verify import time_of
from workers.hr.values import (
    DATE,
    Unusable,
    date_of,
    email_of,
    object_of,
    plausible,
    text_of,
)

# What is read the same way from a body and from an answer of the HR system stands in
# workers/hr/values.py, and is had from here.
__all__ = [
    "Unreadable",
    "Unusable",
    "date_of",
    "email_of",
    "form_of",
    "instant_of",
    "json_of",
    "key_of",
    "object_of",
    "text_of",
    "zone_of",
]

MAX_DEPTH = 8  # levels of brackets in a form field's name


class Unreadable(Unusable):
    """The whole body is none that this source sends."""

    def __init__(self, detail: str) -> None:
        super().__init__("unreadable", detail)


def json_of(body: bytes) -> Any:
    """A UTF-8 JSON document.  One that gives a name twice is ambiguous, so it is unreadable."""
    try:
        return json.loads(body.decode("utf-8-sig"), object_pairs_hook=_without_repeats)
    except UnicodeDecodeError:
        raise Unreadable("the body is not UTF-8") from None
    except (ValueError, RecursionError):
        raise Unreadable("the body is not JSON") from None


def form_of(body: bytes) -> Any:
    """A form body with bracketed names as nested objects: a[0][b]=c is {"a": [{"b": "c"}]}."""
    try:
        pairs = parse_qsl(
            body.decode("ascii"), keep_blank_values=True, strict_parsing=True, errors="strict"
        )
    except ValueError:
        raise Unreadable("the body is not a form") from None
    tree: dict[str, Any] = {}
    for name, value in pairs:
        _plant(tree, name, value)
    return _lists(tree)


def instant_of(value: Any, name: str) -> datetime | None:
    """An ISO date, time and offset as UTC, or None where there is none."""
    text = text_of(value, name)
    if not text:
        return None
    # Bare digits may be a date without dashes, or seconds or milliseconds since 1970.
    at = time_of(text) if DATE.fullmatch(text) else None
    if at is None:
        raise Unusable("bad_date", f"{name} is not YYYY-MM-DDTHH:MM:SS with Z or an offset")
    return plausible(at, name)


def zone_of(value: Any, name: str, default: ZoneInfo) -> ZoneInfo:
    """The IANA time zone of that name, or `default` where there is none."""
    text = text_of(value, name)
    if not text:
        return default
    try:
        return ZoneInfo(text)
    except (KeyError, ValueError, OSError):
        raise Unusable("bad_date", f"{name} is not an IANA time zone") from None


def key_of(*parts: Any) -> str:
    """What stays the same when the same thing is sent again: a hash, whatever order names have."""
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _without_repeats(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise ValueError("a name comes twice")
        found[name] = value
    return found


def _plant(tree: dict[str, Any], name: str, value: str) -> None:
    """Put one form field into the tree; name[] appends."""
    match = re.fullmatch(r"([^\[\]]+)((?:\[[^\[\]]+\])*)(\[\])?", name)
    if match is None or name.count("[") > MAX_DEPTH:
        raise Unreadable("a form field's name cannot be read")
    *path, last = [match[1], *re.findall(r"\[([^\[\]]+)\]", match[2])]
    if match[3]:
        path, last = [*path, last], ""
    node = tree
    for part in path:
        node = node.setdefault(part, {})
        if not isinstance(node, dict):
            raise Unreadable("a form field is a value and an object at once")
    last = last or str(len(node))
    if last in node:
        raise Unreadable("a form field comes twice")
    node[last] = value


def _lists(tree: Any) -> Any:
    """Objects whose names are 0, 1, 2 ... are lists."""
    if not isinstance(tree, dict):
        return tree
    places = [str(place) for place in range(len(tree))]
    if tree.keys() == set(places):
        return [_lists(tree[place]) for place in places]
    return {name: _lists(value) for name, value in tree.items()}
