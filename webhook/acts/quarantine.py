"""The two ways out of quarantine: read again, or dismissed unread.

What is read again is read with today's mapping and without looking at the time.  The way is that of
the receiver: the same doors, and the same `read`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from config.settings import Settings
from webhook.receive import open_doors, read
from webhook.verify import Signed
from workers.leavers import Delivery, DeliveryId, DeliveryStatus, ElementKind, JobId
from workers.ledger import Ledger, quarantine
from workers.ledger.queries import deliveries

NOTHING_WAITS = "nothing of it is in quarantine"


@dataclass(frozen=True, slots=True)
class DeliveryResult:
    """What became of a delivery; `result` is empty where nothing was done, and `why_not` says why.

    `result` is "dismissed"; or "read" if nothing of it waits any more, else "still quarantined"; of
    a dry run "would be read" or "would stay quarantined", and there are no jobs.
    """

    id: DeliveryId
    result: str
    why_not: str = ""
    status: DeliveryStatus | None = None
    jobs: tuple[JobId, ...] = ()


def meant(ledger: Ledger, parts: Sequence[str]) -> list[DeliveryId]:
    """The deliveries with these ids, each once.  Raises NotFound."""
    return list(dict.fromkeys(deliveries.find(ledger, part) for part in parts))


def dismiss(
    ledger: Ledger, delivery: DeliveryId, *, actor: str, why: str, now: datetime
) -> DeliveryResult:
    """Take what waits of one delivery out of quarantine, unread."""
    if quarantine.dismiss(ledger, delivery, actor=actor, why=why, now=now):
        return DeliveryResult(delivery, "dismissed")
    return DeliveryResult(delivery, "", NOTHING_WAITS)


class Reparser:
    """Reads deliveries again for one operator, for one reason."""

    def __init__(
        self, settings: Settings, ledger: Ledger, *, actor: str, why: str, dry_run: bool = False
    ) -> None:
        self._doors = open_doors(settings)
        self._dedup_window = settings.policy.dedup_window
        self._ledger = ledger
        self._actor = actor
        self._why = why
        self._dry_run = dry_run

    def reparse(self, delivery: DeliveryId, now: datetime) -> DeliveryResult:
        """Read one delivery again, and do what it says."""
        waiting = quarantine.waiting(self._ledger, delivery)
        if waiting is None:
            return DeliveryResult(delivery, "", NOTHING_WAITS)
        if waiting.source not in self._doors:
            return DeliveryResult(delivery, "", f"no source {waiting.source!r} is configured")
        if waiting.body is None:
            return DeliveryResult(delivery, "", "its body was purged")
        reading = self._read(waiting, waiting.body, now)
        taken = quarantine.take(
            self._ledger,
            delivery,
            reading,
            actor=self._actor,
            why=self._why,
            now=now,
            dedup_window=self._dedup_window,
            dry_run=self._dry_run,
        )
        if taken is None:
            return DeliveryResult(delivery, "", NOTHING_WAITS)
        waits = taken.elements[ElementKind.QUARANTINED]
        if self._dry_run:
            result = "would stay quarantined" if waits else "would be read"
            return DeliveryResult(delivery, result, reading.detail, taken.status)
        result = "still quarantined" if waits else "read"
        return DeliveryResult(delivery, result, reading.detail, taken.status, taken.jobs)

    def _read(self, waiting: quarantine.Waiting, body: bytes, now: datetime) -> Delivery:
        signed = Signed(waiting.signed_at, waiting.event_id, waiting.key)
        door = self._doors[waiting.source]
        return read(
            door,
            body,
            waiting.content_type,
            signed,
            request_id=waiting.request_id,
            now=now,
            check_time=False,
        )
