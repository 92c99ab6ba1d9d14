"""`leaver explain`: what would be done now, and why, without doing it.

A worker answers (asking.py), on the road of a real attempt (workers/explain.py).  A body is read
here, by its source's own mapping; nothing of it is recorded.
"""

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from webhook.cli import options
from webhook.cli.asking import answers
from webhook.cli.output import explain as show_reasons
from webhook.cli.output import note, progress, say, show_json, when
from webhook.cli.situation import Situation, log_errors_only, now
from workers.leavers import OUTCOMES, LeaverKind
from workers.reasons import ELEMENT, JOB

if TYPE_CHECKING:
    from config.settings import Settings
    from webhook.acts.explain import ReadBody
    from workers.explanation import Explanation
    from workers.ledger import Ledger

STAYS = "HR says that the person stays: no job is opened, and their jobs that wait are cancelled"
STAYS_OR_HELD = {LeaverKind.RESCINDED: "(rescinded)", LeaverKind.REHIRED: "or held (rehired)"}


@click.command()
@click.argument("job_id", metavar="[JOB]", required=False)
@click.option("--source", metavar="NAME", help="With --file: the HR system that sends it.")
@click.option(
    "--file",
    "body",
    type=click.Path(path_type=Path, dir_okay=False, allow_dash=True, exists=True),
    metavar="BODY",
    help="A body as that HR system posts it, not signed; - reads it from the input.",
)
@click.option(
    "--timeout",
    type=options.Span(),
    default="30s",
    show_default=True,
    metavar="30s",
    help="How long to wait for the next answer of a worker.",
)
@options.as_json
@click.pass_obj
def explain(
    at: Situation,
    job_id: str | None,
    source: str | None,
    body: Path | None,
    timeout: timedelta,
    json_: bool,
) -> None:
    """Say what would be done now, and why, without doing it.

    Of a job, or of each person in a body that HR might post.  A worker asks HR and the target as it
    would really do, and stops before the first write.  Exits 1 if no worker answers.
    """
    if (job_id is None) == (body is None) or (body is None) != (source is None):
        raise click.UsageError("say what to explain: a job, or --source NAME --file BODY")
    log_errors_only()
    settings = at.settings()
    with at.ledger(settings) as ledger:
        if job_id is not None:
            _explain_job(settings, ledger, job_id, timeout, json_)
        elif body is not None and source is not None:
            _explain_body(settings, ledger, source, body, timeout, json_)


def _explain_job(
    settings: "Settings", ledger: "Ledger", job_id: str, timeout: timedelta, json_: bool
) -> None:
    from workers.ledger.explanations import Question
    from workers.ledger.queries import jobs as kept

    with progress("asking a worker", hidden=json_):
        [told] = answers(settings, ledger, [Question(kept.find(ledger, job_id))], timeout)
    if json_:
        show_json(told)
    else:
        _show(told)


def _explain_body(
    settings: "Settings",
    ledger: "Ledger",
    source: str,
    body: Path,
    timeout: timedelta,
    json_: bool,
) -> None:
    from webhook.acts.explain import ask_about

    if source not in settings.sources:
        known = ", ".join(settings.sources)
        raise click.BadParameter(f"no source {source}; known: {known}", param_hint="--source")
    with click.open_file(str(body), "rb") as file:
        asked = ask_about(settings, ledger, source, file.read(), now())
    with progress("asking the workers", hidden=json_):
        what = asked.answered(list(answers(settings, ledger, asked.questions, timeout)))
    if json_:
        show_json(what)
    else:
        _show_body(what)


# --- Telling it -----------------------------------------------------------------------------


def _show_body(what: "ReadBody") -> None:
    if not what.elements:
        say(f"A body of {what.source} that says nothing of anybody.")
    for number, element in enumerate(what.elements, start=1):
        why = f" ({element.reason})" if element.reason else ""
        employee = f", employee {element.employee_id}" if element.employee_id else ""
        say(f"{number}. {element.kind}{why}{employee}")
        if element.detail:
            say(f"   {element.detail}")
        if element.known:
            say(f"   HR said the same in delivery {element.known}; sent again, it opens no job")
        if element.stays:
            say(f"   {STAYS} {STAYS_OR_HELD[element.stays]}")
        show_reasons([element.reason], ELEMENT)
        for told in element.explanations:
            say()
            _show(told)
        say()


def _show(told: "Explanation") -> None:
    """One explanation as a story: whom, how it stands, what was asked, what would come."""
    employee = f", employee {told.employee_id}" if told.employee_id else ""
    say(f"{told.email or 'somebody'}{employee}, {told.kind}")
    for name, value in _facts(told):
        if value:
            say(f"  {name:<12}{value}")
    if told.rules:
        say("\nasked, one after the other")
    for asked in told.rules:
        decides = "  <- decides" if asked.decides else ""
        say(f"  {asked.rule:<20}{asked.answer}{decides}")
    if told.calls:
        say("\ncalls made to find out; nothing was written")
    for call in told.calls:
        answer = call.status or call.error
        say(f"  {answer}  {call.duration_ms} ms  {call.name}  {call.method} {call.path}")
        if call.status and call.error:
            say(f"    {call.error}")
    _show_next(told)
    for each in told.then:
        say()
        _show(each)


def _facts(told: "Explanation") -> list[tuple[str, str]]:
    account = told.account
    why = told.outcome or told.reason
    state = f"{told.state} ({why})" if why else str(told.state)
    detail = f": {told.detail}" if told.detail else ""
    return [
        ("job", f"{told.job}, {state}{detail}" if told.job else "none: only a question"),
        ("source", told.source),
        ("target", f"{told.target}, to {told.action}"),
        ("cutoff", f"{when(told.cutoff)}, {told.reckoned}"),
        (
            "account",
            f"{account.id}, {account.access}, by {account.way}" if account else "",
        ),
    ]


def _show_next(told: "Explanation") -> None:
    from webhook.acts.asking import FIRST

    following = told.next
    first = FIRST.get(told.first)
    say(f"\nwhat would come {first or 'next'}")
    if following.write:
        say(f"  {following.write}, the first write; then it is read back until it is off")
    why = following.outcome or following.reason
    state = f"{following.state} ({why})" if why else following.state
    until = f" until {when(following.due_at)}" if following.due_at else ""
    detail = f": {following.detail}" if following.detail else ""
    say(f"  {state}{until}{detail}")
    if following.outcome:
        note(f"\n{following.outcome}: {OUTCOMES[following.outcome]}")
    show_reasons([following.reason], JOB)
