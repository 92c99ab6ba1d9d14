"""The target `jira-um1`: a Jira behind the old user management API, /admin/rest/um/1.

It does what scripts for that API do: log in for a session cookie, find the user by address,
deactivate by username, and read `active` back, until it is false.  The session is closed at the
end of the attempt and is nowhere but in memory.

The API knows a user by address, and shows one.  So a user is read by its address too, and an answer
about another username is never taken.  Of two users with one address only one can be seen: where
that happens, use jira-dc.

No description of this API is public: the calls are those of scripts and of the client
pycontribs/jira (read 2026-11-23).  Not confirmed: what an unknown address is answered.  A 404 with
a text, or an empty list, counts as nobody; the procedure believes it only after prove_credential(),
which asks the same resource for a user who exists.  Nor is `activate`; reading back says if it did.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from copy import copy
from typing import Any

from config.targets import JiraUm1 as Settings
from workers.errors import LockedOut, Refused, Unavailable
from workers.leavers import AccountId
from workers.targets.answers import Answer
from workers.targets.base import Account, Journal, Limit, Target, Way
from workers.targets.credentials import Login
from workers.targets.data_center import DIALECT
from workers.targets.groups import untold
from workers.targets.http import Client
from workers.targets.values import access_of, as_object, as_text

USER = ("admin", "rest", "um", "1", "user")
SESSION = ("rest", "auth", "1", "session")

#: Users among whom the proof looks for one with an address, and what such an address looks like.
SAMPLE = 50
PLAIN_ADDRESS = re.compile(r"[A-Za-z0-9._-]+@[A-Za-z0-9.-]+")


class JiraUm1:
    """workers.targets.base.Target for one Jira."""

    def __init__(self, name: str, settings: Settings, limit: Limit) -> None:
        self.name = name
        credential = Login(settings.username, settings.password)
        self._http = Client(settings, credential, dialect=DIALECT, limit=limit)

    @contextmanager
    def session(self, journal: Journal) -> Iterator[Target]:
        """One that is logged in until the end of the block."""
        with self._http.session(journal, SESSION) as inside:
            ready = copy(self)
            ready._http = inside
            yield ready

    def prove_credential(self, journal: Journal) -> None:
        """Prove that we may see users, and that one of them is found by address."""
        call = "user.list"
        query = {"start-index": "0", "max-results": str(SAMPLE)}
        users = self._http.ask(journal, call, (*USER, "search"), query=query).body
        if not isinstance(users, list):
            raise Unavailable(call, "an answer without its list")
        for email in (account_of(call, user).email or "" for user in users):
            if PLAIN_ADDRESS.fullmatch(email):
                if self.find(journal, email):
                    return
                break
        detail = f"the account behind targets.{self.name} finds no user by e-mail address"
        raise LockedOut(call, detail, reason="misconfigured")

    def find(self, journal: Journal, email: str) -> tuple[Account, ...]:
        """The user whom the API shows for the address."""
        call = "user.get"
        answer = self._http.ask(journal, call, USER, query={"email": email}, accept=is_missing)
        if is_missing(answer):
            return ()
        users = answer.body if isinstance(answer.body, list) else [answer.body]
        return tuple(account_of(call, user) for user in users)

    def groups(self, _journal: Journal, _account: Account) -> tuple[str, ...]:
        """Refused: no script that we know asks this API for them."""
        raise untold("user.groups", "this API has no call for it that we know")

    def preflight(self, _journal: Journal, account: Account) -> Account:
        """Nothing to ask: whether we may change this user, Jira tells by refusing it."""
        return account

    def read(self, journal: Journal, account: Account) -> Account | None:
        """The user with this name, whom the API must show for the address.

        None only where nobody has the address any more, and the API has proven that it is there
        itself: an address without a resource is answered 404 too.
        """
        if account.email is None:
            detail = "this API reads a user by address only, and nobody has it any more"
            raise Refused("user.get", detail, reason="account_gone")
        found = self.find(journal, account.email)
        if not found:
            self.prove_credential(journal)
            return None
        for each in found:
            if each.id == account.id:
                return each
        detail = "this API shows another user for the address"
        raise Refused("user.get", detail, reason="account_changed")

    def switch_off(self, journal: Journal, account: Account) -> None:
        """Deactivate the user."""
        self._write(journal, "deactivate", account)

    def switch_on(self, journal: Journal, account: Account, snapshot: Mapping[str, Any]) -> None:
        """Activate the user again who was active before."""
        if snapshot.get("active") is not True:
            detail = "the user was not active before"
            raise Refused("user.activate", detail, reason="unclear_account")
        self._write(journal, "activate", account)

    def clean_up(self, _journal: Journal, _account: Account) -> str:
        """Nothing: there is no call for it."""
        return ""

    def _write(self, journal: Journal, verb: str, account: Account) -> None:
        query = {"username": account.id}
        self._http.write(journal, f"user.{verb}", "POST", (*USER, verb), query=query)


def is_missing(answer: Answer) -> bool:
    """Whether nobody may be meant: a wrong address is answered 404 too, and the proof tells."""
    return answer.status == 404 and not answer.flaw and answer.message != ""


def account_of(call: str, user: Any) -> Account:
    """The account that Jira shows."""
    facts = as_object(user)
    name, email = as_text(facts.get("name")), as_text(facts.get("email"))
    if not name:
        raise Refused(call, "a user without a name", reason="unclear_account")
    return Account(
        id=AccountId(name),
        email=email if "@" in email else None,
        access=access_of(facts.get("active")),
        way=Way.DEACTIVATE,
        username=name,
        snapshot={"name": name, "active": facts.get("active") is True},
    )
