"""Pages of a list, newest first.  A cursor says where the next page goes on; what it is made of is
nobody's business, and may change."""

import base64
import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Generic, TypeVar

from pydantic import Field

from webhook.api.operation import Query
from webhook.console.filters import Mistyped

Fact = TypeVar("Fact")

#: One line of text: PostgreSQL takes no NUL, and no filter means a control character.
Line = Annotated[str, Field(min_length=1, max_length=320, pattern=r"^[^\x00-\x1f\x7f]+$")]

Since = Annotated[
    Line | None,
    Field(description="received within the last 2d, 12h, 30m, or since 2026-11-30 (UTC)"),
]


class Paged(Query):
    """How much of a list."""

    limit: Annotated[int, Field(ge=1, le=500)] = 100
    cursor: Annotated[str, Field(max_length=100, description="`next` of the page before")] = ""


@dataclass(frozen=True, slots=True)
class Listed(Generic[Fact]):
    """One page; `next` is the cursor of the next one, absent on the last."""

    items: tuple[Fact, ...]
    next: str | None = None


def page(found: Sequence[Fact], limit: int, key: str) -> Listed[Fact]:
    """The page of `limit` facts; `found` has one more where there is a next page."""
    shown = tuple(found[:limit])
    more = len(found) > limit
    return Listed(shown, cursor_at(getattr(shown[-1], key)) if more else None)


def cursor_at(last: str | int) -> str:
    """The cursor behind the row with this id."""
    return base64.urlsafe_b64encode(str(last).encode()).decode().rstrip("=")


def row_of(cursor: str, pattern: str) -> str | None:
    """The id in a cursor; None for the first page.  Raises Mistyped."""
    if not cursor:
        return None
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        row = base64.b64decode(padded, altchars=b"-_", validate=True).decode("ascii")
    except (binascii.Error, ValueError):
        row = ""
    if not re.fullmatch(pattern, row):
        raise Mistyped("the cursor is of no page of this list")
    return row
