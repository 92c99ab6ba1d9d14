"""`leaver token`: made and shown once, listed without it, removed."""

import pytest

from workers.ledger import tokens
from workers.ledger.users import Role


def test_a_token_is_shown_once_and_opens_what_its_role_may(leaver, ledger, now):
    """A list shows when it expires, and nothing that anybody could use."""
    made = leaver.run("token", "add", "siem", "--role", "operator", "--expires", "7d").stdout

    known = tokens.of(ledger, made.split()[0], now)
    assert (known.name, known.role) == ("siem", Role.OPERATOR)
    listed = leaver.run("token", "list", "--json").output
    assert "siem" in listed
    assert made.split()[0] not in listed


def test_a_removed_token_is_gone(leaver, ledger, now):
    """Whoever has it is shut out."""
    made = leaver.run("token", "add", "siem").stdout.split()[0]

    assert leaver.run("token", "remove", "siem").exit_code == 0
    assert tokens.of(ledger, made, now) is None
    assert leaver.run("token", "remove", "siem").exit_code == 1


def test_a_name_that_is_taken_is_refused(leaver):
    """Else a program that works would be shut out by one that is new."""
    leaver.run("token", "add", "siem")

    refused = leaver.run("token", "add", "siem")

    assert refused.exit_code == 1
    assert "remove it first" in refused.output


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (("",), "1 to 64 characters"),
        (("x" * 65,), "1 to 64 characters"),
        (("siem", "--role", "king"), "'viewer', 'operator', 'approver'"),
        (("siem", "--expires", "9999d"), "1s to 3650d"),
    ],
)
def test_what_would_be_no_token_is_refused(leaver, words, hint):
    """With what is allowed instead."""
    refused = leaver.run("token", "add", *words)

    assert refused.exit_code == 2
    assert hint in refused.output
