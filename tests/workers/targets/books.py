"""A journal for tests: it keeps what a target writes into it, and may refuse the leave to write."""

from workers.targets.base import Call


class Book:
    """`events` has, in order, the name of each intended write and each recorded Call."""

    def __init__(self, refusal: Exception | None = None) -> None:
        self.events: list[str | Call] = []
        self._refusal = refusal

    def intend(self, call: str) -> None:
        if self._refusal:
            raise self._refusal
        self.events.append(call)

    def record(self, call: Call) -> None:
        self.events.append(call)

    def renew(self) -> None:
        """A lease that never ends."""

    @property
    def calls(self) -> list[Call]:
        return [event for event in self.events if isinstance(event, Call)]

    @property
    def names(self) -> list[str]:
        return [call.name for call in self.calls]
