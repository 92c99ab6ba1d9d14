"""What stands in the ledger and needs somebody: workers, pauses, alarms, jobs and so on."""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from config.settings import Notify
from webhook.doctor.check import Check, Result
from workers.leavers import State
from workers.ledger import Ledger
from workers.ledger.queries import condition, deliveries, messages
from workers.reasons import JOB, REJECTED, Reason

#: Rejections of so long are told.
LATELY = timedelta(days=1)

#: Alarms that other checks tell.
TOLD = ("job_held", "job_failed", "target_paused")


def needs_somebody(ledger: Ledger, now: datetime) -> Iterator[Check]:
    """What waits, and what went wrong lately."""
    yield from _pauses(ledger)
    yield from _alarms(ledger)
    yield from _rejections(ledger, now)
    yield from _untimely(ledger, now)
    yield from _jobs(ledger, now)


def workers_alive(ledger: Ledger, now: datetime) -> Check:
    """Whether anybody works."""
    names = [worker.name for worker in condition.workers(ledger, now=now)]
    if names:
        return Check("D014", "workers", Result.OK, f"{len(names)} alive: {', '.join(names)}")
    finding = f"none showed itself in the last {condition.SILENT.seconds} s"
    return Check("D014", "workers", Result.ATTENTION, finding, "start `leaver up` or `leaver work`")


def _pauses(ledger: Ledger) -> Iterator[Check]:
    for pause in condition.pauses(ledger):
        since = f"{pause.paused_at:%Y-%m-%d %H:%M}Z"
        finding = f"{pause.target} since {since}, {pause.reason}: {pause.detail}"
        yield Check("D015", "paused target", Result.ATTENTION, finding, _to_do(JOB, pause.reason))


def _alarms(ledger: Ledger) -> Iterator[Check]:
    for alarm in condition.alarms_open(ledger):
        if alarm.kind not in TOLD:
            yield Check("D016", f"alarm {alarm.kind}", Result.ATTENTION, alarm.text)


def _rejections(ledger: Ledger, now: datetime) -> Iterator[Check]:
    """Only advice: too many of them are an alarm."""
    for (source, reason), count in deliveries.rejected(ledger, since=now - LATELY).items():
        finding = f"{count} from {source} in the last day, {reason}"
        yield Check("D017", "rejected deliveries", Result.ADVICE, finding, _to_do(REJECTED, reason))


def _untimely(ledger: Ledger, now: datetime) -> Iterator[Check]:
    """A clock that is wrong, of the sender or ours, shows in the times that are signed."""
    for source, (count, behind) in deliveries.untimely(ledger, since=now - LATELY).items():
        way = "behind" if behind > timedelta() else "ahead of"
        off = round(abs(behind).total_seconds() / 60)
        finding = (
            f"{count} deliveries of {source} in the last day were signed at a wrong time, the last "
            f"one {off} minutes {way} our clock"
        )
        hint = (
            "if `clock` is ok here, the sender's clock or its delay is wrong: have it mended, or "
            f"raise sources.{source}.tolerance; then `leaver reparse --status quarantined`"
        )
        yield Check("D018", "signed times", Result.ATTENTION, finding, hint)


def _jobs(ledger: Ledger, now: datetime) -> Iterator[Check]:
    """Those that need a person."""
    waiting: Counter[tuple[str, str]] = Counter()
    for (_, _, state, _, reason), count in condition.figures(ledger, now=now).jobs.items():
        if state in (State.HELD, State.FAILED):
            waiting[state, reason] += count
    for (state, reason), count in sorted(waiting.items()):
        finding = f"{count} {state} ({reason})"
        yield Check("D019", "jobs", Result.ATTENTION, finding, _to_do(JOB, reason))
    if not waiting:
        yield Check("D019", "jobs", Result.OK, "none waits for a person")


def messages_arrive(ledger: Ledger, notify: Notify, now: datetime) -> Check:
    """Whether people hear of alarms.  What is lost is an alarm, and told above."""
    if not notify.urls:
        hint = "set notify.urls, or have your monitoring watch the metric leaver_alarms_open"
        return Check("D020", "messages", Result.ADVICE, "alarms are told to nobody", hint)
    counts = condition.figures(ledger, now=now).messages
    last = messages.last_sent(ledger)
    when = f"{last:%Y-%m-%d %H:%M}Z" if last else "never"
    finding = (
        f"{len(notify.urls)} notify.urls, last sent {when}, "
        f"{counts[messages.WAITING]} waiting, {counts[messages.GIVEN_UP]} given up in 30 days"
    )
    if counts[messages.WAITING] or not last:
        return Check(
            "D020", "messages", Result.ADVICE, finding, "`leaver notify test`, `leaver notify`"
        )
    return Check("D020", "messages", Result.OK, finding)


def _to_do(reasons: Mapping[str, Reason], word: str) -> str:
    return reasons[word].to_do if word in reasons else ""
