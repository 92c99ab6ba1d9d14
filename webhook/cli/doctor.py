"""`leaver doctor`: is everything as it must be, and if not, what to do."""

from collections.abc import Collection

import click

from webhook.cli import options
from webhook.cli.output import progress, say, show_json
from webhook.cli.situation import Situation, log_errors_only


@click.command()
@options.as_json
@click.pass_obj
def doctor(at: Situation, json_: bool) -> int:
    """Check everything, with a hint for each fault.

    Configuration, ledger, queue, clock, workers, each target's credential, and what waits.  Run it
    where the workers run: only there the targets' secrets can be read.  Exits 0 if all is well
    (advice may be given), 2 if the configuration is wrong, 3 if something needs attention.
    """
    from webhook.doctor.examination import examine

    log_errors_only()
    checks = []
    with progress("checking", hidden=json_) as bar:
        for check in examine(at.settings()):
            checks.append(check)
            if not json_:
                bar.say(f"{check.result:<10}{check.code:<6}{check.name:<22}{check.finding}")
                if check.hint:
                    bar.say(f"{'':<38}-> {check.hint}")
    code = _exit_code({check.result for check in checks})
    if json_:
        show_json({"exit_code": code, "checks": checks})
    elif code == 0:
        say("All is well.")
    return code


def _exit_code(results: Collection[str]) -> int:
    if "wrong" in results:
        return 2
    return 3 if "attention" in results else 0
