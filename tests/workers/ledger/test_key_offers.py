"""Keys that came by themselves: who posted them is unknown."""

from datetime import UTC, datetime

import sqlalchemy as sa

from workers.ledger import key_offers, open_ledger
from workers.ledger import tables as t

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
REAL = "test-token-not-a-secret"


def new_ledger(folder):
    ledger = open_ledger(f"sqlite:///{folder}/leaver.db")
    ledger.migrate()
    return ledger


def act(ledger, verb, key_id):
    return verb(ledger, "gusto", key_id, actor="ada", why="seen in Gusto", now=NOW)


def ids(ledger):
    return [each.id for each in key_offers.offers(ledger)]


def test_a_key_verifies_only_after_it_was_confirmed(tmp_path):
    """Anybody could have posted it."""
    ledger = new_ledger(tmp_path)
    assert key_offers.offer(ledger, "gusto", REAL, now=NOW)
    before = key_offers.confirmed(ledger, "gusto")

    assert act(ledger, key_offers.confirm, ids(ledger)[0])

    assert (before, key_offers.confirmed(ledger, "gusto")) == ((), (REAL,))
    assert key_offers.confirmed(ledger, "another") == ()
    assert [each.key for each in key_offers.offers(ledger)] == [""]
    ledger.close()


def test_strangers_neither_push_a_key_out_nor_fill_the_disk(tmp_path):
    """The first ones stay; what finds no room is refused, and writes nothing."""
    ledger = new_ledger(tmp_path)
    key_offers.offer(ledger, "gusto", REAL, now=NOW)

    taken = [key_offers.offer(ledger, "gusto", f"stranger-{n:020}", now=NOW) for n in range(50)]

    assert taken == [True] * (key_offers.PENDING - 1) + [False] * (51 - key_offers.PENDING)
    assert REAL in [each.key for each in key_offers.offers(ledger)]
    assert key_offers.offer(ledger, "gusto", REAL, now=NOW)
    ledger.close()


def test_each_act_is_in_the_audit_trail_and_ends_the_alarm(tmp_path):
    """Who let a key in, and why."""
    ledger = new_ledger(tmp_path)
    key_offers.offer(ledger, "gusto", REAL, now=NOW)
    key_offers.offer(ledger, "gusto", "test-token-of-a-stranger", now=NOW)
    by_key = {each.key: each.id for each in key_offers.offers(ledger)}

    assert act(ledger, key_offers.confirm, by_key[REAL])
    assert not act(ledger, key_offers.confirm, by_key[REAL])
    assert act(ledger, key_offers.forget, by_key["test-token-of-a-stranger"])
    assert not act(ledger, key_offers.forget, "unknown")

    with ledger.read() as tx:
        trail = [(row.actor, row.action) for row in tx.execute(sa.select(t.audit))]
        (alarm,) = tx.execute(sa.select(t.alarms)).all()
    assert trail == [("ada", "key_confirmed"), ("ada", "key_forgotten")]
    assert alarm.closed_at == NOW
    ledger.close()
