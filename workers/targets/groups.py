"""Names of groups, read from an answer: all of them, or none that can be believed.

Pure.
"""

from typing import Any

from workers.errors import Refused, Unavailable
from workers.targets.values import as_object, as_text


def names_of(call: str, groups: Any, *, field: str = "name") -> tuple[str, ...]:
    """The names in a list of groups.

    Raises Unavailable for what is no list, and Refused for a group without a name: it may be a
    protected one.
    """
    if not isinstance(groups, list):
        raise Unavailable(call, "an answer without its list")
    names = tuple(as_text(as_object(group).get(field)) for group in groups)
    if not all(names):
        raise Refused(call, "a group without a name", reason="unclear_account")
    return names


def untold(call: str, why: str) -> Refused:
    """The error that missing groups are: nobody may take them for none."""
    return Refused(call, f"the groups of the account are not told: {why}", reason="unclear_account")
