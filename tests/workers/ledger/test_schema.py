"""The ledger's schema: brought up to date once, and checked before anything is done."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from tests.workers.records import everything, job_of
from workers.ledger import LedgerOutdated
from workers.ledger.store import SCHEMA, alembic_config
from workers.ledger.tables import metadata


def test_this_version_wants_the_schema_of_the_last_migration():
    """A migration that nobody asks for would never run before it is needed."""
    assert ScriptDirectory.from_config(alembic_config()).get_current_head() == SCHEMA


def test_a_ledger_is_outdated_until_it_is_migrated(opened, ledger_url):
    """A command on an old schema says what to run; afterwards it works."""
    ledger = opened(ledger_url)
    with pytest.raises(LedgerOutdated, match="run `leaver migrate`"):
        ledger.check_schema()

    ledger.migrate()

    ledger.check_schema()


# SQLite cannot tell the expression of an index; PostgreSQL can, and the test runs there as well.
@pytest.mark.filterwarnings("ignore:(?s).*expression-based index")
def test_migrations_make_exactly_the_tables_that_the_code_uses(ledger):
    """A column that only one of the two has breaks the first transaction in production."""
    with ledger.read() as tx:
        context = MigrationContext.configure(tx, opts={"compare_type": True})
        differences = compare_metadata(context, metadata)

    assert differences == []


def test_migrating_again_changes_nothing(ledger):
    """`leaver up` migrates at each start."""
    job_of(ledger)
    before = everything(ledger)

    ledger.migrate()

    assert everything(ledger) == before


def test_processes_that_start_together_migrate_once(opened, ledger_url):
    """Receiver, console and workers may be started in the same second on an empty ledger."""
    ledgers = [opened(ledger_url) for _ in range(4)]

    with ThreadPoolExecutor(len(ledgers)) as threads:
        migrating = [threads.submit(ledger.migrate) for ledger in ledgers]

    assert [each.exception() for each in migrating] == [None] * len(ledgers)
    for ledger in ledgers:
        ledger.check_schema()
