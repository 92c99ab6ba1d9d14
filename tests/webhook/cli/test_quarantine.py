"""`leaver reparse` and `leaver dismiss`: what an operator does with what could not be used."""

import json
from datetime import timedelta

import pytest

from config.settings import load
from tests.webhook.receiving import BAMBOOHR_KEYS, Bell, Clock
from webhook.app import create_app
from webhook.verify import sign_bamboohr

HOUR = timedelta(hours=1)
WHY = ("--reason", "told by HR")


def employee(name, **fields):
    values = {"Status": "Inactive", "Employment Status": "Terminated"} | fields
    return {"id": name, "action": "Updated", "fields": values}


@pytest.fixture
def post(leaver, ledger, now):
    """Gives a delivery to the receiver of the same configuration; what it answers."""
    settings = load(leaver.config, environ={}).for_the_door()
    clock = Clock(now)
    client = create_app(settings, ledger, Bell(), clock).test_client()

    def post(*employees, at=now, body=None):
        body = json.dumps({"employees": employees}).encode() if body is None else body
        headers = sign_bamboohr(body, BAMBOOHR_KEYS[0].encode(), at=at)
        return client.post("/webhooks/hr", data=body, headers=headers).json

    return post


def mend(leaver):
    """Tell Leaver the name under which HR posts the address."""
    text = leaver.config.read_text()
    ours = '[sources.hr]\nfields = { "Mail" = "email" }'
    leaver.config.write_text(text.replace("[sources.hr]", ours))


def test_a_mended_mapping_reads_who_was_not_read(leaver, post):
    """The one broken person of a batch, whose neighbour has a job already."""
    answer = post(
        employee("1", **{"Work Email": "lena@example.com"}), employee("2", Mail="tom@example.com")
    )
    mend(leaver)

    [told] = leaver.json("reparse", answer["delivery"], *WHY)

    assert (told["result"], told["status"]) == ("read", "accepted")
    emails = [job["email"] for job in leaver.json("jobs", "--target", "cloud")]
    assert sorted(emails) == ["lena@example.com", "tom@example.com"]
    assert set(answer["jobs"]) < set(told["jobs"])


def test_whoever_could_not_be_asked_about_is_looked_up_once_there_is_an_api(leaver, post):
    """As the quarantine tells the operator of a source whose events name no address."""
    data = {"employeeId": "1", "changedFields": ["status"]}
    answer = post(body=json.dumps({"type": "employee.updated", "data": data}).encode())
    api = '[sources.hr]\napi = { base_url = "https://acme.bamboohr.com", api_key = "test-api-key" }'
    leaver.config.write_text(leaver.config.read_text().replace("[sources.hr]", api))

    [told] = leaver.json("reparse", answer["delivery"], *WHY)

    assert (answer["status"], told["status"]) == ("quarantined", "accepted")
    assert [job["action"] for job in leaver.json("jobs")] == ["lookup"]


def test_what_cannot_be_read_still_is_said_and_fails(leaver, post):
    """The mapping is not mended yet."""
    answer = post(employee("2", Mail="tom@example.com"))

    result = leaver.run("reparse", answer["delivery"], *WHY)

    assert (result.exit_code, "still quarantined" in result.stdout) == (1, True)


def test_a_dry_run_says_what_each_would_become_and_writes_nothing(leaver, post):
    """Whoever has mended a mapping for hundreds wants to know first."""
    delivery = post(employee("2", Mail="tom@example.com"))["delivery"]
    before = leaver.json("delivery", delivery)

    [unread] = leaver.json("reparse", delivery, "--dry-run", *WHY)
    mend(leaver)
    [read] = leaver.json("reparse", delivery, "--dry-run", *WHY)

    assert (unread["result"], unread["status"]) == ("would stay quarantined", "quarantined")
    assert (read["result"], read["status"]) == ("would be read", "accepted")
    assert leaver.json("delivery", delivery) == before
    assert leaver.json("jobs") == []


def test_a_reparse_does_not_look_at_the_time(leaver, post, now):
    """HR's clock was wrong; what it said is true."""
    answer = post(employee("1", **{"Work Email": "lena@example.com"}), at=now - 4 * HOUR)
    assert answer["status"] == "quarantined"

    leaver.json("reparse", answer["delivery"], *WHY)

    assert {job["email"] for job in leaver.json("jobs")} == {"lena@example.com"}


def test_all_that_waits_is_read_again_in_its_order(leaver, post, now):
    """A wrong clock spoils a day."""
    for number in range(3):
        who = {"Work Email": f"p{number}@example.com"}
        post(employee(str(number), **who), at=now - 4 * HOUR)
    post(body=b"nonsense")

    told = leaver.run("reparse", "--status", "quarantined", "--json", "--yes", *WHY)

    assert told.stderr.startswith("4 deliveries have something in quarantine.\n")
    results = [json.loads(line)["result"] for line in told.stdout.splitlines()]
    assert (told.exit_code, results) == (1, ["read"] * 3 + ["still quarantined"])


def test_nothing_is_read_twice(leaver, post, now):
    """The button is pressed again."""
    answer = post(employee("1", **{"Work Email": "lena@example.com"}), at=now - 4 * HOUR)
    leaver.json("reparse", answer["delivery"], *WHY)

    again = leaver.run("reparse", answer["delivery"], *WHY)

    assert (again.exit_code, "nothing of it is in quarantine" in again.stdout) == (1, True)
    assert len(leaver.json("jobs", "--target", "cloud")) == 1


def test_a_dismissed_delivery_tells_its_story(leaver, post):
    """Who decided that nobody left, and why."""
    answer = post(body=b"nonsense")

    assert leaver.run("dismiss", answer["delivery"], *WHY).exit_code == 0

    told = leaver.run("delivery", answer["delivery"]).stdout
    assert "dismiss  quarantined (unreadable)  ignored  told by HR" in told
    assert leaver.json("deliveries", "--status", "quarantined") == []


def test_a_delivery_that_does_not_wait_cannot_be_dismissed(leaver, post):
    """What was accepted has jobs: those are cancelled, by name."""
    answer = post(employee("1", **{"Work Email": "lena@example.com"}))

    assert leaver.run("dismiss", answer["delivery"], *WHY).exit_code == 1


@pytest.mark.parametrize("command", ["reparse", "dismiss"])
@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["--reason", "x"], "either ids, or --status quarantined"),
        (["0123456789", "--source", "hr", "--reason", "x"], "either ids, or --status quarantined"),
        (["--status", "quarantined"], "Missing option '--reason'"),
    ],
)
def test_it_must_be_said_which_and_why(leaver, command, words, hint):
    """Not everything, by mistake."""
    result = leaver.run(command, *words)

    assert (result.exit_code, hint in result.stderr) == (2, True)


def test_all_of_them_only_after_a_yes(leaver, post):
    """Where nobody can be asked, nothing is done."""
    post(body=b"nonsense")

    result = leaver.run("dismiss", "--status", "quarantined", *WHY)

    assert (result.exit_code, "repeat it with --yes" in result.stderr) == (2, True)
    assert len(leaver.json("deliveries", "--status", "quarantined")) == 1
