"""What operators, metrics and scripts are told is what the ledger holds."""

from datetime import date, timedelta

import pytest
import sqlalchemy as sa

from tests.workers.records import DAY, HOUR, LEASE, NOW, claim, delivery, locked_out, person, record
from workers.journal import LedgerJournal
from workers.leavers import (
    AccountId,
    Cutoff,
    DeliveryStatus,
    Element,
    ElementKind,
    Leaver,
    Outcome,
    State,
)
from workers.ledger import intake, moves, rejections
from workers.ledger.queries import NotFound, as_json, condition, deliveries, jobs
from workers.ledger.queries.deliveries import DeliveryFilter
from workers.ledger.queries.jobs import JobFilter
from workers.ledger.tables import workers
from workers.targets.base import Call

JSON_OF_A_JOB = (
    "id leaver source target action email employee_id state outcome reason detail attempts round "
    "cutoff due_at received_at finished_at account_id"
)


def received(ledger, *elements: Element, at=NOW, **about):
    """Record a delivery; its jobs come back in the order of their people."""
    return record(ledger, delivery(*elements, at=at, **about), now=at)


def called(ledger, claimed: moves.Claim) -> None:
    journal = LedgerJournal(ledger, claimed, lambda: NOW)
    journal.record(Call("users.search", "POST", "/admin/v2/x", False, NOW, 12, status=200))


def ids(found) -> list[str]:
    return [each.id for each in found]


def test_a_job_in_json_has_the_fields_of_the_contract(ledger):
    """Scripts of our users read these names."""
    received(ledger, person("ada"))

    [job] = jobs.every(ledger, JobFilter())

    assert " ".join(as_json(job)) == JSON_OF_A_JOB
    assert as_json(job)["cutoff"] == "2026-11-23T12:00:00.000Z"


@pytest.mark.parametrize(
    "wanted",
    [
        JobFilter(email="ADA@Example.com"),
        JobFilter(state=State.HELD),
        JobFilter(reason="operator_hold"),
        JobFilter(target="cloud", source="hr"),
        JobFilter(since=NOW + HOUR),
    ],
)
def test_each_filter_finds_what_fits_and_nothing_else(ledger, wanted):
    """A replay with a filter that lets others through would act on the wrong people."""
    received(ledger, person("bob"), source="other", targets=("dc",))
    [job] = received(ledger, person("ada"), at=NOW + HOUR).jobs
    moves.hold_by(ledger, job, actor="eve", why="wait", now=NOW)

    found = list(jobs.every(ledger, wanted))

    assert ids(found) == [job]
    assert jobs.count(ledger, wanted) == 1


def test_filters_by_outcome_and_by_id_find_done_jobs(ledger):
    """`leaver jobs --outcome no_account` is how unknown people are found."""
    first, second = received(ledger, person("ada"), person("bob")).jobs
    moves.finish(ledger, claim(ledger, first), Outcome.NO_ACCOUNT, now=NOW)

    by_outcome = jobs.listed(ledger, JobFilter(outcome=Outcome.NO_ACCOUNT), limit=9)
    by_id = jobs.listed(ledger, JobFilter(ids=(second,)), limit=9)

    assert ids(by_outcome) == [first]
    assert by_outcome[0].outcome is Outcome.NO_ACCOUNT
    assert ids(by_id) == [second]


def test_pages_show_every_job_once_and_the_newest_first(ledger, monkeypatch):
    """A list that skips or repeats at a page's end hides a leaver."""
    monkeypatch.setattr(jobs, "PAGE", 3)
    opened = received(ledger, *(person(f"p{n}") for n in range(8))).jobs

    found = ids(jobs.every(ledger, JobFilter()))

    assert found == sorted(opened, reverse=True)


def test_a_job_in_full_tells_every_round_attempt_call_and_operator(ledger):
    """Whoever is called at night must see what was tried, by whom, and why."""
    [job] = received(ledger, person("ada")).jobs
    claimed = claim(ledger, job)
    called(ledger, claimed)
    moves.pin(ledger, claimed, AccountId("a1"), now=NOW, lease=LEASE)
    moves.keep(ledger, claimed, {"status": "active"})
    moves.fail(ledger, claimed, reason="gave_up", detail="no luck", now=NOW)
    moves.replay_by(ledger, job, actor="eve", why="mended", now=NOW)
    claim(ledger, job)

    told = jobs.one(ledger, job)

    first, second = told.rounds
    assert (first.state, first.reason, second.actor, second.why) == (
        "failed",
        "gave_up",
        "eve",
        "mended",
    )
    assert [call.name for call in first.attempts[0].calls] == ["users.search"]
    assert [attempt.worker for attempt in second.attempts] == ["w1"]
    assert [entry.action for entry in told.audit] == ["open", "claim", "fail", "replay", "claim"]
    assert (told.account_id, told.snapshot) == ("a1", {"status": "active"})
    assert (told.hr_date, told.hr_zone) == (date(2026, 11, 23), "UTC")


def test_a_job_in_full_names_the_deliveries_that_brought_it(ledger):
    """The question after "why was she deactivated" is "who said so"."""
    first = received(ledger, person("ada"), body=b"one")
    again = received(ledger, person("ada"), body=b"two")

    told = jobs.one(ledger, first.jobs[0])

    assert set(told.deliveries) == {first.delivery, again.delivery}


def test_what_an_operator_entered_shows_operator_and_reason(ledger):
    """A leaver that no HR system sent is somebody's decision."""
    leaver = Leaver("ada@example.com", "", Cutoff(NOW))
    [job] = intake.enter(
        ledger, leaver, targets=("cloud",), actor="eve", reason="called in", now=NOW, request_id=""
    )

    told = as_json(jobs.one(ledger, job))

    assert (told["entered_by"], told["entered_reason"]) == ("eve", "called in")


@pytest.mark.parametrize("cut", [slice(0, 36), slice(0, 24), slice(28, None)])
def test_a_job_is_found_by_its_id_or_by_the_begin_or_end_of_it(ledger, cut):
    """Nobody types 36 characters on the telephone."""
    [job] = received(ledger, person("ada")).jobs
    nobody = "0192f0c1-7e3a-7abc-8def-0123456789ab"

    assert jobs.find(ledger, job[cut].upper()) == job
    with pytest.raises(NotFound, match="no job has the id"):
        jobs.find(ledger, nobody[cut])


def test_a_part_of_two_ids_finds_neither(ledger):
    """Guessing which one was meant would act on the wrong person."""
    first, second = received(ledger, person("ada"), person("bob")).jobs
    shared = first[:8]
    assert second.startswith(shared)

    with pytest.raises(NotFound, match=r"several ids begin or end with"):
        jobs.find(ledger, shared)


@pytest.mark.parametrize("part", ["", "0192f", "%", "______", "ada@example.com", "'; --"])
def test_what_is_no_part_of_an_id_is_refused(ledger, part):
    """A wildcard in an id must not match whatever there is."""
    received(ledger, person("ada"))

    with pytest.raises(NotFound, match="not the id of a job"):
        jobs.find(ledger, part)


def test_a_delivery_shows_its_people_and_its_body(ledger):
    """One broken person in a batch must be visible, with why."""
    broken = Element(ElementKind.QUARANTINED, key="", reason="bad_email", employee_id="7")
    kept = received(ledger, person("ada"), broken, body=b'{"x": "\xff"}')

    told = deliveries.one(ledger, kept.delivery)

    assert told.elements[ElementKind.QUARANTINED] == 1
    assert [(each.kind, each.reason, each.jobs) for each in told.people] == [
        (ElementKind.LEAVER, "", kept.jobs),
        (ElementKind.QUARANTINED, "bad_email", ()),
    ]
    assert told.body == '{"x": "\\xff"}'


def test_quarantined_finds_accepted_deliveries_with_a_quarantined_person(ledger):
    """49 good people must not hide the fiftieth."""
    broken = Element(ElementKind.QUARANTINED, key="", reason="bad_email")
    mixed = received(ledger, person("ada"), broken)
    whole = received(ledger, broken, body=b"unreadable")
    received(ledger, person("bob"), body=b"fine")

    found = deliveries.every(ledger, DeliveryFilter(status=DeliveryStatus.QUARANTINED))

    assert ids(found) == [whole.delivery, mixed.delivery]


def test_deliveries_are_found_by_source_time_and_repetition(ledger):
    """`leaver deliveries --since 1h` is the first look when HR says "we sent it"."""
    received(ledger, person("ada"), body=b"old")
    received(ledger, person("bob"), source="other", at=NOW + HOUR, body=b"other")
    new = received(ledger, person("cyd"), at=NOW + HOUR, body=b"new")
    received(ledger, person("cyd"), at=NOW + HOUR, body=b"new")

    by_time = DeliveryFilter(source="hr", since=NOW + HOUR)
    by_repeat = DeliveryFilter(status=DeliveryStatus.DUPLICATE)

    assert ids(deliveries.every(ledger, by_time)) == [new.delivery]
    assert ids(deliveries.every(ledger, by_repeat)) == [new.delivery]
    assert deliveries.count(ledger, by_time) == 1


def test_rejections_are_counted_since_a_time(ledger):
    """A mistyped key loses every event, and the count is what shows it."""
    count = {("hr", "signature_wrong"): 3}
    rejections.count_rejections(ledger, count, now=NOW - HOUR)
    rejections.count_rejections(ledger, count, now=NOW)

    assert deliveries.rejected(ledger, since=NOW) == {("hr", "signature_wrong"): 3}


def test_the_total_of_rejections_never_falls(ledger):
    """A counter that falls reads as a restart, and every graph of it jumps."""
    count = {("hr", "signature_wrong"): 3}
    rejections.count_rejections(ledger, count, now=NOW - 30 * DAY)
    rejections.count_rejections(ledger, count, now=NOW - 15 * DAY)

    rejections.count_rejections(ledger, count, now=NOW)

    assert condition.figures(ledger, now=NOW).rejected == {("hr", "signature_wrong"): 9}
    assert deliveries.rejected(ledger, since=NOW - 30 * DAY) == count


def test_figures_count_everything_by_its_words(ledger):
    """Metrics are read from the ledger, so that many processes agree."""
    first, second, _ = received(ledger, person("ada"), person("bob"), person("cyd")).jobs
    received(ledger, person("ada"), person("bob"), person("cyd"))
    moves.finish(ledger, claim(ledger, first), Outcome.DEACTIVATED, now=NOW)
    moves.hold(ledger, claim(ledger, second), reason="protected", now=NOW)
    rejections.count_rejections(ledger, {("hr", "too_large"): 2}, now=NOW)

    told = condition.figures(ledger, now=NOW)

    assert told.jobs == {
        ("hr", "cloud", "done", "deactivated", ""): 1,
        ("hr", "cloud", "held", "", "protected"): 1,
        ("hr", "cloud", "queued", "", ""): 1,
    }
    assert told.deliveries == {("hr", "accepted"): 1, ("hr", "duplicate"): 1}
    assert told.rejected == {("hr", "too_large"): 2}
    assert told.alarms == {"job_held": 1}


def test_the_oldest_unfinished_job_counts_held_and_scheduled_ones(ledger):
    """A held job that nobody looks at must become visible, not fall out of the figure."""
    [job] = received(ledger, person("ada")).jobs
    moves.hold_by(ledger, job, actor="eve", why="wait", now=NOW)

    told = condition.figures(ledger, now=NOW + HOUR)

    assert (told.oldest_unfinished, told.oldest_overdue) == (HOUR, HOUR)


def test_a_scheduled_job_is_not_overdue_before_its_cutoff(ledger):
    """Notice given months ahead is no alarm."""
    received(ledger, person("ada", cutoff=NOW + 5 * HOUR))

    before = condition.figures(ledger, now=NOW + HOUR)
    after = condition.figures(ledger, now=NOW + 6 * HOUR)

    assert (before.oldest_unfinished, before.oldest_overdue) == (HOUR, timedelta())
    assert after.oldest_overdue == HOUR


def test_nothing_is_old_in_an_empty_ledger(ledger):
    """The first scrape comes before the first delivery."""
    told = condition.figures(ledger, now=NOW)

    assert (told.jobs, told.oldest_unfinished, told.workers) == ({}, timedelta(), 0)


def test_a_worker_that_fell_silent_is_not_alive(ledger):
    """Nobody deactivates anybody while every worker is dead."""
    for name, age in (("dead", HOUR), ("alive", timedelta(seconds=5))):
        with ledger.write() as tx:
            tx.execute(sa.insert(workers).values(name=name, started_at=NOW, seen_at=NOW - age))

    assert [worker.name for worker in condition.workers(ledger, now=NOW)] == ["alive"]
    assert condition.figures(ledger, now=NOW).workers == 1


def test_a_pause_shows_its_target_reason_and_call(ledger):
    """All jobs wait for it, so it is the first thing to know."""
    [job] = received(ledger, person("ada")).jobs
    claimed = claim(ledger, job)
    locked_out(ledger, claimed, until=NOW + HOUR, reason="credential_refused")

    [pause] = condition.pauses(ledger)

    assert (pause.target, pause.reason, pause.call, pause.paused_until) == (
        "cloud",
        "credential_refused",
        "users.search",
        NOW + HOUR,
    )
    assert condition.figures(ledger, now=NOW).paused == {"cloud": "credential_refused"}
    assert [alarm.kind for alarm in condition.alarms_open(ledger)] == ["target_paused"]
