"""Every command and option says what it does."""

import click
import pytest
from click.testing import CliRunner

from webhook.cli import main

COMMANDS = sorted(main.commands)
CONTRACT = (
    "brake cancel console deliveries delivery demo dismiss doctor explain hold holds job jobs "
    "migrate notify reinstate release reparse replay sandbox send serve shadow source terminate "
    "token up user work"
)
PRINTS_DATA = (
    "brake",
    "cancel",
    "deliveries",
    "delivery",
    "dismiss",
    "doctor",
    "explain",
    "hold",
    "holds",
    "job",
    "jobs",
    "notify",
    "reinstate",
    "release",
    "reparse",
    "replay",
    "send",
    "terminate",
)


def test_the_commands_are_those_of_the_contract():
    """One that is planned but not built does not exist: it must not be accepted in silence."""
    assert " ".join(COMMANDS) == CONTRACT


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_and_each_of_its_options_has_help(name):
    """Nobody reads the source at night."""
    command = main.commands[name]
    options = [each for each in command.params if isinstance(each, click.Option)]

    assert command.help
    assert [option.name for option in options if not option.help] == []


@pytest.mark.parametrize("name", COMMANDS)
def test_the_list_of_commands_shows_the_whole_first_sentence(name):
    """A sentence that breaks off says nothing."""
    listed = CliRunner().invoke(main, ["--help"]).stdout

    assert f"{name} " in listed
    assert "..." not in listed.split("Commands:")[1]


@pytest.mark.parametrize("name", PRINTS_DATA)
def test_what_prints_data_prints_json_too(name):
    """Programs do not read tables."""
    assert "json_" in {param.name for param in main.commands[name].params}


@pytest.mark.parametrize("name", COMMANDS)
def test_help_needs_no_configuration(name):
    """It is read before there is any."""
    result = CliRunner().invoke(main, ["--config", "/nowhere/leaver.toml", name, "--help"])

    assert (result.exit_code, result.stdout.startswith(f"Usage: main {name}")) == (0, True)


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("leaver repl", "replay"),
        ("leaver jobs --st", "--state"),
        ("leaver jobs --state he", "held"),
    ],
)
def test_the_shell_completes(words, offered):
    """As the README's line has it do."""
    asked = {
        "_LEAVER_COMPLETE": "bash_complete",
        "COMP_WORDS": words,
        "COMP_CWORD": str(words.count(" ")),
    }

    said = CliRunner().invoke(main, prog_name="leaver", env=asked)

    assert said.output.strip() == f"plain,{offered}"
