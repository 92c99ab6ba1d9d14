"""What the command line can do a program can do, but for what is kept from programs on purpose."""

import click
import pytest

from webhook.api import OPERATIONS
from webhook.cli import main

#: By command, the operations that do the same.
SAME = {
    "jobs": {"jobs.listed"},
    "job": {"jobs.one"},
    "explain": {"explain.job", "explain.delivery"},
    "replay": {"acts.replay"},
    "hold": {"acts.hold", "holds.hold"},
    "release": {"acts.release", "holds.release"},
    "cancel": {"acts.cancel"},
    "holds": {"standing.held"},
    "reinstate": {"acts.reinstate"},
    "brake": {"standing.brake"},
    "brake release": {"brake.release"},
    "shadow report": {"shadow.report"},
    "source keys": {"source_keys.listed"},
    "source confirm": {"source_keys.confirm"},
    "source forget": {"source_keys.forget"},
    "terminate": {"leavers.terminate"},
    "deliveries": {"deliveries.listed"},
    "delivery": {"deliveries.one"},
    "reparse": {"quarantine.reparse"},
    "dismiss": {"quarantine.dismiss"},
    "notify": {"messages.listed"},
    "notify test": {"messages.test"},
}

#: Commands that start something, that need the secrets of workers or of a source, or by which a
#: program could make itself another one, or a person (docs/decisions.md).
KEPT = {"demo", "up", "serve", "console", "work", "sandbox", "migrate", "send", "doctor"}
KEPT |= {f"user {each}" for each in ("add", "remove", "list", "link")}
KEPT |= {f"token {each}" for each in ("add", "remove", "list")}

BY_NAME = {each.name: each for each in OPERATIONS}


def commands(group, before=""):
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, f"{before}{name} ")
        if not isinstance(command, click.Group) or command.invoke_without_command:
            yield before + name


def test_every_command_has_its_operation_or_is_kept_from_programs():
    """Whoever adds a command decides which."""
    assert {*commands(main)} == {*SAME} | KEPT
    assert {name for names in SAME.values() for name in names} <= {*BY_NAME}


@pytest.mark.parametrize(
    ("words", "operation"),
    [
        (["jobs"], "jobs.listed"),
        (["deliveries"], "deliveries.listed"),
        (["shadow", "report"], "shadow.report"),
    ],
)
def test_every_filter_of_a_list_is_one_of_the_operation(words, operation):
    """Else a program would have to look through everything."""
    command = main
    for word in words:
        command = command.commands[word]

    options = {option.name for option in command.params} - {"json_", "watch"}

    assert options <= {*BY_NAME[operation].query.model_fields}
