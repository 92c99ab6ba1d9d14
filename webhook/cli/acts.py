"""What an operator does to jobs: replay, hold, release, cancel.

Every act has the operator's name and a reason in the audit trail.  Ids that are not found stop a
command before it does anything.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from webhook.cli import options
from webhook.cli.jobs import show_jobs
from webhook.cli.output import say, show_json
from webhook.cli.situation import Situation, actor, log_errors_only, now, wake

if TYPE_CHECKING:
    from config.settings import Settings
    from workers.leavers import JobId
    from workers.ledger import Ledger
    from workers.ledger.queries.jobs import Job


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one job; `result` is empty where nothing was done, and `state` says why."""

    id: "JobId"
    result: str
    state: str


#: Does one thing to one job and says what happened, or None where it could not.
Act = Callable[["Ledger", "JobId"], str | None]


@click.command()
@click.argument("ids", nargs=-1, metavar="[ID...]")
@options.job_filters(reason_option="--where-reason")
@options.why
@click.option("--dry-run", is_flag=True, help="Only show which jobs it would be.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option(
    "--force",
    is_flag=True,
    help="Also forget which account was matched before (see the reason account_changed).",
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
    from workers.ledger import moves
    from workers.ledger.queries import jobs as kept

    if not ids and not any(filters.values()):
        raise click.UsageError("say which jobs: ids or at least one filter, such as --state failed")
    log_errors_only()
    settings = at.settings()
    with at.ledger(settings) as ledger:
        found = [kept.find(ledger, part) for part in ids]
        chosen = list(kept.every(ledger, options.filter_of(filters, found)))
        _sum_up(chosen, to_stderr=json_)
        if dry_run:
            _show(chosen, json_)
        if dry_run or not chosen:
            return 0
        options.agree("Replay them?", yes=yes)

        def again(ledger: "Ledger", job: "JobId") -> str | None:
            done = moves.replay_by(ledger, job, actor=actor(), why=why, force=force, now=now())
            return "replayed" if done else None

        results = _each(ledger, [job.id for job in chosen], again)
        return _tell(settings, results, json_, "is under way already")


def _show(chosen: "Sequence[Job]", json_: bool) -> None:
    if json_:
        for job in chosen:
            show_json(job)
    else:
        show_jobs(chosen)


def _sum_up(chosen: "Sequence[Job]", *, to_stderr: bool) -> None:
    """How many jobs of which kind: "12 jobs: 10 done (deactivated), 2 failed (gave_up)"."""
    kinds = Counter(
        f"{job.state} ({job.outcome or job.reason})" if job.outcome or job.reason else job.state
        for job in chosen
    )
    listed = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common())
    targets = ", ".join(sorted({job.target for job in chosen}))
    number = f"{len(chosen)} job{'' if len(chosen) == 1 else 's'}"
    click.echo(f"{number} in {targets}: {listed}" if chosen else "No job fits.", err=to_stderr)


def _act(name: str, does: str, *, past: str, hint: str) -> click.Command:
    """One of hold, release and cancel: the same command but for what it does."""

    @click.command(name, help=f"{does}\n\n{hint}  Exits 1 if some could not.")
    @options.ids
    @options.why
    @options.as_json
    @click.pass_obj
    def act(at: Situation, ids: Sequence[str], why: str, json_: bool) -> int:
        from workers.ledger.queries import jobs as kept

        log_errors_only()
        settings = at.settings()
        with at.ledger(settings) as ledger:
            found = list(dict.fromkeys(kept.find(ledger, part) for part in ids))
            results = _each(ledger, found, _doing(name, why))
            return _tell(settings, results, json_, f"cannot be {past}")

    return act


def _doing(name: str, why: str) -> Act:
    from workers.ledger import moves

    def release(ledger: "Ledger", job: "JobId") -> str | None:
        done = moves.release_by(ledger, job, actor=actor(), why=why, now=now())
        return "released" if done else None

    def stop(ledger: "Ledger", job: "JobId") -> str | None:
        by = moves.hold_by if name == "hold" else moves.cancel_by
        return by(ledger, job, actor=actor(), why=why, now=now())

    return release if name == "release" else stop


hold = _act(
    "hold",
    "Make jobs wait for a person.",
    past="held",
    hint='A running job stops before its next write, or when its attempt ends ("stopping").',
)
release = _act(
    "release",
    "Let held jobs go on.",
    past="released",
    hint="Every rule is asked again.  Only held jobs can be released; what has ended is replayed.",
)
cancel = _act(
    "cancel",
    "End jobs without doing anything more.",
    past="cancelled",
    hint='A running job stops before its next write, or when its attempt ends ("stopping").',
)


def _each(ledger: "Ledger", jobs: "Sequence[JobId]", act: Act) -> Iterator[Result]:
    from workers.ledger.queries import jobs as kept
    from workers.ledger.queries.jobs import JobFilter

    for job in jobs:
        done = act(ledger, job)
        [after] = kept.listed(ledger, JobFilter(ids=(job,)), limit=1)
        yield Result(job, done or "", after.state)


def _tell(settings: "Settings", results: Iterable[Result], json_: bool, could_not: str) -> int:
    """Tell what happens while it happens, then wake the workers for what is queued now."""
    told = []
    for each in results:
        told.append(each)
        if json_:
            show_json(each)
        else:
            say(f"{each.id}  {each.result or f'{could_not}: it is {each.state}'}")
    wake(settings, [each.id for each in told if each.result and each.state == "queued"])
    return 0 if all(each.result for each in told) else 1
