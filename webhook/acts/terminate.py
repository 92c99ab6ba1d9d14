"""A leaver whom no HR system sent, entered by an operator."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from config.settings import Settings
from webhook.sources.fields import Unusable, email_of
from workers.leavers import Cutoff, Leaver, cutoff_of
from workers.ledger import Ledger, intake
from workers.ledger.queries import jobs as kept
from workers.ledger.queries.jobs import Job, JobFilter


class Mistyped(ValueError):
    """What was said of the leaver cannot be meant; `field` says what:
    email, at, targets or reason."""

    def __init__(self, field: str, text: str) -> None:
        super().__init__(text)
        self.field = field


def leaver_said(settings: Settings, email: str, at: str, *, now: datetime) -> Leaver:
    """The leaver with this one plain address, whose access ends `at` (see cutoff_said).

    Raises Mistyped.
    """
    try:
        address = email_of(email)
    except Unusable as why:
        raise Mistyped("email", f"{email!r} is not one plain address") from why
    return Leaver(address, "", cutoff_said(at, ZoneInfo(settings.policy.timezone), now=now))


def cutoff_said(text: str, zone: ZoneInfo, *, now: datetime) -> Cutoff:
    """What an operator means: now, a date (the end of that day in `zone`), or a time with offset.

    Never before now.  Raises Mistyped for anything else.
    """
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
    raise Mistyped("at", f"{text!r} is neither now, a date, nor a time with its offset")


def targets_said(settings: Settings, names: Sequence[str]) -> tuple[str, ...]:
    """The targets of these names, each once; of none, all.  Raises Mistyped."""
    unknown = [name for name in names if name not in settings.targets]
    if unknown or not settings.targets:
        known = ", ".join(settings.targets) or "none"
        raise Mistyped("targets", f"no target {', '.join(unknown)}; configured: {known}")
    return tuple(dict.fromkeys(names)) or tuple(settings.targets)


def enter(
    ledger: Ledger,
    leaver: Leaver,
    targets: tuple[str, ...],
    *,
    actor: str,
    why: str,
    request_id: str,
    now: datetime,
) -> list[Job]:
    """Open the jobs.  The caller wakes the workers for those that are queued."""
    entered = intake.enter(
        ledger,
        leaver,
        targets=targets,
        actor=actor,
        reason=why,
        request_id=request_id,
        now=now,
    )
    return list(kept.every(ledger, JobFilter(ids=entered)))
