"""What a body says, without recording anything of it, and what a worker must be asked about it.

The body is read by its source's own mapping.  A worker answers through the ledger
(workers/ledger/explanations.py), on the road of a real attempt (workers/explain.py).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from config.settings import Settings
from webhook.receive import locked_door, read
from webhook.verify import Signed
from workers.explanation import Explanation
from workers.leavers import Delivery, DeliveryId, Element, ElementKind, LeaverKind, hr_target
from workers.ledger import Ledger, intake
from workers.ledger.explanations import Question

TAKEN_BACK = (LeaverKind.RESCINDED, LeaverKind.REHIRED)


@dataclass(frozen=True, slots=True)
class ReadElement:
    """One person in a body, and what would become of them in each target.

    `known` is the delivery that said the same before.
    """

    kind: ElementKind
    reason: str
    detail: str
    employee_id: str
    stays: LeaverKind | None  # where it takes a termination back
    known: DeliveryId | None
    explanations: Sequence[Explanation]


@dataclass(frozen=True, slots=True)
class ReadBody:
    """What a body says; `reason` is why the whole of it would be quarantined."""

    source: str
    reason: str
    detail: str
    elements: Sequence[ReadElement]


@dataclass(frozen=True, slots=True)
class Asked:
    """A body that was read, and what must be asked about each of its elements."""

    delivery: Delivery
    known: Sequence[DeliveryId | None]
    by_element: Sequence[Sequence[Question]]

    @property
    def questions(self) -> list[Question]:
        """All of them, in order."""
        return [each for own in self.by_element for each in own]

    def answered(self, answers: Sequence[Explanation]) -> ReadBody:
        """The body with the answer to each question, in the order of `questions`."""
        told = iter(answers)
        elements = [
            ReadElement(
                element.kind,
                element.reason,
                element.detail,
                element.employee_id,
                _stays(element),
                known,
                [next(told) for _ in own],
            )
            for element, known, own in zip(
                self.delivery.elements, self.known, self.by_element, strict=True
            )
        ]
        delivery = self.delivery
        return ReadBody(delivery.source, delivery.reason, delivery.detail, elements)


def ask_about(settings: Settings, ledger: Ledger, source: str, raw: bytes, now: datetime) -> Asked:
    """Read a body as `source` posts it.  Raises KeyError where there is no such source."""
    # A form is the only body of which the type must tell.
    form = raw.lstrip()[:1] not in (b"{", b"[", b"<")
    content_type = "application/x-www-form-urlencoded" if form else "application/json"
    door, signed = locked_door(source, settings), Signed(now, None, "")
    delivery = read(door, raw, content_type, signed, request_id="", now=now, check_time=False)
    by_element = [_questions(delivery, element) for element in delivery.elements]
    return Asked(delivery, intake.known(ledger, delivery, now), by_element)


def _questions(delivery: Delivery, element: Element) -> Sequence[Question]:
    """What a worker must be asked about one person."""
    source, leaver = delivery.source, element.leaver
    if leaver is None or _stays(element):
        return ()
    lookup = leaver.kind is LeaverKind.LOOKUP
    targets = (hr_target(source),) if lookup else delivery.targets
    return [Question(None, source, target, leaver) for target in targets]


def _stays(element: Element) -> LeaverKind | None:
    kind = element.leaver.kind if element.leaver else None
    return kind if kind in TAKEN_BACK else None
