"""How fast a target is called: calls_per_second, by all workers together.

Redis keeps, for each target, the instant from which the next call may go.  A worker that wants to
call moves that instant on by the gap between two calls, and waits until its own turn has come; so
turns are given in the order of asking, and no burst follows a quiet time.

A Redis that is lost or slow loosens the limit and does nothing else: for a moment each worker
keeps calls_per_second for itself alone.  How many calls run at once needs no count here: a job
makes one call at a time, and the ledger lets no more than `concurrency` jobs of a target run.
"""

import math
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Protocol

import structlog

from workers.queue import KEY_PREFIX
from workers.targets.base import Journal

if TYPE_CHECKING:
    from redis import Redis

log = structlog.get_logger(__name__)

#: How much wider the gap between two calls is than calls_per_second asks for, because calls do not
#: arrive as evenly as they leave.
HEADROOM = 1.08

#: How long Redis may take to give a turn, and how long it is left alone when it did not.
PATIENCE = timedelta(milliseconds=100)
LEFT_ALONE = timedelta(seconds=1)

#: While it waits a job gives a sign of life this often: a fraction of its lease (journal.LEASE).
SIGN_OF_LIFE = timedelta(seconds=8)

#: Takes the next turn and says in how many microseconds it comes.
#: KEYS[1] holds the instant of the next free turn by the server's clock; ARGV[1] is the gap and
#: ARGV[2] the longest wait there can be, both in microseconds.  An instant further ahead than that
#: is left from before the server's clock was set back.
TAKE_TURN = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local turn = tonumber(redis.call('GET', KEYS[1]) or 0)
if turn < now or turn > now + ARGV[2] then
    turn = now
end
local following = turn + ARGV[1]
local lasts = math.ceil((following - now) / 1000)
redis.call('SET', KEYS[1], string.format('%.0f', following), 'PX', lasts)
return turn - now
"""


class Unlimited:
    """No limit: for the few calls of `leaver doctor`, and for tests."""

    def wait(self, _journal: Journal) -> None:
        """Return at once."""


class Pace(Protocol):
    """What the settings say of how fast a system may be called."""

    @property
    def calls_per_second(self) -> int:
        """By all workers together."""

    @property
    def concurrency(self) -> int:
        """How many jobs there are at once, each of which waits for one turn at most."""


class SharedLimit:
    """workers.targets.base.Limit for one target.  Safe to use from many threads at once.

    `sleep` waits that long, or raises WorkerStopping.
    """

    def __init__(
        self, name: str, settings: Pace, redis: "Redis", sleep: Callable[[timedelta], None]
    ) -> None:
        self._gap = timedelta(seconds=HEADROOM / settings.calls_per_second)
        self._turns = _SharedTurns(name, self._gap, settings.concurrency, redis)
        self._own_turns = _OwnTurns(self._gap)
        self._sleep = sleep

    def wait(self, journal: Journal) -> None:
        """Return when it is the turn of one more call, keeping the job ours meanwhile."""
        ahead = self._turns.take()
        if ahead is None:
            ahead = self._own_turns.take()
        while ahead > SIGN_OF_LIFE:
            self._sleep(SIGN_OF_LIFE)
            journal.renew()
            ahead -= SIGN_OF_LIFE
        if ahead:
            self._sleep(ahead)


class _SharedTurns:
    """The turns that all workers share."""

    def __init__(self, name: str, gap: timedelta, concurrency: int, redis: "Redis") -> None:
        self._name = name
        self._keys = [f"{KEY_PREFIX}turn:{name}"]
        # Each running job waits for one turn at most; those of a stopped worker may be lost.
        self._args = [_microseconds(gap), _microseconds(gap * 4 * concurrency)]
        self._script: Any = redis.register_script(TAKE_TURN)
        self._again_at = -math.inf

    def take(self) -> timedelta | None:
        """How long until our turn; None if Redis does not say."""
        from redis.exceptions import RedisError

        if time.monotonic() < self._again_at:
            return None
        try:
            ahead = timedelta(microseconds=int(self._script(self._keys, self._args)))
        except (RedisError, OSError) as error:
            if self._again_at == -math.inf:
                log.warning("limit not shared", target=self._name, error=type(error).__name__)
            self._again_at = time.monotonic() + LEFT_ALONE.total_seconds()
            return None
        if self._again_at != -math.inf:
            log.info("limit shared again", target=self._name)
            self._again_at = -math.inf
        return ahead


class _OwnTurns:
    """The turns of this process alone."""

    def __init__(self, gap: timedelta) -> None:
        self._gap = gap.total_seconds()
        self._lock = threading.Lock()
        self._next = -math.inf

    def take(self) -> timedelta:
        """How long until our turn."""
        with self._lock:
            now = time.monotonic()
            turn = max(self._next, now)
            self._next = turn + self._gap
            return timedelta(seconds=turn - now)


def _microseconds(span: timedelta) -> int:
    return span // timedelta(microseconds=1)
