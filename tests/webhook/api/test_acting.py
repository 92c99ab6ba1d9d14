"""What programs do: to exactly the jobs that are meant, once, under their name."""

import pytest
import sqlalchemy as sa

from tests.workers.records import NOW, deactivated, delivery, job_row, person, record
from webhook.api import OPERATIONS
from workers.ledger import answers
from workers.ledger import tables as t
from workers.ledger.queries import jobs as kept
from workers.ledger.queries.jobs import JobFilter
from workers.ledger.users import Role

UNKNOWN = "00000000-0000-7000-8000-000000000000"
HOLD = "/jobs/hold"
WHY = {"reason": "a test"}


@pytest.fixture
def jobs(ledger):
    return record(ledger, delivery(person("lena"), person("tom"))).jobs


def test_jobs_are_held_released_cancelled_and_replayed(poster, ledger, jobs):
    """As the command line does, under the token's name."""
    post = poster()
    states = []

    for act in ("hold", "release", "cancel", "replay"):
        answer = post(f"/jobs/{act}", WHY | {"ids": [jobs[0]]}, key=act)
        [result] = answer.json["results"]
        states.append((result["result"], result["state"]))

    assert states == [
        ("held", "held"),
        ("released", "queued"),
        ("cancelled", "cancelled"),
        ("replayed", "queued"),
    ]
    actors = {entry.actor for entry in kept.one(ledger, jobs[0]).audit if entry.detail == "a test"}
    assert all(actor.endswith("(API)") for actor in actors)
    assert job_row(ledger, jobs[1]).state == "queued"


def test_what_cannot_be_done_says_why(poster, jobs):
    """The others are done all the same."""
    post = poster()
    post(HOLD, WHY | {"ids": [jobs[0]]})

    answer = post("/jobs/release", WHY | {"ids": [*jobs]}, key="another")

    by_id = {each["id"]: (each["result"], each["why_not"]) for each in answer.json["results"]}
    assert by_id == {jobs[0]: ("released", ""), jobs[1]: ("", "it is queued")}


def test_the_same_key_does_nothing_twice(poster, ledger):
    """A program whose connection broke off asks again: there is one leaver, not two."""
    post = poster()
    leaver = WHY | {"email": "lena@example.com"}

    first, again = post("/leavers", leaver), post("/leavers", leaver)

    assert (first.status_code, again.status_code) == (200, 200)
    assert first.json == again.json
    assert first.json["items"][0]["email"] == "l\u2026@example.com"
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"
    assert kept.count(ledger, JobFilter()) == 1


def test_a_key_with_something_else_is_refused(poster, ledger, jobs):
    """A program that mixes up its keys must hear of it."""
    post = poster()
    post(HOLD, WHY | {"ids": [jobs[0]]})

    for path, ids in ((HOLD, [jobs[1]]), ("/jobs/cancel", [jobs[0]])):
        assert post(path, WHY | {"ids": ids}).status_code == 422

    assert job_row(ledger, jobs[1]).state == "queued"


def test_each_token_has_keys_of_its_own(poster, ledger, jobs):
    """Two programs may count from one."""
    poster()(HOLD, WHY | {"ids": [jobs[0]]})

    answer = poster(Role.APPROVER)(HOLD, WHY | {"ids": [jobs[1]]})

    assert [each["result"] for each in answer.json["results"]] == ["held"]


def test_what_broke_off_is_not_done_again(poster, ledger, jobs):
    """Nobody knows how far it came: a person must look."""
    post = poster()
    post(HOLD, WHY | {"ids": [jobs[0]]})
    with ledger.write() as tx:
        tx.execute(sa.update(t.answers).values(status=None, body=None))

    answer = post(HOLD, WHY | {"ids": [jobs[0]]})

    assert (answer.status_code, answer.json["title"]) == (409, "Conflict")


def test_keys_are_forgotten_after_a_day(poster, ledger, jobs):
    """What they hold is not kept for ever."""
    poster()(HOLD, WHY | {"ids": [jobs[0]]})

    poster(now=NOW + answers.KEPT)(HOLD, WHY | {"ids": [jobs[0]]})

    with ledger.read() as tx:
        assert tx.scalar(sa.select(sa.func.count()).select_from(t.answers)) == 1


@pytest.mark.parametrize("key", ["", "x" * 256, "\u00e9"])
def test_without_a_key_nothing_is_done(poster, ledger, jobs, key):
    """Else the program that forgets it would do things twice."""
    assert poster()(HOLD, WHY | {"ids": [jobs[0]]}, key=key).status_code == 400
    assert job_row(ledger, jobs[0]).state == "queued"


def test_a_viewer_does_nothing(poster, ledger, jobs):
    """Not even a dry run, nor with any body."""
    post = poster(Role.VIEWER)

    for path in (each.path for each in OPERATIONS if each.body):
        assert post(path, WHY | {"ids": [jobs[0]]}).status_code == 403
    assert job_row(ledger, jobs[0]).state == "queued"


def test_the_ids_of_leavers_mean_their_jobs(poster, ledger):
    """Whoever holds a person thinks of no job; as on the command line."""
    jobs = record(ledger, delivery(person("lena"), targets=("cloud", "jira-dc"))).jobs
    leaver = job_row(ledger, jobs[0]).leaver_id
    post = poster()

    for act, state in (("hold", "held"), ("release", "queued"), ("cancel", "cancelled")):
        answer = post(f"/jobs/{act}", WHY | {"ids": [leaver]}, key=act)
        assert [each["state"] for each in answer.json["results"]] == [state, state]


def test_a_replay_takes_no_leavers(poster, ledger, jobs):
    """Nobody means all that ever ended."""
    leaver = job_row(ledger, jobs[0]).leaver_id

    answer = poster()("/jobs/replay", WHY | {"ids": [leaver]})

    assert (answer.status_code, answer.json["detail"]) == (404, f"no job has the id {leaver}")


def test_all_of_a_whole_source_is_cancelled_once_it_was_counted(poster, ledger, jobs):
    """What has ended is not in the way."""
    post = poster()
    post("/jobs/cancel", WHY | {"ids": [jobs[0]]}, key="one")
    fits = WHY | {"filter": {"source": "hr", "unfinished": True}}

    seen = post("/jobs/cancel", fits | {"dry_run": True}, key="look").json
    done = post("/jobs/cancel", fits | {"expected": 1}).json

    assert [each["id"] for each in seen["results"]] == [jobs[1]]
    assert [each["result"] for each in done["results"]] == ["cancelled"]


def test_what_was_taken_is_given_back_only_against_hr_by_force(poster, ledger):
    """HR still says that the person leaves: the guard of the command line holds here as well."""
    job = deactivated(ledger)
    leaver = job_row(ledger, job).leaver_id
    post = poster()

    by_force = WHY | {"ids": [leaver], "force": True}
    [refused] = post("/jobs/reinstate", WHY | {"ids": [job]}).json["items"]
    [forced] = post("/jobs/reinstate", by_force, key="another").json["items"]

    assert (refused["deactivation"], refused["id"]) == (job, None)
    assert "has not said that the person works here" in refused["refused"]
    assert (forced["deactivation"], forced["refused"]) == (job, "")
    assert job_row(ledger, forced["id"]).action == "reinstate"


def test_of_whom_nothing_was_taken_nothing_is_given_back(poster, ledger, jobs):
    """Neither of a leaver nor of one whom nobody knows."""
    leaver, post = job_row(ledger, jobs[0]).leaver_id, poster()

    for each in (leaver, UNKNOWN):
        assert post("/jobs/reinstate", WHY | {"ids": [each]}, key=each).status_code == 404


def test_a_filter_takes_the_number_that_was_seen(poster, ledger, jobs):
    """What has come in since nobody has looked at."""
    post = poster()
    fits = WHY | {"filter": {"source": "hr", "state": "queued"}}
    seen = post(HOLD, fits | {"dry_run": True}, key="look").json["jobs"]
    record(ledger, delivery(person("pia")))

    answer = post(HOLD, fits | {"expected": seen})

    assert (answer.status_code, answer.json["detail"]) == (
        409,
        "3 jobs fit, not 2; nothing was done",
    )
    assert {job_row(ledger, job).state for job in jobs} == {"queued"}
    done = post(HOLD, fits | {"expected": 3}, key="again").json
    assert (done["jobs"], {each["result"] for each in done["results"]}) == (3, {"held"})


@pytest.mark.parametrize(
    "said",
    [
        WHY,
        WHY | {"ids": []},
        WHY | {"filter": {}, "expected": 2},
        WHY | {"filter": {"state": None}, "expected": 2},
        WHY | {"filter": {"unfinished": False}, "expected": 2},
        WHY | {"filter": {"state": "queued"}, "expected": 2, "ids": [UNKNOWN]},
        WHY | {"filter": {"state": "queued"}},
        WHY | {"filter": {"stat": "queued"}, "expected": 2},
        WHY | {"filter": {"state": "queued"}, "expected": "2"},
        WHY | {"ids": ["x"]},
        {"filter": {"state": "queued"}, "expected": 2},
        {"filter": {"state": "queued"}, "expected": 2, "reason": " "},
        {"filter": {"state": "queued"}, "expected": 2, "reason": "a\u0000"},
        [],
        b"{",
        b"\xff",
    ],
)
def test_what_is_not_said_clearly_is_not_done(poster, ledger, jobs, said):
    """No filter is every job, and no reason is none for the audit trail."""
    answer = poster()(HOLD, said)

    assert (answer.status_code, answer.content_type) == (422, "application/problem+json")
    assert {job_row(ledger, job).state for job in jobs} == {"queued"}


def test_ids_are_not_widened_by_an_empty_filter(poster, ledger, jobs):
    """It fits every job."""
    poster()(HOLD, WHY | {"ids": [jobs[0]], "filter": {}, "expected": 2})

    assert [job_row(ledger, job).state for job in jobs] == ["held", "queued"]


def test_an_unknown_id_stops_it_before_anything_is_done(poster, ledger, jobs):
    """A mistyped id may stand for one that was meant."""
    assert poster()(HOLD, WHY | {"ids": [jobs[0], UNKNOWN]}).status_code == 404
    assert job_row(ledger, jobs[0]).state == "queued"


@pytest.mark.parametrize(
    "said",
    [{"email": "lena"}, {"email": "a@b.com", "at": "soon"}, {"email": "a@b.com", "targets": ["x"]}],
)
def test_a_leaver_whom_nobody_can_mean_is_refused(poster, ledger, said):
    """Nothing is entered."""
    assert poster()("/leavers", WHY | said).status_code == 422
    assert kept.count(ledger, JobFilter()) == 0


def test_only_json_is_read(poster, jobs):
    """And not too much of it."""
    post = poster()

    form = post(HOLD, b"reason=x", **{"Content-Type": "application/x-www-form-urlencoded"})
    large = post(HOLD, b" " * ((1 << 20) + 1))

    assert (form.status_code, large.status_code) == (415, 413)
    assert large.content_type == "application/problem+json"
