"""Values of an answer, read without trust: what is not of the right kind counts as missing.

Pure.
"""

from collections.abc import Mapping
from typing import Any

from workers.targets.base import Access


def as_object(value: Any) -> Mapping[str, Any]:
    """A JSON object; everything else counts as an empty one."""
    return value if isinstance(value, dict) else {}


def as_list(value: Any) -> list[Any]:
    """A JSON list; everything else counts as an empty one."""
    return value if isinstance(value, list) else []


def as_text(value: Any) -> str:
    """A printable text; everything else counts as missing."""
    return value if isinstance(value, str) and value.isprintable() else ""


def access_of(active: Any) -> Access:
    """What a field `active` says; only booleans count."""
    if isinstance(active, bool):
        return Access.ACTIVE if active else Access.OFF
    return Access.UNKNOWN
