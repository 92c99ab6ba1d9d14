"""Who gets messages, and sending one to them.

Each entry of notify.urls is a recipient.  What goes wrong is said in words of ours: those of
apprise, and of the services, may hold a token.
"""

import hashlib
import re
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from queue import Empty, SimpleQueue
from time import monotonic
from typing import TYPE_CHECKING

from config.message_urls import service
from config.secret import ConfigurationError, Secret
from config.settings import Notify
from workers.ledger.outbox import Copy, Message, MessageKind

if TYPE_CHECKING:
    from apprise import AppriseResult

#: How long a service may take to accept a message.
PATIENCE = timedelta(seconds=30)

#: How apprise names the tone of a message.
TONES = {
    MessageKind.ALARM: "warning",
    MessageKind.OVER: "success",
    MessageKind.DONE: "info",
    MessageKind.TEST: "info",
}


@dataclass(frozen=True, slots=True)
class Recipient:
    """One URL: its hash, and its place with what it is, such as "notify.urls[2] (slack)"."""

    key: str
    name: str
    url: Secret


def recipients_of(notify: Notify) -> dict[str, Recipient]:
    """Everybody who gets messages, by key.  Raises ConfigurationError."""
    found = [_recipient(place, url) for place, url in enumerate(notify.urls, 1)]
    return {each.key: each for each in found}


def sending(
    copies: Sequence[tuple[Copy, Recipient]], patience: timedelta = PATIENCE
) -> Iterator[tuple[Copy, str]]:
    """Send to all at once, and give each copy as it ends, with what went wrong ("": nothing).

    Whoever has not answered within `patience` counts as failed.
    """
    ended: SimpleQueue[tuple[int, str]] = SimpleQueue()

    def send(number: int, message: Message, url: Secret) -> None:
        ended.put((number, _sent(message, url)))

    for number, (copy, recipient) in enumerate(copies):
        about = (number, copy.message, recipient.url)
        # A daemon: a service that never answers must not keep the worker from ending.
        threading.Thread(target=send, args=about, name=recipient.name, daemon=True).start()
    waiting = dict(enumerate(copy for copy, _ in copies))
    end = monotonic() + patience.total_seconds()
    while waiting:
        try:
            number, error = ended.get(timeout=max(0.0, end - monotonic()))
        except Empty:
            break
        yield waiting.pop(number), error
    for copy in waiting.values():
        yield copy, f"no answer within {patience.total_seconds():g} s"


def _recipient(place: int, url: Secret) -> Recipient:
    found = service(url)
    if found is None:
        raise ConfigurationError(
            f"notify.urls, entry {place} is not a URL that apprise understands"
        )
    return Recipient(_hash(url.reveal()), f"notify.urls[{place}] ({found.schema})", url)


def _hash(url: str) -> str:
    """A slow one: a URL may have a password in it, which a reader of the ledger could guess."""
    return hashlib.scrypt(url.encode(), salt=b"notify.urls", n=2**14, r=8, p=1, dklen=8).hex()


def _sent(message: Message, url: Secret) -> str:
    """What went wrong, in words without the URL; "" if nothing did."""
    from apprise import Apprise

    try:
        found = service(url)
        if found is None:
            return "apprise does not understand the URL any more"
        tone = TONES[message.kind]
        result = Apprise(found).notify(message.text, message.title, tone, body_format="text")
    except Exception as error:  # noqa: BLE001  Of any service, and its text may hold the URL.
        return f"it broke ({type(error).__name__})"
    return "" if result else _fault(result)


def _fault(result: "AppriseResult") -> str:
    """What can be said of a failure without repeating what apprise says of it."""
    told = " ".join(entry.message for entry in result.logs())
    if status := re.search(r"\berror=([1-5][0-9]{2})\b", told):
        return f"it answered {status[1]}"
    return "no connection" if "onnection error" in told else "it was not accepted"
