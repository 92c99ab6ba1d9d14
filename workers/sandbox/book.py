"""The book of orders: which fault falls on which call, and how often it did."""

import threading
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from uuid import uuid4

from workers.sandbox.answers import Operation
from workers.sandbox.faults import EVERY_OPERATION, KINDS, Order, kind_of


@dataclass(slots=True)
class Placed:
    """An order in the book: how many calls it let pass, and how many it fell on."""

    order: Order
    id: str = field(default_factory=lambda: uuid4().hex[:8])
    passed: int = 0
    hits: int = 0
    cleared: threading.Event = field(default_factory=threading.Event)

    @property
    def is_spent(self) -> bool:
        return self.order.times is not None and self.hits >= self.order.times


class Book:
    """The orders in place, oldest first.  Safe to use from many threads."""

    def __init__(self, operations: Mapping[str, Operation]) -> None:
        self._operations = operations
        self._lock = threading.Lock()
        self._placed: list[Placed] = []

    def place(self, order: Order) -> Placed:
        """Put an order in the book; ValueError says what it should have been."""
        if order.operation not in (EVERY_OPERATION, *self._operations):
            raise ValueError(
                f"operation {order.operation!r} is unknown: "
                f"it is '*' or one of {', '.join(self._operations)}"
            )
        possible = self.faults(order.operation)
        if order.fault not in possible:
            raise ValueError(
                f"fault {order.fault!r} does not exist for operation {order.operation!r}: "
                f"it is one of {', '.join(possible)}"
            )
        placed = Placed(order)
        with self._lock:
            self._placed.append(placed)
        return placed

    def faults(self, name: str = EVERY_OPERATION) -> list[str]:
        """The faults that an operation, or any of them, can have."""
        operations = [o for o in self._operations.values() if name in (EVERY_OPERATION, o.name)]
        words = dict.fromkeys([*KINDS, *(word for o in operations for word in o.api.errors)])
        return [word for word in words if any(kind_of(word).fits(o) for o in operations)]

    def take(
        self, operation: Operation, account_id: str | None, emails: Collection[str]
    ) -> Placed | None:
        """The first order that falls on this call, counted; None: the call goes well."""
        with self._lock:
            for placed in self._placed:
                if placed.is_spent or not _falls_on(placed.order, operation, account_id, emails):
                    continue
                if placed.passed < placed.order.after:
                    placed.passed += 1
                    continue
                placed.hits += 1
                return placed
        return None

    def orders(self) -> list[Placed]:
        with self._lock:
            return list(self._placed)

    def clear(self) -> None:
        """Forget all orders, and let go of the calls that hang."""
        with self._lock:
            for placed in self._placed:
                placed.cleared.set()
            self._placed.clear()


def _falls_on(
    order: Order, operation: Operation, account_id: str | None, emails: Collection[str]
) -> bool:
    return (
        order.operation in (EVERY_OPERATION, operation.name)
        and kind_of(order.fault).fits(operation)
        and order.account_id in (None, account_id)
        and (order.email is None or order.email.lower() in {email.lower() for email in emails})
    )
