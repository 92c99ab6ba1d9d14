"""What every HR system that can be asked promises: the protocol between a worker and HR.

Promises of every implementation:

    * employee() gives what HR says now; an error is never "not terminated", it is an exception of
      workers/errors.py.  Refused carries hr_unknown, hr_unclear or hr_no_email.
    * It only reads, and every call is in the journal, under a name that begins with "hr.".
"""

from datetime import datetime
from typing import Protocol

from workers.leavers import Leaver
from workers.targets.base import Journal


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
