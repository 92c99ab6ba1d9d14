"""`leaver`: the command line.

    situation.py   the configuration and the ledger that a command works with, and who runs it
    options.py     options that several commands share
    output.py      tables and bars for people, JSON for programs
    jobs.py        jobs, job; watch.py goes on with jobs
    acts.py        replay, hold, release, cancel
    sides.py       holds; hold and release of a whole source or target
    reinstate.py   reinstate
    explain.py     explain; asking.py asks the workers for it
    brake.py       brake, brake release
    shadow.py      shadow report
    terminate.py   terminate
    deliveries.py  deliveries, delivery
    quarantine.py  reparse, dismiss
    send.py        send
    notify.py      notify, notify test
    source.py      source keys, confirm, forget
    user.py        user add, remove, list, link
    token.py       token add, list, remove
    processes.py   demo, up, serve, console, work, sandbox, migrate
    doctor.py      doctor

A command returns its exit code: 0 (or None) done, 1 failed, 2 wrong usage or configuration,
3 something needs attention.  It imports what it needs inside itself, so that each answers at once.
"""

from pathlib import Path
from typing import Any

import click

from webhook.cli import (
    acts,
    brake,
    deliveries,
    doctor,
    explain,
    jobs,
    notify,
    processes,
    quarantine,
    reinstate,
    send,
    shadow,
    sides,
    source,
    terminate,
    token,
    user,
)
from webhook.cli.situation import Refused, Situation


class _Leaver(click.Group):
    """Turns what a command returns or raises into an exit code and one line."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order in which they are added."""
        return list(self.commands)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            ctx.exit(super().invoke(ctx) or 0)
        except (click.ClickException, click.exceptions.Exit, click.Abort, BrokenPipeError):
            raise
        except Exception as error:
            if ctx.params["debug"]:
                raise
            raise _failure(error) from None


def _failure(error: Exception) -> click.ClickException:
    """What an operator is told of an error."""
    from config.secret import ConfigurationError
    from workers.ledger import LedgerOutdated, LedgerUnavailable
    from workers.ledger.queries import NotFound

    match error:
        case ConfigurationError() | LedgerOutdated():
            return Refused(str(error))
        case LedgerUnavailable():
            return click.ClickException(f"the ledger is unavailable: {error}")
        case NotFound():
            return click.ClickException(str(error))
    what = f"{type(error).__name__}: {error}"
    return click.ClickException(f"unexpected {what}; `leaver --debug ...` shows where it happened")


@click.group(cls=_Leaver, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--config",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="PATH",
    help="The configuration; else $LEAVER_CONFIG, else ./leaver.toml.",
)
@click.option("--debug", is_flag=True, help="Show where an unexpected error happened.")
@click.version_option(package_name="leaver", message="%(prog)s %(version)s")
@click.pass_context
def main(ctx: click.Context, config: Path | None, debug: bool) -> None:
    """Take away the Atlassian access of people who leave, provably, within minutes.

    Exit codes: 0 done, 1 failed, 2 wrong usage or configuration, 3 something needs attention.
    """
    ctx.obj = Situation(config)


for command in (
    processes.demo,
    processes.up,
    processes.serve,
    processes.console,
    processes.work,
    processes.sandbox,
    processes.migrate,
    send.send,
    jobs.jobs,
    jobs.job,
    explain.explain,
    acts.replay,
    acts.hold,
    acts.release,
    acts.cancel,
    sides.holds,
    reinstate.reinstate,
    brake.brake,
    shadow.shadow,
    source.source,
    user.user,
    token.token,
    terminate.terminate,
    deliveries.deliveries,
    deliveries.delivery,
    quarantine.reparse,
    quarantine.dismiss,
    notify.notify,
    doctor.doctor,
):
    main.add_command(command)
