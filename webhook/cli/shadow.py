"""`leaver shadow report`: what shadow mode would have done, beside what people did by hand."""

from datetime import timedelta
from typing import TYPE_CHECKING

import click

from webhook.cli import options
from webhook.cli.output import NOTHING, explain, note, progress, say, show_json, table, when
from webhook.cli.situation import Situation, now
from workers.reasons import JOB

if TYPE_CHECKING:
    from workers.shadow.report import Report, Row, Summary, Took

GO_LIVE = 'leaver replay --outcome would_deactivate --reason "going live" --dry-run'


@click.group()
def shadow() -> None:
    """Decide on going live: shadow mode beside what people did."""


@shadow.command()
@click.option(
    "--since",
    type=options.Span(),
    default="14d",
    show_default=True,
    metavar="14d",
    help="Only what came in or ended within the last 12h, 7d ...",
)
@click.option("--source", metavar="NAME", help="Only leavers of this HR system.")
@click.option("--target", metavar="NAME", help="Only jobs in this Atlassian system.")
@options.as_json
@click.pass_obj
def report(
    at: Situation, since: timedelta, source: str | None, target: str | None, json_: bool
) -> None:
    """Compare what Leaver would have done with what people did.

    Each account that Leaver would have switched off is read again for 30 days: ever more rarely,
    and at least every 6 hours.  Those that nobody switched off come first.
    """
    from workers.ledger.queries.shadow import shadowed
    from workers.shadow.report import report as judged

    settings = at.settings()
    until = now()
    with at.ledger(settings) as ledger, progress("comparing", hidden=json_):
        found = judged(
            shadowed(ledger, since=until - since),
            since=until - since,
            now=until,
            brakes=settings.all_brakes(),
            source=source,
            target=target,
        )
    if json_:
        show_json(found)
    else:
        _show(found)


def _show(found: "Report") -> None:
    from workers.shadow.verdicts import MEANINGS

    say(f"{when(found.since)} to {when(found.until)}")
    if not found.rows:
        note("No job fits.")
        return
    for line in _in_words(found.summary):
        say(line)
    say()
    headings = ("job", "verdict", "e-mail", "source", "target", "account", "Leaver", "people")
    table(headings, map(_cells, found.rows))
    note()
    for word in dict.fromkeys(row.verdict for row in found.rows):
        if word in MEANINGS:
            note(f"{word}: {MEANINGS[word]}")
    explain((row.reason for row in found.rows), JOB)
    note(f"\nTo go live, first see what would be done now: `{GO_LIVE}`")


def _in_words(summary: "Summary") -> list[str]:
    count = summary.verdicts.get
    by_hand = summary.people_took
    lines = [
        f"{_number(summary.leavers, 'leaver')}, {_number(summary.jobs, 'job')}",
        f"Leaver would have switched off {_number(summary.would_deactivate, 'account')}"
        f"{_took(summary.leaver_took)}",
        f"People switched off {by_hand.count} of them{_took(by_hand)}",
        f"Still active: {count('still_active', 0)}.  Not read again: "
        f"{count('not_seen_again', 0)}.  Taken back by HR: {count('taken_back', 0)}.",
    ]
    if summary.known_within_seconds is not None:
        lines[2] += f" (or up to {_lasting(summary.known_within_seconds)} earlier)"
    if summary.held:
        words = ", ".join(f"{number} {reason}" for reason, number in sorted(summary.held.items()))
        lines.append(f"Leaver would have waited for a person: {words}")
    lines += [
        f"The brake would have tripped: {each.most} leavers within {each.per}, where "
        f"{f'sources.{each.source}' if each.source else 'policy'}.brake lets {each.leavers} pass"
        for each in summary.brakes
        if each.most > each.leavers
    ]
    return lines


def _took(took: "Took") -> str:
    if took.median_seconds is None or took.p95_seconds is None:
        return ""
    return (
        f": half within {_lasting(took.median_seconds)}, 95 % within {_lasting(took.p95_seconds)}"
    )


def _cells(row: "Row") -> tuple[object, ...]:
    verdict = f"{row.verdict} ({row.reason})" if row.reason else row.verdict
    account = row.account_id
    leaver = NOTHING if row.leaver_seconds is None else _lasting(row.leaver_seconds)
    return row.job, verdict, row.email, row.source, row.target, account, leaver, _people(row)


def _people(row: "Row") -> str:
    """How long people took, or take already, and what there is to say beside it."""
    least, most = row.people_seconds_at_least, row.people_seconds_at_most
    if least is None:
        return NOTHING
    if most is None:
        took = f"on for {_lasting(least)}, seen {when(row.last_on_at)}"
    else:
        took = f"{'removed' if row.gone else 'off'} after {_lasting(least)} to {_lasting(most)}"
    heard = f"HR took it back {when(row.taken_back_at)}" if row.taken_back_at else ""
    return "; ".join(filter(None, (took, row.detail, heard)))


def _lasting(seconds: int) -> str:
    """A duration in its two largest units, such as 2d 4h."""
    minutes, s = divmod(seconds, 60)
    hours, m = divmod(minutes, 60)
    d, h = divmod(hours, 24)
    units = [(d, "d"), (h, "h"), (m, "m"), (s, "s")]
    first = next((place for place, (number, _) in enumerate(units) if number), 3)
    return (
        " ".join(f"{number}{unit}" for number, unit in units[first : first + 2] if number) or "0s"
    )


def _number(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
