"""Reading one value of what an HR system says, strictly.  Nothing is repaired, nothing is guessed.

A value that cannot be used raises Unusable.  Details hold no personal data.
"""

import re
from datetime import date, datetime
from typing import Any, TypeVar

Day = TypeVar("Day", date, datetime)

MAX_TEXT = 200  # characters of an id
DATE = re.compile(r"(\d{4}-\d{2}-\d{2})(?:[T ].*|Z|[+-]\d{2}:\d{2})?", re.ASCII)
_LOCAL = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\u0080-\U0010ffff-]+"
_LABEL = r"[^\W_](?:[\w-]*[^\W_])?"
_ADDRESS = re.compile(rf"{_LOCAL}(?:\.{_LOCAL})*@{_LABEL}(?:\.{_LABEL})+")


class Unusable(Exception):
    """What was sent cannot be acted on.  `reason` is a word of reasons.ELEMENT."""

    def __init__(self, reason: str, detail: str = "") -> None:
        self.reason = reason
        self.detail = detail
        super().__init__(f"{reason}: {detail}")


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


def email_or_last(value: Any, last: str) -> str:
    """One plain address; `last`, which HR said before, where it has blanked it."""
    is_blank = value is None or (isinstance(value, str) and not value.strip())
    return last if is_blank and last else email_of(value)


def date_of(value: Any, name: str) -> date | None:
    """An ISO date, or None where there is none; a time or an offset behind it is not read."""
    text = text_of(value, name)
    if not text:
        return None
    match = DATE.fullmatch(text)
    try:
        found = date.fromisoformat(match[1] if match else "")
    except ValueError:
        raise Unusable("bad_date", f"{name} is not YYYY-MM-DD") from None
    return plausible(found, name)


def plausible(when: Day, name: str) -> Day:
    """`when`, unless no HR system can mean it."""
    if not 1900 <= when.year <= 2200:
        raise Unusable("bad_date", f"{name} is not plausible")
    return when
