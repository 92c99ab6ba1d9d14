"""What must be heard of the HR systems, though none of them reports it: alarms over time.

silent_source        no valid delivery for longer than sources.X.expected_every
quarantine_filling   of a tenth of policy.quarantine_limit deliveries, or more, something waits in
                     quarantine, if only one person beside others
"""

from collections.abc import Mapping
from datetime import datetime

import sqlalchemy as sa

from config.settings import Settings
from config.sources import Source
from workers.ledger import Ledger
from workers.ledger.alarms import close_alarm, raise_alarm
from workers.ledger.quarantine import WAITS
from workers.ledger.store import insert
from workers.ledger.tables import alarms, deliveries, elements, sources

#: The part of the limit from which a quarantine is an alarm.
FILLING = 10


def look(ledger: Ledger, settings: Settings, now: datetime) -> None:
    """Raise and close these alarms.  Safe to run in every worker at once."""
    with ledger.write() as tx:
        _alarms(tx, "silent_source", _silent(tx, settings.sources, now), now)
        _alarms(tx, "quarantine_filling", _filling(tx, settings.policy.quarantine_limit), now)


def _silent(
    tx: sa.Connection, configured: Mapping[str, Source], now: datetime
) -> Mapping[str, str]:
    """What to say of each silent source.

    A repetition is no sign of life: whoever captured a delivery could send it.  Where nothing was
    received yet, the time runs from the first look with the setting.
    """
    expected = {name: own.expected_every for name, own in configured.items()}
    texts = {}
    for name, span in sorted(expected.items()):
        if span is None:
            tx.execute(sa.delete(sources).where(sources.c.name == name))
            continue
        tx.execute(
            insert(tx, sources).values(name=name, expected_since=now).on_conflict_do_nothing()
        )
        since = tx.scalars(sa.select(sources.c.expected_since).where(sources.c.name == name)).one()
        own = deliveries.c.source == name
        last = tx.scalar(sa.select(sa.func.max(deliveries.c.received_at)).where(own))
        if now - (last or since) > span:
            when = f"since {last:%Y-%m-%d %H:%M}Z" if last else "at all so far"
            texts[name] = (
                f"nothing has come from {name} {when}, and sources.{name}.expected_every says "
                "otherwise: check the webhook in the HR system, whether the account that made it "
                "still exists, and the way to this receiver"
            )
    return texts


def _filling(tx: sa.Connection, limit: int) -> Mapping[str, str]:
    """What to say of each source whose quarantine fills."""
    count = sa.func.count(elements.c.delivery_id.distinct())
    query = (
        sa.select(deliveries.c.source, count)
        .join(elements, elements.c.delivery_id == deliveries.c.id)
        .where(WAITS)
        .group_by(deliveries.c.source)
        .having(count >= limit // FILLING)
    )
    return {
        source: f"something of {waiting} deliveries of {source} waits in quarantine; from {limit} "
        "of which nothing was accepted, more of them are answered 503 and left to the HR system: "
        "`leaver deliveries --status quarantined`"
        for source, waiting in tx.execute(query)
    }


def _alarms(tx: sa.Connection, kind: str, texts: Mapping[str, str], now: datetime) -> None:
    """Exactly these sources have an open alarm of this kind."""
    mine = (alarms.c.kind == kind, alarms.c.open_key.is_not(None))
    told = set(tx.scalars(sa.select(alarms.c.subject).where(*mine)))
    # In one order, so that workers that look at once do not wait for each other for ever.
    for source in sorted(told | texts.keys()):
        if source in texts:
            raise_alarm(tx, kind, source, texts[source], now)
        else:
            close_alarm(tx, kind, source, now)
