"""What waits for a second person, in the console: who may approve it, and what exactly."""

import re

import pytest

from tests.workers.records import LEASE, NOW, claim, delivery, job_row, person, record, state_of
from workers.leavers import AccountId
from workers.ledger import moves, sessions
from workers.ledger.users import Role

WAITS = ("held", "approval_missing")


def waiting(ledger, *names):
    """Jobs of these people, held until a second person has approved them."""
    jobs = record(ledger, delivery(*map(person, names))).jobs
    for job in jobs:
        owned = claim(ledger, job)
        moves.pin(ledger, owned, AccountId(f"account-of-{job}"), now=NOW, lease=LEASE)
        moves.hold(ledger, owned, reason="approval_missing", detail="policy.approve", now=NOW)
    return jobs


@pytest.fixture
def browser(ledger, console):
    """Makes a browser in which somebody is signed in."""

    def of(name, role=Role.APPROVER):
        client = console(ledger)
        token = sessions.start(ledger, name, role, how="by a test", now=NOW)
        client.set_cookie("leaver_session", token)
        client.csrf = sessions.of(ledger, token, NOW).csrf
        return client

    return of


def post(client, path, **said):
    return client.post(path, data={"csrf": client.csrf} | said)


def seen_on(page):
    [seen] = re.findall(r'name="seen" value="([^"]+)"', page)
    return seen


def test_an_approver_approves_what_the_page_shows(ledger, browser):
    """Who asked, what would be done to which account, and then a reason."""
    [job] = waiting(ledger, "lena")
    client = browser("boss")
    page = client.get(f"/jobs/{job}").text
    assert "Waits for a second person" in page
    assert f"account-of-{job}" in page
    assert ">Release<" not in page

    done = post(client, "/approvals/approve/do", seen=seen_on(page), reason="she leaves")

    assert "1 job approved" in done.text
    assert state_of(ledger, job) == ("queued", "")
    assert "boss (console)" in client.get("/audit?action=approve").text


def test_an_approver_refuses_with_a_reason(ledger, browser):
    """Then nothing is done, and everybody can read why."""
    [job] = waiting(ledger, "lena")
    client = browser("boss")
    page = client.get(f"/jobs/{job}").text

    done = post(client, "/approvals/refuse/do", seen=seen_on(page), reason="another Lena")

    assert "1 job refused" in done.text
    assert state_of(ledger, job) == ("cancelled", "approval_refused")
    assert "another Lena" in client.get(f"/jobs/{job}").text


def test_many_are_approved_after_a_look_at_all_of_them(ledger, browser):
    """By the filter of the list, and only those that wait."""
    jobs = waiting(ledger, "lena", "tom")
    record(ledger, delivery(person("eve")))
    client = browser("boss")
    assert "2</strong>" in client.get("/").text
    assert "Approve…" in client.get("/jobs?reason=approval_missing").text

    preview = post(client, "/approvals/approve", all="1", target="cloud").text
    assert "Approve 2 jobs" in preview
    done = post(client, "/approvals/approve/do", seen=seen_on(preview), reason="they leave")

    assert "2 jobs approved" in done.text
    assert [state_of(ledger, job) for job in jobs] == [("queued", "")] * 2


@pytest.mark.parametrize("role", [Role.VIEWER, Role.OPERATOR])
@pytest.mark.parametrize("name", ["approve", "refuse"])
@pytest.mark.parametrize("step", ["", "/do"])
def test_nobody_below_an_approver_decides(ledger, browser, role, name, step):
    """The role is asked by what is done, not by which buttons are shown."""
    [job] = waiting(ledger, "lena")
    seen = seen_on(browser("boss").get(f"/jobs/{job}").text)
    client = browser("eve", role)

    answer = post(client, f"/approvals/{name}{step}", seen=seen, id=job, reason="x")

    assert answer.status_code == 403
    assert state_of(ledger, job) == WAITS
    assert 'name="seen"' not in client.get(f"/jobs/{job}").text


def test_whoever_asked_is_told_that_somebody_else_must_approve(ledger, browser):
    """Even with the right form, and by whichever way they are known."""
    [job] = waiting(ledger, "lena")
    moves.replay_by(ledger, job, actor="ada", why="again", force=True, now=NOW)
    moves.hold(ledger, claim(ledger, job), reason="approval_missing", now=NOW)
    client = browser("ada@example.com")
    page = client.get(f"/jobs/{job}").text
    assert "ada asked for it, and that may be you" in page
    assert ">Approve<" not in page

    done = post(client, "/approvals/approve/do", seen=seen_on(page), reason="go")

    assert "ada asked for it: somebody else must approve it" in done.text
    assert state_of(ledger, job) == WAITS


def test_what_changed_since_the_page_was_shown_is_not_approved(ledger, browser):
    """The form of this morning is for what stood there this morning."""
    [job] = waiting(ledger, "lena")
    client = browser("boss")
    seen = seen_on(client.get(f"/jobs/{job}").text)
    moves.replay_by(ledger, job, actor="ada", why="again", now=NOW)
    moves.hold(ledger, claim(ledger, job), reason="approval_missing", now=NOW)

    done = post(client, "/approvals/approve/do", seen=seen, reason="go")

    assert "it has changed since it was shown" in done.text
    assert state_of(ledger, job) == WAITS


@pytest.mark.parametrize("seen", ["", "x", "x:y", ":", "{job}", "{job}:", "{job}:0"])
def test_a_form_without_the_mark_of_what_was_shown_approves_nothing(ledger, browser, seen):
    """Nobody approves blindly."""
    [job] = waiting(ledger, "lena")

    post(browser("boss"), "/approvals/approve/do", seen=seen.format(job=job), reason="go")

    assert state_of(ledger, job) == WAITS


def test_nothing_is_approved_without_a_reason(ledger, browser):
    """The audit trail would say nothing."""
    [job] = waiting(ledger, "lena")
    client = browser("boss")
    seen = seen_on(client.get(f"/jobs/{job}").text)

    answer = post(client, "/approvals/approve/do", seen=seen, reason=" ")

    assert answer.status_code == 400
    assert "Say why" in answer.text
    assert job_row(ledger, job)["state"] == "held"
