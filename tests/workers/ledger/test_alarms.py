"""One cause is one open alarm, however often and by however many it is raised."""

from concurrent.futures import ThreadPoolExecutor

from tests.workers.records import HOUR, NOW, open_alarms, rows
from workers.ledger import tables as t
from workers.ledger.alarms import close_alarm, raise_alarm


def raised(ledger, kind="overdue", subject="jobs", *, text="3 jobs", now=NOW):
    with ledger.write() as tx:
        raise_alarm(tx, kind, subject, text, now)


def closed(ledger, kind="overdue", subject="jobs", *, now=NOW):
    with ledger.write() as tx:
        close_alarm(tx, kind, subject, now)


def test_raising_an_open_alarm_again_counts_and_brings_the_text_up_to_date(ledger):
    """Who looks sees how it is now, and since when."""
    raised(ledger)
    raised(ledger, text="4 jobs", now=NOW + HOUR)

    [alarm] = rows(ledger, t.alarms)
    assert (alarm["count"], alarm["text"], alarm["opened_at"], alarm["last_at"]) == (
        2,
        "4 jobs",
        NOW,
        NOW + HOUR,
    )


def test_an_alarm_that_comes_again_after_it_was_closed_is_a_new_one(ledger):
    """The old one stays as a record."""
    raised(ledger)
    closed(ledger, now=NOW + HOUR)
    raised(ledger, now=NOW + 2 * HOUR)

    old, new = rows(ledger, t.alarms)
    assert (old["closed_at"], new["closed_at"], new["count"]) == (NOW + HOUR, None, 1)


def test_closing_what_is_not_open_changes_nothing(ledger):
    """Everybody closes what they find to be well."""
    raised(ledger, subject="others")

    closed(ledger)
    closed(ledger)

    assert open_alarms(ledger) == [("overdue", "others")]


def test_workers_that_raise_one_alarm_at_once_open_one(ledger):
    """Each looks by itself."""
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda _: raised(ledger), range(16)))

    [alarm] = rows(ledger, t.alarms)
    assert alarm["count"] == 16
