"""`leaver brake`: where the brake stands, and how many leavers a person lets pass."""

from typing import TYPE_CHECKING

import click

from webhook.cli import options
from webhook.cli.output import note, say, show_json, when
from webhook.cli.situation import Situation, actor, log_errors_only, now

if TYPE_CHECKING:
    from workers.ledger.queries.brakes import Brake, Brakes

ATTENTION = 3


@click.group(invoke_without_command=True)
@options.as_json
@click.pass_context
def brake(ctx: click.Context, json_: bool) -> int | None:
    """Show where the brake stands: windows, room, who waits.

    Where more leavers come than policy.brake or sources.X.brake allows, the brake trips: all after
    them are held until `leaver brake release`.  Exits 3 while it is tripped.
    """
    from workers.ledger.queries import brakes

    if ctx.invoked_subcommand:
        return None
    at: Situation = ctx.obj
    settings = at.settings()
    with at.ledger(settings) as ledger:
        found = brakes.standing(ledger, settings.all_brakes(), now=now())
    if json_:
        show_json(found)
    else:
        _show(found)
    return ATTENTION if found.tripped else 0


@brake.command()
@click.option(
    "--leavers",
    type=click.IntRange(min=0),
    required=True,
    metavar="N",
    help="How many may pass: first those who wait, in the order in which HR sent them; the rest is "
    "for those who come, and 0 takes it back.",
)
@click.option("--source", metavar="NAME", help="Only leavers of this HR system.")
@options.why
@options.as_json
@click.pass_obj
def release(at: Situation, leavers: int, source: str | None, why: str, json_: bool) -> None:
    """Let N more leavers pass, whatever the windows say.

    Their jobs go on by themselves.  Where policy.approve asks for a second person, this is done in
    the console.
    """
    from webhook.acts import brake

    log_errors_only()
    settings = at.settings()
    if refused := brake.people_only(settings):
        raise click.UsageError(refused)
    try:
        with at.ledger(settings) as ledger:
            done = brake.release(
                settings, ledger, leavers, source=source, actor=actor(), why=why, now=now()
            )
    except brake.UnknownSource as error:
        raise click.BadParameter(str(error), param_hint="--source") from error
    if json_:
        show_json(done)
    else:
        say(f"{_leavers(done.released)} let go on, {_leavers(done.waiting)} still wait")
        if done.allowance:
            say(f"{done.allowance} more may pass beyond the windows when they come")


def _show(found: "Brakes") -> None:
    for each in found.brakes:
        _show_one(each)
    if found.tripped:
        say(f"\n{_leavers(found.waiting_leavers)} ({found.waiting_jobs} jobs) wait for a person.")
        note("`leaver jobs --reason brake` lists them.  Cancel what HR should not have sent; then")
        note("`leaver brake release --leavers N --reason TEXT` lets the first N of the rest go on.")


def _show_one(each: "Brake") -> None:
    name = f"source {each.source}" if each.source else "all sources"
    if each.tripped_since:
        say(f"{name}: tripped since {when(each.tripped_since)}, {_leavers(each.waiting)} wait")
    else:
        say(f"{name}: {'open' if each.windows else 'no brake is configured'}")
    for window in each.windows:
        use = f"{window.used} passed, room for {window.room}"
        say(f"  {window.leavers} leavers within {window.per}: {use}")
    if each.allowance:
        say(f"  {each.allowance} more may pass beyond that: an operator released them")


def _leavers(count: int) -> str:
    return f"{count} leaver{'' if count == 1 else 's'}"
