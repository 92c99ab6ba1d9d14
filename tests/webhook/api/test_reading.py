"""What programs read, who may, and what they hear when they may not."""

import re
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.workers.records import DAY, NOW, delivery, job_row, person, record
from webhook.api import OPERATIONS
from webhook.api.lists import cursor_at, row_of
from webhook.console.filters import Mistyped
from workers.leavers import Element, ElementKind
from workers.ledger import sessions, tokens
from workers.ledger.queries import trail
from workers.ledger.users import Role

NOBODY = "00000000-0000-7000-8000-000000000000"
PATHS = [re.sub(r"{\w+}", NOBODY, each.path) for each in OPERATIONS if not each.body]
PATHS.append("/openapi.json")


@pytest.mark.parametrize("path", [*PATHS, "/nothing"])
def test_nobody_reads_anything_without_a_token(app, ledger, path):
    """A session of the console is none: another site could have a browser send its cookie."""
    client = app(ledger).test_client()
    session = sessions.start(ledger, "alice", Role.APPROVER, how="by a test", now=NOW)
    client.set_cookie("leaver_session", session)

    answer = client.get(f"/api/v1{path}")

    assert (answer.status_code, answer.content_type) == (401, "application/problem+json")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize("path", PATHS)
def test_a_viewer_reads_everything_that_is_there(program, path):
    """Nobody needs more rights than for looking; to have a worker look is more."""
    found = 404 if NOBODY in path else 200

    assert program()(path).status_code == (403 if path.endswith("/explanation") else found)


def test_a_token_opens_nothing_after_its_time(program):
    """Nobody must remember to remove it."""
    assert program(now=NOW + DAY)("/status").status_code == 401


def test_a_removed_token_opens_nothing(program, ledger):
    """One that has leaked is shut out at once."""
    ask = program()

    tokens.remove(ledger, "viewer", actor="root", now=NOW)

    assert ask("/status").status_code == 401


def test_of_a_token_only_the_hash_is_kept_and_when_it_was_used(program, ledger):
    """Who reads the ledger cannot use what is in it."""
    program()("/status")

    [token] = tokens.listed(ledger)
    assert (token.name, token.used_at) == ("viewer", NOW)
    assert tokens.PREFIX not in repr(token)


def test_no_two_tokens_have_one_name(program, ledger):
    """The audit trail names programs by it."""
    program()

    assert tokens.add(ledger, "viewer", Role.VIEWER, lasts=DAY, actor="root", now=NOW) is None


@pytest.mark.parametrize("role", Role)
def test_personal_data_is_masked_until_it_is_asked_for(program, ledger, role):
    """Not even an operator's program carries it away unasked."""
    kept = record(ledger, delivery(person("lena"), body=b"lena@example.com"))
    leaver = job_row(ledger, kept.jobs[0]).leaver_id
    ask = program(role)

    lists = ("/jobs", "/leavers", "/shadow-report")
    for path in (*lists, f"/jobs/{kept.jobs[0]}", f"/leavers/{leaver}"):
        assert "l\u2026@example.com" in str(ask(path).json)
        assert "lena@" not in str(ask(path).json)
    assert ask(f"/deliveries/{kept.delivery}").json["body"] is None


def test_an_operator_who_asks_for_it_reads_it_and_is_written_down(program, ledger):
    """As a click in the console does."""
    kept = record(ledger, delivery(person("lena"), body=b"a body"))
    leaver = job_row(ledger, kept.jobs[0]).leaver_id
    ask = program(Role.OPERATOR)

    job = ask(f"/jobs/{kept.jobs[0]}", reveal="true")
    body = ask(f"/deliveries/{kept.delivery}", reveal="true")
    who = ask(f"/leavers/{leaver}", reveal="true").json

    assert (job.json["email"], body.json["body"]) == ("lena@example.com", "a body")
    assert who["leavers"][0]["email"] == who["jobs"][0]["email"] == "lena@example.com"
    looks = trail.listed(ledger, action="look", limit=10)
    assert [each.actor for each in looks] == ["operator (API)"] * 3
    assert looks[0].detail == f"leaver {leaver}"


def test_a_viewer_who_asks_for_it_is_refused(program, ledger):
    """Nothing is shown, and nothing is said of whether it is there."""
    kept = record(ledger, delivery(person("lena")))
    leaver = job_row(ledger, kept.jobs[0]).leaver_id
    ask = program()

    for path in (
        f"/jobs/{kept.jobs[0]}",
        f"/deliveries/{kept.delivery}",
        f"/leavers/{leaver}",
        "/source-keys",
    ):
        answer = ask(path, reveal="true")
        assert (answer.status_code, answer.json["title"]) == (403, "Forbidden")


def test_what_was_stored_to_do_harm_stays_json(program, ledger):
    """Whoever sends a body chooses the names in it."""
    body = b'</script><script>alert(1)</script>\x00\xff"\\\xe2\x80\xa8'
    kept = record(ledger, delivery(person("<b>\u2028\"'"), body=body))
    ask = program(Role.OPERATOR)

    job = ask(f"/jobs/{kept.jobs[0]}", reveal="true")
    read = ask(f"/deliveries/{kept.delivery}", reveal="true")

    assert (job.content_type, read.content_type) == ("application/json",) * 2
    assert job.json["email"] == "<b>\u2028\"'@example.com"
    assert read.json["body"] == body.decode(errors="backslashreplace")


def test_a_list_is_walked_through_by_its_cursors(program, ledger):
    """Each job once, the newest first; the last page says that it is the last."""
    jobs = record(ledger, delivery(*(person(f"p{number}") for number in range(5)))).jobs
    ask, seen, cursor = program(), [], ""

    while cursor is not None:
        page = ask("/jobs", limit=2, cursor=cursor).json
        seen.append([job["id"] for job in page["items"]])
        cursor = page.get("next")

    assert [len(each) for each in seen] == [2, 2, 1]
    assert [job for page in seen for job in page] == sorted(jobs, reverse=True)


@pytest.mark.parametrize("path", ["/deliveries", "/leavers", "/audit", "/alarms"])
def test_every_long_list_has_cursors(program, ledger, path):
    """Its second page begins behind the first one."""
    unreadable = Element(ElementKind.QUARANTINED, "nobody", reason="missing_email")
    record(ledger, delivery(person("lena"), unreadable))
    record(ledger, delivery(person("tom"), unreadable, source="other"))
    ask = program()

    first = ask(path, limit=1).json
    second = ask(path, limit=1, cursor=first["next"]).json

    assert first["items"][0]["id"] > second["items"][0]["id"]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"state": "fail"}, "state"),
        ({"stat": "failed"}, "stat"),
        ({"limit": "0"}, "limit"),
        ({"email": "a\x00"}, "email"),
        ({"email": ""}, "email"),
    ],
)
def test_a_mistyped_filter_is_refused_by_name(program, query, field):
    """Left out in silence it would mean every job."""
    answer = program()("/jobs", **query)

    assert (answer.status_code, answer.content_type) == (422, "application/problem+json")
    assert [*answer.json["fields"]] == [field]


@pytest.mark.parametrize(
    "query",
    [
        {"reason": "brakes"},
        {"since": "yesterday"},
        {"since": "999999999d"},
        {"cursor": "x"},
        {"cursor": cursor_at("1' OR 1")},
        {"state": ["held", "failed"]},
    ],
)
def test_a_filter_that_means_nothing_is_refused(program, query):
    """Whatever part of it could be read."""
    assert program()("/jobs", **query).status_code == 422


def test_what_is_not_there_is_a_problem_as_well(program, app, ledger):
    """A program reads one kind of error."""
    ask = program(Role.OPERATOR)
    client = app(ledger).test_client()
    token = tokens.add(ledger, "poster", Role.VIEWER, lasts=DAY, actor="root", now=NOW)

    posted = client.post("/api/v1/jobs", headers={"Authorization": f"Bearer {token}"})

    assert posted.status_code == 405
    assert "GET" in posted.headers["Allow"]
    for answer in (posted, ask("/nothing"), ask("/jobs/x%00y"), ask(f"/jobs/{NOBODY[:-2]}")):
        assert answer.content_type == "application/problem+json"
        assert answer.json["status"] == answer.status_code


def test_without_the_ledger_a_program_is_told_to_come_back(app, opened, tmp_path):
    """And nothing of where it is."""
    client = app(opened(f"sqlite:///{tmp_path}/no-folder/leaver.db")).test_client()

    answer = client.get("/api/v1/jobs", headers={"Authorization": "Bearer leaver_x"})

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert answer.json["detail"] == "the ledger cannot be reached now"


@given(st.uuids().map(str) | st.integers(0, 10**18 - 1).map(str))
def test_a_cursor_gives_back_the_row_it_was_made_of(row):
    """Else a page would be left out or come twice."""
    assert row_of(cursor_at(row), "[0-9a-f-]+") == row


@given(st.text(min_size=1, max_size=50))
def test_any_other_cursor_is_refused(text):
    """Never an error of ours."""
    with suppress(Mistyped):
        assert row_of(text, "[0-9]{1,18}").isdecimal()
