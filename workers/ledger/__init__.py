"""The ledger: what we know about every leaver, kept in SQL.  It is the truth; the queue only wakes.

    deliveries  one signed POST: its raw bytes and what became of it
    elements    one person in a delivery
    seen        what makes a delivery or an element known: one row per source and key, unique
    people      one row per person of a source: who writes about a person holds it
    leavers     what HR said of one person: who leaves when, or that they stay
    jobs        one leaver in one target: state, due_at, lease and fencing token
    rounds      a job's life between two replays: who opened it and why, how it ended
    approvals   that a second person wants what a round of a job is about to do
    attempts    one try of a job by one worker
    calls       every call of an attempt
    accounts    which job may write to which account of a target right now
    targets     pauses of a target
    brakes      one row per source and one over all: whether the brake is tripped
    places      who passed the brake in which round, and who waits there
    holds       which whole sources and targets an operator has wait
    alarms      what a person must know; open until its cause is gone
    news        what no message has said yet: an alarm was raised or is over, a job is done
    messages    what people are told
    copies      one message to one of them: when it is tried, whether it was sent
    rejections  counts of deliveries that were not taken, by source, reason and minute
    workers     which worker processes were alive when
    tokens      which programs may use the API
    answers     what programs were answered, by their own keys, for a day
    audit       every move and every operator's action, in order; never changed

A job is in exactly one state.  Every move is one conditional UPDATE in one transaction that also
writes its audit row (moves/), so a crash between two lines can neither lose nor double a leaver.
"""

from workers.ledger.store import Ledger, LedgerOutdated, LedgerUnavailable, open_ledger

__all__ = ["Ledger", "LedgerOutdated", "LedgerUnavailable", "open_ledger"]
