"""`leaver deliveries` and `leaver delivery`: what came in, and what became of it."""

from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING

import click

from webhook.cli import options
from webhook.cli.output import NOTHING, explain, note, say, show_json, table, when
from webhook.cli.situation import Situation
from workers.leavers import DeliveryStatus
from workers.reasons import ELEMENT

if TYPE_CHECKING:
    from workers.ledger.queries.deliveries import DeliveryInFull, KeptDelivery
    from workers.ledger.queries.trail import Entry


@click.command()
@click.option("--source", metavar="NAME", help="Only from this HR system.")
@click.option(
    "--status",
    type=click.Choice([each.value for each in DeliveryStatus]),
    help="Only what became this; quarantined: also if only one person in it is; duplicate: what "
    "was sent again.",
)
@options.since
@options.limit
@options.as_json
@click.pass_obj
def deliveries(
    at: Situation,
    source: str | None,
    status: str | None,
    since: datetime | None,
    limit: int | None,
    json_: bool,
) -> None:
    """List what HR systems sent, the newest first."""
    from workers.ledger.queries import deliveries as kept

    wanted = kept.DeliveryFilter(source, DeliveryStatus(status) if status else None, since)
    with at.ledger(at.settings()) as ledger:
        found = kept.every(ledger, wanted)
        if json_:
            for delivery in islice(found, limit):
                show_json(delivery)
            return
        shown = list(islice(found, limit or options.ROWS))
        total = kept.count(ledger, wanted)
    _show_all(shown)
    if total > len(shown):
        note(f"\nThe newest {len(shown)} of {total} deliveries; --limit {total} shows all.")


@click.command()
@click.argument("delivery_id", metavar="ID")
@options.as_json
@click.pass_obj
def delivery(at: Situation, delivery_id: str, json_: bool) -> None:
    """Show one delivery with everybody in it.

    Also its body, which holds personal data.  ID may be the beginning or the end of it, 6
    characters or more.
    """
    from workers.ledger.queries import deliveries as kept

    with at.ledger(at.settings()) as ledger:
        found = kept.one(ledger, kept.find(ledger, delivery_id))
    if json_:
        show_json(found)
    else:
        _show(found)


def _show_all(shown: "list[KeptDelivery]") -> None:
    if not shown:
        note("No delivery fits.")
        return
    table(
        ("id", "received", "source", "status", "why", "elements", "repeats"),
        (
            (
                each.id,
                each.received_at,
                each.source,
                each.status,
                each.reason,
                _counted(each),
                each.repeats or None,
            )
            for each in shown
        ),
    )
    explain((each.reason for each in shown), ELEMENT)


def _show(found: "DeliveryInFull") -> None:
    say(f"delivery {found.id}")
    facts = {
        "status": f"{found.status} ({found.reason})" if found.reason else found.status,
        "detail": found.detail,
        "source": found.source,
        "received": when(found.received_at),
        "signed": when(found.signed_at),
        "event id": found.event_id,
        "request id": found.request_id,
        "repeats": f"{found.repeats}, last {when(found.repeated_at)}" if found.repeats else "",
        "content": found.content_type,
        "sha-256": found.body_hash,
        **found.facts,
    }
    for name, value in facts.items():
        if value:
            say(f"  {name:<12}{value}")
    say("\nelements")
    table(
        ("no.", "is", "why", "employee", "jobs", "detail"),
        (
            (
                each.position + 1,
                f"{each.kind}, known already" if each.repeated else each.kind,
                each.reason,
                each.employee_id,
                " ".join(each.jobs),
                each.detail,
            )
            for each in found.people
        ),
    )
    acts = [each for each in found.audit if each.from_state]
    if acts:
        say("\nwhat operators did")
        table(
            ("at", "who", "did", "was", "became", "reason"),
            (
                (each.at, each.actor, each.action, _was(each), each.to_state, each.detail)
                for each in acts
            ),
        )
    say("\nbody")
    say(NOTHING if found.body is None else found.body)
    explain([found.reason, *(each.reason for each in found.people)], ELEMENT)


def _was(entry: "Entry") -> str:
    return f"{entry.from_state} ({entry.reason})" if entry.reason else str(entry.from_state)


def _counted(each: "KeptDelivery") -> str:
    return ", ".join(f"{kind} {count}" for kind, count in each.elements.items() if count)
