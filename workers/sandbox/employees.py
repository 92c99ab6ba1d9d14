"""One employee, as the fakes of several HR systems keep them; each has its own words."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from flask import Request
from pydantic import ConfigDict, StringConstraints

from workers.sandbox import people
from workers.sandbox.answers import Answer, Api, json_answer
from workers.sandbox.people import Email, employee_id_of
from workers.sandbox.records import Pace, Records

EmployeeId = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z-]{1,60}$")]


@dataclass(frozen=True, slots=True)
class Employee:
    """One employee; only the e-mail has no default, and "" is no e-mail.

    account_id          the id; "" makes one of the e-mail address
    terminated          whether they have left
    termination_date    YYYY-MM-DD, "" is none
    says                what is answered instead, by the vendor's name for it
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    email: Email | Literal[""]
    account_id: EmployeeId | Literal[""] = ""
    terminated: bool = False
    termination_date: str = ""
    says: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.account_id:
            object.__setattr__(self, "account_id", employee_id_of(self.email))

    @property
    def account_status(self) -> str:
        return "terminated" if self.terminated else "active"


Company = Records[Employee, Pace]
CAST = tuple(Employee(person.email) for person in people.CAST)


def api_of(
    name: str, error: Callable[[int], Answer], admits: Callable[[Request], bool], **more: Any
) -> Api:
    """An API whose errors all have one shape."""
    return Api(
        name=name,
        admits=admits,
        unauthorized=error(401),
        unsupported_media_type=error(415),
        internal_error=error(500),
        errors={"forbidden": lambda: error(403), "too_often": lambda: error(429)},
        **more,
    )


def nothing_here(status: int) -> Answer:
    """What stands at an address that the API does not have."""
    return json_answer(status, {"message": "Not Found"})
