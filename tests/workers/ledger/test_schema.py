"""The ledger's schema: brought up to date once, and checked before anything is done."""

import pytest
from alembic.script import ScriptDirectory

from workers.ledger import LedgerOutdated, open_ledger
from workers.ledger.store import SCHEMA, alembic_config


def test_this_version_wants_the_schema_of_the_last_migration():
    """A migration that nobody asks for would never run before it is needed."""
    assert ScriptDirectory.from_config(alembic_config()).get_current_head() == SCHEMA


def test_a_ledger_is_outdated_until_it_is_migrated(ledger_url):
    """A command on an old schema says what to run; afterwards it works."""
    ledger = open_ledger(ledger_url)
    with pytest.raises(LedgerOutdated, match="run `leaver migrate`"):
        ledger.check_schema()

    ledger.migrate()

    ledger.check_schema()
    ledger.close()
