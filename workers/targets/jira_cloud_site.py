"""The target `jira-cloud-site`: one Jira site of Atlassian's cloud, without its organization's key.

Nothing here can deactivate an Atlassian account.  What is taken away is the access to this site:
the person leaves every group, which is read back; the groups are kept for a reinstatement, and what
stays is said with the outcome.  Administrators, told by their groups, are for a person to decide.

A search proves little: it shows active users only, nobody to who may not browse users, and perhaps
not those who hide their address.  So nobody is called absent before every user of the site was
listed, and never while a person among them hides the address.

Facts: Atlassian's documentation of Jira's REST API 3 (read 2026-11-23).  Not confirmed: whether a
search matches hidden addresses, whether groups of the whole organization can be left through a site
(a refusal is held), what leaving or joining a group twice is answered (reading back decides), and
the names of groups of administrators: every group with "admin" as a word in it counts as one.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from config.targets import JiraCloudSite as Settings
from workers.errors import LockedOut, Refused, Unavailable
from workers.leavers import AccountId
from workers.targets.answers import Answer, Dialect, perhaps_done
from workers.targets.base import Access, Account, Journal, Limit, Target, Way
from workers.targets.credentials import Basic
from workers.targets.groups import names_of, untold
from workers.targets.http import Client
from workers.targets.values import as_list, as_object, as_text

REST = ("rest", "api", "3")
PAGE_SIZE = 200

#: Jira's administrators, and who may see users at all.
PERMISSIONS = ("ADMINISTER", "USER_PICKER")

_ADMINISTRATORS = re.compile("(?<![a-z])admin(istrator)?s?(?![a-z])", re.IGNORECASE)

WHAT_STAYS = (
    "only the groups of this site were taken away: the Atlassian account, its API tokens and its "
    "access to other sites stay"
)


class JiraCloudSite:
    """workers.targets.base.Target for one site."""

    def __init__(self, name: str, settings: Settings, limit: Limit) -> None:
        self.name = name
        credential = Basic(settings.email, settings.api_token)
        self._http = Client(settings, credential, dialect=Dialect(), limit=limit)

    def session(self, _journal: Journal) -> AbstractContextManager[Target]:
        """Itself: each call carries the credential."""
        return nullcontext(self)

    def prove_credential(self, journal: Journal) -> None:
        """Prove that we are somebody, who may browse users and administers Jira."""
        call = "myself.get"
        me = self._http.ask(journal, call, (*REST, "myself")).body
        if not as_text(as_object(me).get("accountId")):
            raise Unavailable(call, "an answer without an account")
        call = "permissions.get"
        query = {"permissions": ",".join(PERMISSIONS)}
        body = self._http.ask(journal, call, (*REST, "mypermissions"), query=query).body
        permissions = as_object(body).get("permissions")
        if not isinstance(permissions, dict):
            raise Unavailable(call, "an answer without permissions")
        for name in PERMISSIONS:
            if as_object(permissions.get(name)).get("havePermission") is not True:
                detail = f"targets.{self.name}.email has no global permission {name}"
                raise LockedOut(call, detail, reason="misconfigured")

    def find(self, journal: Journal, email: str) -> tuple[Account, ...]:
        """Search for the address, then among all users; each who may be the one is read by id."""
        call = "user.search"
        query = {"query": email, "maxResults": str(PAGE_SIZE)}
        shown = self._list(journal, call, (*REST, "user", "search"), query)
        if len(shown) >= PAGE_SIZE:
            detail = f"{PAGE_SIZE} users or more are found, and not all of them are shown"
            raise Refused(call, detail, reason="ambiguous_match")
        found = [user for user in shown if has(user, email) or hides(user)]
        if not found:
            found = self._among_all(journal, email)
        ids = dict.fromkeys(id_of(call, user) for user in found)
        return tuple(self._still_there(journal, account_id) for account_id in ids)

    def groups(self, journal: Journal, account: Account) -> tuple[str, ...]:
        """Those of the site; a group of the cloud has no groups in it."""
        call = "user.get"
        query = {"accountId": account.id, "expand": "groups"}
        path = (*REST, "user")
        answer = self._http.ask(
            journal, call, path, query=query, about_account=True, accept=is_missing
        )
        if is_missing(answer):
            raise untold(call, "the account is gone")
        user = answer.body
        if id_of(call, user) != account.id:
            raise Refused(call, "the answer is about another account", reason="unclear_account")
        groups = _items(as_object(user).get("groups"))
        if groups is None:
            raise untold(call, "the list is not there, or not whole")
        return names_of(call, groups)

    def preflight(self, journal: Journal, account: Account) -> Account:
        """The account with the groups that it has now; whether it may leave them, Jira tells."""
        return self._still_there(journal, account.id)

    def read(self, journal: Journal, account: Account) -> Account | None:
        """The account with its groups; None once the site has proven that it shows accounts."""
        call = "user.get"
        query = {"accountId": account.id, "expand": "groups,applicationRoles"}
        answer = self._http.ask(
            journal, call, (*REST, "user"), query=query, about_account=True, accept=is_missing
        )
        if is_missing(answer):
            self.prove_credential(journal)  # Who may not browse users is answered the same.
            return None
        if id_of(call, answer.body) != account.id:
            raise Refused(call, "the answer is about another account", reason="unclear_account")
        return account_of(answer.body)

    def switch_off(self, journal: Journal, account: Account) -> None:
        """Leave every group; one that fails does not save the others."""
        call = "group.leave"

        def leave(group: str) -> None:
            query = {"groupId": group, "accountId": account.id}
            path = (*REST, "group", "user")
            self._http.write(journal, call, "DELETE", path, query=query, accept=is_missing)

        groups = groups_of(account.snapshot)
        if not groups:
            raise Refused(call, "access without a group", reason="unclear_account")
        _each(groups, leave)

    def switch_on(self, journal: Journal, account: Account, snapshot: Mapping[str, Any]) -> None:
        """Join the groups of the snapshot again."""
        call = "group.join"

        def join(group: str) -> None:
            query, body = {"groupId": group}, {"accountId": account.id}
            path = (*REST, "group", "user")
            self._http.write(
                journal, call, "POST", path, query=query, body=body, accept=perhaps_done
            )

        groups = groups_of(snapshot)
        if not groups:
            raise Refused(call, "the snapshot shows no group", reason="unclear_account")
        _each(groups, join)

    def clean_up(self, _journal: Journal, _account: Account) -> str:
        """Nothing: a site cannot."""
        return WHAT_STAYS

    def _still_there(self, journal: Journal, account_id: AccountId) -> Account:
        wanted = Account(id=account_id, email=None, access=Access.UNKNOWN, way=Way.SUSPEND)
        account = self.read(journal, wanted)
        if account is None:
            raise Unavailable("user.get", "an account that was just found cannot be read")
        return account

    def _among_all(self, journal: Journal, email: str) -> list[Any]:
        users = list(self._everybody(journal))
        found = [user for user in users if has(user, email)]
        hidden = sum(map(hides, users))
        if hidden and not found:
            detail = f"{hidden} people hide their e-mail address: one of them may be this one"
            raise Refused("users.list", detail, reason="unclear_account")
        return found

    def _everybody(self, journal: Journal) -> Iterator[Any]:
        """Every user of the site.  Any page may be short, so only an empty one is the end."""
        call, seen, start = "users.list", set[AccountId](), 0
        path = (*REST, "users", "search")
        while page := self._list(
            journal, call, path, {"startAt": str(start), "maxResults": str(PAGE_SIZE)}
        ):
            ids = {id_of(call, user) for user in page}
            if ids <= seen:
                raise Unavailable(call, "the same users on two pages")
            seen |= ids
            start += len(page)
            yield from page

    def _list(
        self, journal: Journal, call: str, path: tuple[str, ...], query: Mapping[str, str]
    ) -> list[Any]:
        body = self._http.ask(journal, call, path, query=query).body
        if not isinstance(body, list):
            raise Unavailable(call, "an answer without its list")
        return body


def is_missing(answer: Answer) -> bool:
    """Whether Jira itself says that there is no such user, or group."""
    return answer.status == 404 and bool(as_list(as_object(answer.body).get("errorMessages")))


def id_of(call: str, user: Any) -> AccountId:
    """The id of a user; Refused where it has none."""
    account_id = as_text(as_object(user).get("accountId"))
    if not account_id:
        raise Refused(call, "a user without an id", reason="unclear_account")
    return AccountId(account_id)


def has(user: Any, email: str) -> bool:
    """Whether the user shows this address."""
    return as_text(as_object(user).get("emailAddress")).lower() == email.lower()


def hides(user: Any) -> bool:
    """Whether it is a person, not known to be inactive, who shows no address."""
    facts = as_object(user)
    is_person = facts.get("accountType") not in ("app", "customer")
    return is_person and facts.get("active") is not False and not as_text(facts.get("emailAddress"))


def account_of(user: Any) -> Account:
    """The account that Jira shows, with its groups."""
    facts = as_object(user)
    groups, roles = _items(facts.get("groups")), _items(facts.get("applicationRoles"))
    ids = sorted(as_text(group.get("groupId")) for group in groups or ())
    names = [as_text(group.get("name")) for group in groups or ()]
    if not all(ids):
        groups = None  # One that cannot be left.
    return Account(
        id=id_of("user.get", user),
        email=as_text(facts.get("emailAddress")) or None,
        access=_access(facts.get("active"), groups, roles),
        way=Way.SUSPEND,
        person=facts.get("accountType") == "atlassian",
        administrator=any(map(_ADMINISTRATORS.search, names)),
        snapshot={"active": facts.get("active") is True, "groups": ids},
    )


def groups_of(snapshot: Mapping[str, Any]) -> list[str]:
    """The ids of the groups in a snapshot."""
    return [group for group in map(as_text, as_list(snapshot.get("groups"))) if group]


def _items(shown: Any) -> list[Mapping[str, Any]] | None:
    """What an expanded list has in it; None where it is not there, or not whole."""
    items = as_object(shown).get("items")
    if not isinstance(items, list) or as_object(shown).get("size") != len(items):
        return None
    return [as_object(item) for item in items]


def _access(active: Any, groups: object, roles: object) -> Access:
    """Off is who is inactive, or in no group and without a role in any product."""
    if active is False:
        return Access.OFF
    if active is not True or groups is None or roles is None:
        return Access.UNKNOWN
    return Access.ACTIVE if groups or roles else Access.OFF


def _each(groups: list[str], write: Callable[[str], None]) -> None:
    """Write for each group, also after a failure; then raise one, if possible a passing one."""
    unknown: list[Unavailable] = []
    refused: list[Refused] = []
    for group in groups:
        try:
            write(group)
        except Unavailable as error:
            unknown.append(error)
        except Refused as error:
            refused.append(error)
    for failure in (*unknown, *refused):
        raise failure
