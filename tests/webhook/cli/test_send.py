"""`leaver send` posts what the HR system would post, and the receiver takes it."""

import threading
from collections.abc import Iterator

import pytest
from werkzeug.serving import make_server

from config.settings import load
from tests.webhook.receiving import Bell, Clock
from webhook import faults
from webhook.app import create_app
from webhook.cli import send
from webhook.cli.situation import log_errors_only


@pytest.fixture
def server(leaver, ledger, now) -> Iterator[str]:
    """The receiver of the same configuration, on a real port; gives its address."""
    log_errors_only()  # Here it writes where the command's output is read.
    settings = load(leaver.config, environ={}).for_the_door()
    app = create_app(settings, ledger, Bell(), Clock(now))  # type: ignore[arg-type]  # stands for a Waker
    server = make_server("127.0.0.1", 0, app, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    leaver.configure(server=f"127.0.0.1:{server.port}")
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("source", ["hr", "standard"])
def test_a_signed_event_makes_a_job_in_every_target(leaver, server, source):
    """The first thing to try after the installation."""
    [told] = leaver.json("send", source, "--email", "lena@example.com")

    assert (told["status"], told["answer"]["status"]) == (202, "accepted")
    assert [job["email"] for job in leaver.json("jobs")] == ["lena@example.com"] * 2


def test_an_empty_success_is_a_success(leaver, server):
    """Okta wants nothing to be said."""
    [told] = leaver.json("send", "okta", "--email", "lena@example.com")

    assert (told["status"], told["answer"]) == (204, "")
    assert [job["email"] for job in leaver.json("jobs")] == ["lena@example.com"] * 2


def test_the_answer_is_shown(leaver, server):
    """Its job id is what one asks for next."""
    result = leaver.run("send", "hr", "--email", "lena@example.com")

    assert result.exit_code == 0
    assert result.stdout.startswith('202 {"delivery": "')


@pytest.mark.parametrize(("source", "deliveries"), [("hr", 2), ("standard", 51)])
def test_many_people_come_in_the_batches_of_their_system(leaver, server, source, deliveries):
    """A load like a real one: BambooHR sends many in one body."""
    answers = leaver.json("send", source, "--email", "lena@example.com", "--count", 51)

    emails = {job["email"] for job in leaver.json("jobs", "--target", "cloud")}
    assert len(answers) == deliveries
    assert emails == {f"lena-{number}@example.com" for number in range(1, 52)}


def test_the_same_person_again_is_a_duplicate(leaver, server):
    """A sender that repeats itself changes nothing."""
    words = ("send", "hr", "--email", "lena@example.com", "--employee-id", "7")

    leaver.json(*words)
    leaver.json(*words)

    assert {job["employee_id"] for job in leaver.json("jobs")} == {"7"}


def test_a_date_ahead_makes_scheduled_jobs(leaver, server):
    """Workday sends weeks early."""
    leaver.json("send", "standard", "--email", "lena@example.com", "--terminated-on", "2099-06-30")

    assert {job["state"] for job in leaver.json("jobs")} == {"scheduled"}


def test_what_is_taken_back_before_the_cutoff_is_cancelled(leaver, server):
    """The rehearsal of a mistake in HR: the account is never touched."""
    words = ("send", "standard", "--email", "lena@example.com")
    leaver.json(*words, "--terminated-on", "2099-06-30")

    leaver.json(*words, "--event", "rescinded")

    assert [job["state"] for job in leaver.json("jobs", "--reason", "rescinded")] == [
        "cancelled"
    ] * 2


def test_a_refused_event_is_a_failure(leaver, server):
    """The receiver has another key."""
    leaver.configure(server=server.removeprefix("http://"), bamboohr="another-test-key")

    result = leaver.run("send", "hr", "--email", "lena@example.com")

    assert (result.exit_code, result.stdout[:4]) == (1, "401 ")


@pytest.mark.parametrize(
    ("fault", "code", "said"),
    [
        ("wrong-signature", 1, ["401"]),
        ("stale", 0, ["quarantined"]),
        ("poison", 0, ["accepted"]),
        ("duplicate", 0, ["accepted", "duplicate"]),
    ],
)
def test_a_senders_mistake_can_be_rehearsed(leaver, server, fault, code, said):
    """What alarms and logs say then is better known before it happens."""
    result = leaver.run("send", "hr", "--email", "lena@example.com", "--fault", fault)

    lines = result.stdout.splitlines()
    assert (result.exit_code, len(lines)) == (code, len(said))
    assert all(word in line for word, line in zip(said, lines, strict=True))


def test_every_fault_is_offered():
    """The command lists them itself, to answer at once."""
    assert set(send.FAULTS) == set(faults.FAULTS)


def test_another_address_can_be_sent_to(leaver, server):
    """Through the proxy that HR systems come through."""
    leaver.configure()

    [told] = leaver.json(
        "send", "hr", "--email", "lena@example.com", "--url", f"{server}/webhooks/hr"
    )

    assert told["status"] == 202


def test_a_receiver_that_does_not_run_is_said_in_one_line(leaver):
    """The usual mistake."""
    result = leaver.run("send", "hr", "--email", "lena@example.com")

    assert result.exit_code == 1
    assert "is `leaver up` or `leaver serve` running there?" in result.stderr


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["nobody", "--email", "lena@example.com"], "no source 'nobody'; configured: hr, standard"),
        (["hr"], "Missing option '--email'"),
        (["hr", "--email", "lena@example.com", "--terminated-on", "30.6."], "%Y-%m-%d"),
        (["hr", "--email", "lena@example.com", "--count", "0"], "not in the range"),
        (["hr", "--email", "e@example.com", "--event", "rescinded"], "says terminated, rehired"),
        (["okta", "--email", "e@example.com", "--fault", "stale"], "--fault stale: this sender"),
        (["hr", "--email", "e@example.com", "--fault", "odd"], "is not one of"),
    ],
)
def test_wrong_usage_is_refused_with_what_is_allowed(leaver, words, hint):
    """Nothing is sent."""
    result = leaver.run("send", *words)

    assert (result.exit_code, hint in result.stderr) == (2, True)


def test_a_public_key_cannot_sign_and_says_which_can(leaver):
    """The receiver of a sender with ed25519 holds the public half only."""
    leaver.configure(standard="whpk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbc=")

    result = leaver.run("send", "standard", "--email", "lena@example.com")

    assert (result.exit_code, "sources.standard: a whpk_ key" in result.stderr) == (2, True)
