"""The messages to people, and whether they arrive."""

from dataclasses import dataclass

from webhook.acts import notify
from webhook.api import access
from webhook.api.lists import Listed, Paged, cursor_at, row_of
from webhook.api.operation import ID, Body, Conflict, Operation
from webhook.console.situation import at
from workers.ledger.queries import messages as kept
from workers.ledger.queries.messages import Sending
from workers.ledger.users import Role


class NothingSaid(Body):
    """An empty object: there is nothing to say."""


@dataclass(frozen=True, slots=True)
class TestMessage:
    """The id of a message that a worker is about to send."""

    message: str


def listed(asked: Paged) -> Listed[Sending]:
    """List messages with each recipient, the newest first; `limit` counts messages."""
    after = row_of(asked.cursor, ID)
    found = kept.sendings(at().ledger, limit=asked.limit + 1, after=after)
    messages = list(dict.fromkeys(each.message for each in found))
    shown = messages[: asked.limit]
    items = tuple(each for each in found if each.message in shown)
    return Listed(items, cursor_at(shown[-1]) if len(messages) > len(shown) else None)


def one(message: str) -> Listed[Sending]:
    """Show what became of a message, for each recipient."""
    return Listed(tuple(kept.sendings_of(at().ledger, message)))


def test(said: NothingSaid) -> TestMessage:
    """Send a test to each of notify.urls; within a minute the message says whether it arrived."""
    here = at()
    try:
        message = notify.test(here.settings, here.ledger, actor=access.actor(), now=here.now())
    except notify.NobodyToTell as error:
        raise Conflict(str(error)) from error
    return TestMessage(message)


OPERATIONS = (
    Operation("/messages", listed),
    Operation("/messages/{message}", one),
    Operation("/messages/test", test, Role.OPERATOR),
)
