"""Giving back what a deactivation has taken, by a job beside it (workers/ledger/reinstatements)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from config.settings import Settings
from workers.leavers import JobId
from workers.ledger import Ledger, reinstatements
from workers.ledger.queries import Ambiguous, NotFound
from workers.ledger.queries import jobs as kept


@dataclass(frozen=True, slots=True)
class Reinstated:
    """What became of one deactivation; `id` is that of the job that gives back, if one was opened,
    and `refused` says why there is none."""

    deactivation: JobId
    id: JobId | None = None
    refused: str = ""


def meant(ledger: Ledger, parts: Iterable[str]) -> list[JobId]:
    """The jobs with these ids, and the deactivations of leavers with these.  Raises NotFound."""
    return list(dict.fromkeys(job for part in parts for job in _meant(ledger, part)))


def _meant(ledger: Ledger, part: str) -> list[JobId]:
    try:
        return [kept.find(ledger, part)]
    except Ambiguous:
        raise
    except NotFound:
        jobs = reinstatements.deactivations(ledger, kept.find_leaver(ledger, part))
    if not jobs:
        raise NotFound(f"of the leaver {part} there is nothing to give back")
    return jobs


def reinstate(
    settings: Settings,
    ledger: Ledger,
    job: JobId,
    *,
    actor: str,
    why: str,
    force: bool,
    now: datetime,
) -> Reinstated:
    """Open the job.  The caller wakes a worker for it.  `force` asks HR nothing."""
    try:
        opened = reinstatements.reinstate(
            ledger,
            job,
            actor=actor,
            why=why,
            force=force,
            hr_is_asked=kept.one(ledger, job).source in settings.apis,
            now=now,
        )
    except reinstatements.CannotReinstate as against:
        return Reinstated(job, refused=str(against))
    return Reinstated(job, opened)
