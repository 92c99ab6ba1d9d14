"""`leaver token`: which programs may use the API."""

from datetime import timedelta

import click

from webhook.cli import options
from webhook.cli.output import note, say, show_json, table
from webhook.cli.situation import Situation, actor, log_errors_only, now
from workers.ledger.users import Role

#: For longer nobody remembers that there is one.
LONGEST = timedelta(days=3650)


@click.group()
def token() -> None:
    """Say which programs may use the API, as what, and for how long."""


@token.command()
@click.argument("name")
@click.option(
    "--role",
    type=click.Choice([each.value for each in Role]),
    default=Role.VIEWER.value,
    show_default=True,
    help="What for: the same roles as of `leaver user`.",
)
@click.option(
    "--expires",
    "lasts",
    type=options.Span(),
    default="90d",
    show_default=True,
    metavar="90d",
    help="How long it is good for.",
)
@click.pass_obj
def add(at: Situation, name: str, role: str, lasts: timedelta) -> None:
    """Make a token, and print it: it is shown only now."""
    from workers.ledger import tokens

    log_errors_only()
    if not 0 < len(name) <= 64 or not name.isprintable():
        raise click.BadParameter("use 1 to 64 characters that can be printed", param_hint="NAME")
    if not timedelta() < lasts <= LONGEST:
        raise click.BadParameter("use 1s to 3650d", param_hint="--expires")
    with at.ledger(at.settings()) as ledger:
        made = tokens.add(ledger, name, Role(role), lasts=lasts, actor=actor(), now=now())
    if made is None:
        raise click.ClickException(f"there is a token {name} already: remove it first")
    say(made)
    note("Keep it as you keep a password: it is not shown again.")


@token.command("list")
@options.as_json
@click.pass_obj
def list_(at: Situation, json_: bool) -> None:
    """List the tokens, without what makes them work."""
    from workers.ledger import tokens

    with at.ledger(at.settings()) as ledger:
        found = tokens.listed(ledger)
    if json_:
        for each in found:
            show_json(each)
        return
    table(
        ("name", "role", "added", "by", "expires", "used"),
        (
            (each.name, each.role, each.added_at, each.added_by, each.expires_at, each.used_at)
            for each in found
        ),
    )


@token.command()
@click.argument("name")
@click.pass_obj
def remove(at: Situation, name: str) -> None:
    """Remove a token, which opens nothing from now on."""
    from workers.ledger import tokens

    log_errors_only()
    with at.ledger(at.settings()) as ledger:
        if not tokens.remove(ledger, name, actor=actor(), now=now()):
            raise click.ClickException(f"no token has the name {name}: `leaver token list`")
    say(f"{name} is removed")
