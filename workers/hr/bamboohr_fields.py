"""What the fields of one employee of BambooHR mean, in a webhook's body and in its API alike.

A value comes wrapped ({"value": X}) or bare.  Terminated is whose status is Inactive and whose
employment status is Terminated: somebody on leave may be Inactive too.  Who is not Inactive works
here: that is told as a rehire, which matters only if the same person was to leave.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from config.sources import BambooHR, OurField
from workers.hr.values import Unusable, date_of, email_or_last, text_of
from workers.leavers import Cutoff, Leaver, LeaverKind, cutoff_of

#: The API's name of each of our fields, and its English label where that is another word.
#: https://documentation.bamboohr.com/docs/list-of-field-names (read 2026-11-23)
NAMES: Mapping[OurField, tuple[str, ...]] = {
    "status": ("status",),
    "employment_status": ("employmentHistoryStatus", "Employment Status"),
    "termination_date": ("terminationDate", "Termination Date"),
    "email": ("workEmail", "Work Email"),
}
NO_DATE = "0000-00-00"


class Fields:
    """The fields of one employee under our names.  Capitals in BambooHR's names do not matter."""

    def __init__(self, given: Mapping[str, Any], settings: BambooHR) -> None:
        self._given = given
        self._settings = settings

    @property
    def inactive(self) -> bool | None:
        """Whether the status is that of a leaver; None where it is not said."""
        return is_one_of(self.text("status"), self._settings.inactive_statuses)

    @property
    def terminated(self) -> bool | None:
        """Whether the employment status is that of a leaver; None where it is not said."""
        return is_one_of(self.text("employment_status"), self._settings.terminated_statuses)

    def text(self, field: OurField) -> str:
        """The field as text, "" where there is none; BambooHR shows what it hides as null."""
        return text_of(self.value(field), field)

    def value(self, field: OurField) -> Any:
        """The field unwrapped.  The customer's own names go before BambooHR's."""
        for names in (own_names(field, self._settings), NAMES.get(field, ())):
            values = [
                value
                for name, given in self._given.items()
                if is_one_of(name, names) and (value := _unwrapped(given)) not in (None, "")
            ]
            if any(value != values[0] for value in values):
                raise Unusable("unreadable", f"{field} comes twice, with different values")
            if values:
                return values[0]
        return None


def said_of(
    fields: Fields,
    employee_id: str,
    *,
    in_doubt: bool,
    last_email: str = "",
    happened_at: datetime | None = None,
    zone: ZoneInfo,
    now: datetime,
) -> Leaver | None:
    """That the person leaves, or (of kind rehired) works here; None: neither, such as on leave.

    Unusable where half of the rule is missing and may hold; `in_doubt` says that it may where both
    halves are.  `last_email` counts where HR has blanked the address.
    """
    inactive, terminated = fields.inactive, fields.terminated
    # The two halves of a termination may come as two events: the first one is no rehire.
    if inactive is False and not terminated and employee_id:
        return Leaver("", employee_id, Cutoff(now), LeaverKind.REHIRED, happened_at)
    if False in (inactive, terminated):
        return None
    if None in (inactive, terminated):
        if in_doubt or True in (inactive, terminated):
            raise Unusable("unreadable", "let the webhook post both status and employment status")
        return None
    date = fields.text("termination_date")
    hr_date = date_of("" if date == NO_DATE else date, "the termination date")
    return Leaver(
        email=email_or_last(fields.value("email"), last_email),
        employee_id=employee_id,
        cutoff=cutoff_of(hr_date, zone, already_terminated=True, now=now),
        happened_at=happened_at,
    )


def own_names(field: OurField, settings: BambooHR) -> tuple[str, ...]:
    """What the customer calls one of our fields."""
    return tuple(name for name, ours in settings.fields.items() if ours == field)


def names_of(fields: Iterable[OurField], settings: BambooHR) -> list[str]:
    """All names of these fields."""
    return [name for field in fields for name in (*NAMES[field], *own_names(field, settings))]


def is_one_of(text: str, words: Iterable[str]) -> bool | None:
    """Whether `text` is one of `words`, whatever its capitals; None where there is no text."""
    folded = text.strip().casefold()
    return folded in {word.strip().casefold() for word in words} if folded else None


def _unwrapped(value: Any) -> Any:
    return value.get("value") if isinstance(value, dict) else value
