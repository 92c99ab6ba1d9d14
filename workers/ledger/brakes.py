"""The brake: how many leavers pass within a time, and who waits for a person's word.

    brakes   one row over all sources (source "") and one for each: since when it is tripped, and
             how many leavers a person lets pass beyond the windows
    places   a leaver's passage in one round; without `taken_at` the leaver waits

A leaver takes a place in the transaction that gives the leave to write, once for all targets and
attempts of the round.  Where a window is full, the brake trips: from then on everybody waits, also
when the window has room again, until a person lets so many of them pass (release).  It is open
again when nobody waits any more, because all were let go, cancelled or taken back by HR.

Whoever takes or gives a place holds the row of "" meanwhile, so that the count is exact however
many workers there are.  It is locked after the job, and before the account.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from config.settings import Window
from workers import brake
from workers.leavers import Action, LeaverId, State
from workers.ledger import tables as t
from workers.ledger.alarms import close_alarm, raise_alarm
from workers.ledger.store import Ledger, insert

#: The brake over all sources.
ALL = ""

#: By source, ALL included: those that a leaver must pass.
Brakes = Mapping[str, tuple[Window, ...]]


@dataclass(frozen=True, slots=True)
class Released:
    """What a release did: leavers let go, those who may pass when they come, those who wait."""

    released: int
    allowance: int
    waiting: int


def take(
    tx: sa.Connection,
    leaver: LeaverId,
    number: int,
    *,
    source: str,
    brakes: Brakes,
    actor: str,
    now: datetime,
) -> str:
    """Take the place of a leaver in round `number`.  "" if that is done, else why they wait."""
    if not brakes:
        return ""
    held = [_locked(tx, name) for name in (ALL, source)]
    if _has_passed(tx, leaver, number):
        return ""
    for row in held:
        if row["tripped_at"] is not None and not anybody_waits(tx, row["source"] or None):
            _lift(tx, row["source"], now)
    against = _against(tx, source, brakes, now)
    if against and not _allowed(tx, source):
        for name, fault in against.items():
            _trip(tx, name, fault, actor=actor, now=now)
        asked = insert(tx, t.places).values(
            leaver_id=leaver, round=number, source=source, asked_at=now
        )
        tx.execute(asked.on_conflict_do_nothing())
        return "; ".join(against.values())
    taken = insert(tx, t.places).values(
        leaver_id=leaver, round=number, source=source, asked_at=now, taken_at=now
    )
    key = ["leaver_id", "round"]
    tx.execute(taken.on_conflict_do_update(index_elements=key, set_={"taken_at": now}))
    return ""


def objection(
    ledger: Ledger,
    leaver: LeaverId | None,
    number: int,
    *,
    source: str,
    brakes: Brakes,
    now: datetime,
) -> str:
    """What take() would say now, without taking a place; `leaver` None is one who is not known."""
    with ledger.read() as tx:
        if not brakes or (leaver is not None and _has_passed(tx, leaver, number)):
            return ""
        allowed = sa.select(t.brakes.c.source).where(_may_allow(source, ALL)).limit(1)
        if tx.scalar(allowed) is not None:
            return ""
        return "; ".join(_against(tx, source, brakes, now).values())


def release(
    ledger: Ledger, leavers: int, *, source: str | None, actor: str, why: str, now: datetime
) -> Released:
    """Let `leavers` pass, whatever the windows say, in the order in which HR sent them.

    With `source`, only leavers of that source.  What is left of the number when nobody waits any
    more is for those who come; it replaces what was left of an earlier release.
    """
    with ledger.write() as tx:
        _locked(tx, ALL)
        _locked(tx, source or ALL)
        first = tx.execute(
            sa.select(t.places.c.leaver_id, t.places.c.round)
            .where(waits(source))
            .order_by(t.places.c.leaver_id, t.places.c.round)
            .limit(leavers)
        ).all()
        for leaver, number in first:
            tx.execute(
                sa.update(t.places)
                .where(t.places.c.leaver_id == leaver, t.places.c.round == number)
                .values(taken_at=now, released_by=f"{actor}: {why}")
            )
        left = leavers - len(first)
        own = t.brakes.c.source == (source or ALL)
        tx.execute(sa.update(t.brakes).where(own).values(allowance=left))
        what = f"{leavers} leavers" + (f" of {source}" if source else "")
        entry = {"at": now, "actor": actor, "action": "release the brake"}
        tx.execute(sa.insert(t.audit).values(**entry, detail=f"{what}: {why}"))
        lift(tx, now)
        return Released(len(first), left, waiting(tx, source))


def keep_waiting(tx: sa.Connection, leaver: LeaverId, number: int) -> None:
    """Have a leaver who waits for a release wait in the next round `number` too."""
    kept = t.places.c
    waited = sa.select(kept.leaver_id, sa.literal(number), kept.source, kept.asked_at).where(
        kept.leaver_id == leaver, kept.round == number - 1, kept.taken_at.is_(None)
    )
    names = ["leaver_id", "round", "source", "asked_at"]
    tx.execute(insert(tx, t.places).from_select(names, waited).on_conflict_do_nothing())


def lift(tx: sa.Connection, now: datetime) -> None:
    """Open every brake again for which nobody waits any more."""
    _locked(tx, ALL)
    tripped = sa.select(t.brakes.c.source).where(t.brakes.c.tripped_at.is_not(None))
    for name in tx.scalars(tripped.order_by(t.brakes.c.source)).all():
        if not anybody_waits(tx, name or None):
            _lift(tx, name, now)


def has_passed() -> sa.ColumnElement[bool]:
    """That the leaver of a row of jobs has a place in its round, or was let pass by a person."""
    own = (t.places.c.leaver_id == t.jobs.c.leaver_id, t.places.c.round == t.jobs.c.round)
    return sa.exists().where(*own, t.places.c.taken_at.is_not(None)).correlate(t.jobs)


def waits(source: str | None) -> sa.ColumnElement[bool]:
    """That a row of places is a leaver who waits for a release: their job is at the brake."""
    job = t.jobs.c
    going = job.state.in_((State.SCHEDULED, State.QUEUED, State.RUNNING, State.RETRYING))
    held = sa.and_(job.state == State.HELD, job.reason == "brake")
    alive = sa.exists().where(
        job.leaver_id == t.places.c.leaver_id,
        job.round == t.places.c.round,
        job.action == Action.DEACTIVATE,
        going | held,
    )
    of_source = t.places.c.source == source if source else sa.true()
    return sa.and_(t.places.c.taken_at.is_(None), of_source, alive)


def waiting(tx: sa.Connection, source: str | None) -> int:
    """How many leavers wait for a release."""
    return tx.scalar(sa.select(sa.func.count()).select_from(t.places).where(waits(source))) or 0


def anybody_waits(tx: sa.Connection, source: str | None) -> bool:
    """Whether there is one; asked for each of a flood of leavers, so it does not count them."""
    return tx.scalar(sa.select(t.places.c.leaver_id).where(waits(source)).limit(1)) is not None


def _locked(tx: sa.Connection, name: str) -> sa.RowMapping:
    tx.execute(insert(tx, t.brakes).values(source=name, allowance=0).on_conflict_do_nothing())
    row = sa.select(t.brakes).where(t.brakes.c.source == name).with_for_update()
    return tx.execute(row).mappings().one()


def _has_passed(tx: sa.Connection, leaver: LeaverId, number: int) -> bool:
    own = (t.places.c.leaver_id == leaver, t.places.c.round == number)
    return tx.scalar(sa.select(t.places.c.taken_at).where(*own)) is not None


def _against(tx: sa.Connection, source: str, brakes: Brakes, now: datetime) -> Mapping[str, str]:
    """What is against one more leaver of this source, by the name of the brake."""
    faults = {name: _fault(tx, name, brakes.get(name, ()), now) for name in (ALL, source)}
    return {name: fault for name, fault in faults.items() if fault}


def _fault(tx: sa.Connection, name: str, windows: tuple[Window, ...], now: datetime) -> str:
    """What this brake has against one more leaver, "" for nothing."""
    if not windows:
        return ""
    tripped_at = tx.scalar(sa.select(t.brakes.c.tripped_at).where(t.brakes.c.source == name))
    if tripped_at is not None and anybody_waits(tx, name or None):
        return f"{setting_of(name)} tripped at {tripped_at:%Y-%m-%d %H:%M}Z"
    # Whether a window has room, its newest passages tell.
    passed = (
        sa.select(t.places.c.taken_at)
        .where(passed_since(name, now, windows))
        .order_by(t.places.c.taken_at.desc())
        .limit(max(window.leavers for window in windows))
    )
    window = brake.full(windows, tx.scalars(passed).all(), now)
    return f"{setting_of(name)}: {window} have passed" if window else ""


def passed_since(name: str, now: datetime, windows: tuple[Window, ...]) -> sa.ColumnElement[bool]:
    """That a row of places passed this brake within its longest window."""
    lately = t.places.c.taken_at > now - max(window.per for window in windows)
    return sa.and_(lately, t.places.c.source == name) if name else lately


def setting_of(name: str) -> str:
    """What sets this brake."""
    return f"sources.{name}.brake" if name else "policy.brake"


def _allowed(tx: sa.Connection, source: str) -> bool:
    """Use up one of the leavers that a person let pass beyond the windows, if there is one."""
    for name in (source, ALL):
        one_less = {"allowance": t.brakes.c.allowance - 1}
        if tx.execute(sa.update(t.brakes).where(_may_allow(name)).values(one_less)).rowcount:
            return True
    return False


def _may_allow(*names: str) -> sa.ColumnElement[bool]:
    return sa.and_(t.brakes.c.source.in_(names), t.brakes.c.allowance > 0)


def _trip(tx: sa.Connection, name: str, fault: str, *, actor: str, now: datetime) -> None:
    own = (t.brakes.c.source == name, t.brakes.c.tripped_at.is_(None))
    if not tx.execute(sa.update(t.brakes).where(*own).values(tripped_at=now)).rowcount:
        return
    text = f"{fault}, and everybody after them waits: `leaver brake`"
    raise_alarm(tx, "brake", name or "all", text, now)
    entry = {"at": now, "actor": actor, "action": "trip the brake", "detail": fault}
    tx.execute(sa.insert(t.audit).values(entry))


def _lift(tx: sa.Connection, name: str, now: datetime) -> None:
    own = t.brakes.c.source == name
    tx.execute(sa.update(t.brakes).where(own).values(tripped_at=None))
    close_alarm(tx, "brake", name or "all", now)
