"""Reading a long list of users whole, while it moves.

Confluence pages by position, and its list is said to be in the order of the last login
(CONFSERVER-37100, read 2026-11-23): whoever logs in, or is deactivated, while it is read moves all
those behind by one place, and the next page would begin behind somebody who was never shown.  So
each page begins in the middle of the one before, and must begin with somebody seen already.
"""

from collections.abc import Callable
from typing import Any

from workers.errors import LockedOut, Unavailable
from workers.targets.atlassian_account import as_object, as_text

#: With pages of 200 that begin 100 apart, 100,000 users.
MAX_PAGES = 1000


def whole_list(call: str, page: Callable[[int], Any]) -> list[Any]:
    """Every user that the pages show, each once; `page` gives the one that begins at a position.

    An answer that is no page, or a list that moved too far, is Unavailable, never the end.
    """
    users: dict[str, Any] = {}
    start = 0
    for _ in range(MAX_PAGES):
        shown = _users(call, page(start))
        if not users and not shown:
            raise Unavailable(call, "an empty list, without even ourselves")
        if users and shown and next(iter(shown)) not in users:
            raise Unavailable(call, "the list moved while it was read")
        if shown.keys() <= users.keys():
            return list(users.values())
        users |= shown
        start += max(1, len(shown) // 2)
    detail = f"more than {MAX_PAGES} pages of users: set the usernames of the target"
    raise LockedOut(call, detail, reason="misconfigured")


def _users(call: str, page: Any) -> dict[str, Any]:
    """The users of one page, by key."""
    results = as_object(page).get("results")
    if not isinstance(results, list):
        raise Unavailable(call, "an answer without its list")
    users = {as_text(as_object(user).get("userKey")): user for user in results}
    if "" in users:
        raise Unavailable(call, "a user without a key")
    return users
