"""Finch: signed like Standard Webhooks, and nobody is guessed from an event without values."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.webhook.receiving import API, FINCH_KEYS, NOW, SAMPLES, new_receiver
from tests.webhook.sources.conformance import JANE, ThinSourceConformance
from webhook.sources import finch
from webhook.sources.base import sign
from webhook.verify import sign_standard, standard_key, verify_standard


def event(name: str = "employment.updated", person: str = JANE.employee_id) -> dict[str, Any]:
    return {"company_id": "company-1", "event_type": name, "data": {"individual_id": person}}


class TestConformance(ThinSourceConformance):
    source = "finch"
    signature_headers = ("finch-event-id", "finch-timestamp", "finch-signature")
    other_events = tuple(
        json.dumps(event(name)).encode() for name in ("individual.updated", "job.completed")
    )

    def person(self, who):
        return event(person=who.employee_id)

    def without_email(self, person):
        return person

    def body_of(self, people):
        if len(people) != 1:
            pytest.skip("Finch posts each person alone")
        return json.dumps(people[0]).encode()

    def signed(self, body, *, at=NOW, key=0):
        stranger = "dGVzdC1rZXktb2YtYS1zdHJhbmdlcg=="
        secret = standard_key("whsec_" + (*FINCH_KEYS, stranger)[key])
        return sign_standard(body, secret, event_id="msg_1", at=at, names=finch.NAMES)

    @pytest.mark.parametrize("direction", [-1, 1])
    def test_a_signature_of_another_time_says_so(self, receiver, direction):
        """Five minutes, as Finch's own library has it."""
        body = self.body(JANE)
        at = NOW + direction * timedelta(minutes=5, seconds=1)

        receiver.post(self.source, self.signed(body, at=at), body)

        reason = "stale" if direction < 0 else "from_the_future"
        assert [row.reason for row in receiver.rows("deliveries")] == [reason]


def test_the_vector_of_finch_s_library_is_accepted():
    """github.com/Finch-API/finch-api-python, tests/api_resources/test_webhooks.py"""
    body = (SAMPLES / "finch" / "company.json").read_bytes()
    headers = {
        "finch-event-id": "msg_2Lh9KRb0pzN4LePd3XiA4v12Axj",
        "finch-timestamp": "1676312382",
        "finch-signature": "v1,m7y0TV2C+hlHxU42wCieApTSTaA8/047OAplBqxIV/s=",
    }
    keys = [standard_key(f"whsec_{FINCH_KEYS[0]}")]

    signed = verify_standard(headers, body, keys, finch.NAMES)

    assert signed.at == datetime.fromtimestamp(1676312382, UTC)


def test_with_an_api_every_change_of_an_employment_is_looked_up(sqlite_ledger):
    """Finch says no more than that something changed."""
    receiver = new_receiver(sqlite_ledger, API.format(source="finch"))
    own = receiver.settings.sources["finch"]

    headers, body = sign(finch, [JANE], own, now=NOW)
    answer = receiver.post("finch", headers, body)

    assert answer.json["elements"]["lookup"] == 1
    (job,) = receiver.rows("jobs")
    assert (job.action, job.target) == ("lookup", "hr:finch")


def test_an_event_about_nobody_waits_also_with_an_api(sqlite_ledger):
    """There is no one to ask about."""
    receiver = new_receiver(sqlite_ledger, API.format(source="finch"))
    body = json.dumps(event(person="")).encode()

    headers = finch.signature(body, receiver.settings.sources["finch"], now=NOW)
    answer = receiver.post("finch", headers | {"Content-Type": "application/json"}, body)

    assert answer.json["status"] == "quarantined"
