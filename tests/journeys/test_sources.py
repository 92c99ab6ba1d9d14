"""Every kind of source in one Leaver: what it says of a person ends at that person's account."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tests.installation import DEACTIVATED, KEY, SOURCE, Installation, disables
from tests.workers.targets.sandbox import Control
from webhook.cli import main
from webhook.sources import SOURCES
from workers.leavers import LeaverKind, State
from workers.sandbox import finch, gusto
from workers.sandbox.bamboohr.employees import API_KEY

STANDARD_KEY = "whsec_dGVzdC1rZXktbm90LWEtc2VjcmV0LTEyMzQ="
FINCH_KEY = "5WbX5kEWLlfzsGNjH64I8lOOqUB6e8FH"

#: Each source with its settings; of those that name no address, the faked HR system and its key.
SETTINGS: dict[str, dict[str, Any]] = {
    SOURCE: {"kind": "bamboohr"},
    "thin": {"kind": "bamboohr", "api": ("bamboohr", API_KEY)},
    "standard": {"kind": "standard", "secrets": [STANDARD_KEY]},
    "workday": {"kind": "workday", "secrets": [STANDARD_KEY]},
    "okta": {"kind": "okta"},
    "hibob": {"kind": "hibob"},
    "gusto": {"kind": "gusto", "api": ("gusto", gusto.TOKEN)},
    "finch": {"kind": "finch", "secrets": [FINCH_KEY], "api": ("finch", finch.TOKEN)},
    "github": {"kind": "generic", "preset": "github"},
}
RESCIND = [
    name for name, own in SETTINGS.items() if LeaverKind.RESCINDED in SOURCES[own["kind"]].EVENTS
]
LEAVERS = {name: f"{name}.leaver@example.com" for name in SETTINGS}
STAYERS = {name: f"{name}.stayer@example.com" for name in RESCIND}


@pytest.fixture
def everyone(tmp_path: Path) -> Iterator[Installation]:
    """A Leaver with every kind of source, running."""
    with Installation(tmp_path, queue_url="embedded") as installation:
        settings: dict[str, Any] = {}
        for name, own in SETTINGS.items():
            known = {"secrets": [KEY], "targets": ["cloud"]} | own
            if api := known.pop("api", None):
                system, key = api
                known["api.base_url"] = f"{installation.sandbox.base_url}/{system}"
                known["api.api_key"] = key
            settings |= {f"sources.{name}.{setting}": value for setting, value in known.items()}
        installation.configure(settings)
        installation.sandbox.add(*LEAVERS.values(), *STAYERS.values())
        installation.start("up")
        yield installation


def tell_hr(installation: Installation, source: str, email: str, *, on: str = "") -> None:
    """Have the faked HR system know what the event does not say, if there is one."""
    if "api" not in SETTINGS[source]:
        return
    system, _ = SETTINGS[source]["api"]
    gone = {"terminated": True, "termination_date": on}
    if system == "bamboohr":
        gone = {"status": "Inactive", "employment": "Terminated"}
    hr = Control(installation.sandbox.base_url, f"/{system}")
    hr.add(email, **gone)
    hr.close()


def send(installation: Installation, people: dict[str, str], *words: str) -> None:
    """`leaver send` for each source, in this process: a new one each time takes a while."""
    for source, email in people.items():
        arguments = ["--config", str(installation.config), "send", source, "--email", email]
        sent = CliRunner().invoke(main, [*arguments, *words], prog_name="leaver")
        assert sent.exit_code == 0, sent.output


def test_what_every_kind_of_source_says_is_done(everyone):
    """All of them leave, but whoever HR has taken back before their last day was over."""
    ahead = f"{datetime.now(UTC) + timedelta(days=2):%Y-%m-%d}"

    for source, email in LEAVERS.items():
        tell_hr(everyone, source, email)
    for source, email in STAYERS.items():
        tell_hr(everyone, source, email, on=ahead)
    send(everyone, STAYERS, "--terminated-on", ahead)
    send(everyone, {"thin": LEAVERS["thin"]}, "--event", "lookup")
    send(everyone, {name: email for name, email in LEAVERS.items() if name != "thin"})
    for email in STAYERS.values():
        everyone.wait_for_state(State.SCHEDULED, email)
    send(everyone, STAYERS, "--event", "rescinded")

    for email in LEAVERS.values():
        everyone.wait_for_ends(email)
    for email in STAYERS.values():
        everyone.wait_for_state(State.CANCELLED, email)
    ends = everyone.ends(*LEAVERS.values())
    assert ends == dict.fromkeys(LEAVERS.values(), DEACTIVATED)
    gone = [everyone.sandbox.person(email) for email in LEAVERS.values()]
    assert {person["account_status"] for person in gone} == {"inactive"}
    off = {person["account_id"] for person in gone}
    assert set(disables(everyone.sandbox.writes())) == off
