"""What an operator does with what waits in quarantine: reparse, dismiss."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import click

from webhook.cli import options
from webhook.cli.output import progress, show_json
from webhook.cli.situation import Situation, actor, log_errors_only, now, wake

if TYPE_CHECKING:
    from workers.leavers import DeliveryId, JobId
    from workers.ledger import Ledger


def _which(command: options.Command) -> options.Command:
    """The options that say which deliveries are meant."""
    for option in (
        options.as_json,
        click.option("--yes", is_flag=True, help="Do not ask."),
        options.why,
        options.since,
        click.option("--source", metavar="NAME", help="With --status: only from this HR system."),
        click.option(
            "--status",
            type=click.Choice(["quarantined"]),
            help="Instead of ids: all of which something is in quarantine.",
        ),
        click.argument("ids", nargs=-1, metavar="[ID...]"),
    ):
        command = option(command)
    return command


@click.command()
@click.option("--dry-run", is_flag=True, help="Only show what each would become.")
@_which
@click.pass_obj
def reparse(
    at: Situation,
    ids: Sequence[str],
    status: str | None,
    source: str | None,
    since: datetime | None,
    why: str,
    yes: bool,
    json_: bool,
    dry_run: bool,
) -> int:
    """Read quarantined deliveries again, and do what they say.

    For after the mapping in sources.X was mended; the time of the signature is not looked at.  What
    was accepted of a batch is not done twice.  Exits 1 if something is still in quarantine.
    """
    from webhook.acts.quarantine import Reparser

    log_errors_only()
    settings = at.settings()
    results = Counter[str]()
    jobs: list[JobId] = []
    with at.ledger(settings) as ledger:
        reparser = Reparser(settings, ledger, actor=actor(), why=why, dry_run=dry_run)
        chosen = _chosen(ledger, ids, status, source, since, yes=yes or dry_run)
        with progress("reparse", len(chosen), hidden=json_) as bar:
            for delivery in chosen:
                done = reparser.reparse(delivery, now())
                results[done.result] += 1
                jobs += done.jobs
                if json_:
                    show_json(done)
                else:
                    what = ", ".join(filter(None, (done.result or "not read", done.status)))
                    bar.say(": ".join(filter(None, (f"{delivery}  {what}", done.why_not))))
                    for job in done.jobs:
                        bar.say(f"  job {job}")
                bar.step()
    if dry_run:
        return 0
    wake(settings, jobs)
    return 0 if results.total() == results["read"] else 1


@click.command()
@_which
@click.pass_obj
def dismiss(
    at: Situation,
    ids: Sequence[str],
    status: str | None,
    source: str | None,
    since: datetime | None,
    why: str,
    yes: bool,
    json_: bool,
) -> int:
    """Take deliveries out of quarantine without reading them.

    For what was no leaver, or was entered with `leaver terminate`.  Also ends the alarms about what
    one takes back: unmatched_event where nobody said it, rescinded_late where it was done already.
    Nothing is deleted.  Exits 1 if there was nothing of that in one.
    """
    from webhook.acts import quarantine

    log_errors_only()
    settings = at.settings()
    all_done = True
    with at.ledger(settings) as ledger:
        chosen = _chosen(ledger, ids, status, source, since, yes=yes)
        with progress("dismiss", len(chosen), hidden=json_) as bar:
            for delivery in chosen:
                done = quarantine.dismiss(ledger, delivery, actor=actor(), why=why, now=now())
                all_done = all_done and bool(done.result)
                if json_:
                    show_json(done)
                else:
                    bar.say(f"{delivery}  {done.result or done.why_not}")
                bar.step()
    return 0 if all_done else 1


def _chosen(
    ledger: "Ledger",
    ids: Sequence[str],
    status: str | None,
    source: str | None,
    since: datetime | None,
    *,
    yes: bool,
) -> "list[DeliveryId]":
    """The deliveries of these ids, or all that fit the options; the oldest first, as they came."""
    from webhook.acts.quarantine import meant
    from workers.leavers import DeliveryStatus
    from workers.ledger.queries import deliveries as kept

    if bool(ids) == bool(status) or (ids and (source or since)):
        raise click.UsageError("say which deliveries: either ids, or --status quarantined")
    if ids:
        return meant(ledger, ids)
    wanted = kept.DeliveryFilter(source, DeliveryStatus.QUARANTINED, since)
    found = [each.id for each in kept.every(ledger, wanted)]
    click.echo(f"{len(found)} deliveries have something in quarantine.", err=True)
    if found:
        options.agree("Go on?", yes=yes)
    return found[::-1]
