"""The key of each target and each HR system, proven by a call that needs it."""

from collections.abc import Iterator

from config.secret import ConfigurationError
from config.settings import Settings, TargetSettings
from webhook.doctor.check import Check, Result
from workers import targets
from workers.errors import LockedOut, TargetError
from workers.hr import systems
from workers.hr.heartbeat import Heartbeat, Pulse, felt
from workers.journal import Calls
from workers.limits import Unlimited
from workers.reasons import JOB


def key_taken(name: str, own: TargetSettings) -> Check:
    """Whether the target answers a call that needs the key and the place."""
    where = f"targets.{name}"
    try:
        for secret in own.secrets.values():
            secret.reveal()
    except ConfigurationError:
        hint = "run `leaver doctor` where the workers run"
        return Check(where, Result.ADVICE, "not tried: its key cannot be read here", hint)
    journal = Calls()
    try:
        target = targets.build(name, own, Unlimited())
        with target.session(journal) as ready:
            ready.prove_credential(journal)
    except LockedOut as error:
        return Check(where, Result.ATTENTION, f"{error.reason}: {error}", JOB[error.reason].to_do)
    except TargetError as error:
        hint = f"check {where}.base_url, the network, the proxy and Atlassian's status page"
        return Check(where, Result.ATTENTION, str(error), hint)
    return Check(where, Result.OK, _taken(journal))


def hr_key_taken(settings: Settings) -> Iterator[Check]:
    """Whether each HR system that can be asked takes the key, and whether its webhook lives."""
    asked = systems.build(settings, lambda _source, _api: Unlimited())
    for source, hr in asked.items():
        where = f"sources.{source}.api"
        try:
            settings.apis[source].api_key.reveal()
        except ConfigurationError:
            hint = "run `leaver doctor` where the workers run"
            yield Check(where, Result.ADVICE, "not tried: its key cannot be read here", hint)
            continue
        journal = Calls()
        try:
            hr.prove_credential(journal)
        except LockedOut as error:
            to_do = JOB[error.reason].to_do
            yield Check(where, Result.ATTENTION, f"{error.reason}: {error}", to_do)
            continue
        except TargetError as error:
            hint = f"check {where}.base_url, the network, the proxy and the HR system's status page"
            yield Check(where, Result.ATTENTION, str(error), hint)
            continue
        yield Check(where, Result.OK, _taken(journal))
        yield _webhook(source, felt(hr, source))


def _webhook(source: str, heartbeat: Heartbeat) -> Check:
    """What HR says of its webhook; what the key may not see is said, and is no fault."""
    name = f"webhook of {source}"
    match heartbeat.pulse:
        case Pulse.ALIVE:
            return Check(name, Result.OK, f"alive, {heartbeat.detail}")
        case Pulse.FAILING:
            hint = "look at its log in HR, and at the receiver's own log"
            return Check(name, Result.ATTENTION, heartbeat.detail, hint)
        case _:
            hint = "only whoever made a webhook is shown it; look at it in HR now and then"
            finding = f"may not be read with this key: {heartbeat.detail}"
            return Check(name, Result.ADVICE, finding, hint)


def _taken(journal: Calls) -> str:
    calls = ", ".join(f"{call.name} in {call.duration_ms} ms" for call in journal.made)
    return f"takes the key ({calls})"
