"""The shadow report: what shadow mode would have done, beside what people did by hand."""

from dataclasses import replace
from typing import Annotated

from pydantic import Field

from webhook.api.lists import Line
from webhook.api.operation import Operation, Query
from webhook.console.filters import since
from webhook.console.situation import at
from webhook.console.words import masked
from workers.ledger.queries.shadow import shadowed
from workers.shadow.report import Report
from workers.shadow.report import report as judged


class Asked(Query):
    """Which jobs."""

    since: Annotated[Line, Field(description="came in or ended within the last 14d, 12h")] = "14d"
    source: Line | None = None
    target: Line | None = None


def report(asked: Asked) -> Report:
    """Compare what Leaver would have done with what people did, with masked addresses."""
    now, brakes = at().now(), at().settings.all_brakes()
    began = since(asked.since, now)
    jobs = shadowed(at().ledger, since=began)
    found = judged(
        jobs, since=began, now=now, brakes=brakes, source=asked.source, target=asked.target
    )
    return replace(found, rows=tuple(replace(row, email=masked(row.email)) for row in found.rows))


OPERATIONS = (Operation("/shadow-report", report),)
