"""GET /metrics: read from the ledger at each scrape, so that any number of processes agree.

No personal data, and labels of few values only.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from prometheus_client import generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4 as CONTENT_TYPE
from prometheus_client.registry import Collector

from workers.ledger import Ledger, LedgerUnavailable
from workers.ledger.queries import condition
from workers.ledger.queries.condition import Figures

__all__ = ["CONTENT_TYPE", "scraped"]


def scraped(ledger: Ledger, now: datetime) -> bytes:
    """All metrics as Prometheus text; of a ledger that cannot be read only that."""
    try:
        figures = condition.figures(ledger, now=now)
    except LedgerUnavailable:
        figures = None
    return generate_latest(_Collected([*_families(figures)]))


class _Collected(Collector):
    """What the exposition wants to be asked."""

    def __init__(self, families: Sequence[Metric]) -> None:
        self._families = families

    def collect(self) -> Sequence[Metric]:
        """The families that were made before."""
        return self._families


def _families(figures: Figures | None) -> Iterator[Metric]:
    up = "1 if the ledger can be read; without it no other metric is shown."
    yield _gauge("leaver_ledger_up", up, float(figures is not None))
    if figures is None:
        return
    yield _labelled(
        GaugeMetricFamily(
            "leaver_jobs",
            "Jobs kept: one leaver in one target each.",
            labels=("source", "target", "state", "outcome", "reason"),
        ),
        figures.jobs.items(),
    )
    yield _gauge(
        "leaver_oldest_unfinished_job_seconds",
        "Age of the oldest job that has not ended, held and scheduled ones included.",
        figures.oldest_unfinished.total_seconds(),
    )
    yield _gauge(
        "leaver_oldest_overdue_job_seconds",
        "How long the oldest unfinished job is past the time when it had to be done.",
        figures.oldest_overdue.total_seconds(),
    )
    yield _labelled(
        GaugeMetricFamily(
            "leaver_deliveries", "Deliveries kept, and duplicates.", labels=("source", "status")
        ),
        figures.deliveries.items(),
    )
    yield _labelled(
        CounterMetricFamily(
            "leaver_rejected_deliveries",
            "Deliveries that were not taken.",
            labels=("source", "reason"),
        ),
        figures.rejected.items(),
    )
    yield _labelled(
        GaugeMetricFamily(
            "leaver_target_paused",
            "1 while no job of the target is worked on.",
            labels=("target", "reason"),
        ),
        [((target, reason), int(bool(reason))) for target, reason in figures.paused.items()],
    )
    yield _labelled(
        GaugeMetricFamily(
            "leaver_brake_tripped",
            "1 while everybody waits at this brake; without a source it is the one over all.",
            labels=("source",),
        ),
        [((source,), tripped) for source, tripped in figures.brakes.items()],
    )
    yield _gauge("leaver_brake_waiting_leavers", "Leavers who wait for a release.", figures.braked)
    yield _labelled(
        GaugeMetricFamily("leaver_alarms_open", "What a person must know now.", labels=("kind",)),
        [((kind,), count) for kind, count in figures.alarms.items()],
    )
    yield _labelled(
        GaugeMetricFamily(
            "leaver_messages",
            "Messages of the last 30 days, for each recipient: waiting, sent or given_up.",
            labels=("state",),
        ),
        [((state,), count) for state, count in figures.messages.items()],
    )
    yield _gauge("leaver_workers", "Worker processes that are alive.", figures.workers)


def _gauge(name: str, meaning: str, value: float) -> Metric:
    return GaugeMetricFamily(name, meaning, value=value)


def _labelled(
    family: GaugeMetricFamily | CounterMetricFamily, values: Iterable[tuple[Sequence[str], int]]
) -> Metric:
    for labels, value in sorted(values):
        family.add_metric(labels, value)
    return family
