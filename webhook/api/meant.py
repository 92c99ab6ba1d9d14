"""What a body says of an act: why, and which of many are meant."""

from collections.abc import Sequence
from typing import Annotated, TypeVar

from pydantic import Field

from webhook.acts.jobs import MOST
from webhook.api.operation import ID, Body, Conflict
from webhook.console.filters import Mistyped

Fact = TypeVar("Fact")

#: Why it is done; the audit trail keeps it.
Why = Annotated[
    str, Field(max_length=1000, pattern=r"^[^\x00-\x1f\x7f]*[^\x00-\x20\x7f][^\x00-\x1f\x7f]*$")
]
Id = Annotated[str, Field(pattern=f"^{ID}$")]


class Several(Body):
    """Which, by ids or by a filter, and why.  `expected` is how many the filter is to fit."""

    reason: Why
    ids: Annotated[tuple[Id, ...], Field(max_length=MOST)] = ()
    expected: Annotated[int, Field(ge=0, le=MOST)] | None = None
    dry_run: bool = False

    def check(self, *, filtered: bool, noun: str) -> None:
        """Raises Mistyped unless it says clearly which."""
        if bool(self.ids) == filtered:
            raise Mistyped(f"say which {noun}: either ids, or a filter that says something")
        if filtered and self.expected is None and not self.dry_run:
            raise Mistyped(
                f"expected is missing: how many {noun} the filter fits, as a dry_run says"
            )

    def counted(self, found: Sequence[Fact], noun: str) -> Sequence[Fact]:
        """Those that are found, of which one more than MOST was asked for.  Raises Conflict."""
        if len(found) > MOST:
            raise Conflict(f"more than {MOST} {noun} fit; nothing was done")
        if not self.ids and self.expected not in (None, len(found)):
            raise Conflict(f"{len(found)} {noun} fit, not {self.expected}; nothing was done")
        return found
