"""A delivery is written down whole and once; only then its sender hears 2xx."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
import sqlalchemy as sa

from tests.workers.records import (
    DAY,
    DEDUP_WINDOW,
    HOUR,
    NOW,
    SECOND,
    audit_of,
    delivery,
    everything,
    job_row,
    moves_of,
    open_alarms,
    person,
    record,
    rounds_of,
    rows,
)
from workers.leavers import Cutoff, DeliveryStatus, Element, ElementKind, Leaver
from workers.ledger import intake
from workers.ledger import tables as t

BROKEN = Element(ElementKind.QUARANTINED, key="key of nobody", reason="bad_email")
IGNORED = Element(ElementKind.IGNORED, key="key of ida", reason="not_a_termination")


def at_once(*tasks):
    """Run all of them, each in a thread of its own, from the same moment on."""
    start = threading.Barrier(len(tasks))

    def run(task):
        start.wait()
        return task()

    with ThreadPoolExecutor(len(tasks)) as threads:
        running = [threads.submit(run, task) for task in tasks]
    return [each.result() for each in running]


def test_a_delivery_makes_one_queued_job_for_each_target(ledger):
    """Access must be gone everywhere, and each system has its own troubles."""
    recorded = record(ledger, delivery(person("lena"), targets=("cloud", "jira-dc")))

    found = [job_row(ledger, job) for job in recorded.jobs]
    assert recorded.status is DeliveryStatus.ACCEPTED
    assert [(row["target"], row["state"], row["due_at"]) for row in found] == [
        ("cloud", "queued", NOW),
        ("jira-dc", "queued", NOW),
    ]


def test_the_raw_body_is_kept_byte_for_byte(ledger):
    """Whoever doubts our reading of a delivery can read it again."""
    record(ledger, delivery(person(), body=b'\x00{"\xff": 1}\r\n'))

    [row] = rows(ledger, t.deliveries)
    assert row["body"] == b'\x00{"\xff": 1}\r\n'


def test_a_job_begins_with_a_round_and_an_audit_entry(ledger):
    """Who started it, and why, is the first question of an audit."""
    [job] = record(ledger, delivery(person())).jobs

    [first] = rounds_of(ledger, job)
    assert (first["round"], first["actor"], first["closed_at"]) == (1, "source:hr", None)
    assert moves_of(ledger, job) == [("open", None, "queued")]


def test_a_cutoff_ahead_makes_the_job_scheduled_until_then(ledger):
    """Nobody loses access before the last day is over."""
    [job] = record(ledger, delivery(person(cutoff=NOW + SECOND))).jobs

    row = job_row(ledger, job)
    assert (row["state"], row["reason"], row["due_at"]) == (
        "scheduled",
        "cutoff_ahead",
        NOW + SECOND,
    )


def test_a_cutoff_that_is_just_reached_is_due(ledger):
    """The cutoff is the instant from which access must be gone, not the one before."""
    [job] = record(ledger, delivery(person(cutoff=NOW))).jobs

    assert job_row(ledger, job)["state"] == "queued"


def test_a_delivery_that_cannot_be_written_leaves_nothing(ledger):
    """Half a delivery would be a leaver who is never looked for again: the sender must retry."""
    nameless = replace(person("bob"), leaver=replace(person("bob").leaver, email=None))
    before = everything(ledger)

    with pytest.raises(sa.exc.IntegrityError):
        record(ledger, delivery(person("lena"), nameless))

    assert everything(ledger) == before


# --- What is known already ---


def test_the_same_body_again_is_a_duplicate_with_the_jobs_of_the_first(ledger):
    """HR systems re-send when our answer is slow."""
    first = record(ledger, delivery(person()))

    again = record(ledger, delivery(person()), now=NOW + HOUR)

    assert again.status is DeliveryStatus.DUPLICATE
    assert (again.delivery, again.jobs, again.elements) == (
        first.delivery,
        first.jobs,
        first.elements,
    )
    [kept] = rows(ledger, t.deliveries)
    assert (kept["repeats"], kept["repeated_at"]) == (1, NOW + HOUR)


def test_the_same_body_from_another_source_is_no_duplicate(ledger):
    """Two HR systems may send the same words about two people."""
    record(ledger, delivery(person(), source="hr"))

    other = record(ledger, delivery(person(), source="hr-asia"))

    assert other.status is DeliveryStatus.ACCEPTED
    assert len(rows(ledger, t.jobs)) == 2


def test_a_known_element_in_another_body_opens_no_second_job(ledger):
    """A sender repeats one person among others, or with a fresh timestamp around it."""
    first = record(ledger, delivery(person("lena"), body=b"first"))

    second = record(ledger, delivery(person("lena"), person("bob"), body=b"second"))

    assert second.status is DeliveryStatus.ACCEPTED
    assert set(first.jobs) < set(second.jobs)
    assert len(rows(ledger, t.jobs)) == 2


def test_a_delivery_of_known_elements_alone_is_a_duplicate(ledger):
    """The sender hears which jobs its event led to."""
    first = record(ledger, delivery(person("lena"), body=b"first"))

    second = record(ledger, delivery(person("lena"), body=b"second"))

    assert second.status is DeliveryStatus.DUPLICATE
    assert second.jobs == first.jobs


def test_the_same_element_twice_in_one_batch_is_one_leaver(ledger):
    """Some HR systems list a person once for each changed field."""
    recorded = record(ledger, delivery(person("lena"), person("lena")))

    assert len(recorded.jobs) == 1
    assert [row["repeated"] for row in rows(ledger, t.elements)].count(True) == 1


@pytest.mark.parametrize("body", [b"the first body", b"another body"])
def test_after_the_dedup_window_an_event_is_a_new_one(ledger, body):
    """In doubt it is a new leaver: what is still open for the person is brought in line with it."""
    record(ledger, delivery(person(), body=b"the first body"))

    later = record(ledger, delivery(person(), body=body), now=NOW + DEDUP_WINDOW)

    assert later.status is DeliveryStatus.ACCEPTED
    assert len(rows(ledger, t.leavers)) == 2


@pytest.mark.parametrize("body", [b"the first body", b"another body"])
def test_within_the_dedup_window_an_event_is_known(ledger, body):
    """A sender may repeat itself for days."""
    record(ledger, delivery(person(), body=b"the first body"))

    later = record(ledger, delivery(person(), body=body), now=NOW + DEDUP_WINDOW - SECOND)

    assert later.status is DeliveryStatus.DUPLICATE
    assert len(rows(ledger, t.jobs)) == 1


@pytest.mark.parametrize("bodies", [[b"same"] * 8, [b"%d" % n for n in range(8)]])
def test_equal_events_that_arrive_at_one_moment_are_one_job(ledger, bodies):
    """A sender's retry meets the first try still under way, in another thread or process."""
    for number in range(5):
        who = person(f"person-{number}")
        given = [delivery(who, body=b"%d %s" % (number, body)) for body in bodies]

        answers = at_once(*(lambda given=each: record(ledger, given) for each in given))

        assert len({answer.jobs for answer in answers}) == 1
        statuses = [answer.status for answer in answers]
        assert statuses.count(DeliveryStatus.ACCEPTED) == 1
        assert statuses.count(DeliveryStatus.DUPLICATE) == len(bodies) - 1
    assert len(rows(ledger, t.jobs)) == 5


def test_batches_that_cross_each_other_are_both_recorded(ledger):
    """Two batches may hold the same people in another order; neither sender should hear 503."""
    people = [person(f"person-{number}") for number in range(30)]
    crossing = [delivery(*people, body=b"up"), delivery(*reversed(people), body=b"down")]

    answers = at_once(*(lambda given=each: record(ledger, given) for each in crossing))

    assert [len(answer.jobs) for answer in answers] == [30, 30]
    assert len(rows(ledger, t.jobs)) == 30


# --- What cannot be acted on ---


def test_one_broken_element_does_not_lose_the_other_forty_nine(ledger):
    """A batch is as good as its elements; the broken one is for an operator to see."""
    people = [person(f"person-{number}") for number in range(49)]

    recorded = record(ledger, delivery(*people[:20], BROKEN, *people[20:]))

    assert recorded.status is DeliveryStatus.ACCEPTED
    assert len(recorded.jobs) == 49
    assert recorded.elements[ElementKind.QUARANTINED] == 1
    [broken] = rows(ledger, t.elements, t.elements.c.kind == "quarantined")
    assert (broken["position"], broken["reason"], broken["leaver_id"]) == (20, "bad_email", None)
    assert open_alarms(ledger) == [("quarantined", "hr")]


@pytest.mark.parametrize(
    ("elements", "status"),
    [
        ([], DeliveryStatus.IGNORED),
        ([IGNORED], DeliveryStatus.IGNORED),
        ([IGNORED, BROKEN], DeliveryStatus.QUARANTINED),
        ([IGNORED, BROKEN, person()], DeliveryStatus.ACCEPTED),
        ([Element(ElementKind.LOOKUP, key="key of lou")], DeliveryStatus.ACCEPTED),
    ],
)
def test_the_status_of_a_delivery_is_that_of_its_weightiest_element(ledger, elements, status):
    """The contract: accepted if any element is a leaver or a lookup."""
    recorded = record(ledger, delivery(*elements))

    assert recorded.status is status
    assert rows(ledger, t.deliveries)[0]["status"] == status


def test_a_delivery_quarantined_as_a_whole_says_why_and_raises_an_alarm(ledger):
    """It was signed correctly, so it may be a leaver; HR will not send it again."""
    recorded = record(ledger, delivery(BROKEN, reason="stale"))

    [kept] = rows(ledger, t.deliveries)
    assert (recorded.status, kept["reason"]) == (DeliveryStatus.QUARANTINED, "stale")
    assert open_alarms(ledger) == [("quarantined", "hr")]


def test_quarantined_deliveries_of_a_source_are_one_open_alarm(ledger):
    """A wrong mapping breaks every delivery; nobody needs to hear of each."""
    for body in (b"1", b"2", b"3"):
        record(ledger, delivery(BROKEN, body=body))

    [alarm] = rows(ledger, t.alarms)
    assert alarm["count"] == 3


# --- Entered by hand ---


def test_an_operator_can_enter_a_leaver_again_and_again(ledger):
    """What a person asks for by name is never swallowed as a repetition."""
    leaver = Leaver("lena@example.com", "", Cutoff(NOW + DAY))

    def enter():
        return intake.enter(
            ledger,
            leaver,
            targets=("cloud",),
            actor="ops",
            reason="told by phone",
            now=NOW,
            request_id="",
        )

    [first], [second] = enter(), enter()

    assert first != second
    assert [row["entered_by"] for row in rows(ledger, t.leavers)] == ["ops", "ops"]
    assert job_row(ledger, first)["state"] == "scheduled"
    [entry] = audit_of(ledger, first)
    assert (entry["actor"], entry["detail"]) == ("ops", "told by phone")


def test_the_same_bytes_signed_again_at_the_right_time_are_news(ledger):
    """A sender's clock was wrong, was mended, and the event was sent again: nobody may be lost."""
    untimely = Element(ElementKind.QUARANTINED, key="", reason="stale")
    record(ledger, delivery(untimely, body=b"lena leaves", reason="stale"))

    recorded = record(ledger, delivery(person(), body=b"lena leaves"))

    assert (recorded.status, len(recorded.jobs)) == (DeliveryStatus.ACCEPTED, 1)


def test_a_captured_delivery_is_kept_once_however_often_it_comes(ledger):
    """Nobody can fill the disk with one."""
    untimely = Element(ElementKind.QUARANTINED, key="", reason="stale")
    stale = delivery(untimely, body=b"lena leaves", reason="stale")

    answers = [record(ledger, stale).status for _ in range(3)]

    assert answers == [DeliveryStatus.QUARANTINED, *[DeliveryStatus.DUPLICATE] * 2]
    assert len(rows(ledger, t.deliveries)) == 1


def test_a_captured_delivery_that_was_accepted_is_a_duplicate(ledger):
    """What is known is known, also when it comes again too late."""
    first = record(ledger, delivery(person(), body=b"lena leaves"))
    untimely = Element(ElementKind.QUARANTINED, key="", reason="stale")

    again = record(ledger, delivery(untimely, body=b"lena leaves", reason="stale"))

    assert (again.status, again.jobs) == (DeliveryStatus.DUPLICATE, first.jobs)
