"""Programs read again or dismiss what waits in quarantine: exactly what they have seen."""

import pytest

from tests.webhook.console.test_holds import BODY, quarantined
from tests.workers.records import delivery, record
from workers.leavers import DeliveryStatus, Element, ElementKind
from workers.ledger.queries import deliveries
from workers.ledger.queries.deliveries import DeliveryFilter

UNKNOWN = "00000000-0000-7000-8000-000000000000"
WHY = {"reason": "the mapping is mended"}
ALL = {"filter": {"status": "quarantined"}}


@pytest.fixture
def ledger(sqlite_ledger):
    """One is enough: what is done in it is tested beside it."""
    return sqlite_ledger


def waiting(ledger):
    return deliveries.count(ledger, DeliveryFilter(status=DeliveryStatus.QUARANTINED))


def test_a_delivery_is_read_again(poster, ledger):
    """A dry run says what it would become, and changes nothing."""
    post, said = poster(), WHY | {"ids": [quarantined(ledger)]}

    [would] = post("/deliveries/reparse", said | {"dry_run": True}, key="look").json["results"]
    still = waiting(ledger)
    [done] = post("/deliveries/reparse", said).json["results"]

    assert (would["result"], would["jobs"], still) == ("would be read", [], 1)
    assert (done["result"], done["status"], len(done["jobs"])) == ("read", "accepted", 1)
    assert waiting(ledger) == 0


def test_a_delivery_is_dismissed_once(poster, ledger):
    """Afterwards nothing of it waits, which is said."""
    post, said = poster(), WHY | {"ids": [quarantined(ledger)]}

    [look] = post("/deliveries/dismiss", said | {"dry_run": True}, key="look").json["results"]
    [done] = post("/deliveries/dismiss", said).json["results"]
    [again] = post("/deliveries/dismiss", said, key="again").json["results"]

    assert [each["result"] for each in (look, done, again)] == ["", "dismissed", ""]
    assert again["why_not"] == "nothing of it is in quarantine"


def test_all_that_waits_is_read_in_its_order_if_it_is_as_many_as_were_seen(poster, ledger):
    """What has come in since nobody has looked at."""
    post, said = poster(), WHY | {"filter": {"status": "quarantined", "source": "hr"}}
    first = quarantined(ledger)
    seen = post("/deliveries/reparse", said | {"dry_run": True}, key="look").json["deliveries"]
    unread = Element(ElementKind.QUARANTINED, "another", "email_missing")
    later = record(ledger, delivery(unread, body=BODY + b" ", reason="unreadable")).delivery

    refused = post("/deliveries/reparse", said | {"expected": seen})
    left = waiting(ledger)
    done = post("/deliveries/reparse", said | {"expected": 2}, key="again").json

    assert (refused.status_code, left) == (409, 2)
    assert [each["id"] for each in done["results"]] == [first, later]


@pytest.mark.parametrize("act", ["reparse", "dismiss"])
@pytest.mark.parametrize(
    "said",
    [
        WHY,
        WHY | ALL,
        WHY | ALL | {"ids": [UNKNOWN], "expected": 1},
        WHY | {"filter": {}, "expected": 1},
        WHY | {"filter": {"status": "accepted"}, "expected": 1},
        WHY | {"filter": {"status": "quarantined", "since": "soon"}, "expected": 1},
        ALL | {"expected": 1},
    ],
)
def test_it_must_be_said_which_and_why(poster, ledger, act, said):
    """Not everything, by mistake."""
    quarantined(ledger)

    assert poster()(f"/deliveries/{act}", said).status_code == 422
    assert waiting(ledger) == 1


def test_an_unknown_id_stops_it_before_anything_is_done(poster, ledger):
    """A mistyped id may stand for one that was meant."""
    ids = [quarantined(ledger), UNKNOWN]

    assert poster()("/deliveries/dismiss", WHY | {"ids": ids}).status_code == 404
    assert waiting(ledger) == 1
