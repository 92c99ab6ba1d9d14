"""What every source promises: the Source protocol, and what it is given.

A source is one module for one kind of HR system, listed in webhook/sources/__init__.py, where also
stands which sender shakes hands first or wants another answer than 202.  It is pure: it connects to
nothing, writes nothing and reads no clock.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Protocol, TypeVar
from zoneinfo import ZoneInfo

import structlog

import config.sources
from webhook.sources.fields import Unusable
from webhook.verify import Signed
from workers.leavers import Cutoff, Element, ElementKind, Leaver, LeaverKind

log = structlog.get_logger()

OUR_ERROR = "an error in Leaver; see the log of the receiver"

#: Checks a signature: takes the headers, with lower-case names, and the raw body.
Verifier = Callable[[Mapping[str, str], bytes], Signed]
SourceSettings = TypeVar("SourceSettings", bound=config.sources.Source, contravariant=True)


@dataclass(frozen=True, slots=True)
class Termination:
    """One person leaving, as `leaver send` has the HR system say it."""

    email: str
    employee_id: str
    terminated_on: date | None = None  # None: terminated as of now


class Source(Protocol[SourceSettings]):
    """One kind of HR system."""

    @property
    def CONTENT_TYPES(self) -> frozenset[str]:  # noqa: N802 - a constant of its module
        """What it sends; with another one and without a right signature the answer is 415."""

    def verifier(self, settings: SourceSettings) -> Verifier:
        """What checks a signature.  ConfigurationError if a secret cannot be had."""

    def parse(
        self,
        body: bytes,
        content_type: str,
        settings: SourceSettings,
        *,
        zone: ZoneInfo,
        now: datetime,
        signed: Signed,
    ) -> tuple[Element, ...]:
        """One element for each person, or Unreadable; a broken one is quarantined alone.

        `zone` is what a bare date is meant in where the body does not say.
        """

    @property
    def EVENTS(self) -> tuple[LeaverKind, ...]:  # noqa: N802 - a constant of its module
        """What it can say of a person, the termination first."""

    def body_of(
        self,
        people: Sequence[Termination],
        settings: SourceSettings,
        *,
        event: LeaverKind,
        now: datetime,
    ) -> bytes:
        """What this HR system would post to say `event`, one of EVENTS, of `people`, as JSON.
        ValueError where its settings have no word for it."""

    def signature(self, body: bytes, settings: SourceSettings, *, now: datetime) -> dict[str, str]:
        """The headers, and no others, by which this HR system would prove that it sent `body`,
        whatever that is; made with the first of the source's secrets."""


def sign(
    source: Source[Any],
    people: Sequence[Termination],
    settings: config.sources.Source,
    *,
    event: LeaverKind = LeaverKind.TERMINATED,
    now: datetime,
) -> tuple[dict[str, str], bytes]:
    """Headers and body with which an HR system would say `event` of `people`."""
    body = source.body_of(people, settings, event=event, now=now)
    headers = {"Content-Type": "application/json"} | source.signature(body, settings, now=now)
    return headers, body


def each(items: Iterable[Any], read: Callable[[Any], Element]) -> tuple[Element, ...]:
    """Read every item.  Whatever is wrong with one, the others are kept."""
    return tuple(_read_or_quarantine(item, read) for item in items)


def ignored(
    reason: str, key: str = "", *, employee_id: str = "", stays: Leaver | None = None
) -> Element:
    """Somebody who is not leaving; `stays` says so of a person of whom HR may have said more."""
    return Element(ElementKind.IGNORED, key, reason, employee_id=employee_id, leaver=stays)


def looked_up(key: str, employee_id: str, happened_at: datetime | None, now: datetime) -> Element:
    """Somebody who may be leaving, of whom a worker asks HR."""
    asked = Leaver("", employee_id, Cutoff(now), LeaverKind.LOOKUP, happened_at)
    return Element(ElementKind.LOOKUP, key, employee_id=employee_id, leaver=asked)


def quarantined(why: Unusable, key: str = "", *, employee_id: str = "") -> Element:
    """Somebody who may be leaving, for a person to look at."""
    return Element(ElementKind.QUARANTINED, key, why.reason, why.detail, employee_id)


def _read_or_quarantine(item: Any, read: Callable[[Any], Element]) -> Element:
    try:
        return read(item)
    except Unusable as why:
        return quarantined(why)
    except Exception:  # One person's data must not lose the others, whatever it does to us.
        log.exception("element not understood")
        return quarantined(Unusable("unreadable", OUR_ERROR))
