"""The nouns: who leaves, what came in, and the states and outcomes of a job.

Imports nothing of ours.

    delivery   one HTTP POST from a source, kept as its raw bytes
    element    one person in a delivery: a leaver, a lookup, ignored or quarantined
    leaver     one person leaving, from an element or entered by an operator
    job        one leaver in one target, to deactivate or to reinstate: the unit of work, retry,
               hold and replay; a lookup is a job too, whose target is the HR system
    round      a job's life between two replays; an attempt is one try in a round

Times are aware UTC datetimes.  Ids are UUIDv7 strings: they sort by the time they were made.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import NewType
from zoneinfo import ZoneInfo

import uuid6

DeliveryId = NewType("DeliveryId", str)
LeaverId = NewType("LeaverId", str)
JobId = NewType("JobId", str)
AttemptId = NewType("AttemptId", str)
AccountId = NewType("AccountId", str)
ExplanationId = NewType("ExplanationId", str)


def new_id() -> str:
    """A fresh UUIDv7, as text."""
    return str(uuid6.uuid7())


class ElementKind(StrEnum):
    """What one person in a delivery turned out to be."""

    LEAVER = "leaver"
    LOOKUP = "lookup"
    IGNORED = "ignored"
    QUARANTINED = "quarantined"


class LeaverKind(StrEnum):
    """What HR says of the person.

    In the order that makes sense of two events with the same time (workers/standing.py).
    """

    TERMINATED = "terminated"
    CORRECTED = "corrected"  # still leaving, with another date
    RESCINDED = "rescinded"  # the termination was taken back
    REHIRED = "rehired"  # works here, again or still
    LOOKUP = "lookup"  # nothing yet: HR must be asked (workers/ledger/lookups.py)


class Standing(StrEnum):
    """How one leaving of one person stands, after all that HR has said."""

    LEAVING = "leaving"
    RESCINDED = "rescinded"
    REHIRED = "rehired"


class DeliveryStatus(StrEnum):
    """What became of a delivery; `duplicate` is only an answer: it is stored once."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    IGNORED = "ignored"
    QUARANTINED = "quarantined"


class Action(StrEnum):
    """What a job does."""

    DEACTIVATE = "deactivate"
    REINSTATE = "reinstate"  # give back what a deactivation has taken
    LOOKUP = "lookup"  # ask the HR system who it is, and whether they leave


def hr_target(source: str) -> str:
    """The target of a source's lookups.  No configured target has such a name."""
    return f"hr:{source}"


class State(StrEnum):
    """Where a job stands; the moves between them are in workers/ledger/moves/."""

    SCHEDULED = "scheduled"  # its cutoff is ahead
    QUEUED = "queued"  # due, waits for a worker
    RUNNING = "running"  # a worker holds its lease
    RETRYING = "retrying"  # an attempt did not finish it; due again at due_at
    HELD = "held"  # waits for a person, and never expires
    DONE = "done"  # ended well, with an outcome
    FAILED = "failed"  # given up after retry.give_up_after; kept and shown
    CANCELLED = "cancelled"  # ended by an operator


UNFINISHED = (State.SCHEDULED, State.QUEUED, State.RUNNING, State.RETRYING, State.HELD)
FINISHED = (State.DONE, State.FAILED, State.CANCELLED)


class Outcome(StrEnum):
    """How a job was done."""

    DEACTIVATED = "deactivated"
    SUSPENDED = "suspended"
    ALREADY_INACTIVE = "already_inactive"
    NO_ACCOUNT = "no_account"
    WOULD_DEACTIVATE = "would_deactivate"
    REINSTATED = "reinstated"
    ALREADY_ACTIVE = "already_active"
    WOULD_REINSTATE = "would_reinstate"
    LEAVER_FOUND = "leaver_found"
    NO_LEAVER = "no_leaver"


#: Access was taken away by Leaver itself.
TAKEN_AWAY = (Outcome.DEACTIVATED, Outcome.SUSPENDED)

OUTCOMES: Mapping[Outcome, str] = {
    Outcome.DEACTIVATED: "Leaver switched the account off, and read back that it is off.",
    Outcome.SUSPENDED: "The account itself is not in our hands. Its access was taken away, to "
    "every directory of the organization or to all groups of the site, and that was read back. It "
    "still works elsewhere.",
    Outcome.ALREADY_INACTIVE: "The account was off before Leaver wrote anything.",
    Outcome.NO_ACCOUNT: "The target has no account with this e-mail address; the credential was "
    "proven to work in the same attempt.",
    Outcome.WOULD_DEACTIVATE: "Shadow mode: the account was found and would have been deactivated; "
    "nothing was changed.",
    Outcome.REINSTATED: "A reinstatement: what Leaver had taken was given back, and that was read "
    "back. API tokens and sessions that had been removed do not come back.",
    Outcome.ALREADY_ACTIVE: "A reinstatement: the account was on before Leaver wrote anything.",
    Outcome.WOULD_REINSTATE: "A reinstatement in shadow mode: the access would have been given "
    "back; nothing was changed.",
    Outcome.LEAVER_FOUND: "A lookup: HR says that the employee leaves; the leaver's jobs stand "
    "beside it.",
    Outcome.NO_LEAVER: "A lookup: HR says that the employee is not terminated; nothing is to do.",
}


@dataclass(frozen=True, slots=True)
class Cutoff:
    """The instant from which access must be gone, with the HR date and zone it came from."""

    at: datetime
    hr_date: date | None = None
    hr_zone: str | None = None


def cutoff_of(
    hr_date: date | None, zone: ZoneInfo, *, already_terminated: bool, now: datetime
) -> Cutoff:
    """When access must be gone.

    HR that says "terminated" now, with a date that is not ahead in `zone`, means now.  A bare date
    means until the end of that day in `zone`, which is the next day's first instant: found through
    the zone, so a day of 23 or 25 hours is as long as it really is.
    """
    zone_name = zone.key if hr_date else None
    if hr_date is None:
        return Cutoff(now)
    if already_terminated and hr_date <= now.astimezone(zone).date():
        return Cutoff(now, hr_date, zone_name)
    end_of_day = datetime.combine(hr_date + timedelta(days=1), time(), zone).astimezone(UTC)
    return Cutoff(max(end_of_day, now), hr_date, zone_name)


def reckoned(cutoff: Cutoff, received_at: datetime) -> str:
    """How the cutoff of what came in at `received_at` was reckoned, in words."""
    is_ahead = cutoff.at > received_at
    if cutoff.hr_date is None:
        return "the instant that was said" if is_ahead else "at once: no date was said"
    said = f"{cutoff.hr_date} in {cutoff.hr_zone}"
    return f"the end of {said}" if is_ahead else f"at once: {said} is not ahead"


@dataclass(frozen=True, slots=True)
class Leaver:
    """What HR, or an operator, says of one person; of `kind` rescinded or rehired, that they stay.

    `email` may be "" where HR takes something back; `cutoff` then says nothing.
    """

    email: str
    employee_id: str
    cutoff: Cutoff
    kind: LeaverKind = LeaverKind.TERMINATED
    happened_at: datetime | None = None  # the sender's own time of the event


@dataclass(frozen=True, slots=True)
class Element:
    """One person in a delivery.

    `key` is what stays the same when the sender sends the same thing again: its event id, else the
    hash of the element without what changes at each sending.  `reason` is a word of
    workers/reasons.py; `detail` says more to an operator and holds no personal data.  An ignored
    element may carry a leaver of kind rehired: it matters if the same person was to leave.
    """

    kind: ElementKind
    key: str
    reason: str = ""
    detail: str = ""
    employee_id: str = ""
    leaver: Leaver | None = None


@dataclass(frozen=True, slots=True)
class Delivery:
    """One signed POST as `receive` gives it to the ledger, its raw bytes included."""

    source: str
    body: bytes
    content_type: str
    received_at: datetime
    signed_at: datetime | None
    event_id: str | None
    elements: tuple[Element, ...]
    targets: tuple[str, ...]
    reason: str = ""  # why the whole delivery is quarantined, else ""
    detail: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)  # e.g. which key of the source matched
    request_id: str = ""
