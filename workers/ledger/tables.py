"""The tables of the ledger.  A change here needs a migration in migrations/versions.

Nothing is ever deleted from most of them, and SQLite, which keeps no statistics here, takes every
index for as good as another.  So each list and each question of a worker has an index that holds
exactly what it asks for, and what is about few rows has one of these rows alone (tests/workers/
ledger/test_plans.py).
"""

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class Instant(sa.TypeDecorator[datetime]):
    """An aware UTC datetime: timestamptz in PostgreSQL, naive text in SQLite (no zones)."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        """Refuse naive datetimes: which instant they mean is anybody's guess."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("the ledger takes aware datetimes only")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: Any | None, dialect: sa.Dialect) -> datetime | None:
        """Give UTC back."""
        if value is None:
            return None
        aware: datetime = value if value.tzinfo else value.replace(tzinfo=UTC)
        return aware.astimezone(UTC)


def _id(name: str, **options: Any) -> sa.Column[str]:
    return sa.Column(name, sa.String(36), **options)


def suffix_of(id_: sa.ColumnElement[str]) -> sa.ColumnElement[str]:
    """The last six characters of an id, by which it can be found."""
    return sa.func.substr(id_, sa.literal_column("31"))


def said(word: sa.ColumnElement[str | None]) -> sa.ColumnElement[str]:
    """A word, "" where there is none."""
    return sa.func.coalesce(word, sa.text("''"))


#: What HR says of leavers who stay after all.
TAKEN_BACK = "kind IN ('rescinded', 'rehired')"


def _only(condition: str) -> dict[str, Any]:
    """Only rows that fit go into the index."""
    return {"sqlite_where": sa.text(condition), "postgresql_where": sa.text(condition)}


def _serial(name: str) -> sa.Column[int]:
    # SQLite counts by itself only in an INTEGER primary key.
    return sa.Column(name, sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True)


deliveries = sa.Table(
    "deliveries",
    metadata,
    _id("id", primary_key=True),
    sa.Column("source", sa.String(64), nullable=False),
    sa.Column("received_at", Instant, nullable=False),
    sa.Column("status", sa.String(16), nullable=False),
    sa.Column("reason", sa.String(64), nullable=False, default=""),
    sa.Column("detail", sa.Text, nullable=False, default=""),
    sa.Column("body", sa.LargeBinary),
    sa.Column("body_hash", sa.String(64), nullable=False),
    sa.Column("content_type", sa.String(255), nullable=False, default=""),
    sa.Column("signed_at", Instant),
    sa.Column("event_id", sa.String(255)),
    sa.Column("facts", sa.JSON, nullable=False),
    sa.Column("request_id", sa.String(64), nullable=False, default=""),
    sa.Column("repeats", sa.Integer, nullable=False, default=0),
    sa.Column("repeated_at", Instant),
    sa.Index(None, "received_at", "id"),
    sa.Index(None, "source", "received_at"),
    sa.Index(None, "source", "status", "received_at", "id"),
    sa.Index("ix_deliveries_repeated", "received_at", "id", **_only("repeats > 0")),
    sa.Index("ix_deliveries_repeated_of", "source", "received_at", "id", **_only("repeats > 0")),
    sa.Index("ix_deliveries_suffix", suffix_of(sa.column("id"))),
)

elements = sa.Table(
    "elements",
    metadata,
    _id("id", primary_key=True),
    _id("delivery_id", nullable=False),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("reason", sa.String(64), nullable=False, default=""),
    sa.Column("detail", sa.Text, nullable=False, default=""),
    sa.Column("employee_id", sa.String(255), nullable=False, default=""),
    _id("leaver_id"),
    sa.Column("repeated", sa.Boolean, nullable=False, default=False),
    sa.ForeignKeyConstraint(["delivery_id"], ["deliveries.id"]),
    sa.UniqueConstraint("delivery_id", "position"),
    sa.Index(None, "leaver_id"),
    sa.Index("ix_elements_quarantined", "delivery_id", **_only("kind = 'quarantined'")),
)

seen = sa.Table(
    "seen",
    metadata,
    sa.Column("source", sa.String(64), primary_key=True),
    sa.Column("key", sa.String(128), primary_key=True),
    _id("delivery_id", nullable=False),
    _id("leaver_id"),
    sa.Column("seen_at", Instant, nullable=False),
    sa.Column("expires_at", Instant, nullable=False),
    sa.Index(None, "leaver_id"),
    sa.Index(None, "delivery_id"),
)

leavers = sa.Table(
    "leavers",
    metadata,
    _id("id", primary_key=True),
    sa.Column("source", sa.String(64), nullable=False),
    sa.Column("person", sa.String(320), nullable=False),
    _id("owner"),  # the leaver whose jobs this one opened or changed: itself, or an earlier one
    _id("found_by"),  # the job of the lookup that brought it
    sa.Column("employee_id", sa.String(255), nullable=False),
    sa.Column("email", sa.String(254), nullable=False),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("cutoff", Instant, nullable=False),
    sa.Column("hr_date", sa.Date),
    sa.Column("hr_zone", sa.String(64)),
    sa.Column("happened_at", Instant),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("entered_by", sa.String(255)),
    sa.Column("entered_reason", sa.Text),
    # Of the request that brought it, as each line says that is logged about it.
    sa.Column("request_id", sa.String(64), nullable=False, default=""),
    sa.Index(None, "source", "person", "id"),
    sa.Index(None, "source", "id"),
    sa.Index(None, "employee_id", "source", "id"),
    sa.Index("ix_leavers_email", sa.func.lower(sa.column("email")), "source", "id"),
    sa.Index(None, "found_by"),
    sa.Index("ix_leavers_taken_back", "owner", "created_at", **_only(TAKEN_BACK)),
    sa.Index("ix_leavers_suffix", suffix_of(sa.column("id"))),
)

jobs = sa.Table(
    "jobs",
    metadata,
    _id("id", primary_key=True),
    _id("leaver_id", nullable=False),
    sa.Column("source", sa.String(64), nullable=False),
    sa.Column("target", sa.String(64), nullable=False),
    sa.Column("action", sa.String(16), nullable=False),
    # What counts now, after all that HR has said of the person (people.py).
    sa.Column("email", sa.String(254), nullable=False),
    sa.Column("cutoff", Instant, nullable=False),
    sa.Column("standing", sa.String(16), nullable=False),
    sa.Column("forced", sa.Boolean, nullable=False, default=False),  # the round, by an operator
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("outcome", sa.String(32)),
    sa.Column("reason", sa.String(64), nullable=False, default=""),
    sa.Column("detail", sa.Text, nullable=False, default=""),
    sa.Column("due_at", Instant, nullable=False),
    sa.Column("received_at", Instant, nullable=False),
    sa.Column("finished_at", Instant),
    sa.Column("round", sa.Integer, nullable=False, default=1),
    sa.Column("attempts", sa.Integer, nullable=False, default=0),
    # How many of them were before the last release: delays start small again.
    sa.Column("released_after", sa.Integer, nullable=False, default=0),
    # Lease and fence: whoever claims raises `token`; every later write of the worker names it.
    sa.Column("token", sa.Integer, nullable=False, default=0),
    sa.Column("lease_until", Instant),
    sa.Column("lost", sa.Integer, nullable=False, default=0),
    sa.Column("woken_until", Instant),
    # What was asked for while the job runs: a word of moves.STOPS.
    sa.Column("stop", sa.String(16)),
    sa.Column("stop_actor", sa.String(255)),
    sa.Column("stop_reason", sa.Text),
    # What this round knows of the account.
    sa.Column("account_id", sa.String(255)),
    sa.Column("snapshot", sa.JSON(none_as_null=True)),
    sa.Column("intended_at", Instant),
    # When Leaver last wrote to the account, in whatever round; None once that was given back.
    sa.Column("wrote_at", Instant),
    sa.Column("watched_since", Instant),
    sa.Column("outage_at", Instant),
    # The clock of retry.give_up_after: it starts with the round or a release, and pauses are taken
    # off: `pause_mark` is the target's paused_seconds when it started.
    sa.Column("clock_started_at", Instant),
    sa.Column("pause_mark", sa.Float, nullable=False, default=0.0),
    sa.ForeignKeyConstraint(["leaver_id"], ["leavers.id"]),
    sa.UniqueConstraint("leaver_id", "target", "action"),
    sa.Index(None, "received_at", "id"),
    sa.Index(None, "finished_at", **_only("finished_at IS NOT NULL")),
    sa.Index("ix_jobs_email", sa.func.lower(sa.column("email")), "received_at", "id"),
    sa.Index("ix_jobs_suffix", suffix_of(sa.column("id"))),
    # All of one kind, in the order of lists (queries/lists.py).  The outcome stands there twice, as
    # PostgreSQL reads no expression from an index alone.
    sa.Index(
        "ix_jobs_kind",
        *("reason", "state", "target", "source"),
        said(sa.column("outcome")),
        *("received_at", "id", "outcome"),
    ),
    sa.Index("ix_jobs_at_work", "state", "target", "due_at", **_only("finished_at IS NULL")),
    sa.Index("ix_jobs_oldest", "received_at", "cutoff", **_only("finished_at IS NULL")),
)

#: That a job has not ended.  What asks of such jobs says so in these words: of a million jobs, the
#: indexes of these few are used then.
unfinished = jobs.c.finished_at.is_(None)

rounds = sa.Table(
    "rounds",
    metadata,
    _id("job_id", primary_key=True),
    sa.Column("round", sa.Integer, primary_key=True),
    sa.Column("opened_at", Instant, nullable=False),
    sa.Column("actor", sa.String(255), nullable=False),
    sa.Column("why", sa.Text, nullable=False),
    sa.Column("closed_at", Instant),
    sa.Column("state", sa.String(16)),
    sa.Column("outcome", sa.String(32)),
    sa.Column("reason", sa.String(64), nullable=False, default=""),
    sa.Column("detail", sa.Text, nullable=False, default=""),
    sa.Column("attempts", sa.Integer, nullable=False, default=0),
    sa.ForeignKeyConstraint(["job_id"], ["jobs.id"]),
)

approvals = sa.Table(
    "approvals",
    metadata,
    _id("job_id", primary_key=True),
    sa.Column("round", sa.Integer, primary_key=True),
    sa.Column("seen", sa.String(64), primary_key=True),  # approvals.mark of what was approved
    sa.Column("at", Instant, nullable=False),
    sa.Column("actor", sa.String(255), nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.ForeignKeyConstraint(["job_id"], ["jobs.id"]),
)

attempts = sa.Table(
    "attempts",
    metadata,
    _id("id", primary_key=True),
    _id("job_id", nullable=False),
    sa.Column("round", sa.Integer, nullable=False),
    sa.Column("token", sa.Integer, nullable=False),
    sa.Column("worker", sa.String(255), nullable=False),
    sa.Column("started_at", Instant, nullable=False),
    sa.Column("finished_at", Instant),
    sa.Column("result", sa.String(16), nullable=False, default=""),
    sa.Column("reason", sa.String(64), nullable=False, default=""),
    sa.Column("detail", sa.Text, nullable=False, default=""),
    sa.Column("counted", sa.Boolean, nullable=False, default=False),
    sa.ForeignKeyConstraint(["job_id"], ["jobs.id"]),
    sa.UniqueConstraint("job_id", "token"),
)

calls = sa.Table(
    "calls",
    metadata,
    _serial("id"),
    _id("attempt_id", nullable=False),
    sa.Column("at", Instant, nullable=False),
    sa.Column("name", sa.String(64), nullable=False),
    sa.Column("method", sa.String(8), nullable=False),
    sa.Column("path", sa.Text, nullable=False),
    sa.Column("write", sa.Boolean, nullable=False),
    sa.Column("status", sa.Integer),
    sa.Column("duration_ms", sa.Integer, nullable=False),
    sa.Column("error", sa.Text, nullable=False, default=""),
    sa.ForeignKeyConstraint(["attempt_id"], ["attempts.id"]),
    sa.Index(None, "attempt_id"),
)

accounts = sa.Table(
    "accounts",
    metadata,
    sa.Column("target", sa.String(64), primary_key=True),
    sa.Column("account_id", sa.String(255), primary_key=True),
    _id("job_id", nullable=False),
    sa.Column("token", sa.Integer, nullable=False),
    sa.Column("lease_until", Instant, nullable=False),
)

targets = sa.Table(
    "targets",
    metadata,
    sa.Column("name", sa.String(64), primary_key=True),
    sa.Column("paused_at", Instant),  # None: not paused
    sa.Column("paused_until", Instant),
    sa.Column("pause_reason", sa.String(64), nullable=False, default=""),
    sa.Column("pause_detail", sa.Text, nullable=False, default=""),
    sa.Column("pause_call", sa.String(64), nullable=False, default=""),
    sa.Column("pauses", sa.Integer, nullable=False, default=0),  # in a row, without a success
    _id("probe_job"),
    sa.Column("probe_until", Instant),
    sa.Column("resumed_at", Instant),
    sa.Column("paused_seconds", sa.Float, nullable=False, default=0.0),  # of all ended pauses
)

brakes = sa.Table(
    "brakes",
    metadata,
    sa.Column("source", sa.String(64), primary_key=True),  # "": over all sources
    sa.Column("tripped_at", Instant),
    sa.Column("allowance", sa.Integer, nullable=False),  # let pass beyond the windows
)

places = sa.Table(
    "places",
    metadata,
    _id("leaver_id", primary_key=True),
    sa.Column("round", sa.Integer, primary_key=True),
    sa.Column("source", sa.String(64), nullable=False),
    sa.Column("asked_at", Instant, nullable=False),
    sa.Column("taken_at", Instant),  # None: waits for a release
    sa.Column("released_by", sa.Text),
    sa.ForeignKeyConstraint(["leaver_id"], ["leavers.id"]),
    sa.Index(None, "taken_at"),
    sa.Index(None, "source", "taken_at"),
)

holds = sa.Table(
    "holds",
    metadata,
    sa.Column("kind", sa.String(16), primary_key=True),  # "source" or "target"
    sa.Column("name", sa.String(64), primary_key=True),
    sa.Column("held_at", Instant),  # None: released
    sa.Column("actor", sa.String(255), nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("released_by", sa.Text),
)

sightings = sa.Table(
    "sightings",
    metadata,
    _id("job_id", primary_key=True),
    sa.Column("round", sa.Integer, primary_key=True),
    sa.Column("next_look_at", Instant),  # None: nobody looks any more
    sa.Column("last_on_at", Instant, nullable=False),
    sa.Column("first_off_at", Instant),
    sa.Column("gone", sa.Boolean, nullable=False, default=False),  # off, as it was removed
    sa.Column("detail", sa.Text, nullable=False, default=""),  # why the last look saw nothing
    sa.ForeignKeyConstraint(["job_id"], ["jobs.id"]),
    sa.Index(None, "next_look_at"),
)

explanations = sa.Table(
    "explanations",
    metadata,
    _id("id", primary_key=True),
    sa.Column("asked_at", Instant, nullable=False),
    sa.Column("actor", sa.String(255), nullable=False),
    _id("job_id"),  # of a job, or else:
    sa.Column("source", sa.String(64), nullable=False, default=""),
    sa.Column("target", sa.String(64), nullable=False, default=""),
    sa.Column("leaver", sa.JSON(none_as_null=True)),
    sa.Column("taken_until", Instant),
    sa.Column("answer", sa.JSON(none_as_null=True)),
    sa.Index(None, "asked_at"),
)

alarms = sa.Table(
    "alarms",
    metadata,
    _id("id", primary_key=True),
    sa.Column("kind", sa.String(64), nullable=False),
    sa.Column("subject", sa.String(255), nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("opened_at", Instant, nullable=False),
    sa.Column("last_at", Instant, nullable=False),
    sa.Column("count", sa.Integer, nullable=False, default=1),
    sa.Column("closed_at", Instant),
    # "kind/subject" while open, NULL when closed: unique, so one cause is one open alarm.
    sa.Column("open_key", sa.String(320), unique=True),
    sa.Index("ix_alarms_open", "id", **_only("open_key IS NOT NULL")),
    sa.Index("ix_alarms_said", "kind", "last_at", **_only("open_key IS NOT NULL")),
)

news = sa.Table(
    "news",
    metadata,
    _serial("id"),
    sa.Column("at", Instant, nullable=False),
    sa.Column("what", sa.String(16), nullable=False),  # a word of news.What
    sa.Column("kind", sa.String(64), nullable=False),  # of the alarm
    sa.Column("subject", sa.String(255), nullable=False),  # of the alarm, else the job
    sa.Column("text", sa.Text, nullable=False),
)

messages = sa.Table(
    "messages",
    metadata,
    _id("id", primary_key=True),
    sa.Column("kind", sa.String(16), nullable=False),  # a word of outbox.MessageKind
    sa.Column("title", sa.String(255), nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("addressed_at", Instant),  # None: no worker has made its copies yet
    sa.Index(None, "addressed_at"),
    sa.Index(None, "created_at"),
)

copies = sa.Table(
    "copies",
    metadata,
    _id("message_id", primary_key=True),
    sa.Column("recipient", sa.String(16), primary_key=True),  # a hash of the URL, never itself
    sa.Column("name", sa.String(64), nullable=False),  # such as "notify.urls[2] (slack)"
    sa.Column("tries", sa.Integer, nullable=False, default=0),
    # When it is tried, or whoever tries it now counts as dead; None: sent, or given up.
    sa.Column("due_at", Instant),
    sa.Column("sent_at", Instant),
    sa.Column("gave_up_at", Instant),
    sa.Column("error", sa.Text, nullable=False, default=""),
    sa.ForeignKeyConstraint(["message_id"], ["messages.id"], ondelete="CASCADE"),
    sa.Index(None, "due_at"),
)

sources = sa.Table(
    "sources",
    metadata,
    sa.Column("name", sa.String(64), primary_key=True),
    sa.Column("expected_since", Instant, nullable=False),  # sources.X.expected_every was first seen
)

key_offers = sa.Table(
    "key_offers",
    metadata,
    sa.Column("source", sa.String(64), primary_key=True),
    sa.Column("id", sa.String(12), primary_key=True),  # what is shown of the key
    sa.Column("key", sa.String(255), nullable=False),
    sa.Column("offered_at", Instant, nullable=False),
    sa.Column("confirmed_at", Instant),  # None: nothing is verified with it
)

rejections = sa.Table(
    "rejections",
    metadata,
    sa.Column("source", sa.String(64), primary_key=True),
    sa.Column("reason", sa.String(64), primary_key=True),
    sa.Column("minute", Instant, primary_key=True),
    sa.Column("count", sa.Integer, nullable=False),
)

heartbeats = sa.Table(
    "heartbeats",
    metadata,
    sa.Column("source", sa.String(64), primary_key=True),
    sa.Column("checked_at", Instant, nullable=False),
    sa.Column("seen_at", Instant),  # when HR last showed the webhook of this source
    sa.Column("pulse", sa.String(16), nullable=False, default=""),
)

workers = sa.Table(
    "workers",
    metadata,
    sa.Column("name", sa.String(255), primary_key=True),
    sa.Column("started_at", Instant, nullable=False),
    sa.Column("seen_at", Instant, nullable=False),
    sa.Column("sources", sa.JSON, nullable=False, default=list),  # names, as configured there
    sa.Column("targets", sa.JSON, nullable=False, default=list),
)

users = sa.Table(
    "users",
    metadata,
    sa.Column("name", sa.String(64), primary_key=True),
    sa.Column("role", sa.String(16), nullable=False),
    sa.Column("password_hash", sa.Text, nullable=False),
    sa.Column("added_at", Instant, nullable=False),
    sa.Column("added_by", sa.String(255), nullable=False),
)

sessions = sa.Table(
    "sessions",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),  # the hash of what the browser keeps
    sa.Column("user", sa.String(200), nullable=False),
    sa.Column("role", sa.String(16), nullable=False),
    sa.Column("csrf", sa.String(64), nullable=False),
    sa.Column("started_at", Instant, nullable=False),
    sa.Column("seen_at", Instant, nullable=False),
    sa.Index(None, "user"),
)

links = sa.Table(
    "links",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),  # the hash of what stands in the link
    sa.Column("user", sa.String(64), nullable=False),
    sa.Column("role", sa.String(16), nullable=False),
    sa.Column("expires_at", Instant, nullable=False),
)

tokens = sa.Table(
    "tokens",
    metadata,
    sa.Column("hash", sa.String(64), primary_key=True),  # of what a program keeps
    sa.Column("name", sa.String(64), nullable=False, unique=True),
    sa.Column("role", sa.String(16), nullable=False),
    sa.Column("added_at", Instant, nullable=False),
    sa.Column("added_by", sa.String(255), nullable=False),
    sa.Column("expires_at", Instant, nullable=False),
    sa.Column("used_at", Instant),
)

answers = sa.Table(
    "answers",
    metadata,
    sa.Column("token", sa.String(64), primary_key=True),
    sa.Column("key", sa.String(255), primary_key=True),
    sa.Column("hash", sa.String(64), nullable=False),
    sa.Column("asked_at", Instant, nullable=False),
    sa.Column("status", sa.Integer),  # None: nothing was answered yet
    sa.Column("body", sa.Text),
    sa.Index(None, "asked_at"),
)

failed_sign_ins = sa.Table(
    "failed_sign_ins",
    metadata,
    _serial("id"),
    sa.Column("at", Instant, nullable=False),
    sa.Column("user", sa.String(64), nullable=False),
    sa.Column("address", sa.String(64), nullable=False),
    sa.Index(None, "user", "at"),
    sa.Index(None, "address", "at"),
)

audit = sa.Table(
    "audit",
    metadata,
    _serial("id"),
    sa.Column("at", Instant, nullable=False),
    sa.Column("actor", sa.String(255), nullable=False),
    sa.Column("action", sa.String(32), nullable=False),
    _id("job_id"),
    _id("delivery_id"),
    sa.Column("from_state", sa.String(16)),
    sa.Column("to_state", sa.String(16)),
    sa.Column("reason", sa.String(64), nullable=False, default=""),
    sa.Column("detail", sa.Text, nullable=False, default=""),
    sa.Index(None, "job_id", **_only("job_id IS NOT NULL")),
    sa.Index(None, "delivery_id", **_only("delivery_id IS NOT NULL")),
    sa.Index(None, "actor", "id"),
    sa.Index(None, "action", "id"),
    sa.Index(None, "actor", "action", "id"),
)

tallies = sa.Table(
    "tallies",
    metadata,
    _serial("id"),
    sa.Column("of", sa.String(16), nullable=False),  # a word of tallies.Of
    sa.Column("source", sa.String(64), nullable=False),
    sa.Column("target", sa.String(64), nullable=False),
    sa.Column("state", sa.String(16), nullable=False),  # of a delivery, its status
    sa.Column("outcome", sa.String(32), nullable=False),
    sa.Column("reason", sa.String(64), nullable=False),
    sa.Column("number", sa.Integer, nullable=False),  # so many more, or below zero fewer
)
