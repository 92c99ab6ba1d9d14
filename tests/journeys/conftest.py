"""A Leaver of its own for each journey, with a private Redis and SQLite."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.installation import Installation, Process
from tests.servers import RedisServer


@pytest.fixture
def installation(tmp_path: Path, redis_server: RedisServer) -> Iterator[Installation]:
    """Nothing of it runs yet."""
    with Installation(tmp_path, queue_url=redis_server.url) as installation:
        yield installation


@pytest.fixture
def receiver(installation: Installation) -> Process:
    """`leaver serve`, running."""
    return installation.start("serve")


@pytest.fixture
def worker(installation: Installation) -> Process:
    """`leaver work`, running."""
    return installation.start("work")
