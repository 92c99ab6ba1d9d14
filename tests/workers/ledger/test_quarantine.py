"""Quarantine: what waits there is read again or dismissed, once, and nothing of it is lost."""

import pytest

from tests.workers.ledger.test_intake import at_once
from tests.workers.records import DEDUP_WINDOW, HOUR, NOW, delivery, person, record, rows
from workers.leavers import DeliveryStatus, Element, ElementKind
from workers.ledger import intake, quarantine
from workers.ledger import tables as t

BROKEN = Element(ElementKind.QUARANTINED, "", "bad_email", employee_id="7")
STALE = Element(ElementKind.QUARANTINED, "", "stale")
STRANGE = Element(ElementKind.QUARANTINED, "", "unreadable")
LATER = NOW + HOUR


def take(ledger, recorded, *elements, body=b"body", reason=""):
    """Read a delivery again."""
    reading = delivery(*elements, body=body, reason=reason, at=LATER)
    return quarantine.take(
        ledger,
        recorded.delivery,
        reading,
        actor="ops",
        why="mapping mended",
        now=LATER,
        dedup_window=DEDUP_WINDOW,
    )


def dismiss(ledger, recorded):
    return quarantine.dismiss(ledger, recorded.delivery, actor="ops", why="a test of HR", now=LATER)


def open_alarms(ledger):
    return [row["subject"] for row in rows(ledger, t.alarms) if row["open_key"]]


def test_what_was_stale_becomes_what_it_says(ledger):
    """Two people who left are two jobs, and the alarm is over."""
    recorded = record(ledger, delivery(STALE, body=b"body", reason="stale"))

    taken = take(ledger, recorded, person("lena"), person("tom"))

    assert (taken.status, len(taken.jobs)) == (DeliveryStatus.ACCEPTED, 2)
    [kept] = rows(ledger, t.deliveries)
    assert (kept["status"], kept["reason"]) == ("accepted", "")
    assert open_alarms(ledger) == []


def test_who_did_it_why_and_what_was_wrong_is_kept(ledger):
    """The row says what is; the audit trail says what was."""
    recorded = record(ledger, delivery(STALE, body=b"body", reason="stale"))

    take(ledger, recorded, person())

    entry = next(row for row in rows(ledger, t.audit) if row["action"] == "reparse")
    assert (entry["actor"], entry["detail"]) == ("ops", "mapping mended")
    assert (entry["from_state"], entry["to_state"], entry["reason"]) == (
        "quarantined",
        "accepted",
        "stale",
    )


def test_what_was_accepted_of_a_batch_is_not_doubled(ledger):
    """The forty-nine have their jobs since the morning."""
    recorded = record(ledger, delivery(person("lena"), BROKEN, person("tom"), body=b"body"))

    taken = take(ledger, recorded, person("lena"), person("seven"), person("tom"))

    assert set(taken.jobs) > set(recorded.jobs)
    assert len(taken.jobs) == len(recorded.jobs) + 1 == len(rows(ledger, t.jobs))
    assert [row["kind"] for row in rows(ledger, t.elements)] == ["leaver"] * 3


def test_who_was_said_again_meanwhile_is_not_doubled(ledger):
    """HR mended its clock and sent it again before anybody looked here."""
    recorded = record(ledger, delivery(STALE, body=b"body", reason="stale"))
    again = record(ledger, delivery(person("lena"), body=b"body"))

    taken = take(ledger, recorded, person("lena"))

    assert taken.jobs == again.jobs
    assert len(rows(ledger, t.jobs)) == 1


def test_the_same_bytes_after_it_are_a_duplicate(ledger):
    """A captured delivery must not be worth more after the reparse."""
    recorded = record(ledger, delivery(STALE, body=b"body", reason="stale"))
    taken = take(ledger, recorded, person("lena"))

    again = record(ledger, delivery(person("lena"), body=b"body"), now=LATER)

    assert (again.status, again.jobs) == (DeliveryStatus.DUPLICATE, taken.jobs)


def test_reading_it_twice_changes_nothing(ledger):
    """An operator presses the button again."""
    recorded = record(ledger, delivery(STRANGE, body=b"body", reason="unreadable"))
    take(ledger, recorded, person("lena"))

    assert take(ledger, recorded, person("lena")) is None
    assert len(rows(ledger, t.jobs)) == 1


def test_two_who_read_it_at_once_make_one_job(ledger):
    """Two operators were woken by the same alarm."""
    recorded = record(ledger, delivery(STRANGE, body=b"body", reason="unreadable"))

    answers = at_once(*[lambda: take(ledger, recorded, person("lena"))] * 2)

    assert sorted(answer is None for answer in answers) == [False, True]
    assert len(rows(ledger, t.jobs)) == 1


def test_what_cannot_be_read_yet_stays_with_what_is_wrong_now(ledger):
    """It was stale, and the mapping does not fit either."""
    recorded = record(ledger, delivery(STALE, body=b"body", reason="stale"))

    taken = take(ledger, recorded, STRANGE, reason="unreadable")

    assert taken.status is DeliveryStatus.QUARANTINED
    assert [row["reason"] for row in rows(ledger, t.elements)] == ["unreadable"]
    assert open_alarms(ledger) == ["hr"]


@pytest.mark.parametrize(
    ("elements", "reason"),
    [((STRANGE,), "unreadable"), ((person("lena"), person("seven"), person("x")), "")],
    ids=["not read at all", "of another length"],
)
def test_a_reading_that_does_not_fit_the_batch_changes_nothing(ledger, elements, reason):
    """Nobody can say which of them was accepted before."""
    recorded = record(ledger, delivery(person("lena"), BROKEN, body=b"body"))

    taken = take(ledger, recorded, *elements, reason=reason)

    assert taken.elements[ElementKind.QUARANTINED] == 1
    assert taken.jobs == recorded.jobs


def test_the_alarm_stays_while_something_of_the_source_waits(ledger):
    """One of two was looked at."""
    recorded = record(ledger, delivery(STRANGE, body=b"body", reason="unreadable"))
    record(ledger, delivery(STRANGE, body=b"another", reason="unreadable"))

    take(ledger, recorded, person("lena"))

    assert open_alarms(ledger) == ["hr"]


def test_what_is_dismissed_waits_no_longer(ledger):
    """So that the alarm can end, and the next one is seen."""
    recorded = record(ledger, delivery(person("lena"), BROKEN, body=b"body"))

    assert dismiss(ledger, recorded)

    broken = [row for row in rows(ledger, t.elements) if row["reason"] == "dismissed"]
    assert [(row["kind"], row["employee_id"]) for row in broken] == [("ignored", "7")]
    assert open_alarms(ledger) == []
    assert not dismiss(ledger, recorded)


def test_bytes_that_were_dismissed_are_news_when_they_come_again(ledger):
    """The operator said that nothing is to be done about this one, not about the next one."""
    recorded = record(ledger, delivery(STRANGE, body=b"body", reason="unreadable"))
    dismiss(ledger, recorded)

    again = record(ledger, delivery(person("lena"), body=b"body"), now=LATER)

    assert again.status is DeliveryStatus.ACCEPTED


def test_a_captured_delivery_that_was_dismissed_stays_known(ledger):
    """Else whoever captured it could raise the alarm for ever."""
    stale = delivery(STALE, body=b"body", reason="stale")
    dismiss(ledger, record(ledger, stale))

    again = record(ledger, stale, now=LATER)

    assert again.status is DeliveryStatus.DUPLICATE
    assert open_alarms(ledger) == []


def bounded(ledger, given):
    return intake.record(ledger, given, now=NOW, dedup_window=DEDUP_WINDOW, quarantine_limit=1)


def test_what_finds_no_room_is_left_to_the_sender(ledger):
    """A broken HR system must not fill the disk, and what it says must not be lost either."""
    bounded(ledger, delivery(STRANGE, body=b"1", reason="unreadable"))

    with pytest.raises(intake.QuarantineFull):
        bounded(ledger, delivery(STRANGE, body=b"2", reason="unreadable"))

    assert len(rows(ledger, t.deliveries)) == 1


def test_whoever_leaves_always_finds_room(ledger):
    """Also with a broken neighbour, also where another source has filled its own quarantine."""
    bounded(ledger, delivery(STRANGE, body=b"1", reason="unreadable"))

    batch = bounded(ledger, delivery(person("lena"), BROKEN, body=b"2"))
    other = bounded(ledger, delivery(STRANGE, body=b"3", reason="unreadable", source="other"))
    known = bounded(ledger, delivery(STRANGE, body=b"1", reason="unreadable"))

    assert (batch.status, other.status, known.status) == (
        DeliveryStatus.ACCEPTED,
        DeliveryStatus.QUARANTINED,
        DeliveryStatus.DUPLICATE,
    )
