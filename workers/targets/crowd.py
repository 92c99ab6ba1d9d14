"""The target `crowd`: Crowd, through its user management API, as one of its applications.

A user is known by its username: Crowd shows the users of all directories of the application as one,
and a name that is in several of them is the user of the first.  A write there takes its body for
the whole user and blanks what is left out, so the user is read again just before, and sent back
with nothing changed but `active`.  A name can come to somebody else; so that read must also show
the address under which the user was found.

Nobody is called absent lightly: an application without a directory, or whose directories have no
addresses, finds nobody, so the credential is proven by a search that finds somebody.

Facts: https://developer.atlassian.com/server/crowd/crowd-query-language/ and Crowd's own client for
Java (read 2026-11-23).  Not confirmed: the texts and the status of refusals, and how a quote within
a value is written; an address that has one is held if Crowd does not understand it.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

from config.targets import Crowd as Settings
from workers.errors import LockedOut, Refused, TargetError, Unavailable
from workers.leavers import AccountId
from workers.targets.answers import ANY, Answer, Dialect
from workers.targets.base import Account, Journal, Limit, Target, Way
from workers.targets.credentials import Basic
from workers.targets.data_center import DIALECT as DATA_CENTER
from workers.targets.groups import names_of, untold
from workers.targets.http import Client
from workers.targets.values import access_of, as_object, as_text

REST = ("rest", "usermanagement", "1")

#: Users that a search is asked for at most; more than a few with one address are too many anyway.
MOST_FOUND = 100

MOST_GROUPS = 1000

#: Parts of a user that are resources of their own: no part of what is written back.
LINKED = frozenset({"expand", "link", "password", "attributes"})

#: An address that needs no care in a search.
PLAIN_ADDRESS = re.compile(r"[A-Za-z0-9._-]+@[A-Za-z0-9.-]+")

#: An application has its permissions for each directory.
CROWD = Dialect(
    for_an_account={
        (403, "APPLICATION_PERMISSION_DENIED"): "read_only_directory",
        (404, "USER_NOT_FOUND"): "account_gone",
        (400, ANY): "refused",
    },
    phrases=DATA_CENTER.phrases,
)


class Crowd:
    """workers.targets.base.Target for one Crowd."""

    def __init__(self, name: str, settings: Settings, limit: Limit) -> None:
        self.name = name
        credential = Basic(settings.application, settings.password)
        self._http = Client(settings, credential, dialect=CROWD, limit=limit)

    def session(self, _journal: Journal) -> AbstractContextManager[Target]:
        """Itself: each call carries the credential."""
        return nullcontext(self)

    def prove_credential(self, journal: Journal) -> None:
        """Prove that the application sees users, and that a search by address finds one of them."""
        call = "user.search"
        seen = self._search(journal, {})
        emails = [each.email for each in seen if PLAIN_ADDRESS.fullmatch(each.email or "")]
        if not emails:
            detail = (
                f"Crowd shows {len(seen)} users and no e-mail address to the application of "
                f"targets.{self.name}: give it a directory that has them"
            )
            raise LockedOut(call, detail, reason="misconfigured")
        if not self.find(journal, emails[0] or ""):
            detail = "a search by e-mail address does not find a user whom Crowd shows"
            raise LockedOut(call, detail, reason="misconfigured")

    def find(self, journal: Journal, email: str) -> tuple[Account, ...]:
        """Search for the address, and leave out who has another one: a star matches anything."""
        found = self._search(journal, {"restriction": f"email={quoted(email)}"})
        if len(found) >= MOST_FOUND:
            detail = f"{MOST_FOUND} users or more are found, and not all of them are shown"
            raise Refused("user.search", detail, reason="ambiguous_match")
        return tuple(each for each in found if same(each.email, email) or each.email is None)

    def groups(self, journal: Journal, account: Account) -> tuple[str, ...]:
        """Those of the user, and those that they are in; asked for both, as no page says whether
        the nested ones are all."""
        direct = self._groups(journal, account, "direct")
        nested = self._groups(journal, account, "nested")
        return tuple(dict.fromkeys((*direct, *nested)))

    def preflight(self, _journal: Journal, account: Account) -> Account:
        """Nothing to ask: whether we may change this user, Crowd tells by refusing it."""
        return account

    def read(self, journal: Journal, account: Account) -> Account | None:
        """The user with this name."""
        user = self._user(journal, account.id)
        return None if user is None else account_of("user.get", user)

    def switch_off(self, journal: Journal, account: Account) -> None:
        """Make the user inactive."""
        self._write_active(journal, "user.deactivate", account, active=False)

    def switch_on(self, journal: Journal, account: Account, snapshot: Mapping[str, Any]) -> None:
        """Make the user active again who was so before."""
        call = "user.activate"
        if snapshot.get("active") is not True:
            raise Refused(call, "the user was not active before", reason="unclear_account")
        self._write_active(journal, call, account, active=True)

    def clean_up(self, journal: Journal, account: Account) -> str:
        """End the sessions of the user, in all applications that use Crowd for signing on."""
        query = {"username": account.id}
        try:
            with self._telling_who_is_let_in():
                self._http.write(journal, "session.end", "DELETE", (*REST, "session"), query=query)
        except TargetError as error:
            return f"sessions could not be ended: {error.detail}"
        return ""

    def _write_active(self, journal: Journal, call: str, account: Account, *, active: bool) -> None:
        user = self._user(journal, account.id)
        if user is None:
            raise Refused(call, "the user is gone", reason="account_gone")
        if not same(account_of(call, user).email, account.email or ""):
            raise Refused(call, "the user has another address by now", reason="email_mismatch")
        body = {field: value for field, value in user.items() if field not in LINKED}
        query = {"username": account.id}
        with self._telling_who_is_let_in():
            self._http.write(
                journal, call, "PUT", (*REST, "user"), query=query, body={**body, "active": active}
            )

    def _groups(self, journal: Journal, account: Account, which: str) -> tuple[str, ...]:
        call = f"groups.{which}"
        query = {"username": account.id, "start-index": "0", "max-results": str(MOST_GROUPS)}
        path = (*REST, "user", "group", which)
        with self._telling_who_is_let_in():
            answer = self._http.ask(journal, call, path, query=query, about_account=True)
        names = names_of(call, as_object(answer.body).get("groups"))
        if len(names) >= MOST_GROUPS:
            raise untold(call, f"there are {MOST_GROUPS} or more")
        return names

    def _user(self, journal: Journal, username: str) -> Mapping[str, Any] | None:
        """Everything that Crowd shows of the user with this name."""
        call, query = "user.get", {"username": username}
        with self._telling_who_is_let_in():
            answer = self._http.ask(journal, call, (*REST, "user"), query=query, accept=is_missing)
        if is_missing(answer):
            return None
        user = as_object(answer.body)
        if not same(as_text(user.get("name")), username):
            raise Refused(call, "the answer is about another account", reason="unclear_account")
        return user

    def _search(self, journal: Journal, query: Mapping[str, str]) -> tuple[Account, ...]:
        call = "user.search"
        whole = {
            "entity-type": "user",
            "expand": "user",  # Else it gives names only.
            "start-index": "0",
            "max-results": str(MOST_FOUND),
            **query,
        }
        with self._telling_who_is_let_in():
            body = self._http.ask(journal, call, (*REST, "search"), query=whole).body
        users = as_object(body).get("users")
        if not isinstance(users, list):
            raise Unavailable(call, "an answer without its list")
        return tuple(account_of(call, user) for user in users)

    @contextmanager
    def _telling_who_is_let_in(self) -> Iterator[None]:
        """A 403 that is no answer of the API: Crowd does not know where we call from."""
        try:
            yield
        except Unavailable as error:
            if not error.detail.startswith("403 "):
                raise
            detail = (
                f"{error.detail}: add the address of this machine to the remote addresses of the "
                f"application in Crowd (targets.{self.name}.application)"
            )
            raise LockedOut(error.call, detail, reason="misconfigured") from None


def is_missing(answer: Answer) -> bool:
    """Whether an answer proves that there is no such user; an address without a resource is 404."""
    return answer.status == 404 and answer.code == "USER_NOT_FOUND"


def account_of(call: str, user: Any) -> Account:
    """The account that Crowd shows."""
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


def quoted(value: str) -> str:
    """A value of Crowd's query language, in which unquoted ones end at the first odd character."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def same(one: str | None, other: str) -> bool:
    """Whether two names or addresses differ in letter case only."""
    return one is not None and one.lower() == other.lower()
