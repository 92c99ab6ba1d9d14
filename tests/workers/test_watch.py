"""What nobody reports by itself: alarms that open once, and close when their cause is gone."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from config.settings import Window
from config.targets import Target
from tests.workers.records import (
    DAY,
    HOUR,
    LEASE,
    MINUTE,
    NOW,
    SECOND,
    claim,
    delivery,
    job_of,
    locked_out,
    open_alarms,
    person,
    record,
    rows,
)
from workers import watch
from workers.errors import Braked
from workers.leavers import AccountId, Outcome
from workers.ledger import holds, moves, pauses
from workers.ledger import tables as t
from workers.ledger.rejections import KEPT, count_rejections

OVERDUE = [("overdue", "jobs")]
REJECTED = [("rejected_deliveries", "hr")]
PAUSED = [("target_paused", "cloud")]


def alarms_at(ledger, now):
    watch.look(ledger, {}, now)
    return open_alarms(ledger)


def rejected(ledger, count, *, now=NOW, source="hr", reason="signature_wrong"):
    count_rejections(ledger, {(source, reason): count}, now=now)


# --- Unfinished for too long ---


def test_a_job_long_after_its_cutoff_is_an_alarm_until_it_is_finished(ledger):
    """Every job ends; one that does not must not do so in silence."""
    job = job_of(ledger)

    assert alarms_at(ledger, NOW + HOUR) == []
    assert alarms_at(ledger, NOW + HOUR + SECOND) == OVERDUE
    later = NOW + 2 * HOUR
    moves.finish(ledger, claim(ledger, job, now=later), Outcome.NO_ACCOUNT, now=later)
    assert alarms_at(ledger, later) == []


@pytest.mark.parametrize("held", [True, False])
def test_held_and_scheduled_jobs_count_as_well_from_their_cutoff_on(ledger, held):
    """A held job waits for a person who may have forgotten it."""
    job = job_of(ledger, cutoff=NOW + DAY)
    if held:
        moves.hold_by(ledger, job, actor="ops", why="wait", now=NOW)

    assert alarms_at(ledger, NOW + DAY) == []
    assert alarms_at(ledger, NOW + DAY + HOUR + SECOND) == OVERDUE


def test_a_leaver_of_last_month_who_just_came_in_is_not_late_yet(ledger):
    """HR enters some terminations after the fact."""
    job_of(ledger, cutoff=NOW - 30 * DAY)

    assert alarms_at(ledger, NOW + HOUR) == []


# --- Paused for long ---


def test_a_pause_that_lasts_is_an_alarm_until_the_target_is_back(ledger):
    """Nobody's access goes meanwhile."""
    job = job_of(ledger)
    locked_out(ledger, claim(ledger, job), until=NOW + SECOND)

    assert alarms_at(ledger, NOW + 5 * MINUTE) == []
    assert alarms_at(ledger, NOW + 5 * MINUTE + SECOND) == PAUSED
    owned = claim(ledger, job, now=NOW + 6 * MINUTE)
    with ledger.write() as tx:
        pauses.resume(tx, "cloud", owned.job, NOW + 6 * MINUTE)
    assert alarms_at(ledger, NOW + 7 * MINUTE) == []


@pytest.mark.parametrize(
    ("reason", "left"), [("outage", []), ("rate_limited", []), ("credential_refused", PAUSED)]
)
def test_a_pause_that_no_job_waits_for_ends_unless_the_credential_is_wrong(ledger, reason, left):
    """Nobody is there to find out that the target is back, and the alarm would stay for ever."""
    job = job_of(ledger)
    locked_out(ledger, claim(ledger, job), until=NOW + HOUR, reason=reason)
    moves.hold_by(ledger, job, actor="ops", why="wait", now=NOW)

    assert alarms_at(ledger, NOW + HOUR - SECOND) == PAUSED
    assert alarms_at(ledger, NOW + HOUR) == left
    [target] = rows(ledger, t.targets)
    assert (target["paused_at"] is None) is (left == [])


# --- Deliveries turned away ---


@given(st.integers(0, 60), st.integers(0, 60), st.integers(0, 60), st.booleans())
def test_rejections_are_an_alarm_when_all_or_when_many(wrong, unsigned, lately, ever):
    """A mistyped key loses everything; many at once are somebody who tries."""
    alarm = watch.rejections_alarm(
        wrong=wrong, unsigned=unsigned, lately=lately, ever_accepted=ever
    )

    assert alarm is (wrong >= 3 or unsigned >= (20 if ever else 3) or lately >= 50)


def test_strangers_who_knock_on_a_quiet_day_are_no_alarm(ledger):
    """They do not sign; the alarm must still mean something when the key is wrong."""
    record(ledger, delivery(person()))
    rejected(ledger, 19, now=NOW + MINUTE, reason="signature_missing")

    assert alarms_at(ledger, NOW + MINUTE) == []
    rejected(ledger, 1, now=NOW + HOUR, reason="signature_missing")
    assert alarms_at(ledger, NOW + HOUR) == REJECTED


def test_a_sender_that_does_not_sign_is_an_alarm_before_its_first_delivery(ledger):
    """Set up wrong on its side: nothing has ever come from it."""
    rejected(ledger, 3, reason="signature_missing")

    assert alarms_at(ledger, NOW) == REJECTED


def test_a_mistyped_key_is_an_alarm_after_three_deliveries(ledger):
    """HR systems do not send again: each is a leaver nobody heard of."""
    rejected(ledger, 2)
    assert alarms_at(ledger, NOW) == []

    rejected(ledger, 1, now=NOW + HOUR)
    assert alarms_at(ledger, NOW + HOUR) == REJECTED


def test_rejections_before_the_last_accepted_delivery_are_forgotten(ledger):
    """The key works: whatever it was, it was mended."""
    rejected(ledger, 9)
    assert alarms_at(ledger, NOW) == REJECTED

    record(ledger, delivery(person(), at=NOW + MINUTE), now=NOW + MINUTE)
    assert alarms_at(ledger, NOW + 2 * MINUTE) == []


def test_rejections_after_the_last_accepted_delivery_count(ledger):
    """A key that was changed today on one side only."""
    record(ledger, delivery(person()))
    rejected(ledger, 3, now=NOW + MINUTE)

    assert alarms_at(ledger, NOW + MINUTE) == REJECTED


def test_many_at_once_are_an_alarm_though_others_are_accepted(ledger):
    """One of two senders is set up wrong, or somebody tries keys."""
    rejected(ledger, 50)
    record(ledger, delivery(person(), at=NOW + MINUTE), now=NOW + MINUTE)

    assert alarms_at(ledger, NOW + 2 * MINUTE) == REJECTED
    assert alarms_at(ledger, NOW + 10 * MINUTE) == []


def test_the_alarm_of_one_source_says_nothing_of_another(ledger):
    """Each has its own keys."""
    rejected(ledger, 3, source="hr")
    record(ledger, delivery(person(), source="asia"))
    rejected(ledger, 2, source="asia", now=NOW + MINUTE)

    assert alarms_at(ledger, NOW + MINUTE) == REJECTED


@pytest.mark.parametrize("later", [DAY + MINUTE, KEPT + DAY])
def test_the_alarm_of_a_source_that_works_again_closes_however_late(ledger, later):
    """It was mended over a weekend, long after the last rejection."""
    rejected(ledger, 3)
    assert alarms_at(ledger, NOW) == REJECTED

    record(ledger, delivery(person(), at=NOW + later), now=NOW + later)
    count_rejections(ledger, {("asia", "too_large"): 1}, now=NOW + later)

    assert alarms_at(ledger, NOW + later) == []


# --- Once ---


def test_an_alarm_opens_once_however_often_somebody_looks(ledger):
    """Every worker looks every few seconds."""
    job_of(ledger)
    rejected(ledger, 3, now=NOW + 2 * HOUR)

    for seconds in range(5):
        watch.look(ledger, {}, NOW + 2 * HOUR + timedelta(seconds=seconds))

    assert [(row["kind"], row["count"]) for row in rows(ledger, t.alarms)] == [
        ("overdue", 5),
        ("rejected_deliveries", 5),
    ]


def test_a_cause_that_comes_again_is_a_new_alarm(ledger):
    """The record shows both."""
    rejected(ledger, 3)
    watch.look(ledger, {}, NOW)
    record(ledger, delivery(person(), at=NOW + MINUTE), now=NOW + MINUTE)
    watch.look(ledger, {}, NOW + MINUTE)
    rejected(ledger, 3, now=NOW + HOUR)
    watch.look(ledger, {}, NOW + HOUR)

    closed, still_open = rows(ledger, t.alarms)
    assert (closed["closed_at"], still_open["closed_at"]) == (NOW + MINUTE, None)


# --- What waits for a person ---


def remind(ledger, now):
    """What a sweep says again, each with how often it was said by then."""
    with capture_logs() as said:
        watch.remind(ledger, DAY, now)
    return [
        (entry["kind"], entry["subject"], entry["text"], entry.get("count", 1)) for entry in said
    ]


def held(ledger, name="lena", now=NOW):
    job = job_of(ledger, name)
    moves.hold(ledger, claim(ledger, job, now=now), reason="protected", now=now)
    return job


def test_what_waits_for_a_person_is_said_again_each_day_until_it_goes_on(ledger):
    """One line of a log, on a Friday, is forgotten on Monday."""
    job = held(ledger)
    text = f"job {job} in cloud is held (protected): `leaver job {job}`"

    assert remind(ledger, NOW + DAY - SECOND) == []
    assert remind(ledger, NOW + DAY) == [("job_held", job, f"{text}; open for 1d", 2)]
    assert remind(ledger, NOW + DAY + HOUR) == []
    later = NOW + 2 * DAY + 3 * HOUR
    assert remind(ledger, later) == [("job_held", job, f"{text}; open for 51h", 3)]
    [alarm] = rows(ledger, t.alarms)
    assert (alarm["opened_at"], alarm["last_at"], alarm["count"]) == (NOW, later, 3)
    moves.release_by(ledger, job, actor="ops", why="go", now=later)
    assert remind(ledger, NOW + 9 * DAY) == []


def test_a_job_that_an_operator_holds_is_said_once_it_has_waited_too_long(ledger):
    """Whoever holds it knows; a day later they may be on holiday, and the leaver has access."""
    job = job_of(ledger)
    moves.hold_by(ledger, job, actor="ops", why="wait", now=NOW)
    text = f"an operator holds job {job} in cloud since 2026-11-23 12:00Z: `leaver job {job}`"

    assert remind(ledger, NOW + DAY - SECOND) == []
    assert remind(ledger, NOW + DAY) == [("job_held", job, text, 1)]
    assert remind(ledger, NOW + DAY + HOUR) == []
    assert remind(ledger, NOW + 2 * DAY) == [("job_held", job, f"{text}; open for 1d", 2)]
    moves.release_by(ledger, job, actor="ops", why="go", now=NOW + 3 * DAY)
    assert remind(ledger, NOW + 9 * DAY) == []


def test_a_job_that_is_held_before_its_cutoff_is_not_late_before_it(ledger):
    """HR announces a leaving months ahead, and nobody has to decide by then."""
    job = job_of(ledger, cutoff=NOW + 30 * DAY)
    moves.hold_by(ledger, job, actor="ops", why="wait", now=NOW)

    assert remind(ledger, NOW + 31 * DAY - SECOND) == []
    assert [told[:2] for told in remind(ledger, NOW + 31 * DAY)] == [("job_held", job)]


@pytest.mark.parametrize("kind", ["source", "target"])
def test_a_whole_source_or_target_that_is_held_is_said_again(ledger, kind):
    """Everything of it waits, for one word that somebody may have forgotten."""
    side = holds.Side(kind, "x")
    holds.hold(ledger, side, actor="ops", why="wait", now=NOW)

    assert [told[:2] for told in remind(ledger, NOW + DAY)] == [(f"{kind}_held", "x")]
    holds.release(ledger, side, actor="ops", why="go", now=NOW + DAY)
    assert remind(ledger, NOW + 3 * DAY) == []


def test_a_brake_that_stays_tripped_is_said_again(ledger):
    """Everybody waits, and whoever was told on Friday may not come back before Tuesday."""
    about = {"brakes": {"": (Window(1, HOUR),)}, "now": NOW, "lease": LEASE}
    first, second = (claim(ledger, job_of(ledger, name)) for name in ("ada", "bob"))
    moves.intend(ledger, first, AccountId("a1"), **about)
    with pytest.raises(Braked):
        moves.intend(ledger, second, AccountId("a2"), **about)
    moves.hold(ledger, second, reason="brake", now=NOW)

    assert [told[:2] for told in remind(ledger, NOW + DAY)] == [("brake", "all")]


def test_alarms_about_what_nobody_has_to_decide_are_not_said_again(ledger):
    """They close by themselves, and whoever looks counts them."""
    job_of(ledger)
    watch.look(ledger, {}, NOW + 2 * HOUR)

    assert remind(ledger, NOW + 9 * DAY) == []


def test_the_oldest_are_said_first_and_never_too_many_at_once(ledger):
    """Five hundred held leavers must not keep a sweep from its work."""
    late = held(ledger, "late", NOW + HOUR)
    early = held(ledger, "early")
    with ledger.write() as tx:
        rest = [
            {"id": f"{n}", "kind": "job_held", "subject": f"{n}", "text": "", "open_key": f"{n}"}
            for n in range(watch.REMINDERS_AT_A_LOOK)
        ]
        at = {"opened_at": NOW + MINUTE, "last_at": NOW + MINUTE, "count": 1}
        tx.execute(sa.insert(t.alarms), [each | at for each in rest])

    first, second = (remind(ledger, NOW + 2 * DAY) for _ in range(2))

    assert (first[0][1], len(first)) == (early, watch.REMINDERS_AT_A_LOOK)
    assert (len(second), second[-1][1]) == (2, late)


def test_workers_that_look_at_once_say_it_once(ledger):
    """Each of them looks every few seconds."""
    jobs = [held(ledger, f"person-{number}") for number in range(20)]
    start = threading.Barrier(4)

    def look(_number):
        start.wait()
        watch.remind(ledger, DAY, NOW + DAY)

    with capture_logs() as said, ThreadPoolExecutor(4) as threads:
        list(threads.map(look, range(4)))

    assert sorted(entry["subject"] for entry in said) == sorted(jobs)
    assert {row["count"] for row in rows(ledger, t.alarms)} == {2}


# --- A credential that expires ---


def expiring(days):
    target = Target(base_url="https://jira.example.com", key_expires_on=(NOW + days * DAY).date())
    return {"jira-dc": target}


def key_alarms(ledger):
    alarms = rows(ledger, t.alarms)
    return [(row["text"], row["count"], row["closed_at"]) for row in alarms]


def test_a_credential_that_expires_is_told_again_at_each_threshold(ledger):
    """One warning a month before is forgotten by then, and one each second is not read."""
    key = expiring(40)
    for hours in range(0, 42 * 24, 6):
        watch.look(ledger, key, NOW + hours * HOUR)

    told = [text.split(": ")[0] for text, _, _ in key_alarms(ledger)]
    day = (NOW + 40 * DAY).date()
    spans = ("30 days", "14 days", "7 days", "1 day")
    soon = [f"expires on {day}, {span} or less from now" for span in spans]
    assert told == [
        f"the credential of targets.jira-dc {words}" for words in [*soon, f"expired on {day}"]
    ]
    assert {count for _, count, _ in key_alarms(ledger)} == {1}
    assert open_alarms(ledger) == [("key_expires", "jira-dc")]


def test_a_new_credential_closes_the_alarm(ledger):
    """The operator has done what was asked."""
    watch.look(ledger, expiring(3), NOW)

    watch.look(ledger, expiring(365), NOW + MINUTE)

    assert open_alarms(ledger) == []


def test_a_target_that_is_gone_has_no_credential_to_expire(ledger):
    """Nobody could ever close that alarm."""
    watch.look(ledger, expiring(3), NOW)

    watch.look(ledger, {}, NOW + MINUTE)

    assert open_alarms(ledger) == []
