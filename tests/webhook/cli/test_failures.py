"""What goes wrong is one line and the right exit code, never a traceback."""

import os
import pwd
import subprocess
import sys

import click
import pytest
import sqlalchemy as sa

from webhook.cli import main
from workers.ledger import open_ledger


def error_of(result) -> str:
    """The one line that says what went wrong."""
    [line] = result.stderr.splitlines()
    return str(line)


def test_looking_never_makes_a_ledger(leaver):
    """An empty ledger reads as "nobody left"."""
    file = leaver.folder / "var" / "leaver.db"
    file.unlink()

    result = leaver.run("jobs")

    assert result.exit_code == 2
    assert error_of(result) == f"Error: there is no ledger at {file} yet: run `leaver migrate`"
    assert not file.exists()


def test_an_old_schema_says_what_brings_it_up_to_date(leaver, ledger):
    """The program was updated, the ledger was not."""
    with ledger.write() as tx:
        tx.execute(sa.text("UPDATE alembic_version SET version_num = '0000'"))

    result = leaver.run("jobs")

    assert (result.exit_code, "run `leaver migrate`" in error_of(result)) == (2, True)


def test_migrating_makes_the_ledger_and_may_be_repeated(leaver):
    """Whoever runs it twice has done nothing wrong."""
    (leaver.folder / "var" / "leaver.db").unlink()

    first, second = leaver.run("migrate"), leaver.run("migrate")

    assert (first.exit_code, second.exit_code, second.stdout) == (0, 0, first.stdout)
    assert leaver.json("jobs") == []


def test_a_ledger_that_cannot_be_reached_is_a_failure(leaver, monkeypatch):
    """It may be back in a minute: not the configuration is wrong."""
    url = "postgresql+psycopg://leaver@127.0.0.1:1/leaver"
    monkeypatch.setenv("LEAVER_LEDGER__URL", url)

    result = leaver.run("jobs")

    assert result.exit_code == 1
    assert result.stderr.startswith("Error: the ledger is unavailable: ")
    assert "Traceback" not in result.output


@pytest.mark.parametrize("command", ["jobs", "doctor", "migrate", "serve", "console", "work", "up"])
def test_a_wrong_configuration_stops_every_command(leaver, command):
    """With one line that names the key."""
    leaver.configure(mode="Act")

    result = leaver.run(command)

    assert (result.exit_code, "policy.mode" in error_of(result)) == (2, True)


def test_an_unexpected_error_is_one_line(leaver, monkeypatch):
    """And says how to see where it happened."""

    @click.command()
    def broken():
        raise ZeroDivisionError("by nothing")

    monkeypatch.setitem(main.commands, "broken", broken)

    told = leaver.run("broken")

    assert told.exit_code == 1
    assert error_of(told) == (
        "Error: unexpected ZeroDivisionError: by nothing; "
        "`leaver --debug ...` shows where it happened"
    )
    with pytest.raises(ZeroDivisionError):
        main(["--debug", "broken"])


def test_the_actor_is_the_user_whatever_the_environment_says(leaver, monkeypatch):
    """The audit trail must not be signed with somebody else's name."""
    monkeypatch.setenv("LOGNAME", "somebody-else")
    monkeypatch.setenv("USER", "somebody-else")

    job, _ = leaver.json("terminate", "lena@example.com", "--reason", "called in")

    [told] = leaver.json("job", job["id"])
    assert told["entered_by"] == pwd.getpwuid(os.getuid()).pw_name


def test_looking_loads_nothing_slow(leaver):
    """The command line must answer at once: what only other commands need stays out."""
    command = [sys.executable, "-X", "importtime", "-m", "webhook.cli"]

    ended = subprocess.run(
        [*command, "--config", leaver.config, "jobs"], capture_output=True, text=True, check=True
    )

    loaded = {line.rpartition("|")[2].strip() for line in ended.stderr.splitlines()}
    slow = {"alembic", "celery", "flask", "gunicorn", "redis", "requests", "rich", "structlog"}
    assert "workers.ledger.queries.jobs" in loaded
    assert loaded & slow == set()


def test_a_reader_that_stops_reading_is_no_error(leaver, ledger):
    """`leaver jobs --json | head -1` ends in silence."""
    program = f"{sys.executable} -m webhook.cli --config {leaver.config} --help | true"

    ended = subprocess.run(program, shell=True, capture_output=True, text=True)  # noqa: S602 - a pipe of the shell is what is tested

    assert ended.stderr == ""


def test_the_ledger_of_the_configuration_is_found_from_any_folder(leaver, monkeypatch, tmp_path):
    """A relative path begins at the configuration, not where one happens to be."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)

    assert leaver.json("jobs") == []
    assert list(elsewhere.iterdir()) == []


def test_a_ledger_in_postgresql_is_asked_the_same(leaver, postgres, monkeypatch):
    """As soon as there is more than one machine."""
    url = postgres.database_url()
    ledger = open_ledger(url)
    ledger.migrate()
    ledger.close()
    monkeypatch.setenv("LEAVER_LEDGER__URL", url)

    leaver.json("terminate", "lena@example.com", "--reason", "called in")

    assert {job["state"] for job in leaver.json("jobs")} == {"queued"}
