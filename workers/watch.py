"""What nobody reports by itself and a person must still hear of: alarms over time.

overdue               a job is unfinished long after its cutoff, whatever its state
target_paused         a target has been paused for long; a pause for an outage or a rate limit that
                      is over, and for which no job waits, ends here
rejected_deliveries   a source's deliveries are turned away: a mistyped key loses everything
key_expires           a target's credential expires; said anew 30, 14, 7 and 1 days before

What waits for a person (a job, everybody at the brake, a whole source or target) has its alarm when
it begins to wait; here that is said again each policy.remind_every.  Of a job that an operator
holds, who knows of it, the alarm begins with the first of these reminders.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

import sqlalchemy as sa

from config.targets import Target
from workers.leavers import State
from workers.ledger import Ledger, brakes, pauses
from workers.ledger.alarms import close_alarm, raise_alarm, say_again
from workers.ledger.tables import (
    alarms,
    audit,
    deliveries,
    jobs,
    rejections,
    targets,
    unfinished,
)

OVERDUE = timedelta(hours=1)
PAUSED_LONG = timedelta(minutes=5)
REJECTIONS_SEEN = timedelta(days=1)
#: So many wrongly signed deliveries without one accepted since: the key is wrong.
WRONG_KEY = 3
#: So many that bear no signature, where one was accepted before: it may be that a proxy takes the
#: headers away, but a few are strangers who knock.  Where none ever was, WRONG_KEY counts for both.
UNSIGNED = 20
STRANGERS = ("signature_missing", "unsupported_media_type", "too_large")
#: So many in ten minutes, whatever else is accepted: somebody tries, or one sender is set up wrong.
MANY_REJECTED = 50
MANY_WITHIN = timedelta(minutes=10)
#: The alarms about what waits for a person, and how many are said again at a look.
WAITING = ("job_held", "brake", "source_held", "target_held")
REMINDERS_AT_A_LOOK = 100


def look(ledger: Ledger, configured: Mapping[str, Target], now: datetime) -> None:
    """Raise and close these alarms.  Safe to run in every worker at once."""
    with ledger.write() as tx:
        brakes.lift(tx, now)
        _overdue(tx, now)
        _paused(tx, now)
        _rejected(tx, now)
        _key_expires(tx, configured, now)


def remind(ledger: Ledger, every: timedelta, now: datetime) -> None:
    """Say again what has waited for a person that long.  Safe to run in every worker at once."""
    with ledger.write() as tx:
        _held_for_long(tx, every, now)
        say_again(tx, WAITING, every, at_most=REMINDERS_AT_A_LOOK, now=now)


def rejections_alarm(*, wrong: int, unsigned: int, lately: int, ever_accepted: bool) -> bool:
    """Whether so many rejections of a source are an alarm.

    `wrong` counts those of the last day that were signed, but not rightly, after which nothing was
    accepted, and `unsigned` the others; `lately` counts all of the last ten minutes.
    """
    enough = UNSIGNED if ever_accepted else WRONG_KEY
    return wrong >= WRONG_KEY or unsigned >= enough or lately >= MANY_REJECTED


def _held_for_long(tx: sa.Connection, every: timedelta, now: datetime) -> None:
    of_job = (audit.c.job_id == jobs.c.id, audit.c.to_state == State.HELD)
    since = sa.select(sa.func.max(audit.c.at)).where(*of_job).scalar_subquery()
    told = sa.exists().where(alarms.c.open_key == sa.literal("job_held/") + jobs.c.id)
    late = sa.select(jobs.c.id, jobs.c.target, since.label("since")).where(
        unfinished,
        jobs.c.state == State.HELD,
        jobs.c.reason == "operator_hold",
        jobs.c.cutoff <= now - every,
        since <= now - every,
        ~told,
    )
    for row in tx.execute(late.order_by(jobs.c.id).limit(REMINDERS_AT_A_LOOK)).all():
        held = f"an operator holds job {row.id} in {row.target} since {row.since:%Y-%m-%d %H:%M}Z"
        raise_alarm(tx, "job_held", row.id, f"{held}: `leaver job {row.id}`", now)


def _overdue(tx: sa.Connection, now: datetime) -> None:
    late = sa.and_(
        unfinished,
        jobs.c.received_at < now - OVERDUE,
        jobs.c.cutoff < now - OVERDUE,
    )
    count = tx.scalar(sa.select(sa.func.count()).select_from(jobs).where(late))
    if not count:
        close_alarm(tx, "overdue", "jobs", now)
        return
    text = f"{count} jobs unfinished more than {OVERDUE} after their cutoff: `leaver jobs`"
    raise_alarm(tx, "overdue", "jobs", text, now)


def _paused(tx: sa.Connection, now: datetime) -> None:
    for name in tx.scalars(sa.select(targets.c.name).where(_is_over(now)).order_by("name")).all():
        pauses.end(tx, name, now)
    long = sa.select(targets).where(targets.c.paused_at < now - PAUSED_LONG)
    for row in tx.execute(long.order_by(targets.c.name)).mappings():
        since = f"{row['paused_at']:%Y-%m-%d %H:%M}Z"
        text = f"{row['name']}: {row['pause_reason']} since {since}: {row['pause_detail']}"
        raise_alarm(tx, "target_paused", row["name"], text, now)


def _is_over(now: datetime) -> sa.ColumnElement[bool]:
    """Whether nobody is there who would find out that the target is back."""
    waits = sa.exists().where(
        unfinished,
        jobs.c.target == targets.c.name,
        jobs.c.state.in_((State.QUEUED, State.RUNNING, State.RETRYING)),
    )
    passing = targets.c.pause_reason.in_(("outage", "rate_limited"))
    return sa.and_(targets.c.paused_until <= now, passing, ~waits)


def _judged(tx: sa.Connection, seen: sa.ColumnElement[bool]) -> set[str]:
    """The sources with rejections, and those whose alarm is open and may be closed."""
    alarmed = sa.select(alarms.c.subject).where(
        alarms.c.kind == "rejected_deliveries", alarms.c.open_key.is_not(None)
    )
    return {*tx.scalars(sa.select(rejections.c.source).where(seen)), *tx.scalars(alarmed)}


def _rejected(tx: sa.Connection, now: datetime) -> None:
    seen = rejections.c.minute > now - REJECTIONS_SEEN
    # In one order, so that workers that look at once do not wait for each other for ever.
    for source in sorted(_judged(tx, seen)):
        accepted = tx.scalar(
            sa.select(sa.func.max(deliveries.c.received_at)).where(deliveries.c.source == source)
        )
        own = sa.and_(seen, rejections.c.source == source)
        count = sa.select(sa.func.coalesce(sa.func.sum(rejections.c.count), 0)).where(own)
        since = count if accepted is None else count.where(rejections.c.minute >= accepted)
        lately = count.where(rejections.c.minute > now - MANY_WITHIN)
        unsigned = rejections.c.reason.in_(STRANGERS)
        if rejections_alarm(
            wrong=tx.scalar(since.where(~unsigned)) or 0,
            unsigned=tx.scalar(since.where(unsigned)) or 0,
            lately=tx.scalar(lately) or 0,
            ever_accepted=accepted is not None,
        ):
            text = (
                f"deliveries of {source} are rejected: check sources.{source}.secrets against the "
                "key shown by the HR system, and the reasons in the receiver's log"
            )
            raise_alarm(tx, "rejected_deliveries", source, text, now)
        else:
            close_alarm(tx, "rejected_deliveries", source, now)


def _key_expires(tx: sa.Connection, configured: Mapping[str, Target], now: datetime) -> None:
    due = {name: target.expiry(now.date()) for name, target in configured.items()}
    texts = {name: _expiry_text(name, soon) for name, soon in due.items() if soon}
    mine = (alarms.c.kind == "key_expires", alarms.c.open_key.is_not(None))
    told = {row.subject: row.text for row in tx.execute(sa.select(alarms).where(*mine))}
    for name, _ in sorted(told.items() - texts.items()):
        close_alarm(tx, "key_expires", name, now)
    for name, text in sorted(texts.items() - told.items()):
        raise_alarm(tx, "key_expires", name, text, now, again=True)


def _expiry_text(name: str, soon: str) -> str:
    return f"the credential of targets.{name} {soon}: put a new one there, and set key_expires_on"
