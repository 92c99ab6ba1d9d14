"""How fast a target is called."""

from workers.targets.base import Journal


class Unlimited:
    """No limit: for the few calls of `leaver doctor`, and for tests."""

    def wait(self, _journal: Journal) -> None:
        """Return at once."""
