"""The first page: what needs a person now, and how it goes."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from flask import Blueprint, render_template, url_for
from flask.typing import ResponseReturnValue

from webhook.console import chart
from webhook.console.situation import at
from workers.leavers import hr_target
from workers.ledger.queries import brakes, condition, holds, overview
from workers.ledger.queries.condition import Alarm

pages = Blueprint("overview", __name__)

#: Alarms shown; the newest ones.
ALARMS = 20

#: Alarms about what is counted beside them.
COUNTED = ("job_held", "job_failed", "quarantined")

#: Alarms about what the tables of sources and targets say by themselves.
OF_A_SIDE = ("source_held", "target_held", "target_paused")

#: Where a person goes on from an alarm: the page, what it takes of the subject, and its name.
PLACES = {
    "brake": ("brake.show", "", "The brake"),
    "source_held": ("holds.show", "", "Holds"),
    "target_held": ("holds.show", "", "Holds"),
    "target_paused": ("jobs.listed", "target", "Its jobs"),
    "key_expires": ("jobs.listed", "target", "Its jobs"),
    "silent_source": ("deliveries.listed", "source", "Its deliveries"),
    "webhook_dead": ("deliveries.listed", "source", "Its deliveries"),
    "rejected_deliveries": ("deliveries.listed", "source", "Its deliveries"),
    "quarantine_filling": ("deliveries.listed", "source", "Its deliveries"),
    "unmatched_event": ("leavers.one", "leaver", "The leaver"),
    "rescinded_late": ("jobs.one", "job", "The job"),
}


@pages.get("/")
def show() -> ResponseReturnValue:
    """The overview."""
    ledger, now, settings = at().ledger, at().now(), at().settings
    days = overview.days(ledger, now=now)
    told = condition.alarms_open(ledger, but=COUNTED)
    return render_template(
        "overview.html",
        alarms=[(alarm, _place(alarm)) for alarm in told[:ALARMS]],
        more_alarms=max(0, len(told) - ALARMS),
        waiting=overview.waiting(ledger),
        quarantined=overview.quarantined(ledger),
        health=condition.health(ledger, now=now),
        brake=brakes.standing(ledger, settings.brakes_of(""), now=now),
        pauses={pause.target: pause for pause in condition.pauses(ledger)},
        holds={(hold.kind, hold.name): hold for hold in holds.standing(ledger)},
        troubles=_troubles(told),
        hr_target=hr_target,
        seen=overview.last_seen(ledger, settings.sources),
        settings=settings,
        latest=overview.latest(days),
        charts={
            "Time to deprovision": chart.times(days),
            "Deliveries a day": chart.deliveries(days),
            "What jobs came to, by day": chart.ends(days),
        },
        days=days,
    )


def _place(alarm: Alarm) -> tuple[str, str] | None:
    """Where a person goes on from an alarm, and the name of it."""
    if alarm.kind not in PLACES:
        return None
    endpoint, takes, name = PLACES[alarm.kind]
    about: dict[str, Any] = {takes: alarm.subject} if takes else {}
    return url_for(endpoint, **about), name


def _troubles(alarms: Sequence[Alarm]) -> Mapping[str, Sequence[str]]:
    """The alarms about one source or target, by its name."""
    found = defaultdict(list)
    for alarm in alarms:
        if alarm.kind not in OF_A_SIDE:
            found[alarm.subject].append(alarm.kind)
    return found
