"""What programs hear of what would be done: from a worker, masked, and nothing is changed by it."""

import json

import pytest

from tests.webhook.conftest import EXPLANATION
from tests.workers.records import DAY, NOW, delivery, everything, person, record
from webhook.console import explaining
from workers.ledger import explanations, tokens
from workers.ledger.queries import as_json, trail
from workers.ledger.users import Role

TOM = {"email": "tom@example.com"}


def body_of(*addresses):
    """What BambooHR posts of people with these addresses who leave."""
    values = {"Status": "Inactive", "Employment Status": "Terminated"}
    return json.dumps(
        {
            "employees": [
                {"id": str(number), "action": "Updated", "fields": values | {"Work Email": each}}
                for number, each in enumerate(addresses, start=1)
            ]
        }
    )


@pytest.fixture
def ledger(sqlite_ledger):
    """One is enough: what is asked of it is tested beside it."""
    return sqlite_ledger


@pytest.fixture
def jobs(ledger):
    return record(ledger, delivery(person("tom"))).jobs


@pytest.mark.usefixtures("worker")
def test_a_job_is_explained_with_its_address_masked(program, jobs):
    """What would come, by which rule, and of which account."""
    told = program(Role.OPERATOR)(f"/jobs/{jobs[0]}/explanation").json

    assert told == as_json(EXPLANATION) | {"email": "t\u2026@example.com"}


@pytest.mark.usefixtures("worker")
def test_an_address_is_shown_to_who_asks_and_the_trail_says_so(program, ledger, jobs):
    """As everywhere."""
    told = program(Role.OPERATOR)(f"/jobs/{jobs[0]}/explanation", reveal="true").json

    assert told["email"] == "tom@example.com"
    [look] = trail.listed(ledger, action="look", limit=10)
    assert (look.actor, look.job_id) == ("operator (API)", jobs[0])


@pytest.mark.usefixtures("worker")
def test_whom_hr_names_is_masked_as_well(program, jobs, ledger, monkeypatch):
    """HR says the address of somebody who was looked up."""
    told = as_json(EXPLANATION) | {"email": "", "then": [as_json(EXPLANATION)]}
    monkeypatch.setattr(
        "tests.workers.fakes.FakeWaker.ask",
        lambda _, ids: [explanations.answer(ledger, each, told) for each in ids],
    )

    answer = program(Role.OPERATOR)(f"/jobs/{jobs[0]}/explanation")

    assert "tom@" not in answer.text
    assert answer.json["then"][0]["account"]["id"] == "account-of-tom"


@pytest.mark.usefixtures("worker")
def test_who_is_to_be_entered_is_explained_first(poster, ledger):
    """In each target; then nothing is entered, and no question is left."""
    post = poster()
    post("/leavers/explain", {})  # That the token was used is written down.
    before = everything(ledger)

    [told] = post("/leavers/explain", TOM).json["items"]

    assert told["next"] == as_json(EXPLANATION.next)
    assert everything(ledger) == before


@pytest.mark.usefixtures("worker")
@pytest.mark.parametrize("wrong", [{"email": "tom"}, {"at": "soon"}, {"targets": ["x"]}])
def test_who_cannot_be_meant_is_not_explained(poster, wrong):
    """What would be refused when it is done is refused before."""
    assert poster()("/leavers/explain", TOM | wrong).status_code == 422


@pytest.mark.usefixtures("worker")
def test_a_body_is_explained_person_by_person_and_not_recorded(poster, ledger):
    """What is no leaver with its reason."""
    post = poster()
    post("/deliveries/explain", {})  # That the token was used is written down.
    before = everything(ledger)
    posted = {"source": "hr", "body": body_of("tom@example.com", "no address")}

    answer = post("/deliveries/explain", posted)

    tom, nobody = answer.json["elements"]
    assert (tom["kind"], len(tom["explanations"])) == ("leaver", 1)
    assert (nobody["kind"], nobody["reason"]) == ("quarantined", "bad_email")
    assert "tom@" not in answer.text
    assert everything(ledger) == before


@pytest.mark.usefixtures("worker")
def test_of_a_body_addresses_are_shown_to_who_asks(poster, ledger):
    """Whom a lookup found stands in no body; so the trail keeps it."""
    posted = {"source": "hr", "body": body_of("tom@example.com")}

    answer = poster()("/deliveries/explain?reveal=true", posted)

    assert answer.json["elements"][0]["explanations"][0]["email"] == "tom@example.com"
    [look] = trail.listed(ledger, action="look", limit=10)
    assert look.detail == "explanation of a body of hr"


@pytest.mark.usefixtures("worker")
def test_a_body_of_many_people_is_explained_in_parts(poster):
    """A thread of the console waits for each of them."""
    posted = {"source": "hr", "body": body_of(*(["tom@example.com"] * 21))}

    answer = poster()("/deliveries/explain", posted)

    assert (answer.status_code, "21 questions" in answer.json["detail"]) == (422, True)


def test_an_unknown_source_is_said_with_those_that_are_known(poster):
    """A typing mistake."""
    answer = poster()("/deliveries/explain", {"source": "nowhere", "body": "{}"})

    assert (answer.status_code, answer.json["detail"]) == (422, "no source nowhere; known: hr")


def test_a_question_needs_no_key_and_its_answer_is_not_kept(app, ledger):
    """Whoever asks again wants to know what would be done now."""
    token = tokens.add(ledger, "asker", Role.OPERATOR, lasts=DAY, actor="root", now=NOW)
    client = app(ledger).test_client()

    for body in ("{}", "[]"):
        answer = client.post(
            "/api/v1/deliveries/explain",
            json={"source": "hr", "body": body},
            headers={"Authorization": f"Bearer {token}"},
        )
        assert answer.status_code == 200


@pytest.mark.usefixtures("nobody_works")
def test_that_no_worker_answers_is_said(program, poster, jobs):
    """Rather than a page of nothing."""
    asked = program(Role.OPERATOR)(f"/jobs/{jobs[0]}/explanation")
    posted = poster()("/leavers/explain", TOM)

    for answer in (asked, posted):
        assert (answer.status_code, answer.content_type) == (503, "application/problem+json")
        assert "`leaver work` starts one" in answer.json["detail"]


def test_programs_leave_the_console_its_threads(program, jobs):
    """Two wait for workers already: nobody else does, and pages are answered."""
    ask = program(Role.OPERATOR)

    with explaining._room, explaining._room:
        answer = ask(f"/jobs/{jobs[0]}/explanation")

    assert (answer.status_code, "try again" in answer.json["detail"]) == (503, True)


def test_a_job_that_is_not_there_is_not_asked_about(program):
    """No worker is bothered."""
    nobody = "00000000-0000-7000-8000-000000000000"

    assert program(Role.OPERATOR)(f"/jobs/{nobody}/explanation").status_code == 404
