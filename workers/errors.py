"""What can go wrong between a job and its target, named by what to do next.

Imports nothing of ours.

    TargetError
      Refused       never again by itself: a person must decide; the job is held
      Unavailable   the target or the way to it is broken; the target is paused as an outage
      LockedOut     our credential or quota is refused; the target is paused
    Stopped         an operator held or cancelled the job, or its whole source or target, meanwhile
    Braked          so many leavers passed lately that this one waits for a person
    AccountBusy     another job works on this account of this target right now
    LeaseLost       this worker no longer owns the job and must write nothing more

"Already done" is no error: the state that was read back decides.
"""

from datetime import timedelta


class TargetError(Exception):
    """A call to a target failed.  `call` is its constant name, such as users.search."""

    def __init__(self, call: str, detail: str) -> None:
        self.call = call
        self.detail = detail
        super().__init__(f"{call}: {detail}")


class Refused(TargetError):
    """The target will never do this for this account.  `reason` is a word of reasons.py."""

    def __init__(self, call: str, detail: str, *, reason: str) -> None:
        super().__init__(call, detail)
        self.reason = reason


class Unavailable(TargetError):
    """No usable answer: connection refused or dropped, time-out, 5xx, or a body that is no answer.

    After a write this means that its outcome is unknown: the next attempt reads before it writes.
    """

    def __init__(self, call: str, detail: str, *, retry_after: timedelta | None = None) -> None:
        super().__init__(call, detail)
        self.retry_after = retry_after


class LockedOut(TargetError):
    """Our own credential, configuration or quota is refused, whoever the leaver is.

    `reason` is rate_limited, credential_refused or misconfigured.
    """

    def __init__(
        self, call: str, detail: str, *, reason: str, retry_after: timedelta | None = None
    ) -> None:
        super().__init__(call, detail)
        self.reason = reason
        self.retry_after = retry_after


class Stopped(Exception):
    """An operator asked for a hold or a cancel; `stop` says which (moves.STOPS)."""

    def __init__(self, stop: str) -> None:
        self.stop = stop
        super().__init__(stop)


class Braked(Exception):
    """The brake holds this leaver; the text says which window is full."""


class AccountBusy(Exception):
    """Another job holds this account of this target."""


class LeaseLost(Exception):
    """The job was taken back from this worker."""


class WorkerStopping(Exception):
    """This worker shuts down: the job goes back, due at once."""
