"""A thread beside the sweep goes on, whatever happens in it, until the worker stops."""

from datetime import timedelta

import pytest

from tests.servers import wait_until
from tests.workers.shop import Shop
from workers.beside import Beside
from workers.errors import WorkerStopping
from workers.ledger import LedgerUnavailable

OFTEN = timedelta(milliseconds=1)


@pytest.fixture
def runtime(sqlite_ledger, tmp_path):
    shop = Shop(sqlite_ledger, tmp_path)
    yield shop.runtime
    shop.runtime.stopping.set()
    shop.close()


@pytest.mark.parametrize("error", [LedgerUnavailable("gone"), KeyError("an error of ours")])
def test_it_goes_on_after_an_error(runtime, error):
    """Nobody would notice that it is gone."""
    times = []

    def once(now):
        times.append(now)
        raise error

    thread = Beside(runtime, "lookout", once, OFTEN)
    thread.start()

    wait_until(lambda: len(times) > 2)
    runtime.stopping.set()
    thread.join(10)
    assert not thread.is_alive()


def test_it_ends_with_the_worker(runtime):
    """Also in the middle of what it does."""
    times = []

    def once(now):
        times.append(now)
        raise WorkerStopping

    thread = Beside(runtime, "lookout", once, OFTEN)
    thread.start()
    thread.join(10)

    assert (len(times), thread.is_alive()) == (1, False)
