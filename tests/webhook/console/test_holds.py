"""Whole sources and targets held and released, and what waits in quarantine taken out of it."""

import json

import pytest

from tests.workers.records import delivery, job_row, person, record
from workers.leavers import Element, ElementKind
from workers.ledger.queries import holds

PERSON = {"Status": "Inactive", "Employment Status": "Terminated", "Work Email": "tom@example.com"}
BODY = json.dumps({"employees": [{"id": "1", "action": "Updated", "fields": PERSON}]}).encode()


def post(client, path, **said):
    return client.post(path, data={"csrf": client.csrf} | said)


@pytest.mark.parametrize("side", ["source:hr", "target:cloud"])
def test_a_whole_side_is_held_and_released(ledger, alice, side):
    """Each with a reason, by name."""
    assert post(alice, "/holds/hold", side=side, reason="a flood").status_code == 303
    [held] = holds.standing(ledger)
    assert (f"{held.kind}:{held.name}", held.actor) == (side, "alice (console)")
    assert "a flood" in alice.get("/holds").text

    assert post(alice, "/holds/release", side=side, reason="over").status_code == 303
    assert holds.standing(ledger) == []


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ({"side": "source:hr", "reason": " "}, 400),
        ({"side": "source:typo", "reason": "x"}, 400),
        ({"side": "", "reason": "x"}, 400),
    ],
)
def test_a_hold_that_would_hold_nothing_is_refused(ledger, alice, said, status):
    """Whoever believes that something is held must be right."""
    assert post(alice, "/holds/hold", **said).status_code == status
    assert holds.standing(ledger) == []


def test_to_release_what_is_not_held_is_said(alice):
    """Somebody else was faster, or meant another one."""
    assert post(alice, "/holds/release", side="source:hr", reason="x").status_code == 409


def quarantined(ledger):
    """A delivery that could not be read when it came, and can be by now."""
    unread = Element(ElementKind.QUARANTINED, "", "email_missing")
    return record(ledger, delivery(unread, body=BODY, reason="unreadable")).delivery


def test_what_waits_is_found_from_the_first_page(ledger, alice):
    """It is somebody who may leave, and of whom nobody knows."""
    waiting = quarantined(ledger)

    assert "/deliveries?status=quarantined" in alice.get("/").text
    assert f'value="{waiting}"' in alice.get("/deliveries?status=quarantined").text
    assert "Dismiss…" in alice.get(f"/deliveries/{waiting}").text


def test_a_delivery_is_read_again_after_a_look_at_what_it_says(ledger, alice):
    """The look changes nothing; then there is a job."""
    waiting = quarantined(ledger)

    preview = post(alice, "/quarantine/reparse", id=waiting).text
    assert "would be read" in preview
    assert "/deliveries?status=quarantined" in alice.get("/").text
    done = post(alice, "/quarantine/reparse/do", id=waiting, reason="the mapping is mended").text

    assert "1 delivery read" in done
    assert "job <code>" in done
    assert "/deliveries?status=quarantined" not in alice.get("/").text


def test_a_delivery_is_dismissed_with_a_reason(ledger, alice):
    """Without one it stays, and a second time there is nothing to dismiss."""
    waiting = quarantined(ledger)
    assert post(alice, "/quarantine/dismiss/do", id=waiting, reason=" ").status_code == 400

    assert (
        "1 delivery dismissed"
        in post(alice, "/quarantine/dismiss/do", id=waiting, reason="a test of HR").text
    )
    again = post(alice, "/quarantine/dismiss/do", id=waiting, reason="a test of HR").text
    assert "1 could not be dismissed" in again


def test_leavers_that_an_operator_holds_are_listed(ledger, alice):
    """By person, with the way to let them go."""
    [job] = record(ledger, delivery(person("lena"))).jobs
    post(alice, "/acts/hold/do", id=job, reason="we look first")

    assert job_row(ledger, job)["reason"] == "operator_hold"
    assert job in alice.get("/holds").text
