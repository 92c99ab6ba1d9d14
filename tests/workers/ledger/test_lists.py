"""Pages of a list are what looking at every row would give, whichever way one turns them."""

import random

import pytest
import sqlalchemy as sa

from tests.workers.records import HOUR, NOW, job_of
from workers.leavers import UNFINISHED, JobId, Outcome, State, new_id
from workers.ledger import Ledger, tallies
from workers.ledger import tables as t
from workers.ledger.queries import jobs
from workers.ledger.queries.jobs import Job, JobFilter

STATES = (State.DONE, State.DONE, State.HELD, State.FAILED)
OUTCOMES = (Outcome.DEACTIVATED, Outcome.NO_ACCOUNT)
REASONS = ("gave_up", "brake")
SIZE = 4


@pytest.fixture
def every(ledger: Ledger) -> list[Job]:
    """Sixty jobs of many kinds, several at each instant, newest first."""
    pick = random.Random(7)
    job_of(ledger, "ada")
    with ledger.write() as tx:
        one = tx.execute(sa.select(t.jobs)).mappings().one()
        for number in range(60):
            state = pick.choice(STATES)
            done = state is State.DONE
            row = {
                "id": new_id(),
                "target": f"target-{number}",  # one leaver has one job in each
                "source": pick.choice(("hr", "other")),
                "state": state,
                "outcome": pick.choice(OUTCOMES) if done else None,
                "reason": "" if done else pick.choice(REASONS),
                "received_at": NOW - HOUR * pick.randrange(20),
            }
            tx.execute(sa.insert(t.jobs).values({**one, **row}))
            tallies.job_became(tx, None, row)
    found = jobs.listed(ledger, JobFilter(), limit=99)
    return sorted(found, key=lambda job: (job.received_at, job.id), reverse=True)


@pytest.mark.parametrize(
    "by",
    [
        {},
        {"state": State.DONE},
        {"state": State.HELD, "source": "hr"},
        {"outcome": Outcome.NO_ACCOUNT},
        {"reason": "brake"},
        {"reason": "brake", "outcome": Outcome.NO_ACCOUNT},
        {"source": "nobody"},
        {"unfinished": True},
        {"email": "ADA@example.com", "state": State.FAILED},
    ],
)
def test_pages_are_what_looking_at_every_job_gives(ledger, every, by):
    """A page that leaves one out hides a leaver from the operator."""
    for since in (None, NOW - 7 * HOUR, NOW + HOUR):
        wanted = JobFilter(**by, since=since)
        fitting = [job.id for job in every if _fits(job, wanted)]

        assert _turned(ledger, wanted) == fitting
        assert _turned_back(ledger, wanted) == fitting
        assert [job.id for job in jobs.every(ledger, wanted)] == fitting
        assert jobs.count(ledger, wanted) == len(fitting)


def test_nothing_is_older_or_newer_than_a_job_that_is_none(ledger, every):
    """An address that was mistyped must not show a page of whatever comes next."""
    for wanted in (JobFilter(), JobFilter(state=State.DONE)):
        assert jobs.page(ledger, wanted, size=SIZE, after=JobId("nothing")).jobs == ()
        assert jobs.page(ledger, wanted, size=SIZE, before=JobId("nothing")).jobs == ()


def _fits(job: Job, wanted: JobFilter) -> bool:
    names = ("state", "outcome", "source", "reason")
    given = {name: getattr(wanted, name) for name in names if getattr(wanted, name) is not None}
    return (
        all(getattr(job, name) == value for name, value in given.items())
        and (wanted.email is None or job.email == wanted.email.lower())
        and (wanted.since is None or job.received_at >= wanted.since)
        and not (wanted.unfinished and job.state not in UNFINISHED)
    )


def _turned(ledger: Ledger, wanted: JobFilter) -> list[JobId]:
    """From the first page to the last."""
    page = jobs.page(ledger, wanted, size=SIZE)
    found = [job.id for job in page.jobs]
    while page.older:
        page = jobs.page(ledger, wanted, size=SIZE, after=found[-1])
        found += [job.id for job in page.jobs]
    return found


def _turned_back(ledger: Ledger, wanted: JobFilter) -> list[JobId]:
    """From the last page to the first."""
    page = jobs.page(ledger, wanted, size=SIZE, last=True)
    found = [job.id for job in page.jobs]
    while page.newer:
        page = jobs.page(ledger, wanted, size=SIZE, before=found[0])
        found = [*(job.id for job in page.jobs), *found]
    return found
