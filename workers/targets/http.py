"""The one place that talks HTTP to a target.

Promises of every call:

    * It sends and reads nothing once CALL_BUDGET is over, and reads at most MAX_ANSWER_BYTES.
    * It is in the journal, also when it failed; a write has asked journal.intend() just before.
      Whatever is not a GET or a search is a write: there is no other way to send one.
    * It ends in an Answer that is what was asked for, or in an error of workers/errors.py.
    * It is sent once: nothing is tried again here, and no redirect is followed.
    * The key, and any e-mail address, stay out of errors and journal.
"""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.client import HTTPException
from importlib.metadata import version
from typing import Any
from urllib.parse import quote

import requests
import urllib3

from config.secret import ConfigurationError, Secret
from workers.errors import LockedOut, Refused
from workers.targets.answers import Answer, fault_of, plain, problem_of
from workers.targets.base import Call, Journal
from workers.targets.deadline import DeadlineAdapter, deadline

CONNECT_TIMEOUT = timedelta(seconds=5)
READ_TIMEOUT = timedelta(seconds=15)
#: What one call may take in sum.  The lease of a job outlasts it (workers/journal.py).
CALL_BUDGET = timedelta(seconds=20)
MAX_ANSWER_BYTES = 1_048_576

Segments = Sequence[str]

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
        """The path as it is kept: without query, and without e-mail addresses used as an id."""
        return "/" + "/".join("<e-mail>" if "@" in part else quote(part) for part in self.path)


class Client:
    """Calls to one target with one key.  Safe to use from many threads at once.

    It uses the adapter of requests, which is the connection pool, and no Session: that one is not
    promised to be safe between threads, follows redirects, keeps cookies, and lets a .netrc file
    take the place of our key.  Proxies and certificate bundles of the environment count, as they
    were when the client was made.
    """

    def __init__(
        self, base_url: str, key: Secret, *, connections: int, budget: timedelta = CALL_BUDGET
    ) -> None:
        self._base_url = base_url.rstrip("/")
        self._key = key
        self._budget = budget
        # Never blocks: how many calls run at once is the queue's business, and a call that waits
        # for a connection would eat its lease.
        self._adapter = DeadlineAdapter(pool_connections=1, pool_maxsize=connections)
        surroundings = requests.Session().merge_environment_settings(
            self._base_url, {}, stream=True, verify=True, cert=None
        )
        self._proxies = surroundings["proxies"]
        self._verify = surroundings["verify"] or True
        self._headers = {
            "Accept": "application/json",
            "Accept-Encoding": "identity",
            "User-Agent": f"leaver/{version('leaver')}",
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
        body: Mapping[str, Any] | None = None,
        accept: Callable[[Answer], bool] = nothing_else,
    ) -> Answer:
        """Change one account, if journal.intend() allows it.  The answer proves nothing."""
        # Atlassian answers 415 to a POST without a JSON body, also where it documents none.
        json_body = {} if method == "POST" and body is None else body
        request = _Request(name, method, path, None, json_body, write=True, about_account=True)
        return self._call(journal, request, accept)

    def _call(
        self, journal: Journal, request: _Request, accept: Callable[[Answer], bool]
    ) -> Answer:
        key = self._revealed(request)
        prepared = self._prepared(request, key)
        if request.write:
            journal.intend(request.name)
        at, started = datetime.now(UTC), time.monotonic()
        with deadline(self._budget):
            answer = self._answer(prepared, key)
        took = time.monotonic() - started
        fault = None
        if not accept(answer):
            fault = fault_of(
                request.name,
                answer,
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

    def _revealed(self, request: _Request) -> bytes:
        try:
            return self._key.reveal().encode()
        except ConfigurationError as error:
            reason = "credential_refused"
            raise LockedOut(request.name, plain(str(error)), reason=reason) from None

    def _prepared(self, request: _Request, key: bytes) -> requests.PreparedRequest:
        if any(part in ("", ".", "..") for part in request.path):
            # It would name another resource.
            detail = "an id that cannot be part of an address"
            raise Refused(request.name, detail, reason="unclear_account")
        path = "/".join(quote(part, safe="") for part in request.path)
        return requests.Request(
            request.method,
            f"{self._base_url}/{path}",
            headers={**self._headers, "Authorization": b"Bearer " + key},
            params=request.query,
            json=request.json,
        ).prepare()

    def _answer(self, prepared: requests.PreparedRequest, key: bytes) -> Answer:
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
        body, flaw = _parsed(_without(key, raw))
        code, message = problem_of(body) if status >= 300 else ("", "")
        return Answer(status, headers, body, flaw, code, message)


def _without(key: bytes, raw: bytes) -> bytes:
    """`raw` with the key masked, should the target repeat it, also as a JSON string has it."""
    for form in (key, json.dumps(key.decode())[1:-1].encode()):
        raw = raw.replace(form, b"<key>")
    return raw


def _parsed(raw: bytes) -> tuple[Any, str]:
    """The JSON of a body, and what is wrong with a body that is none."""
    if not raw.strip():
        return None, ""
    try:
        return json.loads(raw), ""
    except (ValueError, RecursionError):
        return None, "a web page" if raw.lstrip().startswith(b"<") else "no JSON"


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
