"""Indexes for each list and each question of a worker, and the tallies of jobs and deliveries."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

UNFINISHED = "finished_at IS NULL"
OPEN = "open_key IS NOT NULL"


def upgrade() -> None:
    """Make the indexes, and count once what the tallies go on from."""
    _tallies()
    for name, table in (
        ("ix_alarms_opened_at", "alarms"),
        ("ix_audit_at", "audit"),
        ("ix_audit_delivery_id", "audit"),
        ("ix_audit_job_id", "audit"),
        ("ix_deliveries_status_source", "deliveries"),
        ("ix_jobs_email", "jobs"),
        ("ix_jobs_received_at", "jobs"),
        ("ix_jobs_state_due_at", "jobs"),
        ("ix_jobs_target_state", "jobs"),
        ("ix_leavers_email", "leavers"),
        ("ix_leavers_source_employee_id", "leavers"),
        ("ix_leavers_source_person", "leavers"),
    ):
        op.drop_index(op.f(name), table)
    _index("ix_alarms_open", "alarms", "id", only=OPEN)
    _index("ix_alarms_said", "alarms", "kind", "last_at", only=OPEN)
    _index("ix_audit_action_id", "audit", "action", "id")
    _index("ix_audit_actor_action_id", "audit", "actor", "action", "id")
    _index("ix_audit_actor_id", "audit", "actor", "id")
    _index("ix_audit_delivery_id", "audit", "delivery_id", only="delivery_id IS NOT NULL")
    _index("ix_audit_job_id", "audit", "job_id", only="job_id IS NOT NULL")
    _index("ix_deliveries_received_at_id", "deliveries", "received_at", "id")
    _index("ix_deliveries_repeated", "deliveries", "received_at", "id", only="repeats > 0")
    kept = ("source", "received_at", "id")
    _index("ix_deliveries_repeated_of", "deliveries", *kept, only="repeats > 0")
    kind = ("source", "status", "received_at", "id")
    _index("ix_deliveries_source_status_received_at_id", "deliveries", *kind)
    _index("ix_jobs_at_work", "jobs", "state", "target", "due_at", only=UNFINISHED)
    _index("ix_jobs_email", "jobs", "lower(email)", "received_at", "id")
    _index("ix_jobs_finished_at", "jobs", "finished_at", only="finished_at IS NOT NULL")
    job_kind = ("reason", "state", "target", "source", "coalesce(outcome, '')")
    _index("ix_jobs_kind", "jobs", *job_kind, "received_at", "id", "outcome")
    _index("ix_jobs_oldest", "jobs", "received_at", "cutoff", only=UNFINISHED)
    _index("ix_jobs_received_at_id", "jobs", "received_at", "id")
    _index("ix_leavers_email", "leavers", "lower(email)", "source", "id")
    _index("ix_leavers_employee_id_source_id", "leavers", "employee_id", "source", "id")
    _index("ix_leavers_source_person_id", "leavers", "source", "person", "id")
    _index("ix_leavers_source_id", "leavers", "source", "id")
    taken_back = "kind IN ('rescinded', 'rehired')"
    _index("ix_leavers_taken_back", "leavers", "owner", "created_at", only=taken_back)
    for table in ("deliveries", "jobs", "leavers"):
        _index(f"ix_{table}_suffix", table, "substr(id, 31)")


def _tallies() -> None:
    op.create_table(
        "tallies",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("of", sa.String(length=16), nullable=False),
        sa.Column("source", sa.String(length=64), nullable=False),
        sa.Column("target", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("outcome", sa.String(length=32), nullable=False),
        sa.Column("reason", sa.String(length=64), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tallies")),
    )
    into = "INSERT INTO tallies (of, source, target, state, outcome, reason, number)"
    for what in (
        "SELECT 'jobs', source, target, state, coalesce(outcome, ''), reason, count(*) FROM jobs "
        "GROUP BY source, target, state, outcome, reason",
        "SELECT 'deliveries', source, '', status, '', '', count(*) FROM deliveries "
        "GROUP BY source, status",
        "SELECT 'repetitions', source, '', '', '', '', sum(repeats) FROM deliveries "
        "WHERE repeats > 0 GROUP BY source",
    ):
        op.execute(f"{into} {what}")


def _index(name: str, table: str, *columns: str, only: str | None = None) -> None:
    where = sa.text(only) if only else None
    op.create_index(
        op.f(name),
        table,
        [sa.text(column) if "(" in column else column for column in columns],
        sqlite_where=where,
        postgresql_where=where,
    )
