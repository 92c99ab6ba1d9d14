"""`leaver source`: an operator confirms the key that an HR system posted."""

from datetime import UTC, datetime

import pytest

from workers.ledger import key_offers

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.fixture
def offered(ledger):
    key_offers.offer(ledger, "gusto", "test-token-not-a-secret", now=NOW)
    return key_offers.offers(ledger)[0].id


def test_a_key_that_waits_is_shown_whole_and_a_confirmed_one_never(leaver, offered):
    """It must be given back to the HR system; then it is a secret."""
    before = leaver.run("source", "keys").stdout
    confirmed = leaver.run("source", "confirm", "gusto", offered, "--reason", "seen in Gusto")
    after = leaver.run("source", "keys").stdout

    assert (confirmed.exit_code, "test-token-not-a-secret" in before) == (0, True)
    assert offered in after
    assert "test-token-not-a-secret" not in after


def test_a_key_can_be_forgotten(leaver, offered):
    """What a stranger posted, or one that has leaked."""
    leaver.run("source", "forget", "gusto", offered, "--reason", "not ours")

    assert leaver.json("source", "keys") == []


def test_an_unknown_key_is_said(leaver):
    """A typing error must not look like success."""
    result = leaver.run("source", "confirm", "gusto", "0", "--reason", "x")

    assert result.exit_code == 1
    assert "leaver source keys" in result.stderr
