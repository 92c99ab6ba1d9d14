"""Having a worker say what would happen, for a page or a program.

Whoever asks waits for the answer; of the console's few threads, so many at most do that.
"""

import threading
from collections.abc import Sequence
from datetime import timedelta

from webhook.acts.asking import Unanswered, answers
from webhook.console.situation import at
from workers.explanation import Explanation
from workers.ledger.explanations import Question

#: How long each waits for the next answers.
TIMEOUT = timedelta(seconds=12)

_room = threading.BoundedSemaphore(2)


def explained(questions: Sequence[Question], *, actor: str) -> tuple[list[Explanation], str]:
    """The answers that came, in order, and why some did not ("": all came)."""
    told: list[Explanation] = []
    if not _room.acquire(blocking=False):
        return told, "others ask the workers at this moment: try again"
    try:
        here = at()
        told += answers(
            here.ledger, here.waker, questions, actor=actor, timeout=TIMEOUT, clock=here.now
        )
    except Unanswered as why:
        return told, str(why)
    finally:
        _room.release()
    return told, ""
