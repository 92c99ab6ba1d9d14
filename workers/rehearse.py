"""A rehearsal: the road of an attempt, up to the first write and no further.

HR is asked by the same code, the same rules are asked in the same order, the target makes the same
calls at the same pace.  Only that the journal refuses every write; nobody takes a lease, an account
or a place at the brake, and no trouble pauses a target.  Nothing is written down.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from workers import reinstate, retry
from workers.decisions import Facts
from workers.deprovision import (
    Done,
    Held,
    NotVerified,
    Order,
    Postponed,
    Result,
    carry_out,
    known,
    learn,
)
from workers.errors import LockedOut, Refused, Stopped, Unavailable
from workers.explanation import Asked, Next
from workers.hr import confirm
from workers.journal import Calls
from workers.leavers import Action, Leaver, LeaverKind, Outcome, State
from workers.ledger import brakes, lookups, moves, reinstatements
from workers.ledger.moves import Claim
from workers.ledger.queries import condition
from workers.ledger.queries.ahead import Ahead
from workers.runtime import Runtime
from workers.targets.base import OUTCOME_OF, Account


class WouldWrite(Exception):
    """The write that would come next; `call` is its constant name."""

    def __init__(self, call: str) -> None:
        self.call = call
        super().__init__(call)


class Rehearsal(Calls):
    """The book of an attempt that changes nothing, neither the job nor the target.

    `wrote` is what an attempt would find: whether something was written in this round before.
    """

    def __init__(self, *, wrote: bool) -> None:
        super().__init__()
        self.wrote = wrote

    def pin(self, account: Account) -> None:
        """Nothing is fixed."""

    def keep(self, account: Account) -> None:
        """Nothing is kept."""

    def watch(self) -> None:
        """Nothing is noted."""

    def intend(self, call: str) -> None:
        """End here.  Raises WouldWrite, always."""
        raise WouldWrite(call)


@dataclass(slots=True)
class Road:
    """What was learned on the way; `named` is whom HR names when it is looked up."""

    journal: Rehearsal
    hr: list[Asked] = field(default_factory=list)
    facts: Facts | None = None
    named: Leaver | None = None


def rehearse(runtime: Runtime, about: Ahead) -> tuple[Next, Road]:
    """What the next attempt would come to.  Raises WorkerStopping or LedgerUnavailable."""
    claim = about.claim
    road = Road(Rehearsal(wrote=claim.intended_at is not None))
    if (waits := _not_taken(runtime, about)) is not None:
        return waits, road
    try:
        match claim.action:
            case Action.LOOKUP:
                return _looked_up(runtime, claim, road), road
            case Action.REINSTATE:
                return _given_back(runtime, about, road), road
            case Action.DEACTIVATE:
                return _switched_off(runtime, about, road), road
    except Refused as error:
        return Next(State.HELD, reason=error.reason, detail=str(error)), road
    except (LockedOut, Unavailable) as error:
        return _in_trouble(claim, error, runtime.clock.now()), road
    except Stopped as asked:
        state, reason = moves.STOPS[asked.stop]
        return Next(state, reason=reason), road


def _not_taken(runtime: Runtime, about: Ahead) -> Next | None:
    """Why no worker would take the job now, whatever the rules say."""
    claim = about.claim
    if claim.source not in runtime.sources():
        return Next(State.HELD, reason="source_missing")
    if claim.target not in runtime.concurrency():
        return Next(State.HELD, reason="target_missing")
    if about.state is State.RUNNING or claim.cutoff > runtime.clock.now():
        return None
    if about.side is not None:
        return Next(State.HELD, reason=about.side.side.reason, detail=str(about.side))
    for pause in condition.pauses(runtime.ledger):
        if pause.target == claim.target:
            state = State.RETRYING if about.state is State.RETRYING else State.QUEUED
            return Next(state, reason=pause.reason, detail=pause.detail, due_at=pause.paused_until)
    return None


def _looked_up(runtime: Runtime, claim: Claim, road: Road) -> Next:
    source = claim.source
    last_email = lookups.last_email(runtime.ledger, source, claim.employee_id)
    now = runtime.clock.now()
    said = runtime.hr[source].employee(
        road.journal, claim.employee_id, last_email=last_email, now=now
    )
    if said is None or said.kind is not LeaverKind.TERMINATED:
        detail = f"HR says: {said.kind}" if said else ""
        return Next(State.DONE, Outcome.NO_LEAVER, detail=detail)
    road.named = said
    return Next(State.DONE, Outcome.LEAVER_FOUND)


def _switched_off(runtime: Runtime, about: Ahead, road: Road) -> Next:
    claim, clock, journal = about.claim, runtime.clock, road.journal
    hr, now = runtime.hr.get(claim.source), clock.now()
    against = confirm.objection(runtime.ledger, hr, claim, journal, now, ask=confirm.ask_only)
    if hr is not None and confirm.concerns(claim, now):
        road.hr = [_asked_once_more(against, "says that they leave, with this e-mail address")]
    if isinstance(against, confirm.Later):
        return _after(Postponed(against.said.cutoff.at, "cutoff_ahead", counted=False))
    if against is not None:
        return _after(against)
    order = _order(runtime, claim)
    facts = known(claim, order, now)
    facts = replace(facts, stop=_stop(about), braked=_braked(runtime, claim, order))
    with runtime.targets[claim.target].session(journal) as target:
        for facts in learn(facts, target, journal):  # noqa: B020 - it goes on from what is known
            road.facts = facts
        try:
            return _after(carry_out(facts, claim, target, journal, order, clock))
        except WouldWrite as write:
            return Next(State.DONE, OUTCOME_OF[facts.account.way], write=write.call)


def _given_back(runtime: Runtime, about: Ahead, road: Road) -> Next:
    claim, clock, journal = about.claim, runtime.clock, road.journal
    hr, now = runtime.hr.get(claim.source), clock.now()
    taken = reinstatements.taken(runtime.ledger, claim, now)
    against: Held | Postponed | None = reinstate.objection(taken)
    if against is None:
        against = confirm.objection_to_reinstating(
            runtime.ledger, hr, claim, journal, out=taken.out, now=now, ask=confirm.ask_only
        )
        if hr is not None and confirm.concerns(claim, now):
            road.hr = [_asked_once_more(against, "says that they work here, or leave later")]
    if against is not None:
        return _after(against)
    order, snapshot = _order(runtime, claim), taken.snapshot or {}
    with runtime.targets[claim.target].session(journal) as target:
        try:
            return _after(reinstate.attempt(claim, snapshot, target, journal, order, clock))
        except WouldWrite as write:
            if stop := _stop(about):
                raise Stopped(stop) from write
            return Next(State.DONE, Outcome.REINSTATED, write=write.call)


def _asked_once_more(against: confirm.Objection | None, agrees: str) -> Asked:
    match against:
        case None:
            words = agrees
        case confirm.Later(said):
            words = f"has a later date by now: {said.cutoff.at:%Y-%m-%d %H:%M:%S}Z"
        case Held(reason, detail):
            words = f"{reason}: {detail}" if detail else reason
        case Postponed(_, reason):
            words = reason
    return Asked("HR asked once more", words, decides=against is not None)


def _order(runtime: Runtime, claim: Claim) -> Order:
    """What the configuration says; where no write is needed, reading back once is enough."""
    order = runtime.order(claim.source, claim.target)
    return replace(order, verify=order.verify.model_copy(update={"timeout": timedelta()}))


def _stop(about: Ahead) -> str:
    """Who would stop the running job at its first write: a word of moves.STOPS, or ""."""
    return about.stop or (about.side.side.reason if about.side else "")


def _braked(runtime: Runtime, claim: Claim, order: Order) -> str:
    """What the brake has against the first write of the round."""
    if claim.intended_at is not None:
        return ""
    return brakes.objection(
        runtime.ledger,
        claim.leaver or None,
        claim.round,
        source=claim.source,
        brakes=order.brakes,
        now=runtime.clock.now(),
    )


def _after(result: Result) -> Next:
    """What a result makes of the job."""
    match result:
        case Done(outcome, detail):
            return Next(State.DONE, outcome, detail=detail)
        case Held(reason, detail):
            return Next(State.HELD, reason=reason, detail=detail)
        case Postponed(due_at, reason):
            state = State.SCHEDULED if reason == "cutoff_ahead" else State.RETRYING
            return Next(state, reason=reason, due_at=due_at)
        case NotVerified(detail):
            return Next(State.RETRYING, reason="not_verified", detail=detail)


def _in_trouble(claim: Claim, error: LockedOut | Unavailable, now: datetime) -> Next:
    """How long an attempt that meets this would wait."""
    if retry.is_own_trouble(
        error, outage_at=claim.outage_at, resumed_at=claim.resumed_at, probing=False
    ):
        return Next(State.RETRYING, reason="unavailable", detail=str(error))
    pause = retry.after_lock_out(error, pauses=0, now=now, spread=0.5)
    return Next(State.RETRYING, reason=pause.reason, detail=str(error), due_at=pause.until)
