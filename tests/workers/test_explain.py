"""What is explained is what then happens, and explaining changes nothing."""

from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import pytest

from config.settings import load
from tests.workers.fakes import FakeClock
from tests.workers.records import (
    DAY,
    HOUR,
    NOW,
    SECOND,
    claim,
    delivery,
    everything,
    job_row,
    record,
    rows,
)
from tests.workers.targets.sandbox import Control
from workers import attempts
from workers.explain import answer, explain
from workers.explanation import Asked, Explanation
from workers.journal import LEASE
from workers.leavers import (
    AccountId,
    Cutoff,
    Element,
    ElementKind,
    JobId,
    Leaver,
    LeaverKind,
)
from workers.ledger import Ledger, approvals, explanations, holds, moves, reinstatements
from workers.ledger import tables as t
from workers.ledger.explanations import Question
from workers.ledger.queries import ahead
from workers.policy import RULES
from workers.runtime import Runtime
from workers.sandbox import people
from workers.sandbox.app import create_app
from workers.sandbox.atlassian.org import API_KEY, ORG_ID
from workers.sandbox.bamboohr.employees import API_KEY as HR_KEY
from workers.sandbox.people import employee_id_of
from workers.sandbox.server import Server
from workers.sandbox.state import Settings as SandboxSettings

DAY_OF_NOW = NOW.date()

SETTINGS = """
[ledger]
url = "{url}"

[policy]
mode = "{mode}"
timezone = "UTC"
{policy}

[sources.hr]
kind = "bamboohr"
secrets = ["test-key-not-a-secret"]
{source}

[targets.cloud]
{kind}
calls_per_second = 1000
{target}
"""
KINDS = {
    "atlassian-org": f"""
        base_url = "BASE_URL"
        org_id = "{ORG_ID}"
        api_key = "{API_KEY}"
        operated_by = "it-admin@example.com"
    """,
    "atlassian-scim": """
        base_url = "BASE_URL"
        directory_id = "0b7f3c52-9d41-4a8e-8f0a-000000000001"
        api_key = "sandbox-scim-key-not-a-secret"
    """,
    "jira-dc": """
        base_url = "BASE_URL/jira-dc"
        auth = "session"
        username = "it-admin"
        password = "sandbox-password-not-a-secret"
        operated_by = "it-admin@example.com"
    """,
    "confluence-dc": """
        base_url = "BASE_URL/confluence-dc"
        token = "sandbox-token-not-a-secret"
        operated_by = "it-admin@example.com"
    """,
    "crowd": """
        base_url = "BASE_URL/crowd"
        application = "leaver"
        password = "crowd-password-not-a-secret"
    """,
    "jira-cloud-site": """
        base_url = "BASE_URL/jira-cloud-site"
        email = "it-admin@example.com"
        api_token = "sandbox-api-token-not-a-secret"
    """,
    "jira-um1": """
        base_url = "BASE_URL/jira-um1"
        username = "it-admin"
        password = "sandbox-password-not-a-secret"
    """,
}
ASKED = f'api = {{ base_url = "BASE_URL/bamboohr", api_key = "{HR_KEY}" }}'


@dataclass
class Scene:
    """A worker on a ledger of its own, and the sandbox that it works on."""

    ledger: Ledger
    folder: Path
    cloud: Control
    clock: FakeClock = field(default_factory=FakeClock)
    settings: dict[str, str] = field(default_factory=dict)
    email: str = people.TOM.email
    jobs: list[JobId] = field(default_factory=list)
    _runtime: Runtime | None = None

    @property
    def company(self) -> Control:
        return self.cloud.of("/bamboohr")

    def configure(self, **settings: str) -> None:
        self.settings |= settings

    @property
    def runtime(self) -> Runtime:
        """The worker, once all is configured."""
        if self._runtime is None:
            self._runtime = self._start()
        return self._runtime

    def _start(self) -> Runtime:
        nothing = dict.fromkeys(("policy", "source", "target"), "")
        texts = {"mode": "act", "kind": "atlassian-org", **nothing, **self.settings}
        texts["kind"] = f'kind = "{texts["kind"]}"\n{KINDS[texts["kind"]]}'
        text = SETTINGS.format(
            url=self.ledger.engine.url.render_as_string(hide_password=False),
            **texts,
        ).replace("BASE_URL", self.cloud.base_url)
        file = self.folder / "leaver.toml"
        file.write_text(text)
        runtime = Runtime(lambda: load(file, {}))
        runtime.clock = self.clock  # type: ignore[assignment]  # one that is moved by hand
        return runtime

    def send(self, email: str = "", kind: LeaverKind = LeaverKind.TERMINATED, **about) -> JobId:
        """HR sends an event about somebody; gives the job."""
        email = email or self.email
        leaver = Leaver(
            email, employee_id_of(email), about.get("cutoff") or Cutoff(NOW), kind, self.clock.now()
        )
        if kind is LeaverKind.LOOKUP:
            leaver = replace(leaver, email="")
        what = ElementKind.LOOKUP if kind is LeaverKind.LOOKUP else ElementKind.LEAVER
        event = Element(what, f"{kind} {email}", employee_id=leaver.employee_id, leaver=leaver)
        self.jobs = list(record(self.ledger, delivery(event), now=self.clock.now()).jobs)
        self.clock.move(SECOND)
        return self.jobs[0]

    def run(self, job: JobId) -> None:
        attempts.run(self.runtime, job)

    def explain(self, job: JobId) -> Explanation:
        return explain(self.runtime, ahead.of_job(self.ledger, job, worker="w1"))

    def close(self) -> None:
        if self._runtime is not None:
            self._runtime.ledger.close()
        self.cloud.close()

    def first(self, word: str, job: JobId) -> None:
        """What an operator does so that there is a next attempt."""
        if word == "approve":
            seen = approvals.asked(self.ledger, [job])[job].seen
            now = self.clock.now()
            moves.approve_by(self.ledger, job, seen=seen, actor="boss", why="a test", now=now)
        do = {"release": moves.release_by, "replay": moves.replay_by}.get(word)
        if do is not None:
            assert do(self.ledger, job, actor="ops", why="a test", now=self.clock.now())

    def ended(self, job: JobId) -> tuple[str, str | None, str]:
        row = job_row(self.ledger, job)
        return row["state"], row["outcome"], row["reason"]


@pytest.fixture(scope="module")
def sandbox_url():
    with Server(create_app(SandboxSettings(latency=timedelta()))) as server:
        yield server.base_url


@pytest.fixture
def scene(sqlite_ledger, tmp_path, sandbox_url):
    cloud = Control(sandbox_url)
    cloud.reset()
    scene = Scene(sqlite_ledger, tmp_path, cloud)
    yield scene
    scene.close()


# --- The situations: each gives the job that is explained, and then run ---


def somebody(email):
    """Somebody of the sandbox leaves, and nothing else is special."""
    return lambda scene: scene.send(email)


def with_settings(email=people.TOM.email, **settings):
    def arrange(scene):
        scene.configure(**settings)
        return scene.send(email)

    return arrange


def in_a_group(group, *, protected):
    def arrange(scene):
        scene.configure(policy=f'protected = ["{protected}"]')
        scene.cloud.change(people.TOM, groups=[group])
        return scene.send()

    return arrange


def with_fault(fault, operation="*"):
    def arrange(scene):
        scene.cloud.always(fault, operation)
        return scene.send()

    return arrange


def hr_says(**said):
    """HR is asked once more, and says this of the leaver by now."""

    def arrange(scene):
        scene.configure(source=ASKED)
        employee = employee_id_of(scene.email)
        said_by_hr = {"status": "Inactive", "employment": "Terminated", **said}
        scene.company.call("PATCH", f"/bamboohr/people/{employee}", said_by_hr)
        return scene.send()

    return arrange


def hr_is_out(scene):
    scene.configure(source=ASKED)
    scene.cloud.always("503", "bamboohr.employee.get")
    return scene.send()


def idp_for_too_long(scene):
    job = scene.send(people.SYNCED.email)
    scene.run(job)
    scene.clock.move(5 * HOUR)
    return job


def scheduled(scene):
    return scene.send(cutoff=Cutoff(NOW + DAY))


def rescinded(scene):
    job = scene.send(cutoff=Cutoff(NOW + DAY))
    scene.send(kind=LeaverKind.RESCINDED)
    scene.clock.move(2 * DAY)
    return job


def rehired(scene):
    job = scene.send()
    scene.send(kind=LeaverKind.REHIRED)
    return job


def brake_is_full(scene):
    scene.configure(policy='brake = [{ leavers = 1, per = "1h" }]')
    scene.run(scene.send(people.LENA.email))
    return scene.send()


def at_the_brake(scene):
    job = brake_is_full(scene)
    scene.run(job)
    return job


def past_the_brake_before(scene):
    """A retry, or another target, of a leaver who has passed."""
    scene.configure(policy='brake = [{ leavers = 1, per = "1h" }]')
    job = scene.send()
    taken = claim(scene.ledger, job, now=scene.clock.now(), concurrency={"cloud": 1})
    brakes = {"": scene.runtime.settings.policy.brake}
    account = AccountId(people.TOM.account_id)
    now = scene.clock.now()
    moves.intend(scene.ledger, taken, account, brakes=brakes, now=now, lease=LEASE)
    moves.again(scene.ledger, taken, now, reason="not_verified", now=now)
    return job


def to_be_approved(scene):
    scene.configure(policy='approve = "all"')
    return scene.send()


def waits_for_an_approval(scene):
    job = to_be_approved(scene)
    scene.run(job)
    return job


def held_by_an_operator(scene):
    job = scene.send()
    moves.hold_by(scene.ledger, job, actor="ops", why="wait", now=scene.clock.now())
    return job


def side_held(kind, name, *, before=True):
    """A whole source or target is held, before a worker has come to the job or after."""

    def arrange(scene):
        job = scene.send()
        side = holds.Side(kind, name)
        holds.hold(scene.ledger, side, actor="ops", why="wait", now=scene.clock.now())
        if not before:
            scene.run(job)
        return job

    return arrange


def side_held_before_the_cutoff(scene):
    job = scheduled(scene)
    side = holds.Side("target", "cloud")
    holds.hold(scene.ledger, side, actor="ops", why="wait", now=scene.clock.now())
    return job


def paused(scene):
    scene.cloud.always("401")
    job = scene.send()
    scene.run(job)
    scene.cloud.heal()
    return job


def done(scene):
    job = scene.send()
    scene.run(job)
    return job


def address_given_away(scene):
    scene.email = people.CONFLICTING.email
    job = scene.send()
    scene.run(job)
    scene.cloud.give_away(scene.email)
    return job


def address_changed(scene):
    scene.email = people.CONFLICTING.email
    job = scene.send()
    scene.run(job)
    scene.cloud.change(people.CONFLICTING, email="olga.married@example.com")
    return job


def killed_after_the_write(scene):
    """Its worker died between the write and the proof."""
    job = past_the_brake_before(scene)
    scene.cloud.change(people.TOM, account_status="inactive")
    return job


def given_back(scene):
    """What was switched off is to be given back, whatever HR says."""
    return reinstatements.reinstate(
        scene.ledger,
        done(scene),
        actor="ops",
        why="a mistake",
        force=True,
        hr_is_asked=False,
        now=scene.clock.now(),
    )


def given_back_if_hr_agrees(**said):
    def arrange(scene):
        job = hr_says()(scene)
        scene.run(job)
        employee = employee_id_of(scene.email)
        scene.company.call("PATCH", f"/bamboohr/people/{employee}", said)
        return reinstatements.reinstate(
            scene.ledger,
            job,
            actor="ops",
            why="a mistake",
            force=False,
            hr_is_asked=True,
            now=scene.clock.now(),
        )

    return arrange


def lookup(**said):
    def arrange(scene):
        scene.configure(source=ASKED)
        employee = employee_id_of(scene.email)
        scene.company.call("PATCH", f"/bamboohr/people/{employee}", said)
        return scene.send(kind=LeaverKind.LOOKUP)

    return arrange


SITUATIONS = {
    "managed": somebody(people.TOM.email),
    "not managed": somebody(people.UNMANAGED.email),
    "not invited": somebody(people.NOT_INVITED.email),
    "off already": somebody(people.INACTIVE.email),
    "closed": somebody(people.CLOSED.email),
    "nobody": somebody(people.NOBODY),
    "two accounts": somebody(people.TWIN.email),
    "synced": somebody(people.SYNCED.email),
    "synced for too long": idp_for_too_long,
    "administrator": somebody(people.ADMINISTRATOR.email),
    "our own": somebody(people.OPERATOR.email),
    "app": somebody(people.APP.email),
    "hidden": somebody(people.RETICENT.email),
    "protected address": with_settings(policy='protected = ["tom.berg@example.com"]'),
    "protected pattern": with_settings(policy='protected = ["t*@example.com"]'),
    "protected employee": with_settings(
        policy=f'protected = ["employee:{employee_id_of(people.TOM.email)}"]'
    ),
    "protected account": with_settings(policy=f'protected = ["account:{people.TOM.account_id}"]'),
    "protected group": in_a_group("board", protected="group:Board"),
    "protected group of others": in_a_group("staff", protected="group:board"),
    "foreign domain": with_settings(policy='email_domains = ["example.org"]'),
    "scheduled": scheduled,
    "rescinded": rescinded,
    "rehired": rehired,
    "shadow by policy": with_settings(mode="shadow"),
    "shadow by source": with_settings(source='mode = "shadow"'),
    "shadow by target": with_settings(target='mode = "shadow"'),
    "brake is full": brake_is_full,
    "held at the brake": at_the_brake,
    "past the brake before": past_the_brake_before,
    "to be approved": to_be_approved,
    "waits for an approval": waits_for_an_approval,
    "held by an operator": held_by_an_operator,
    "whole source held": side_held("source", "hr"),
    "held with its target": side_held("target", "cloud", before=False),
    "scheduled, target held": side_held_before_the_cutoff,
    "credential refused": with_fault("401"),
    "no permission": with_fault("bare_403"),
    "search is out": with_fault("503", "users.search"),
    "rate limited": with_fault("429"),
    "half an answer": with_fault("truncated"),
    "paused": paused,
    "done": done,
    "address given away": address_given_away,
    "address changed": address_changed,
    "killed after the write": killed_after_the_write,
    "given back": given_back,
    "given back, HR agrees": given_back_if_hr_agrees(status="Active", employment="Full-Time"),
    "given back, HR disagrees": given_back_if_hr_agrees(),
    "HR agrees": hr_says(),
    "HR disagrees": hr_says(status="Active", employment="Full-Time"),
    "HR has another address": hr_says(email="tom.neu@example.com"),
    "HR has a later date": hr_says(termination_date="2027-11-30"),
    "HR is out": hr_is_out,
    "lookup of a leaver": lookup(status="Inactive", employment="Terminated"),
    "lookup of somebody at work": lookup(),
}


SITUATIONS |= {f"in {kind}": with_settings(kind=kind) for kind in KINDS}

#: Those in which most could be changed.
TELLING = (
    "managed",
    "synced",
    "brake is full",
    "credential refused",
    "HR is out",
    "done",
    "in jira-dc",
)


@pytest.mark.parametrize("name", SITUATIONS)
def test_what_is_explained_is_what_then_happens(scene, name):
    """An explanation that is not true is worse than none."""
    job = SITUATIONS[name](scene)
    before = calls_of(rows(scene.ledger, t.calls))

    told = scene.explain(job)
    scene.first(told.first, job)
    scene.run(job)

    following = told.next
    assert (following.state, following.outcome, following.reason) == scene.ended(job)
    calls = calls_of(rows(scene.ledger, t.calls))[len(before) :]
    explained = calls_of({"name": call.name} for call in told.calls)
    explained += [following.write] if following.write else []
    assert explained == calls[: len(explained)]
    assert following.write or explained == calls


def calls_of(made):
    """Their names; a login ends with each attempt, however far that comes."""
    return [call["name"] for call in made if call["name"] != "session.close"]


@pytest.mark.parametrize("name", TELLING)
def test_explaining_changes_nothing(scene, name):
    """Neither in Atlassian nor in the ledger: no lease, no place at the brake, no pause."""
    job = SITUATIONS[name](scene)
    written, kept = scene.cloud.writes(), everything(scene.ledger)

    scene.explain(job)

    assert scene.cloud.writes() == written
    assert everything(scene.ledger) == kept


# --- What an operator is told ---


def test_the_account_and_every_rule_are_told(scene):
    """Which account, why that one, and what each rule said of it."""
    told = scene.explain(scene.send(people.UNMANAGED.email))

    assert (told.account.id, told.account.access) == (people.UNMANAGED.account_id, "active")
    answers = {asked.rule: asked.answer for asked in told.rules}
    assert list(answers) == list(RULES)
    assert people.UNMANAGED.account_id in answers["match"]
    assert not any(asked.decides for asked in told.rules)
    assert told.next.write == "users.suspend"


def test_the_rule_that_decides_is_told(scene):
    """With the entry that it was."""
    told = scene.explain(with_settings(policy='protected = ["t*@example.com"]')(scene))

    [decides] = [asked for asked in told.rules if asked.decides]
    assert decides == Asked(
        "protected person", "protected: entry 1 of policy.protected: t*@example.com", decides=True
    )
    assert (told.account, told.calls) == (None, ())


@pytest.mark.parametrize(
    ("name", "rule", "answer"),
    [
        ("HR disagrees", "HR asked once more", "hr_disagrees: HR says that they work here"),
        (
            "HR agrees",
            "HR asked once more",
            "says that they leave, with this e-mail address",
        ),
    ],
)
def test_what_hr_says_now_is_told(scene, name, rule, answer):
    """Where it is asked, it is asked before every rule."""
    told = scene.explain(SITUATIONS[name](scene))

    assert (told.rules[0].rule, told.rules[0].answer) == (rule, answer)


def test_what_stops_a_running_job_is_told(scene):
    """An operator has asked, and the worker has not heard it yet."""
    job = scene.send()
    claim(scene.ledger, job, now=scene.clock.now(), concurrency={"cloud": 1})
    said = {"actor": "ops", "why": "wait", "now": scene.clock.now()}

    holds.hold(scene.ledger, holds.Side("source", "hr"), **said)
    by_side = scene.explain(job)
    moves.hold_by(scene.ledger, job, **said)
    by_id = scene.explain(job)

    assert (by_id.state, by_id.first) == ("running", "")
    assert (by_side.next.state, by_side.next.reason) == ("held", "source_held")
    assert (by_id.next.state, by_id.next.reason) == ("held", "operator_hold")


@pytest.mark.parametrize(
    ("cutoff", "moved", "reckoned"),
    [
        (Cutoff(NOW), False, "at once: no date was said"),
        (Cutoff(NOW + HOUR), False, "the instant that was said"),
        (Cutoff(NOW, DAY_OF_NOW, "UTC"), False, f"at once: {DAY_OF_NOW} in UTC is not ahead"),
        (Cutoff(NOW + 12 * HOUR, DAY_OF_NOW, "UTC"), False, f"the end of {DAY_OF_NOW} in UTC"),
        (
            Cutoff(NOW + DAY),
            True,
            "moved by what HR said later; at first 2026-11-24 12:00:00Z",
        ),
    ],
)
def test_how_the_cutoff_was_reckoned_is_told(scene, cutoff, moved, reckoned):
    """Why now, and why not yet."""
    job = scene.send(cutoff=cutoff)
    if moved:
        scene.send(kind=LeaverKind.CORRECTED, cutoff=Cutoff(NOW + 3 * DAY))

    assert scene.explain(job).reckoned == reckoned


def test_a_lookup_tells_what_would_become_of_whom_hr_names(scene):
    """The event itself names no address."""
    told = scene.explain(SITUATIONS["lookup of a leaver"](scene))

    [leaver] = told.then
    assert (leaver.email, leaver.job) == (people.TOM.email, None)
    assert leaver.next.outcome == "deactivated"


# --- A worker answers ---


def ask(scene, question):
    [one] = explanations.ask(scene.ledger, [question], actor="ops", now=scene.clock.now())
    return one


def told_of(scene, one):
    return explanations.answers(scene.ledger, [one]).get(one)


def test_a_worker_answers_what_it_is_asked_of_a_job(scene):
    """The door has no secrets, and no code of a target."""
    question = ask(scene, Question(scene.send()))

    answer(scene.runtime, question)

    told = told_of(scene, question)
    assert (told["email"], told["next"]["outcome"]) == (people.TOM.email, "deactivated")


def test_a_worker_answers_what_it_is_asked_of_somebody_whom_nobody_has_sent(scene):
    """With all that the parser read of a pasted body."""
    cutoff = Cutoff(NOW + 12 * HOUR, DAY_OF_NOW, "UTC")
    leaver = Leaver(people.TOM.email, "7", cutoff, happened_at=NOW)
    question = ask(scene, Question(None, "hr", "cloud", leaver))

    answer(scene.runtime, question)

    told = told_of(scene, question)
    assert (told["job"], told["employee_id"]) == (None, "7")
    assert told["reckoned"] == f"the end of {DAY_OF_NOW} in UTC"
    assert told["next"]["state"] == "scheduled"


@pytest.mark.parametrize(
    ("source", "target", "reason"),
    [("hr", "another", "target_missing"), ("another", "cloud", "source_missing")],
)
def test_what_the_worker_does_not_have_is_told(scene, source, target, reason):
    """Rather than left without an answer."""
    leaver = Leaver(people.TOM.email, "7", Cutoff(NOW))
    question = ask(scene, Question(None, source, target, leaver))

    answer(scene.runtime, question)

    assert told_of(scene, question)["next"]["reason"] == reason


def test_a_question_that_cannot_be_answered_is_answered_so(scene):
    """Whoever waits must not wait for nothing."""
    question = ask(scene, Question(JobId("no such job")))

    answer(scene.runtime, question)

    assert told_of(scene, question)["error"] == "no job has the id no such job"


def test_a_question_nobody_waits_for_is_not_answered(scene):
    """The command was ended meanwhile."""
    question = ask(scene, Question(scene.send()))
    explanations.forget(scene.ledger, [question])

    answer(scene.runtime, question)

    assert rows(scene.ledger, t.explanations) == []
