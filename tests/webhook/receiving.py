"""A receiver without a network: the real app and a real SQLite ledger, in a time that stands."""

import functools
import tempfile
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import sqlalchemy as sa
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from config.settings import Settings, load
from webhook.app import create_app
from workers.dispatch import Waker
from workers.leavers import JobId
from workers.ledger import Ledger, open_ledger, tables

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
SAMPLES = Path(__file__).parents[1] / "samples"

BAMBOOHR_KEYS = ("test-key-not-a-secret", "test-key-of-last-year")
STANDARD_KEYS = (
    "whsec_dGVzdC1rZXktbm90LWEtc2VjcmV0LTEyMzQ=",
    "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg==",
)
OKTA_SECRETS = ("test-key-not-a-secret-of-okta", "test-key-of-okta, last year")
HIBOB_SECRETS = ("test-key-not-a-secret-of-hibob", "test-key-of-hibob, last year")
GUSTO_TOKENS = ("test-token-not-a-secret-of-gusto", "test-token-of-gusto, last year")
FINCH_KEYS = ("5WbX5kEWLlfzsGNjH64I8lOOqUB6e8FH", "dGVzdC1rZXktbm90LWEtc2VjcmV0LW9mLWZpbmNo")
GENERIC_SECRETS = ("test-key-not-a-secret-of-generic", "test-key-of-generic, last year")
PRESETS = ("deel", "merge", "personio", "github", "stripe", "slack")
CONFIGURATION = """
[server]
max_body_bytes = 65536

[policy]
timezone = "Europe/Berlin"

[queue]
url = "redis://127.0.0.1:1/0"

[sources.bamboohr]
kind = "bamboohr"
secrets = {bamboohr}
fields = {{ "Company E-Mail" = "email" }}
api = {{ base_url = "https://acme.bamboohr.com", api_key = "test-api-key-not-a-secret" }}

[sources.standard]
kind = "standard"
secrets = {standard}
targets = ["cloud"]

[sources.okta]
kind = "okta"
secrets = {okta}

[sources.hibob]
kind = "hibob"
secrets = {hibob}

[sources.gusto]
kind = "gusto"
secrets = {gusto}

[sources.finch]
kind = "finch"
secrets = {finch}

[sources.conductor]
kind = "generic"
secrets = {generic}
signature_header = "Webhook-Signature"
encoding = "base64url"
signed = "{{timestamp}}.{{id}}.{{body}}"
timestamp = "Webhook-Timestamp"
id_header = "Webhook-Event-Id"
people = "$"
event = "new_status"
terminated = ["terminated"]
corrected = []
rescinded = ["kept"]
rehired = ["active"]

[sources.conductor.fields]
"emails[*].value" = "email"
mail = "email"
employee_id = "employee_id"
effective_date = "termination_date"

[targets.cloud]
kind = "atlassian-org"
org_id = "test-org"
api_key = "test-key-not-a-secret"

[targets.labs]
kind = "atlassian-org"
org_id = "test-labs"
api_key = "test-key-not-a-secret"
"""

#: What more it takes to have a source ask.
API = """
[sources.{source}.api]
base_url = "https://api.example.com"
api_key = "test-api-key-not-a-secret"
"""


@dataclass
class Clock:
    """Says the time that a test sets."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now

    def pass_by(self, span: timedelta) -> None:
        """Let time pass."""
        self.now += span


@dataclass
class Bell:
    """Stands for the queue: keeps what was woken."""

    rung: list[JobId] = field(default_factory=list)
    answers: bool = True

    def wake(self, jobs: Any) -> None:
        self.rung.extend(jobs)

    def reachable(self) -> bool:
        return self.answers


@dataclass
class Receiver:
    """The app under test and all that it touches."""

    settings: Settings
    ledger: Ledger
    bell: Bell = field(default_factory=Bell)
    clock: Clock = field(default_factory=Clock)

    def __post_init__(self) -> None:
        waker = cast(Waker, self.bell)
        self.app = create_app(self.settings.for_the_door(), self.ledger, waker, self.clock)
        self.client: FlaskClient = self.app.test_client()

    def post(self, source: str, headers: dict[str, str], body: bytes) -> TestResponse:
        """Post a delivery."""
        return self.client.post(f"/webhooks/{source}", headers=headers, data=body)

    def close(self) -> None:
        """End its thread: the ledger is the next test's."""
        self.app.extensions["rejections"].close()

    @property
    def file(self) -> Path:
        """Where the ledger is."""
        return Path(self.ledger.engine.url.database or "")

    def rows(self, table: str) -> list[Any]:
        """All rows of one of the ledger's tables."""
        with self.ledger.read() as tx:
            return list(tx.execute(sa.select(tables.metadata.tables[table])))

    def rejected(self) -> dict[tuple[str, str], int]:
        """The counts of rejected deliveries, as the ledger has them."""
        self.app.extensions["rejections"].flush()
        return {(row.source, row.reason): row.count for row in self.rows("rejections")}


def new_receiver(ledger: Ledger, more: str = "") -> Receiver:
    """A receiver that writes into `ledger`, with `more` configuration."""
    return Receiver(configured(more), ledger)


@functools.cache
def configured(more: str) -> Settings:
    """The configuration above, and more; to read it takes longer than most tests."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "leaver.toml")
        file.write_text(configuration() + more)
        return load(file, environ={})


def configuration() -> str:
    """A file with a source of each kind and two targets."""
    own = CONFIGURATION.format(
        bamboohr=list(BAMBOOHR_KEYS),
        standard=list(STANDARD_KEYS),
        okta=list(OKTA_SECRETS),
        hibob=list(HIBOB_SECRETS),
        gusto=list(GUSTO_TOKENS),
        finch=list(FINCH_KEYS),
        generic=list(GENERIC_SECRETS),
    )
    presets = (
        f'[sources.{preset}]\nkind = "generic"\npreset = "{preset}"\n'
        f"secrets = {list(GENERIC_SECRETS)}\n"
        for preset in PRESETS
    )
    return own + "".join(presets)


@functools.cache
def empty_ledger() -> bytes:
    """The file of a ledger with its tables and nothing in them; making it takes a while."""
    with tempfile.TemporaryDirectory() as folder:
        ledger = open_ledger(f"sqlite:///{folder}/leaver.db")
        ledger.migrate()
        ledger.close()
        return Path(folder, "leaver.db").read_bytes()
