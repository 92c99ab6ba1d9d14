"""What the clients of several HR systems make of an answer, in the same words."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from workers.errors import Refused, Unavailable
from workers.hr.values import Unusable, text_of
from workers.leavers import Cutoff, Leaver, LeaverKind, cutoff_of
from workers.targets.answers import Answer

CALL = "hr.employee"


def is_unknown(answer: Answer) -> bool:
    """Whether HR itself says that there is no such employee; a web page is not from it."""
    return answer.status == 404 and not answer.flaw


def require_id(employee_id: str) -> None:
    """Refuse to ask about nobody: an event may have left the id out."""
    if not employee_id:
        raise Refused(CALL, "no id that HR can be asked about", reason="hr_unknown")


def object_in(given: Any, call: str = CALL) -> dict[str, Any]:
    """The object that was answered; anything else is no answer."""
    if not isinstance(given, dict):
        raise Unavailable(call, "an answer that is no object")
    answered: dict[str, Any] = given
    return answered


def about(given: dict[str, Any], name: str, employee_id: str) -> dict[str, Any]:
    """`given`, if it says that it is about this employee."""
    if text_of(given.get(name), name).casefold() != employee_id.casefold():
        raise Unusable("unreadable", "an answer about another employee, or about none")
    return given


@contextmanager
def refusing() -> Iterator[None]:
    """What cannot be used is neither "terminated" nor "not terminated": it is held for a person."""
    try:
        yield
    except Unusable as why:
        reason = "hr_no_email" if why.reason == "missing_email" else "hr_unclear"
        raise Refused(CALL, why.detail or why.reason, reason=reason) from None


def works_here(employee_id: str, now: datetime) -> Leaver:
    """HR says that they are employed."""
    return Leaver("", employee_id, Cutoff(now), LeaverKind.REHIRED)


def leaves(
    email: str, employee_id: str, hr_date: date | None, *, zone: ZoneInfo, now: datetime
) -> Leaver:
    """HR says that they are terminated; with a date ahead, from its end on."""
    return Leaver(email, employee_id, cutoff_of(hr_date, zone, already_terminated=True, now=now))
