"""A program with a token: it enters a leaver, and follows what becomes of it."""

import pytest
import requests

from config.settings import load
from tests.installation import DEACTIVATED
from webhook.console.app import create_app
from workers.dispatch import Waker
from workers.leavers import State
from workers.sandbox.people import LENA
from workers.sandbox.server import Server

WHY = {"reason": "a call of HR's"}


@pytest.fixture
def api(installation):
    """The console's app in this process, behind a real server."""
    settings = load(installation.config, {})
    waker = Waker(settings.queue.url.reveal(), installation.folder)
    with Server(create_app(settings.for_the_door(), installation.ledger, waker)) as server:
        yield f"{server.base_url}/api/v1"


def test_a_program_enters_a_leaver_once_and_reads_that_the_account_is_gone(installation, api):
    """Its connection breaks off after the first request, so it asks again."""
    installation.start("work")
    added = installation.leaver("token", "add", "chatbot", "--role", "operator")
    program = requests.Session()
    program.headers["Authorization"] = f"Bearer {added.stdout.split()[0]}"
    key = {"Idempotency-Key": "ticket 4711"}

    for _ in range(2):
        said = WHY | {"email": LENA.email}
        entered = program.post(f"{api}/leavers", json=said, headers=key, timeout=10)
    installation.wait_for_state(State.DONE)
    assert installation.ends() == {LENA.email: DEACTIVATED}
    [job] = entered.json()["items"]
    shown = program.get(f"{api}/jobs/{job['id']}", timeout=10).json()
    said = WHY | {"ids": [job["id"]]}
    key = {"Idempotency-Key": "ticket 4712"}
    replayed = program.post(f"{api}/jobs/replay", json=said, headers=key, timeout=10)

    assert entered.headers["Idempotency-Replayed"] == "true"
    assert (shown["state"], shown["outcome"]) == ("done", "deactivated")
    assert shown["entered_by"] == "chatbot (API)"
    assert [each["result"] for each in replayed.json()["results"]] == ["replayed"]
