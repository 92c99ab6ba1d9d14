"""POST /webhooks/<source>: verify, parse, record, wake up, answer; nothing else.

A sender that shakes hands first does so with a GET, or posts a ping or the key of its signatures.

The answer is 2xx only after the ledger has committed, and 503 when it cannot, or when the keys of a
sender cannot be had: HR systems send again after a 5xx, and never after a 4xx.  So a body that is
correctly signed is never refused: what is stale or cannot be read is recorded as quarantined.  What
is not correctly signed leaves a count.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import structlog
from flask import abort, make_response, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import BadRequest, HTTPException, RequestEntityTooLarge

from config.settings import Secret, Settings
from config.sources import Source as SourceSettings
from webhook import request_ids
from webhook.rejections import Rejections
from webhook.sources import HANDSHAKES, KEY_OFFERS, PINGS, SOURCES, SUCCESS, Handshake
from webhook.sources.base import OUR_ERROR, Source, Verifier, quarantined
from webhook.sources.fields import Unreadable, Unusable
from webhook.verify import Rejected, Signed
from workers.dispatch import Waker
from workers.leavers import Delivery, DeliveryStatus, ElementKind
from workers.ledger import Ledger, LedgerUnavailable, key_offers
from workers.ledger.intake import QuarantineFull, Recorded, record

log = structlog.get_logger(__name__)

#: Every other rejection is 401.
STATUS_OF = {"too_large": 413, "unsupported_media_type": 415}
#: The success that goes without a body.
NO_BODY = 204
#: The rejection that may be an error: the keys to judge the signature by cannot be had.
UNKNOWABLE = "keys_unavailable"
#: What a sender hears that must come again, after so many seconds.
LATER = ({"error": "unavailable"}, 503, {"Retry-After": "30"})
QUARANTINE_HINT = "mend the cause, then `leaver reparse` or `leaver dismiss`"


@dataclass(frozen=True, slots=True)
class Door:
    """One configured source, ready to receive."""

    name: str
    source: Source[Any]
    settings: SourceSettings
    verify: Verifier
    zone: ZoneInfo
    targets: tuple[str, ...]
    handshake: Handshake | None
    is_ping: Callable[[bytes], bool]
    offered_key: Callable[[bytes], str] | None
    success: int


def open_doors(settings: Settings) -> dict[str, Door]:
    """A door for each configured source.  ConfigurationError if a secret cannot be had."""
    return {
        name: _door(name, settings, SOURCES[own.kind].verifier(own))
        for name, own in settings.sources.items()
    }


def locked_door(name: str, settings: Settings) -> Door:
    """The door of one source for whoever only reads a body: it needs no secret, admits nobody."""

    def admit_nobody(_headers: Mapping[str, str], _body: bytes) -> Signed:
        raise Rejected("signature_wrong")

    return _door(name, settings, admit_nobody)


def _door(name: str, settings: Settings, verify: Verifier) -> Door:
    own = settings.sources[name]
    return Door(
        name,
        SOURCES[own.kind],
        own,
        verify,
        settings.zone_of(name),
        settings.targets_of(name),
        HANDSHAKES.get(own.kind),
        PINGS.get(own.kind, lambda body: False),
        KEY_OFFERS.get(own.kind),
        SUCCESS.get(own.kind, 202),
    )


def read(
    door: Door,
    body: bytes,
    content_type: str,
    signed: Signed,
    *,
    request_id: str,
    now: datetime,
    check_time: bool = True,
) -> Delivery:
    """What a correctly signed body says; one that cannot be acted on is quarantined."""
    fault: Unusable | None = None
    try:
        if check_time and (tolerance := door.settings.time_tolerance):
            _check_time(signed, tolerance, now)
        elements = door.source.parse(
            body, content_type, door.settings, zone=door.zone, now=now, signed=signed
        )
    except Unusable as why:
        fault = why
    except Exception:  # A signed body is kept, whatever it does to us.
        log.exception("body not understood", source=door.name)
        fault = Unreadable(OUR_ERROR)
    return Delivery(
        source=door.name,
        body=body,
        content_type=content_type,
        received_at=now,
        signed_at=signed.at,
        event_id=signed.event_id,
        elements=(quarantined(fault),) if fault else elements,
        targets=door.targets,
        reason=fault.reason if fault else "",
        detail=fault.detail if fault else "",
        facts={"key": signed.key},
        request_id=request_id,
    )


def _check_time(signed: Signed, tolerance: timedelta, now: datetime) -> None:
    """Unusable unless it was signed about now, or counts until now."""
    if signed.at is None:
        raise Unreadable("the signed timestamp is no time")
    if now - (signed.until or signed.at) > tolerance:
        raise Unusable("stale")
    if signed.at - now > tolerance:
        raise Unusable("from_the_future")


class Receiver:
    """The deliveries of one process."""

    def __init__(
        self,
        settings: Settings,
        ledger: Ledger,
        waker: Waker,
        rejections: Rejections,
        clock: Callable[[], datetime],
    ) -> None:
        self._doors = open_doors(settings)
        self._max_body_bytes = settings.server.max_body_bytes
        self._dedup_window = settings.policy.dedup_window
        self._quarantine_limit = settings.policy.quarantine_limit
        self._ledger = ledger
        self._waker = waker
        self._rejections = rejections
        self._clock = clock

    @property
    def handshakes(self) -> dict[str, Handshake]:
        """The sources that first ask with a GET whether the address is ours."""
        return {name: door.handshake for name, door in self._doors.items() if door.handshake}

    def shake_hands(self, source: str) -> ResponseReturnValue:
        """Answer one of `handshakes`."""
        headers = _headers()
        try:
            self._doors[source].verify(headers, b"")
            return self.handshakes[source](headers)
        except Rejected as why:
            self._rejections.count(source, why.reason)
            abort(401)

    def receive(self, source: str) -> ResponseReturnValue:
        """One delivery to one source."""
        started = time.perf_counter()
        door = self._doors.get(source)
        if door is None:
            abort(404)
        body = b""
        try:
            body = _raw_body(self._max_body_bytes)
            if door.is_ping(body):
                return {"status": "pong"}, door.success
            signed = self._signed(door, body)
        except LedgerUnavailable:
            return self._unrecorded(source, body, started)
        except Rejected as why:
            if why.reason == "signature_missing" and self._keep_offer(door, body):
                _say(source, "key offered", b"", started)
                return {"status": "waits for an operator"}, door.success
            self._rejections.count(source, why.reason)
            _say(source, "rejected", body, started, reason=why.reason)
            if why.reason == UNKNOWABLE:
                return LATER
            abort(STATUS_OF.get(why.reason, 401))
        now = self._clock()
        content_type = _printable(request.content_type or "")
        request_id = request_ids.current()
        delivery = read(door, body, content_type, signed, request_id=request_id, now=now)
        recorded = self._record(delivery, now)
        if recorded is None:
            return self._unrecorded(source, body, started)
        if recorded.status is DeliveryStatus.ACCEPTED:
            self._waker.wake(recorded.jobs)
        counts = {kind.value: recorded.elements.get(kind, 0) for kind in ElementKind}
        _say(
            source,
            recorded.status,
            body,
            started,
            delivery=recorded.delivery,
            reason=delivery.reason,
            key=signed.key,
            **counts,
        )
        if door.success == NO_BODY:
            return "", NO_BODY
        return {
            "delivery": recorded.delivery,
            "status": recorded.status,
            "elements": counts,
            "jobs": recorded.jobs,
        }, door.success

    def _signed(self, door: Door, body: bytes) -> Signed:
        """Rejected unless a key of the settings signed it, or one that an operator confirmed."""
        verify = door.verify
        if door.offered_key:
            confirmed = map(Secret, key_offers.confirmed(self._ledger, door.name))
            secrets = (*door.settings.secrets, *confirmed)
            verify = door.source.verifier(door.settings.model_copy(update={"secrets": secrets}))
        return _signed(verify, door, body)

    def _keep_offer(self, door: Door, body: bytes) -> bool:
        """Whether `body` offers a key that is kept now."""
        key = door.offered_key(body) if door.offered_key else ""
        if not key:
            return False
        try:
            return key_offers.offer(self._ledger, door.name, key, now=self._clock())
        except LedgerUnavailable:
            abort(make_response(*LATER))

    def _unrecorded(self, source: str, body: bytes, started: float) -> ResponseReturnValue:
        _say(source, "unrecorded", body, started)
        return LATER

    def _record(self, delivery: Delivery, now: datetime) -> Recorded | None:
        """None if it could not be recorded, for whatever reason: the sender keeps it then."""
        try:
            return record(
                self._ledger,
                delivery,
                now=now,
                dedup_window=self._dedup_window,
                quarantine_limit=self._quarantine_limit,
            )
        except QuarantineFull:
            log.error("quarantine full", source=delivery.source, hint=QUARANTINE_HINT)
        except LedgerUnavailable as error:
            log.error("ledger unavailable", error=str(error))
        except Exception:
            log.exception("delivery not recorded", source=delivery.source)
        return None


def _raw_body(max_bytes: int) -> bytes:
    """The bytes as they came.  Flask is told to read one byte more than is allowed, because it cuts
    off a longer chunked body instead of refusing it."""
    try:
        body = request.get_data(cache=False)
    except RequestEntityTooLarge:
        raise Rejected("too_large") from None
    except HTTPException:
        raise
    except Exception as error:
        # Broken chunks: each server has exceptions of its own for them.
        raise BadRequest from error
    if len(body) > max_bytes:
        raise Rejected("too_large")
    if len(body) < (request.content_length or 0):
        raise BadRequest  # Broken off on the way: that says nothing about the sender's key.
    return body


def _headers() -> dict[str, str]:
    return {name.lower(): value for name, value in request.headers.items()}


def _signed(verify: Verifier, door: Door, body: bytes) -> Signed:
    try:
        return verify(_headers(), body)
    except Rejected:
        if request.mimetype and request.mimetype not in door.source.CONTENT_TYPES:
            raise Rejected("unsupported_media_type") from None
        raise


def _printable(text: str) -> str:
    """What a database can hold of a header."""
    return "".join(character for character in text if character.isprintable())


def _say(source: str, status: str, body: bytes, started: float, **fields: Any) -> None:
    """The one line of a delivery."""
    duration_ms = round((time.perf_counter() - started) * 1000, 1)
    log.info(
        "delivery",
        source=source,
        status=status,
        bytes=len(body),
        duration_ms=duration_ms,
        **fields,
    )
