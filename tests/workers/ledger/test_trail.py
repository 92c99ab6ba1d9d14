"""Who follows the audit trail hears of each move once, however it came in."""

import pytest
import sqlalchemy as sa

from tests.workers.records import NOW, claim, job_of, jobs_of
from workers.leavers import Outcome
from workers.ledger import moves, trail
from workers.ledger.queries.trail import Mark, end, moved
from workers.ledger.tables import audit


def test_jobs_that_moved_are_told_once_in_the_order_of_their_last_moves(ledger):
    """A job that moved twice is as it is now, and what comes last is what happened last."""
    first, second = jobs_of(ledger, 2)
    before = end(ledger)
    claimed = claim(ledger, first)
    moves.hold_by(ledger, second, actor="eve", why="wait", now=NOW)
    moves.finish(ledger, claimed, Outcome.DEACTIVATED, now=NOW)

    told, after = moved(ledger, before)

    assert told == [second, first]
    assert moved(ledger, after) == ([], after)


def test_a_look_is_no_move(ledger):
    """Nor is it to ask a running job to stop: it is as it was."""
    job = job_of(ledger)
    claim(ledger, job)
    before = end(ledger)
    trail.looked(ledger, job, actor="eve", now=NOW)
    moves.hold_by(ledger, job, actor="eve", why="wait", now=NOW)

    assert moved(ledger, before)[0] == []


@pytest.mark.parametrize("marked", [end, lambda ledger: moved(ledger, Mark(0, frozenset()))[1]])
def test_a_move_that_is_committed_after_a_later_one_is_told_too(postgresql_ledger, marked):
    """Its number is lower than what was read already."""
    ledger = postgresql_ledger
    slow, quick = jobs_of(ledger, 2)
    entry = {"at": NOW, "actor": "w", "action": "claim", "job_id": slow, "to_state": "running"}
    with ledger.write() as tx:
        tx.execute(sa.insert(audit).values(entry))
        moves.hold_by(ledger, quick, actor="eve", why="wait", now=NOW)
        before = marked(ledger)

    told, after = moved(ledger, before)

    assert told == [slow]
    assert moved(ledger, after) == ([], after)
