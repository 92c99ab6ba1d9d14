"""What an operator does to jobs: replay, hold, release, cancel.

Every act has the operator's name and a reason in the audit trail.  Ids that are not found stop a
command before it does anything.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from webhook.cli import options, sides
from webhook.cli.jobs import show_jobs
from webhook.cli.output import progress, show_json
from webhook.cli.situation import Situation, actor, log_errors_only, now, wake

if TYPE_CHECKING:
    from config.settings import Settings
    from webhook.acts.jobs import Act, Run
    from workers.leavers import JobId
    from workers.ledger import Ledger
    from workers.ledger.holds import Side
    from workers.ledger.queries.jobs import Job, JobFilter


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one job; `result` is empty where nothing was done, and `after` says why."""

    after: "Job"
    result: str


#: Says something of a whole source or target, and returns the exit code.
Word = Callable[["Ledger", "Side", str, bool], int]

dry_run_option = click.option("--dry-run", is_flag=True, help="Only show which jobs it would be.")
yes_option = click.option("--yes", is_flag=True, help="Do not ask.")


@click.command()
@click.argument("ids", nargs=-1, metavar="[ID...]")
@options.job_filters(reason_option="--where-reason")
@options.why
@dry_run_option
@yes_option
@click.option(
    "--force",
    is_flag=True,
    help="Act whatever HR says by now, and forget which account was matched before (see the reason "
    "account_changed).",
)
@options.as_json
@click.pass_obj
def replay(
    at: Situation,
    /,
    ids: Sequence[str],
    why: str,
    dry_run: bool,
    yes: bool,
    force: bool,
    json_: bool,
    **filters: Any,
) -> int:
    """Run held or ended jobs again, in a new round.

    The old rounds stay as they were.  Takes ids, filters or both, and says how many jobs that is
    before it asks.  Exits 1 if some were under way already.
    """
    from webhook.acts.jobs import ACTS, meant, replay

    if not ids and not any(filters.values()):
        raise click.UsageError("say which jobs: ids or at least one filter, such as --state failed")
    log_errors_only()
    settings = at.settings()
    with at.ledger(settings) as ledger:
        found = meant(ledger, ids, ACTS["replay"])
        chosen = _found(ledger, options.filter_of(filters, found or None), json_)
        if not _agreed(chosen, "Replay them?", dry_run=dry_run, yes=yes, json_=json_):
            return 0
        found = [job.id for job in chosen]
        results = _each(ledger, found, partial(replay, force=force), why)
        return _tell(settings, results, len(found), json_, ACTS["replay"])


def _found(ledger: "Ledger", wanted: "JobFilter", json_: bool) -> "list[Job]":
    from workers.ledger.queries import jobs as kept

    with progress("looking for jobs", hidden=json_):
        return list(kept.every(ledger, wanted))


def _agreed(
    chosen: "Sequence[Job]", question: str, *, dry_run: bool, yes: bool, json_: bool
) -> bool:
    """Say how many jobs it would be, and ask; False where nothing is to be done."""
    _sum_up(chosen, to_stderr=json_)
    if dry_run:
        _show(chosen, json_)
    if dry_run or not chosen:
        return False
    options.agree(question, yes=yes)
    return True


def _show(chosen: "Sequence[Job]", json_: bool) -> None:
    if json_:
        for job in chosen:
            show_json(job)
    else:
        show_jobs(chosen)


def _sum_up(chosen: "Sequence[Job]", *, to_stderr: bool) -> None:
    """How many jobs of which kind: "12 jobs: 10 done (deactivated), 2 failed (gave_up)"."""
    from workers.ledger.queries import jobs as kept

    listed = ", ".join(f"{count} {kind}" for kind, count in kept.kinds(chosen))
    targets = ", ".join(sorted({job.target for job in chosen}))
    number = f"{len(chosen)} job{'' if len(chosen) == 1 else 's'}"
    click.echo(f"{number} in {targets}: {listed}" if chosen else "No job fits.", err=to_stderr)


def _act(name: str, does: str, *, hint: str, whole: Word) -> click.Command:
    """One of hold and release: the same command but for what it does."""

    @click.command(name, help=f"{does}\n\nIDs are of jobs or of leavers.  {hint}")
    @sides.one_of
    @options.why
    @options.as_json
    @click.pass_obj
    def act(at: Situation, /, why: str, json_: bool, **which: Any) -> int:
        from webhook.acts.jobs import ACTS, meant

        log_errors_only()
        settings = at.settings()
        with at.ledger(settings) as ledger:
            side = sides.side_of(settings, ledger, **which)
            if side is not None:
                return whole(ledger, side, why, json_)
            found = meant(ledger, which["ids"], ACTS[name])
            results = _each(ledger, found, ACTS[name].run, why)
            return _tell(settings, results, len(found), json_, ACTS[name])

    return act


hold = _act(
    "hold",
    "Make jobs wait for a person.",
    hint='A running job stops before its next write, or when its attempt ends ("stopping").  With '
    "--source or --target everything of it waits, also what is still to come, until it is released "
    "with the same.  Exits 1 if some could not.",
    whole=sides.hold,
)
release = _act(
    "release",
    "Let held jobs go on.",
    hint="Every rule is asked again.  Only held jobs can be released; what has ended is replayed.  "
    "With --source or --target whatever a hold with the same made wait goes on.  Exits 1 if some "
    "could not.",
    whole=sides.release,
)


@click.command()
@sides.one_of
@options.why
@dry_run_option
@yes_option
@options.as_json
@click.pass_obj
def cancel(at: Situation, /, why: str, dry_run: bool, yes: bool, json_: bool, **which: Any) -> int:
    """End jobs without doing anything more.

    IDs are of jobs or of leavers.  A running job stops before its next write, or when its attempt
    ends ("stopping").  With --source or --target all its unfinished jobs are meant: says how many
    before it asks.  Hold it first if more may come.  Exits 1 if some could not.
    """
    from webhook.acts.jobs import ACTS, meant
    from webhook.acts.sides import unfinished
    from workers.ledger.queries.jobs import JobFilter

    log_errors_only()
    settings = at.settings()
    with at.ledger(settings) as ledger:
        side = sides.side_of(settings, ledger, **which)
        if side is None:
            wanted = JobFilter(ids=meant(ledger, which["ids"], ACTS["cancel"]))
        else:
            wanted = unfinished(side)
        chosen = _found(ledger, wanted, json_)
        ask = side is not None or dry_run
        if ask and not _agreed(chosen, "Cancel them?", dry_run=dry_run, yes=yes, json_=json_):
            return 0
        results = _each(ledger, [job.id for job in chosen], ACTS["cancel"].run, why)
        return _tell(settings, results, len(chosen), json_, ACTS["cancel"])


def _each(ledger: "Ledger", jobs: "Iterable[JobId]", run: "Run", why: str) -> Iterator[Result]:
    from workers.ledger.queries import jobs as kept
    from workers.ledger.queries.jobs import JobFilter

    for job in jobs:
        done = run(ledger, job, actor=actor(), why=why, now=now())
        [after] = kept.listed(ledger, JobFilter(ids=(job,)), limit=1)
        yield Result(after, done or "")


def _tell(
    settings: "Settings", results: Iterable[Result], total: int, json_: bool, act: "Act"
) -> int:
    """Tell what happens while it happens, then wake the workers for what is queued now."""
    from webhook.acts.jobs import why_not

    told = []
    with progress(act.name, total, hidden=json_) as bar:
        for each in results:
            told.append(each)
            job = each.after
            if json_:
                show_json({"id": job.id, "result": each.result, "state": job.state})
            else:
                bar.say(f"{job.id}  {each.result or f'{act.could_not}: {why_not(job)}'}")
            bar.step()
    wake(settings, [each.after.id for each in told if each.result and each.after.state == "queued"])
    return 0 if all(each.result for each in told) else 1
