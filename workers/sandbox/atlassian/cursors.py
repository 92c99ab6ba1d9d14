"""Cursors: opaque texts that hold where a list goes on and what was asked for."""

import base64
import json
from collections.abc import Sequence
from typing import Any, TypeVar

from workers.sandbox.answers import Refused
from workers.sandbox.atlassian.errors import application

T = TypeVar("T")


def page(
    items: Sequence[T], start: int, limit: int, operation: str, query: dict[str, Any]
) -> tuple[Sequence[T], dict[str, str]]:
    """One page, and the cursors to itself, the one before and the one after where they exist."""
    starts = {"self": start}
    if start > 0:
        starts["prev"] = max(0, start - limit)
    if start + limit < len(items):
        starts["next"] = start + limit
    return items[start : start + limit], {
        name: _closed(place, operation, query) for name, place in starts.items()
    }


def opened(cursor: str, operation: str) -> tuple[int, dict[str, Any]]:
    """Where a cursor points to, and the query it was given for.  Refuses what is not ours."""
    try:
        start, of, query = json.loads(base64.urlsafe_b64decode(cursor.encode()))
        valid = type(start) is int and start >= 0 and of == operation and isinstance(query, dict)
    except (ValueError, TypeError):
        valid = False
    if not valid:
        raise Refused(application("ADMIN-400-1"))
    return start, query


def _closed(start: int, operation: str, query: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps([start, operation, query]).encode()).decode()
