"""HMACs as HR systems make them: one description for each sender, one verifier, one signer.

    header             carries the signature, after `prefix`
    part               the name of the signatures, where the header is a list: "t=1,v1=ab,v1=cd"
    algorithm          "sha256" or "sha512"
    encoding           "hex", "base64", or "base64url" with or without its padding
    signed             the signed text: {body}, {timestamp} and {id}, and what stands between them
    timestamp          carries the timestamp; with `part`: its name in that list
    id_header          carries the id of the event

As in verify.py: a verifier answers with Signed or raises Rejected, nothing else; every key is
tried, in constant time.  A key is the text of the secret, as bytes.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from webhook.verify import MAX_SIGNATURES, Rejected, Signed, matching_key, single, time_of


@dataclass(frozen=True, slots=True)
class Encoding:
    """How bytes are written, the form of such texts, and the one way of several that counts."""

    write: Callable[[bytes], bytes]
    form: re.Pattern[str]
    plain: Callable[[bytes], bytes] = lambda text: text


ENCODINGS: Mapping[str, Encoding] = {
    "hex": Encoding(lambda digest: digest.hex().encode(), re.compile("[0-9a-fA-F]+"), bytes.lower),
    "base64": Encoding(base64.b64encode, re.compile("[A-Za-z0-9+/]+={0,2}")),
    "base64url": Encoding(
        base64.urlsafe_b64encode, re.compile("[A-Za-z0-9_-]+={0,2}"), lambda text: text.rstrip(b"=")
    ),
}
# Nothing of a JSON body can be taken for a part of such a timestamp, nor the other way round.
_TIMESTAMP = re.compile("[0-9A-Za-z:.+-]{1,40}")
_MILLISECONDS = re.compile("[0-9]{13}")
_EVENT_ID = re.compile("[!-~]{1,200}")


@dataclass(frozen=True, slots=True)
class Scheme:
    """How one sender signs.  Names of headers in lower case; "" where there is none."""

    header: str
    algorithm: str = "sha256"
    encoding: str = "hex"
    prefix: str = ""
    part: str = ""
    signed: str = "{body}"
    timestamp: str = ""
    id_header: str = ""


def verify_hmac(
    headers: Mapping[str, str],
    body: bytes,
    keys: Sequence[bytes],
    scheme: Scheme,
    time_in: Callable[[bytes], datetime | None] | None = None,
) -> Signed:
    """Raise Rejected unless one of `keys` signed `body` in this way.

    The signed time is that of the scheme, or where only the body has one, what `time_in` finds.
    """
    given, timestamp = _signatures(headers, scheme)
    event_id = _event_id(headers, scheme)
    message = _message(body, timestamp, event_id, scheme)
    matching = matching_key(
        any(hmac.compare_digest(_written(key, message, scheme), each) for each in given)
        for key in keys
    )
    at = time_in(body) if time_in else _time(timestamp)
    return Signed(at=at, event_id=event_id or None, key=matching)


def sign_hmac(
    body: bytes, key: bytes, scheme: Scheme, *, event_id: str, at: datetime
) -> dict[str, str]:
    """The headers that such a sender would send with `body`."""
    timestamp = str(int(at.timestamp()))
    signature = _written(key, _message(body, timestamp, event_id, scheme), scheme).decode()
    value = f"{scheme.prefix}{signature}"
    if scheme.part:
        stamp = f"{scheme.timestamp}={timestamp}," if scheme.timestamp else ""
        value = f"{stamp}{scheme.part}={value}"
    headers = {scheme.header: value}
    if scheme.timestamp and not scheme.part:
        headers[scheme.timestamp] = timestamp
    if scheme.id_header:
        headers[scheme.id_header] = event_id
    return headers


def _signatures(headers: Mapping[str, str], scheme: Scheme) -> tuple[list[bytes], str]:
    """What was given as signature, and the timestamp."""
    if scheme.part:
        texts, timestamp = _parts(headers, scheme)
    else:
        texts = [single(headers, scheme.header)]
        timestamp = single(headers, scheme.timestamp) if scheme.timestamp else ""
    if scheme.timestamp and not _TIMESTAMP.fullmatch(timestamp):
        raise Rejected("signature_malformed")
    encoding = ENCODINGS[scheme.encoding]
    bare = [text.removeprefix(scheme.prefix) for text in texts]
    rightly_begun = all(text.startswith(scheme.prefix) for text in texts)
    well_formed = rightly_begun and all(map(encoding.form.fullmatch, bare))
    if not 1 <= len(texts) <= MAX_SIGNATURES or not well_formed:
        raise Rejected("signature_malformed")
    return [encoding.plain(text.encode()) for text in bare], timestamp


def _parts(headers: Mapping[str, str], scheme: Scheme) -> tuple[list[str], str]:
    """The signatures and the timestamp in a list of name=value."""
    value = headers.get(scheme.header, "")
    if not value:
        raise Rejected("signature_missing")
    pairs = [part.strip().partition("=") for part in value.split(",")]
    stamps = [
        text for name, _, text in pairs if scheme.timestamp and name.lower() == scheme.timestamp
    ]
    if scheme.timestamp and len(stamps) != 1:
        raise Rejected("signature_malformed")
    return [text for name, _, text in pairs if name == scheme.part], "".join(stamps)


def _event_id(headers: Mapping[str, str], scheme: Scheme) -> str:
    """The id of the event.  What separates the signed parts cannot be in it, or it could shift
    them; one that is not signed is only kept, so it may be missing."""
    is_signed = "{id}" in scheme.signed
    if not scheme.id_header or (not is_signed and scheme.id_header not in headers):
        return ""
    event_id = single(headers, scheme.id_header)
    between = set(re.sub(r"\{\w+\}|[A-Za-z0-9]", "", scheme.signed))
    if not _EVENT_ID.fullmatch(event_id) or (is_signed and between & set(event_id)):
        raise Rejected("signature_malformed")
    return event_id


def _message(body: bytes, timestamp: str, event_id: str, scheme: Scheme) -> bytes:
    values = {"{body}": body, "{timestamp}": timestamp.encode(), "{id}": event_id.encode()}
    parts = re.split(r"(\{body\}|\{timestamp\}|\{id\})", scheme.signed)
    return b"".join(values.get(part, part.encode()) for part in parts)


def _written(key: bytes, message: bytes, scheme: Scheme) -> bytes:
    """The HMAC as the sender writes it."""
    algorithm = {"sha256": hashlib.sha256, "sha512": hashlib.sha512}[scheme.algorithm]
    encoding = ENCODINGS[scheme.encoding]
    return encoding.plain(encoding.write(hmac.new(key, message, algorithm).digest()))


def _time(timestamp: str) -> datetime | None:
    """Unix seconds, milliseconds, or an ISO-8601 text; None where there is none or another form."""
    if _MILLISECONDS.fullmatch(timestamp):
        return datetime.fromtimestamp(int(timestamp) // 1000, UTC)
    return time_of(timestamp)
