"""The Celery tasks.  A message is a wake-up with an id; a forged or doubled one does nothing."""

from celery import Celery

from workers.attempts import run
from workers.dispatch import ATTEMPT, EXPLAIN
from workers.explain import answer
from workers.leavers import ExplanationId, JobId
from workers.runtime import Runtime


def register(app: Celery, runtime: Runtime) -> None:
    """Make the tasks known to this worker's app."""

    @app.task(name=ATTEMPT)
    def attempt(job: str) -> None:
        run(runtime, JobId(job))

    @app.task(name=EXPLAIN)
    def explain(question: str) -> None:
        answer(runtime, ExplanationId(question))
