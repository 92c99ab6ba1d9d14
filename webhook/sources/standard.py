"""Any sender of Standard Webhooks: the events of contract.py, signed as that specification says."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from zoneinfo import ZoneInfo

from config.sources import Standard, Workday
from webhook.sources import contract
from webhook.sources.base import Termination, Verifier
from webhook.sources.fields import json_of
from webhook.verify import Signed, sign_standard, standard_key, verify_standard
from workers.leavers import Element, LeaverKind, new_id

CONTENT_TYPES = frozenset({"application/json"})
EVENTS = contract.EVENTS


def verifier(settings: Standard | Workday) -> Verifier:
    """What checks a signature."""
    keys = [standard_key(secret.reveal()) for secret in settings.secrets]
    return partial(verify_standard, keys=keys)


def body_of(
    people: Sequence[Termination],
    settings: Standard,
    *,
    event: LeaverKind,
    now: datetime,
) -> bytes:
    """A delivery that says `event` of everybody of `people`."""
    return contract.body_of(people, event, now=now)


def signature(body: bytes, settings: Standard | Workday, *, now: datetime) -> dict[str, str]:
    """The headers of a Standard Webhooks sender, with an event id of their own."""
    key = standard_key(settings.secrets[0].reveal())
    return sign_standard(body, key, event_id=f"msg_{new_id()}", at=now)


def parse(
    body: bytes,
    content_type: str,
    settings: Standard,
    *,
    zone: ZoneInfo,
    now: datetime,
    signed: Signed,
) -> tuple[Element, ...]:
    """One element for each worker."""
    return contract.elements_of(
        json_of(body), settings, zone=zone, now=now, event_id=signed.event_id
    )
