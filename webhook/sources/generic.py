"""Any HR system, by configuration alone: how it signs, and where its bodies say what.

`people` is the path to the person or the list of persons.  Every other path begins at the person,
or with `$.` at the body.  `event` leads to the word that says what happened, which one of the lists
`terminated`, `corrected`, `rescinded` and `rehired` has; another word is another event.  `fields`
lead to the values; of several paths to one field the first that finds something counts, and a path
that finds different values is for a person.  When access ends, cutoff.py says; where nothing is
said of it, `undated`.

Somebody `rehired` works here, and that matters only if they were to leave: a sender that tells the
state of a person, and not what happened, has the word for "active" there.

What the presets set, and which of that is not confirmed: config/presets.py.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from config.sources import Generic, GenericField
from webhook.schemes import Scheme, sign_hmac, verify_hmac
from webhook.sources.base import Termination, Verifier, each, ignored, quarantined
from webhook.sources.cutoff import Said, cutoff_from, cutoff_said
from webhook.sources.fields import (
    Unreadable,
    Unusable,
    email_of,
    form_of,
    json_of,
    key_of,
    object_of,
    text_of,
)
from webhook.sources.paths import planted, steps_of, values_at
from webhook.verify import Signed, time_of
from workers.leavers import Cutoff, Element, ElementKind, Leaver, LeaverKind, new_id

CONTENT_TYPES = frozenset({"application/json", "application/x-www-form-urlencoded"})
STAYS = (LeaverKind.RESCINDED, LeaverKind.REHIRED)
EVENTS = (LeaverKind.TERMINATED, LeaverKind.CORRECTED, *STAYS)
#: A bare date so long ago has passed in every time zone.
LONG_PAST = timedelta(days=2)


def verifier(settings: Generic) -> Verifier:
    """What checks a signature as the settings describe it."""
    keys = [secret.reveal().encode() for secret in settings.secrets]
    return partial(verify_hmac, keys=keys, scheme=_scheme(settings))


def body_of(
    people: Sequence[Termination],
    settings: Generic,
    *,
    event: LeaverKind,
    now: datetime,
) -> bytes:
    """A JSON delivery that says `event` of `people`, where the settings look for it.  ValueError
    where they have no word for it."""
    words = _words(settings)[event]
    if not words:
        raise ValueError(f"no word means {event}: the list {event} is empty")
    sent = [_as_sent(who, settings, now) | {settings.event: words[0]} for who in people]
    persons = [_laid_out({}, _of_body(values, False)) for values in sent]
    document = _laid_out(_placed(persons, settings.people), _of_body(sent[0], True))
    return json.dumps(document).encode()


def signature(body: bytes, settings: Generic, *, now: datetime) -> dict[str, str]:
    """The headers that the settings describe."""
    key = settings.secrets[0].reveal().encode()
    return sign_hmac(body, key, _scheme(settings), event_id=new_id(), at=now)


def parse(
    body: bytes,
    content_type: str,
    settings: Generic,
    *,
    zone: ZoneInfo,
    now: datetime,
    signed: Signed,
) -> tuple[Element, ...]:
    """One element for each person, or one that is ignored for another event."""
    is_form = "form-urlencoded" in content_type.lower()
    document = form_of(body) if is_form else json_of(body)
    if settings.event.startswith("$"):
        word = _word({}, document, settings)
        if not word:
            raise Unreadable(f"no event at {settings.event}")
        if _kind(word, settings) is None:
            return (ignored("other_event", key_of(signed.event_id, document)),)
    found = values_at(document, settings.people)
    if not found:
        raise Unreadable(f"nobody at {settings.people}")
    people = [who for value in found for who in (value if isinstance(value, list) else [value])]
    read = partial(_person, document, settings=settings, zone=zone, now=now, signed=signed)
    return each(people, read)


def _person(
    document: Any, item: Any, *, settings: Generic, zone: ZoneInfo, now: datetime, signed: Signed
) -> Element:
    person = object_of(item, "a person")
    word = _word(person, document, settings)
    kind = _kind(word, settings)
    if not word:
        raise Unusable("unreadable", f"no event at {settings.event}")
    if kind is None:
        return ignored("other_event", key_of(signed.event_id, word, person))
    said = _said(person, document, settings)
    employee_id = text_of(said.get("employee_id"), "the employee's id")
    event_id = text_of(said.get("event_id"), "the event's id") or signed.event_id
    # The person is in the key as well: a sender that gives two events one id must not lose one.
    key = key_of(event_id, kind, said) if event_id else key_of(kind, said, person)
    happened_at = time_of(str(said.get("happened_at")))
    try:
        if kind in STAYS:
            # HR may have blanked the address; it is read only where there is no id.
            email = "" if employee_id else email_of(said.get("email"))
            cutoff = Cutoff(now)
        else:
            email = email_of(said.get("email"))
            cutoff = _cutoff(said, settings, zone, now)
    except Unusable as why:
        return quarantined(why, key, employee_id=employee_id)
    leaver = Leaver(email, employee_id, cutoff, kind, happened_at)
    if kind is LeaverKind.REHIRED:
        return ignored("not_a_termination", key, employee_id=employee_id, stays=leaver)
    return Element(ElementKind.LEAVER, key, employee_id=employee_id, leaver=leaver)


def _cutoff(
    said: Mapping[GenericField, Any], settings: Generic, zone: ZoneInfo, now: datetime
) -> Cutoff:
    about = Said(
        access_revocation=said.get("access_revocation"),
        immediate=said.get("immediate"),
        reason=said.get("reason"),
        last_day=said.get("last_day"),
        termination_date=said.get("termination_date"),
        time_zone=said.get("time_zone"),
    )
    if settings.undated == "now":
        return cutoff_said(about, settings, zone=zone, now=now) or Cutoff(now)
    return cutoff_from(about, settings, zone=zone, now=now)


def _word(person: Any, document: Any, settings: Generic) -> str:
    """The word that says what happened; "" where there is none."""
    return text_of(_one(person, document, settings.event, "event"), "the event")


def _words(settings: Generic) -> dict[LeaverKind, tuple[str, ...]]:
    return {
        LeaverKind.TERMINATED: settings.terminated,
        LeaverKind.CORRECTED: settings.corrected,
        LeaverKind.RESCINDED: settings.rescinded,
        LeaverKind.REHIRED: settings.rehired,
    }


def _kind(word: str, settings: Generic) -> LeaverKind | None:
    return next((kind for kind, words in _words(settings).items() if word in words), None)


def _said(person: Any, document: Any, settings: Generic) -> dict[GenericField, Any]:
    """What the body says of a person, under our names; nothing where it says nothing."""
    said: dict[GenericField, Any] = {}
    for path, field in settings.fields.items():
        value = _one(person, document, path, field)
        if field not in said and value is not None:
            said[field] = value
    return said


def _one(person: Any, document: Any, path: str, name: str) -> Any:
    """The value at a path.  Unusable where it leads to different ones."""
    root = document if path.startswith("$") else person
    values = [value for value in values_at(root, path) if value not in (None, "")]
    if any(value != values[0] for value in values):
        raise Unusable("unreadable", f"{name} comes twice, with different values")
    return values[0] if values else None


def _scheme(settings: Generic) -> Scheme:
    return Scheme(
        header=settings.signature_header,
        algorithm=settings.algorithm,
        encoding=settings.encoding,
        prefix=settings.signature_prefix or "",
        part=settings.signature_part or "",
        signed=settings.signed,
        timestamp=settings.timestamp or "",
        id_header=settings.id_header or "",
    )


def _as_sent(who: Termination, settings: Generic, now: datetime) -> dict[str, Any]:
    """The value at each path."""
    when = who.terminated_on or (now - LONG_PAST).date()
    values: dict[GenericField, Any] = {
        "email": who.email,
        "employee_id": who.employee_id,
        "event_id": new_id(),
        "happened_at": now.isoformat(),
        "immediate": who.terminated_on is None,
        "termination_date": when.isoformat(),
    }
    return {path: values[field] for path, field in settings.fields.items() if field in values}


def _of_body(values: Mapping[str, Any], of_body: bool) -> dict[str, Any]:
    return {path: value for path, value in values.items() if path.startswith("$") is of_body}


def _placed(persons: list[Any], path: str) -> Any:
    """A document with the persons where `people` looks for them."""
    steps = steps_of(path)
    if steps and isinstance(steps[-1], slice):
        return planted({}, steps[:-1], persons)
    return planted({}, steps, persons if len(persons) > 1 else persons[0])


def _laid_out(tree: Any, values: Mapping[str, Any]) -> Any:
    for path, value in values.items():
        tree = planted(tree, steps_of(path), value)
    return tree
