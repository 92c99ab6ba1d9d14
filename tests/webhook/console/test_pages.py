"""Every page shows what is there, and nothing that should not be seen."""

import re
from html import unescape

import pytest

from tests.workers.records import LEASE, NOW, claim, delivery, job_of, job_row, person, record
from webhook.console.overview import ALARMS
from workers.leavers import AccountId
from workers.ledger import holds, moves, sessions
from workers.ledger.alarms import raise_alarm
from workers.ledger.holds import Side
from workers.ledger.queries import jobs as kept_jobs
from workers.ledger.queries.jobs import JobFilter
from workers.ledger.users import Role

PAGES = ["/", "/jobs", "/leavers", "/terminate", "/deliveries", "/holds", "/brake", "/audit"]


@pytest.fixture
def visitor(console):
    """Makes a browser in which somebody is signed in."""

    def visit(ledger, role=Role.APPROVER):
        client = console(ledger)
        token = sessions.start(ledger, "alice", role, how="by a test", now=NOW)
        client.set_cookie("leaver_session", token)
        return client

    return visit


@pytest.mark.parametrize("path", PAGES)
def test_every_page_shows_an_empty_ledger(ledger, visitor, path):
    """The first thing that a new user sees."""
    assert visitor(ledger).get(path).status_code == 200


@pytest.mark.parametrize("path", PAGES)
def test_nobody_sees_a_page_without_signing_in(ledger, console, path):
    """It leads to the sign-in, and from there back."""
    answer = console(ledger).get(path)

    assert (answer.status_code, answer.location) == (302, f"/sign-in?next={path}")


@pytest.mark.parametrize("path", PAGES)
def test_addresses_are_masked_in_every_list(ledger, visitor, path):
    """A list over somebody's shoulder tells nobody who leaves."""
    record(ledger, delivery(person("lena")))

    page = visitor(ledger).get(path).text

    assert "lena" not in page


def test_the_overview_says_how_many_alarms_it_does_not_show(sqlite_ledger, visitor):
    """A storm of them must neither bury the page, nor look like the few that are shown."""
    with sqlite_ledger.write() as tx:
        for number in range(ALARMS + 2):
            raise_alarm(tx, "silent_source", str(number), f"alarm {number}.", NOW)

    page = visitor(sqlite_ledger).get("/").text

    assert "and 2 older alarms" in page
    assert ("alarm 2." in page, "alarm 1." in page) == (True, False)


def test_the_page_of_a_job_masks_the_address_until_somebody_looks(ledger, visitor):
    """And then the audit trail says who did."""
    [job] = record(ledger, delivery(person("lena"))).jobs
    client = visitor(ledger)
    masked = client.get(f"/jobs/{job}").text

    revealed = client.post(f"/jobs/{job}/reveal", data=form(ledger, client)).text

    assert "lena@" not in masked
    assert "lena@example.com" in revealed
    assert "alice (console)" in client.get("/audit?action=look").text


def test_an_address_that_names_the_account_is_masked_as_well(ledger, visitor):
    """Some systems have no other id of a person, and the before-state shows it again."""
    taken = claim(ledger, job_of(ledger, "lena"))
    moves.pin(ledger, taken, AccountId("lena@example.com"), now=NOW, lease=LEASE)
    moves.keep(ledger, taken, {"name": "lena@example.com", "active": True})
    moves.hold(ledger, taken, reason="approval_missing", now=NOW)
    client = visitor(ledger)
    leaver = job_row(ledger, taken.job)["leaver_id"]
    said = form(ledger, client)

    pages = [f"/jobs/{taken.job}", f"/leavers/{leaver}"]
    masked = [client.get(page).text for page in pages]
    masked.append(client.post("/approvals/approve", data=said | {"id": taken.job}).text)
    revealed = [client.post(f"{page}/reveal", data=said).text for page in pages]

    assert ["lena@" in page for page in masked] == [False, False, False]
    assert ["lena@" in page for page in revealed] == [True, True]


def test_the_body_of_a_delivery_is_hidden_until_somebody_looks(ledger, visitor):
    """It is what HR sent, with all that stands in it."""
    kept = record(ledger, delivery(person("lena"), body=b'{"salary": 1}'))
    client = visitor(ledger)
    path = f"/deliveries/{kept.delivery}"

    assert "salary" not in client.get(path).text
    assert "salary" in client.post(f"{path}/reveal", data=form(ledger, client)).text


def test_the_first_page_tells_each_cause_once(ledger, visitor):
    """What is counted is no alarm beside it; what holds everybody is, with the way to it."""
    taken = claim(ledger, job_of(ledger, "lena"))
    moves.hold(ledger, taken, reason="protected", now=NOW)
    holds.hold(ledger, Side("target", "cloud"), actor="ops", why="an upgrade", now=NOW)

    page = visitor(ledger).get("/").text

    assert page.count(taken.job) == 0
    assert "/jobs?state=held&amp;reason=protected" in page
    assert "policy.protected names the e-mail address" in page
    assert '<a href="/holds">Holds</a>' in page


def test_the_first_page_shows_how_each_source_and_target_does(ledger, visitor):
    """A held target does not work, nor does a source whose HR system cannot be asked."""
    holds.hold(ledger, Side("target", "cloud"), actor="ops", why="an upgrade", now=NOW)
    with ledger.write() as tx:
        raise_alarm(tx, "silent_source", "hr", "nothing has come from hr", NOW)

    tables = visitor(ledger).get("/").text.partition('id="sources"')[2]

    assert "silent_source" in tables
    assert '<span class="word held">held</span>' in tables
    assert "working</span>" not in tables


def test_an_operator_replays_what_a_filter_finds(ledger, visitor):
    """First the count, then a reason, then what became of each."""
    jobs = record(ledger, delivery(person("lena"), person("tom"), person("eve"))).jobs
    for job in jobs[:2]:
        moves.cancel_by(ledger, job, actor="ops", why="by mistake", now=NOW)
    client = visitor(ledger)
    said = form(ledger, client) | {"all": "1", "state": "cancelled"}

    preview = client.post("/acts/replay", data=said).text
    assert "Replay 2 jobs" in preview
    [ids] = re.findall(r'name="id" value="([^"]+)"', preview)
    done = client.post("/acts/replay/do", data=said | {"id": ids, "reason": "they do leave"})

    assert "2 jobs replayed" in done.text
    assert [job_row(ledger, job)["round"] for job in jobs] == [2, 2, 1]


def test_what_could_not_be_done_says_why_and_the_way_leads_back_to_the_list(ledger, visitor):
    """Before it is done it is said how many are not in a state for it."""
    [job] = record(ledger, delivery(person("lena"))).jobs
    moves.cancel_by(ledger, job, actor="ops", why="by mistake", now=NOW)
    client = visitor(ledger)
    said = form(ledger, client) | {"all": "1", "state": "cancelled", "since": "2d"}

    preview = client.post("/acts/hold", data=said).text
    [of_list] = re.findall(r'name="list" value="([^"]+)"', preview)
    chosen = {"id": job, "reason": "we look first", "list": unescape(of_list)}
    done = client.post("/acts/hold/do", data=form(ledger, client) | chosen).text

    assert "1 job of these is not in a state for it" in preview
    assert "it is cancelled" in done
    assert all('"/jobs?state=cancelled&amp;since=2d"' in page for page in (preview, done))


@pytest.mark.parametrize(
    ("reason", "pressed"), [("protected", "Release"), ("ambiguous_match", "Replay")]
)
def test_the_button_that_the_advice_names_stands_out(ledger, visitor, reason, pressed):
    """Who is called at night need not choose among three."""
    taken = claim(ledger, job_of(ledger, "lena"))
    moves.hold(ledger, taken, reason=reason, now=NOW)

    page = visitor(ledger).get(f"/jobs/{taken.job}").text

    assert re.findall(r'<button class="main"[^>]*>(\w+)<', page) == [pressed]


def test_a_replay_is_forced_where_only_that_helps(ledger, visitor):
    """The box is there for a job whose account changed, and not for one that failed."""
    [changed, failed] = record(ledger, delivery(person("lena"), person("tom"))).jobs
    moves.hold(ledger, claim(ledger, changed), reason="account_changed", now=NOW)
    moves.fail(ledger, claim(ledger, failed), reason="gave_up", detail="", now=NOW)
    client = visitor(ledger)
    pages = [client.get(f"/jobs/{job}").text for job in (changed, failed)]

    said = form(ledger, client) | {"id": changed, "reason": "the new one is hers", "force": "1"}
    client.post("/acts/replay/do", data=said)

    assert ['name="force"' in page for page in pages] == [True, False]
    assert job_row(ledger, changed)["forced"]


@pytest.mark.parametrize(("day", "found"), [("2026-11-23", True), ("2026-11-24", False)])
def test_jobs_are_found_from_a_day_on(ledger, visitor, day, found):
    """A bookmark of a day means the same tomorrow; the day is one in UTC, as all times are."""
    [job] = record(ledger, delivery(person("lena"))).jobs

    assert (job in visitor(ledger).get(f"/jobs?since={day}").text) is found


def test_an_act_without_a_reason_is_not_done(ledger, visitor):
    """The audit trail would say nothing."""
    [job] = record(ledger, delivery(person("lena"))).jobs
    client = visitor(ledger)

    answer = client.post("/acts/hold/do", data=form(ledger, client) | {"id": job, "reason": " "})

    assert answer.status_code == 400
    assert job_row(ledger, job)["state"] == "queued"


def test_the_brake_is_released_with_a_number_and_a_reason(ledger, visitor):
    """So many pass, and the trail says by whom."""
    client = visitor(ledger)
    said = form(ledger, client) | {"leavers": "7", "reason": "a reorganisation"}

    answer = client.post("/brake", data=said)

    assert answer.status_code == 303
    assert "a reorganisation" in client.get("/audit").text


@pytest.mark.parametrize(
    "path", ["/jobs/nothing", "/leavers/nothing", "/deliveries/nothing", "/nothing", "/acts/x"]
)
def test_what_is_not_there_is_said_so(ledger, visitor, path):
    """On a page that leads back."""
    answer = visitor(ledger).get(path)

    assert answer.status_code in (404, 405)
    assert "To the overview" in answer.text


@pytest.mark.parametrize(
    "query",
    ["since=-1d", "since=99999999999d", "after=x", "before=x", "last=1", "email=x", "source=x"],
)
def test_an_address_that_makes_no_sense_shows_a_list(ledger, visitor, query):
    """Somebody cut it off while copying."""
    assert visitor(ledger).get(f"/jobs?{query}").status_code == 200


def test_pages_of_a_list_meet_without_gap_or_overlap(ledger, visitor):
    """From the newest to the oldest and back."""
    jobs = record(ledger, delivery(*(person(f"p{n}") for n in range(120)))).jobs
    wanted = JobFilter()

    first = kept_jobs.page(ledger, wanted, size=50)
    second = kept_jobs.page(ledger, wanted, size=50, after=first.jobs[-1].id)
    third = kept_jobs.page(ledger, wanted, size=50, after=second.jobs[-1].id)
    back = kept_jobs.page(ledger, wanted, size=50, before=third.jobs[0].id)
    last = kept_jobs.page(ledger, wanted, size=50, last=True)

    shown = [job.id for page in (first, second, third) for job in page.jobs]
    assert shown == sorted(jobs, reverse=True)
    assert back.jobs == second.jobs
    assert [job.id for job in last.jobs] == sorted(jobs)[:50][::-1]
    assert [(page.newer, page.older) for page in (first, second, third, last)] == [
        (False, True),
        (True, True),
        (True, False),
        (True, False),
    ]


def form(ledger, client):
    token = client.get_cookie("leaver_session").value
    return {"csrf": sessions.of(ledger, token, NOW).csrf}


def test_all_that_fit_means_all_even_if_some_are_chosen(ledger, visitor):
    """Somebody ticks the page, and then that all are meant."""
    jobs = record(ledger, delivery(person("lena"), person("tom"))).jobs
    client = visitor(ledger)
    said = form(ledger, client) | {"id": jobs[0], "all": "1", "state": "queued"}

    assert "Hold 2 jobs" in client.post("/acts/hold", data=said).text


@pytest.mark.parametrize("said", [{}, {"state": "hled"}, {"since": "2 weeks"}])
def test_nothing_is_chosen_by_a_filter_that_says_nothing(ledger, visitor, said):
    """A filter that was mistyped must not mean every job."""
    record(ledger, delivery(person("lena")))
    client = visitor(ledger)

    answer = client.post("/acts/cancel", data=form(ledger, client) | {"all": "1"} | said)

    assert answer.status_code == 400


def test_an_act_is_done_to_what_was_shown_and_to_nothing_else(ledger, visitor):
    """What has come in since the count is not meant."""
    [job] = record(ledger, delivery(person("lena"))).jobs
    client = visitor(ledger)
    said = form(ledger, client) | {"all": "1", "state": "queued", "reason": "x"}

    assert client.post("/acts/hold/do", data=said).status_code == 400
    assert job_row(ledger, job)["state"] == "queued"


@pytest.mark.parametrize(
    ("query", "fault"),
    [
        ("state=hled", "hled is not a state"),
        ("outcome=dnoe", "dnoe is not an outcome"),
        ("reason=brkae", "brkae is not a reason"),
        ("since=2+weeks", "2 weeks is neither a length of time such as 2d nor a day"),
        ("since=2026-11-31", "2026-11-31 is neither"),
    ],
)
def test_a_mistyped_filter_is_said_and_shows_no_jobs(ledger, visitor, query, fault):
    """A list of all of them would read as if all of them fitted."""
    [job] = record(ledger, delivery(person("lena"))).jobs

    page = visitor(ledger).get(f"/jobs?{query}").text

    assert fault in page
    assert job not in page
