"""A configuration in a folder of its own."""

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

import pytest

from config.settings import Settings, load

# The least that starts: one of each kind.
TOML = """\
[policy]
timezone = "Europe/Berlin"

[sources.bamboohr]
kind = "bamboohr"
secrets = ["test-key-not-a-secret"]

[sources.workday-emea]
kind = "standard"
secrets = ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"]

[targets.cloud]
kind = "atlassian-org"
org_id = "11111111-2222-3333-4444-555555555555"
api_key = "test-api-key-not-a-secret"
"""


class Configured(Protocol):
    """Loads TOML as ./leaver.toml, with these and no other LEAVER_ variables."""

    def __call__(self, toml: str = TOML, environ: Mapping[str, str] = {}) -> Settings: ...


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, the current one."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def configured(folder: Path) -> Configured:
    """Settings from a text."""

    def configure(toml: str = TOML, environ: Mapping[str, str] = {}) -> Settings:
        (folder / "leaver.toml").write_text(toml, encoding="utf-8")
        return load(None, environ)

    return configure
