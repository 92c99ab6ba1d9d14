"""GET /healthz says at a glance whether leavers lose their access."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from tests.workers.records import MINUTE, NOW, claim, job_of, locked_out
from workers.ledger import holds, moves
from workers.ledger.tables import workers


@pytest.fixture
def working(ledger):
    with ledger.write() as tx:
        tx.execute(sa.insert(workers).values(name="w1", started_at=NOW, seen_at=NOW))
    return ledger


def test_all_is_well(working, console):
    """A worker lives, nothing waits for a person."""
    answer = console(working).get("/healthz")

    assert answer.status_code == 200
    assert (answer.json["status"], answer.json["workers"]) == ("ok", 1)


def test_without_a_worker_it_fails(ledger, console):
    """Everything is recorded, and nobody is deactivated."""
    answer = console(ledger).get("/healthz")

    assert (answer.status_code, answer.json["status"]) == (503, "failing")


def test_without_a_ledger_it_fails(lost_ledger, console):
    """And does not say where the ledger lies."""
    answer = console(lost_ledger).get("/healthz")

    assert answer.status_code == 503
    assert answer.json == {"status": "failing", "ledger": "unavailable"}


def test_a_paused_target_needs_attention(working, console):
    """It says which, why and until when; it is no outage of ours."""
    locked_out(working, claim(working, job_of(working)), reason="outage")

    answer = console(working).get("/healthz")

    assert (answer.status_code, answer.json["status"]) == (200, "attention")
    assert answer.json["paused_targets"] == [
        {
            "target": "cloud",
            "reason": "outage",
            "paused_at": "2026-11-23T12:00:00.000Z",
            "paused_until": "2026-11-23T12:01:00.000Z",
        }
    ]


def test_a_source_that_is_held_is_named_and_not_why(working, console):
    """Nobody of it loses their access meanwhile; an operator's reason may name people."""
    side = holds.Side("source", "hr")
    holds.hold(working, side, actor="ops", why="lena is still here", now=NOW)

    answer = console(working).get("/healthz")

    assert answer.json["status"] == "attention"
    assert answer.json["held"] == [
        {"kind": "source", "name": "hr", "held_at": "2026-11-23T12:00:00.000Z"}
    ]
    assert "lena" not in answer.text


def test_an_alarm_needs_attention_and_names_nobody(working, console):
    """Counts and ages only."""
    held = claim(working, job_of(working, "lena"))
    moves.hold(working, held, reason="protected", now=NOW)

    answer = console(working, NOW + timedelta(seconds=20)).get("/healthz")

    assert (answer.json["status"], answer.json["open_alarms"]) == ("attention", {"job_held": 1})
    assert answer.json["oldest_unfinished_job_seconds"] == 20
    assert "lena" not in answer.text


def test_a_worker_is_alive_for_a_while(working, console):
    """One that fell silent is not."""
    assert console(working, NOW + MINUTE).get("/healthz").json["workers"] == 0


@pytest.mark.parametrize(
    ("method", "path", "status", "error"),
    [
        ("POST", "/metrics", 405, "method not allowed"),
        ("POST", "/healthz", 405, "method not allowed"),
    ],
)
def test_an_error_is_plain_json(ledger, console, method, path, status, error):
    """Nothing of the framework shows."""
    answer = console(ledger).open(path, method=method)

    assert (answer.status_code, answer.json) == (status, {"error": error})


@pytest.mark.parametrize("path", ["/metrics", "/healthz", "/nothing"])
def test_a_browser_may_run_and_keep_nothing(ledger, console, path):
    """The console stands on an operator's machine, beside everything else in the browser."""
    headers = console(ledger).get(path).headers

    assert headers["X-Content-Type-Options"] == "nosniff"
    policy = headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'self'; script-src 'self'")
    assert "unsafe" not in policy
    assert headers["Cache-Control"] == "no-store"
