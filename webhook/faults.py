"""The mistakes that senders make, so that they can be rehearsed: `leaver send --fault NAME`.

Each takes what a sender would rightly post and gives what it posts by mistake.  It knows nothing of
the kind of source but what every source promises (webhook/sources/base.py).
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from config.sources import Source as SourceSettings
from webhook.sources.base import Source, Termination, sign
from workers.leavers import LeaverKind

#: How far a wrong clock is beyond the source's tolerance.
BEYOND = timedelta(minutes=1)
#: Under these names senders say what kind of event it is.
EVENT_NAMES = ("type", "eventType", "event_type", "event")


@dataclass(frozen=True, slots=True)
class Post:
    """One delivery as it goes out."""

    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Sender:
    """An HR system that says `event` of `people` at `now`."""

    source: Source[Any]
    settings: SourceSettings
    people: Sequence[Termination]
    event: LeaverKind
    now: datetime

    def right(self) -> Post:
        """What it should post.  ValueError where its first secret cannot sign."""
        return Post(*sign(self.source, self.people, self.settings, event=self.event, now=self.now))

    def signature(self, body: bytes) -> dict[str, str]:
        """The headers that prove that it sent `body`."""
        return self.source.signature(body, self.settings, now=self.now)

    def with_body(self, body: bytes) -> Post:
        """The same with another body, rightly signed."""
        return Post(self.right().headers | self.signature(body), body)


def posts(sender: Sender, fault: str | None) -> list[Post]:
    """What is posted, in this order.  ValueError where this sender cannot make this mistake."""
    return FAULTS[fault](sender) if fault else [sender.right()]


def _wrong_signature(sender: Sender) -> list[Post]:
    return [_with_signature(sender, _another_character)]


def _doubled_header(sender: Sender) -> list[Post]:
    # What a server makes of two headers of one name.
    return [_with_signature(sender, lambda value: f"{value},{value}")]


def _missing_header(sender: Sender) -> list[Post]:
    right = sender.right()
    missing = next(iter(sender.signature(right.body)))
    return [replace(right, headers={k: v for k, v in right.headers.items() if k != missing})]


def _stale(sender: Sender) -> list[Post]:
    return [replace(sender, now=sender.now - _tolerance(sender) - BEYOND).right()]


def _from_the_future(sender: Sender) -> list[Post]:
    return [replace(sender, now=sender.now + _tolerance(sender) + BEYOND).right()]


def _truncated(sender: Sender) -> list[Post]:
    right = sender.right()
    return [replace(right, body=right.body[: len(right.body) // 2])]


def _content_type(sender: Sender) -> list[Post]:
    right = sender.right()
    return [replace(right, headers=right.headers | {"Content-Type": "text/plain"})]


def _not_json(sender: Sender) -> list[Post]:
    return [sender.with_body(b"this is neither JSON nor XML")]


def _poison(sender: Sender) -> list[Post]:
    document = _document(sender)
    people = _first_list(document)
    if people is None:
        raise ValueError("this sender posts each person alone")
    people.insert(0, None)
    return [sender.with_body(json.dumps(document).encode())]


def _unknown_event(sender: Sender) -> list[Post]:
    document = _document(sender)
    if not _rename_events(document):
        raise ValueError("what this sender posts does not name its event")
    return [sender.with_body(json.dumps(document).encode())]


def _duplicate(sender: Sender) -> list[Post]:
    return [sender.right()] * 2


FAULTS: Mapping[str, Callable[[Sender], list[Post]]] = {
    "wrong-signature": _wrong_signature,
    "missing-header": _missing_header,
    "doubled-header": _doubled_header,
    "stale": _stale,
    "from-the-future": _from_the_future,
    "truncated": _truncated,
    "content-type": _content_type,
    "not-json": _not_json,
    "poison": _poison,
    "unknown-event": _unknown_event,
    "duplicate": _duplicate,
}


def _with_signature(sender: Sender, changed: Callable[[str], str]) -> Post:
    """The right body, every header of whose signature is `changed`."""
    right = sender.right()
    names = sender.signature(right.body)
    return replace(
        right,
        headers={k: changed(v) if k in names else v for k, v in right.headers.items()},
    )


def _another_character(text: str) -> str:
    """`text` with another digit or letter in its middle."""
    middle = len(text) // 2
    return text[:middle] + ("1" if text[middle] != "1" else "2") + text[middle + 1 :]


def _tolerance(sender: Sender) -> timedelta:
    tolerance = sender.settings.time_tolerance
    if tolerance is None:
        raise ValueError("this sender signs no time")
    return tolerance


def _document(sender: Sender) -> Any:
    try:
        return json.loads(sender.right().body)
    except ValueError:
        raise ValueError("what this sender posts is not JSON") from None


def _first_list(value: Any) -> list[Any] | None:
    """The first list of objects in a document."""
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return value
    if isinstance(value, dict):
        return next((found for each in value.values() if (found := _first_list(each))), None)
    return None


def _rename_events(value: Any) -> int:
    """Give every event in a document a name that nobody knows; how many there were."""
    if isinstance(value, list):
        return sum(map(_rename_events, value))
    if not isinstance(value, dict):
        return 0
    named = [name for name in EVENT_NAMES if isinstance(value.get(name), str)]
    value.update(dict.fromkeys(named, "test.of-an-unknown-event"))
    return len(named) + sum(map(_rename_events, value.values()))
