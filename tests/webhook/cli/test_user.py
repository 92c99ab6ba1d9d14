"""`leaver user`: who may use the console."""

import re

import pytest

from webhook.console.passwords import is_right
from workers.ledger import sessions, users
from workers.ledger.users import Role

PASSWORD = "test-password-not-a-secret"


def test_a_user_is_added_changed_and_removed(leaver, ledger):
    """A known one gets the new role, and the new password counts."""
    leaver.run("user", "add", "alice", "--password", PASSWORD)

    changed = leaver.run("user", "add", "alice", "--role", "approver", "--password", PASSWORD * 2)

    assert changed.output == "alice is changed, as approver\n"
    role, password_hash = users.credentials(ledger, "alice")
    assert role is Role.APPROVER
    assert is_right(password_hash, PASSWORD * 2)
    [shown] = leaver.json("user", "list")
    assert (shown["name"], shown["role"]) == ("alice", "approver")
    assert leaver.run("user", "remove", "alice").exit_code == 0
    assert users.credentials(ledger, "alice") is None


def test_a_script_gives_the_password_in_the_environment(leaver, ledger, monkeypatch):
    """Nobody else on the machine sees it there, and it is no setting."""
    monkeypatch.setenv("LEAVER_USER_PASSWORD", PASSWORD)

    added = leaver.run("user", "add", "alice")

    assert added.exit_code == 0, added.output
    assert users.credentials(ledger, "alice") is not None


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (("alice", "--password", "short"), "12 characters or more"),
        (("", "--password", PASSWORD), "1 to 64 characters"),
        (("a\nb", "--password", PASSWORD), "1 to 64 characters"),
        (("alice", "--role", "king", "--password", PASSWORD), "'viewer', 'operator', 'approver'"),
    ],
)
def test_what_would_be_no_user_is_refused(leaver, words, hint):
    """With what is allowed instead."""
    refused = leaver.run("user", "add", *words)

    assert refused.exit_code == 2
    assert hint in refused.output


def test_to_remove_nobody_has_failed(leaver):
    """A mistyped name must not read as done."""
    failed = leaver.run("user", "remove", "alice")

    assert failed.exit_code == 1
    assert "leaver user list" in failed.output


def test_who_signed_in_at_the_provider_is_signed_out(leaver, ledger, now):
    """They are no local user, and may sign in again until the provider says otherwise."""
    name = "alice@example.com"
    token = sessions.start(ledger, name, Role.APPROVER, how="by OpenID Connect", now=now)

    done = leaver.run("user", "remove", name)

    assert done.exit_code == 0
    assert "remove them at the OpenID provider" in done.output
    assert sessions.of(ledger, token, now) is None


def test_a_link_signs_in_whom_it_is_for(leaver, ledger, now):
    """It works where the console listens."""
    printed = leaver.run("user", "link", "bob", "--role", "operator").stdout

    [token] = re.findall(r"^http://127\.0\.0\.1:8001/sign-in/link/(\S+)$", printed)
    session = sessions.of(ledger, sessions.follow(ledger, token, now) or "", now)
    assert (session.user, session.role) == ("bob", Role.OPERATOR)
