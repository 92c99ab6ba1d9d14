"""The whole road, from a signed delivery to a proven end, on each queue and ledger we promise."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.installation import DEACTIVATED, End, Installation
from tests.servers import PostgresServer, RedisServer, wait_until
from workers.sandbox import people
from workers.sandbox.people import CAST, TOM, UNMANAGED

ALREADY_INACTIVE = End("done", "already_inactive")

#: On the lists of the configuration, and not in the cast.
PROTECTED, FOREIGN = "backup-svc@example.com", "guest@elsewhere.example"

ENDS = {
    people.LENA.email: DEACTIVATED,
    TOM.email: DEACTIVATED,
    people.AMIRA.email: DEACTIVATED,
    people.JONAS.email: DEACTIVATED,
    people.NOT_INVITED.email: DEACTIVATED,
    people.SUSPENDED.email: DEACTIVATED,
    people.INACTIVE.email: ALREADY_INACTIVE,
    people.FOR_DELETION.email: ALREADY_INACTIVE,
    people.CLOSED.email: ALREADY_INACTIVE,
    UNMANAGED.email: End("done", "suspended"),
    people.SYNCED.email: End("held", reason="idp_managed"),
    people.GOOGLE_SYNCED.email: End("held", reason="idp_managed"),
    people.ADMINISTRATOR.email: End("held", reason="administrator"),
    people.OPERATOR.email: End("held", reason="operated_by"),
    people.TWIN.email: End("held", reason="ambiguous_match"),
    people.APP.email: End("held", reason="not_a_person"),
    people.CONFLICTING.email: End("held", reason="lifecycle_conflict"),
    people.RETICENT.email: End("held", reason="unclear_account"),
    people.TOKENS_LOCKED.email: DEACTIVATED,
    people.NOBODY: End("done", "no_account"),
    PROTECTED: End("held", reason="protected"),
    FOREIGN: End("held", reason="email_domain"),
}


@pytest.fixture(
    params=[
        "embedded queue, SQLite",
        pytest.param("Redis, SQLite", marks=pytest.mark.server),
        pytest.param("Redis, PostgreSQL", marks=pytest.mark.server),
    ]
)
def running(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Installation]:
    """A Leaver that runs, with the embedded queue as `up`, else in its parts."""
    queue_url, ledger_url = "embedded", None
    if "Redis" in request.param:
        redis: RedisServer = request.getfixturevalue("debian_redis")
        queue_url = redis.url
    if "PostgreSQL" in request.param:
        postgres: PostgresServer = request.getfixturevalue("postgres")
        ledger_url = postgres.database_url()
    with Installation(tmp_path, queue_url=queue_url, ledger_url=ledger_url) as installation:
        installation.configure(
            {
                "policy.protected": ["*-SVC@example.com"],
                "policy.email_domains": ["example.com", "agency.example"],
            }
        )
        for command in ("up",) if queue_url == "embedded" else ("serve", "work"):
            installation.start(command)
        yield installation


def test_everybody_ends_as_they_should(running):
    """The right account, the right way, and nobody else's: the whole cast of the sandbox."""
    running.sandbox.add(PROTECTED, FOREIGN)
    before = {person.email: running.sandbox.people(person.email) for person in CAST}

    answer = running.send(*ENDS)

    assert answer.status_code == 202
    assert answer.json()["elements"]["leaver"] == len(answer.json()["jobs"]) == len(ENDS)
    running.wait_for_ends()
    assert running.ends() == ENDS
    after = {email: running.sandbox.people(email) for email in before}
    off = {email for email, end in ENDS.items() if end == DEACTIVATED}
    assert {email for email in before if before[email] != after[email]} == off | {UNMANAGED.email}
    assert {after[email][0]["account_status"] for email in off} == {"inactive"}
    assert set(after[UNMANAGED.email][0]["directories"].values()) == {"suspended"}


@pytest.mark.usefixtures("receiver", "worker")
def test_one_person_leaves_and_an_operator_sees_it_all(installation):
    """What an auditor asks for: who said so, which account, what was called, and the proof."""
    [sent] = installation.read("send", "bamboohr", "--email", TOM.email)

    assert sent["status"] == 202
    [job] = sent["answer"]["jobs"]
    [listed] = wait_until(lambda: installation.read("jobs", "--state", "done"))
    facts = (listed["id"], listed["email"], listed["outcome"])
    assert facts == (job, TOM.email, "deactivated")
    [shown] = installation.read("job", job)
    calls = [call["name"] for call in shown["rounds"][0]["attempts"][0]["calls"]]
    assert "profile.get" in calls[calls.index("lifecycle.disable") :]
    assert shown["account_id"] == TOM.account_id
    assert shown["deliveries"] == [sent["answer"]["delivery"]]
    assert [entry["action"] for entry in shown["audit"]] == ["open", "claim", "done"]
    assert installation.sandbox.person(TOM.email)["tokens"] == []
