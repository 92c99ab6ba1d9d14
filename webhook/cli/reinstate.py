"""`leaver reinstate`: give back what a deactivation has taken."""

from collections.abc import Sequence

import click

from webhook.cli import options
from webhook.cli.output import progress, show_json, warn
from webhook.cli.situation import Situation, actor, log_errors_only, now, wake


@click.command()
@options.ids
@options.why
@click.option("--force", is_flag=True, help="Enable it whatever HR says.")
@options.as_json
@click.pass_obj
def reinstate(at: Situation, ids: Sequence[str], why: str, force: bool, json_: bool) -> int:
    """Enable accounts again that Leaver has switched off.

    ID is a job that deactivated, or a leaver: then all such jobs of that person.  Each gets a job
    beside it that gives back what the account had before, and reads it back.  Only where HR says
    that the person works here, or with --force; a worker asks HR once more just before.  Exits 1
    if some could not.
    """
    from webhook.acts import reinstate as act
    from webhook.acts.jobs import shadows
    from workers.ledger.queries import jobs as kept
    from workers.ledger.queries.jobs import JobFilter

    log_errors_only()
    settings = at.settings()
    with at.ledger(settings) as ledger:
        results = []
        found = act.meant(ledger, ids)
        with progress("reinstate", len(found), hidden=json_) as bar:
            for job in found:
                result = act.reinstate(
                    settings, ledger, job, actor=actor(), why=why, force=force, now=now()
                )
                results.append(result)
                if json_:
                    show_json(result)
                elif result.refused:
                    bar.say(f"{job}  cannot be reinstated: {result.refused}")
                else:
                    bar.say(f"{job}  queued as {result.id}")
                bar.step()
        opened = [result.id for result in results if result.id]
        for shadow in shadows(settings, kept.every(ledger, JobFilter(ids=opened))):
            warn(shadow)
    wake(settings, opened)
    return 1 if any(result.refused for result in results) else 0
