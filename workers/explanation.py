"""What a worker tells of what would be done: facts, which the door knows without a target's code.

workers/explain.py makes them, and webhook/acts/asking.py asks for them.
"""

from dataclasses import dataclass
from datetime import datetime

from workers.leavers import Action, JobId, LeaverKind, Outcome, State
from workers.ledger.queries.jobs import CallMade


@dataclass(frozen=True, slots=True)
class Asked:
    """One rule that was asked, and its answer in words, without personal data."""

    rule: str
    answer: str
    decides: bool = False


@dataclass(frozen=True, slots=True)
class Matched:
    """The account, and how it can be switched off (workers/targets/base.py)."""

    id: str
    access: str
    way: str


@dataclass(frozen=True, slots=True)
class Next:
    """What the next attempt would make of the job; `write` is the call that it would begin with."""

    state: State
    outcome: Outcome | None = None
    reason: str = ""
    detail: str = ""
    due_at: datetime | None = None
    write: str = ""


@dataclass(frozen=True, slots=True)
class Explanation:
    """Whom it is about, how it stands, what was asked and answered, and what would come next.

    `job` and all that stands beside it are empty for a leaver whom nobody has sent.  `first` is the
    act without which there is no next attempt: release, approve, replay, or "".  `then` is, of a
    lookup, the leaver whom HR names, in each target.
    """

    source: str
    target: str
    action: Action
    email: str
    employee_id: str
    kind: LeaverKind
    cutoff: datetime
    reckoned: str
    job: JobId | None
    state: State | None
    outcome: Outcome | None
    reason: str
    detail: str
    first: str
    account: Matched | None
    rules: tuple[Asked, ...]
    calls: tuple[CallMade, ...]
    next: Next
    then: tuple["Explanation", ...] = ()
