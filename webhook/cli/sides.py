"""`leaver holds`, and what hold, release and cancel do to a whole source or target."""

from typing import TYPE_CHECKING, Any

import click

from webhook.cli import options
from webhook.cli.output import note, say, show_json, table, when
from webhook.cli.situation import Situation, actor, now

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from config.settings import Settings
    from workers.ledger import Ledger
    from workers.ledger.holds import Side

ATTENTION = 3


@click.command()
@options.as_json
@click.pass_obj
def holds(at: Situation, json_: bool) -> int:
    """Show which whole sources and targets are held, by whom and why.

    `leaver hold --source NAME` or `--target NAME` holds one; `leaver release` with the same lets
    it go.  Exits 3 while one is held.
    """
    from workers.ledger.queries.holds import standing

    with at.ledger(at.settings()) as ledger:
        found = standing(ledger)
    if json_:
        for each in found:
            show_json(each)
    elif found:
        headings = ("held", "name", "since", "by", "jobs", "reason")
        rows = ((h.kind, h.name, h.held_at, h.actor, h.jobs, h.reason) for h in found)
        table(headings, rows)
        note("\n`leaver release --source NAME --reason TEXT`, or --target, lets its jobs go on.")
    else:
        note("No source and no target is held.")
    return ATTENTION if found else 0


def one_of(command: "Callable[..., Any]") -> "Callable[..., Any]":
    """Ids, or else one whole source or target; `side_of` says which."""
    for add in (
        click.option("--target", metavar="NAME", help="Instead of ids, a whole Atlassian system."),
        click.option("--source", metavar="NAME", help="Instead of ids, a whole HR system."),
        click.argument("ids", nargs=-1, metavar="[ID...]"),
    ):
        command = add(command)
    return command


def side_of(
    settings: "Settings",
    ledger: "Ledger",
    *,
    ids: "Sequence[str]",
    source: str | None,
    target: str | None,
) -> "Side | None":
    """The source or target that is meant; None where it is ids.

    Raises UsageError unless it is exactly one of the three, and BadParameter for an unknown name.
    """
    from webhook.acts.sides import UnknownSide, checked
    from workers.ledger.holds import Side

    if sum(map(bool, (ids, source, target))) != 1:
        raise click.UsageError("say ids of jobs or leavers, or one --source, or one --target")
    if ids:
        return None
    side = Side("source", source) if source else Side("target", target or "")
    try:
        return checked(settings, ledger, side)
    except UnknownSide as error:
        raise click.BadParameter(str(error), param_hint=f"--{side.kind}") from error


def hold(ledger: "Ledger", side: "Side", why: str, json_: bool) -> int:
    """Have the whole side wait, and say so.  1 if it did already."""
    from webhook.acts import sides
    from workers.ledger.queries.holds import standing

    done = sides.hold(ledger, side, actor=actor(), why=why, now=now())
    if json_:
        show_json(done)
    elif done.result:
        say(f"{side} is held: what comes in is recorded, and waits")
    else:
        by = [f"{h.actor}, {when(h.held_at)}: {h.reason}" for h in standing(ledger) if _is(h, side)]
        say(f"{side} is held already, by {' '.join(by)}")
    if done.running and not json_:
        say(f"running jobs: {done.running}; each stops before its next write")
    return 0 if done.result else 1


def release(ledger: "Ledger", side: "Side", why: str, json_: bool) -> int:
    """Let the whole side go, and say so.  1 if it is not held."""
    from webhook.acts import sides

    done = sides.release(ledger, side, actor=actor(), why=why, now=now())
    if json_:
        show_json(done)
    elif done.result:
        say(f"{side} is released; jobs that go on by themselves: {done.jobs}")
    else:
        say(f"{side} is not held: see `leaver holds`")
    return 0 if done.result else 1


def _is(found: Any, side: "Side") -> bool:
    return (found.kind, found.name) == (side.kind, side.name)
