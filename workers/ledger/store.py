"""Opening the ledger, and its transactions.

SQLite is set to WAL with synchronous=FULL, so a commit is on disk before it returns; writes begin
IMMEDIATE, so that two writers queue up instead of failing half-way.  PostgreSQL is used as it is.
"""

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

if TYPE_CHECKING:
    from alembic.config import Config

#: How long a writer waits for another one before the ledger counts as unavailable, in seconds.
BUSY_TIMEOUT_S = 5

#: The schema this version works with: the last one in migrations/versions.
SCHEMA = "0005"

#: What a database says to a statement that is wrong; all else that it says is its own trouble,
#: such as a broken file, or a server that became a read-only standby.
OUR_MISTAKES = (
    sa.exc.IntegrityError,
    sa.exc.DataError,
    sa.exc.ProgrammingError,
    sa.exc.NotSupportedError,
)


class LedgerUnavailable(Exception):
    """The ledger cannot be read or written now: disk, lock or server."""


class LedgerOutdated(Exception):
    """The ledger's schema is not this version's; `leaver migrate` brings it up to date."""


class Ledger:
    """The engine and its transactions.  Safe for many threads; not to be carried over a fork."""

    def __init__(self, engine: sa.Engine) -> None:
        self.engine = engine
        self.is_sqlite = engine.dialect.name == "sqlite"
        # SQLite has one writer at a time.  Waiting for it inside the process is fair and cheap;
        # waiting in SQLite's busy handler is neither.
        self._one_writer = threading.Lock()

    @contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """One transaction that may write: it commits at the end, or leaves nothing."""
        if not self.is_sqlite:
            with self._translated(), self.engine.begin() as tx:
                yield tx
            return
        if not self._one_writer.acquire(timeout=BUSY_TIMEOUT_S):
            raise LedgerUnavailable("another writer of this process holds the ledger")
        try:
            with self._translated(), self.engine.connect() as connection:
                connection.execution_options(leaver_begin="BEGIN IMMEDIATE")
                with connection.begin():
                    yield connection
        finally:
            self._one_writer.release()

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """One transaction that sees one moment, and writes nothing."""
        with self._translated(), self.engine.connect() as connection:
            if not self.is_sqlite:
                # By default every statement of PostgreSQL sees its own moment.
                connection.execution_options(
                    isolation_level="REPEATABLE READ", postgresql_readonly=True
                )
            with connection.begin():
                yield connection

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except OUR_MISTAKES:
            raise
        except (sa.exc.DBAPIError, sa.exc.TimeoutError) as error:
            raise LedgerUnavailable(str(getattr(error, "orig", error))) from error

    def ping(self) -> None:
        """Raise LedgerUnavailable unless a write transaction can be had."""
        with self.write() as tx:
            tx.execute(sa.text("SELECT 1"))

    def check_schema(self) -> None:
        """Raise LedgerOutdated unless the schema is this version's."""
        with self.read() as tx:
            migrated = sa.inspect(tx).has_table("alembic_version")
            found = migrated and tx.scalar(sa.text("SELECT version_num FROM alembic_version"))
        if found != SCHEMA:
            raise LedgerOutdated(
                f"the ledger has schema {found or 'none'}, this version needs {SCHEMA}: "
                "run `leaver migrate`"
            )

    def migrate(self) -> None:
        """Bring the schema up to date.  Safe to run twice, and by two processes at once.

        The folder of an SQLite file is made if it is missing.
        """
        # Imported here: it takes longer than all that `leaver jobs` has to do.
        from alembic import command

        if self.is_sqlite and self.engine.url.database:
            Path(self.engine.url.database).parent.mkdir(parents=True, exist_ok=True)
        with self.write() as tx:
            if not self.is_sqlite:
                # Two processes that start together must not both create the tables.
                tx.execute(sa.text("SELECT pg_advisory_xact_lock(7246012)"))
            config = alembic_config()
            config.attributes["connection"] = tx
            command.upgrade(config, "head")

    def close(self) -> None:
        """Give the connections back."""
        self.engine.dispose()


def open_ledger(url: str) -> Ledger:
    """Open the ledger at a SQLAlchemy URL.  Nothing connects until it is used."""
    parsed = sa.make_url(url)
    if parsed.get_backend_name() != "sqlite":
        return Ledger(
            sa.create_engine(
                parsed,
                pool_pre_ping=True,
                pool_size=10,
                max_overflow=40,
                pool_timeout=BUSY_TIMEOUT_S,
                connect_args={"connect_timeout": BUSY_TIMEOUT_S},
            )
        )
    engine = sa.create_engine(
        parsed,
        pool_size=10,
        max_overflow=40,
        pool_timeout=BUSY_TIMEOUT_S,
        connect_args={"timeout": BUSY_TIMEOUT_S},
    )
    sa.event.listen(engine, "connect", _set_up_sqlite)
    sa.event.listen(engine, "begin", _begin_sqlite)
    return Ledger(engine)


def _set_up_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    # We say BEGIN ourselves: the driver would say it too late, and never IMMEDIATE.
    connection.isolation_level = None
    try:
        _switch_to_wal(connection)
        for pragma in ("synchronous=FULL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")
    except sqlite3.Error:
        connection.close()  # SQLAlchemy leaves it open.
        raise


def _switch_to_wal(connection: sqlite3.Connection) -> None:
    """Wait for a writer of a new file: for this one statement SQLite itself does not always."""
    deadline = time.monotonic() + BUSY_TIMEOUT_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.02)
        else:
            return


def _begin_sqlite(connection: sa.Connection) -> None:
    begin = connection.get_execution_options().get("leaver_begin", "BEGIN")
    connection.exec_driver_sql(begin)


def insert(tx: sa.Connection, table: sa.Table) -> postgresql.Insert | sqlite.Insert:
    """An INSERT that knows ON CONFLICT, in the dialect of `tx`."""
    return sqlite.insert(table) if tx.dialect.name == "sqlite" else postgresql.insert(table)


def alembic_config() -> "Config":
    """Where Alembic finds the migrations."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    return config
