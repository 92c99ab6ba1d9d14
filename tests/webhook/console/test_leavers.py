"""Leavers in the console: found, read in full, entered by hand, explained and given back."""

import pytest

from tests.workers.records import HOUR, NOW, deactivated, delivery, job_row, person, record
from workers.ledger.queries import jobs as kept
from workers.ledger.queries.jobs import JobFilter

ENTERED = {"email": "tom@example.com", "target": "cloud", "at": "now", "reason": "told by phone"}


def post(client, path, **said):
    return client.post(path, data={"csrf": client.csrf} | said)


@pytest.mark.parametrize(
    ("query", "found"),
    [("email=LENA@example.com", 1), ("employee_id=tom", 1), ("source=hr", 2), ("source=x", 0)],
)
def test_leavers_are_found_by_what_is_known_of_them(ledger, alice, query, found):
    """The whole address or id, in any case; never a part, which others have as well."""
    record(ledger, delivery(person("lena"), person("tom")))

    assert alice.get(f"/leavers?{query}").text.count('href="/leavers/') == found


def test_the_page_of_a_leaver_has_all_that_was_said_and_done(ledger, alice):
    """Both events, the delivery of each, and every job."""
    first = record(ledger, delivery(person("lena"), targets=("cloud", "jira-dc")))
    again = person("lena", cutoff=NOW + HOUR, key="moved")
    second = record(ledger, delivery(again, at=NOW + HOUR), now=NOW)
    leaver = job_row(ledger, first.jobs[0])["leaver_id"]

    page = alice.get(f"/leavers/{leaver}").text

    assert all(f"/jobs/{job}" in page for job in first.jobs)
    assert all(f"/deliveries/{each.delivery}" in page for each in (first, second))
    assert "lena@" not in page


def test_an_address_is_shown_to_who_asks_and_the_trail_says_so(ledger, alice):
    """As everywhere; also where it is only taken into the form."""
    [job] = record(ledger, delivery(person("lena"))).jobs
    leaver = job_row(ledger, job)["leaver_id"]

    assert "lena@example.com" in post(alice, f"/leavers/{leaver}/reveal").text
    assert "lena@example.com" in post(alice, "/terminate/again", leaver=leaver).text

    assert alice.get("/audit?action=look").text.count(f"leaver {leaver}") == 2


def test_who_is_entered_by_hand_is_explained_first(ledger, alice, worker):
    """Account and rules are seen before anything is written down; then the same is entered."""
    preview = post(alice, "/terminate/preview", **ENTERED)
    assert "account-of-tom" in preview.text
    assert "&lt;b&gt;one" in preview.text
    assert kept.count(ledger, JobFilter()) == 0

    done = post(alice, "/terminate", **ENTERED)

    [job] = kept.listed(ledger, JobFilter(), limit=2)
    assert (done.status_code, done.location) == (303, f"/leavers/{job.leaver}")
    assert (job.email, job.target, job.state) == ("tom@example.com", "cloud", "queued")
    assert "alice (console), told by phone" in alice.get(done.location).text


def test_without_a_worker_it_is_said_and_can_be_entered_all_the_same(alice, nobody_works):
    """The job waits for a worker; whoever leaves at night must not."""
    preview = post(alice, "/terminate/preview", **ENTERED).text

    assert "Nobody can say what would happen" in preview
    assert ">Terminate<" in preview


@pytest.mark.parametrize(
    "wrong",
    [{"email": "tom"}, {"at": "tomorrow"}, {"target": "x"}, {"target": []}, {"reason": " "}],
)
@pytest.mark.parametrize("path", ["/terminate", "/terminate/preview"])
def test_what_cannot_be_meant_is_not_entered(ledger, alice, path, wrong):
    """And the form comes back as it was filled in."""
    answer = post(alice, path, **ENTERED | wrong)

    assert answer.status_code == 400
    assert "Show what would happen" in answer.text
    assert kept.count(ledger, JobFilter()) == 0


def test_a_job_is_explained_with_its_address_masked(ledger, alice, worker):
    """What would come, by which rule, and of which account."""
    [job] = record(ledger, delivery(person("tom"))).jobs

    page = post(alice, f"/jobs/{job}/explain").text

    assert "once it is replayed" in page
    assert "account-of-tom" in page
    assert "tom@" not in page


def test_on_the_page_of_a_leaver_only_what_has_not_ended_is_chosen(ledger, alice):
    """Nobody replays a deactivation and its reinstatement together by one click."""
    job = deactivated(ledger)
    post(alice, f"/jobs/{job}/reinstate", reason="it was a mistake", force="1")

    page = alice.get(f"/leavers/{job_row(ledger, job)['leaver_id']}").text

    assert page.count('name="id"') == 2
    assert page.count(" checked") == 1


def test_what_was_taken_is_given_back_only_against_hr_by_force(ledger, alice):
    """HR still says that the person leaves: the guard of the command line holds here as well."""
    job = deactivated(ledger)
    assert "Reinstate" in alice.get(f"/jobs/{job}").text

    refused = post(alice, f"/jobs/{job}/reinstate", reason="it was a mistake")
    forced = post(alice, f"/jobs/{job}/reinstate", reason="it was a mistake", force="1")

    assert refused.status_code == 409
    assert "has not said that the person works here" in refused.text
    assert forced.status_code == 303
    [newest] = kept.listed(ledger, JobFilter(), limit=1)
    assert (forced.location, newest.action) == (f"/jobs/{newest.id}", "reinstate")
