"""Counts of deliveries that were not taken."""

from concurrent.futures import ThreadPoolExecutor

from tests.workers.records import DAY, MINUTE, NOW, SECOND, rows
from workers.ledger import tables as t
from workers.ledger.rejections import KEPT, OLDER, count_rejections

WRONG, MISSING = ("hr", "signature_wrong"), ("hr", "signature_missing")


def counts(ledger):
    return [(row["reason"], row["minute"], row["count"]) for row in rows(ledger, t.rejections)]


def test_rejections_are_counted_by_the_minute(ledger):
    """However many a stranger sends, it is one row."""
    count_rejections(ledger, {WRONG: 3}, now=NOW)
    count_rejections(ledger, {WRONG: 2}, now=NOW + MINUTE - SECOND)
    count_rejections(ledger, {WRONG: 1}, now=NOW + MINUTE)

    assert counts(ledger) == [("signature_wrong", NOW, 5), ("signature_wrong", NOW + MINUTE, 1)]


def test_what_is_old_is_summed_up(ledger):
    """The table stays small, and the total never falls."""
    count_rejections(ledger, {WRONG: 3, MISSING: 1}, now=NOW)
    count_rejections(ledger, {WRONG: 2}, now=NOW + MINUTE)

    later = NOW + KEPT + 2 * MINUTE
    count_rejections(ledger, {MISSING: 1}, now=later)
    count_rejections(ledger, {MISSING: 1}, now=later + DAY)

    assert set(counts(ledger)) == {
        ("signature_wrong", OLDER, 5),
        ("signature_missing", OLDER, 1),
        ("signature_missing", later, 1),
        ("signature_missing", later + DAY, 1),
    }


def test_receivers_that_count_at_once_lose_nothing(ledger):
    """Each holds its counts in another order; none may wait for the other for ever."""
    orders = [[WRONG, MISSING], [MISSING, WRONG]] * 4

    def count(order):
        for _ in range(20):
            count_rejections(ledger, dict.fromkeys(order, 1), now=NOW)

    with ThreadPoolExecutor(len(orders)) as threads:
        list(threads.map(count, orders))

    assert [count for _, _, count in counts(ledger)] == [160, 160]
