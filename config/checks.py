"""What settings that are right one by one still get wrong together, or for this process.

Pure but for the reading of secret files.
"""

import ssl
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from config.keys import token_key
from config.message_urls import service
from config.secret import ConfigurationError, Secret
from config.settings import Settings
from config.sources import BambooHR, Standard, Workday
from config.values import is_loopback

#: What each code is about; it never changes its meaning.  E stops the start with exit code 2, W
#: warns.
CODES: Mapping[str, str] = {
    "E001": "no sources",
    "E002": "no targets",
    "E003": "a secret cannot be read",
    "E004": "two servers on one address",
    "E005": "no certificates to trust",
    "E006": "who we work as is unknown",
    "E007": "groups that a target does not tell",
    "E008": "no URL of apprise",
    "W001": "receiver in clear beyond this machine",
    "W002": "console open beyond this machine",
    "W003": "shadow mode",
    "W004": "several machines, but an embedded queue",
    "W005": "the key's owner is unknown",
    "W006": "tolerance below BambooHR's retries",
    "W007": "a target that no source has",
    "W008": "a private signing key at the door",
    "W009": "a credential expires",
    "W010": "a source that signs nothing",
}

Role = Literal["serve", "work", "console", "up"]

RECEIVES = ("serve", "up")
ACTS = ("work", "up")
SHOWS = ("console", "up")

# Five repetitions after 5, 10, 20, 40 and 80 minutes; whether each is signed anew is not known.
# https://documentation.bamboohr.com/docs/webhooks (read 2026-11-23)
BAMBOOHR_RETRIES = timedelta(minutes=155)

NAME_THE_OWNER = "name the owner of the key, so that this account is never deactivated"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing an operator should know, and what to do about it."""

    code: str
    fault: str
    hint: str

    @property
    def stops(self) -> bool:
        """Whether the process must not start."""
        return self.code.startswith("E")

    def __str__(self) -> str:
        return f"{self.code} {self.fault}; {self.hint}"


def check(settings: Settings, role: Role, *, today: date) -> tuple[Finding, ...]:
    """All findings for a process of this role, errors first; `today` is a day in UTC.

    `doctor` asks for "up".  Reads the files of the secrets that this role needs, and no others.
    """
    found = [finding for find in CHECKS for finding in find(settings, role)]
    found += expiring_keys(settings, role, today)
    return tuple(sorted(found, key=lambda finding: finding.code))


def no_sources(settings: Settings, role: Role) -> Iterator[Finding]:
    """A receiver without a source answers 404 to everything."""
    if role in RECEIVES and not settings.sources:
        yield Finding("E001", "there is no source", "add [sources.NAME]")


def no_targets(settings: Settings, role: Role) -> Iterator[Finding]:
    """Without a target no leaver makes a job."""
    if role != "console" and not settings.targets:
        yield Finding("E002", "there is no target", "add [targets.NAME]")


def unreadable_secrets(settings: Settings, role: Role) -> Iterator[Finding]:
    """The receiver needs the sources' secrets, a worker all others."""
    secrets: list[Secret] = []
    if role in RECEIVES:
        secrets += [key for source in settings.sources.values() for key in source.credentials]
    if role in ACTS:
        secrets += [key for target in settings.targets.values() for key in target.secrets.values()]
        secrets += [api.api_key for api in settings.apis.values()]
        secrets += settings.notify.urls
    if role in SHOWS and settings.console.openid:
        secrets.append(settings.console.openid.client_secret)
    for secret in secrets:
        try:
            secret.reveal()
        except ConfigurationError as error:
            yield Finding("E003", str(error), f"`{role}` needs this secret")


def unknown_services(settings: Settings, role: Role) -> Iterator[Finding]:
    """Nobody would hear of an alarm, and nobody would hear of that."""
    for place, url in enumerate(settings.notify.urls if role in ACTS else (), 1):
        try:
            found = service(url)
        except ConfigurationError:
            continue  # E003 says so.
        if found is None:
            yield Finding(
                "E008",
                f"notify.urls, entry {place} is not a URL that apprise understands",
                "see https://appriseit.com/services for the form of each service",
            )


def missing_certificates(settings: Settings, role: Role) -> Iterator[Finding]:
    """Without them no connection would be trusted, and every call an outage."""
    for name, target in settings.targets.items():
        if role in ACTS and target.ca_bundle and not _holds_certificates(target.ca_bundle):
            yield Finding(
                "E005",
                f"targets.{name}.ca_bundle {target.ca_bundle} holds no certificate to be read",
                "name a PEM file, or a folder that `openssl rehash` has prepared",
            )


def _holds_certificates(path: Path) -> bool:
    try:
        if path.is_dir():
            return any(path.iterdir())
        ssl.create_default_context(cafile=path)
    except (OSError, ssl.SSLError):
        return False
    return True


def one_address_twice(settings: Settings, role: Role) -> Iterator[Finding]:
    """Receiver and console are two servers."""
    address = settings.server.listen
    if role == "up" and address.port and address == settings.console.listen:
        hint = "give console.listen another port"
        yield Finding("E004", f"server.listen and console.listen are both {address}", hint)


def in_clear(settings: Settings, role: Role) -> Iterator[Finding]:
    """Payloads hold personal data, and a proxy that speaks TLS would have been counted."""
    address = settings.server.listen
    if role in RECEIVES and not address.is_loopback and not settings.server.trusted_proxies:
        yield Finding(
            "W001",
            f"server.listen {address} takes deliveries without TLS",
            "let a proxy with TLS stand before it, and set server.trusted_proxies = 1",
        )


def open_console(settings: Settings, role: Role) -> Iterator[Finding]:
    """Its sign-in is for those who should be in, not for everybody to try."""
    address = settings.console.listen
    if role in SHOWS and not address.is_loopback:
        yield Finding(
            "W002",
            f"console.listen {address} lets whoever reaches it try to sign in and read /metrics",
            "listen on 127.0.0.1, or let only your operators and your monitoring through",
        )


def shadow(settings: Settings, role: Role) -> Iterator[Finding]:
    """A good start, and a bad thing to forget."""
    own = {f"sources.{name}.mode": each.mode for name, each in settings.sources.items()}
    own |= {f"targets.{name}.mode": each.mode for name, each in settings.targets.items()}
    of_all = settings.policy.mode == "shadow"
    modes = {"policy.mode": settings.policy.mode} if of_all else own
    for name, mode in modes.items():
        if role in ACTS and mode == "shadow":
            yield Finding(
                "W003",
                f'{name} is "shadow": nobody is deactivated' + ("" if of_all else " there"),
                f'look at `leaver jobs --outcome would_deactivate`, then set {name} = "act"',
            )


def embedded_queue_for_many(settings: Settings, role: Role) -> Iterator[Finding]:
    """A ledger elsewhere means several machines, and the embedded queue reaches one only."""
    url = settings.ledger.url.reveal()
    host = urlsplit(url).hostname
    if role in ACTS and settings.queue.is_embedded and host and not is_loopback(host):
        yield Finding(
            "W004",
            'queue.url is "embedded" while the ledger is on another machine',
            "with workers on several machines, set queue.url to a Redis or Valkey they all reach",
        )


def owner_unknown(settings: Settings, role: Role) -> Iterator[Finding]:
    """It does no harm in shadow mode, and must be known before anybody is deactivated."""
    for name in _without_owner(settings, role, in_shadow=True):
        yield Finding("W005", f"targets.{name}.operated_by is not set", NAME_THE_OWNER)


def self_lock_out(settings: Settings, role: Role) -> Iterator[Finding]:
    """Deactivating the owner of the key would stop every later deactivation."""
    for name in _without_owner(settings, role, in_shadow=False):
        yield Finding("E006", f"targets.{name}.operated_by is not set", NAME_THE_OWNER)


def untold_groups(settings: Settings, role: Role) -> Iterator[Finding]:
    """An entry that protects nobody there would be found out when it is too late."""
    entries = [each for each in settings.policy.protected if each.startswith("group:")]
    for name, target in settings.targets.items():
        if role in ACTS and entries and not target.tells_groups:
            yield Finding(
                "E007",
                f'policy.protected has "{entries[0]}", and targets.{name} does not tell groups',
                "name the people instead, or use another kind of target",
            )


def _without_owner(settings: Settings, role: Role, *, in_shadow: bool) -> list[str]:
    targets = settings.targets.items() if role in ACTS else ()
    return [
        name
        for name, target in targets
        if target.has_owner and not target.operators
        if ("shadow" in (settings.policy.mode, target.mode)) is in_shadow
    ]


def expiring_keys(settings: Settings, role: Role, today: date) -> Iterator[Finding]:
    """From that day on no leaver loses anything."""
    for name, target in settings.targets.items():
        if role in ACTS and (soon := target.expiry(today)):
            yield Finding(
                "W009",
                f"the credential of targets.{name} {soon}",
                f"make a new one, put it into targets.{name}, and set key_expires_on",
            )


def short_tolerance(settings: Settings, role: Role) -> Iterator[Finding]:
    """A repetition that is not signed anew would be quarantined instead of acted on."""
    for name, source in settings.sources.items():
        short = isinstance(source, BambooHR) and source.tolerance < BAMBOOHR_RETRIES
        if role in RECEIVES and short:
            yield Finding(
                "W006",
                f"sources.{name}.tolerance is shorter than the 155 minutes for which BambooHR "
                "tries again, perhaps with the first signature",
                'use "3h" or leave it out',
            )


def forgotten_target(settings: Settings, role: Role) -> Iterator[Finding]:
    """Its accounts would outlive their people in silence."""
    used = {target for source in settings.sources for target in settings.targets_of(source)}
    for name in settings.targets:
        if role in RECEIVES and settings.sources and name not in used:
            yield Finding(
                "W007",
                f"targets.{name} is a target of no source",
                f'add "{name}" to the targets of a source',
            )


def private_key_at_the_door(settings: Settings, role: Role) -> Iterator[Finding]:
    """Who breaks in could then sign terminations; the public half verifies as well."""
    for name, source in settings.sources.items():
        keys = {"secrets": source.secrets} if isinstance(source, Standard | Workday) else {}
        if isinstance(source, Workday):
            keys["public_keys"] = source.public_keys
        for key, secrets in keys.items():
            if role in RECEIVES and any(map(_private, secrets)):
                yield Finding(
                    "W008",
                    f"sources.{name}.{key} holds a private key",
                    "the receiver needs its public half only (whpk_..., or a PUBLIC KEY)",
                )


def _private(secret: Secret) -> bool:
    try:
        text = secret.reveal()
        return text.startswith("whsk_") or token_key(text).private is not None
    except ValueError:
        return False  # No key of a token; or E003 says so.


def unsigned_deliveries(settings: Settings, role: Role) -> Iterator[Finding]:
    """Who once learns a password can send any leaver, and repeat what was sent."""
    for name, source in settings.sources.items():
        if role in RECEIVES and isinstance(source, Workday) and source.auth == "basic":
            yield Finding(
                "W010",
                f'sources.{name}.auth is "basic": neither body nor time is signed',
                'use "standard" or "jwt" if the integration can; else let only its addresses in',
            )


CHECKS: tuple[Callable[[Settings, Role], Iterator[Finding]], ...] = (
    no_sources,
    no_targets,
    unreadable_secrets,
    unknown_services,
    missing_certificates,
    one_address_twice,
    in_clear,
    open_console,
    shadow,
    embedded_queue_for_many,
    owner_unknown,
    self_lock_out,
    untold_groups,
    short_tolerance,
    forgotten_target,
    private_key_at_the_door,
    unsigned_deliveries,
)
