"""How Atlassian's APIs tell a person: each in its own words, with its own omissions."""

from typing import Any, Literal

from workers.sandbox.people import Directory, Person

Status = Literal["active", "suspended", "not_invited", "deactivated", "for_deletion"]
MembershipStatus = Literal["active", "suspended", "no_membership"]

DIRECTORY_IDS: dict[Directory, str] = {
    "primary": "d1ec0001-0000-4000-8000-0000000000d1",
    "secondary": "d1ec0002-0000-4000-8000-0000000000d2",
}

_AVATAR = "https://avatar.example.com/avatar.png"


def is_in(person: Person, directory: Directory | None) -> bool:
    """Whether the person is a member of a directory, or of any."""
    return directory in person.directories if directory else bool(person.directories)


def is_seen_in(person: Person, directory: Directory | None) -> bool:
    """Managed accounts that are in no directory are listed among those of every directory."""
    return is_in(person, directory) or (directory is None and person.managed)


def claim_status(person: Person) -> Literal["managed", "unmanaged"]:
    return "managed" if person.managed else "unmanaged"


def membership_status(person: Person, directory: Directory | None = None) -> MembershipStatus:
    """That in one directory; or that in all, suspended only when suspended in every one."""
    if not person.directories:
        return "no_membership"
    if directory:
        return person.directories[directory]
    return "active" if "active" in person.directories.values() else "suspended"


def status(person: Person, directory: Directory | None = None) -> Status:
    """The composite of account and membership."""
    if person.for_deletion:
        return "for_deletion"
    if person.account_status != "active":
        return "deactivated"
    membership = membership_status(person, directory)
    return "not_invited" if membership == "no_membership" else membership


def directory_user(
    person: Person, directory: Directory | None = None, *, hidden: frozenset[str] = frozenset()
) -> dict[str, Any]:
    """A user of the Organizations API v2, without what is hidden or withheld.

    Whether a user who is read in one directory shows the membership there, or that in all, no page
    says: here the former.
    """
    user = {
        "accountId": person.account_id,
        "accountType": person.account_type,
        "status": status(person, directory),
        "accountStatus": person.account_status,
        "membershipStatus": membership_status(person, directory),
        "claimStatus": claim_status(person),
        "managementSource": person.source if person.managed else None,
        "addedToOrg": "2024-01-01T00:00:00.000Z",
        "name": person.name,
        "nickname": _nickname(person),
        "email": person.email,
        "emailVerified": True,
        "mfaEnabled": False,
        "platformRoles": list(person.roles),
    }
    hidden = hidden.union(person.withheld)
    return {field: value for field, value in user.items() if field not in hidden}


def managed_account(person: Person) -> dict[str, Any]:
    """A user of the Organizations API v1: only the e-mail can be withheld."""
    account = {
        "account_id": person.account_id,
        "account_type": person.account_type,
        "account_status": person.account_status,
        "name": person.name,
        "picture": _AVATAR,
        "access_billable": True,
        "product_access": [],
        "links": {"self": f"https://api.atlassian.com/users/{person.account_id}/manage/profile"},
    }
    return account if "email" in person.withheld else account | {"email": person.email}


def profile(person: Person) -> dict[str, Any]:
    """An account of the User management API: whole."""
    return {
        "account_id": person.account_id,
        "account_type": person.account_type,
        "account_status": person.account_status,
        "name": person.name,
        "nickname": _nickname(person),
        "email": person.email,
        "picture": _AVATAR,
        "zoneinfo": "Europe/Berlin",
        "locale": "en-GB",
        "extended_profile": {"job_title": "Rehearsal"},
    }


def _nickname(person: Person) -> str:
    return person.name.split(maxsplit=1)[0][:30]
