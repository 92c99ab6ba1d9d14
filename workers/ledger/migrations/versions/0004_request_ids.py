"""The request that brought a delivery and each leaver of it."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add the columns; of what came in before, nobody knows."""
    for table in ("deliveries", "leavers"):
        column = sa.Column("request_id", sa.String(length=64), nullable=False, server_default="")
        op.add_column(table, column)
