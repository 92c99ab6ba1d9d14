"""Who may see and do what: signing in, roles, and what another site sends."""

from datetime import timedelta
from pathlib import Path

import pytest

from tests.workers.records import MINUTE, NOW, delivery, job_row, person, record
from webhook.console.passwords import hashed
from workers.ledger import sessions, users
from workers.ledger.users import Role

PASSWORD = "test-password-not-a-secret"
HASHED = hashed(PASSWORD)
ALICE = {"name": "alice", "password": PASSWORD}


@pytest.fixture
def ledger(ledger):
    users.put(ledger, "alice", Role.OPERATOR, HASHED, actor="root", now=NOW)
    return ledger


@pytest.fixture
def job(ledger):
    [job] = record(ledger, delivery(person("lena"))).jobs
    return job


def csrf_of(ledger, client):
    token = client.get_cookie("leaver_session").value
    return sessions.of(ledger, token, NOW).csrf


def test_the_right_password_signs_in(ledger, console):
    """And leads to where one wanted to go."""
    client = console(ledger)

    answer = client.post("/sign-in", data=ALICE | {"next": "/jobs?state=failed"})

    assert (answer.status_code, answer.location) == (303, "/jobs?state=failed")
    assert client.get("/jobs").status_code == 200


@pytest.mark.parametrize("name", ["alice", "bob", "", "x" * 1000])
def test_a_wrong_password_does_not(ledger, console, name):
    """Whether there is such a user, the answer does not say."""
    client = console(ledger)

    answer = client.post("/sign-in", data={"name": name, "password": "wrong"})

    assert answer.status_code == 401
    assert "Name or password is wrong." in answer.text
    assert client.get("/jobs").status_code == 302


def test_who_tries_too_often_waits(ledger, console):
    """Not even the right password is tried then; a quarter of an hour later it is."""
    for _ in range(users.FAILED_OF_USER):
        console(ledger).post("/sign-in", data=ALICE | {"password": "wrong"})

    assert console(ledger).post("/sign-in", data=ALICE).status_code == 429
    later = console(ledger, NOW + users.THROTTLE)
    assert later.post("/sign-in", data=ALICE).status_code == 303


@pytest.mark.parametrize("place", ["https://evil.example", "//evil.example", "/\\evil.example"])
def test_the_sign_in_leads_to_no_other_site(ledger, console, place):
    """A link to the sign-in may come from anybody."""
    answer = console(ledger).post("/sign-in", data=ALICE | {"next": place})

    assert answer.location == "/"


def test_a_link_signs_in_once(ledger, console):
    """To look at it does not use it up; the second one who follows it is asked for a password."""
    link = sessions.new_link(ledger, "demo", Role.VIEWER, actor="root", now=NOW)
    path = f"/sign-in/link/{link}"
    first, second = console(ledger), console(ledger)

    assert first.get(path).status_code == 200
    assert first.post(path).status_code == 303
    assert second.post(path).status_code == 401
    assert first.get("/").status_code == 200


def test_a_link_is_soon_too_old(ledger, console):
    """It may lie in the log of a terminal for ever."""
    link = sessions.new_link(ledger, "demo", Role.VIEWER, actor="root", now=NOW)

    late = console(ledger, NOW + sessions.LINK_LASTS)

    assert late.post(f"/sign-in/link/{link}").status_code == 401


@pytest.mark.parametrize("later", [sessions.IDLE, sessions.LONGEST])
def test_a_session_ends(ledger, console, later):
    """A browser that was left open is nobody's way in the next day."""
    client, late = console(ledger), console(ledger, NOW + later)
    client.post("/sign-in", data=ALICE)
    late.set_cookie("leaver_session", client.get_cookie("leaver_session").value)

    assert late.get("/").status_code == 302


def test_a_session_that_is_used_goes_on_until_its_longest(ledger, console):
    """Who works is not thrown out every hour."""
    token = sessions.start(ledger, "alice", Role.OPERATOR, how="by a test", now=NOW)
    at = NOW
    while at < NOW + sessions.LONGEST - sessions.IDLE:
        at += sessions.IDLE - MINUTE
        assert sessions.of(ledger, token, at)

    assert sessions.of(ledger, token, NOW + sessions.LONGEST) is None


def test_who_signs_out_is_out(ledger, console):
    """Also for a browser that kept the cookie."""
    client = console(ledger)
    client.post("/sign-in", data=ALICE)
    kept = client.get_cookie("leaver_session").value

    client.post("/sign-in/end", data={"csrf": csrf_of(ledger, client)})

    client.set_cookie("leaver_session", kept)
    assert client.get("/").status_code == 302


def test_who_is_removed_is_out_at_once(ledger, console):
    """Somebody who leaves the team, of all things."""
    client = console(ledger)
    client.post("/sign-in", data=ALICE)

    users.remove(ledger, "alice", actor="root", now=NOW)

    assert client.get("/").status_code == 302


def test_a_browser_keeps_the_session_to_itself(ledger, console):
    """No script reads it, no other site sends it."""
    answer = console(ledger).post("/sign-in", data=ALICE)

    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


ACTS = ["/acts/replay/do", "/acts/hold/do", "/acts/cancel/do", "/acts/release/do"]


@pytest.mark.parametrize(
    "path",
    [
        *(*ACTS, "/acts/hold", "/brake", "/jobs/x/reveal", "/deliveries/x/reveal"),
        *("/jobs/x/explain", "/jobs/x/reinstate", "/leavers/x/reveal"),
        *("/terminate", "/terminate/again", "/terminate/preview"),
        *("/holds/hold", "/holds/release", "/quarantine/reparse", "/quarantine/dismiss/do"),
    ],
)
def test_a_viewer_changes_nothing(ledger, console, job, path):
    """The role is asked by what is done, not by which buttons are shown."""
    client = console(ledger)
    token = sessions.start(ledger, "eve", Role.VIEWER, how="by a test", now=NOW)
    client.set_cookie("leaver_session", token)
    form = {"csrf": csrf_of(ledger, client), "id": job, "reason": "x", "leavers": "5"}

    assert client.post(path, data=form).status_code == 403
    assert job_row(ledger, job)["state"] == "queued"


def test_only_an_approver_releases_the_brake(ledger, console):
    """An operator is the one who may have sent the flood."""
    client = console(ledger)
    client.post("/sign-in", data=ALICE)
    form = {"csrf": csrf_of(ledger, client), "leavers": "5", "reason": "they leave"}

    assert client.post("/brake", data=form).status_code == 403


@pytest.mark.parametrize("csrf", [None, "", "wrong", "é"])
def test_a_form_without_the_secret_of_the_session_does_nothing(ledger, console, job, csrf):
    """Another site can have the browser post, and does not know it."""
    client = console(ledger)
    client.post("/sign-in", data=ALICE)
    form = {"id": job, "reason": "x"} | ({"csrf": csrf} if csrf is not None else {})

    assert client.post("/acts/hold/do", data=form).status_code == 400
    assert job_row(ledger, job)["state"] == "queued"


@pytest.mark.parametrize(
    "headers", [{"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}]
)
def test_what_another_site_sends_does_nothing(ledger, console, job, headers):
    """Not even with the right secret."""
    client = console(ledger)
    client.post("/sign-in", data=ALICE)
    form = {"csrf": csrf_of(ledger, client), "id": job, "reason": "x"}

    assert client.post("/acts/hold/do", data=form, headers=headers).status_code == 400
    assert job_row(ledger, job)["state"] == "queued"


def test_the_ledger_has_no_password_and_no_session(ledger, console):
    """Who reads a backup of it is not signed in by that."""
    client = console(ledger)
    client.post("/sign-in", data={"name": PASSWORD, "password": "alice"})  # in the wrong fields
    client.post("/sign-in", data=ALICE)
    link = sessions.new_link(ledger, "demo", Role.VIEWER, actor="root", now=NOW)

    file = ledger.engine.url.database
    with ledger.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    kept = Path(file).read_bytes()
    for secret in (PASSWORD, client.get_cookie("leaver_session").value, link):
        assert secret.encode() not in kept


def test_a_session_that_is_used_is_written_down_once_a_minute(ledger):
    """A page that refreshes itself writes nothing meanwhile."""
    token = sessions.start(ledger, "alice", Role.OPERATOR, how="by a test", now=NOW)
    sessions.of(ledger, token, NOW + timedelta(seconds=59))

    with ledger.read() as tx:
        seen = tx.exec_driver_sql("SELECT seen_at FROM sessions").scalar()

    assert seen.startswith(f"{NOW:%Y-%m-%d %H:%M:%S}")
