"""Explaining: a worker answers what would become of a job, or of a leaver, now; by a rehearsal."""

from collections.abc import Mapping
from dataclasses import asdict

import structlog

from workers.decisions import UNKNOWN, Facts
from workers.errors import WorkerStopping
from workers.explanation import Explanation, Matched
from workers.leavers import Action, ExplanationId, Leaver, reckoned
from workers.ledger import LedgerUnavailable, explanations
from workers.ledger.explanations import Question
from workers.ledger.queries import NotFound, ahead, as_json
from workers.ledger.queries.ahead import Ahead
from workers.ledger.queries.jobs import CallMade
from workers.policy import weigh
from workers.rehearse import rehearse
from workers.runtime import Runtime

log = structlog.get_logger(__name__)


def answer(runtime: Runtime, wanted: ExplanationId) -> None:
    """Answer a question of an operator, if nobody else does."""
    if runtime.stopping.is_set():
        return
    try:
        question = explanations.take(runtime.ledger, wanted, runtime.clock.now())
        if question is not None:
            explanations.answer(runtime.ledger, wanted, _answered(runtime, question))
    except WorkerStopping:
        log.info("explanation left to another worker")
    except LedgerUnavailable as error:
        log.error("ledger unavailable", during="explanation", error=str(error))


def _answered(runtime: Runtime, question: Question) -> Mapping[str, object]:
    try:
        told: Mapping[str, object] = as_json(explain(runtime, _ahead(runtime, question)))
    except NotFound as error:
        return {"error": str(error)}
    except (WorkerStopping, LedgerUnavailable):
        raise
    except Exception as error:  # whoever asked must hear of it
        log.exception("explanation broke")
        return {"error": f"{type(error).__name__}; see the log of {runtime.name}"}
    return told


def _ahead(runtime: Runtime, question: Question) -> Ahead:
    if question.job is not None:
        return ahead.of_job(runtime.ledger, question.job, worker=runtime.name)
    if question.leaver is None:
        raise NotFound("a question about nobody")
    return _ahead_of(runtime, question.leaver, question.source, question.target)


def _ahead_of(runtime: Runtime, leaver: Leaver, source: str, target: str) -> Ahead:
    about = {"source": source, "target": target, "worker": runtime.name}
    return ahead.of_leaver(runtime.ledger, leaver, **about, now=runtime.clock.now())


def explain(runtime: Runtime, about: Ahead) -> Explanation:
    """What the next attempt would find and do.  Raises WorkerStopping or LedgerUnavailable."""
    claim = about.claim
    following, road = rehearse(runtime, about)
    targets = runtime.settings.targets_of(claim.source) if road.named else ()
    return Explanation(
        source=claim.source,
        target=claim.target,
        action=claim.action,
        email=claim.email,
        employee_id=claim.employee_id,
        kind=about.kind,
        cutoff=claim.cutoff,
        reckoned=_reckoned(about),
        job=claim.job or None,
        state=about.state,
        outcome=about.outcome,
        reason=about.reason,
        detail=about.detail,
        first=about.first,
        account=_matched(road.facts),
        rules=(*road.hr, *(weigh(road.facts)[1] if road.facts else ())),
        calls=tuple(CallMade(**asdict(call)) for call in road.journal.made),
        next=following,
        then=tuple(
            explain(runtime, _ahead_of(runtime, road.named, claim.source, target))
            for target in targets
            if road.named
        ),
    )


def _matched(facts: Facts | None) -> Matched | None:
    if facts is None or facts.read in (None, UNKNOWN):
        return None
    return Matched(facts.account.id, facts.account.access, facts.account.way)


def _reckoned(about: Ahead) -> str:
    """How the cutoff came about, in words."""
    match about.claim.action:
        case Action.LOOKUP:
            return "HR is asked"
        case Action.REINSTATE:
            return "access is given back at once"
    if about.claim.cutoff != about.said.at:
        return f"moved by what HR said later; at first {about.said.at:%Y-%m-%d %H:%M:%S}Z"
    return reckoned(about.said, about.received_at)
