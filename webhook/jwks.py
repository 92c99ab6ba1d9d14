"""The keys that a source publishes at its `jwks_url`: fetched, kept, and fetched again.

They are fetched with the first token that needs them, when they are older than FRESH, and for a
token that none of them fits; but at most once in PAUSE, whatever comes in, by a thread of its own,
for which a request waits no longer than PATIENCE.  When a fetch fails, the keys we have go on
counting.  Where we cannot know (no keys yet, or an unknown key and no way to ask), it is
Rejected("keys_unavailable"), which is answered 503: most HR systems never send again after a 401.
"""

import threading
import time
from collections.abc import Callable, Mapping

import requests
import structlog

from config.keys import TokenKey, published_keys
from webhook.tokens import token_of, verify_token
from webhook.verify import Rejected, Signed

log = structlog.get_logger(__name__)

# In seconds.
FRESH = 600.0
PAUSE = 60.0
PATIENCE = 5.0
LONGEST_FETCH = 10.0
TIMEOUTS = (3.0, 5.0)  # to connect, and between two bytes

LARGEST = 262_144  # bytes


class Unfetched(Exception):
    """The keys could not be had; the text says why, and holds nothing secret."""


class PublishedKeys:
    """The keys of one source in one process.  Nothing connects before the first token."""

    def __init__(
        self,
        url: str,
        audience: str,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._url = url
        self._audience = audience
        self._clock = clock
        self._changed = threading.Condition()
        self._keys: tuple[TokenKey, ...] = ()
        self._fetched_at: float | None = None
        self._tried_at: float | None = None
        self._fetching = False
        self._failed = False

    def verify(self, headers: Mapping[str, str], body: bytes) -> Signed:
        """Check a token with these keys; Rejected if it is wrong, or if that cannot be known."""
        token = token_of(headers)
        keys = self._fresh()
        try:
            return verify_token(token, body, keys, self._audience)
        except Rejected as why:
            known = token.key_id and any(key.key_id == token.key_id for key in keys)
            if why.reason != "signature_wrong" or known:
                raise
        return verify_token(token, body, self._newer(), self._audience)

    def _fresh(self) -> tuple[TokenKey, ...]:
        """Those that count now."""
        if self._fetched_at is None or self._clock() - self._fetched_at > FRESH:
            self._fetch()
        if not self._keys:
            raise Rejected("keys_unavailable")
        return self._keys

    def _newer(self) -> tuple[TokenKey, ...]:
        """Those published now, or not longer ago than PAUSE."""
        self._fetch()
        if self._failed or self._fetching:
            raise Rejected("keys_unavailable")
        return self._keys

    def _fetch(self) -> None:
        """Start a fetch, unless one was started lately, and wait for what it brings."""
        with self._changed:
            due = self._tried_at is None or self._clock() - self._tried_at >= PAUSE
            if due and not self._fetching:
                self._fetching, self._tried_at = True, self._clock()
                threading.Thread(target=self._run, name="keys", daemon=True).start()
            self._changed.wait_for(lambda: not self._fetching, timeout=PATIENCE)

    def _run(self) -> None:
        keys: tuple[TokenKey, ...] = ()
        try:
            keys = fetch(self._url)
        except Unfetched as why:
            log.error("keys not fetched", url=self._url, why=str(why))
        except Exception:
            log.exception("keys not fetched", url=self._url)
        with self._changed:
            self._fetching, self._failed = False, not keys
            if keys:
                self._keys, self._fetched_at = keys, self._clock()
            self._changed.notify_all()


def fetch(url: str) -> tuple[TokenKey, ...]:
    """The keys published there now.  Raises Unfetched."""
    try:
        return published_keys(document(url))
    except ValueError as error:
        raise Unfetched(f"the answer {error}") from None


def document(url: str) -> bytes:
    """What is published there now, of at most LARGEST bytes.  Raises Unfetched."""
    deadline = time.monotonic() + LONGEST_FETCH
    try:
        with requests.get(
            url,
            headers={"Accept": "application/json", "Accept-Encoding": "identity"},
            timeout=TIMEOUTS,
            allow_redirects=False,
            stream=True,
        ) as answer:
            if answer.status_code != 200:
                raise Unfetched(f"answered {answer.status_code} instead of 200")
            body = b""
            for part in answer.iter_content(8192):
                body += part
                if len(body) > LARGEST or time.monotonic() > deadline:
                    raise Unfetched("the answer is too long, or takes too long")
    except requests.RequestException as error:
        raise Unfetched(f"no answer ({type(error).__name__})") from None
    return body
