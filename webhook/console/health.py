"""GET /healthz: how it goes, with details; no personal data."""

from datetime import datetime
from typing import Any

from workers.ledger import Ledger, LedgerUnavailable
from workers.ledger.queries import as_json, condition, holds

OK = "ok"
ATTENTION = "attention"  # it works, and a person must look
FAILING = "failing"  # nobody is deactivated: no ledger, or no worker


def found(ledger: Ledger, now: datetime) -> dict[str, Any]:
    """The facts; `status` sums them up."""
    try:
        figures = condition.figures(ledger, now=now)
        pauses = condition.pauses(ledger)
        held = holds.standing(ledger)
    except LedgerUnavailable:
        # Why is in the log of whoever writes: the text may name hosts and files.
        return {"status": FAILING, "ledger": "unavailable"}
    needs_somebody = bool(figures.alarms or pauses)
    working = ATTENTION if needs_somebody else OK
    return {
        "status": working if figures.workers else FAILING,
        "ledger": "ok",
        "workers": figures.workers,
        "oldest_unfinished_job_seconds": figures.oldest_unfinished.total_seconds(),
        "oldest_overdue_job_seconds": figures.oldest_overdue.total_seconds(),
        "paused_targets": [
            {
                "target": pause.target,
                "reason": pause.reason,
                "paused_at": as_json(pause.paused_at),
                "paused_until": as_json(pause.paused_until),
            }
            for pause in pauses
        ],
        # Who holds them and why may name people: `leaver holds` says it.
        "held": [
            {"kind": hold.kind, "name": hold.name, "held_at": as_json(hold.held_at)}
            for hold in held
        ],
        "open_alarms": figures.alarms,
    }
