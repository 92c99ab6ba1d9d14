"""GET /metrics says what the ledger holds, in the format that Prometheus reads."""

from collections import defaultdict
from contextlib import suppress
from datetime import timedelta

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from config.settings import Window
from tests.workers.records import HOUR, NOW, claim, delivery, job_of, jobs_of, locked_out, record
from workers.errors import Braked
from workers.leavers import AccountId, Element, ElementKind, Outcome
from workers.ledger import moves, outbox, rejections
from workers.ledger.outbox import Message, MessageKind
from workers.ledger.tables import copies, workers

TYPES = {
    "leaver_ledger_up": "gauge",
    "leaver_jobs": "gauge",
    "leaver_oldest_unfinished_job_seconds": "gauge",
    "leaver_oldest_overdue_job_seconds": "gauge",
    "leaver_deliveries": "gauge",
    "leaver_rejected_deliveries": "counter",
    "leaver_target_paused": "gauge",
    "leaver_brake_tripped": "gauge",
    "leaver_brake_waiting_leavers": "gauge",
    "leaver_alarms_open": "gauge",
    "leaver_messages": "gauge",
    "leaver_workers": "gauge",
}


@pytest.fixture
def scrape(console):
    """What Prometheus gets."""

    def visit(ledger, now=NOW):
        response = console(ledger, now).get("/metrics")
        assert response.status_code == 200
        assert response.content_type == "text/plain; version=0.0.4; charset=utf-8"
        return response.text

    return visit


@pytest.fixture
def values(scrape):
    """What it reads: each metric with its values by labels, in the order of the labels' names."""

    def read(ledger, now=NOW):
        found = defaultdict(dict)
        for family in text_string_to_metric_families(scrape(ledger, now)):
            for sample in family.samples:
                labels = tuple(value for _, value in sorted(sample.labels.items()))
                found[sample.name][labels] = sample.value
        return found

    return read


def test_every_metric_has_its_type_and_a_meaning(ledger, scrape):
    """A dashboard shows the meaning beside the number."""
    families = list(text_string_to_metric_families(scrape(ledger)))

    assert {family.name: family.type for family in families} == TYPES
    assert all(family.documentation for family in families)


def test_jobs_are_counted_by_source_target_state_outcome_and_reason(ledger, values):
    """An alert on "held" names why."""
    first, second, _third = jobs_of(ledger, 3)
    moves.finish(ledger, claim(ledger, first), Outcome.DEACTIVATED, now=NOW)
    moves.hold(ledger, claim(ledger, second), reason="protected", now=NOW)

    assert values(ledger)["leaver_jobs"] == {
        ("deactivated", "", "hr", "done", "cloud"): 1,
        ("", "protected", "hr", "held", "cloud"): 1,
        ("", "", "hr", "queued", "cloud"): 1,
    }


def test_ages_are_those_of_the_oldest_job(ledger, values):
    """A held job that nobody looks at grows old in sight."""
    job = job_of(ledger, "lena", cutoff=NOW + HOUR)
    moves.hold_by(ledger, job, actor="eve", why="wait", now=NOW)

    found = values(ledger, NOW + 3 * HOUR)

    assert found["leaver_oldest_unfinished_job_seconds"] == {(): 3 * 3600}
    assert found["leaver_oldest_overdue_job_seconds"] == {(): 2 * 3600}


def test_pauses_alarms_rejections_and_workers_are_shown(ledger, values):
    """All that an alert can be made of."""
    locked_out(ledger, claim(ledger, job_of(ledger)), reason="credential_refused")
    rejections.count_rejections(ledger, {("hr", "signature_wrong"): 7}, now=NOW)
    for name, age in (("w1", timedelta()), ("w2", timedelta()), ("dead", HOUR)):
        with ledger.write() as tx:
            tx.execute(sa.insert(workers).values(name=name, started_at=NOW, seen_at=NOW - age))

    found = values(ledger)

    assert found["leaver_target_paused"] == {("credential_refused", "cloud"): 1}
    assert found["leaver_alarms_open"] == {("target_paused",): 1}
    assert found["leaver_rejected_deliveries_total"] == {("signature_wrong", "hr"): 7}
    assert found["leaver_workers"] == {(): 2}
    assert found["leaver_ledger_up"] == {(): 1}


def test_a_tripped_brake_is_shown_with_who_waits(ledger, values):
    """For an alert that does not depend on our own messages."""
    brakes = {"": (Window(1, HOUR),)}
    for job in jobs_of(ledger, 3):
        owned = claim(ledger, job)
        with suppress(Braked):
            account = AccountId(job)
            moves.intend(ledger, owned, account, brakes=brakes, now=NOW, lease=HOUR)

    found = values(ledger)

    assert found["leaver_brake_tripped"][("",)] == 1
    assert found["leaver_brake_waiting_leavers"] == {(): 2}


def test_a_ledger_that_cannot_be_read_is_a_metric_too(lost_ledger, values):
    """The alert that matters most must not depend on the ledger."""
    assert values(lost_ledger) == {"leaver_ledger_up": {(): 0}}


def test_no_metric_names_a_person(ledger, scrape):
    """Metrics are kept for years, in other hands."""
    broken = Element(ElementKind.QUARANTINED, "", "bad_email", employee_id="employee-4711")
    record(ledger, delivery(broken, body=b"4711"))
    job_of(ledger, "lena")

    told = scrape(ledger)

    assert "lena" not in told
    assert "4711" not in told
    assert "example.com" not in told


# One ledger serves all examples: each begins by emptying the table.
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(source=st.text(max_size=64), reason=st.text(max_size=64))
def test_any_text_is_a_label(ledger, values, source, reason):
    """One strange name must not make the whole scrape unreadable."""
    with ledger.write() as tx:
        tx.execute(sa.delete(rejections.rejections))
    rejections.count_rejections(ledger, {(source, reason): 7}, now=NOW)

    found = values(ledger)["leaver_rejected_deliveries_total"]

    assert found == {(reason, source): 7}


def test_messages_are_counted_by_what_became_of_them(ledger, values):
    """Whoever watches the metrics hears that nobody hears; a test is no message that was lost."""
    with ledger.write() as tx:
        sent = outbox.put(tx, Message(MessageKind.ALARM, "a title", "a text"), NOW)
        for number, fate in enumerate(({"sent_at": NOW}, {"due_at": NOW}, {"gave_up_at": NOW})):
            own = {"message_id": sent, "recipient": str(number), "name": "notify.urls[1] (json)"}
            tx.execute(sa.insert(copies).values(own | fate))
        test = outbox.put(tx, Message(MessageKind.TEST, "a test", "a text"), NOW)
        tx.execute(sa.insert(copies).values(own | {"message_id": test, "gave_up_at": NOW}))

    assert values(ledger)["leaver_messages"] == {("given_up",): 1, ("sent",): 1, ("waiting",): 1}
