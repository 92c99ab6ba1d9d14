"""The console in a real Chromium: what a person called at night sees, and can press."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import requests
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

from config.settings import load
from tests.conftest import missing
from tests.installation import DEACTIVATED, Installation
from tests.servers import free_port
from tests.workers.records import NOW, SECOND, claim, delivery, job_row, person, record
from webhook.console.access import COOKIE
from webhook.console.app import create_app, utc_now
from webhook.console.passwords import hashed
from workers.dispatch import Waker
from workers.leavers import Element, ElementKind, JobId, State
from workers.ledger import Ledger, holds, moves, sessions, users
from workers.ledger.holds import Side
from workers.ledger.users import Role
from workers.sandbox.people import LENA
from workers.sandbox.server import Server

PASSWORD = "test-password-not-a-secret"


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """The browser of the operating system; nothing is downloaded."""
    binary = shutil.which("chromium")
    if binary is None:
        missing("chromium")
    # As root it runs only without its sandbox.
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=binary, args=arguments)
        yield browser
        browser.close()


class Console:
    """The console of an installation, and browsers that look at it."""

    def __init__(self, installation: Installation, chromium: Browser, url: str) -> None:
        self.ledger = installation.ledger
        self.url = url
        self.faults: list[str] = []  # what the browsers complained of
        self._chromium = chromium

    def visitor(self, role: Role | None, **about: Any) -> Page:
        """A browser of its own, in which somebody of this role is signed in, or nobody."""
        context = self._chromium.new_context(base_url=self.url, **about)
        context.set_default_timeout(20_000)
        if role:
            token = sessions.start(self.ledger, "alice", role, how="by a test", now=utc_now())
            context.add_cookies([{"name": COOKIE, "value": token, "url": self.url}])
        page = context.new_page()
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        return page

    def _hear(self, said: ConsoleMessage) -> None:
        if said.type == "error":
            self.faults.append(said.text)


@contextmanager
def running(installation: Installation, chromium: Browser, port: int = 0) -> Iterator[Console]:
    """Its app in this process, behind a real server."""
    settings = load(installation.config, {})
    waker = Waker(settings.queue.url.reveal(), installation.folder)
    app = create_app(settings.for_the_door(), installation.ledger, waker)
    with Server(app, port=port) as server:
        yield Console(installation, chromium, server.base_url)
        for context in chromium.contexts:
            context.close()


@pytest.fixture
def console(installation: Installation, chromium: Browser) -> Iterator[Console]:
    """The console of an installation as it comes."""
    with running(installation, chromium) as console:
        yield console


def test_a_failed_job_is_found_understood_replayed_and_seen_done(installation, receiver, console):
    """Sign in, filter, read why, say why, press, and see it done without loading the page again."""
    installation.configure({"verify.timeout": "1s", "retry.give_up_after": "1s"})
    installation.start("work")
    installation.sandbox.order("lost_write")
    [job] = installation.send(LENA.email).json()["jobs"]
    installation.wait_for_state(State.FAILED)
    installation.sandbox.heal()
    users.put(console.ledger, "alice", Role.OPERATOR, hashed(PASSWORD), actor="root", now=utc_now())
    page = console.visitor(None)

    page.goto("/")
    page.get_by_label("Name").fill("alice")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("navigation", name="Pages").get_by_role("link", name="Jobs").click()
    page.locator("select[name=state]").select_option("failed")
    page.get_by_role("button", name="Filter").click()
    page.get_by_role("link", name=job[-12:]).click()
    expect(page.get_by_role("complementary")).to_contain_text("retry.give_up_after")
    replay = page.get_by_role("button", name="Replay")
    page.locator("form").filter(has=replay).get_by_label("Reason").fill("the fault is mended")
    replay.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("1 job replayed")
    page.get_by_role("link", name=job[-12:]).click()

    expect(page.get_by_role("heading", level=1)).to_contain_text("deactivated")
    assert installation.ends() == {LENA.email: DEACTIVATED}
    assert console.faults == []


@pytest.fixture
def provider(monkeypatch) -> Iterator[str]:
    """A real OpenID provider, for the browser another site; it takes plain http when told so."""
    import oidc_provider_mock

    monkeypatch.setenv("AUTHLIB_INSECURE_TRANSPORT", "1")
    with Server(oidc_provider_mock.app(require_nonce=True)) as server:
        yield server.base_url.replace("127.0.0.1", "localhost")


@pytest.mark.filterwarnings("ignore:.*deprecated")  # The provider's, not ours.
def test_who_signs_in_at_the_provider_comes_back_with_the_role_of_the_group(
    installation, chromium, provider
):
    """To where they wanted to go: no cookie, header or policy of ours stops the browser between."""
    port = free_port()
    openid = {
        "issuer": provider,
        "client_id": "leaver",
        "client_secret": "test-secret-not-a-secret",
        "public_url": f"http://127.0.0.1:{port}",
        "roles.it-admins": "operator",
    }
    installation.configure({f"console.openid.{name}": value for name, value in openid.items()})
    claims = {"email": "alice@example.com", "groups": ["staff", "it-admins"]}
    requests.put(f"{provider}/users/alice", json=claims, timeout=20).raise_for_status()

    with running(installation, chromium, port) as console:
        page = console.visitor(None)
        page.route("https://**", lambda route: route.abort())  # The provider's page wants a style.
        page.goto("/jobs?state=failed")
        page.get_by_role("link", name="Sign in at localhost").click()
        page.get_by_placeholder("sub").fill("alice")
        page.get_by_role("button", name="Authorize").click()

        expect(page).to_have_url(f"{console.url}/jobs?state=failed")
        expect(page.get_by_role("banner")).to_contain_text("alice@example.com, operator")


def given_up(ledger: Ledger, count: int) -> list[JobId]:
    """Jobs of so many people."""
    jobs = record(ledger, delivery(*(person(f"p{n}") for n in range(count)))).jobs
    for job in jobs:
        taken = claim(ledger, job, concurrency={"cloud": 1000})
        moves.fail(ledger, taken, reason="gave_up", detail="not_verified", now=NOW)
    return list(jobs)


def test_two_hundred_failed_jobs_are_replayed_together(console):
    """The count first, then a reason, then what became of them."""
    failed = given_up(console.ledger, 200)
    page = console.visitor(Role.OPERATOR)

    page.goto("/jobs?state=failed")
    page.get_by_label("all that fit the filter").check()
    page.get_by_role("button", name="Replay").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Replay 200 jobs")
    page.get_by_label("Reason").fill("the outage is over")
    page.get_by_role("button", name="Replay 200 jobs").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("200 jobs replayed")
    rows = [job_row(console.ledger, job) for job in failed]
    assert {(row["state"], row["round"]) for row in rows} == {("queued", 2)}
    assert console.faults == []


@pytest.fixture
def job(console) -> str:
    """One job that waits for a worker."""
    [job] = record(console.ledger, delivery(person("lena"))).jobs
    return job


def test_a_job_is_held_and_released(console, job):
    """Each with a reason, and the page of the job says so."""
    page = console.visitor(Role.OPERATOR)

    for act, state in (("Hold", "held"), ("Release", "queued")):
        page.goto(f"/jobs/{job}")
        page.get_by_label("Reason").fill("we look first")
        page.get_by_role("button", name=act).click()
        page.goto(f"/jobs/{job}")
        expect(page.get_by_role("heading", level=1)).to_contain_text(state)
        assert job_row(console.ledger, job)["state"] == state


def test_a_viewer_is_offered_nothing_that_changes_anything(console, job):
    """The buttons are not there; that they would do nothing, the tests of access see."""
    page = console.visitor(Role.VIEWER)

    for path in ("/jobs", f"/jobs/{job}", "/brake"):
        page.goto(path)
        buttons = page.get_by_role("main").get_by_role("button").all_inner_texts()
        assert set(buttons) <= {"Filter"}


def test_all_of_it_works_without_javascript(console):
    """Whoever has switched it off can still do what matters."""
    [failed] = given_up(console.ledger, 1)
    page = console.visitor(Role.OPERATOR, java_script_enabled=False)

    page.goto(f"/jobs/{failed}")
    page.get_by_label("Reason").fill("the fault is mended")
    page.get_by_role("button", name="Replay").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("1 job replayed")


def test_all_of_it_works_with_the_keyboard(console):
    """From the address of the page to the replay without touching a mouse."""
    [failed] = given_up(console.ledger, 1)
    page = console.visitor(Role.OPERATOR)
    page.goto(f"/jobs/{failed}")

    def tab_to(wanted: str) -> None:
        for _ in range(40):
            page.keyboard.press("Tab")
            focused = page.evaluate(
                "[document.activeElement.name, document.activeElement.innerText]"
            )
            if wanted in focused:
                return
        raise AssertionError(f"{wanted} cannot be reached")

    tab_to("reason")
    page.keyboard.type("the fault is mended")
    tab_to("Replay")
    page.keyboard.press("Enter")

    expect(page.get_by_role("heading", level=1)).to_have_text("1 job replayed")


HOSTILE = "<script>window.ran = true</script><img src=x onerror='window.ran = true'>"


@pytest.fixture
def everything(console) -> list[str]:
    """A ledger with some of everything, hostile texts with it, and the addresses of all pages."""
    ledger = console.ledger
    recorded = record(ledger, delivery(*map(person, (HOSTILE, "tom", "eve", "bob"))))
    held, waits, failed, _ = recorded.jobs
    moves.hold_by(ledger, held, actor=HOSTILE, why=HOSTILE, now=NOW)
    record(ledger, delivery(person("zoe", cutoff=NOW + 1000 * SECOND)))
    moves.fail(ledger, claim(ledger, failed), reason="gave_up", detail="not_verified", now=NOW)
    jobs = [f"/jobs/{job}" for job in (held, waits, failed)]
    leaver = job_row(ledger, held)["leaver_id"]
    lists = ["/", "/jobs", "/jobs?reason=gave_up", "/deliveries", "/brake", "/audit"]
    lists += ["/leavers", f"/leavers/{leaver}", "/terminate", "/holds"]
    unread = Element(ElementKind.QUARANTINED, "", "no_email")
    record(ledger, delivery(unread, reason="unreadable"))
    lists.append("/deliveries?status=quarantined")
    holds.hold(ledger, Side("target", "cloud"), actor=HOSTILE, why=HOSTILE, now=NOW)
    return [*lists, *jobs, f"/deliveries/{recorded.delivery}", "/jobs/nothing"]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_every_page_is_fit_for_everybody(console, everything, theme, width):
    """No serious fault that axe-core knows of, nothing too wide, no complaint, no script ran."""
    page = console.visitor(
        Role.APPROVER,
        color_scheme=theme,
        viewport={"width": width, "height": 800},
        bypass_csp=True,  # axe-core is a script that the console would not let in, as any other
    )

    for path in everything:
        page.goto(path)
        found = Axe().run(page).response["violations"]
        serious = [
            (each["id"], [node["html"] for node in each["nodes"]])
            for each in found
            if each["impact"] in ("serious", "critical")
        ]
        assert (path, serious) == (path, [])
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
        assert page.evaluate("window.ran") is None, path
    page.goto("/sign-in")
    assert Axe().run(page).response["violations"] == []
    # The page of the job that is not there is a 404, of which the browser tells.
    assert [fault for fault in console.faults if "404" not in fault] == []


def test_a_page_runs_nothing_that_is_not_ours(console, job):
    """Should a stranger's script ever get into a page, the browser does not run it."""
    page = console.visitor(Role.VIEWER)
    page.goto(f"/jobs/{job}")

    page.evaluate(
        """() => {
            const script = document.createElement("script");
            script.textContent = "window.ran = true";
            document.body.append(script);
            const image = "<img src=x onerror='window.ran = true'>";
            document.body.insertAdjacentHTML("beforeend", image);
        }"""
    )

    assert page.evaluate("window.ran") is None
    assert any("Content Security Policy" in fault for fault in console.faults)
