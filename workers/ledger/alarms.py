"""Alarms: what a person must know.  One cause (kind and subject) is one open alarm, however often.

job_held, job_failed    subject: the job
quarantined             subject: the source
quarantine_filling      subject: the source
silent_source           subject: the source
webhook_dead            subject: the source
key_offered             subject: the source
unmatched_event         subject: the leaver, an event that takes back what nobody said
rejected_deliveries     subject: the source
rescinded_late          subject: the job
brake                   subject: the source, or "all"
source_held             subject: the source
target_held             subject: the target
target_paused           subject: the target
key_expires             subject: the target
overdue                 subject: "jobs": one is unfinished long after its cutoff
message_lost            subject: a recipient of messages, by the hash of its URL

What is raised, said again or over becomes news, of which a worker makes messages (news.py).
"""

from collections.abc import Collection
from datetime import datetime, timedelta

import sqlalchemy as sa
import structlog

from config.values import spelled
from workers.leavers import new_id
from workers.ledger.news import What, note
from workers.ledger.store import insert
from workers.ledger.tables import alarms

log = structlog.get_logger(__name__)

#: Between the text of an alarm and what a reminder adds to it.
OPEN_FOR = "; open for "


def raise_alarm(
    tx: sa.Connection, kind: str, subject: str, text: str, now: datetime, *, again: bool = False
) -> None:
    """Open the alarm, or count it once more where it is open.  `text` holds no personal data.

    With `again` people are told once more of one that is open.
    """
    fresh = insert(tx, alarms).values(
        id=new_id(),
        kind=kind,
        subject=subject,
        text=text,
        opened_at=now,
        last_at=now,
        count=1,
        open_key=f"{kind}/{subject}",
    )
    count = tx.execute(
        fresh.on_conflict_do_update(
            index_elements=["open_key"],
            set_={"count": alarms.c.count + 1, "last_at": now, "text": text},
        ).returning(alarms.c.count)
    ).scalar_one()
    if count == 1:
        log.warning("alarm raised", kind=kind, subject=subject, text=text)
    if count == 1 or again:
        note(tx, What.RAISED, kind, subject, text, now)


def say_again(
    tx: sa.Connection, kinds: Collection[str], every: timedelta, *, at_most: int, now: datetime
) -> None:
    """Say the open alarms of these kinds again that were last said `every` ago, oldest first."""
    own = (alarms.c.open_key.is_not(None), alarms.c.kind.in_(kinds))
    late = sa.select(alarms).where(*own, alarms.c.last_at <= now - every)
    # Those that somebody else changes now can wait; so nobody waits for another in a circle.
    taken = late.order_by(alarms.c.opened_at, alarms.c.id).limit(at_most)
    for row in tx.execute(taken.with_for_update(skip_locked=True)).mappings().all():
        waits = now - row["opened_at"]
        unit = timedelta(hours=1) if waits >= timedelta(hours=1) else timedelta(minutes=1)
        text = row["text"].partition(OPEN_FOR)[0] + OPEN_FOR + spelled(waits // unit * unit)
        count = row["count"] + 1
        said = {"text": text, "last_at": now, "count": count}
        tx.execute(sa.update(alarms).where(alarms.c.id == row["id"]).values(said))
        about = {"kind": row["kind"], "subject": row["subject"], "text": text, "count": count}
        log.warning("alarm still open", **about)
        note(tx, What.RAISED, row["kind"], row["subject"], text, now)


def close_alarm(tx: sa.Connection, kind: str, subject: str, now: datetime) -> None:
    """Close the alarm where it is open: its cause is gone."""
    text = tx.scalar(
        sa.update(alarms)
        .where(alarms.c.open_key == f"{kind}/{subject}")
        .values(open_key=None, closed_at=now)
        .returning(alarms.c.text)
    )
    if text is not None:
        log.info("alarm closed", kind=kind, subject=subject)
        note(tx, What.OVER, kind, subject, text, now)
