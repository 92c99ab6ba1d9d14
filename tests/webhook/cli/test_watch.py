"""`leaver jobs --watch` goes on to show what becomes of jobs."""

import json
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import sqlalchemy as sa

from tests.servers import wait_until
from tests.workers.records import job_of, jobs_of
from webhook.cli.watch import follow
from workers.leavers import State
from workers.ledger import moves
from workers.ledger.queries import jobs as kept
from workers.ledger.queries.jobs import JobFilter


def hold(ledger, job, now) -> None:
    moves.hold_by(ledger, job, actor="eve", why="wait", now=now)


def rename(ledger, table: str, name: str) -> None:
    with ledger.write() as tx:
        tx.execute(sa.text(f"ALTER TABLE {table} RENAME TO {name}"))


def told(jobs) -> list[tuple[str, str]]:
    return [(job.id, job.state) for job in jobs]


def test_all_jobs_are_told_the_oldest_first_and_then_each_that_moves(
    sqlite_ledger, now, monkeypatch
):
    """As a log is read: what happened last stands last."""
    monkeypatch.setattr(kept, "PAGE", 2)
    jobs = jobs_of(sqlite_ledger, 5)
    watched = follow(sqlite_ledger, JobFilter(), None, every_s=0)

    pages = [next(watched) for _ in range(3)]
    assert told(job for page in pages for job in page) == [(job, "queued") for job in jobs]

    hold(sqlite_ledger, jobs[3], now)
    assert told(next(watched)) == [(jobs[3], "held")]


def test_only_jobs_that_fit_are_told(sqlite_ledger, now):
    """Whoever waits for what is held hears of nothing else."""
    first, second = jobs_of(sqlite_ledger, 2)
    hold(sqlite_ledger, first, now)
    watched = follow(sqlite_ledger, JobFilter(state=State.HELD), None, every_s=0)
    assert told(next(watched)) == [(first, "held")]

    moves.release_by(sqlite_ledger, first, actor="eve", why="go on", now=now)
    hold(sqlite_ledger, second, now)

    assert told(next(watched)) == [(second, "held")]


def test_a_limit_bounds_what_is_told_first(sqlite_ledger, now):
    """Not what comes later."""
    first, second, third = jobs_of(sqlite_ledger, 3)
    watched = follow(sqlite_ledger, JobFilter(), 2, every_s=0)
    assert told(next(watched)) == [(second, "queued"), (third, "queued")]

    hold(sqlite_ledger, first, now)

    assert told(next(watched)) == [(first, "held")]


def test_a_ledger_that_cannot_be_read_for_a_moment_loses_nothing(sqlite_ledger, now, capsys):
    """It says so, once, and goes on when it can."""
    ledger = sqlite_ledger
    job = job_of(ledger)
    watched = follow(ledger, JobFilter(), None, every_s=0)
    next(watched)
    hold(ledger, job, now)
    said = ""

    def says(text: str) -> bool:
        nonlocal said
        said += capsys.readouterr().err
        return text in said

    with ThreadPoolExecutor() as threads:
        rename(ledger, "jobs", "elsewhere")
        coming = threads.submit(next, watched)
        wait_until(lambda: says("cannot be read"))
        rename(ledger, "elsewhere", "jobs")

        assert told(coming.result(30)) == [(job, "held")]
    assert says("can be read again")
    assert said.count("cannot be read") == 1


def test_a_pipe_gets_a_line_for_each_move_until_ctrl_c(leaver, ledger, now):
    """`leaver jobs --watch --json` feeds another program, and its end is no error."""
    job = job_of(ledger, at=now, cutoff=now)
    command = [sys.executable, "-m", "webhook.cli", "--config", leaver.config, "jobs"]
    with subprocess.Popen(
        [*command, "--watch", "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        lines = [json.loads(process.stdout.readline())]
        hold(ledger, job, now)
        lines.append(json.loads(process.stdout.readline()))
        process.send_signal(signal.SIGINT)
        rest, errors = process.communicate(timeout=30)

    assert [(line["id"], line["state"]) for line in lines] == [(job, "queued"), (job, "held")]
    assert (process.returncode, rest, errors) == (0, "", "")


def test_a_terminal_shows_the_newest_jobs_with_their_counts(leaver, ledger, now):
    """In 24 lines, and cut at the right instead of broken: 80 columns hold no whole job."""
    jobs = jobs_of(ledger, 30)
    hold(ledger, jobs[29], now)

    code, seen = leaver.on_terminal("jobs", "--watch", until=jobs[29][-12:])

    assert (code, "queued 29, held 1" in seen) == (0, True)
    assert jobs[29][-12:] in seen
    assert jobs[0][-12:] not in seen
