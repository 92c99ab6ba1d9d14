"""`leaver notify`: the messages to people, and whether they arrive."""

import time
from datetime import timedelta
from typing import TYPE_CHECKING

import click

from webhook.cli import options
from webhook.cli.output import note, progress, say, show_json, table, when
from webhook.cli.situation import Refused, Situation, actor, log_errors_only, now

if TYPE_CHECKING:
    from workers.ledger import Ledger
    from workers.ledger.outbox import Fate

LOOK_EVERY_S = 0.2


@click.group(invoke_without_command=True)
@options.limit
@options.as_json
@click.pass_context
def notify(ctx: click.Context, limit: int | None, json_: bool) -> None:
    """Show the messages to people, and whether they arrived.

    Workers send them, to notify.urls, and try for a day.  They are kept for 30 days.
    """
    from workers.ledger.queries import messages

    if ctx.invoked_subcommand:
        return
    at: Situation = ctx.obj
    with at.ledger(at.settings()) as ledger:
        found = messages.sendings(ledger, limit=limit or options.ROWS)
    if json_:
        for each in found:
            show_json(each)
        return
    table(
        ("created", "message", "to", "state", "tries", "error"),
        [
            (when(each.created_at), each.title, each.recipient, each.state, each.tries, each.error)
            for each in found
        ],
    )


@notify.command()
@click.option(
    "--wait",
    type=options.Span(),
    default="45s",
    show_default=True,
    metavar="45s",
    help="How long to wait for the answers; a worker gives each service 30 s.",
)
@options.as_json
@click.pass_obj
def test(at: Situation, wait: timedelta, json_: bool) -> int:
    """Send a test to each of notify.urls now, and say whether it arrived.

    A worker sends it, because only workers read those URLs.  Exits 1 if one of them failed.
    """
    from webhook.acts import notify

    log_errors_only()
    settings = at.settings()
    with at.ledger(settings) as ledger, progress("waiting for a worker", hidden=json_):
        try:
            message = notify.test(settings, ledger, actor=actor(), now=now())
        except notify.NobodyToTell as error:
            raise Refused(str(error)) from error
        found = _await(ledger, message, wait)
    if found is None:
        raise click.ClickException(
            "no worker has taken it: is one running, and has it notify.urls? See `leaver doctor`"
        )
    for each in found:
        if json_:
            show_json(each)
        else:
            why = each.error or "no answer"
            say(f"{each.name}: {'sent' if each.sent_at else f'not sent: {why}'}")
    if all(each.sent_at for each in found):
        return 0
    note("The URL's form: https://appriseit.com/services; then reload, and test again.")
    return 1


def _await(ledger: "Ledger", message: str, wait: timedelta) -> "list[Fate] | None":
    """What became of it; None where no worker took it."""
    from workers.ledger import outbox

    end = time.monotonic() + wait.total_seconds()
    while True:
        found = outbox.fates(ledger, message)
        ended = found is not None and all(each.sent_at or each.gave_up_at for each in found)
        if ended or time.monotonic() > end:
            return found
        time.sleep(LOOK_EVERY_S)
