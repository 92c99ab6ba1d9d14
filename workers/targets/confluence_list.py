"""Reading a long list of users whole, while it moves.

Confluence pages by position, and its list is said to be in the order of the last login
(CONFSERVER-37100, read 2026-11-23): whoever logs in, or is deactivated, while it is read moves all
those behind by one place, and the next page would begin behind somebody who was never shown.  So
each page begins in the middle of the one before, and at the end as many users must have been seen
as the list has places.
"""

from collections.abc import Callable
from typing import Any

from workers.errors import LockedOut, Unavailable
from workers.targets.values import as_object, as_text

#: With pages of 200 that begin 100 apart, 100,000 users.
MAX_PAGES = 1000


def whole_list(call: str, page: Callable[[int], list[Any]]) -> list[Any]:
    """Every user that the pages show, each once; `page` gives the one that begins at a position.

    An empty list, or a list that moved too far, is Unavailable, never the end.
    """
    users: dict[str, Any] = {}
    start = full = 0
    for _ in range(MAX_PAGES):
        shown = page(start)
        users |= {_key(call, user): user for user in shown}
        if not users:
            raise Unavailable(call, "an empty list, without even ourselves")
        if len(shown) < full:  # The last one.
            if len(users) < start + len(shown):
                raise Unavailable(call, "the list moved while it was read")
            return list(users.values())
        full = len(shown)
        start += max(1, full // 2)
    detail = f"more than {MAX_PAGES} pages of users: set the usernames of the target"
    raise LockedOut(call, detail, reason="misconfigured")


def _key(call: str, user: Any) -> str:
    key = as_text(as_object(user).get("userKey"))
    if not key:
        raise Unavailable(call, "a user without a key")
    return key
