"""What every HR system that can be asked promises: the protocol between a worker and HR.

Promises of every implementation:

    * employee() gives what HR says now; an error is never "not terminated", it is an exception of
      workers/errors.py.  Refused carries hr_unknown, hr_unclear or hr_no_email.
    * It only reads, and every call is in the journal, under a name that begins with "hr.".
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from workers.leavers import Leaver
from workers.targets.base import Journal


@dataclass(frozen=True, slots=True)
class Try:
    """One attempt of HR to post to us."""

    at: str  # as HR writes it; later ones sort behind earlier ones
    status: int | None


class HrSystem(Protocol):
    """One source that can be asked.  Safe to use from many threads at once."""

    def employee(
        self, journal: Journal, employee_id: str, *, last_email: str, now: datetime
    ) -> Leaver | None:
        """That the employee leaves, or (of kind rehired) works here; None: neither.

        `last_email` is the address that HR said last: it counts where HR has blanked it.  Raises
        Refused, Unavailable or LockedOut.
        """

    def prove_credential(self, journal: Journal) -> None:
        """Return only if HR answered a call that needs the credential, whoever it is about."""

    def webhook(self, journal: Journal, source: str) -> Sequence[Try] | None:
        """What the webhook that posts to this source has tried lately; None: HR shows none.

        Raises TargetError, also where the key may not ask.
        """
