"""The target `atlassian-org`: an organization of Atlassian Cloud, through its admin APIs.

Two switches exist.  An account that the organization manages is deactivated, which ends its access
to everything of Atlassian.  Any other account is suspended in each directory of the organization,
and lives on elsewhere.  Facts: Atlassian's organization and user-management REST APIs and their
OpenAPI descriptions, read 2026-11-23.  Not confirmed: that a user who is read in one directory
shows the membership there; if it is that in all, a reinstatement restores a directory too many
where somebody had suspended the account in one of several before.
"""

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import Any

from config.targets import AtlassianOrg as Settings
from workers.errors import LockedOut, Refused, TargetError, Unavailable
from workers.leavers import AccountId
from workers.targets.answers import CLOUD, Answer, absent, managed_elsewhere, perhaps_done, plain
from workers.targets.atlassian_account import ID, account_of, with_roles
from workers.targets.base import Access, Account, Journal, Limit, Target, Way
from workers.targets.credentials import Bearer
from workers.targets.groups import names_of
from workers.targets.http import Client, Segments
from workers.targets.values import as_list, as_object, as_text

ALL_DIRECTORIES = "-"  # Documented for searching and reading; for suspending it is not.

# Atlassian may show it to the person; it says nothing about why.
DEACTIVATION_MESSAGE = "Deactivated by your organization"

PAGE_SIZE = 100
MAX_PAGES = 20
MAX_TOKENS = 100


class AtlassianOrg:
    """workers.targets.base.Target for one organization."""

    def __init__(self, name: str, settings: Settings, limit: Limit) -> None:
        self.name = name
        self._org_id = settings.org_id
        self._http = Client(settings, Bearer(settings.api_key), dialect=CLOUD, limit=limit)

    def session(self, _journal: Journal) -> AbstractContextManager[Target]:
        """Itself: each call carries the key."""
        return nullcontext(self)

    def prove_credential(self, journal: Journal) -> None:
        """GET the organization: a list of organizations would be empty for a key with scopes."""
        call = "org.get"
        answer = self._http.ask(journal, call, ("admin", "v1", "orgs", self._org_id))
        if as_object(as_object(answer.body).get("data")).get("id") != self._org_id:
            detail = f"the answer is about another organization than targets.{self.name}.org_id"
            raise LockedOut(call, detail, reason="misconfigured")

    def find(self, journal: Journal, email: str) -> tuple[Account, ...]:
        """Search every directory for exactly this e-mail address.

        Whether the search minds upper case is documented nowhere, so it gets both spellings.
        """
        call = "users.search"
        search = {
            "emails": list(dict.fromkeys((email, email.lower()))),
            "limit": PAGE_SIZE,
            "expand": ["platformRoles"],
        }
        users = self._pages(journal, call, self._users("search"), search=search)
        found: dict[AccountId, Account] = {}
        for account in (account_of(call, user) for user in users):
            known = found.setdefault(account.id, account)
            if replace(known, snapshot={}) != replace(account, snapshot={}):
                found[account.id] = replace(known, access=Access.UNKNOWN, way=Way.UNCLEAR)
        return tuple(found.values())

    def groups(self, journal: Journal, account: Account) -> tuple[str, ...]:
        """Those of all directories; a group of the cloud has no groups in it."""
        call = "groups.search"
        search = {"accountIds": [account.id], "limit": PAGE_SIZE}
        place = ("directories", ALL_DIRECTORIES, "groups", "search")
        path = ("admin", "v2", "orgs", self._org_id, *place)
        return names_of(call, self._pages(journal, call, path, search=search))

    def preflight(self, journal: Journal, account: Account) -> Account:
        """Ask whether the account may be deactivated, or in which directories it is suspended."""
        match account.way:
            case Way.DEACTIVATE | Way.IDP:
                account = replace(account, way=self._lifecycle_way(journal, account))
            case Way.SUSPEND:
                directories = self._directories(journal, account)
                active = [
                    each for each in directories if self._is_active_in(journal, account, each)
                ]
                account = replace(account, snapshot={**account.snapshot, "directories": active})
            case Way.UNCLEAR:
                return account
        if account.way is not Way.IDP and account.snapshot.get("platformRoles") is None:
            account = with_roles(account, self._roles(journal, account))
        return account

    def read(self, journal: Journal, account: Account) -> Account | None:
        """Its profile if it is managed, else what the directories say of it.

        The e-mail address is the one shown there: since the search it may have changed.
        """
        if account.way in (Way.DEACTIVATE, Way.IDP):
            return self._read_profile(journal, account)
        return self._read_membership(journal, account)

    def switch_off(self, journal: Journal, account: Account) -> None:
        """Deactivate the account, or suspend it in each of its directories."""
        match account.way:
            case Way.DEACTIVATE:
                path = _manage(account, "lifecycle", "disable")
                body = {"message": DEACTIVATION_MESSAGE}
                self._http.write(journal, "lifecycle.disable", "POST", path, body=body)
            case Way.SUSPEND:
                for directory in self._directories(journal, account):
                    path = self._users(account.id, "suspend", directory=directory)
                    self._http.write(journal, "users.suspend", "POST", path, accept=_settled)
            case _:
                detail = f"there is no way to switch it off ({account.way})"
                raise Refused("switch_off", detail, reason="unclear_account")

    def switch_on(self, journal: Journal, account: Account, snapshot: Mapping[str, Any]) -> None:
        """Enable the account, or restore it in each directory where it was active before."""
        match account.way:
            case Way.DEACTIVATE:
                path = _manage(account, "lifecycle", "enable")
                self._http.write(journal, "lifecycle.enable", "POST", path)
            case Way.SUSPEND:
                directories = [as_text(each) for each in as_list(snapshot.get("directories"))]
                if not directories:
                    detail = "the snapshot shows no directory where it was active"
                    raise Refused("switch_on", detail, reason="unclear_account")
                for directory in directories:
                    path = self._users(account.id, "restore", directory=directory)
                    self._http.write(journal, "users.restore", "POST", path, accept=perhaps_done)
            case _:
                detail = f"there is no way to switch it on ({account.way})"
                raise Refused("switch_on", detail, reason="unclear_account")

    def clean_up(self, journal: Journal, account: Account) -> str:
        """Delete the API tokens of a deactivated account: they may outlive it.

        Atlassian's pages disagree on whether they do, and some plans do not allow the deletion.
        """
        if account.way is not Way.DEACTIVATE:
            return ""
        try:
            tokens = self._tokens(journal, account)
        except TargetError as error:
            return f"API tokens could not be listed: {error.detail}"
        left, why = len(tokens), f"more than {MAX_TOKENS}"
        for token in tokens[:MAX_TOKENS]:
            try:
                path = _manage(account, "api-tokens", token)
                self._http.write(journal, "tokens.delete", "DELETE", path, accept=absent)
                left -= 1
            except Refused as refused:
                why = refused.detail
            except TargetError as error:
                why = error.detail
                break
        return f"API tokens that could not be removed: {left} ({why})" if left else ""

    def _lifecycle_way(self, journal: Journal, account: Account) -> Way:
        call = "manage.get"
        privilege = "lifecycle.enablement"
        answer = self._http.ask(
            journal,
            call,
            _manage(account),
            query={"privileges": privilege},
            about_account=True,
            accept=managed_elsewhere,
        )
        if managed_elsewhere(answer):
            return Way.IDP
        rule = as_object(as_object(answer.body).get(privilege))
        if rule.get("allowed") is True:
            return Way.DEACTIVATE
        reason = as_text(as_object(rule.get("reason")).get("key"))
        if reason.startswith("externalDirectory."):
            return Way.IDP
        detail = plain(f"{privilege}: {reason or 'no answer'}")
        raise Refused(call, detail, reason="refused" if reason else "unclear_account")

    def _read_profile(self, journal: Journal, account: Account) -> Account | None:
        call = "profile.get"
        path = _manage(account, "profile")
        answer = self._http.ask(journal, call, path, about_account=True, accept=absent)
        if absent(answer):
            return None
        profile = as_object(as_object(answer.body).get("account"))
        _check_same(call, account, as_text(profile.get("account_id")))
        access = {"active": Access.ACTIVE, "inactive": Access.OFF, "closed": Access.OFF}
        status = as_text(profile.get("account_status"))
        return replace(
            account,
            email=as_text(profile.get("email")) or account.email,
            access=access.get(status, Access.UNKNOWN),
            person=account.person and as_text(profile.get("account_type")) in ("", "atlassian"),
        )

    def _read_membership(self, journal: Journal, account: Account) -> Account | None:
        call = "users.get"
        path = self._users(account.id)
        answer = self._http.ask(journal, call, path, about_account=True, accept=absent)
        if absent(answer):
            return None
        seen = account_of(call, as_object(answer.body).get("data"))
        _check_same(call, account, seen.id)
        return replace(account, email=seen.email or account.email, access=seen.access, way=seen.way)

    def _directories(self, journal: Journal, account: Account) -> list[str]:
        """The directories the account is in; all of the organization if the target names none."""
        call = "directories.list"
        path = ("admin", "v2", "orgs", self._org_id, "directories")
        own = {"accountId": account.id, "limit": str(PAGE_SIZE)}
        every = {"limit": str(PAGE_SIZE)}
        for query in (own, every):
            found = self._pages(journal, call, path, query=query)
            ids = [as_text(as_object(directory).get("directoryId")) for directory in found]
            if not all(ID.fullmatch(each) and each != ALL_DIRECTORIES for each in ids):
                raise Unavailable(call, "a directory without an id")
            if ids:
                return ids
        raise Refused(call, "the organization shows no directory", reason="refused")

    def _is_active_in(self, journal: Journal, account: Account, directory: str) -> bool:
        """Whether it has access there now, and not one that somebody has suspended before us."""
        call = "users.get"
        path = self._users(account.id, directory=directory)
        answer = self._http.ask(journal, call, path, about_account=True, accept=absent)
        if absent(answer):
            return False
        user = as_object(as_object(answer.body).get("data"))
        _check_same(call, account, as_text(user.get("accountId")))
        return as_text(user.get("membershipStatus")) == "active"

    def _roles(self, journal: Journal, account: Account) -> list[str]:
        found = self._pages(
            journal,
            "roles.list",
            self._users(account.id, "role-assignments"),
            query={"limit": str(PAGE_SIZE)},
            about_account=True,
        )
        roles: list[str] = []
        for assignment in map(as_object, found):
            # `roleAssignments` supersedes `roles`; both may be there.
            roles += map(as_text, as_list(assignment.get("roles")))
            each = map(as_object, as_list(assignment.get("roleAssignments")))
            roles += [as_text(role.get("role")) for role in each]
        return roles

    def _tokens(self, journal: Journal, account: Account) -> list[str]:
        call = "tokens.list"
        path = _manage(account, "api-tokens")
        answer = self._http.ask(journal, call, path, about_account=True, accept=absent)
        if absent(answer):
            return []
        if not isinstance(answer.body, list):
            raise Unavailable(call, "an answer without its list")
        return [as_text(as_object(token).get("id")) for token in answer.body]

    def _pages(
        self,
        journal: Journal,
        call: str,
        path: Segments,
        *,
        query: Mapping[str, str] | None = None,
        search: Mapping[str, Any] | None = None,
        about_account: bool = False,
    ) -> list[Any]:
        """The items of all pages.  An answer without its list is an error, never an empty list."""
        items: list[Any] = []
        cursor: dict[str, str] = {}
        for _ in range(MAX_PAGES):
            answer = self._http.ask(
                journal,
                call,
                path,
                query=query and {**query, **cursor},
                search=search and {**search, **cursor},
                about_account=about_account,
            )
            page = as_object(answer.body)
            if not isinstance(page.get("data"), list):
                raise Unavailable(call, "an answer without its list")
            items += page["data"]
            following = as_object(page.get("links")).get("next")
            if not following:
                return items
            cursor = {"cursor": str(following)}
        raise Unavailable(call, f"more than {MAX_PAGES} pages")

    def _users(self, *more: str, directory: str = ALL_DIRECTORIES) -> Segments:
        return ("admin", "v2", "orgs", self._org_id, "directories", directory, "users", *more)


def _manage(account: Account, *more: str) -> Segments:
    return ("users", account.id, "manage", *more)


def _settled(answer: Answer) -> bool:
    """Whether a suspend has nothing to do: not in this directory, or perhaps suspended before."""
    return absent(answer) or perhaps_done(answer)


def _check_same(call: str, account: Account, account_id: str) -> None:
    if account_id != account.id:
        raise Refused(call, "the answer is about another account", reason="unclear_account")
