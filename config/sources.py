"""The settings of the HR systems, one class for each kind of source.

What two settings of one source get wrong together, `faults` says; settings.py asks for it.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from config.secret import Secret
from config.section import Fault, Section, secrets_of, setting
from config.values import (
    AtLeastOne,
    Duration,
    HeaderSecret,
    Listed,
    SigningKey,
    SlidingWindow,
    StandardKey,
    Text,
    TimeZone,
    mapped,
)

CutoffFrom = Literal["access_revocation", "immediate", "last_day", "termination_date"]
OurField = Literal["email", "employee_id", "status", "employment_status", "termination_date"]


class Source(Section):
    """An HR system, whatever its kind."""

    secrets: AtLeastOne[SigningKey] = setting(
        "Keys of its signatures; several while you change from one to the next."
    )
    targets: AtLeastOne[Text] | None = setting(
        "Where its leavers lose their access; left out: in every target.", None
    )
    timezone: TimeZone | None = setting(
        "Time zone of its bare dates; left out: policy.timezone.", None
    )
    brake: Listed[SlidingWindow] = setting(
        "Its own brake beside policy.brake, for its leavers alone.", ()
    )

    @property
    def credentials(self) -> tuple[Secret, ...]:
        """All that proves a sender, for the process that receives."""
        return tuple(secret for _, secret in secrets_of(self))

    @property
    def time_tolerance(self) -> timedelta | None:
        """How far from now the signed time may be; None where no time is signed."""
        return None

    def faults(self) -> Iterator[Fault]:
        """What is wrong between its settings."""
        yield from ()


class Timed(Source):
    """An HR system that signs the time as well."""

    tolerance: Duration = setting(
        "How far from now the time of a signature may be; a delivery further off is quarantined."
    )

    @property
    def time_tolerance(self) -> timedelta | None:
        """Always there."""
        return self.tolerance


class Dated(Timed):
    """An HR system that sends ahead of time, and says when access must end."""

    cutoff_order: AtLeastOne[CutoffFrom] = setting(
        "What says when access must end; the first of these that an event has counts, and one that "
        "is left out is not read. An access_revocation is an instant, immediate means now, "
        "last_day and termination_date mean the end of that day.",
        ("access_revocation", "immediate", "last_day", "termination_date"),
    )
    immediate_reasons: Listed[Text] = setting(
        "Reasons for leaving that mean immediate, also where a date lies ahead, such as "
        '"Terminate_Employee_Gross_Misconduct".',
        (),
    )


class BambooHR(Timed):
    """Field-based webhooks of BambooHR."""

    kind: Literal["bamboohr"] = setting("What it is: BambooHR, with field-based webhooks.")
    tolerance: Duration = setting(
        "How far from now the time of a signature may be; a delivery further off is quarantined. "
        "BambooHR tries again for 155 minutes.",
        "3h",
    )
    fields: Annotated[dict[Text, OurField], BeforeValidator(mapped)] = setting(
        "Names you gave to the posted fields email, employee_id, status, employment_status or "
        'termination_date, such as { "Company E-Mail" = "email" }; the usual names are known.',
        {},
    )
    inactive_statuses: AtLeastOne[Text] = setting(
        "What status says of a leaver; a leave of absence is Inactive too, so "
        "employment_status must say it as well.",
        ("Inactive",),
    )
    terminated_statuses: AtLeastOne[Text] = setting(
        "What employment_status says of a leaver.", ("Terminated",)
    )


class Standard(Dated):
    """Standard Webhooks, from whatever HR system."""

    kind: Literal["standard"] = setting("What it is: a sender of Standard Webhooks.")
    secrets: AtLeastOne[StandardKey] = setting(
        "Keys of its signatures, whsec_... (HMAC) or whpk_... (ed25519); several while you change "
        "from one to the next."
    )
    tolerance: Duration = setting(
        "How far from now the time of a signature may be; a delivery further off is quarantined.",
        "5m",
    )


class Okta(Source):
    """Event hooks of Okta."""

    kind: Literal["okta"] = setting("What it is: event hooks of Okta.")
    secrets: AtLeastOne[HeaderSecret] = setting(
        "What Okta sends as its Authorization header; long and random, because Okta signs nothing. "
        "Several while you change from one to the next."
    )


class HiBob(Timed):
    """Webhooks of HiBob."""

    kind: Literal["hibob"] = setting("What it is: HiBob.")
    tolerance: Duration = setting(
        "How far from now the time of an event may be; a delivery further off is quarantined. "
        "HiBob tries again for three days.",
        "4d",
    )


KINDS: dict[str, type[Source]] = {
    "bamboohr": BambooHR,
    "standard": Standard,
    "okta": Okta,
    "hibob": HiBob,
}

SourceSettings = Annotated[BambooHR | Standard | Okta | HiBob, Field(discriminator="kind")]
