"""The first page: what needs a person now, and how it goes."""

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from webhook.console.chart import bars, lines
from webhook.console.situation import at
from workers.ledger.queries import brakes, condition, overview

pages = Blueprint("overview", __name__)

#: Alarms shown; the newest ones.
ALARMS = 20


@pages.get("/")
def show() -> ResponseReturnValue:
    """The overview."""
    ledger, now, settings = at().ledger, at().now(), at().settings
    days = overview.days(ledger, now=now)
    alarms = condition.alarms_open(ledger)
    ended = [(day.day.strftime("%d %b"), sum(day.jobs.values())) for day in days]
    received = [(day.day.strftime("%d %b"), day.deliveries) for day in days]
    return render_template(
        "overview.html",
        alarms=alarms[:ALARMS],
        more_alarms=max(0, len(alarms) - ALARMS),
        waiting=overview.waiting(ledger),
        quarantined=overview.quarantined(ledger),
        health=condition.health(ledger, now=now),
        brake=brakes.standing(ledger, settings.brakes_of(""), now=now),
        pauses={pause.target: pause for pause in condition.pauses(ledger)},
        seen=overview.last_seen(ledger, settings.sources),
        settings=settings,
        latest=overview.latest(days),
        times=lines(days),
        ended=bars(ended),
        received=bars(received),
        days=days,
    )
