"""The lookout: what people do by hand to the accounts that shadow mode left alone.

Each worker looks once a minute for accounts whose look is due, and reads them by id, as a job does
to prove its deed.  An error is no answer: the account is looked at again later, and never counts as
off.  It reads only, through the target's own limit, while no job of the target is at work.
"""

from collections import deque
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import groupby
from operator import attrgetter

import structlog

from workers.errors import LockedOut, Refused, TargetError
from workers.journal import Calls
from workers.ledger import sightings
from workers.ledger.sightings import Sighting
from workers.runtime import Runtime
from workers.targets.base import Access, Account, Target, Way

log = structlog.get_logger(__name__)

EVERY = timedelta(minutes=1)
AT_A_LOOK = 50

#: How long a target is left alone that refuses our credential or asks us to slow down: many wrong
#: logins lock an account, and no leaver waits for this.
RESPITE = timedelta(hours=1)


class Lookout:
    """That of one worker."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    def once(self, now: datetime) -> None:
        """Look at what is due.  Raises WorkerStopping."""
        runtime = self._runtime
        targets = runtime.targets
        due = sightings.take(runtime.ledger, list(targets), now=now, at_most=AT_A_LOOK)
        by_target = attrgetter("target")
        for name, group in groupby(sorted(due, key=by_target), by_target):
            self._look_at(targets[name], list(group))

    def _look_at(self, target: Target, due: Sequence[Sighting]) -> None:
        ledger, clock = self._runtime.ledger, self._runtime.clock
        waiting = deque(due)
        asked: Sighting | None = None
        try:
            with target.session(Calls()) as ready:
                while waiting and not self._runtime.stopping.is_set():
                    asked = waiting.popleft()
                    self._look(ready, asked)
        except TargetError as error:
            # The others would only meet it too, unless it is the trouble of this one account.
            sightings.put_off(ledger, waiting, str(error), clock.now())
            if isinstance(error, LockedOut):
                sightings.spare(ledger, target.name, clock.now() + RESPITE, last=asked)

    def _look(self, target: Target, sighting: Sighting) -> None:
        ledger, clock = self._runtime.ledger, self._runtime.clock
        asked_at = clock.now()
        try:
            seen = target.read(Calls(), _account(sighting))
        except TargetError as error:
            sightings.unseen(ledger, sighting, str(error))
            if not isinstance(error, Refused):
                raise
            return
        if seen is None or seen.access is Access.OFF:
            sightings.off(ledger, sighting, clock.now(), gone=seen is None)
            log.info("switched off by hand", job_id=sighting.job, target=sighting.target)
        elif seen.access is Access.ACTIVE:
            sightings.on(ledger, sighting, asked_at)
        else:
            sightings.unseen(ledger, sighting, "the target did not say whether it is active")


def _account(sighting: Sighting) -> Account:
    """The account as the job matched it."""
    way = Way(sighting.snapshot.get("way", Way.UNCLEAR))
    return Account(sighting.account_id, sighting.email, access=Access.UNKNOWN, way=way)
