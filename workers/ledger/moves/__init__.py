r"""Every move of a job: one conditional UPDATE, with its audit row in the same transaction.

    by_hr        open_job, steer                                    what HR says
    by_operator  hold_by, cancel_by, release_by, replay_by          what an operator says
    by_approver  approve_by, refuse_by                              what a second person says
    by_sweep     mature, take_back, hold_missing, let_go            what was left or let go
    claims       claim, renew                                       a worker takes a job ...
    writes       pin, keep, watch, intend                           ... comes to a write ...
    ends         finish, again, lock_out, give_back, hold, fail     ... and ends its attempt
    stops        how a job that waits or runs is stopped
    move         how each of them is made: nothing else writes `jobs.state`

        record, enter                         hold: from scheduled, queued and retrying at once;
         |         |                          a running job is stopped at its next intend, or
         v         v                          when its attempt ends without success
    scheduled --> queued <------------------------------.
         mature    | ^                                  | release, let_go, approve
             claim | | give_back, take_back             |
                   v |           again                  |
               running <---> retrying               .-> held
                   |   claim    |                   |    |
                   |------------|-------------------'    |
                   |            |        hold            |
        finish     |            | fail                   |
                   v            v                        |
                 done         failed      cancelled <----'  refuse; cancel: from all unfinished
                   \            |            /
                    '-----------+-----------'
                                |
                     replay: a new round, queued or scheduled again

HR may say more of a person: `steer` moves the cutoff (reschedule), cancels (rescind) or holds
(rehire) what is not done.  After the deed a rescind is an alarm, and no move.  What runs by another
date or address than HR says by now is stopped before its write (replace); a job of its own follows.

Where a whole source or target is held (holds.py), claim() holds the job instead of taking it.

Where policy.approve asks for a second person, a job is held (approval_missing) until somebody other
than who asked for it approves (approvals.py); release does not do it.

A job that reinstates moves like any other (reinstatements.py); it is held when HR says that the
person leaves after all, and when its deactivation is replayed.

From the match on, an account is one job's until the attempt ends: nobody writes to what another
job reads, and no job calls an account off while another one switches it on.

The fence: claim() raises the job's token, and every later move of that worker names it.  A worker
whose lease was taken back finds its token gone and raises LeaseLost: it can write nothing.
No success is ever overwritten: a closed round stays as it is, a replay opens the next one.

Locks are taken in one order: the job, then the brake, its account, its target, then alarms.
Transactions that meet wait for one another, and never in a circle.
"""

from workers.ledger.moves.by_approver import CannotApprove, approve_by, refuse_by
from workers.ledger.moves.by_hr import open_job, steer
from workers.ledger.moves.by_operator import cancel_by, hold_by, release_by, replay, replay_by
from workers.ledger.moves.by_sweep import (
    LOST_LIMIT,
    hold_missing,
    let_go,
    mature,
    may_go,
    take_back,
)
from workers.ledger.moves.claims import Claim, claim, renew
from workers.ledger.moves.ends import again, fail, finish, finish_in, give_back, hold, lock_out
from workers.ledger.moves.move import (
    CANCELLABLE,
    HOLDABLE,
    LATE,
    REPLAYABLE,
    TOGETHER,
    TOLD_ELSEWHERE,
)
from workers.ledger.moves.stops import STOPS, ask, by_itself, stop_in
from workers.ledger.moves.writes import intend, keep, pin, watch

__all__ = [
    "CANCELLABLE",
    "HOLDABLE",
    "LATE",
    "LOST_LIMIT",
    "REPLAYABLE",
    "STOPS",
    "TOGETHER",
    "TOLD_ELSEWHERE",
    "CannotApprove",
    "Claim",
    "again",
    "approve_by",
    "ask",
    "by_itself",
    "cancel_by",
    "claim",
    "fail",
    "finish",
    "finish_in",
    "give_back",
    "hold",
    "hold_by",
    "hold_missing",
    "intend",
    "keep",
    "let_go",
    "lock_out",
    "mature",
    "may_go",
    "open_job",
    "pin",
    "refuse_by",
    "release_by",
    "renew",
    "replay",
    "replay_by",
    "steer",
    "stop_in",
    "take_back",
    "watch",
]
