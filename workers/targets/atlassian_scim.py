"""The target `atlassian-scim`: a directory in Atlassian's cloud that Leaver itself provisions.

The API finds users by userName only, which need not be the e-mail address; nobody is called absent
before the whole directory was looked through for the address.  Only a primary address makes a user
the leaver's: whoever has the address as userName or as one more address is shown with the primary
one, and a person decides.  No user is ever deleted or replaced: a DELETE cannot be taken back, and
a PUT clears what it does not repeat.

Facts: Atlassian's OpenAPI description of user provisioning and RFC 7644 (read 2026-11-23).  Not
confirmed: whether `eq` ignores the case (both are right here), and what a key of another directory
is answered (every 401 and 403 is a refused credential).  A directory does not tell administrators
from others, and where an identity provider fills it as well, that one may activate again.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from config.targets import AtlassianScim as Settings
from workers.errors import LockedOut, Refused, Unavailable
from workers.leavers import AccountId
from workers.targets.answers import ANY, Answer, Dialect
from workers.targets.base import Account, Journal, Limit, Target, Way
from workers.targets.credentials import Bearer
from workers.targets.groups import names_of, untold
from workers.targets.http import Client
from workers.targets.values import access_of, as_list, as_object, as_text

ERROR = "urn:ietf:params:scim:api:messages:2.0:Error"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
ATLASSIAN = "urn:scim:schemas:extension:atlassian-external:1.0"

PAGE_SIZE = 100

#: 403 is about the key, also where the call is about one user.
DIALECT = Dialect(
    meaning={(403, ANY): "credential_refused"},
    for_an_account={(403, ANY): "credential_refused"},
)


class AtlassianScim:
    """workers.targets.base.Target for one directory."""

    def __init__(self, name: str, settings: Settings, limit: Limit) -> None:
        self.name = name
        self._users = ("scim", "directory", settings.directory_id, "Users")
        self._http = Client(settings, Bearer(settings.api_key), dialect=DIALECT, limit=limit)

    def session(self, _journal: Journal) -> AbstractContextManager[Target]:
        """Itself: each call carries the key."""
        return nullcontext(self)

    def prove_credential(self, journal: Journal) -> None:
        """Prove that the key shows users of the directory; an empty one proves nothing."""
        call = "users.list"
        if not self._page(journal, call, {"count": "1"})[0]:
            detail = f"the directory is empty: check targets.{self.name}.directory_id"
            raise LockedOut(call, detail, reason="misconfigured")

    def find(self, journal: Journal, email: str) -> tuple[Account, ...]:
        """Whoever has the address as userName, else as any address, from the whole directory."""
        named = {"filter": f"userName eq {json.dumps(email, ensure_ascii=False)}"}
        call = "users.search"
        found = _with_address(call, self._page(journal, call, named)[1], email)
        return found or _with_address("users.list", self._everybody(journal), email)

    def groups(self, journal: Journal, account: Account) -> tuple[str, ...]:
        """Those of the directory, which has no groups in groups."""
        call = "users.get"
        path = (*self._users, account.id)
        answer = self._http.ask(journal, call, path, about_account=True, accept=is_missing)
        if is_missing(answer):
            raise untold(call, "the user is gone")
        user = as_object(answer.body)
        if user.get("id") != account.id:
            raise Refused(call, "the answer is about another user", reason="unclear_account")
        if "groups" not in user:  # RFC 7643 lets a server leave out what has no values, or not.
            raise untold(call, "the directory shows none, not even an empty list")
        return names_of(call, user["groups"], field="display")

    def preflight(self, _journal: Journal, account: Account) -> Account:
        """Nothing to ask: whether it may be deactivated, only the write tells."""
        return account

    def read(self, journal: Journal, account: Account) -> Account | None:
        """The user with this id; None once the directory has proven that it is there itself."""
        call = "users.get"
        path = (*self._users, account.id)
        answer = self._http.ask(journal, call, path, about_account=True, accept=is_missing)
        if is_missing(answer):
            self.prove_credential(journal)  # A directory that is not there is answered the same.
            return None
        seen = account_of(call, answer.body)
        if seen.id != account.id:
            raise Refused(call, "the answer is about another user", reason="unclear_account")
        return seen

    def switch_off(self, journal: Journal, account: Account) -> None:
        """Make the user inactive; everything else stays as it is."""
        self._write_active(journal, "users.deactivate", account, active=False)

    def switch_on(self, journal: Journal, account: Account, snapshot: Mapping[str, Any]) -> None:
        """Make the user active again who was so before."""
        call = "users.activate"
        if snapshot.get("active") is not True:
            raise Refused(call, "the user was not active before", reason="unclear_account")
        self._write_active(journal, call, account, active=True)

    def clean_up(self, _journal: Journal, _account: Account) -> str:
        """Nothing: the key of a directory cannot."""
        return "API tokens and memberships of groups stay: the key of a directory removes none"

    def _write_active(self, journal: Journal, call: str, account: Account, *, active: bool) -> None:
        # RFC 7644 writes Operations; Atlassian's description has it in lower case.
        change = {"op": "replace", "path": "active", "value": active}
        body = {"schemas": [PATCH], "Operations": [change]}
        path = (*self._users, account.id)
        # Reading back says so where the user is missing.
        self._http.write(journal, call, "PATCH", path, body=body, accept=is_missing)

    def _everybody(self, journal: Journal) -> Iterator[Any]:
        """Every user of the directory; Unavailable where the pages are not all of them."""
        call = "users.list"
        seen: set[str] = set()
        start, total = 1, 1
        while start <= total:
            query = {"startIndex": str(start), "count": str(PAGE_SIZE)}
            total, users = self._page(journal, call, query)
            seen.update(as_text(as_object(user).get("id")) for user in users)
            start += len(users)
            if start <= total and not users:
                break
            yield from users
        if len(seen) < total:
            raise Unavailable(call, f"{len(seen)} of {total} users in the pages of the directory")

    def _page(self, journal: Journal, call: str, query: Mapping[str, str]) -> tuple[int, list[Any]]:
        """How many users there are, and those of them that this answer shows."""
        body = as_object(self._http.ask(journal, call, self._users, query=query).body)
        total, users = body.get("totalResults"), body.get("Resources")
        # Resources may be left out where there is nobody (RFC 7644, 3.4.2).
        if type(total) is not int or not (
            isinstance(users, list) or (users is None and total == 0)
        ):
            raise Unavailable(call, "an answer without its list")
        return total, as_list(users)


def is_missing(answer: Answer) -> bool:
    """Whether SCIM itself says that the user, or the directory, does not exist."""
    return answer.status == 404 and ERROR in as_list(as_object(answer.body).get("schemas"))


def account_of(call: str, user: Any) -> Account:
    """The account that a user of the directory is."""
    facts = as_object(user)
    user_id, active = as_text(facts.get("id")), facts.get("active")
    if not user_id:
        raise Refused(call, "a user without an id", reason="unclear_account")
    known_as = as_object(facts.get(ATLASSIAN)).get("atlassianAccountId")
    return Account(
        id=AccountId(user_id),
        email=primary_address(facts),
        access=access_of(active),
        way=Way.DEACTIVATE,
        username=as_text(facts.get("userName")) or None,
        snapshot={"id": user_id, "active": active is True, "atlassianAccountId": as_text(known_as)},
    )


def primary_address(user: Mapping[str, Any]) -> str | None:
    """The one address that is marked as primary, or the only one; None where that is unclear."""
    emails = [as_object(email) for email in as_list(user.get("emails"))]
    primary = [email for email in emails if email.get("primary") is True] or emails
    return as_text(primary[0].get("value")) or None if len(primary) == 1 else None


def _with_address(call: str, users: Iterator[Any] | list[Any], email: str) -> tuple[Account, ...]:
    """The accounts of the users who have the address anywhere, each once."""
    found = {}
    for user in users:
        facts = as_object(user)
        emails = [as_object(each).get("value") for each in as_list(facts.get("emails"))]
        names = map(as_text, (facts.get("userName"), *emails))
        if email.lower() in (name.lower() for name in names):
            account = account_of(call, user)
            found[account.id] = account
    return tuple(found.values())
