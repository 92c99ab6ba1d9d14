"""What happened to jobs, told step by step from the ledger, while it happens or afterwards."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

import click

from workers.leavers import OUTCOMES, Action, JobId, Outcome, State
from workers.ledger import Ledger
from workers.ledger.queries import jobs
from workers.ledger.queries.jobs import Attempt, CallMade, Job, JobFilter, JobInFull
from workers.ledger.queries.trail import Entry
from workers.reasons import JOB

#: What a call that went well did, where it is worth telling.
WRITES = {
    "lifecycle.disable": "deactivated",
    "users.suspend": "suspended",
    "lifecycle.enable": "enabled",
    "users.restore": "restored",
    "tokens.delete": "cleaned up",
}
READS = ("profile.get", "users.get")
CLEANING = "tokens.delete"

#: Outcomes that need no words: the steps before have told them.
TOLD = (Outcome.DEACTIVATED, Outcome.SUSPENDED, Outcome.REINSTATED)

#: What a job is about, for the headline.
DOES = {
    Action.DEACTIVATE: "leaves",
    Action.REINSTATE: "gets the access back",
    Action.LOOKUP: "is looked up",
}

#: So many of the newest jobs are followed at once.
FOLLOWED = 20

GOOD, BAD = "green", "red"


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happened; `colour` is how it looks, "" for plain."""

    at: datetime
    word: str
    text: str
    colour: str = ""


@dataclass(slots=True)
class Teller:
    """Tells each step of each job once, as it finds them in the ledger."""

    ledger: Ledger
    say: Callable[[str], None]
    _told: dict[JobId, int] = field(default_factory=dict)
    _ended: dict[JobId, datetime] = field(default_factory=dict)
    _about: JobId | None = None  # the job of the line before

    def tell(self) -> None:
        """Tell what is new."""
        for job in reversed(jobs.listed(self.ledger, JobFilter(), limit=FOLLOWED)):
            # A replay goes on with a job that had ended, and ends it at another time.
            if job.finished_at is None:
                self._tell(job)
            elif self._ended.get(job.id) != job.finished_at:
                self._tell(job)
                self._ended[job.id] = job.finished_at

    def _tell(self, job: Job) -> None:
        found = steps(jobs.one(self.ledger, job.id))
        new = found[self._told.get(job.id, 0) :]
        if new and self._about != job.id:
            is_lookup = job.action is Action.LOOKUP
            about = f"employee {job.employee_id}" if is_lookup else job.email
            self.say(f"\n{click.style(about, bold=True)} {DOES[job.action]}")
            self._about = job.id
        for step in new:
            seconds = (step.at - job.received_at).total_seconds()
            word = click.style(f"{step.word:<13}", fg=step.colour or None)
            self.say(f"  {seconds:7.2f} s  {word}{step.text}")
        self._told[job.id] = len(found)


def steps(job: JobInFull) -> list[Step]:
    """Everything so far, in order; of a job that goes on, what comes later is only added."""
    attempts = [attempt for opened in job.rounds for attempt in opened.attempts]
    found = [step for entry in job.audit for step in _moved(job, entry)]
    for attempt in attempts:
        found += _called(job, attempt)
    return sorted(found, key=lambda step: step.at)


def _moved(job: JobInFull, entry: Entry) -> Iterator[Step]:
    match entry.action:
        case "open":
            if job.entered_by is None and job.action is not Action.REINSTATE:
                yield Step(entry.at, "verified", f"the signature of {job.source} is right", GOOD)
            yield Step(entry.at, "recorded", f"job {job.id}")
        case "claim":
            yield Step(entry.at, "woken", f"worker {entry.actor} takes the job")
        case "done":
            [outcome] = [each.outcome for each in job.rounds if each.closed_at == entry.at]
            yield Step(entry.at, "done", _outcome(outcome), GOOD)
        case action:
            reason = JOB[entry.reason].means if entry.reason in JOB else entry.detail
            yield Step(entry.at, str(entry.to_state or action), reason, _colour(entry))


def _called(job: JobInFull, attempt: Attempt) -> Iterator[Step]:
    switched = False
    for place, call in enumerate(attempt.calls):
        following = attempt.calls[place + 1].name if place + 1 < len(attempt.calls) else None
        if call.error or call.status is None:
            yield Step(call.at, "answered", f"{call.name}: {call.status or call.error}", BAD)
        elif call.name == "hr.employee":
            yield Step(call.at, "asked", f"{job.source} about the employee")
        elif call.name == "users.search" and job.account_id:
            yield Step(call.at, "found", f"account {job.account_id}")
        elif call.name in WRITES:
            switched = switched or call.name != CLEANING
            text = f"{call.method} {call.path.rpartition('/')[2]}, answered {call.status}"
            yield Step(call.at, WRITES[call.name], text, GOOD)
        elif switched and call.name in READS:
            yield from _read_back(job, attempt, call, following)


def _read_back(
    job: JobInFull, attempt: Attempt, call: CallMade, following: str | None
) -> Iterator[Step]:
    """What a read after the write said, as soon as what was done next shows it."""
    before, after = "active", "inactive"
    if job.action is Action.REINSTATE:
        before, after = after, before
    if following == call.name:
        yield Step(call.at, "read back", f"still {before}; asked again")
    elif following is not None or attempt.result == "done":
        yield Step(call.at, "read back", f"{after}, says the account itself", GOOD)


def _outcome(outcome: str | None) -> str:
    if outcome is None or outcome in TOLD:
        return outcome or ""
    return f"{outcome}: {OUTCOMES[Outcome(outcome)]}"


def _colour(entry: Entry) -> str:
    return BAD if entry.to_state in (State.HELD, State.FAILED, State.RETRYING) else ""
