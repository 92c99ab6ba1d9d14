"""`leaver doctor` finds each fault, says what helps, and writes nothing."""

import inspect
import json
import re
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
import requests
import sqlalchemy as sa
from redis import Redis
from structlog.testing import capture_logs

from config.settings import load
from tests.workers.records import claim, delivery, everything, job_of, locked_out, record
from webhook.doctor import at_start, check, examination
from webhook.doctor.check import Check, Result
from workers.leavers import Element, ElementKind
from workers.ledger import LedgerUnavailable, moves, open_ledger, outbox, rejections, users
from workers.ledger.alarms import raise_alarm
from workers.ledger.outbox import Message, MessageKind
from workers.ledger.tables import copies, workers
from workers.ledger.users import Role
from workers.reasons import JOB
from workers.sandbox.app import create_app
from workers.sandbox.atlassian.org import API_KEY, ORG_ID
from workers.sandbox.bamboohr.employees import API_KEY as HR_KEY
from workers.sandbox.people import OPERATOR
from workers.sandbox.server import Server
from workers.sandbox.state import Settings


@pytest.fixture
def atlassian() -> Iterator[str]:
    """The address of a fake Atlassian."""
    with Server(create_app(Settings(latency=timedelta()))) as server:
        yield server.base_url


@pytest.fixture
def healthy(leaver, ledger, redis_server, atlassian, now):
    """An installation without a fault."""
    about = {"queue": redis_server.url, "base_url": atlassian, "org_id": ORG_ID, "api_key": API_KEY}
    about |= {"urls": '["json://127.0.0.1:1"]'}
    leaver.configure(**about)
    with ledger.write() as tx:
        tx.execute(sa.insert(workers).values(name="w1", started_at=now, seen_at=now))
    message(ledger, now, sent_at=now)
    return about


def message(ledger, now, **fate) -> None:
    """A message to one recipient, with this fate."""
    with ledger.write() as tx:
        sent = outbox.put(tx, Message(MessageKind.ALARM, "Leaver: 1 alarm", "text"), now)
        own = {"message_id": sent, "recipient": "r", "name": "notify.urls[1] (json)"}
        tx.execute(sa.insert(copies).values(own | fate))


def examined(leaver) -> tuple[int, dict[str, str]]:
    """The exit code, and the findings that are not ok with their hints."""
    result = leaver.run("doctor", "--json")
    told = json.loads(result.stdout)
    assert told["exit_code"] == result.exit_code
    faults = (each for each in told["checks"] if each["result"] != "ok")
    return result.exit_code, {
        each["name"]: f"{each['finding']} -> {each['hint']}" for each in faults
    }


def test_all_is_well(leaver, ledger, healthy):
    """Somebody who installed it sees that it is ready, and nothing was touched."""
    before = everything(ledger)

    result = leaver.run("doctor")

    assert (result.exit_code, result.stdout.splitlines()[-1]) == (0, "All is well.")
    assert "takes the key (org.get in" in result.stdout
    assert everything(ledger) == before


def test_an_owner_whom_the_target_does_not_know_is_found(leaver, healthy):
    """A mistyped address guards nobody, and our own account could be switched off."""
    text = leaver.config.read_text()
    leaver.config.write_text(text.replace("it-admin@", "it-admni@", 1))

    code, found = examined(leaver)

    assert (code, list(found)) == (3, ["targets.cloud owner"])
    assert "correct targets.cloud.operated_by" in found["targets.cloud owner"]


@pytest.mark.parametrize(
    ("change", "finding"),
    [({"withheld": ["email"]}, "unclear_account"), ({"email": "it-admin@EXAMPLE.com"}, None)],
)
def test_an_owner_is_known_as_a_leaver_would_be(leaver, healthy, atlassian, change, finding):
    """By the very match of an attempt."""
    url = f"{atlassian}/sandbox/people/{OPERATOR.account_id}"
    requests.patch(url, json=change, timeout=10).raise_for_status()

    code, found = examined(leaver)

    assert code == 0
    assert [each.split(":")[0] for each in found.values()] == [finding] * 2 * bool(finding)


def test_a_fault_is_shown_with_what_helps(leaver, healthy, redis_server):
    """One line for what is wrong, one for what to do."""
    redis_server.kill()

    result = leaver.run("doctor")

    assert result.exit_code == 3
    assert "attention D005  queue" in result.stdout
    assert "-> deliveries are safe and jobs wait: start it, or mend queue.url" in result.stdout
    assert "All is well" not in result.stdout


def test_every_code_is_explained():
    """The README, where an operator looks one up, has them from there."""
    folder = Path(inspect.getfile(check)).parent
    texts = [file.read_text() for file in folder.glob("*.py") if file.name != "check.py"]
    given = {code for text in texts for code in re.findall(r'"(D\d{3})"', text)}

    assert [*check.CODES] == sorted(given)


def test_advice_is_no_fault(leaver, healthy):
    """Shadow mode is how everybody begins."""
    leaver.configure(**healthy, mode="shadow")

    code, found = examined(leaver)

    assert (code, list(found)) == (0, ["configuration W003"])


def test_a_configuration_that_cannot_work_is_wrong(leaver, healthy, monkeypatch):
    """Exit code 2, as when it is started."""
    leaver.configure(**healthy, server="127.0.0.1:8001")

    code, found = examined(leaver)

    assert (code, list(found)) == (2, ["configuration E004"])


def test_a_ledger_that_is_missing_is_found(leaver, healthy):
    """What stands in it is not asked, and it is not made by looking."""
    file = leaver.folder / "var" / "leaver.db"
    file.unlink()

    code, found = examined(leaver)

    assert (code, list(found)) == (3, ["ledger"])
    assert "run `leaver migrate`" in found["ledger"]
    assert not file.exists()


def test_an_old_schema_is_found(leaver, ledger, healthy):
    """After an update."""
    with ledger.write() as tx:
        tx.execute(sa.text("UPDATE alembic_version SET version_num = '0000'"))

    code, found = examined(leaver)

    assert (code, "run `leaver migrate`" in found["ledger"]) == (3, True)


def test_a_postgresql_that_may_lose_commits_is_found(leaver, healthy, postgres, monkeypatch):
    """What was answered 202 must survive a power cut.  Our test server does not flush to disk."""
    url = postgres.database_url()
    ledger = open_ledger(url)
    ledger.migrate()
    ledger.close()
    monkeypatch.setenv("LEAVER_LEDGER__URL", url)

    code, found = examined(leaver)

    assert code == 3
    assert "fsync=off" in found["ledger.durability"]


def test_a_queue_that_is_down_is_found(leaver, healthy, redis_server):
    """Deliveries are safe, and nobody is deactivated."""
    redis_server.kill()

    code, found = examined(leaver)

    assert (code, "no answer (ConnectionError)" in found["queue"]) == (3, True)


def test_an_embedded_queue_that_nobody_started_is_found(leaver, healthy):
    """It runs with `leaver up`."""
    leaver.configure(**healthy | {"queue": "embedded"})

    code, found = examined(leaver)

    assert (code, "start `leaver up`" in found["queue"]) == (3, True)


@pytest.mark.parametrize("login", ["", "frugal:test-password@"])
def test_a_forgetful_queue_is_only_advice(leaver, healthy, redis_server, login):
    """The ledger is the truth; and it is seen where CONFIG is forbidden as well."""
    with Redis.from_url(redis_server.url) as admin:
        admin.config_set("appendonly", "no")
        admin.config_set("maxmemory-policy", "allkeys-lru")
        admin.acl_setuser(
            "frugal",
            enabled=True,
            passwords=["+test-password"],
            categories=["+@all"],
            commands=["-config"],
            keys=["*"],
        )
    leaver.configure(**healthy | {"queue": redis_server.url.replace("//", f"//{login}")})

    code, found = examined(leaver)

    assert (code, list(found)) == (0, ["queue.durability"])
    assert "maxmemory-policy: allkeys-lru" in found["queue.durability"]


def test_a_key_that_is_refused_is_found(leaver, healthy):
    """With where to put the right one."""
    leaver.configure(**healthy | {"api_key": "another-test-key"})

    code, found = examined(leaver)

    assert code == 3
    assert "credential_refused" in found["targets.cloud"]
    assert JOB["credential_refused"].to_do in found["targets.cloud"]


def test_a_target_that_fails_is_found(leaver, healthy, atlassian):
    """With where to look."""
    fault = {"fault": "503", "operation": "org.get", "times": 9}
    requests.post(f"{atlassian}/sandbox/faults", json=fault, timeout=5).raise_for_status()

    code, found = examined(leaver)

    assert (code, "status page" in found["targets.cloud"]) == (3, True)


def test_a_key_that_cannot_be_read_here_is_said(leaver, healthy, monkeypatch):
    """On the receiver's machine the targets' secrets are not to be had."""
    monkeypatch.setenv("LEAVER_TARGETS__CLOUD__API_KEY_FILE", "/nowhere/key")
    leaver.config.write_text(leaver.config.read_text().replace(f'api_key = "{API_KEY}"', "", 1))

    code, found = examined(leaver)

    assert (code, "configuration E003" in found) == (3, True)
    assert "run `leaver doctor` where the workers run" in found["targets.cloud"]


def test_a_clock_that_is_off_is_found(leaver, healthy):
    """Signatures and cutoffs go by it."""
    with HTTPServer(("127.0.0.1", 0), LateServer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        leaver.configure(**healthy | {"base_url": f"http://127.0.0.1:{server.server_port}"})

        code, found = examined(leaver)
        server.shutdown()

    assert (code, "s ahead of targets." in found["clock"]) == (3, True)


class LateServer(BaseHTTPRequestHandler):
    """A web server whose clock stopped long ago."""

    def do_HEAD(self):
        self.send_response(200)
        self.end_headers()

    def date_time_string(self, timestamp=None):
        return super().date_time_string(0)

    def log_message(self, *_):
        """Say nothing."""


def test_no_live_worker_is_found(leaver, ledger, healthy, now):
    """Everything else looks well while nobody is deactivated."""
    with ledger.write() as tx:
        tx.execute(sa.update(workers).values(seen_at=now - timedelta(minutes=5)))

    code, found = examined(leaver)

    assert (code, "start `leaver up` or `leaver work`" in found["workers"]) == (3, True)


def test_a_paused_target_is_found(leaver, ledger, healthy, now):
    """Every job of it waits."""
    job = job_of(ledger, at=now, cutoff=now)
    later = now + timedelta(hours=1)
    locked_out(ledger, claim(ledger, job, now=now), now=now, until=later, reason="misconfigured")

    code, found = examined(leaver)

    assert (code, "misconfigured" in found["paused target"]) == (3, True)


def test_an_open_alarm_is_found(leaver, ledger, healthy, now):
    """Whatever its kind."""
    with ledger.write() as tx:
        raise_alarm(tx, "quarantined", "hr", "delivery 1 holds what could not be read", now)

    code, found = examined(leaver)

    assert (code, "delivery 1 holds" in found["alarm quarantined"]) == (3, True)


def test_a_job_that_waits_for_a_person_is_found(leaver, ledger, healthy, now):
    """With what to do about its reason; its alarm is not told again."""
    job = job_of(ledger, at=now, cutoff=now)
    moves.hold(ledger, claim(ledger, job, now=now), reason="ambiguous_match", now=now)

    code, found = examined(leaver)

    assert (code, list(found)) == (3, ["jobs"])
    assert "1 held (ambiguous_match) -> Deactivate the right one by hand" in found["jobs"]


def test_a_rejected_delivery_is_advice(leaver, ledger, healthy, now):
    """A stranger at the door is no fault; a source whose every event is refused is an alarm."""
    rejections.count_rejections(ledger, {("hr", "signature_wrong"): 2}, now=now)

    code, found = examined(leaver)

    assert (code, list(found)) == (0, ["rejected deliveries"])
    assert "2 from hr in the last day, signature_wrong" in found["rejected deliveries"]


@pytest.fixture
def asked(leaver, healthy, atlassian):
    """The same with a BambooHR that can be asked, its key, and a hand on how it behaves."""

    def order(key=HR_KEY, **settings):
        text = leaver.config.read_text()
        api = f'api = {{ base_url = "{atlassian}/bamboohr", api_key = "{key}" }}'
        leaver.config.write_text(text.replace('kind = "bamboohr"', f'kind = "bamboohr"\n{api}'))
        settings |= {"webhook_url": "https://leaver.example.com/webhooks/hr"}
        requests.patch(f"{atlassian}/sandbox/bamboohr/settings", json=settings, timeout=10)

    return order


def test_the_key_of_hr_is_tried_and_its_webhook_found_alive(leaver, asked):
    """Both are what every leaver of an event-based webhook depends on."""
    asked()

    result = leaver.run("doctor")

    assert (result.exit_code, result.stdout.splitlines()[-1]) == (0, "All is well.")
    assert "takes the key (hr.self in" in result.stdout
    assert "webhook of hr" in result.stdout


@pytest.mark.parametrize(
    ("settings", "code", "check", "says"),
    [
        ({"key": "test-key-of-a-stranger"}, 3, "sources.hr.api", "credential_refused"),
        ({"webhook_log": [401, 401, 401]}, 3, "webhook of hr", "last attempts failed"),
        ({"webhooks": "hidden"}, 0, "webhook of hr", "may not be read with this key"),
        ({"webhooks": "none"}, 0, "webhook of hr", "may not be read with this key"),
    ],
)
def test_what_hr_refuses_or_hides_is_said(leaver, asked, settings, code, check, says):
    """What the key may not see is no fault, and is not passed over either."""
    asked(**settings)

    exit_code, faults = examined(leaver)

    assert exit_code == code
    assert says in faults[check]


@pytest.mark.parametrize(
    ("behind", "reason", "said"),
    [(10, "stale", "10 minutes behind our clock"), (-10, "from_the_future", "10 minutes ahead of")],
)
def test_a_wrong_clock_is_explained_by_how_much(leaver, ledger, healthy, now, behind, reason, said):
    """Every delivery is quarantined, and nobody thinks of the time first."""
    untimely = Element(ElementKind.QUARANTINED, "", reason)
    given = replace(
        delivery(untimely, at=now, reason=reason), signed_at=now - timedelta(minutes=behind)
    )
    record(ledger, given, now=now)

    code, faults = examined(leaver)

    assert (code, said in faults["signed times"]) == (3, True)
    assert "sources.hr.tolerance" in faults["signed times"]


def test_nobody_to_tell_is_said(leaver, healthy):
    """An alarm that nobody hears is silence."""
    leaver.configure(**healthy | {"urls": "[]"})

    code, found = examined(leaver)

    assert (code, list(found)) == (0, ["messages"])
    assert "told to nobody -> set notify.urls" in found["messages"]


def test_messages_that_wait_are_found(leaver, ledger, healthy, now):
    """With when the last one arrived, and what was given up."""
    message(ledger, now, due_at=now)
    message(ledger, now, gave_up_at=now)

    code, found = examined(leaver)

    assert (code, list(found)) == (0, ["messages"])
    when = f"{now:%Y-%m-%d %H:%M}Z"
    assert f"1 notify.urls, last sent {when}, 1 waiting, 1 given up" in found["messages"]


def test_a_url_that_is_no_service_is_wrong_and_not_shown(leaver, healthy):
    """A worker would not start with it; the text may be a password in the wrong place."""
    leaver.configure(**healthy | {"urls": '["nonsense://token-not-a-secret"]'})

    result = leaver.run("doctor")

    assert result.exit_code == 2
    assert "notify.urls, entry 1 is not a URL that apprise understands" in result.stdout
    assert "token" not in result.output


def test_that_nobody_can_approve_is_found(leaver, ledger, healthy, now, monkeypatch):
    """Else every job would wait, and nobody could end that."""
    monkeypatch.setenv("LEAVER_POLICY__APPROVE", "all")
    users.put(ledger, "eve", Role.OPERATOR, "a hash", actor="root", now=now)
    code, found = examined(leaver)
    assert (code, list(found)) == (3, ["approvers"])
    assert "leaver user add NAME --role approver" in found["approvers"]

    users.put(ledger, "boss", Role.APPROVER, "a hash", actor="root", now=now)

    assert examined(leaver) == (0, {})


def test_what_is_examined_at_a_start_is_said_by_one_part_each(leaver, healthy):
    """All of it by some part, but for the workers, who are only just coming: see also the clock,
    which each part compares with whom it talks to.
    """
    settings = load(leaver.config, environ={})
    at_starts = (at_start.receiver, at_start.console, examination.worker)

    said = [each.name for examine in at_starts for each in examine(settings)]

    whole = {each.name for each in examination.examine(settings)} - {"configuration", "workers"}
    assert sorted(said) == sorted([*whole, "clock"])


def test_a_worker_leaves_a_paused_target_alone_at_its_start(leaver, ledger, healthy, now):
    """The fifth try with a refused password may lock the account."""
    job = job_of(ledger, at=now, cutoff=now)
    locked_out(ledger, claim(ledger, job, now=now), now=now)

    asked = [each.name for each in examination.worker(load(leaver.config, environ={}))]

    assert "targets.cloud" not in asked
    assert "targets.labs" in asked


def test_only_what_is_not_well_is_logged_at_a_start():
    """With what a log needs to ring for it."""
    well = Check("D005", "queue", Result.OK, "answers")
    ill = Check("D004", "ledger.disk", Result.ATTENTION, "0.1 GiB left", "make room")

    with capture_logs() as lines:
        at_start.tell("receiver", iter([well, ill]))

    assert lines == [
        {
            "event": "doctor",
            "log_level": "warning",
            "code": "D004",
            "check": "ledger.disk",
            "finding": "0.1 GiB left",
            "hint": "make room",
        },
        {
            "event": "doctor done",
            "log_level": "info",
            "part": "receiver",
            "checks": 2,
            "findings": 1,
        },
    ]


@pytest.mark.parametrize(
    ("error", "said"),
    [(LedgerUnavailable("gone"), "ledger unavailable"), (RuntimeError("?"), "doctor broke")],
)
def test_a_check_that_breaks_at_a_start_breaks_nothing_else(error, said):
    """The part is at work already."""

    def checks():
        yield Check("D005", "queue", Result.OK, "answers")
        raise error

    with capture_logs() as lines:
        at_start.tell("receiver", checks())

    assert [line["event"] for line in lines] == [said, "doctor done"]
