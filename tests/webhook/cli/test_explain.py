"""`leaver explain`: what would be done, asked of a worker, told as a story or as JSON."""

import json
import threading
from datetime import timedelta

import pytest

from config.settings import load
from tests.webhook.receiving import BAMBOOHR_KEYS, Bell, Clock
from tests.workers.records import everything
from webhook.app import create_app as receiver
from webhook.verify import sign_bamboohr
from workers.explain import answer
from workers.ledger import moves
from workers.ledger import tables as t
from workers.runtime import Runtime
from workers.sandbox import people
from workers.sandbox.app import create_app
from workers.sandbox.atlassian.org import API_KEY, ORG_ID
from workers.sandbox.server import Server
from workers.sandbox.state import Settings as SandboxSettings

TOM = people.TOM


@pytest.fixture(scope="module")
def sandbox_url():
    with Server(create_app(SandboxSettings(latency=timedelta()))) as server:
        yield server.base_url


@pytest.fixture
def asking(leaver, redis_server, sandbox_url):
    """The command, configured as on a machine that reaches the queue."""
    leaver.configure(queue=redis_server.url, base_url=sandbox_url, org_id=ORG_ID, api_key=API_KEY)
    return leaver


@pytest.fixture
def worker(asking, ledger):
    """Somebody with the secrets, who answers what stands in the ledger."""
    runtime = Runtime(lambda: load(asking.config, {}))
    done = threading.Event()

    def work():
        while not done.wait(0.02):
            with ledger.read() as tx:
                waiting = list(
                    tx.scalars(t.explanations.select().with_only_columns(t.explanations.c.id))
                )
            for question in waiting:
                answer(runtime, question)

    thread = threading.Thread(target=work)
    thread.start()
    yield runtime
    done.set()
    thread.join()
    runtime.ledger.close()


def terminated(leaver, email=TOM.email):
    return leaver.json("terminate", email, "--target", "cloud", "--reason", "a test")[0]["id"]


def body_of(*employees):
    """What BambooHR posts of these employees."""
    values = {"Status": "Inactive", "Employment Status": "Terminated"}
    return json.dumps(
        {
            "employees": [
                {"id": number, "action": "Updated", "fields": values | fields}
                for number, fields in enumerate(employees, start=1)
            ]
        }
    )


def explained(leaver, text, *words):
    file = leaver.folder / "body"
    file.write_text(text)
    return leaver.run("explain", "--source", "hr", "--file", file, *words)


@pytest.mark.usefixtures("worker")
def test_a_job_is_told_as_a_story(asking):
    """Whom, how it stands, what was asked, what would come: in this order."""
    job = terminated(asking)

    told = asking.run("explain", job)

    assert told.exit_code == 0
    at = [
        told.stdout.index(word)
        for word in (
            TOM.email,
            job,
            TOM.account_id,
            "HR's word",
            "users.search",
            "done (deactivated)",
        )
    ]
    assert at == sorted(at)
    assert "lifecycle.disable" in told.stdout


@pytest.mark.usefixtures("worker")
def test_a_job_is_told_in_one_document(asking):
    """For programs."""
    [told] = asking.json("explain", terminated(asking))

    assert told["next"]["outcome"] == "deactivated"
    assert {"rules", "calls", "account", "cutoff", "reckoned", "state"} < set(told)


@pytest.mark.usefixtures("worker")
def test_a_held_job_tells_what_would_come_once_it_is_released(asking, ledger, now):
    """And the reason word says what to do."""
    job = terminated(asking, people.ADMINISTRATOR.email)
    moves.hold_by(ledger, job, actor="ops", why="wait", now=now)

    told = asking.run("explain", job)

    assert "held (operator_hold): wait" in told.stdout
    assert "what would come once it is released\n  held (administrator)" in told.stdout
    assert "Take the administrator role away" in told.output


@pytest.mark.usefixtures("worker")
def test_a_body_is_told_person_by_person(asking):
    """In each target; what is no leaver with its reason."""
    text = body_of({"Work Email": TOM.email}, {"Work Email": "no address"}, {"Status": "Active"})

    told = explained(asking, text, "--json")

    document = json.loads(told.stdout)
    assert [each["kind"] for each in document["elements"]] == [
        "leaver",
        "quarantined",
        "ignored",
    ]
    first = document["elements"][0]["explanations"]
    assert [each["target"] for each in first] == ["cloud", "labs"]
    assert {each["next"]["outcome"] for each in first} == {"deactivated"}
    assert document["elements"][1]["reason"] == "bad_email"


def test_a_body_without_a_leaver_needs_no_worker(asking):
    """Nobody has to be asked about what was ignored."""
    told = explained(asking, body_of({"Status": "Active", "Employment Status": "Full-Time"}))

    assert told.exit_code == 0
    assert "1. ignored (not_a_termination), employee 1" in told.stdout
    assert "The person's values in HR are not those of a termination." in told.output


def test_a_body_is_read_where_the_secret_of_its_source_cannot_be(asking, monkeypatch):
    """An operator has pasted it: there is nothing to verify."""
    monkeypatch.setenv("LEAVER_SOURCES__HR__SECRETS_FILE", "/nowhere/key")

    told = explained(asking, body_of({"Status": "Active", "Employment Status": "Full-Time"}))

    assert told.exit_code == 0
    assert "1. ignored (not_a_termination)" in told.stdout


def test_what_takes_a_termination_back_is_said(asking):
    """It opens no job, and ends those that wait."""
    event = {"type": "worker.termination_rescinded", "data": {"workerId": "7"}}
    file = asking.folder / "body"
    file.write_text(json.dumps(event))

    told = asking.run("explain", "--source", "standard", "--file", file)

    assert told.exit_code == 0
    assert "HR says that the person stays: no job is opened" in told.stdout


@pytest.mark.usefixtures("worker")
def test_nothing_is_recorded_of_a_body(asking, ledger):
    """Neither a delivery nor the question, which holds personal data."""
    before = everything(ledger)

    explained(asking, body_of({"Work Email": TOM.email}))

    assert everything(ledger) == before


@pytest.mark.usefixtures("worker")
def test_what_hr_has_said_before_is_told(asking, ledger, now):
    """Sent again, it would be a duplicate, and the explanation is not what would happen."""
    text = body_of({"Work Email": TOM.email})
    settings = load(asking.config, environ={}).for_the_door()
    client = receiver(settings, ledger, Bell(), Clock(now)).test_client()
    headers = sign_bamboohr(text.encode(), BAMBOOHR_KEYS[0].encode(), at=now)
    delivery = client.post("/webhooks/hr", data=text, headers=headers).json["delivery"]

    told = explained(asking, text)

    assert f"HR said the same in delivery {delivery}; sent again, it opens no job" in told.stdout


@pytest.mark.usefixtures("worker")
def test_a_large_body_is_asked_for_piece_by_piece(asking):
    """All at once it would keep the workers from leavers."""
    text = body_of(*({"Work Email": people.NOBODY} for _ in range(5)))

    document = json.loads(explained(asking, text, "--json").stdout)

    told = [each for element in document["elements"] for each in element["explanations"]]
    assert [each["employee_id"] for each in told] == [n for n in "12345" for _ in range(2)]


def test_that_no_worker_runs_is_said_with_the_command_that_starts_one(asking, ledger):
    """Rather than waiting for ever."""
    job = terminated(asking)

    told = asking.run("explain", job, "--timeout", "1s")

    assert told.exit_code == 1
    assert "no worker answered within 1 s, and none runs: `leaver work` starts one" in told.output
    with ledger.read() as tx:
        assert tx.execute(t.explanations.select()).all() == []


def test_without_the_queue_it_says_so(leaver):
    """Nobody can be woken."""
    told = leaver.run("explain", terminated(leaver))

    assert told.exit_code == 1
    assert "without the queue no worker can be asked" in told.output


@pytest.mark.parametrize(
    "words",
    [(), ("--source", "hr"), ("--file", "body"), ("0123456789", "--source", "hr", "--file", "-")],
)
def test_it_must_be_said_what_to_explain(leaver, words):
    """Either a job, or a body with its source."""
    (leaver.folder / "body").write_text("{}")
    words = [str(leaver.folder / "body") if word == "body" else word for word in words]

    told = leaver.run("explain", *words)

    assert told.exit_code == 2
    assert "a job, or --source NAME --file BODY" in told.output


def test_an_unknown_source_is_said_with_those_that_are_known(leaver):
    """A typing mistake."""
    told = leaver.run("explain", "--source", "nowhere", "--file", leaver.config)

    assert told.exit_code == 2
    assert "no source nowhere; known: hr, standard, okta" in told.output
