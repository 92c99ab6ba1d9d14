"""What one worker does so that people hear of what happened.

It makes a message of the news that has gathered, a copy of it for each recipient, and sends what is
due.  Any number of workers may do so at once.
"""

import random
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa
import structlog

from config.settings import DONE_FIELDS
from workers import retry
from workers.ledger import news, outbox
from workers.ledger.news import What
from workers.ledger.outbox import Copy, MessageKind
from workers.ledger.tables import jobs, leavers
from workers.messages.recipients import Recipient, sending
from workers.messages.wording import LINES, latest, worded
from workers.runtime import Runtime

log = structlog.get_logger(__name__)

EVERY = timedelta(seconds=1)

#: Longer than sending takes (recipients.PATIENCE): after it whoever claimed a copy counts as dead.
CLAIM = timedelta(minutes=2)

#: So long an operator waits for a test; later it would only puzzle.
TEST_GOOD_FOR = timedelta(minutes=1)

TIDY_EVERY = timedelta(hours=1)


class Post:
    """What one worker does about it, on a thread of its own (workers/beside.py)."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._tidied_at: datetime | None = None

    def once(self, now: datetime) -> None:
        """One look: gather, make copies, send."""
        ledger, recipients = self._runtime.ledger, self._runtime.recipients
        names = {key: each.name for key, each in recipients.items()}
        if names:
            self._gather(now)
            outbox.address(ledger, names, now)
            for copy, error in sending(self._claimed(recipients, names, now)):
                self._note(copy, error)
        if self._tidied_at is None or now - self._tidied_at >= TIDY_EVERY:
            outbox.forget(ledger, now)
            self._tidied_at = now
        outbox.forward(ledger, names, now)

    def _gather(self, now: datetime) -> None:
        """One message of all news, if the oldest has waited for the others long enough."""
        notify, ledger = self._runtime.settings.notify, self._runtime.ledger
        before = now - notify.group_every
        with ledger.read() as tx:
            if not news.waits(tx, before=before):
                return
        with ledger.write() as tx:
            found = latest(news.take(tx, before=before))
            done = found[What.DONE] if notify.on_done else ()
            lines = _done(tx, notify.on_done or "", [each.subject for each in done[:LINES]])
            message = worded(found[What.RAISED], found[What.OVER], lines, done_count=len(done))
            if message:
                outbox.put(tx, message, now)

    def _claimed(
        self, recipients: Mapping[str, Recipient], names: Mapping[str, str], now: datetime
    ) -> list[tuple[Copy, Recipient]]:
        """What is to be sent now, and to whom; a test for which nobody waits is not."""
        ledger, wanted = self._runtime.ledger, []
        for copy in outbox.claim(ledger, names, now, until=now + CLAIM):
            if copy.message.kind is MessageKind.TEST and now - copy.created_at > TEST_GOOD_FOR:
                outbox.give_up(ledger, copy, "no worker was there in time", now)
            else:
                wanted.append((copy, recipients[copy.recipient]))
        return wanted

    def _note(self, copy: Copy, error: str) -> None:
        """Write down how sending ended."""
        ledger, now = self._runtime.ledger, self._runtime.clock.now()
        about = {"message_id": copy.message_id, "to": copy.name}
        if not error:
            outbox.sent(ledger, copy, now)
            log.info("message sent", **about)
            return
        again_at = None
        if copy.message.kind is not MessageKind.TEST:
            spread = random.random()  # noqa: S311  Not for a secret.
            again_at = retry.next_sending(copy.tries, copy.created_at, now=now, spread=spread)
        if again_at:
            outbox.failed(ledger, copy, error, again_at=again_at)
        else:
            outbox.give_up(ledger, copy, error, now)
        log.warning("message not sent", error=error, again_at=again_at, **about)


def _done(tx: sa.Connection, template: str, ids: Sequence[str]) -> list[str]:
    """What the template says of these jobs."""
    said = {**jobs.c, "job": jobs.c.id, "employee_id": leavers.c.employee_id}
    query = (
        sa.select(*(said[name].label(name) for name in DONE_FIELDS))
        .join(leavers, leavers.c.id == jobs.c.leaver_id)
        .where(jobs.c.id.in_(ids))
        .order_by(jobs.c.finished_at, jobs.c.id)
    )
    return [
        template.format(**{name: value or "" for name, value in row.items()})
        for row in tx.execute(query).mappings()
    ]
