"""Whatever is sent: strangers are refused, and exactly those leave who have left.

Mutants of right deliveries are in test_mutants.py.
"""

import json

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.webhook.receiving import Receiver, empty_ledger, new_receiver
from tests.webhook.senders import SENDERS, bamboohr_proof
from tests.webhook.sources.test_workday import SOURCES
from workers.ledger import open_ledger
from workers.ledger.tables import elements, leavers

HEADERS = sorted(
    {name for sender in SENDERS.values() for name in sender.proof(b"")}
    | {"svix-signature", "Content-Type", "Content-Length", "Transfer-Encoding", "Host"}
    | {"X-Forwarded-For", "X-Okta-Verification-Challenge"}
)


@pytest.fixture(scope="module")
def receiver(tmp_path_factory):
    file = tmp_path_factory.mktemp("receiver") / "leaver.db"
    file.write_bytes(empty_ledger())
    ledger = open_ledger(f"sqlite:///{file}")
    receiver = new_receiver(ledger, SOURCES)
    yield receiver
    receiver.close()
    ledger.close()


def people_of(receiver: Receiver, delivery: str) -> list[str]:
    """The addresses of those in a delivery who leave."""
    query = (
        sa.select(leavers.c.email)
        .join(elements, elements.c.leaver_id == leavers.c.id)
        .where(elements.c.delivery_id == delivery, leavers.c.kind.in_(["terminated", "corrected"]))
    )
    with receiver.ledger.read() as tx:
        return list(tx.scalars(query))


a_source = st.sampled_from(sorted({sender.source for sender in SENDERS.values()}))
a_header = st.text(st.characters(max_codepoint=255, exclude_characters="\r\n"), max_size=80)
# The receiver keeps what earlier examples sent; no example depends on it.
properties = settings(
    max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)


@properties
@given(a_source, st.dictionaries(st.sampled_from(HEADERS), a_header), st.binary(max_size=200))
def test_whatever_a_stranger_sends_is_refused(receiver, source, headers, body):
    """Any header, any body: 4xx, and nothing is recorded."""
    before = len(receiver.rows("deliveries"))

    answer = receiver.post(source, headers, body)

    assert answer.status_code in (400, 401, 413, 415)
    assert len(receiver.rows("deliveries")) == before


STATUSES = {"Inactive": True, " INACTIVE ": True, "Active": False, "": False, None: False}
EMPLOYMENTS = {"Terminated": True, "terminated": True, "Suspended": False, "": False, None: False}


@properties
@given(
    st.lists(
        st.tuples(
            st.sampled_from(list(STATUSES)),
            st.sampled_from(list(EMPLOYMENTS)),
            st.booleans(),
            st.sampled_from(["Updated", "Created", "Deleted"]),
        ),
        max_size=8,
    ),
    st.uuids(),
)
def test_everybody_leaves_who_has_left(receiver, people, unique):
    """Exactly those: the other half of the rule, told by a table of all cases."""
    employees = [
        {
            "id": number,
            "action": action,
            "fields": {
                name: {"value": value} if wrapped else value
                for name, value in {
                    "Status": status,
                    "Employment Status": employment,
                    "Work Email": f"{number}-{unique}@example.com",
                }.items()
            },
        }
        for number, (status, employment, wrapped, action) in enumerate(people)
    ]
    body = json.dumps({"employees": employees}).encode()

    answer = receiver.post("bamboohr", bamboohr_proof(body), body)

    expected = [
        f"{number}-{unique}@example.com"
        for number, (status, employment, _, action) in enumerate(people)
        if STATUSES[status] and EMPLOYMENTS[employment] and action == "Updated"
    ]
    assert sorted(people_of(receiver, answer.json["delivery"])) == sorted(expected)
