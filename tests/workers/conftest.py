"""What tests of the workers can ask for: a ledger, empty and up to date, on each database.

It is migrated once and emptied for each test, which takes a tenth of the time of a new one.
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
def sqlite_ledger(migrated_file: Path, tmp_path: Path) -> Iterator[Ledger]:
    """A ledger for tests of what does not depend on the database."""
    shutil.copy(migrated_file, tmp_path / "leaver.db")
    ledger = open_ledger(f"sqlite:///{tmp_path / 'leaver.db'}")
    yield ledger
    ledger.close()


@pytest.fixture
def postgresql_ledger(migrated_database: str, postgres_cluster: PostgresServer) -> Iterator[Ledger]:
    """A ledger whose transactions run side by side; in SQLite there is one writer at a time."""
    postgres_cluster.start()  # Another test may have stopped it.
    ledger = open_ledger(migrated_database)
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
def migrated_database(postgres_cluster: PostgresServer) -> str:
    """The URL of a PostgreSQL ledger; unlike those of `postgres` it is not dropped after a test."""
    postgres_cluster.start()
    server = f"postgresql+psycopg://leaver@127.0.0.1:{postgres_cluster.port}"
    engine = sa.create_engine(f"{server}/postgres", isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(sa.text("CREATE DATABASE workers"))
    engine.dispose()
    ledger = open_ledger(f"{server}/workers")
    ledger.migrate()
    ledger.close()
    return f"{server}/workers"
