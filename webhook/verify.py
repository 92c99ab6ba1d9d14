"""Pure signature schemes: was this body signed with one of the source's keys?

    bamboohr   X-BambooHR-Signature: hex HMAC-SHA256 over the body, then the timestamp's text
    standard   webhook-signature: Standard Webhooks v1 (HMAC-SHA256) and v1a (ed25519) over
               id.timestamp.body
    okta       Authorization: the secret itself; neither the body nor a time is signed
    basic      Authorization: username and password; neither the body nor a time is signed

Senders that sign an HMAC of a text made of body, timestamp and id are in schemes.py, JSON Web
Tokens in tokens.py.

The signer of each scheme stands beside its verifier.  Headers come with lower-case names, as text.
Whatever a stranger sends, a verifier answers with Signed or raises Rejected, nothing else; every
key is tried, in constant time.  Whether the signed time is near enough is not judged here.
"""

import base64
import binascii
import hashlib
import hmac
import itertools
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

# Rotation needs a few signatures in one header; more only cost us time.
MAX_SIGNATURES = 16
EVENT_ID = re.compile(r"[!-\-/-~]{1,256}")  # visible ASCII without the dot
SECONDS = re.compile("[0-9]{1,12}")
LAST_SECOND = 253402300799  # 9999-12-31T23:59:59Z, the last one a datetime can hold

StandardKey = bytes | Ed25519PublicKey | Ed25519PrivateKey


class StandardNames(NamedTuple):
    """What a sender calls the three headers of Standard Webhooks."""

    event_id: str
    timestamp: str
    signature: str


WEBHOOK = StandardNames("webhook-id", "webhook-timestamp", "webhook-signature")
SVIX = StandardNames("svix-id", "svix-timestamp", "svix-signature")


class Rejected(Exception):
    """A delivery we will not take.  `reason` is a word of reasons.REJECTED, safe to log."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


@dataclass(frozen=True, slots=True)
class Signed:
    """What a right signature covers besides the body.

    `at` is None where no time is signed, or none that we can read; `until` is for how long the
    sender lets it count, None where it does not say.  `key` is the place of the matching key among
    the source's secrets, counted from 1: it shows when an old key is unused.
    """

    at: datetime | None
    event_id: str | None
    key: str
    until: datetime | None = None


def verify_bamboohr(headers: Mapping[str, str], body: bytes, keys: Sequence[bytes]) -> Signed:
    """Check BambooHR's signature; raise Rejected unless one of `keys` made it.

    BambooHR signs the body first, then the timestamp header, with nothing between them.  The key is
    the private key's text, not the bytes its hex digits stand for.
    https://documentation.bamboohr.com/docs/webhooks-2 (read 2026-11-23)
    """
    signature = single(headers, "x-bamboohr-signature")
    timestamp = single(headers, "x-bamboohr-timestamp")
    if not re.fullmatch("[0-9a-f]{64}", signature):
        raise Rejected("signature_malformed")
    message = body + timestamp.encode()
    matching = matching_key(
        hmac.compare_digest(_hmac_sha256(key, message), bytes.fromhex(signature)) for key in keys
    )
    return Signed(at=time_of(timestamp), event_id=None, key=matching)


def sign_bamboohr(body: bytes, key: bytes, *, at: datetime) -> dict[str, str]:
    """The headers BambooHR would send with `body`."""
    timestamp = str(int(at.timestamp()))
    signature = _hmac_sha256(key, body + timestamp.encode()).hex()
    return {"X-BambooHR-Timestamp": timestamp, "X-BambooHR-Signature": signature}


def verify_standard(
    headers: Mapping[str, str],
    body: bytes,
    keys: Sequence[StandardKey],
    names: StandardNames | None = None,
) -> Signed:
    """Check a Standard Webhooks signature; raise Rejected unless one of `keys` made it.

    Its headers are webhook-* unless `names` says otherwise.

    One header may carry several signatures, and a server joins repeated headers with a comma:
    every version label that is followed by a signature is tried, other versions are skipped.
    Svix sends the same under svix-* names.
    https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
    (read 2026-11-23)
    """
    names = names or (WEBHOOK if WEBHOOK.signature in headers else SVIX)
    words = headers.get(names.signature, "").replace(",", " ").split()
    if not words:
        raise Rejected("signature_missing")
    event_id = single(headers, names.event_id)
    timestamp = single(headers, names.timestamp)
    # The three signed parts are joined by dots, so a dot in one of them could shift the others.
    if not EVENT_ID.fullmatch(event_id) or not SECONDS.fullmatch(timestamp):
        raise Rejected("signature_malformed")
    signatures = [
        (version, signature)
        for version, text in itertools.pairwise(words)
        if version in ("v1", "v1a") and (signature := _base64(text)) is not None
    ]
    if not 1 <= len(signatures) <= MAX_SIGNATURES:
        raise Rejected("signature_malformed")
    message = _standard_message(event_id, timestamp, body)
    matching = matching_key(
        any(_signed_by(key, message, version, given) for version, given in signatures)
        for key in keys
    )
    return Signed(at=time_of(timestamp), event_id=event_id, key=matching)


def sign_standard(
    body: bytes,
    key: StandardKey,
    *,
    event_id: str,
    at: datetime,
    names: StandardNames = WEBHOOK,
) -> dict[str, str]:
    """The headers of a Standard Webhooks sender: v1 with bytes, v1a with a private key."""
    timestamp = str(int(at.timestamp()))
    message = _standard_message(event_id, timestamp, body)
    if isinstance(key, Ed25519PublicKey):
        raise ValueError("a whpk_ key only verifies; to sign, put a whsec_ or whsk_ key first")  # noqa: TRY004 - the secret is wrong, not our call
    if isinstance(key, bytes):
        version, signature = "v1", _hmac_sha256(key, message)
    else:
        version, signature = "v1a", key.sign(message)
    return {
        names.event_id: event_id,
        names.timestamp: timestamp,
        names.signature: f"{version},{base64.b64encode(signature).decode()}",
    }


def standard_key(secret: str) -> StandardKey:
    """The key in `secret`: whsec_ (HMAC), whpk_ (public half) or whsk_ (private half, then public).

    Raises ValueError, without the secret in its text, for anything else.
    """
    prefix, _, text = secret.partition("_")
    key = _base64(text) or b""
    match prefix, len(key):
        case "whsec", size if size:
            return key
        case "whpk", 32:
            return Ed25519PublicKey.from_public_bytes(key)
        case "whsk", 64:
            return Ed25519PrivateKey.from_private_bytes(key[:32])
    raise ValueError("is not a key of Standard Webhooks: whsec_, whpk_ or whsk_ and base64")


def verify_okta(headers: Mapping[str, str], body: bytes, keys: Sequence[bytes]) -> Signed:
    """Check the Authorization header; raise Rejected unless it is one of `keys`.

    Okta signs nothing: it sends the very text that the event hook was given.
    https://developer.okta.com/docs/concepts/event-hooks/ (read 2026-11-23)
    """
    given = headers.get("authorization", "").encode(errors="surrogatepass")
    if not given:
        raise Rejected("signature_missing")
    matching = matching_key(hmac.compare_digest(given, key) for key in keys)
    return Signed(at=None, event_id=None, key=matching)


def verify_basic(headers: Mapping[str, str], body: bytes, keys: Sequence[bytes]) -> Signed:
    """Check HTTP Basic; raise Rejected unless it is one of `keys`, each username:password."""
    scheme, _, encoded = headers.get("authorization", "").strip().partition(" ")
    if not scheme:
        raise Rejected("signature_missing")
    given = _base64(encoded.strip()) if scheme.lower() == "basic" else None
    if given is None:
        raise Rejected("signature_malformed")
    place = matching_key(hmac.compare_digest(given, key) for key in keys)
    return Signed(at=None, event_id=None, key=place)


def sign_basic(username: str, password: str) -> dict[str, str]:
    """The header of HTTP Basic."""
    pair = base64.b64encode(f"{username}:{password}".encode()).decode()
    return {"Authorization": f"Basic {pair}"}


def time_of(text: str) -> datetime | None:
    """The instant that Unix seconds or an ISO-8601 text with its offset mean, else None."""
    if SECONDS.fullmatch(text):
        return datetime.fromtimestamp(min(int(text), LAST_SECOND), UTC)
    try:
        at = datetime.fromisoformat(text)
        return at.astimezone(UTC) if at.tzinfo else None
    except (ValueError, OverflowError):
        return None


def matching_key(results: Iterable[bool]) -> str:
    """Which key matched, counted from 1.  All are computed before any is looked at."""
    matches = [str(place) for place, matched in enumerate(list(results), start=1) if matched]
    if not matches:
        raise Rejected("signature_wrong")
    return matches[0]


def single(headers: Mapping[str, str], name: str) -> str:
    """The text of a header that comes once.

    gunicorn and werkzeug join a repeated header with a comma, so a comma means there were two.
    """
    value = headers.get(name, "")
    if not value:
        raise Rejected("signature_missing")
    if "," in value or not (value.isascii() and value.isprintable()):
        raise Rejected("signature_malformed")
    return value


def _signed_by(key: StandardKey, message: bytes, version: str, signature: bytes) -> bool:
    if isinstance(key, bytes):
        return version == "v1" and hmac.compare_digest(_hmac_sha256(key, message), signature)
    public = key.public_key() if isinstance(key, Ed25519PrivateKey) else key
    try:
        public.verify(signature, message)
    except InvalidSignature:
        return False
    return version == "v1a"


def _standard_message(event_id: str, timestamp: str, body: bytes) -> bytes:
    return f"{event_id}.{timestamp}.".encode() + body


def _hmac_sha256(key: bytes, message: bytes) -> bytes:
    return hmac.new(key, message, hashlib.sha256).digest()


def _base64(text: str) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
