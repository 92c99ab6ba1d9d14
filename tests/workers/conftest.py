"""What tests of the workers can ask for: a ledger, empty and up to date, on each database.

It is migrated once and emptied for each test, which takes a tenth of the time of a new one.  All
tests share its engine: an engine keeps the statements that it has compiled, and to compile them
again takes longer than most tests.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.servers import PostgresServer
from workers.ledger import Ledger, open_ledger
from workers.ledger.tables import metadata


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.server)])
def ledger(request: pytest.FixtureRequest) -> Ledger:
    """A ledger of this version's schema, without a row."""
    ledger: Ledger = request.getfixturevalue(f"{request.param}_ledger")
    return ledger


@pytest.fixture
def sqlite_ledger(migrated_file: Path, sqlite_engine: sa.Engine) -> Iterator[Ledger]:
    """A ledger for tests of what does not depend on the database."""
    file = sqlite_engine.url.database or ""
    for name in (f"{file}-wal", f"{file}-shm"):
        Path(name).unlink(missing_ok=True)
    shutil.copy(migrated_file, file)
    ledger = Ledger(sqlite_engine)
    yield ledger
    ledger.close()


@pytest.fixture(scope="session")
def sqlite_engine(tmp_path_factory: pytest.TempPathFactory) -> sa.Engine:
    """The engine of a file that each test replaces."""
    return open_ledger(f"sqlite:///{tmp_path_factory.mktemp('ledger') / 'leaver.db'}").engine


@pytest.fixture
def postgresql_ledger(
    postgresql_engine: sa.Engine, postgres_cluster: PostgresServer
) -> Iterator[Ledger]:
    """A ledger whose transactions run side by side; in SQLite there is one writer at a time."""
    postgres_cluster.start()  # Another test may have stopped it.
    ledger = Ledger(postgresql_engine)
    with ledger.write() as tx:
        for table in reversed(metadata.sorted_tables):
            tx.execute(sa.delete(table))
    yield ledger
    ledger.close()


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite ledger to copy."""
    file = tmp_path_factory.mktemp("ledger") / "leaver.db"
    ledger = open_ledger(f"sqlite:///{file}")
    ledger.migrate()
    ledger.close()
    return file


@pytest.fixture(scope="session")
def postgresql_engine(postgres_cluster: PostgresServer) -> sa.Engine:
    """The engine of a database that, unlike those of `postgres`, is not dropped after a test."""
    postgres_cluster.start()
    server = f"postgresql+psycopg://leaver@127.0.0.1:{postgres_cluster.port}"
    engine = sa.create_engine(f"{server}/postgres", isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(sa.text("CREATE DATABASE workers"))
    engine.dispose()
    ledger = open_ledger(f"{server}/workers")
    ledger.migrate()
    return ledger.engine
