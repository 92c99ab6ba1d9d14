"""`leaver reinstate`: give back what a deactivation has taken."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from webhook.cli import options
from webhook.cli.output import say, show_json, warn
from webhook.cli.situation import Situation, actor, log_errors_only, now, wake

if TYPE_CHECKING:
    from config.settings import Settings
    from workers.leavers import JobId
    from workers.ledger import Ledger


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one deactivation; `id` is that of the job that gives back, if one was opened,
    and `refused` says why there is none."""

    deactivation: "JobId"
    id: "JobId | None" = None
    refused: str = ""


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
    log_errors_only()
    settings = at.settings()
    with at.ledger(settings) as ledger:
        found = list(dict.fromkeys(job for part in ids for job in _meant(ledger, part)))
        results = []
        for result in _opened(ledger, settings, found, why, force=force):
            results.append(result)
            if json_:
                show_json(result)
            else:
                said = f"cannot be reinstated: {result.refused}"
                say(
                    f"{result.deactivation}  {said if result.refused else f'queued as {result.id}'}"
                )
    wake(settings, [result.id for result in results if result.id])
    return 1 if any(result.refused for result in results) else 0


def _meant(ledger: "Ledger", part: str) -> "list[JobId]":
    """The job with this id, or the jobs of the leaver with it.  Raises NotFound."""
    from workers.ledger import reinstatements
    from workers.ledger.queries import Ambiguous, NotFound
    from workers.ledger.queries import jobs as kept

    try:
        return [kept.find(ledger, part)]
    except Ambiguous:
        raise
    except NotFound:
        jobs = reinstatements.deactivations(ledger, kept.find_leaver(ledger, part))
    if not jobs:
        raise NotFound(f"of the leaver {part} there is nothing to give back")
    return jobs


def _opened(
    ledger: "Ledger", settings: "Settings", jobs: "Sequence[JobId]", why: str, *, force: bool
) -> Iterator[Result]:
    from workers.ledger import reinstatements
    from workers.ledger.queries import jobs as kept

    for job in jobs:
        about = kept.one(ledger, job)
        try:
            opened = reinstatements.reinstate(
                ledger,
                job,
                actor=actor(),
                why=why,
                force=force,
                hr_is_asked=about.source in settings.apis,
                now=now(),
            )
        except reinstatements.CannotReinstate as against:
            yield Result(job, refused=str(against))
            continue
        if shadow := settings.shadowed_by(about.source, about.target):
            warn(f'{about.target}, {shadow} is "shadow": nothing will be changed.')
        yield Result(job, opened)
