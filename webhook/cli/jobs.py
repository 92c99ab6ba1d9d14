"""`leaver jobs` and `leaver job`: what was done, what waits, and why."""

from itertools import islice
from typing import TYPE_CHECKING, Any

import click

from webhook.cli import options
from webhook.cli.output import NOTHING, explain, note, say, show_json, table, when
from webhook.cli.situation import Situation
from workers.leavers import OUTCOMES, State
from workers.reasons import JOB

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workers.ledger.queries.jobs import Attempt, Job, JobInFull, Round

#: In these states `due_at` says when it goes on.
WAITING = (State.SCHEDULED, State.QUEUED, State.RETRYING)

HEADINGS = ("id", "state", "why", "e-mail", "source", "target", "to", "received", "due")


@click.command()
@options.job_filters(reason_option="--reason")
@options.limit
@click.option(
    "--watch",
    is_flag=True,
    help="Go on until Ctrl-C: a table that is drawn anew; in a pipe or with --json all that fit, "
    "the oldest first, then a line for each job that has moved.",
)
@options.as_json
@click.pass_obj
def jobs(at: Situation, /, limit: int | None, watch: bool, json_: bool, **filters: Any) -> None:
    """List jobs, the newest first.

    One leaver in one target is one job.  Below stands what the reasons mean, and what to do.
    """
    from workers.ledger.queries import jobs as kept

    wanted = options.filter_of(filters)
    with at.ledger(at.settings()) as ledger:
        if watch:
            from webhook.cli.watch import watch as go_on

            go_on(ledger, wanted, limit, json_)
            return
        found = kept.every(ledger, wanted)
        if json_:
            for job in islice(found, limit):
                show_json(job)
            return
        shown = list(islice(found, limit or options.ROWS))
        total = kept.count(ledger, wanted)
    show_jobs(shown)
    if total > len(shown):
        note(f"\nThe newest {len(shown)} of {total} jobs; --limit {total} shows all.")


@click.command()
@click.argument("job_id", metavar="ID")
@options.as_json
@click.pass_obj
def job(at: Situation, job_id: str, json_: bool) -> None:
    """Show one job with every attempt and call.

    Also its rounds and audit trail.  ID may be the beginning or the end of it, 6 characters or
    more.
    """
    from workers.ledger.queries import jobs as kept

    with at.ledger(at.settings()) as ledger:
        found = kept.one(ledger, kept.find(ledger, job_id))
    if json_:
        show_json(found)
    else:
        _show(found)


def show_jobs(shown: "Sequence[Job]") -> None:
    """A table of jobs, and what the reasons in it mean."""
    if not shown:
        note("No job fits.")
        return
    table(HEADINGS, map(cells, shown))
    explain((each.reason for each in shown), JOB)


def cells(job: "Job") -> tuple[object, ...]:
    """A job under the headings."""
    return (
        job.id,
        job.state,
        job.outcome or job.reason,
        job.email,
        job.source,
        job.target,
        job.action,
        job.received_at,
        job.due_at if job.state in WAITING else None,
    )


def _show(found: "JobInFull") -> None:
    say(f"job {found.id}")
    for name, value in _facts(found):
        if value:
            say(f"  {name:<12}{value}")
    for each in found.rounds:
        _show_round(each)
    say("\naudit trail")
    table(
        ("at", "who", "action", "from", "to", "reason", "detail"),
        (
            (
                each.at,
                each.actor,
                each.action,
                each.from_state,
                each.to_state,
                each.reason,
                each.detail,
            )
            for each in found.audit
        ),
    )
    explain([found.reason], JOB)


def _facts(found: "JobInFull") -> list[tuple[str, str]]:
    stopping = f", is asked to {found.stop}" if found.stop else ""
    means = OUTCOMES[found.outcome] if found.outcome else ""
    hr_date = f" (HR: {found.hr_date}, {found.hr_zone})" if found.hr_date else ""
    entered = f"{found.entered_by}: {found.entered_reason}" if found.entered_by else ""
    return [
        ("state", _state(found.state, found.outcome or found.reason) + stopping),
        ("means", means),
        ("detail", found.detail),
        ("leaver", f"{found.email}, employee {found.employee_id or NOTHING}, {found.kind}"),
        ("", found.leaver),
        ("cutoff", when(found.cutoff) + hr_date),
        ("source", " ".join([found.source, *(f"delivery {each}" for each in found.deliveries)])),
        ("entered by", entered),
        ("request id", found.request_id),
        ("target", f"{found.target}, to {found.action}"),
        ("account", found.account_id or ""),
        ("received", when(found.received_at)),
        ("due", when(found.due_at) if found.state in WAITING else ""),
        ("finished", when(found.finished_at) if found.finished_at else ""),
    ]


def _state(state: str, why: str) -> str:
    return f"{state} ({why})" if why else state


def _show_round(each: "Round") -> None:
    say(f"\nround {each.round}, opened {when(each.opened_at)} by {each.actor}: {each.why}")
    for number, attempt in enumerate(each.attempts, start=1):
        _show_attempt(number, attempt)
    if each.closed_at:
        ended = _state(each.state or "", each.outcome or each.reason)
        say(f"  closed {when(each.closed_at)}: {ended} {each.detail}".rstrip())


def _show_attempt(number: int, attempt: "Attempt") -> None:
    ended = _state(attempt.result or "running", attempt.reason)
    spent = "" if attempt.counted else ", not counted"
    say(f"  attempt {number}, {when(attempt.started_at)}, {attempt.worker}: {ended}{spent}")
    if attempt.detail:
        say(f"    {attempt.detail}")
    for call in attempt.calls:
        answer = call.status or call.error
        write = "  writes" if call.write else ""
        say(
            f"    {call.at:%H:%M:%S.%f}"[:-3]
            + f"  {answer}  {call.duration_ms} ms  {call.name}  {call.method} {call.path}{write}"
        )
        if call.status and call.error:
            say(f"      {call.error}")
