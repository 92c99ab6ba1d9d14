"""What journeys have: a Leaver for each test, with a private Redis and SQLite."""

from tests.journeys.conftest import installation, receiver, worker

__all__ = ["installation", "receiver", "worker"]
