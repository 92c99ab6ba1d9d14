"""A ledger as it is after five years: so many jobs, and all that belongs to them.

HR systems and targets come and go, few jobs wait for a person and fewer for a worker, and some
reasons occurred only long ago.  The same number of jobs makes the same crowd, but for the time at
which it ends.

What follows from the jobs (rounds, attempts, calls, audit trail ...) is made of them by the
database itself, and indexes are made when all rows are there: a few minutes for a million jobs.
"""

# ruff: noqa: S608 - what the statements are made of stands here

import hashlib
import json
import random
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import accumulate
from typing import Any, Generic, TypeVar

import psycopg
import sqlalchemy as sa

from workers.ledger import Ledger
from workers.ledger.tables import metadata

SPAN = timedelta(days=5 * 365)

#: How many rows are sent to the database at a time.
AT_ONCE = 20_000


@dataclass(frozen=True, slots=True)
class Part:
    """What occurs with this weight among its like, from `began` to `ended` of the time."""

    weight: float
    began: float
    ended: float


@dataclass(frozen=True, slots=True)
class Source(Part):
    """An HR system."""

    name: str
    people: int = 1  # in one delivery, about


@dataclass(frozen=True, slots=True)
class Target(Part):
    """An Atlassian system, where that share of the leavers has an account."""

    name: str


@dataclass(frozen=True, slots=True)
class End(Part):
    """How a job stands."""

    state: str
    why: str = ""  # the outcome of what is done, else the reason


_Part = TypeVar("_Part", bound=Part)


class Choice(Generic[_Part]):
    """Parts to choose from."""

    def __init__(self, *parts: _Part) -> None:
        self.parts = parts
        self._there: dict[float, tuple[list[_Part], list[float]]] = {}

    def there(self, share: float) -> tuple[list[_Part], list[float]]:
        """Those that occur at that part of the time, with their weights summed up one by one."""
        share = round(share, 4)
        if share not in self._there:
            found = [part for part in self.parts if part.began <= share <= part.ended]
            self._there[share] = found, [*accumulate(part.weight for part in found)]
        return self._there[share]

    def one(self, share: float, chance: random.Random) -> _Part:
        """One of them."""
        there, weights = self.there(share)
        return chance.choices(there, cum_weights=weights)[0]


LOOKED_UP = "bamboohr"  # one in ten of its leavers
SOURCES = Choice(
    Source(5, 0, 1, LOOKED_UP),
    Source(3, 0.3, 1, "workday", people=3),
    Source(3, 0, 0.45, "old-hr"),
    Source(0.02, 0.6, 1, "apac"),
    Source(0.03, 0, 1, "operator"),
)
TARGETS = Choice(
    Target(1, 0, 1, "cloud"), Target(0.6, 0, 1, "jira-dc"), Target(0.3, 0, 0.4, "crowd")
)

LATELY, JUST_NOW = 0.98, 0.9995
ENDS = Choice(
    End(70, 0, 0.05, "done", "would_deactivate"),
    End(70, 0.05, 1, "done", "deactivated"),
    End(12, 0, 1, "done", "already_inactive"),
    End(9, 0, 1, "done", "no_account"),
    End(5, 0, 1, "done", "suspended"),
    End(1.5, 0, 1, "cancelled", "rescinded"),
    End(0.4, 0, 1, "cancelled", "operator_cancel"),
    End(0.4, 0, 1, "failed", "gave_up"),
    End(0.02, 0, 0.2, "failed", "request_rejected"),
    End(0.15, 0, 1, "held", "ambiguous_match"),
    End(0.1, 0, 1, "held", "email_domain"),
    End(0.05, 0, 1, "held", "administrator"),
    End(0.05, 0, 1, "held", "protected"),
    End(0.05, 0, 1, "held", "operator_hold"),
    End(0.05, 0, 1, "held", "rehired"),
    End(0.005, 0, 0.02, "held", "project_lead"),
    End(2, LATELY, 1, "held", "approval_missing"),
    End(1, LATELY, 1, "held", "target_held"),
    End(8, LATELY, 1, "scheduled", "cutoff_ahead"),
    End(40, JUST_NOW, 1, "held", "brake"),
    End(40, JUST_NOW, 1, "queued"),
    End(1, JUST_NOW, 1, "running"),
    End(10, JUST_NOW, 1, "retrying", "outage"),
    End(5, JUST_NOW, 1, "retrying", "waiting_for_idp"),
)
LOOKUPS = Choice(
    End(70, 0, 1, "done", "leaver_found"),
    End(30, 0, 1, "done", "no_leaver"),
    End(1, 0, 1, "failed", "gave_up"),
)
KINDS = {"terminated": 93, "corrected": 4, "rescinded": 2, "rehired": 1}
UNTRIED = ("scheduled", "queued", "cancelled")

CALLS = ("users.search", "users.get", "lifecycle.privileges", "lifecycle.disable", "users.get")
_CALLS = " UNION ALL ".join(
    f"SELECT {n} AS place, '{name}' AS name" for n, name in enumerate(CALLS)
)
_WORKER = "'leaver-1:' || substr(cast(received_at AS text), 1, 7)"  # another one each month

#: What is made of the rows that are there already, in SQL that both databases understand.
FOLLOWING = {
    "rounds": """
        (job_id, round, opened_at, actor, why, closed_at, state, outcome, reason, detail, attempts)
        SELECT id, 1, received_at, 'source:' || source, 'delivery', finished_at,
            CASE WHEN finished_at IS NOT NULL THEN state END, outcome, reason, '', attempts
        FROM jobs ORDER BY id""",
    "attempts": f"""
        (id, job_id, round, token, worker, started_at, finished_at, result, reason, detail, counted)
        SELECT substr(id, 1, 35) || 'x', id, 1, 1, {_WORKER}, received_at, finished_at, state,
            reason, '', 1 = 1
        FROM jobs WHERE attempts > 0 ORDER BY id""",
    "calls": f"""
        (attempt_id, at, name, method, path, write, status, duration_ms, error)
        SELECT attempts.id, started_at, name, 'GET', '/v1/orgs/5a4db0c5/' || name,
            name = 'lifecycle.disable', 200, 143, ''
        FROM attempts, ({_CALLS}) AS made ORDER BY attempts.id, place""",
    "audit": f"""
        (at, actor, action, job_id, delivery_id, from_state, to_state, reason, detail)
        SELECT * FROM (
            SELECT received_at AS at, 'source:' || source, 'received', NULL, id, NULL, NULL,
                reason, status
            FROM deliveries
            UNION ALL
            SELECT received_at, 'source:' || source, 'open', id, NULL, NULL, 'queued', '',
                'delivery'
            FROM jobs
            UNION ALL
            SELECT received_at, {_WORKER}, 'claim', id, NULL, 'queued', 'running', '', ''
            FROM jobs WHERE attempts > 0
            UNION ALL
            SELECT coalesce(finished_at, received_at), {_WORKER},
                CASE state WHEN 'held' THEN 'hold' WHEN 'failed' THEN 'fail' ELSE state END,
                id, NULL, 'running', state, reason, ''
            FROM jobs WHERE state IN ('done', 'held', 'failed')
            UNION ALL
            SELECT finished_at, 'lena', 'cancel', id, NULL, 'held', state, reason, 'told by HR'
            FROM jobs WHERE state = 'cancelled'
        ) AS entries ORDER BY at""",
    "places": """
        (leaver_id, round, source, asked_at, taken_at)
        SELECT leaver_id, 1, source, received_at, finished_at
        FROM jobs WHERE target = 'cloud' AND (outcome = 'deactivated' OR reason = 'brake')""",
    "sightings": """
        (job_id, round, last_on_at, gone, detail)
        SELECT id, 1, finished_at, 1 = 0, '' FROM jobs WHERE outcome = 'would_deactivate'""",
    "alarms": """
        (id, kind, subject, text, opened_at, last_at, count, open_key)
        SELECT id, 'job_' || state, id, 'job ' || id || ' in ' || target || ' waits: ' || reason,
            received_at, (SELECT max(received_at) FROM jobs), 1, 'job_' || state || '/' || id
        FROM jobs WHERE state IN ('failed', 'held')
            AND reason NOT IN ('operator_hold', 'brake', 'target_held')""",
    "messages": """
        (id, kind, title, text, created_at, addressed_at)
        SELECT id, 'alarm', 'a job waits', text, opened_at, opened_at
        FROM alarms ORDER BY id DESC LIMIT 2000""",
    "copies": """
        (message_id, recipient, name, tries, sent_at, error)
        SELECT id, recipient, 'notify.urls[' || recipient || ']', 1, created_at, ''
        FROM messages, (SELECT '1' AS recipient UNION ALL SELECT '2') AS everybody""",
    "tallies": """
        (of, source, target, state, outcome, reason, number)
        SELECT 'jobs', source, target, state, coalesce(outcome, ''), reason, count(*)
        FROM jobs GROUP BY source, target, state, outcome, reason
        UNION ALL
        SELECT 'deliveries', source, '', status, '', '', count(*)
        FROM deliveries GROUP BY source, status
        UNION ALL
        SELECT 'repetitions', source, '', '', '', '', sum(repeats)
        FROM deliveries WHERE repeats > 0 GROUP BY source""",
}


def fill(ledger: Ledger, jobs: int, *, now: datetime, say: Callable[[str], None]) -> None:
    """Put so many jobs into an empty ledger, the last of them received just before `now`.

    `say` is told what is done next.
    """
    indexes = [index for table in metadata.sorted_tables for index in table.indexes]
    with ledger.write() as tx:
        for index in indexes:
            index.drop(tx)
    ledger.close()
    write = _into_sqlite if ledger.is_sqlite else _into_postgresql
    write(ledger.engine.url, jobs, now, say)
    with ledger.write() as tx:
        for index in indexes:
            say(f"index {index.name}")
            index.create(tx)
    if not ledger.is_sqlite:
        say("what autovacuum would do in time")
        with ledger.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(sa.text("VACUUM ANALYZE"))


def _into_sqlite(url: sa.URL, jobs: int, now: datetime, say: Callable[[str], None]) -> None:
    """Without a thought for what a crash would leave behind."""
    with closing(sqlite3.connect(url.database or "", isolation_level=None)) as connection:
        for pragma in ("journal_mode=OFF", "synchronous=OFF", "cache_size=-500000"):
            connection.execute(f"PRAGMA {pragma}")
        connection.execute("BEGIN")
        for table, names, rows in _Crowd(jobs, now).batches(say):
            places = ", ".join("?" * len(names))
            into = f"INSERT INTO {table} ({', '.join(names)}) VALUES ({places})"
            connection.executemany(into, rows)
        for table, made in FOLLOWING.items():
            say(table)
            connection.execute(f"INSERT INTO {table} {made}")
        connection.execute("COMMIT")


def _into_postgresql(url: sa.URL, jobs: int, now: datetime, say: Callable[[str], None]) -> None:
    """Without checking foreign keys."""
    where = url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(where, autocommit=True) as connection:
        for setting in (
            "TIME ZONE 'UTC'",
            "session_replication_role = replica",
            "work_mem = '256MB'",
        ):
            connection.execute(f"SET {setting}")
        for table, names, rows in _Crowd(jobs, now).batches(say):
            into = f"COPY {table} ({', '.join(names)}) FROM STDIN"
            with connection.cursor().copy(into) as copy:
                for row in rows:
                    copy.write_row(row)
        for table, made in FOLLOWING.items():
            say(table)
            connection.execute(f"INSERT INTO {table} {made}")


Row = dict[str, Any]


class _Crowd:
    """Deliveries, elements, seen, leavers and jobs, in the order of time."""

    def __init__(self, jobs: int, now: datetime) -> None:
        self._jobs = jobs
        self._now = now
        self._random = random.Random(1)

    def batches(
        self, say: Callable[[str], None]
    ) -> Iterator[tuple[str, Sequence[str], list[tuple[Any, ...]]]]:
        """Rows of one table each time, with the names of their columns."""
        gathered: dict[str, list[Row]] = defaultdict(list)
        opened = 0
        for table, row in self._rows():
            rows = gathered[table]
            rows.append(row)
            if len(rows) == AT_ONCE:
                opened += AT_ONCE * (table == "jobs")
                say(f"{opened} jobs")
                yield table, [*row], [tuple(each.values()) for each in rows]
                rows.clear()
        for table, rows in gathered.items():
            for row in rows[:1]:
                yield table, [*row], [tuple(each.values()) for each in rows]

    def _rows(self) -> Iterator[tuple[str, Row]]:
        opened, person = 0, 0
        while opened < self._jobs:
            share = opened / self._jobs
            at = self._now - SPAN * (1 - share)
            source = SOURCES.one(share, self._random)
            delivery, people = self._id(at), self._random.randint(1, 2 * source.people - 1)
            if source.name != "operator":
                yield from self._delivery(delivery, source, at)
            for position in range(people):
                for table, row in self._person(person, delivery, position, source, at, share):
                    opened += table == "jobs"
                    yield table, row
                person += 1

    def _delivery(self, delivery: str, source: Source, at: datetime) -> Iterator[tuple[str, Row]]:
        """A delivery; of two one more that is ignored, and of two thousand one in quarantine."""
        yield "deliveries", self._received(delivery, source, at, "accepted", "")
        yield "seen", self._seen(delivery, source, at, "body")
        chance = self._random.random()
        if chance < 0.5:
            status, reason = (
                ("quarantined", "missing_email") if chance < 0.0005 else ("ignored", "")
            )
            other = self._id(at)
            yield "deliveries", self._received(other, source, at, status, reason)
            yield "seen", self._seen(other, source, at, "body")
            yield "elements", self._element(other, 0, status, reason or "not_a_termination", None)

    def _person(
        self, person: int, delivery: str, position: int, source: Source, at: datetime, share: float
    ) -> Iterator[tuple[str, Row]]:
        """A leaver with jobs; of the source that is looked up now and then the lookup instead."""
        leaver = self._id(at)
        looked_up = source.name == LOOKED_UP and self._random.random() < 0.1
        if source.name != "operator":
            kind = "lookup" if looked_up else "leaver"
            yield "elements", self._element(delivery, position, kind, "", leaver)
            yield "seen", self._seen(delivery, source, at, "element", leaver)
        yield "leavers", self._leaver(leaver, person, source, at, looked_up)
        if looked_up:
            end = LOOKUPS.one(share, self._random)
            yield "jobs", self._job(leaver, person, source, "hr:bamboohr", end, at)
            return
        for target in TARGETS.there(share)[0]:
            if self._random.random() < target.weight:
                end = ENDS.one(share, self._random)
                yield "jobs", self._job(leaver, person, source, target.name, end, at)

    def _received(
        self, delivery: str, source: Source, at: datetime, status: str, reason: str
    ) -> Row:
        repeated = self._random.random() < 0.03
        body = json.dumps({"employees": [{"id": delivery, "fields": {"status": "Terminated"}}] * 3})
        return {
            "id": delivery,
            "source": source.name,
            "received_at": _text(at),
            "status": status,
            "reason": reason,
            "detail": "",
            "body": body.encode(),
            "body_hash": hashlib.sha256(body.encode()).hexdigest(),
            "content_type": "application/json",
            "signed_at": _text(at),
            "facts": '{"key": "1"}',
            "request_id": "",
            "repeats": int(repeated),
            "repeated_at": _text(at) if repeated else None,
        }

    def _seen(
        self, delivery: str, source: Source, at: datetime, what: str, leaver: str | None = None
    ) -> Row:
        key = hashlib.sha256((leaver or delivery).encode()).hexdigest()
        return {
            "source": source.name,
            "key": f"{what}:{key}",
            "delivery_id": delivery,
            "leaver_id": leaver,
            "seen_at": _text(at),
            "expires_at": _text(at + timedelta(days=7)),
        }

    def _element(
        self, delivery: str, position: int, kind: str, reason: str, leaver: str | None
    ) -> Row:
        return {
            "id": f"{delivery[:-2]}{position:02x}",
            "delivery_id": delivery,
            "position": position,
            "kind": kind,
            "reason": reason,
            "detail": "",
            "employee_id": "",
            "leaver_id": leaver,
            "repeated": 0,
        }

    def _leaver(
        self, leaver: str, person: int, source: Source, at: datetime, looked_up: bool
    ) -> Row:
        entered = source.name == "operator"
        [kind] = self._random.choices([*KINDS], [*KINDS.values()])
        return {
            "id": leaver,
            "source": source.name,
            "person": leaver if entered or looked_up else str(person),
            "owner": leaver,
            "employee_id": "" if entered else str(person),
            "email": "" if looked_up else email_of(person),
            "kind": "lookup" if looked_up else kind,
            "cutoff": _text(at),
            "happened_at": _text(at),
            "created_at": _text(at),
            "entered_by": "lena" if entered else None,
            "entered_reason": "left without notice" if entered else None,
            "request_id": "",
        }

    def _job(
        self, leaver: str, person: int, source: Source, target: str, end: End, at: datetime
    ) -> Row:
        done, ended = end.state == "done", end.state in ("done", "failed", "cancelled")
        lookup = target.startswith("hr:")
        finished = at + timedelta(seconds=self._random.expovariate(1 / 40))
        ahead = timedelta(days=self._random.random() * 30 * (end.state == "scheduled"))
        account = f"712020:{leaver}" if done and end.why != "no_account" and not lookup else None
        return {
            "id": self._id(at),
            "leaver_id": leaver,
            "source": source.name,
            "target": target,
            "action": "lookup" if lookup else "deactivate",
            "email": "" if lookup else email_of(person),
            "cutoff": _text(at + ahead),
            "standing": "leaving",
            "forced": 0,
            "state": end.state,
            "outcome": end.why if done else None,
            "reason": "" if done else end.why,
            "detail": "",
            "due_at": _text(at + ahead),
            "received_at": _text(at),
            "finished_at": _text(min(finished, self._now)) if ended else None,
            "round": 1,
            "attempts": int(end.state not in UNTRIED),
            "released_after": 0,
            "token": 1,
            "lease_until": _text(self._now + timedelta(days=1)) if end.state == "running" else None,
            "lost": 0,
            "account_id": account,
            "snapshot": '{"access": "active", "way": "lifecycle"}' if account else None,
            "pause_mark": 0.0,
        }

    def _id(self, at: datetime) -> str:
        """A UUIDv7 of that time."""
        milliseconds, rest = f"{int(at.timestamp() * 1000):012x}", self._random.getrandbits(74)
        front, back = f"7{rest >> 62:03x}", f"{0x8000000000000000 | rest & (1 << 62) - 1:016x}"
        return f"{milliseconds[:8]}-{milliseconds[8:]}-{front}-{back[:4]}-{back[4:]}"


def email_of(person: int) -> str:
    """The address of a person by their number."""
    return f"person.{person}@example.com"


@lru_cache(32)
def _text(at: datetime) -> str:
    """An instant as SQLAlchemy keeps it in SQLite, and PostgreSQL takes it in UTC."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
