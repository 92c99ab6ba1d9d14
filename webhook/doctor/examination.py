"""All checks, and those that only workers can make."""

from collections.abc import Collection, Iterator
from contextlib import closing
from datetime import UTC, datetime

from config import checks
from config.settings import Settings
from webhook.doctor import credentials, machinery, owners, people, record, sources
from webhook.doctor.check import Check, Result
from workers.ledger import open_ledger
from workers.ledger.queries import condition

#: What somebody must do something about, though it is neither wrong nor only advice: a secret that
#: another machine may be able to read, and a credential that expires.
ATTENTION = ("E003", "W009")


def examine(settings: Settings) -> Iterator[Check]:
    """Every check, as it is made."""
    yield from _configuration(settings)
    with closing(open_ledger(settings.ledger.url.reveal())) as ledger:
        readable = yield from machinery.ledger_sound(ledger)
        yield from machinery.queue_sound(settings)
        clocks = machinery.own_clocks(settings, ledger if readable else None)
        yield machinery.clock_right(clocks | machinery.target_clocks(settings))
        for name, source in settings.sources.items():
            yield from sources.keys_published(name, source)
        yield from _systems(settings)
        if readable:
            yield from people.approvers_there(settings, ledger)
            yield record.workers_alive(ledger, datetime.now(UTC))
            yield from record.needs_somebody(ledger, datetime.now(UTC))
            yield record.messages_arrive(ledger, settings.notify, datetime.now(UTC))


def worker(settings: Settings) -> Iterator[Check]:
    """What a worker examines once it has started (at_start.py): whom it talks to.

    What is paused has its own probe, and may not like to be asked again.
    """
    with closing(open_ledger(settings.ledger.url.reveal())) as ledger:
        paused = [pause.target for pause in condition.pauses(ledger)]
        yield machinery.clock_right(machinery.target_clocks(settings))
        yield from _systems(settings, but=paused)
        yield record.messages_arrive(ledger, settings.notify, datetime.now(UTC))


def _systems(settings: Settings, but: Collection[str] = ()) -> Iterator[Check]:
    """The keys of targets and HR systems, but those of the targets in `but`."""
    for name, own in settings.targets.items():
        if name not in but:
            tried = credentials.key_taken(name, own)
            yield tried
            if tried.result is Result.OK:
                yield from owners.owners_known(name, own, settings.policy, datetime.now(UTC))
    yield from credentials.hr_key_taken(settings, but)


def _configuration(settings: Settings) -> Iterator[Check]:
    """What config/checks.py finds for a machine that does everything."""
    findings = checks.check(settings, "up", today=datetime.now(UTC).date())
    for finding in findings:
        result = Result.WRONG if finding.stops else Result.ADVICE
        if finding.code in ATTENTION:
            result = Result.ATTENTION
        name = f"configuration {finding.code}"
        yield Check(finding.code, name, result, finding.fault, finding.hint)
    if not findings:
        yield Check("D001", "configuration", Result.OK, "nothing to say against it")
