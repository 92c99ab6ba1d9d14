"""Every move in every order, against a model: what must hold of a job, always.

* a job is in exactly one state, and one audit entry tells of each change, in an unbroken chain
* a closed round never changes: no success is ever overwritten
* the token never goes back, and who holds an old one writes nothing
* attempts are never forgotten within a round
* who does not run has no lease, and no account
* no two jobs may write to one account of a target at once
* while a source or target is held, no job of it is claimed, and none may write
* the tallies say what counting says
* what must be approved is written only in a round that a second person has approved
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.workers.records import (
    LEASE,
    MINUTE,
    NOW,
    counted,
    delivery,
    open_alarms,
    pause_of,
    person,
    record,
    rows,
    tallied,
    try_claim,
)
from workers.errors import AccountBusy, LeaseLost, Stopped
from workers.journal import LedgerJournal
from workers.leavers import FINISHED, AccountId, JobId, Outcome, State, new_id
from workers.ledger import Ledger, approvals, due, holds, moves
from workers.ledger import tables as t
from workers.ledger.holds import Side
from workers.targets.base import Call

WAITING = (State.QUEUED, State.RETRYING)
HOLDABLE = (State.SCHEDULED, *WAITING)
JOBS = 3  # few, so that much happens to each
PLACES = 2  # how many jobs of the target may run at once
MOSTLY = st.sampled_from([True, True, True, False])
BY: dict[str, Any] = {"actor": "ops", "why": "told so"}


@dataclass
class Model:
    """What we believe of a job."""

    id: JobId
    state: State
    cutoff: datetime
    due_at: datetime
    round: int = 1
    attempts: int = 0
    token: int = 0
    lost: int = 0
    lease_until: datetime | None = None
    stop: str | None = None
    held_with: str = ""  # the reason word, where it is held with its source or target
    to_approve: bool = False  # held until a second person decides
    approved: set[int] = field(default_factory=set)  # rounds
    changes: int = 1  # of state, each with an audit entry
    claims: list[moves.Claim] = field(default_factory=list)
    closed: dict[int, dict[str, Any]] = field(default_factory=dict)

    def moved(self, state: State, held_with: str = "") -> None:
        self.state = state
        self.held_with = held_with
        self.to_approve = False
        self.changes += 1
        self.stop = None
        self.lease_until = None


class Machine(RuleBasedStateMachine):
    """Workers, sweeps and operators at a handful of jobs of one target."""

    def __init__(self, ledger: Ledger) -> None:
        super().__init__()
        self.ledger = ledger
        # Of this run alone: the ledger is shared by all.
        self.source, self.target = f"source-{new_id()}", f"target-{new_id()}"
        self.held: set[Side] = set()
        self.now = NOW
        self.jobs: list[Model] = []
        self.holders: dict[AccountId, tuple[JobId, int, datetime]] = {}

    # --- What may happen ---

    @precondition(lambda self: len(self.jobs) < JOBS)
    @rule(ahead=st.sampled_from([False, False, True]))
    def leaver(self, ahead):
        cutoff = self.now + 2 * MINUTE if ahead else self.now
        who = person(new_id(), cutoff=cutoff)
        about = {"source": self.source, "targets": (self.target,)}
        [job] = record(self.ledger, delivery(who, **about), now=self.now).jobs
        state = State.SCHEDULED if ahead else State.QUEUED
        self.jobs.append(Model(job, state, cutoff, due_at=cutoff))

    @rule(seconds=st.sampled_from([1, 20, 31, 120]))
    def time_passes(self, seconds):
        self.now += timedelta(seconds=seconds)

    @precondition(lambda self: self._running() < PLACES and self._waits())
    @rule(data=st.data())
    def claim(self, data):
        job = self._any_job(data, *WAITING)
        if data.draw(MOSTLY):
            self.now = max(self.now, job.due_at, self._open_from())
        due = job.state in WAITING and job.due_at <= self.now
        free = due and not self.held and self._running() < PLACES
        pause = pause_of(self.ledger, self.target)
        if pause is not None:
            probed = pause["probe_until"] is not None and pause["probe_until"] > self.now
            free = free and pause["paused_until"] <= self.now and not probed

        claim = try_claim(
            self.ledger,
            job.id,
            now=self.now,
            sources=[self.source],
            concurrency={self.target: PLACES},
        )

        assert (claim is not None) is free
        if due and self.held:
            job.moved(State.HELD, min(side.reason for side in self.held))
        if claim is not None:
            assert (claim.token, claim.round, claim.attempts) == (
                job.token + 1,
                job.round,
                job.attempts,
            )
            assert claim.approved is (job.round in job.approved)
            job.moved(State.RUNNING)
            job.token, job.lease_until = claim.token, self.now + LEASE
            job.claims.append(claim)

    @precondition(lambda self: self._claims())
    @rule(
        data=st.data(),
        end=st.sampled_from(
            [
                *("again", "busy", "give_back", "finish", "lock_out", "before cutoff", "fail"),
                *("hold", "hold", "hold to be approved"),
            ]
        ),
    )
    def attempt_ends(self, data, end):
        job, claim = self._any_claim(data)
        act, state, counted = self._end(claim, end)
        if not self._owns(job, claim):
            with pytest.raises(LeaseLost):
                act()
            return

        act()

        stop = job.stop
        if stop and state is not State.DONE:
            state = State.HELD if stop == "hold" else State.CANCELLED
        job.moved(state)
        job.to_approve = end == "hold to be approved" and not stop
        job.attempts += counted
        job.lost = 0
        job.due_at = {"before cutoff": self.now + MINUTE, "lock_out": self.now + MINUTE}.get(
            end, self.now
        )
        self._free(job)

    @precondition(lambda self: self._claims())
    @rule(
        data=st.data(), account=st.sampled_from(["a1", "a1", "a1", "a2"]), to_approve=st.booleans()
    )
    def worker_intends_to_write(self, data, account, to_approve):
        job, claim = self._any_claim(data)
        account = AccountId(account)
        refusal = self._refusal(job, claim, account, to_approve=to_approve)

        def intend():
            about = {"to_approve": to_approve, "now": self.now, "lease": LEASE}
            moves.intend(self.ledger, claim, account, brakes={}, **about)

        if refusal is not None:
            with pytest.raises(refusal):
                intend()
            return
        intend()
        job.lease_until = self.now + LEASE
        self.holders[account] = (job.id, claim.token, self.now + LEASE)

    @precondition(lambda self: self._claims())
    @rule(data=st.data())
    def worker_makes_a_call(self, data):
        job, claim = self._any_claim(data)
        call = Call("users.search", "POST", "/", False, self.now, 5, status=200)
        journal = LedgerJournal(self.ledger, claim, lambda: self.now)
        if not self._owns(job, claim):
            with pytest.raises(LeaseLost):
                journal.record(call)
            return
        journal.record(call)
        job.lease_until = self.now + LEASE
        for account, (holder, token, _) in self.holders.items():
            if (holder, token) == (job.id, claim.token):
                self.holders[account] = (holder, token, self.now + LEASE)

    @precondition(lambda self: self.jobs)
    @rule(
        data=st.data(),
        look=st.sampled_from(["take back", "take back", "mature", "no target", "let go"]),
    )
    def sweep_looks(self, data, look):
        match look:
            case "take back":
                self._sweep_takes_back(self._any_job(data, State.RUNNING), data)
            case "mature":
                self._sweep_lets_mature(self._any_job(data, State.SCHEDULED), data)
            case "no target":
                self._sweep_finds_no_target(self._any_job(data, *HOLDABLE))
            case "let go":
                self._sweep_lets_go()

    def _sweep_takes_back(self, job, data):
        if job.lease_until is not None and data.draw(MOSTLY):
            self.now = max(self.now, job.lease_until)
        expired = job.lease_until is not None and job.lease_until <= self.now

        taken = moves.take_back(self.ledger, job.id, actor="sweep", now=self.now)

        assert taken is expired
        if taken:
            state = {"hold": State.HELD, "cancel": State.CANCELLED}.get(str(job.stop), State.QUEUED)
            job.lost += 1
            if state is State.QUEUED and job.lost >= moves.LOST_LIMIT:
                state = State.HELD
            job.moved(state)
            job.token += 1
            job.attempts += 1
            job.due_at = self.now
            self._free(job)

    def _sweep_lets_mature(self, job, data):
        if data.draw(MOSTLY):
            self.now = max(self.now, job.due_at)
        due = job.state is State.SCHEDULED and job.due_at <= self.now

        assert moves.mature(self.ledger, job.id, actor="sweep", now=self.now) is due

        if due:
            job.moved(State.QUEUED)

    def _sweep_finds_no_target(self, job):
        waits = job.state in HOLDABLE

        held = moves.hold_missing(self.ledger, job.id, kind="target", actor="sweep", now=self.now)
        assert held is waits

        if waits:
            job.moved(State.HELD)

    def _sweep_lets_go(self):
        free = [job for job in self.jobs if job.held_with and not self._kept(job)]

        ours = {job.id for job in self.jobs}
        assert ours & {*due.let_go(self.ledger)} == {job.id for job in free}

        for job in free:
            assert moves.let_go(self.ledger, job.id, actor="sweep", now=self.now)
            self._begin_again(job)

    @precondition(lambda self: self.jobs)
    @rule(kind=st.sampled_from(["source", "target"]), act=st.sampled_from(["hold", "release"]))
    def operator_speaks_of_a_side(self, kind, act):
        side = Side(kind, getattr(self, kind))
        says = holds.hold if act == "hold" else holds.release

        changed = says(self.ledger, side, now=self.now, **BY)

        assert changed is ((side in self.held) is (act == "release"))
        self.held = self.held | {side} if act == "hold" else self.held - {side}

    @precondition(lambda self: self.jobs)
    @rule(data=st.data(), act=st.sampled_from(["hold", "cancel", "release", "replay", "force"]))
    def operator_acts(self, data, act):
        match act:
            case "hold" | "cancel":
                self._operator_stops(self._any_job(data, State.RUNNING), act)
            case "release":
                self._operator_releases(self._any_job(data, State.HELD))
            case "replay" | "force":
                self._operator_replays(self._any_job(data, *FINISHED), force=act == "force")

    def _operator_stops(self, job, stop):
        ask = moves.hold_by if stop == "hold" else moves.cancel_by
        stoppable = HOLDABLE if stop == "hold" else (*HOLDABLE, State.HELD)
        end = State.HELD if stop == "hold" else State.CANCELLED

        answer = ask(self.ledger, job.id, now=self.now, **BY)

        if job.state is State.RUNNING:
            assert answer == "stopping"
            job.stop = stop
        elif job.state in stoppable or job.held_with:
            assert answer == end
            job.moved(end)
        else:
            assert answer is None

    def _operator_releases(self, job):
        held = job.state is State.HELD and not self._kept(job) and not job.to_approve

        assert moves.release_by(self.ledger, job.id, now=self.now, **BY) is held

        if held:
            self._begin_again(job)

    def _operator_replays(self, job, *, force):
        ended = job.state in (State.HELD, *FINISHED)

        replayed = moves.replay_by(self.ledger, job.id, force=force, now=self.now, **BY)

        assert replayed is ended
        if replayed:
            self._begin_again(job)
            job.round += 1
            job.attempts = 0

    @precondition(lambda self: any(job.to_approve for job in self.jobs))
    @rule(data=st.data(), decide=st.sampled_from([moves.approve_by, moves.refuse_by]))
    def second_person_decides(self, data, decide):
        waits = [job for job in self.jobs if job.to_approve]
        asked = approvals.asked(self.ledger, [job.id for job in self.jobs])
        assert set(asked) == {job.id for job in waits}
        job = data.draw(st.sampled_from(waits))

        by = {"actor": "boss", "why": "as they asked", "now": self.now}
        decide(self.ledger, job.id, seen=asked[job.id].seen, **by)

        if decide is moves.approve_by:
            job.approved.add(job.round)
            self._begin_again(job)
        else:
            job.moved(State.CANCELLED)

    # --- What must always hold ---

    @invariant()
    def jobs_are_what_they_should_be(self):
        kept = {row["id"]: row for row in rows(self.ledger, t.jobs, t.jobs.c.target == self.target)}
        alarmed = set(open_alarms(self.ledger)) if self.jobs else set()
        for job in self.jobs:
            row = kept[job.id]
            assert (row["state"], row["round"], row["attempts"], row["token"], row["stop"]) == (
                job.state,
                job.round,
                job.attempts,
                job.token,
                job.stop,
            )
            assert row["lease_until"] == job.lease_until
            assert (row["finished_at"] is not None) is (job.state in FINISHED)
            assert (row["outcome"] is not None) is (job.state is State.DONE)
            assert job.held_with in ("", row["reason"])
            held = job.state is State.HELD and row["reason"] not in moves.TOLD_ELSEWHERE
            assert (("job_held", job.id) in alarmed) is held
            assert (("job_failed", job.id) in alarmed) is (job.state is State.FAILED)

    @invariant()
    def the_tallies_say_what_counting_says(self):
        jobs = rows(self.ledger, t.jobs, t.jobs.c.target == self.target)
        assert tallied(self.ledger, "jobs", t.tallies.c.target == self.target) == counted(jobs)

    @invariant()
    def every_change_of_state_is_in_the_audit_trail_once(self):
        entries = self._all(t.audit, t.audit.c.to_state.is_not(None))
        for job in self.jobs:
            chain = [entry for entry in entries if entry["job_id"] == job.id]
            assert len(chain) == job.changes
            before = None
            for entry in chain:
                assert entry["from_state"] == before
                before = entry["to_state"]
            assert before == job.state

    @invariant()
    def a_closed_round_never_changes(self):
        every = self._all(t.rounds)
        for job in self.jobs:
            kept = {row["round"]: dict(row) for row in every if row["job_id"] == job.id}
            assert list(kept) == list(range(1, job.round + 1))
            for number, closed in job.closed.items():
                assert kept[number] == closed
            job.closed = {n: row for n, row in kept.items() if row["closed_at"] is not None}
            under_way = {job.round} if job.state not in FINISHED else set()
            assert kept.keys() - job.closed.keys() == under_way

    @invariant()
    def no_two_jobs_may_write_to_one_account(self):
        held = rows(self.ledger, t.accounts, t.accounts.c.target == self.target)
        kept = {
            row["account_id"]: (row["job_id"], row["token"], row["lease_until"]) for row in held
        }
        assert kept == self.holders

    @invariant()
    def no_more_run_than_may(self):
        assert self._running() <= PLACES

    # --- How it is done ---

    def _any_job(self, data: st.DataObject, *states: State) -> Model:
        """Mostly one in these states, so that much happens; now and then whichever."""
        apt = [job for job in self.jobs if job.state in states]
        mostly = bool(apt) and data.draw(MOSTLY)
        return data.draw(st.sampled_from(apt if mostly else self.jobs))

    def _open_from(self) -> datetime:
        """From when on somebody may try the target, paused or not."""
        pause = pause_of(self.ledger, self.target)
        if pause is None:
            return self.now
        return max(pause["paused_until"], pause["probe_until"] or self.now)

    def _all(self, table: sa.Table, *where: sa.ColumnElement[bool]) -> list[sa.RowMapping]:
        """The rows of a table about our jobs."""
        ours = table.c.job_id.in_([job.id for job in self.jobs])
        return rows(self.ledger, table, ours, *where)

    def _claims(self) -> list[tuple[Model, moves.Claim]]:
        return [(job, claim) for job in self.jobs for claim in job.claims]

    def _any_claim(self, data: st.DataObject) -> tuple[Model, moves.Claim]:
        """Mostly the latest of a job; a worker that is long lost may write at any time."""
        latest = [(job, job.claims[-1]) for job in self.jobs if job.claims]
        return data.draw(st.sampled_from(latest if data.draw(MOSTLY) else self._claims()))

    def _owns(self, job: Model, claim: moves.Claim) -> bool:
        return job.state is State.RUNNING and job.token == claim.token

    def _refusal(
        self, job: Model, claim: moves.Claim, account: AccountId, *, to_approve: bool
    ) -> type[Exception] | None:
        """Why the leave to write to this account must not be given."""
        if not self._owns(job, claim):
            return LeaseLost
        if job.stop or self.held or (to_approve and job.round not in job.approved):
            return Stopped
        holder, _, lease_until = self.holders.get(account, (job.id, 0, self.now))
        return AccountBusy if holder != job.id and lease_until > self.now else None

    def _running(self) -> int:
        return sum(job.state is State.RUNNING for job in self.jobs)

    def _waits(self) -> bool:
        return any(job.state in WAITING for job in self.jobs)

    def _kept(self, job: Model) -> bool:
        """Whether the source or target with which it was held is held still."""
        return job.held_with in {side.reason for side in self.held}

    def _free(self, job: Model) -> None:
        self.holders = {
            account: held for account, held in self.holders.items() if held[0] != job.id
        }

    def _begin_again(self, job: Model) -> None:
        ahead = job.cutoff > self.now
        job.moved(State.SCHEDULED if ahead else State.QUEUED)
        job.due_at = job.cutoff if ahead else self.now
        job.lost = 0

    def _end(self, claim: moves.Claim, end: str):
        """The act, the state that it leads to, and whether the attempt counts."""
        ledger, now = self.ledger, self.now
        later = now + MINUTE
        again: dict[str, Any] = {"counted": False, "now": now}
        ends = {
            "finish": (
                lambda: moves.finish(ledger, claim, Outcome.DEACTIVATED, now=now),
                State.DONE,
                True,
            ),
            "again": (
                lambda: moves.again(ledger, claim, now, reason="not_verified", now=now),
                State.RETRYING,
                True,
            ),
            "busy": (
                lambda: moves.again(ledger, claim, now, reason="account_busy", **again),
                State.RETRYING,
                False,
            ),
            "before cutoff": (
                lambda: moves.again(ledger, claim, later, reason="cutoff_ahead", **again),
                State.SCHEDULED,
                False,
            ),
            "lock_out": (
                lambda: moves.lock_out(
                    ledger, claim, later, reason="outage", call="users.search", detail="", now=now
                ),
                State.RETRYING,
                False,
            ),
            "give_back": (
                lambda: moves.give_back(ledger, claim, reason="worker_stopped", now=now),
                State.QUEUED,
                False,
            ),
            "hold": (
                lambda: moves.hold(ledger, claim, reason="protected", now=now),
                State.HELD,
                True,
            ),
            "hold to be approved": (
                lambda: moves.hold(ledger, claim, reason=approvals.MISSING, now=now),
                State.HELD,
                True,
            ),
            "fail": (
                lambda: moves.fail(ledger, claim, reason="gave_up", detail="", now=now),
                State.FAILED,
                True,
            ),
        }
        return ends[end]


@pytest.mark.exhaustive
def test_whatever_happens_in_whatever_order_the_promises_hold(ledger):
    """Workers, sweeps and operators that know nothing of each other."""
    run_state_machine_as_test(
        lambda: Machine(ledger),
        settings=settings(
            max_examples=30,
            stateful_step_count=50,
            suppress_health_check=list(HealthCheck),
        ),
    )
