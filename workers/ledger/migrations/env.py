"""Alembic's entry point: it migrates over the connection that Ledger.migrate() opened."""

from alembic import context

from workers.ledger.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    # SQLite changes a table only by building it anew.
    render_as_batch=True,
    transactional_ddl=False,  # Ledger.migrate() holds the transaction.
)
context.run_migrations()
