"""Standard Webhooks: our own contract for Workday integrations and others."""

import json
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.webhook.receiving import NOW, SAMPLES, STANDARD_KEYS
from tests.webhook.sources.conformance import JANE, PEOPLE, SignedSourceConformance
from webhook.sources import standard
from webhook.sources.base import Termination, sign
from webhook.verify import sign_standard, standard_key

FOREIGN_KEY = "whsec_dGVzdC1rZXktb2YtYS1zdHJhbmdlci0xMjM0NTY="


def signed(body: bytes, *, at: datetime = NOW, key: int = 0, event_id: str = "msg_1"):
    secret = standard_key((*STANDARD_KEYS, FOREIGN_KEY)[key])
    headers = sign_standard(body, secret, event_id=event_id, at=at)
    return {"Content-Type": "application/json"} | headers


def worker(**changes: Any) -> dict[str, Any]:
    return {
        "workerId": JANE.employee_id,
        "workEmail": JANE.email,
        "terminationDate": "2026-11-30",
        "immediate": False,
    } | changes


def body_of(data: Any, kind: str = "terminated", **more: Any) -> bytes:
    return json.dumps({"type": f"worker.{kind}", "data": data} | more).encode()


def post(receiver, body: bytes, **how: Any):
    answer = receiver.post("standard", signed(body, **how), body)
    assert answer.status_code == 202
    return answer.json


def leaver(receiver, **changes: Any):
    """The leaver that Jane becomes, with these changes to her data."""
    post(receiver, body_of(worker(**changes)))
    (found,) = receiver.rows("leavers")
    return found


class TestConformance(SignedSourceConformance):
    source = "standard"
    signature_headers = ("webhook-id", "webhook-timestamp", "webhook-signature")
    other_events = (
        b'{"type":"worker.hired","data":{}}',
        b'{"type":"worker.on_leave","data":[{"workerId":"1"}]}',
        b'{"type":"ping"}',
    )

    def person(self, who: Termination) -> dict[str, Any]:
        return worker(workerId=who.employee_id, workEmail=who.email, terminationDate="2026-11-20")

    def without_email(self, person):
        return {name: value for name, value in person.items() if name != "workEmail"}

    def body_of(self, people):
        return body_of(people)

    def signed(self, body, *, at=NOW, key=0):
        return signed(body, at=at, key=key)


def test_the_example_of_the_contract_is_a_leaver(receiver):
    """One worker as an object, whose last day of work comes before the termination date."""
    body = (SAMPLES / "standard" / "terminated.json").read_bytes()

    post(receiver, body)

    (found,) = receiver.rows("leavers")
    assert (found.email, found.employee_id) == ("jane@example.com", "21001")
    assert found.happened_at == datetime(2026, 11, 20, 17, 2, 11, tzinfo=UTC)
    assert found.cutoff == datetime(2026, 11, 27, 23, 0, tzinfo=UTC)


def test_only_the_targets_of_the_source_get_jobs(receiver):
    """This source is configured for one of two."""
    leaver(receiver)

    assert [row.target for row in receiver.rows("jobs")] == ["cloud"]


@pytest.mark.parametrize(
    ("changes", "cutoff"),
    [
        ({}, datetime(2026, 11, 30, 23, 0, tzinfo=UTC)),
        ({"timeZone": "America/Los_Angeles"}, datetime(2026, 12, 1, 8, 0, tzinfo=UTC)),
        ({"timeZone": "Australia/Melbourne"}, datetime(2026, 11, 30, 13, 0, tzinfo=UTC)),
        ({"timeZone": ""}, datetime(2026, 11, 30, 23, 0, tzinfo=UTC)),
        ({"terminationDate": "2026-11-23"}, datetime(2026, 11, 23, 23, 0, tzinfo=UTC)),
        ({"terminationDate": "2026-11-22"}, NOW),
        ({"immediate": True}, NOW),
        ({"immediate": "true", "terminationDate": None}, NOW),
        ({"immediate": True, "terminationDate": "?", "timeZone": "?"}, NOW),
        ({"reason": "Dismissed"}, datetime(2026, 11, 30, 23, 0, tzinfo=UTC)),
        ({"lastDayOfWork": "2026-11-27"}, datetime(2026, 11, 27, 23, 0, tzinfo=UTC)),
        (
            {"lastDayOfWork": "2026-11-27", "accessRevocationAt": "2026-11-24T09:00:00-05:00"},
            datetime(2026, 11, 24, 14, 0, tzinfo=UTC),
        ),
    ],
)
def test_access_ends_with_the_day_in_the_workers_zone(receiver, changes, cutoff):
    """Workday sends weeks early: only `immediate` or the date itself means now."""
    assert leaver(receiver, **changes).cutoff == cutoff


def test_the_hr_date_is_kept_with_its_zone(receiver):
    """An auditor asks what HR said, not what we made of it."""
    found = leaver(receiver, timeZone="Australia/Melbourne")

    assert (found.hr_date, found.hr_zone) == (date(2026, 11, 30), "Australia/Melbourne")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"terminationDate": None}, "bad_date"),
        ({"terminationDate": "30.11.2026"}, "bad_date"),
        ({"terminationDate": ["2026-11-30"]}, "unreadable"),
        ({"timeZone": "Berlin"}, "bad_date"),
        ({"timeZone": "../../etc/passwd"}, "bad_date"),
        ({"timeZone": "Europe"}, "bad_date"),
        ({"timeZone": "x" * 150}, "bad_date"),
        ({"immediate": "soon"}, "unreadable"),
        ({"immediate": 1}, "unreadable"),
        ({"workEmail": "jane"}, "bad_email"),
        ({"workerId": {"id": 1}}, "unreadable"),
        ({"workerId": "1\u0000"}, "unreadable"),
        ({"workerId": "\ud83d"}, "unreadable"),
    ],
)
def test_what_cannot_be_acted_on_is_shown(receiver, changes, reason):
    """Too early and never are both wrong; a person decides."""
    post(receiver, body_of(worker(**changes)))

    (element,) = receiver.rows("elements")
    assert (element.kind, element.reason) == ("quarantined", reason)


def test_two_events_with_one_id_are_two_leavers(receiver):
    """A sender that uses the id wrongly must not lose anybody."""
    post(receiver, body_of(worker()), event_id="same")
    post(receiver, body_of(worker(workerId="2", workEmail="anna@example.com")), event_id="same")

    assert len(receiver.rows("leavers")) == 2


def test_the_same_worker_in_another_event_is_another_leaver(receiver):
    """Terminated, taken back, terminated again: the second one is no repetition."""
    body = body_of(worker())

    post(receiver, body, event_id="first")
    post(receiver, body + b" ", event_id="second")

    assert len(receiver.rows("leavers")) == 2


def hear(receiver, kind: str, at: int, who: str = "1", cutoff: int = 30) -> dict[str, Any]:
    """HR says this of a worker, of minute `at` of today."""
    data = {"workerId": who}
    if kind in ("terminated", "termination_corrected"):
        data |= {"workEmail": f"{who}@example.com", "terminationDate": f"2026-12-{cutoff}"}
    body = body_of([data], kind, timestamp=f"2026-11-23T10:{at:02}:00Z")
    return post(receiver, body, event_id=f"{kind}-{at}-{who}-{cutoff}")


def jobs_of(receiver, who: str = "1") -> list[tuple[str, str, date]]:
    """State, reason and day of the cutoff of a worker's jobs."""
    leavers = {row.id for row in receiver.rows("leavers") if row.employee_id == who}
    jobs = [row for row in receiver.rows("jobs") if row.leaver_id in leavers]
    return sorted((row.state, row.reason, row.cutoff.date()) for row in jobs)


def test_a_correction_moves_the_schedule(receiver):
    """The new date counts, and there is still one job."""
    first = hear(receiver, "terminated", 1)

    again = hear(receiver, "termination_corrected", 2, cutoff=15)

    assert again["jobs"] == first["jobs"]
    assert jobs_of(receiver) == [("scheduled", "cutoff_ahead", date(2026, 12, 15))]


@pytest.mark.parametrize(
    ("kind", "state"), [("termination_rescinded", "cancelled"), ("rehired", "held")]
)
def test_who_stays_needs_neither_address_nor_date(receiver, kind, state):
    """HR takes back what it said of an employee, whose address it may have blanked."""
    first = hear(receiver, "terminated", 1)

    back = hear(receiver, kind, 2)

    assert (back["status"], back["elements"]["leaver"]) == ("accepted", 1)
    assert back["jobs"] == first["jobs"]
    assert [found[0] for found in jobs_of(receiver)] == [state]


def test_who_stays_can_be_told_by_the_address_where_there_is_no_id(receiver):
    """Such a sender never gives ids."""
    data = worker(workerId=None)
    post(receiver, body_of(data, timestamp="2026-11-23T10:01:00Z"), event_id="1")

    back = body_of([data], "termination_rescinded", timestamp="2026-11-23T10:02:00Z")
    post(receiver, back, event_id="2")

    assert [row.state for row in receiver.rows("jobs")] == ["cancelled"]


def test_nobody_can_be_told_without_id_and_address(receiver):
    """An operator must find out who it is, before the cutoff comes."""
    answer = post(receiver, body_of([{}], "termination_rescinded"))

    assert answer["status"] == "quarantined"
    assert [row.reason for row in receiver.rows("elements")] == ["missing_email"]


def test_the_same_worker_and_id_in_another_kind_of_event_is_no_repetition(receiver):
    """A rescind that is taken for a repetition would be lost."""
    post(receiver, body_of(worker(), timestamp="2026-11-23T10:01:00Z"))
    back = body_of(worker(), "termination_rescinded", timestamp="2026-11-23T10:02:00Z")

    post(receiver, back)

    assert [row.state for row in receiver.rows("jobs")] == ["cancelled"]


an_event = st.tuples(
    st.sampled_from(["terminated", "termination_corrected", "termination_rescinded", "rehired"]),
    st.integers(10, 30),
)


@pytest.mark.exhaustive
@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(an_event, min_size=2, max_size=5), st.randoms(use_true_random=False), st.uuids())
def test_events_end_alike_in_whatever_order_they_come(receiver, events, random, unique):
    """Deliveries overtake one another; before the cutoff only the sender's time may count."""
    sent = [(kind, at, cutoff) for at, (kind, cutoff) in enumerate(events)]
    shuffled = random.sample(sent, len(sent))

    for kind, at, cutoff in sent:
        hear(receiver, kind, at, f"{unique}-a", cutoff)
    for kind, at, cutoff in shuffled:
        hear(receiver, kind, at, f"{unique}-b", cutoff)

    assert jobs_of(receiver, f"{unique}-a") == jobs_of(receiver, f"{unique}-b")


def test_what_we_send_is_what_we_read(receiver):
    """`leaver send` must reach the same end as a Workday integration."""
    own = receiver.settings.sources["standard"]
    headers, body = sign(standard, PEOPLE[:3], own, now=NOW)

    answer = receiver.post("standard", headers, body)

    assert answer.json["elements"]["leaver"] == 3
