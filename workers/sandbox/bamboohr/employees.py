"""The employees of the faked BambooHR, and how it behaves."""

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import ConfigDict, StringConstraints

from workers.sandbox import people
from workers.sandbox.people import Email, employee_id_of
from workers.sandbox.records import Pace, Records

EmployeeId = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,20}$")]

# A plainly marked test key.
API_KEY = "bamboohr-key-not-a-secret"


@dataclass(frozen=True, slots=True)
class Employee:
    """One employee, whole; only the e-mail has no default, and "" is no e-mail.

    account_id      the id; "" makes one of the e-mail address
    restricted      the fields that the key's user may not see of this employee
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    email: Email | Literal[""]
    account_id: EmployeeId | Literal[""] = ""
    status: str | None = "Active"
    employment: str | None = "Full-Time"
    termination_date: str = "0000-00-00"
    restricted: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.account_id:
            object.__setattr__(self, "account_id", employee_id_of(self.email))

    @property
    def account_status(self) -> str:
        return str(self.status).lower()


@dataclass(frozen=True, slots=True)
class Settings(Pace):
    """How BambooHR behaves.

    webhooks        what the key is shown: its webhook, none, or a refusal
    webhook_url     where the webhook posts to
    webhook_log     what its attempts were answered, the newest last
    """

    webhooks: Literal["shown", "none", "hidden"] = "shown"
    webhook_url: str = "https://leaver.example.com/webhooks/bamboohr"
    webhook_log: tuple[int, ...] = ()


Company = Records[Employee, Settings]


CAST = tuple(Employee(person.email) for person in people.CAST)
