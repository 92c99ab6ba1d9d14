"""What the fields of an account say together, whichever of them are there."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.errors import Refused
from workers.targets.atlassian_account import account_of
from workers.targets.base import Access, Way

ACCOUNT_STATUS = ("active", "inactive", "closed")
MEMBERSHIP = ("active", "suspended", "no_membership")
STATUS = ("active", "suspended", "not_invited", "deactivated", "for_deletion")
CLAIM = ("managed", "unmanaged")

ON, OFF, UNKNOWN = Access.ACTIVE, Access.OFF, Access.UNKNOWN


def account(**fields):
    return account_of("users.search", {"accountId": "712020:1", **fields})


@pytest.mark.parametrize(
    ("claim", "account_status", "membership", "status", "access"),
    [
        ("managed", "active", "active", "active", ON),
        ("managed", "active", "suspended", "suspended", ON),
        ("managed", "active", "no_membership", "not_invited", ON),
        ("managed", "inactive", "active", "deactivated", OFF),
        ("managed", "closed", None, None, OFF),
        ("managed", None, None, "for_deletion", OFF),
        ("managed", None, "suspended", None, UNKNOWN),
        ("managed", "active", "active", "deactivated", UNKNOWN),
        ("managed", "inactive", "active", "active", UNKNOWN),
        ("unmanaged", "active", "active", "active", ON),
        ("unmanaged", "active", "suspended", "suspended", OFF),
        ("unmanaged", "active", "no_membership", "not_invited", OFF),
        ("unmanaged", None, "suspended", None, OFF),
        ("unmanaged", "inactive", "active", "deactivated", OFF),
        ("unmanaged", "active", None, None, UNKNOWN),
        ("unmanaged", "active", "active", "suspended", UNKNOWN),
        (None, "active", "suspended", "suspended", ON),
        (None, "inactive", None, None, OFF),
        (None, None, None, None, UNKNOWN),
    ],
)
def test_what_an_account_can_do(claim, account_status, membership, status, access):
    """A contradiction is unknown; suspended here is off only for those who live elsewhere."""
    shown = account(
        claimStatus=claim, accountStatus=account_status, membershipStatus=membership, status=status
    )

    assert shown.access is access


@given(
    claim=st.sampled_from((*CLAIM, None)),
    account_status=st.sampled_from((*ACCOUNT_STATUS, "new", None, 1)),
    membership=st.sampled_from((*MEMBERSHIP, "new", None, ["suspended"])),
    status=st.sampled_from((*STATUS, "new", None, {})),
)
def test_off_is_only_what_the_target_says_is_off(claim, account_status, membership, status):
    """An account that is called off is never written to, so it must really be off."""
    shown = account(
        claimStatus=claim, accountStatus=account_status, membershipStatus=membership, status=status
    )

    said_off = account_status in ("inactive", "closed") or status in ("deactivated", "for_deletion")
    kept_out = membership in ("suspended", "no_membership") or status in (
        "suspended",
        "not_invited",
    )
    if shown.access is OFF:
        assert said_off or (claim == "unmanaged" and kept_out)
        assert not (account_status == "active" and said_off)


@pytest.mark.parametrize(
    ("claim", "source", "way"),
    [
        ("managed", "invited", Way.DEACTIVATE),
        ("managed", None, Way.DEACTIVATE),
        ("managed", "something new", Way.DEACTIVATE),
        ("managed", "synced", Way.IDP),
        ("unmanaged", None, Way.SUSPEND),
        ("unmanaged", "synced", Way.SUSPEND),
        (None, "synced", Way.UNCLEAR),
        ("something new", None, Way.UNCLEAR),
    ],
)
def test_how_an_account_is_switched_off(claim, source, way):
    """The pre-flight has the last word; this says which question it asks."""
    assert account(claimStatus=claim, managementSource=source).way is way


@pytest.mark.parametrize(
    ("roles", "administrator"),
    [
        (["atlassian/org-admin"], True),
        (["atlassian/ai-access", "atlassian/site-admin"], True),
        (["atlassian/user-access-admin"], False),
        ([], False),
        ([None, 1, {}], False),
        ("atlassian/org-admin", False),
    ],
)
def test_who_is_an_administrator(roles, administrator):
    """Those whom Atlassian does not suspend, and whom nobody should lose unnoticed."""
    shown = account(platformRoles=roles)

    assert shown.administrator is administrator
    assert ("platformRoles" in shown.snapshot) == isinstance(roles, list)


@pytest.mark.parametrize("kind", ["app", "customer", "new"])
def test_only_people_are_people(kind):
    """An app's account has no employment to end."""
    assert not account(accountType=kind).person
    assert account(accountType="atlassian").person


@given(st.dictionaries(st.text(), st.none() | st.booleans() | st.text() | st.lists(st.text())))
def test_the_state_before_holds_no_name_and_no_address(more):
    """It is kept for long; ids and states are enough to reinstate."""
    shown = account(**{**more, "accountId": "712020:1", "email": "lena@example.com", "name": "L V"})

    assert not {"email", "name", "nickname"} & set(shown.snapshot)


@given(st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.none()))
def test_an_entry_that_is_no_account_is_refused(entry):
    """The job is held: it can be neither written to nor read back."""
    with pytest.raises(Refused) as refused:
        account_of("users.search", entry)

    assert refused.value.reason == "unclear_account"
