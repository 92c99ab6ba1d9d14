"""Each target's key, proven by a call that needs it."""

from config.secret import ConfigurationError
from config.settings import TargetSettings
from webhook.doctor.check import Check, Result
from workers import targets
from workers.errors import LockedOut, TargetError
from workers.limits import Unlimited
from workers.reasons import JOB
from workers.targets.base import Call


class _Calls:
    """A journal that only collects, and lets nobody write."""

    def __init__(self) -> None:
        self.made: list[Call] = []

    def intend(self, call: str) -> None:
        """Refuse: nothing is written here."""
        raise RuntimeError(f"doctor must not write: {call}")

    def record(self, call: Call) -> None:
        """Keep it."""
        self.made.append(call)

    def renew(self) -> None:
        """No lease to renew."""


def key_taken(name: str, own: TargetSettings) -> Check:
    """Whether the target answers a call that needs the key and the place."""
    where = f"targets.{name}"
    try:
        for secret in own.secrets.values():
            secret.reveal()
    except ConfigurationError:
        hint = "run `leaver doctor` where the workers run"
        return Check(where, Result.ADVICE, "not tried: its key cannot be read here", hint)
    journal = _Calls()
    try:
        target = targets.build(name, own, Unlimited())
        with target.session(journal) as ready:
            ready.prove_credential(journal)
    except LockedOut as error:
        return Check(where, Result.ATTENTION, f"{error.reason}: {error}", JOB[error.reason].to_do)
    except TargetError as error:
        hint = f"check {where}.base_url, the network, the proxy and Atlassian's status page"
        return Check(where, Result.ATTENTION, str(error), hint)
    calls = ", ".join(f"{call.name} in {call.duration_ms} ms" for call in journal.made)
    return Check(where, Result.OK, f"takes the key ({calls})")
