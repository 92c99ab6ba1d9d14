"""When access must be gone, out of all that a body says of it: the first in `cutoff_order` counts.

    access_revocation   an instant that HR set for the access itself
    immediate           HR wants it now: a flag, or a reason of `immediate_reasons`
    last_day            the end of the last day of work
    termination_date    the end of the day on which the employment ends

What lies in the past means now.  What comes after the one that counts is not read.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from config.sources import CutoffFrom, Dated
from webhook.sources.fields import Unusable, date_of, instant_of, text_of, zone_of
from workers.leavers import Cutoff, cutoff_of


@dataclass(frozen=True, slots=True)
class Said:
    """What a body says of it, under our names and as it stands there; None: nothing."""

    access_revocation: Any = None
    immediate: Any = None
    reason: Any = None
    last_day: Any = None
    termination_date: Any = None
    time_zone: Any = None


def cutoff_from(said: Said, settings: Dated, *, zone: ZoneInfo, now: datetime) -> Cutoff:
    """The cutoff.  Unusable where nothing in `cutoff_order` is said, or where it cannot be read.

    A bare date is meant in the zone that the body names, else in `zone`.
    """
    cutoff = cutoff_said(said, settings, zone=zone, now=now)
    if cutoff is None:
        raise Unusable("bad_date", f"says none of {', '.join(settings.cutoff_order)}")
    return cutoff


def cutoff_said(said: Said, settings: Dated, *, zone: ZoneInfo, now: datetime) -> Cutoff | None:
    """The same, and None where nothing in `cutoff_order` is said."""
    for source in settings.cutoff_order:
        cutoff = _from(source, said, settings, zone, now)
        if cutoff is not None:
            return cutoff
    return None


def _from(
    source: CutoffFrom, said: Said, settings: Dated, zone: ZoneInfo, now: datetime
) -> Cutoff | None:
    match source:
        case "access_revocation":
            at = instant_of(said.access_revocation, source)
            return Cutoff(max(at, now)) if at else None
        case "immediate":
            return Cutoff(now) if _is_immediate(said, settings) else None
        case "last_day":
            hr_date = date_of(said.last_day, source)
        case "termination_date":
            hr_date = date_of(said.termination_date, source)
    if hr_date is None:
        return None
    zone = zone_of(said.time_zone, "the time zone", default=zone)
    return cutoff_of(hr_date, zone, already_terminated=False, now=now)


def _is_immediate(said: Said, settings: Dated) -> bool:
    """Some integration tools can only send texts, so "true" counts."""
    flag = "" if said.immediate is None else str(said.immediate).strip().lower()
    if flag not in ("true", "false", ""):
        raise Unusable("unreadable", "immediate is neither true nor false")
    reason = text_of(said.reason, "the reason").casefold()
    return flag == "true" or reason in {each.casefold() for each in settings.immediate_reasons}
