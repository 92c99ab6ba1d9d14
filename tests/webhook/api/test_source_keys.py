"""The keys that HR systems posted: who knows or confirms one can speak as HR."""

import pytest

from tests.workers.records import NOW
from workers.ledger import key_offers
from workers.ledger.queries import trail
from workers.ledger.users import Role

KEY = "test-token-not-a-secret"


@pytest.fixture
def ledger(sqlite_ledger):
    """One is enough: what is kept in it is tested beside it."""
    return sqlite_ledger


@pytest.fixture
def offered(ledger):
    key_offers.offer(ledger, "gusto", KEY, now=NOW)
    return {"source": "gusto", "id": key_offers.offers(ledger)[0].id, "reason": "seen in Gusto"}


def test_that_a_key_waits_is_seen_by_all_and_the_key_by_approvers(program, ledger, offered):
    """It must be given back to the HR system; the trail keeps who looked."""
    [seen] = program()("/source-keys").json["items"]
    refused = program(Role.OPERATOR)("/source-keys", reveal="true")
    [shown] = program(Role.APPROVER)("/source-keys", reveal="true").json["items"]

    assert (seen["id"], seen["key"]) == (offered["id"], "")
    assert refused.status_code == 403
    assert shown["key"] == KEY
    assert [each.actor for each in trail.listed(ledger, action="look", limit=5)] == [
        "approver (API)"
    ]


def test_a_key_is_confirmed_and_forgotten(poster, ledger, offered):
    """With the token's name and a reason."""
    post = poster(Role.APPROVER)

    confirmed = post("/source-keys/confirm", offered).json
    counts = key_offers.confirmed(ledger, "gusto")
    forgotten = post("/source-keys/forget", offered, key="another").json

    assert (confirmed["result"], counts) == ("confirmed", (KEY,))
    assert (forgotten["result"], key_offers.offers(ledger)) == ("forgotten", ())
    [entry] = trail.listed(ledger, action="key_confirmed", limit=5)
    assert entry.detail == f"gusto {offered['id']}: seen in Gusto"


@pytest.mark.parametrize("act", ["confirm", "forget"])
def test_an_operator_lets_no_key_in_nor_out(poster, ledger, offered, act):
    """With a key of their own they could speak as HR."""
    assert poster()(f"/source-keys/{act}", offered).status_code == 403
    assert [each.confirmed_at for each in key_offers.offers(ledger)] == [None]


def test_where_it_takes_a_second_person_no_program_sees_or_confirms_a_key(
    poster, program, ledger, offered
):
    """Speaking as HR, it would need nobody's approval."""
    by_policy = {"LEAVER_POLICY__APPROVE": "manual"}

    confirmed = poster(Role.APPROVER, **by_policy)("/source-keys/confirm", offered)
    shown = program(Role.APPROVER, **by_policy)("/source-keys", reveal="true")

    for answer in (confirmed, shown):
        assert (answer.status_code, "`leaver source`" in answer.json["detail"]) == (403, True)
    assert key_offers.confirmed(ledger, "gusto") == ()


def test_an_unknown_key_is_said(poster, offered):
    """A typing error must not look like success."""
    answer = poster(Role.APPROVER)("/source-keys/confirm", offered | {"id": "0"})

    assert (answer.status_code, answer.json["detail"]) == (404, "no such key of gusto")
