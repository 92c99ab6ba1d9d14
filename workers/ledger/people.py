"""What HR says of one person, kept together, and the jobs brought in line with it.

Every event of a person is a row of `leavers`; workers/standing.py reads them in the sender's order
and says which leavings (episodes) there are and how each stands.  Here the jobs follow: each
episode has one open job in each target.

Whoever takes in what a source says has locked the source first (`lock`), before any row: two
deliveries about one person, whom they may name differently, cannot each miss what the other one
says, nor wait for each other.

What was done is not steered: a termination that comes after the deed gets a job of its own, which
ends already_inactive if nothing has changed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from workers.leavers import Action, JobId, Leaver, LeaverId, LeaverKind, Standing, State
from workers.ledger import moves
from workers.ledger import tables as t
from workers.ledger.alarms import close_alarm, raise_alarm
from workers.standing import Episode, Event, episodes_of, must_be_out

LEAVING = (LeaverKind.TERMINATED, LeaverKind.CORRECTED)

#: The alarm about an event of which nobody can say whom it is about; its subject is the event.
UNMATCHED = "unmatched_event"


@dataclass(frozen=True, slots=True)
class Arrived:
    """The event that has just come in."""

    leaver: LeaverId
    kind: LeaverKind
    why: str


def person_of(leaver: Leaver) -> str:
    """What tells a person of a source from the others: the employee id, else the e-mail address."""
    return leaver.employee_id or f"e-mail:{leaver.email.lower()}"


def lock(tx: sa.Connection, source: str) -> None:
    """Nobody else hears of this source's people until the transaction ends."""
    if tx.dialect.name != "sqlite":  # There one transaction at a time writes anyway.
        text = sa.text("SELECT pg_advisory_xact_lock(7246013, hashtext(:source))")
        tx.execute(text, {"source": source})


def hear(
    tx: sa.Connection,
    leaver_id: LeaverId,
    leaver: Leaver,
    *,
    source: str,
    at: datetime,
    targets: Sequence[str],
    why: str,
    request_id: str,
    now: datetime,
) -> None:
    """Write down what HR says of a person, and bring the person's jobs in line.

    The source is locked already; `at` is the sender's time of the event.  What takes a termination
    back that nobody can find is an alarm, which ends when the termination comes in after all, or
    when the delivery is dismissed.
    """
    candidates = _known_as(tx, source, leaver)
    person = candidates[0] if len(candidates) == 1 else person_of(leaver)
    about: dict[str, Any] = {"source": source, "at": at, "request_id": request_id, "now": now}
    write_down(tx, leaver_id, leaver, person=person, **about)
    events = _events(tx, source, person)
    leaves = leaver.kind in LEAVING
    opposite = [event.id for event in events if (event.kind in LEAVING) is not leaves]
    _forget_keys(tx, source, opposite, now)
    if leaves:
        for event in opposite:
            close_alarm(tx, UNMATCHED, event, now)
    elif len(candidates) > 1 or (leaver.kind is LeaverKind.RESCINDED and not opposite):
        found = f"{len(candidates)} people are known" if candidates else "nobody is known to leave"
        text = f"{why} takes a termination back, but {found} under what it says of the person: "
        raise_alarm(tx, UNMATCHED, leaver_id, f"{text}see `leaver {why}`", now)
    arrived = Arrived(leaver_id, leaver.kind, why)
    known = _jobs(tx, source, person)
    jobs = [job for job in known if job["action"] == Action.DEACTIVATE]
    episodes = episodes_of(events)
    for episode in episodes:
        own = [job for job in jobs if job["leaver_id"] in episode.members]
        there = {job["target"] for job in own}
        wanted = set(targets) if leaver_id in episode.members or not own else set()
        for target in sorted(there | wanted):
            here = [job for job in own if job["target"] == target]
            _follow(tx, episode, here, arrived, source=source, target=target, now=now)
        if leaver_id in episode.members:
            _own(tx, leaver_id, episode)
    if leaves and must_be_out(episodes, now):
        given_back = [JobId(job["id"]) for job in known if job["action"] == Action.REINSTATE]
        for job in given_back:
            by = f"source:{source}"
            moves.stop_in(tx, job, "leave", moves.by_itself(), actor=by, why=why, now=now)


def are_out(tx: sa.Connection, source: str, person: str, now: datetime) -> bool:
    """Whether the person, by what the source has said so far, has no access to have now."""
    return must_be_out(episodes_of(_events(tx, source, person)), now)


def _known_as(tx: sa.Connection, source: str, leaver: Leaver) -> list[str]:
    """Under which names those are known to leave whom this may be about; more than one: who knows.

    HR may send the employee id with one event and only the e-mail address with the other.
    """
    own = person_of(leaver)
    kept = t.leavers.c
    said = sa.select(kept.person, kept.employee_id)
    said = said.where(kept.source == source, kept.kind.in_(LEAVING))
    names: set[str] = set()
    if leaver.employee_id:
        names |= {*tx.scalars(said.where(kept.employee_id == leaver.employee_id))}
    if leaver.email or not leaver.employee_id:
        alike = tx.execute(said.where(sa.func.lower(kept.email) == leaver.email.lower()))
        names |= {row.person for row in alike if not (leaver.employee_id and row.employee_id)}
    found = sorted(names)
    return [own] if leaver.employee_id and own in found else found


def write_down(
    tx: sa.Connection,
    leaver_id: LeaverId,
    leaver: Leaver,
    *,
    source: str,
    person: str,
    at: datetime,
    request_id: str,
    now: datetime,
    entered_by: str | None = None,
    entered_reason: str | None = None,
) -> None:
    """Keep one event of a person."""
    tx.execute(
        sa.insert(t.leavers).values(
            id=leaver_id,
            source=source,
            person=person,
            employee_id=leaver.employee_id,
            email=leaver.email,
            kind=leaver.kind,
            cutoff=leaver.cutoff.at,
            hr_date=leaver.cutoff.hr_date,
            hr_zone=leaver.cutoff.hr_zone,
            happened_at=at,
            created_at=now,
            entered_by=entered_by,
            entered_reason=entered_reason,
            request_id=request_id,
        )
    )


def _follow(
    tx: sa.Connection,
    episode: Episode,
    own: Sequence[sa.RowMapping],
    arrived: Arrived,
    *,
    source: str,
    target: str,
    now: datetime,
) -> None:
    """Bring one episode's jobs in one target in line with it."""
    about: dict[str, Any] = {
        "email": episode.email,
        "cutoff": episode.cutoff,
        "actor": f"source:{source}",
        "why": arrived.why,
        "now": now,
    }
    steered = [JobId(job["id"]) for job in own]
    if not own:
        job = moves.open_job(tx, episode.opener, source=source, target=target, **about)
        steered = [job]
    elif episode.standing is Standing.LEAVING:
        steered = [JobId(job["id"]) for job in own if _is_open(job)]
        if not steered and arrived.kind in LEAVING and arrived.leaver in episode.members:
            moves.open_job(tx, arrived.leaver, source=source, target=target, **about)
            by = {name: about[name] for name in ("actor", "why", "now")}
            for overtaken in (JobId(job["id"]) for job in own if _is_overtaken(job, episode)):
                moves.ask(tx, overtaken, "replace", **by)
    elif arrived.leaver not in episode.members:
        return
    for job in steered:
        moves.steer(tx, job, standing=episode.standing, **about)


def _own(tx: sa.Connection, leaver: LeaverId, episode: Episode) -> None:
    """Note whose jobs this event is about: the latest of its episode."""
    owner = (
        sa.select(t.jobs.c.leaver_id)
        .where(t.jobs.c.leaver_id.in_(episode.members), t.jobs.c.action == Action.DEACTIVATE)
        .order_by(t.jobs.c.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    tx.execute(sa.update(t.leavers).where(t.leavers.c.id == leaver).values(owner=owner))


def _is_open(job: sa.RowMapping) -> bool:
    """Whether HR still steers the job: nothing was written for it, and no operator ended it."""
    waiting = job["state"] in (*moves.HOLDABLE, State.HELD)
    return (waiting and job["intended_at"] is None) or job["reason"] == "rescinded"


def _is_overtaken(job: sa.RowMapping, episode: Episode) -> bool:
    """Whether it is about to write by another date or address than HR says by now.

    What somebody has asked of it already is to stay so.
    """
    about_to_write = job["state"] == State.RUNNING and job["intended_at"] is None
    other = (job["cutoff"], job["email"]) != (episode.cutoff, episode.email)
    return about_to_write and other and not job["stop"]


def _events(tx: sa.Connection, source: str, person: str) -> list[Event]:
    rows = tx.execute(
        sa.select(t.leavers).where(t.leavers.c.source == source, t.leavers.c.person == person)
    ).mappings()
    return [
        Event(
            id=row["id"],
            kind=LeaverKind(row["kind"]),
            at=row["happened_at"],
            email=row["email"],
            cutoff=row["cutoff"],
        )
        for row in rows
    ]


def _jobs(tx: sa.Connection, source: str, person: str) -> list[sa.RowMapping]:
    """The person's jobs, oldest first; nobody else moves them until the transaction ends."""
    own = sa.select(t.leavers.c.id).where(
        t.leavers.c.source == source, t.leavers.c.person == person
    )
    jobs = sa.select(t.jobs).where(t.jobs.c.leaver_id.in_(own)).order_by(t.jobs.c.id)
    return list(tx.execute(jobs.with_for_update()).mappings())


def _forget_keys(tx: sa.Connection, source: str, events: Sequence[LeaverId], now: datetime) -> None:
    """What says the same again, after the opposite, is a new event, even with the same bytes."""
    if not events:
        return
    deliveries = sa.select(t.elements.c.delivery_id).where(t.elements.c.leaver_id.in_(events))
    tx.execute(
        sa.update(t.seen)
        .where(
            t.seen.c.source == source,
            sa.or_(
                t.seen.c.leaver_id.in_(events),
                sa.and_(t.seen.c.key.startswith("body:"), t.seen.c.delivery_id.in_(deliveries)),
            ),
        )
        .values(expires_at=now)
    )
