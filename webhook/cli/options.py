"""Options and arguments that several commands share."""

import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

import click

from webhook.cli.situation import now
from workers.leavers import Outcome, State
from workers.reasons import JOB

if TYPE_CHECKING:
    from workers.leavers import JobId
    from workers.ledger.queries.jobs import JobFilter

Command = TypeVar("Command", bound=Callable[..., Any])

#: So many rows fill a table where nobody says how many.
ROWS = 100


class Span(click.ParamType[timedelta]):
    """A duration as in the configuration: 30s, 15m, 24h, 7d."""

    name = "duration"

    def convert(self, value: Any, param: Any, ctx: Any) -> timedelta:
        from config.values import duration

        try:
            return duration(value)
        except ValueError as error:
            self.fail(f"{value!r} {error}", param, ctx)


class Since(click.ParamType[datetime]):
    """So long ago, or since a day."""

    name = "since"

    def convert(self, value: Any, param: Any, ctx: Any) -> datetime:
        from webhook.console.filters import Mistyped, since

        try:
            return since(value, now())
        except Mistyped as error:
            self.fail(str(error), param, ctx)


def not_empty(_ctx: click.Context, _param: click.Parameter, value: str) -> str:
    """A reason that says something."""
    if not value.strip():
        raise click.BadParameter("say why: the audit trail keeps it")
    return value.strip()


as_json = click.option(
    "--json", "json_", is_flag=True, help="Print JSON; for a list, one object a line."
)
since = click.option(
    "--since",
    type=Since(),
    metavar="2d",
    help="Only what came in within the last 30s, 15m, 2d, or since 2026-11-30 (UTC).",
)
limit = click.option(
    "--limit",
    type=click.IntRange(min=1),
    metavar="N",
    help=f"Show the N newest.  [default: {ROWS} in a table, all with --json]",
)
why = click.option(
    "--reason",
    "why",
    required=True,
    callback=not_empty,
    metavar="TEXT",
    help="Why you do this; the audit trail keeps it with your name.",
)
ids = click.argument("ids", nargs=-1, required=True, metavar="ID...")


def job_filters(*, reason_option: str) -> Callable[[Command], Command]:
    """The options that say which jobs are meant; `filter_of` makes a JobFilter of them."""
    options = (
        click.option(
            "--state",
            type=click.Choice([each.value for each in State]),
            help="Only jobs in this state.",
        ),
        click.option(
            "--outcome",
            type=click.Choice([each.value for each in Outcome]),
            help="Only jobs done like this.",
        ),
        click.option("--source", metavar="NAME", help="Only leavers of this HR system."),
        click.option("--target", metavar="NAME", help="Only jobs in this Atlassian system."),
        click.option("--email", metavar="E", help="Only this person, whatever the capitals."),
        since,
        click.option(
            reason_option,
            "reason",
            type=click.Choice([*JOB]),
            metavar="WORD",
            help="Only jobs with this reason word, such as ambiguous_match.",
        ),
    )

    def add(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return add


def filter_of(given: Mapping[str, Any], ids: "Sequence[JobId] | None" = None) -> "JobFilter":
    """What the options of job_filters mean now."""
    from workers.ledger.queries.jobs import JobFilter

    typed = {
        "ids": ids,
        "state": State(given["state"]) if given["state"] else None,
        "outcome": Outcome(given["outcome"]) if given["outcome"] else None,
    }
    return JobFilter(**{**given, **typed})


def agree(question: str, *, yes: bool) -> None:
    """Go on only if the operator agrees.  UsageError where nobody can be asked."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise click.UsageError("nobody is here to be asked; repeat it with --yes")
    click.confirm(question, abort=True, err=True)
