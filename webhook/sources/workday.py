"""Workday: what an integration posts that a customer builds there; Workday itself has no webhooks.

It proves itself as `auth` says: by a signature of Standard Webhooks, by a JSON Web Token with a
hash of the body, or by HTTP Basic, which signs neither the body nor a time.  It sends our own
contract (contract.py), or the rows of a report (report.py).  docs/workday.md says how to build it.
"""

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from config.keys import token_key
from config.sources import Workday
from webhook.jwks import PublishedKeys
from webhook.sources import contract, report, standard
from webhook.sources.base import Termination, Verifier
from webhook.sources.fields import json_of
from webhook.sources.report_xml import rows_of_xml
from webhook.tokens import sign_token, token_of, verify_token
from webhook.verify import Signed, sign_basic, verify_basic
from workers.leavers import Element, LeaverKind, new_id

CONTENT_TYPES = frozenset({"application/json", "application/xml", "text/xml"})
EVENTS = contract.EVENTS


def verifier(settings: Workday) -> Verifier:
    """What checks a signature, a token or a password."""
    match settings.auth:
        case "standard":
            return standard.verifier(settings)
        case "basic":
            passwords = [secret.reveal() for secret in settings.passwords]
            pairs = [f"{settings.username}:{password}".encode() for password in passwords]
            return partial(verify_basic, keys=pairs)
    audience = settings.audience or ""
    if settings.jwks_url:
        return PublishedKeys(settings.jwks_url, audience).verify
    pinned = [token_key(secret.reveal()) for secret in settings.public_keys]
    return lambda headers, body: verify_token(token_of(headers), body, pinned, audience)


def body_of(
    people: Sequence[Termination],
    settings: Workday,
    *,
    event: LeaverKind,
    now: datetime,
) -> bytes:
    """A delivery in our contract that says `event` of everybody of `people`."""
    return contract.body_of(people, event, now=now)


def signature(body: bytes, settings: Workday, *, now: datetime) -> dict[str, str]:
    """The headers with an event id of their own; ValueError without a key that can sign."""
    match settings.auth:
        case "standard":
            return standard.signature(body, settings, now=now)
        case "basic":
            return sign_basic(settings.username or "", settings.passwords[0].reveal())
    if not settings.public_keys:
        raise ValueError("jwks_url only verifies; to sign, put a private key into public_keys")
    pinned = token_key(settings.public_keys[0].reveal())
    return sign_token(body, pinned, audience=settings.audience or "", event_id=new_id(), at=now)


def parse(
    body: bytes,
    content_type: str,
    settings: Workday,
    *,
    zone: ZoneInfo,
    now: datetime,
    signed: Signed,
) -> tuple[Element, ...]:
    """One element for each worker of our contract, or for each row of a report."""
    about: dict[str, Any] = {"zone": zone, "now": now, "event_id": signed.event_id}
    if "xml" in content_type.lower() or body.lstrip().startswith(b"<"):
        return report.elements_of(rows_of_xml(body), settings, **about)
    document = json_of(body)
    rows = report.rows_of(document)
    if rows is not None:
        return report.elements_of(rows, settings, **about)
    return contract.elements_of(document, settings, **about)
