"""Trying whether messages arrive.  A worker sends them: only workers read notify.urls."""

from datetime import datetime

from config.settings import Settings
from workers.ledger import Ledger, outbox
from workers.ledger.outbox import Message, MessageKind


class NobodyToTell(Exception):
    """A test would succeed, and mean nothing."""


def test(settings: Settings, ledger: Ledger, *, actor: str, now: datetime) -> str:
    """Have a test sent to each of notify.urls; gives the message's id.  Raises NobodyToTell."""
    if not settings.notify.urls:
        raise NobodyToTell("notify.urls is empty: nobody gets messages")
    tried = f"{actor} tries at {now:%Y-%m-%d %H:%M:%S}Z"
    text = f"{tried} whether Leaver's messages arrive here. They do."
    with ledger.write() as tx:
        return outbox.put(tx, Message(MessageKind.TEST, "Leaver: test", text), now)
