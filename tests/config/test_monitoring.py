"""What we give to Prometheus and Grafana asks for metrics that are there, and rings when it should.

promtool is Prometheus' own, and takes JSON for YAML: it reads the rules, runs them on made-up
metrics, and parses what the dashboard asks.
"""

import json
import re
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.conftest import missing
from webhook.console import metrics

DEPLOY = Path(__file__).parents[2] / "config" / "deploy"
RULES = DEPLOY / "prometheus-rules.yml"
ALERTS = RULES.read_text().split("- alert: ")[1:]
DASHBOARD = json.loads((DEPLOY / "grafana-dashboard.json").read_text())
ASKED = [target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]]

#: Metrics in which all is well, and for each alert what makes it ring.
WELL = {
    'up{job="leaver"}': "1x60",
    "leaver_ledger_up": "1x60",
    "leaver_workers": "2x60",
    "leaver_oldest_overdue_job_seconds": "30x60",
    'leaver_jobs{target="cloud", state="failed"}': "0x60",
    'leaver_jobs{target="cloud", state="held", reason="ambiguous"}': "0x60",
    'leaver_brake_tripped{source="hr"}': "0x60",
    'leaver_target_paused{target="cloud", reason=""}': "0x60",
    'leaver_rejected_deliveries_total{source="hr", reason="signature_wrong"}': "7x60",
    'leaver_alarms_open{kind="quarantined"}': "0x60",
    'leaver_alarms_open{kind="webhook_dead"}': "0x60",
    'leaver_messages{state="given_up"}': "0x60",
}
TROUBLES = {
    "LeaverNotScraped": {'up{job="leaver"}': "0x60"},
    "LeaverLedgerDown": {"leaver_ledger_up": "0x60"},
    "LeaverNoWorker": {"leaver_workers": "0x60"},
    "LeaverJobOverdue": {"leaver_oldest_overdue_job_seconds": "901x60"},
    "LeaverJobFailed": {'leaver_jobs{target="cloud", state="failed"}': "1x60"},
    "LeaverJobHeld": {'leaver_jobs{target="cloud", state="held", reason="ambiguous"}': "1x60"},
    "LeaverBrakeTripped": {'leaver_brake_tripped{source="hr"}': "1x60"},
    "LeaverTargetPaused": {'leaver_target_paused{target="cloud", reason=""}': "1x60"},
    "LeaverDeliveriesRejected": {
        'leaver_rejected_deliveries_total{source="hr", reason="signature_wrong"}': "0+1x60"
    },
    "LeaverDeliveriesQuarantined": {'leaver_alarms_open{kind="quarantined"}': "1x60"},
    "LeaverAlarmOpen": {'leaver_alarms_open{kind="webhook_dead"}': "1x60"},
    "LeaverMessagesGivenUp": {'leaver_messages{state="given_up"}': "1x60"},
}


@pytest.fixture
def promtool():
    """Runs Prometheus' own checks; gives what they say, and fails the test where they fail."""
    program = shutil.which("promtool") or missing("prometheus")

    def run(*arguments, read=""):
        command = [program, *arguments]
        done = subprocess.run(command, input=read, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    return run


def rings(name, series):
    """A test of promtool: after half an hour this alert rings, or none if `name` is None."""
    return {
        "interval": "1m",
        "input_series": [{"series": each, "values": values} for each, values in series.items()],
        "promql_expr_test": [
            {
                "expr": 'count by (alertname) (ALERTS{alertstate="firing"})',
                "eval_time": "30m",
                "exp_samples": [{"labels": f'{{alertname="{name}"}}', "value": 1}] if name else [],
            }
        ],
    }


def test_each_alert_rings_at_its_trouble_and_at_no_other(promtool, tmp_path):
    """One that never rings is silence; one that always rings is not heard."""
    tests = [rings(None, WELL)] + [rings(name, WELL | bad) for name, bad in TROUBLES.items()]
    file = tmp_path / "tests.yml"
    file.write_text(json.dumps({"rule_files": [str(RULES)], "tests": tests}))

    said = promtool("test", "rules", str(file))

    assert "SUCCESS" in said


def test_every_alert_has_its_trouble():
    """An alert that nobody tries may never ring."""
    assert [each.split()[0] for each in ALERTS] == list(TROUBLES)


def test_every_alert_says_what_to_do():
    """Whoever is called at night has not read the README."""
    assert [each for each in ALERTS if not re.search("description: .{30}", each)] == []


def test_the_dashboard_asks_what_prometheus_understands(promtool, tmp_path):
    """A panel with a typing error is an empty panel."""
    rules = [
        {"record": "panel", "expr": expr, "labels": {"at": str(i)}} for i, expr in enumerate(ASKED)
    ]
    file = tmp_path / "panels.yml"
    file.write_text(json.dumps({"groups": [{"name": "panels", "rules": rules}]}))

    said = promtool("check", "rules", str(file))

    assert f"SUCCESS: {len(ASKED)} rules found" in said


def test_alerts_and_dashboard_ask_for_metrics_that_are_there(sqlite_ledger):
    """Of one that is renamed nothing would be heard any more."""
    told = metrics.scraped(sqlite_ledger, datetime(2026, 11, 23, tzinfo=UTC)).decode()
    there = set(re.findall(r"^# TYPE (\w+) ", told, flags=re.MULTILINE))

    asked = " ".join([*ASKED, *re.findall("expr: (.+)", RULES.read_text())])

    assert set(re.findall(r"leaver_\w+", asked)) - there == set()


def test_what_is_told_is_as_prometheus_wants_it(promtool, sqlite_ledger):
    """Names, units and help."""
    told = metrics.scraped(sqlite_ledger, datetime(2026, 11, 23, tzinfo=UTC)).decode()

    said = promtool("check", "metrics", read=told)

    assert said == ""
