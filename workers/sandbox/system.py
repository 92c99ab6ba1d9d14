"""One system that is faked, as the sandbox puts it on its shelf."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from workers.sandbox.answers import Answer, Operation
from workers.sandbox.records import Pace, Record, Records


@dataclass(frozen=True, slots=True)
class System:
    """Its accounts, their dataclass, how it behaves, what it can do, and what it answers else.

    name        also the first part of its addresses and of its control's; "" for the cloud
    unknown     the answer of this status for an address that it does not have
    """

    name: str
    cast: Sequence[Record]
    person: type[Record]
    settings: type[Pace]
    operations: Sequence[Operation]
    unknown: Callable[[int], Answer]

    @property
    def prefix(self) -> str:
        """What its addresses begin with."""
        return f"/{self.name}" if self.name else ""

    def start(self, pace: Pace, clock: Callable[[], float]) -> Records[Any, Any]:
        """Its state at the start; `pace` holds for every system, its own settings for this one."""
        if type(pace) is not self.settings:
            common = {name: getattr(pace, name) for name in Pace.__dataclass_fields__}
            pace = self.settings(**common)
        return Records(self.cast, pace, clock=clock)
