"""`leaver user`: who may use the console."""

import click

from webhook.cli import options
from webhook.cli.output import say, show_json, table
from webhook.cli.situation import Situation, actor, log_errors_only, now
from workers.ledger.users import Role


@click.group()
def user() -> None:
    """Say who may use the console, and as what.

    A viewer looks; an operator also replays, holds, releases, cancels and sees e-mail addresses; an
    approver also approves what others ask for (policy.approve), and releases the brake.
    """


_role = click.option(
    "--role",
    type=click.Choice([each.value for each in Role]),
    default=Role.VIEWER.value,
    show_default=True,
    help="What for.",
)


@user.command()
@click.argument("name")
@_role
@click.option(
    "--password",
    prompt=True,
    hide_input=True,
    confirmation_prompt=True,
    envvar="LEAVER_USER_PASSWORD",
    show_envvar=True,
    help="Rather leave it out and be asked: others see what a command is called with.",
)
@click.pass_obj
def add(at: Situation, name: str, role: str, password: str) -> None:
    """Add a user, or give a known one another role and password.

    A known one is signed out everywhere.
    """
    from webhook.console.passwords import hashed
    from workers.ledger import users

    log_errors_only()
    if not 0 < len(name) <= 64 or not name.isprintable():
        raise click.BadParameter("use 1 to 64 characters that can be printed", param_hint="NAME")
    try:
        password_hash = hashed(password)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--password") from None
    with at.ledger(at.settings()) as ledger:
        new = users.put(ledger, name, Role(role), password_hash, actor=actor(), now=now())
    say(f"{name} is {'added' if new else 'changed'}, as {role}")


@user.command()
@click.argument("name")
@click.pass_obj
def remove(at: Situation, name: str) -> None:
    """Remove a user, who is signed out at once.

    Of somebody who signed in at the OpenID provider, or by a link, it ends the sessions.
    """
    from workers.ledger import users

    log_errors_only()
    with at.ledger(at.settings()) as ledger:
        if users.remove(ledger, name, actor=actor(), now=now()):
            say(f"{name} is removed")
        elif users.sign_out(ledger, name, actor=actor(), now=now()):
            say(f"{name} is signed out; to keep them out, remove them at the OpenID provider")
        else:
            raise click.ClickException(f"no user has the name {name}: `leaver user list`")


@user.command("list")
@options.as_json
@click.pass_obj
def list_(at: Situation, json_: bool) -> None:
    """List the users."""
    from workers.ledger import users

    with at.ledger(at.settings()) as ledger:
        found = users.listed(ledger)
    if json_:
        for each in found:
            show_json(each)
        return
    table(
        ("name", "role", "added", "by"),
        ((each.name, each.role, each.added_at, each.added_by) for each in found),
    )


@user.command()
@click.argument("name")
@_role
@click.pass_obj
def link(at: Situation, name: str, role: str) -> None:
    """Print a link that signs NAME in once, within a quarter of an hour.

    For whoever has a shell here anyway, and for the first time.
    """
    from workers.ledger import sessions

    log_errors_only()
    settings = at.settings()
    with at.ledger(settings) as ledger:
        token = sessions.new_link(ledger, name, Role(role), actor=actor(), now=now())
    say(f"http://{settings.console.listen}/sign-in/link/{token}")
