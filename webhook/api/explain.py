"""What would be done, and why: of a job, of a leaver to be entered, and of a body that HR may post.

A worker says it (webhook/console/explaining.py).  Nothing is changed, so no key is needed; and no
answer is kept, because it is good for now only, and holds personal data.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated

from pydantic import Field

from config.sources import OPERATOR
from webhook.acts.asking import Unanswered
from webhook.acts.explain import ReadBody, ask_about
from webhook.api import access, leavers
from webhook.api.jobs import Shown
from webhook.api.leavers import Leaving
from webhook.api.lists import Line, Listed
from webhook.api.operation import Body, Operation
from webhook.console.explaining import explained
from webhook.console.filters import Mistyped
from webhook.console.situation import at
from webhook.console.words import masked
from workers.explanation import Explanation
from workers.ledger import trail
from workers.ledger.explanations import Question
from workers.ledger.queries import jobs as kept
from workers.ledger.users import Role

#: So much of a body is explained at once: one of the console's few threads waits for it.
MOST = 20


class Posted(Body):
    """What an HR system may post, as text, not signed."""

    source: Line
    body: Annotated[str, Field(min_length=1)]


def job(asked: Shown, job: str) -> Explanation:
    """Explain what the next attempt of a job would do; a worker asks HR and the target."""
    wanted = kept.find(at().ledger, job)
    [told] = _told([Question(wanted)])
    if not asked.reveal:
        return _hidden(told)
    trail.looked(at().ledger, wanted, actor=access.actor(), now=at().now())
    return told


def leaver(said: Leaving) -> Listed[Explanation]:
    """Explain what would be done if this leaver were entered, in each target; none is entered."""
    who, targets = leavers.meant(said)
    told = _told([Question(None, OPERATOR, target, who) for target in targets])
    return Listed(tuple(map(_hidden, told)))


def delivery(asked: Shown, said: Posted) -> ReadBody:
    """Explain what would be done if HR posted this body, person by person; it is not recorded."""
    here = at()
    if said.source not in here.settings.sources:
        raise Mistyped(f"no source {said.source}; known: {', '.join(here.settings.sources)}")
    read = ask_about(here.settings, here.ledger, said.source, said.body.encode(), here.now())
    if len(read.questions) > MOST:
        raise Mistyped(
            f"the body asks {len(read.questions)} questions, one for each person and target; "
            f"{MOST} are answered at once: send a part of it, or use `leaver explain`"
        )
    told = _told(read.questions)
    if not asked.reveal:
        return read.answered([_hidden(each) for each in told])
    about = f"explanation of a body of {said.source}"
    trail.looked(here.ledger, about=about, actor=access.actor(), now=here.now())
    return read.answered(told)


def _told(questions: Sequence[Question]) -> list[Explanation]:
    """What a worker says of each.  Raises Unanswered."""
    told, fault = explained(questions, actor=access.actor())
    if fault:
        raise Unanswered(fault)
    return told


def _hidden(told: Explanation) -> Explanation:
    """The same with its addresses masked."""
    return replace(told, email=masked(told.email), then=tuple(map(_hidden, told.then)))


OPERATIONS = (
    Operation("/jobs/{job}/explanation", job, Role.OPERATOR),
    Operation("/leavers/explain", leaver, Role.OPERATOR, acts=False),
    Operation("/deliveries/explain", delivery, Role.OPERATOR, acts=False),
)
