"""Two people: one enters a leaver on the command line, the other approves it in the console."""

import re

import pytest
import requests

from config.settings import load
from tests.installation import DEACTIVATED, End
from webhook.console.app import create_app, utc_now
from webhook.console.passwords import hashed
from workers.dispatch import Waker
from workers.leavers import State
from workers.ledger import users
from workers.ledger.users import Role
from workers.sandbox.people import LENA
from workers.sandbox.server import Server

PASSWORD = "test-password-not-a-secret"
WHY = ("--reason", "a call of HR's")


@pytest.fixture
def console(installation):
    """Its app in this process, behind a real server."""
    installation.configure({"policy.approve": "manual"})
    settings = load(installation.config, {})
    waker = Waker(settings.queue.url.reveal(), installation.folder)
    with Server(create_app(settings.for_the_door(), installation.ledger, waker)) as server:
        yield server.base_url


def test_what_one_person_entered_another_one_approves(installation, console):
    """And only then the account is gone."""
    installation.start("work")
    users.put(
        installation.ledger, "boss", Role.APPROVER, hashed(PASSWORD), actor="root", now=utc_now()
    )
    [job] = installation.read("terminate", LENA.email, *WHY)
    installation.wait_for_state(State.HELD)
    assert installation.ends() == {LENA.email: End("held", reason="approval_missing")}
    assert installation.sandbox.writes() == []
    alone = installation.leaver("release", job["id"], *WHY)
    assert (alone.returncode, f"/jobs/{job['id']}" in alone.stdout) == (1, True)

    with requests.Session() as boss:
        boss.post(f"{console}/sign-in", data={"name": "boss", "password": PASSWORD}, timeout=10)
        page = boss.get(f"{console}/jobs/{job['id']}", timeout=10).text
        said = {name: _field(page, name) for name in ("csrf", "seen")}
        answer = boss.post(
            f"{console}/approvals/approve/do", data=said | {"reason": "I asked her"}, timeout=10
        )

    assert "1 job approved" in answer.text
    installation.wait_for_state(State.DONE)
    assert installation.ends() == {LENA.email: DEACTIVATED}


def _field(page, name):
    return re.findall(rf'name="{name}" value="([^"]+)"', page)[0]
