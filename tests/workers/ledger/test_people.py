"""What becomes of a person's jobs when HR says more than once what the person does."""

import itertools
from dataclasses import replace
from datetime import datetime

import pytest
import sqlalchemy as sa

from tests.workers.ledger.meetings import one_behind_the_other
from tests.workers.records import DAY, HOUR, LEASE, NOW, delivery, record, try_claim
from workers.errors import Stopped
from workers.leavers import (
    AccountId,
    Cutoff,
    Element,
    ElementKind,
    JobId,
    Leaver,
    LeaverKind,
    Outcome,
    State,
)
from workers.ledger import Ledger, moves, quarantine
from workers.ledger import tables as t

T, C, X, H = (
    LeaverKind.TERMINATED,
    LeaverKind.CORRECTED,
    LeaverKind.RESCINDED,
    LeaverKind.REHIRED,
)


def says(kind: LeaverKind, day: int, *, cutoff: int = 30, person: str = "7") -> Element:
    """HR says this of one person on that day; who leaves does so on day `cutoff`."""
    at = NOW + day * DAY
    leaver = Leaver("lena@example.com", person, Cutoff(NOW + cutoff * DAY), kind, happened_at=at)
    key = f"{person}-{kind}-{day}-{cutoff}"
    return Element(ElementKind.LEAVER, key, employee_id=person, leaver=leaver)


def hear(ledger: Ledger, *elements: Element, now: datetime = NOW) -> tuple[JobId, ...]:
    return record(ledger, delivery(*elements, at=now), now=now).jobs


def jobs(ledger: Ledger, person: str = "7") -> list[tuple[str, str, int]]:
    """State, reason and day of the cutoff of a person's jobs."""
    query = sa.select(t.jobs).join(t.leavers).where(t.leavers.c.employee_id == person)
    with ledger.read() as tx:
        rows = tx.execute(query.order_by(t.jobs.c.id)).mappings().all()
    return sorted((row["state"], row["reason"], (row["cutoff"] - NOW).days) for row in rows)


def alarms(ledger: Ledger) -> list[str]:
    with ledger.read() as tx:
        return list(tx.scalars(sa.select(t.alarms.c.kind).where(t.alarms.c.open_key.is_not(None))))


def done(ledger: Ledger, job: JobId, now: datetime) -> None:
    claim = try_claim(ledger, job, now=now)
    assert claim is not None
    moves.intend(ledger, claim, AccountId(f"of {job}"), brakes={}, now=now, lease=LEASE)
    moves.finish(ledger, claim, Outcome.DEACTIVATED, now=now)


STORIES = [
    ((T, 1, 30), (C, 2, 40)),
    ((T, 1, 30), (X, 2, 30)),
    ((T, 1, 30), (H, 2, 30)),
    ((T, 1, 30), (T, 2, 35)),
    ((T, 1, 30), (X, 2, 30), (T, 3, 33)),
    ((T, 1, 30), (H, 2, 30), (T, 3, 33)),
    ((T, 1, 30), (C, 2, 40), (X, 3, 30), (C, 4, 41)),
    ((T, 1, 30), (C, 2, 40), (H, 3, 30), (T, 4, 44), (X, 5, 30)),
]


@pytest.mark.parametrize("story", STORIES, ids=str)
def test_any_order_of_arrival_before_the_cutoff_ends_alike(sqlite_ledger, story):
    """Deliveries overtake one another; nobody may be deactivated because of it."""
    results = {}
    for person, order in enumerate(itertools.permutations(story)):
        for number, (kind, day, cutoff) in enumerate(order):
            said = says(kind, day, cutoff=cutoff, person=str(person))
            hear(sqlite_ledger, said, now=NOW + number * HOUR)
        results[order] = jobs(sqlite_ledger, str(person))

    assert len(set(map(tuple, results.values()))) == 1, results


def test_a_correction_moves_the_schedule(ledger):
    """The new date counts, and there is still one job."""
    hear(ledger, says(T, 1))

    hear(ledger, says(C, 2, cutoff=40))

    assert jobs(ledger) == [(State.SCHEDULED, "cutoff_ahead", 40)]


def test_a_correction_to_the_past_queues_the_job(ledger):
    """A past cutoff means now."""
    [job] = hear(ledger, says(T, 1))

    hear(ledger, says(C, 2, cutoff=-1))

    assert try_claim(ledger, job)


def test_a_rescind_cancels_what_is_scheduled(ledger):
    """HR took it back in time: nothing happens to the account."""
    hear(ledger, says(T, 1))

    hear(ledger, says(X, 2))

    assert jobs(ledger) == [(State.CANCELLED, "rescinded", 30)]


def test_a_rescind_that_came_first_counts(ledger):
    """Deliveries overtake one another."""
    hear(ledger, says(X, 2))

    hear(ledger, says(T, 1))

    assert jobs(ledger) == [(State.CANCELLED, "rescinded", 30)]


def test_a_rehire_holds_the_job(ledger):
    """Somebody who works here again is a person's decision."""
    hear(ledger, says(T, 1))

    hear(ledger, says(H, 2))

    assert jobs(ledger) == [(State.HELD, "rehired", 30)]


def test_a_second_termination_with_the_same_bytes_after_a_rehire_is_a_second_leaver(ledger):
    """Dedup never reaches across a rehire."""
    bare = Element(
        ElementKind.LEAVER,
        "same",
        leaver=Leaver("lena@example.com", "7", Cutoff(NOW + 30 * DAY)),
    )
    hear(ledger, bare)
    rehired = Leaver("", "7", Cutoff(NOW), LeaverKind.REHIRED)
    hear(ledger, Element(ElementKind.LEAVER, "rehired", leaver=rehired), now=NOW + DAY)

    hear(ledger, bare, now=NOW + 2 * DAY)

    assert [state for state, _, _ in jobs(ledger)] == [State.HELD, State.SCHEDULED]


def test_a_rescind_after_the_deed_is_an_alarm_and_changes_nothing(ledger):
    """Only a person can give the access back; nobody may miss it."""
    [job] = hear(ledger, says(T, -1, cutoff=0))
    done(ledger, job, NOW)

    hear(ledger, says(X, 1))

    assert (jobs(ledger), alarms(ledger)) == ([(State.DONE, "", 0)], ["rescinded_late"])


def test_an_operator_ends_the_alarm_about_a_late_rescind_by_a_replay_or_a_dismissal(ledger):
    """Else it stays for ever, whatever was done about the account."""
    ends = {
        "8": lambda job, _: moves.replay_by(ledger, job, actor="ops", why="must go", now=NOW),
        "9": lambda _, rescind: quarantine.dismiss(
            ledger, rescind, actor="ops", why="enabled by hand", now=NOW
        ),
    }
    for person, end in ends.items():
        [job] = hear(ledger, says(T, -1, cutoff=0, person=person))
        done(ledger, job, NOW)
        rescind = record(ledger, delivery(says(X, 1, person=person)))
        assert alarms(ledger) == ["rescinded_late"]

        end(job, rescind.delivery)

        assert alarms(ledger) == []


def test_a_rescind_stops_a_running_job_before_its_write(ledger):
    """The intend step asks just before the write."""
    [job] = hear(ledger, says(T, -1, cutoff=0))
    claim = try_claim(ledger, job)
    assert claim is not None
    hear(ledger, says(X, 1))

    with pytest.raises(Stopped):
        moves.intend(ledger, claim, AccountId("a"), brakes={}, now=NOW, lease=LEASE)


def test_a_later_date_stops_a_running_job_before_its_write(ledger):
    """It would take the access away by the old date; a job of its own waits for the new one."""
    [job] = hear(ledger, says(T, -1, cutoff=0))
    claim = try_claim(ledger, job)
    assert claim is not None
    hear(ledger, says(C, 1, cutoff=9))

    with pytest.raises(Stopped):
        moves.intend(ledger, claim, AccountId("a"), brakes={}, now=NOW, lease=LEASE)
    moves.hold(ledger, claim, reason="unclear_account", now=NOW)

    waits, ended = (State.SCHEDULED, "cutoff_ahead", 9), (State.CANCELLED, "replaced", 0)
    assert jobs(ledger) == [ended, waits]


def test_the_same_date_once_more_stops_no_running_job(ledger):
    """HR systems say things twice; whoever leaves now is not to wait for the second word."""
    [job] = hear(ledger, says(T, -1, cutoff=0))
    claim = try_claim(ledger, job)
    assert claim is not None
    hear(ledger, says(T, 1, cutoff=0))

    moves.intend(ledger, claim, AccountId("a"), brakes={}, now=NOW, lease=LEASE)


def test_a_termination_after_the_deed_gets_a_job_of_its_own(ledger):
    """Somebody may have enabled the account meanwhile; in doubt we look again."""
    [job] = hear(ledger, says(T, -1, cutoff=0))
    done(ledger, job, NOW)

    hear(ledger, says(T, 1, cutoff=0))

    assert [state for state, _, _ in jobs(ledger)] == [State.DONE, State.QUEUED]


def test_two_people_of_one_source_do_not_touch_each_other(ledger):
    """The employee id tells them apart, also with one e-mail address."""
    hear(ledger, says(T, 1))
    other = Leaver("lena@example.com", "8", Cutoff(NOW), LeaverKind.RESCINDED)

    hear(ledger, Element(ElementKind.LEAVER, "other", leaver=other))

    assert jobs(ledger) == [(State.SCHEDULED, "cutoff_ahead", 30)]


# --- Whom an event is about ---


def by_email(kind: LeaverKind, day: int, *, email: str = "Lena@example.com") -> Element:
    """HR says it without the employee id."""
    said = says(kind, day, person="")
    assert said.leaver is not None
    return replace(said, leaver=replace(said.leaver, email=email))


def test_what_is_taken_back_without_the_employee_id_finds_its_termination(ledger):
    """Else the account of somebody who stays is switched off in silence."""
    hear(ledger, says(T, 1))

    hear(ledger, by_email(X, 2))

    assert jobs(ledger) == [("cancelled", "rescinded", 30)]
    assert alarms(ledger) == []


def test_a_termination_without_the_employee_id_is_found_by_what_has_one(ledger):
    """The other way round, and what comes later with the id alone finds it too."""
    hear(ledger, by_email(T, 1))

    hear(ledger, says(C, 2, cutoff=40))
    assert jobs(ledger, "") == [("scheduled", "cutoff_ahead", 40)]
    blank = says(X, 3)
    hear(ledger, replace(blank, leaver=replace(blank.leaver, email="")))

    assert jobs(ledger, "") == [("cancelled", "rescinded", 40)]
    assert alarms(ledger) == []


def test_an_address_of_two_people_tells_nothing_and_says_so(ledger):
    """Neither is kept on by guessing, and a person hears of it."""
    hear(ledger, says(T, 1, person="7"), says(T, 1, person="8"))

    hear(ledger, by_email(X, 2))

    assert jobs(ledger, "7") == jobs(ledger, "8") == [("scheduled", "cutoff_ahead", 30)]
    assert alarms(ledger) == ["unmatched_event"]


def test_what_takes_back_a_termination_that_nobody_sent_is_an_alarm_until_it_comes(ledger):
    """It may have overtaken the termination, or name the person in another way."""
    hear(ledger, says(X, 2))
    assert alarms(ledger) == ["unmatched_event"]

    hear(ledger, says(T, 1))

    assert alarms(ledger) == []


def test_an_operator_can_end_the_alarm_about_an_event_that_fits_nobody(ledger):
    """The termination was before Leaver's time."""
    recorded = record(ledger, delivery(says(X, 2)))

    about = {"actor": "ops", "why": "before our time", "now": NOW}
    assert quarantine.dismiss(ledger, recorded.delivery, **about)

    assert alarms(ledger) == []


def test_who_is_hired_is_no_alarm(ledger):
    """HR says so of everybody who works here."""
    hear(ledger, says(H, 1))

    assert alarms(ledger) == []


# --- Two deliveries at once ---


def test_two_events_at_once_that_name_their_person_differently_do_not_miss_each_other(
    postgresql_ledger,
):
    """Each would else find nobody, and the account of somebody who stays is switched off."""
    other = says(T, 1, person="8")
    assert other.leaver is not None
    other = replace(other, leaver=replace(other.leaver, email="other@example.com"))
    [waits_for] = hear(postgresql_ledger, other)

    with one_behind_the_other(postgresql_ledger, waits_for) as start:
        leaves = start(lambda: hear(postgresql_ledger, says(T, 1), replace(other, key="again")))
        stays = start(lambda: hear(postgresql_ledger, by_email(X, 2)))

    assert (leaves.exception(), stays.exception()) == (None, None)
    assert jobs(postgresql_ledger) == [("cancelled", "rescinded", 30)]
    assert alarms(postgresql_ledger) == []


def test_a_batch_that_repeats_what_is_taken_back_meanwhile_does_not_lock_it_out(postgresql_ledger):
    """Each would else wait for what the other one holds, and one sender be told 503."""
    [waits_for] = hear(postgresql_ledger, says(T, 1, person="6"))
    hear(postgresql_ledger, says(T, 1))

    with one_behind_the_other(postgresql_ledger, waits_for) as start:
        batch = says(C, 2, person="6"), says(T, 1), says(C, 3, cutoff=40)
        repeats = start(lambda: hear(postgresql_ledger, *batch))
        takes_back = start(lambda: hear(postgresql_ledger, says(X, 4)))

    assert (repeats.exception(), takes_back.exception()) == (None, None)
    assert jobs(postgresql_ledger) == [("cancelled", "rescinded", 40)]
