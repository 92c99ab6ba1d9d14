"""Pure: a JSON Web Token as the signature of a delivery, in Authorization: Bearer.

The token is signed with RS256, ES256 or EdDSA, whichever goes with the type of the key, and says:

    htb_s256   base64url of the body's SHA-256: what binds the token to this body
    aud        whom it is for: the source's `audience`
    exp        until when it counts, in Unix seconds, at most ten minutes ahead
    jti        the id of the event: the same one is the same event
    htm        optional: POST
    iat, nbf   optional: from when on it counts

The names are those of a published contract for Workday senders: ConductorOne,
product/admin/webhooks-inbound.mdx in github.com/ConductorOne/docs at 98e84126 (read 2026-11-23).
As in verify.py, a verifier answers with Signed or raises Rejected, whatever a stranger sends, and
does not judge the time.
"""

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
from jwt.api_jws import PyJWS

from config.keys import TokenKey
from webhook.verify import LAST_SECOND, Rejected, Signed

LONGEST_LIFE = timedelta(minutes=10)
LONGEST_TOKEN = 8192  # characters; servers read no longer header either
ALGORITHMS = ("RS256", "ES256", "EdDSA")
TOKEN = re.compile(r"[\w-]+\.[\w-]+\.[\w-]+", re.ASCII)
EVENT_ID = re.compile("[!-~]{1,256}")  # visible ASCII
TIMES = ("iat", "nbf")

_jws = PyJWS(ALGORITHMS)


@dataclass(frozen=True, slots=True)
class Token:
    """A token that nobody has believed yet: what its header asks for."""

    text: str
    algorithm: str
    key_id: str


def token_of(headers: Mapping[str, str]) -> Token:
    """The token of a delivery.  Rejected if there is none, or none of its form."""
    scheme, _, text = headers.get("authorization", "").strip().partition(" ")
    if not scheme:
        raise Rejected("signature_missing")
    text = text.strip()
    if scheme.lower() != "bearer" or len(text) > LONGEST_TOKEN or not TOKEN.fullmatch(text):
        raise Rejected("signature_malformed")
    try:
        header = _jws.get_unverified_header(text)
    except (jwt.PyJWTError, ValueError):
        raise Rejected("signature_malformed") from None
    algorithm, key_id = header.get("alg"), header.get("kid", "")
    if algorithm not in ALGORITHMS or not isinstance(key_id, str):
        raise Rejected("signature_malformed")
    return Token(text, algorithm, key_id)


def verify_token(token: Token, body: bytes, keys: Sequence[TokenKey], audience: str) -> Signed:
    """Check the token; raise Rejected unless one of `keys` signed it for us and for this body.

    A "kid" that stands on both sides must be the same one.
    """
    for place, key in enumerate(keys, start=1):
        if key.algorithm != token.algorithm or (
            token.key_id and key.key_id and token.key_id != key.key_id
        ):
            continue
        try:
            payload = _jws.decode(token.text, key.public, algorithms=[key.algorithm])
        except (jwt.PyJWTError, ValueError):
            continue
        return _signed(_claims(payload), body, audience, place)
    raise Rejected("signature_wrong")


def sign_token(
    body: bytes, key: TokenKey, *, audience: str, event_id: str, at: datetime
) -> dict[str, str]:
    """The header of a sender whose token expires at once: the receiver's tolerance is all the time
    it has.  ValueError for a public key."""
    if key.private is None:
        raise ValueError("a public key only verifies; to sign, put a private key first")
    claims = {
        "aud": audience,
        "iat": int(at.timestamp()),
        "exp": int(at.timestamp()),
        "jti": event_id,
        "htm": "POST",
        "htb_s256": body_hash(body),
    }
    header = {"kid": key.key_id} if key.key_id else None
    token = jwt.encode(claims, key.private, algorithm=key.algorithm, headers=header)
    return {"Authorization": f"Bearer {token}"}


def body_hash(body: bytes) -> str:
    """What stands in `htb_s256`."""
    return base64.urlsafe_b64encode(hashlib.sha256(body).digest()).decode().rstrip("=")


def _claims(payload: bytes) -> dict[str, Any]:
    try:
        claims = json.loads(payload)
    except (ValueError, RecursionError):
        raise Rejected("signature_malformed") from None
    if not isinstance(claims, dict):
        raise Rejected("signature_malformed")
    return claims


def _signed(claims: dict[str, Any], body: bytes, audience: str, place: int) -> Signed:
    """What a token says that one of our keys has signed."""
    meant = claims.get("aud")
    if audience not in (meant if isinstance(meant, list) else [meant]):
        raise Rejected("audience_wrong")
    hashed = str(claims.get("htb_s256", "")).rstrip("=")
    if not hmac.compare_digest(hashed.encode(errors="replace"), body_hash(body).encode()):
        raise Rejected("signature_wrong")
    event_id = claims.get("jti")
    if not isinstance(event_id, str) or not EVENT_ID.fullmatch(event_id):
        raise Rejected("signature_malformed")
    if claims.get("htm", "POST") != "POST":
        raise Rejected("signature_malformed")
    until = _instant(claims.get("exp"))
    starts = [_instant(claims[name]) for name in TIMES if name in claims]
    return Signed(
        at=max([until - LONGEST_LIFE, *starts]),
        event_id=event_id,
        key=str(place),
        until=until,
    )


def _instant(seconds: Any) -> datetime:
    """A time of the token, which may have a fraction."""
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        raise Rejected("signature_malformed")
    if not LONGEST_LIFE.total_seconds() <= seconds <= LAST_SECOND:
        raise Rejected("signature_malformed")
    return datetime.fromtimestamp(seconds, UTC)
