"""What `leaver doctor` looks at; each check says what it found and what helps.

    machinery.py     ledger, queue and clock
    credentials.py   the key of each target and HR system, and the HR system's webhook
    owners.py        the accounts that Leaver itself works with
    sources.py       each source's published keys
    people.py        who approves what takes a second person
    record.py        what stands in the ledger: workers, pauses, alarms, rejections, jobs,
                     messages

A check never raises and never changes anything: what is broken is its finding.
"""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime

from config import checks
from config.settings import Settings
from webhook.doctor import credentials, machinery, owners, people, record, sources
from webhook.doctor.check import Check, Result
from workers.ledger import open_ledger

__all__ = ["Check", "Result", "examine"]

#: What somebody must do something about, though it is neither wrong nor only advice: a secret that
#: another machine may be able to read, and a credential that expires.
ATTENTION = ("E003", "W009")


def examine(settings: Settings) -> Iterator[Check]:
    """Every check, as it is made."""
    yield from _configuration(settings)
    with closing(open_ledger(settings.ledger.url.reveal())) as ledger:
        reachable = machinery.ledger_reachable(ledger)
        yield reachable
        readable = reachable.result is Result.OK
        if readable:
            yield from machinery.ledger_durable(ledger)
        yield from machinery.queue_sound(settings)
        yield machinery.clock_right(settings, ledger if readable else None)
        for name, source in settings.sources.items():
            yield from sources.keys_published(name, source)
        for name, own in settings.targets.items():
            tried = credentials.key_taken(name, own)
            yield tried
            if tried.result is Result.OK:
                yield from owners.owners_known(name, own, settings.policy, datetime.now(UTC))
        yield from credentials.hr_key_taken(settings)
        if readable:
            yield from people.approvers_there(settings, ledger)
            yield from record.everything(ledger, settings.notify, datetime.now(UTC))


def _configuration(settings: Settings) -> Iterator[Check]:
    """What config/checks.py finds for a machine that does everything."""
    findings = checks.check(settings, "up", today=datetime.now(UTC).date())
    for finding in findings:
        result = Result.WRONG if finding.stops else Result.ADVICE
        if finding.code in ATTENTION:
            result = Result.ATTENTION
        yield Check(f"configuration {finding.code}", result, finding.fault, finding.hint)
    if not findings:
        yield Check("configuration", Result.OK, "nothing to say against it")
