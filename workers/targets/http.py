"""The one place that talks HTTP to a target, and to an HR system that is asked.

Promises of every call:

    * It sends and reads nothing once CALL_BUDGET is over, and reads at most MAX_ANSWER_BYTES.
    * It is in the journal, also when it failed; a write has asked journal.intend() just before.
      Whatever is not a GET, a search, or the login and logout of a session is a write: there is
      no other way to send one.
    * It ends in an Answer that is what was asked for, or in an error of workers/errors.py.
    * It is sent once: nothing is tried again here, and no redirect is followed.
    * Keys, passwords and cookies, and any e-mail address, stay out of errors and journal.
    * Certificates are verified, always.
"""

import copy
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.client import HTTPException
from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol, Self
from urllib.parse import quote

import requests
import urllib3

from config.secret import ConfigurationError
from workers.errors import LockedOut, Refused, TargetError, Unavailable
from workers.targets.answers import (
    WEB_PAGE,
    Answer,
    Dialect,
    fault_of,
    login_refused,
    plain,
    problem_of,
)
from workers.targets.base import Call, Journal, Limit
from workers.targets.credentials import Cookies, Credential, Login, Shown
from workers.targets.deadline import DeadlineAdapter, deadline

CONNECT_TIMEOUT = timedelta(seconds=5)
READ_TIMEOUT = timedelta(seconds=15)
#: What one call may take in sum.  The lease of a job outlasts it (workers/journal.py).
CALL_BUDGET = timedelta(seconds=20)
MAX_ANSWER_BYTES = 1_048_576

Segments = Sequence[str]


class Name(str):
    """A part of a path that is kept as <name>: somebody's username."""


# What requests, urllib3 and http.client raise for a call without a usable answer.
FAILURES = (
    requests.RequestException,
    urllib3.exceptions.HTTPError,
    HTTPException,
    OSError,
    ValueError,
)


def nothing_else(answer: Answer) -> bool:
    """The usual `accept`: an answer that is an error is an error."""
    return False


@dataclass(frozen=True, slots=True)
class _Request:
    name: str
    method: str
    path: Segments
    query: Mapping[str, str] | None = None
    json: Mapping[str, Any] | None = None
    write: bool = False
    about_account: bool = False

    @property
    def shown_path(self) -> str:
        """The path as it is kept: without query, e-mail addresses and names of people."""
        return "/" + "/".join(map(_shown, self.path))


def _shown(part: str) -> str:
    if isinstance(part, Name):
        return "<name>"
    return "<e-mail>" if "@" in part else quote(part)


class Place(Protocol):
    """What the settings say of a system that is called."""

    @property
    def base_url(self) -> str:
        """Where its API begins."""

    @property
    def concurrency(self) -> int:
        """How many calls are made at once."""

    @property
    def ca_bundle(self) -> Path | None:
        """The certificates to trust instead of the usual ones."""


class Client:
    """Calls to one target with one credential.  Safe to use from many threads at once.

    It uses the adapter of requests, which is the connection pool, and no Session: that one is not
    promised to be safe between threads, follows redirects, keeps cookies, and lets a .netrc file
    take the place of our key.  Proxies and certificate bundles of the environment count, as they
    were when the client was made; the bundle of the settings goes before.
    """

    def __init__(
        self,
        settings: Place,
        credential: Credential,
        *,
        dialect: Dialect,
        limit: Limit,
        headers: Mapping[str, str] | None = None,
        budget: timedelta = CALL_BUDGET,
    ) -> None:
        self._base_url = settings.base_url
        self._credential = credential
        self._dialect = dialect
        self._limit = limit
        self._budget = budget
        # Never blocks: how many calls run at once is the queue's business, and a call that waits
        # for a connection would eat its lease.
        self._adapter = DeadlineAdapter(pool_connections=1, pool_maxsize=settings.concurrency)
        verify = str(settings.ca_bundle) if settings.ca_bundle else True
        surroundings = requests.Session().merge_environment_settings(
            self._base_url, {}, stream=True, verify=verify, cert=None
        )
        self._proxies = surroundings["proxies"]
        self._verify = surroundings["verify"] or True
        self._headers = {
            "Accept": "application/json",
            "Accept-Encoding": "identity",
            "User-Agent": f"leaver/{version('leaver')}",
            **(headers or {}),
        }

    def ask(
        self,
        journal: Journal,
        name: str,
        path: Segments,
        *,
        query: Mapping[str, str] | None = None,
        search: Mapping[str, Any] | None = None,
        about_account: bool = False,
        accept: Callable[[Answer], bool] = nothing_else,
    ) -> Answer:
        """GET what `path` names, or POST a `search` that changes nothing; a body must come back.

        `about_account` says that a refusal is about one account, not about our key.  `accept` may
        take an answer that else would be raised as an error.
        """
        method = "GET" if search is None else "POST"
        request = _Request(name, method, path, query, search, about_account=about_account)
        return self._call(journal, request, accept)

    def write(
        self,
        journal: Journal,
        name: str,
        method: str,
        path: Segments,
        *,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
        accept: Callable[[Answer], bool] = nothing_else,
    ) -> Answer:
        """Change one account, if journal.intend() allows it.  The answer proves nothing."""
        # Atlassian answers 415 to a POST without a JSON body, also where it documents none.
        json_body = {} if method == "POST" and body is None else body
        request = _Request(name, method, path, query, json_body, write=True, about_account=True)
        return self._call(journal, request, accept)

    @contextmanager
    def session(self, journal: Journal, path: Segments) -> Iterator[Self]:
        """Inside the block, a client whose calls carry the cookies of a session of its own.

        Its credential must be a Login: it is posted to `path`, and at the end the session there is
        deleted; neither changes an account.  A logout that fails changes nothing else.
        """
        if not isinstance(self._credential, Login):
            raise TypeError("a session needs a Login")
        call = "session.open"
        with _revealing(call):
            body = self._credential.body()
        request = _Request(call, "POST", path, json=body)
        cookies = _cookies_of(self._call(journal, request, nothing_else))
        inside = copy.copy(self)
        inside._credential = Cookies(cookies)
        try:
            yield inside
        finally:
            request = _Request("session.close", "DELETE", path, about_account=True)
            with suppress(TargetError):
                inside._call(journal, request, lambda answer: answer.status in (200, 204))

    def _call(
        self, journal: Journal, request: _Request, accept: Callable[[Answer], bool]
    ) -> Answer:
        self._limit.wait(journal)
        with _revealing(request.name):
            shown = self._credential.show()
        prepared = self._prepared(request, shown)
        with deadline(self._budget):
            if request.write:
                # Inside the deadline: what is slow between the leave and the write must not
                # send it after the lease.
                journal.intend(request.name)
            at, started = datetime.now(UTC), time.monotonic()
            answer = self._answer(prepared, shown)
        took = time.monotonic() - started
        fault: TargetError | None = login_refused(request.name, answer)
        if not fault and not accept(answer):
            fault = fault_of(
                request.name,
                answer,
                dialect=self._dialect,
                needs_body=not request.write,
                about_account=request.about_account,
                now=datetime.now(UTC),
            )
        journal.record(
            Call(
                name=request.name,
                method=request.method,
                path=request.shown_path,
                write=request.write,
                at=at,
                duration_ms=round(took * 1000),
                status=answer.status,
                error=fault.detail if fault else "",
            )
        )
        if fault:
            raise fault
        return answer

    def _prepared(self, request: _Request, shown: Shown) -> requests.PreparedRequest:
        if any(part in ("", ".", "..") for part in request.path):
            # It would name another resource.
            detail = "an id that cannot be part of an address"
            raise Refused(request.name, detail, reason="unclear_account")
        path = "/".join(quote(part, safe="") for part in request.path)
        return requests.Request(
            request.method,
            f"{self._base_url}/{path}",
            headers={**self._headers, **shown.headers},
            params=request.query,
            json=request.json,
        ).prepare()

    def _answer(self, prepared: requests.PreparedRequest, shown: Shown) -> Answer:
        try:
            response = self._adapter.send(
                prepared,
                stream=True,
                timeout=(CONNECT_TIMEOUT.total_seconds(), READ_TIMEOUT.total_seconds()),
                verify=self._verify,
                proxies=self._proxies,
            )
        except FAILURES as error:
            return Answer(None, flaw=_why(error))
        status, headers = response.status_code, response.headers
        with response:  # Read to its end it goes back to the pool, else it is closed.
            try:
                raw = response.raw.read(MAX_ANSWER_BYTES + 1, decode_content=True)
            except FAILURES as error:
                return Answer(status, headers, flaw=f"the answer broke off: {_why(error)}")
        if len(raw) > MAX_ANSWER_BYTES:
            return Answer(status, headers, flaw=f"more than {MAX_ANSWER_BYTES} bytes")
        cookies = {cookie.name: cookie.value or "" for cookie in response.cookies}
        if status < 300:
            body, flaw = _parsed(raw)
            return Answer(status, headers, body, flaw, cookies=cookies)
        body, flaw = _parsed(_without(shown.secrets, raw))
        return Answer(status, headers, body, flaw, *problem_of(body))


@contextmanager
def _revealing(call: str) -> Iterator[None]:
    """A secret that cannot be read now, such as from a file that is being replaced."""
    try:
        yield
    except ConfigurationError as error:
        raise LockedOut(call, plain(str(error)), reason="credential_refused") from None


def _without(secrets: Sequence[str], raw: bytes) -> bytes:
    """`raw` with each secret masked, should the target repeat it, also as a JSON string has it."""
    for secret in secrets:
        in_json = json.dumps(secret)[1:-1]
        for form in (secret, in_json, in_json.replace("/", "\\/")):
            raw = raw.replace(form.encode(), b"<key>")
    return raw


def _cookies_of(opened: Answer) -> Mapping[str, str]:
    """The cookies of a session that was opened; its body names the one that matters."""
    body = opened.body if isinstance(opened.body, dict) else {}
    session = body.get("session")
    cookies = dict(opened.cookies)
    if isinstance(session, dict) and session.get("name") and session.get("value"):
        cookies[str(session["name"])] = str(session["value"])
    if not cookies:
        raise Unavailable("session.open", "a login without a session")
    return cookies


def _parsed(raw: bytes) -> tuple[Any, str]:
    """The JSON of a body, and what is wrong with a body that is none."""
    if not raw.strip():
        return None, ""
    try:
        return json.loads(raw), ""
    except (ValueError, RecursionError):
        return None, WEB_PAGE if raw.lstrip().startswith(b"<") else "no JSON"


def _why(error: Exception) -> str:
    """What went wrong on the way, without the texts of libraries: they may hold addresses."""
    match error:
        case requests.ConnectTimeout():
            said = "no connection in time"
        case requests.Timeout() | urllib3.exceptions.TimeoutError() | TimeoutError():
            said = "no answer in time"
        case requests.exceptions.ProxyError():
            said = "the proxy does not let us through"
        case requests.exceptions.SSLError():
            said = "no trusted TLS connection"
        case _:
            said = "connection failed or dropped"
    inner = next((part for part in error.args if isinstance(part, Exception)), error)
    cause = getattr(inner, "reason", None) or inner
    return f"{said} ({type(cause).__name__})"
