"""Reading one value of an HR body, strictly.  Nothing is repaired, nothing is guessed.

A value that cannot be used raises Unusable, which quarantines its element alone; a body that
cannot be read raises Unreadable, which quarantines the delivery.  Details hold no personal data.
"""

import hashlib
import json
import re
from collections.abc import Iterable
from datetime import date, datetime
from typing import Any, TypeVar
from urllib.parse import parse_qsl
from zoneinfo import ZoneInfo

from webhook.verify import time_of

Day = TypeVar("Day", date, datetime)

MAX_TEXT = 200  # characters of an id
MAX_DEPTH = 8  # levels of brackets in a form field's name
_DATE = re.compile(r"(\d{4}-\d{2}-\d{2})(?:[T ].*)?", re.ASCII)
_LOCAL = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\u0080-\U0010ffff-]+"
_LABEL = r"[^\W_](?:[\w-]*[^\W_])?"
_ADDRESS = re.compile(rf"{_LOCAL}(?:\.{_LOCAL})*@{_LABEL}(?:\.{_LABEL})+")


class Unusable(Exception):
    """What was sent cannot be acted on.  `reason` is a word of reasons.ELEMENT."""

    def __init__(self, reason: str, detail: str = "") -> None:
        self.reason = reason
        self.detail = detail
        super().__init__(f"{reason}: {detail}")


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


def object_of(value: Any, name: str) -> dict[str, Any]:
    """`value`, if it is a JSON object."""
    if not isinstance(value, dict):
        raise Unusable("unreadable", f"{name} is not an object")
    return value


def text_of(value: Any, name: str) -> str:
    """A text or a whole number as stripped text; nothing at all is ""."""
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise Unusable("unreadable", f"{name} is not a text")
    text = str(value).strip()
    # What cannot be printed cannot be stored either: NUL, or half of a surrogate pair.
    if len(text) > MAX_TEXT or not text.isprintable():
        raise Unusable("unreadable", f"{name} is too long or has control characters")
    return text


def email_of(value: Any) -> str:
    """One plain address, stripped.  Case is kept; names, lists and comments are refused."""
    if value is None or value == "":
        raise Unusable("missing_email")
    if not isinstance(value, str):
        raise Unusable("bad_email", "not a text")
    address = value.strip()
    if not address:
        raise Unusable("missing_email")
    if len(address) > 254 or not address.isprintable() or not _ADDRESS.fullmatch(address):
        raise Unusable("bad_email", "not one plain address")
    return address


def date_of(value: Any, name: str) -> date | None:
    """An ISO date (the time of day after a T is not read), or None where there is none."""
    text = text_of(value, name)
    if not text:
        return None
    match = _DATE.fullmatch(text)
    try:
        found = date.fromisoformat(match[1] if match else "")
    except ValueError:
        raise Unusable("bad_date", f"{name} is not YYYY-MM-DD") from None
    return _plausible(found, name)


def instant_of(value: Any, name: str) -> datetime | None:
    """An ISO date, time and offset as UTC, or None where there is none."""
    text = text_of(value, name)
    if not text:
        return None
    # Bare digits may be a date without dashes, or seconds or milliseconds since 1970.
    at = time_of(text) if _DATE.fullmatch(text) else None
    if at is None:
        raise Unusable("bad_date", f"{name} is not YYYY-MM-DDTHH:MM:SS with Z or an offset")
    return _plausible(at, name)


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


def _plausible(when: Day, name: str) -> Day:
    if not 1900 <= when.year <= 2200:
        raise Unusable("bad_date", f"{name} is not plausible")
    return when


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
