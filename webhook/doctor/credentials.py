"""The key of each target and each HR system, proven by a call that needs it."""

from collections.abc import Callable, Collection, Iterator

from config.secret import ConfigurationError
from config.section import Section, secrets_of
from config.settings import Settings, TargetSettings
from webhook.doctor.check import Check, Result
from workers import targets
from workers.errors import LockedOut, TargetError
from workers.hr import systems
from workers.hr.heartbeat import Heartbeat, Pulse, felt
from workers.journal import Calls
from workers.leavers import hr_target
from workers.limits import Unlimited
from workers.reasons import JOB


def key_taken(name: str, own: TargetSettings) -> Check:
    """Whether the target answers a call that needs the key and the place."""

    def ask(journal: Calls) -> None:
        with targets.build(name, own, Unlimited()).session(journal) as ready:
            ready.prove_credential(journal)

    return _tried("D009", f"targets.{name}", own, ask, whose="Atlassian's")


def hr_key_taken(settings: Settings, but: Collection[str] = ()) -> Iterator[Check]:
    """Whether each HR system that can be asked takes the key, and whether its webhook lives.

    Of the targets in `but` nothing is asked.
    """
    asked = systems.build(settings, lambda _source, _api: Unlimited())
    for source, hr in asked.items():
        if hr_target(source) in but:
            continue
        api = settings.apis[source]
        where, ask = f"sources.{source}.api", hr.prove_credential
        tried = _tried("D011", where, api, ask, whose="the HR system's")
        yield tried
        if tried.result is Result.OK:
            yield _webhook(source, felt(hr, source))


def _tried(
    code: str, where: str, own: Section, ask: Callable[[Calls], None], *, whose: str
) -> Check:
    """Whether a system takes the key in `own`; `ask` makes a call that needs it."""
    try:
        for _, secret in secrets_of(own):
            secret.reveal()
    except ConfigurationError:
        hint = "run `leaver doctor` where the workers run"
        return Check(code, where, Result.ADVICE, "not tried: its key cannot be read here", hint)
    journal = Calls()
    try:
        ask(journal)
    except LockedOut as error:
        return Check(
            code, where, Result.ATTENTION, f"{error.reason}: {error}", JOB[error.reason].to_do
        )
    except TargetError as error:
        hint = f"check {where}.base_url, the network, the proxy and {whose} status page"
        return Check(code, where, Result.ATTENTION, str(error), hint)
    calls = ", ".join(f"{call.name} in {call.duration_ms} ms" for call in journal.made)
    return Check(code, where, Result.OK, f"takes the key ({calls})")


def _webhook(source: str, heartbeat: Heartbeat) -> Check:
    """What HR says of its webhook; what the key may not see is said, and is no fault."""
    name = f"webhook of {source}"
    match heartbeat.pulse:
        case Pulse.ALIVE:
            return Check("D012", name, Result.OK, f"alive, {heartbeat.detail}")
        case Pulse.FAILING:
            hint = "look at its log in HR, and at the receiver's own log"
            return Check("D012", name, Result.ATTENTION, heartbeat.detail, hint)
        case _:
            hint = "only whoever made a webhook is shown it; look at it in HR now and then"
            finding = f"may not be read with this key: {heartbeat.detail}"
            return Check("D012", name, Result.ADVICE, finding, hint)
