"""The audit trail: who did what, when and why."""

from webhook.api.lists import Line, Listed, Paged, page, row_of
from webhook.api.operation import Operation
from webhook.console.situation import at
from workers.ledger.queries import trail
from workers.ledger.queries.trail import EntryInFull


class Filter(Paged):
    """Which entries."""

    actor: Line | None = None
    action: Line | None = None


def listed(asked: Filter) -> Listed[EntryInFull]:
    """List the entries of the audit trail, the newest first."""
    after = row_of(asked.cursor, "[0-9]{1,18}")
    found = trail.listed(
        at().ledger,
        actor=asked.actor or "",
        action=asked.action or "",
        limit=asked.limit + 1,
        after=int(after) if after else None,
    )
    return page(found, asked.limit, "id")


OPERATIONS = (Operation("/audit", listed),)
