"""`leaver terminate`: a leaver whom no HR system sent, entered by an operator."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import click

from webhook.cli import options
from webhook.cli.output import say, show_json, warn, when
from webhook.cli.situation import Situation, actor, log_errors_only, now, wake

if TYPE_CHECKING:
    from workers.leavers import Cutoff


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
    from workers.leavers import Leaver
    from workers.ledger import intake
    from workers.ledger.queries import jobs as kept
    from workers.ledger.queries.jobs import JobFilter

    log_errors_only()
    settings = at.settings()
    unknown = [name for name in targets if name not in settings.targets]
    if unknown or not settings.targets:
        known = ", ".join(settings.targets) or "none"
        raise click.UsageError(f"no target {', '.join(unknown)}; configured: {known}")
    try:
        until = cutoff_said(cutoff, ZoneInfo(settings.policy.timezone), now=now())
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--at") from error
    leaver = Leaver(_address(email), "", until)
    with at.ledger(settings) as ledger:
        entered = intake.enter(
            ledger,
            leaver,
            targets=tuple(dict.fromkeys(targets)) or tuple(settings.targets),
            actor=actor(),
            reason=why,
            now=now(),
        )
        jobs = list(kept.every(ledger, JobFilter(ids=entered)))
    for job in jobs:
        if json_:
            show_json(job)
        else:
            say(f"{job.id}  {job.state} in {job.target}, due {when(job.due_at)}")
    for job in jobs:
        if shadow := settings.shadowed_by(job.source, job.target):
            warn(f'{job.target}, {shadow} is "shadow": the account is found, nothing is changed.')
    wake(settings, [job.id for job in jobs if job.state == "queued"])


def _address(email: str) -> str:
    from webhook.sources.fields import Unusable, email_of

    try:
        return email_of(email)
    except Unusable as why:
        raise click.BadParameter(f"{email!r} is not one plain address", param_hint="EMAIL") from why


def cutoff_said(text: str, zone: ZoneInfo, *, now: datetime) -> "Cutoff":
    """What --at means: now, the end of a day in `zone`, or a time with its offset.

    Never before now.  Raises ValueError for anything else.
    """
    from workers.leavers import Cutoff, cutoff_of

    try:
        if text == "now":
            return Cutoff(now)
        if len(text) == len("2026-11-30"):
            day = date.fromisoformat(text)
            return cutoff_of(day, zone, already_terminated=False, now=now)
        said = datetime.fromisoformat(text)
        if said.tzinfo is not None:
            return Cutoff(max(said.astimezone(UTC), now))
    except (ValueError, OverflowError):
        pass
    raise ValueError(f"{text!r} is neither now, a date, nor a time with its offset")
