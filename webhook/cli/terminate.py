"""`leaver terminate`: a leaver whom no HR system sent, entered by an operator."""

from collections.abc import Sequence

import click

from webhook.cli import options
from webhook.cli.output import say, show_json, warn, when
from webhook.cli.situation import Situation, actor, log_errors_only, now, wake

#: How the fields of a leaver are given here.
HINTS = {"email": "EMAIL", "at": "--at", "targets": "--target"}


@click.command()
@click.argument("email")
@options.why
@click.option(
    "--at",
    "cutoff",
    default="now",
    show_default=True,
    metavar="WHEN",
    help="When access must be gone: now, a date (the end of that day in policy.timezone), or a "
    "time with its offset such as 2026-11-30T18:00:00+01:00.",
)
@click.option(
    "--target",
    "targets",
    multiple=True,
    metavar="NAME",
    help="Only in this Atlassian system; may be repeated.  [default: all]",
)
@options.as_json
@click.pass_obj
def terminate(
    at: Situation, email: str, why: str, cutoff: str, targets: Sequence[str], json_: bool
) -> None:
    """Enter a leaver by hand.

    In every target, the one account with exactly this e-mail address loses its access.
    """
    from webhook.acts import terminate
    from webhook.acts.jobs import shadows
    from workers.leavers import State, new_id

    log_errors_only()
    settings = at.settings()
    try:
        chosen = terminate.targets_said(settings, targets)
        leaver = terminate.leaver_said(settings, email, cutoff, now=now())
    except terminate.Mistyped as error:
        raise click.BadParameter(str(error), param_hint=HINTS[error.field]) from error
    with at.ledger(settings) as ledger:
        about = {"actor": actor(), "why": why, "request_id": new_id()}
        jobs = terminate.enter(ledger, leaver, chosen, **about, now=now())
    for job in jobs:
        if json_:
            show_json(job)
        else:
            say(f"{job.id}  {job.state} in {job.target}, due {when(job.due_at)}")
    for shadow in shadows(settings, jobs):
        warn(shadow)
    wake(settings, [job.id for job in jobs if job.state == State.QUEUED])
