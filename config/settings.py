"""Every setting once: its name, type, unit, default and meaning.

Values come from a TOML file; the environment beats it (environment.py).  They are read at start and
again at SIGHUP, are frozen, and are passed as an argument.  Whatever is wrong stops the start with
one line (refusals.py).  Those of the HR systems are in sources.py, those of the Atlassian systems
in targets.py.  leaver.example.toml shows them all; a test holds it equal to all three.
"""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Self, TypeVar
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, PrivateAttr, ValidationError, model_validator
from pydantic_core import PydanticCustomError
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from config import sources, targets
from config.environment import Key, Models, overlay
from config.openid import OpenId
from config.refusals import BROKEN_RULE, Refusals, quoted
from config.secret import ConfigurationError, Secret, Withheld
from config.section import Section, secrets_of, setting
from config.sources import Api, SourceSettings
from config.targets import AtlassianOrg, TargetSettings
from config.values import (
    DONE_FIELDS,
    Address,
    Approve,
    Domain,
    DoneText,
    Duration,
    LedgerUrl,
    Listed,
    Listen,
    MessageUrl,
    Mode,
    Name,
    Protected,
    QueueUrl,
    ShortDuration,
    SlidingWindow,
    TimeZone,
    Whole,
    Window,
    duration,
    mapped,
    spelled,
)

# The names of other rooms for what is set; values.py and secret.py stay behind this module.
__all__ = [
    "DONE_FIELDS",
    "Address",
    "AtlassianOrg",
    "ConfigurationError",
    "Notify",
    "Secret",
    "Settings",
    "TargetSettings",
    "Window",
    "duration",
    "load",
    "spelled",
]

DEFAULT_FILE = Path("leaver.toml")
SQLITE = "sqlite:///"

SecretSection = TypeVar("SecretSection", bound=Section)


class Server(Section):
    """The receiver."""

    listen: Listen = setting("Address of the receiver, where HR systems post.", "127.0.0.1:8000")
    max_body_bytes: Whole = setting(
        "Largest body that is read, in bytes; a larger one is answered 413, and then most HR "
        "systems never send it again.",
        1048576,
        ge=1024,
        le=104857600,
    )
    trusted_proxies: Whole = setting(
        "Hops of proxies whose X-Forwarded-* headers are believed.", 0, ge=0, le=10
    )


class Console(Section):
    """The operators' side."""

    listen: Listen = setting(
        "Address of the console; people sign in to it, and programs read /metrics and /healthz. "
        "For other machines put a proxy with TLS in front (server.trusted_proxies).",
        "127.0.0.1:8001",
    )
    openid: Annotated[OpenId | None, BeforeValidator(mapped)] = setting(
        "An OpenID provider where people sign in to the console, beside the local users.", None
    )


class Ledger(Section):
    """The record of everything."""

    url: LedgerUrl = setting(
        "Where the record is kept: sqlite:///PATH (a relative PATH begins at the folder of this "
        "file), or postgresql+psycopg://USER:PASSWORD@HOST/NAME, needed as soon as there is more "
        "than one machine.",
        "sqlite:///var/leaver.db",
    )


class Queue(Section):
    """The wake-up calls for workers."""

    url: QueueUrl = setting(
        '"embedded" starts a private Valkey on this machine; else redis://, rediss://, unix:// or '
        "sentinel://.",
        "embedded",
    )

    @property
    def is_embedded(self) -> bool:
        """Whether `up` and `demo` start the queue themselves."""
        return self.url.reveal() == "embedded"


class Policy(Section):
    """What may be done, and to whom."""

    mode: Mode = setting('"shadow" decides and reads but changes nothing; "act" acts.', "shadow")
    timezone: TimeZone = setting(
        "Time zone in which a bare date of HR is meant, an IANA name such as "
        '"Europe/Berlin"; a source may set its own.'
    )
    protected: Listed[Protected] = setting(
        "Accounts that are never touched: e-mail addresses, patterns such as "
        '"*-svc@example.com", "employee:4711" for an employee id of HR, "account:..." for the id '
        'of an account, or "group:board" for who is in that group of the target ("group:exec-*" '
        "for several). Their jobs are held.",
        (),
    )
    email_domains: Listed[Domain] = setting(
        'Domains of your people, such as "example.com"; a leaver of another one is held. Empty: '
        "every domain is yours.",
        (),
    )
    brake: Listed[SlidingWindow] = setting(
        "How many leavers of all sources together may be acted on within how long; at one more, "
        "everybody waits for `leaver brake release`. [] switches it off.",
        ({"leavers": 10, "per": "1h"}, {"leavers": 50, "per": "24h"}),
    )
    approve: Approve = setting(
        'What waits until a second person approves it in the console: "none", "manual" (what an '
        'operator entered or forced: terminate, replay --force, reinstate --force) or "all".',
        "none",
    )
    remind_every: Duration = setting(
        "How often the alarm about what waits for a person is said again while it is open.", "24h"
    )
    dedup_window: Duration = setting(
        "How long the same event of the same person counts as a repetition.", "7d"
    )
    quarantine_limit: Whole = setting(
        "How many deliveries of one source may wait in quarantine; another one is answered 503, so "
        "that HR keeps it and sends it again. An alarm is raised at a tenth of it.",
        10000,
        ge=10,
    )


class Retry(Section):
    """When a job is tried again."""

    first_delay: Duration = setting(
        "Wait after the first attempt; it doubles, with jitter, up to max_delay.", "30s"
    )
    max_delay: Duration = setting("Longest wait between two attempts.", "6h")
    give_up_after: Duration = setting(
        "After this a job has failed; time in pauses is not counted.", "7d"
    )


class Verify(Section):
    """Reading back what was done."""

    timeout: ShortDuration = setting(
        "How long one attempt reads back before it is retried, at most 15m.", "60s"
    )


class Notify(Section):
    """Messages to people."""

    urls: Listed[MessageUrl] = setting(
        "Where every alarm is said, and that it is over: URLs of apprise, such as "
        '"slack://...", "mailtos://..." or "jsons://..."; only workers read them. Try them with '
        "`leaver notify test`.",
        (),
    )
    group_every: ShortDuration = setting(
        "What is raised or ends within this time is one message; at most 15m.", "1m"
    )
    on_done: DoneText | None = setting(
        "Also said of every job that is done: a text that may have {job}, {outcome}, {target}, "
        "{source}, {employee_id}, {account_id} and {email} in it. Left out: nothing.",
        None,
    )


MODELS: Models = {
    "server": {"": Server},
    "console": {"": Console},
    "ledger": {"": Ledger},
    "queue": {"": Queue},
    "policy": {"": Policy},
    "retry": {"": Retry},
    "verify": {"": Verify},
    "notify": {"": Notify},
    "sources": sources.KINDS,
    "targets": targets.KINDS,
}


class Settings(BaseSettings):
    """All of it.  A section may be left out if nothing in it is required."""

    model_config = SettingsConfigDict(
        frozen=True, extra="forbid", case_sensitive=True, hide_input_in_errors=True
    )

    server: Server = setting("The receiver.", {})
    console: Console = setting("The operators' side.", {})
    ledger: Ledger = setting("The record of everything.", {})
    queue: Queue = setting("The wake-up calls for workers.", {})
    policy: Policy = setting("What may be done, and to whom.", {})
    retry: Retry = setting("When a job is tried again.", {})
    verify: Verify = setting("Reading back what was done.", {})
    notify: Notify = setting("Messages to people.", {})
    sources: dict[Name, SourceSettings] = setting(
        "The HR systems, each under a name of your choice.", {}
    )
    targets: dict[Name, TargetSettings] = setting(
        "The Atlassian systems, each under a name of your choice.", {}
    )

    _home: Path = PrivateAttr(default_factory=Path.cwd)

    @property
    def home(self) -> Path:
        """Where relative paths begin: the configuration file's folder, else the current one."""
        return self._home

    def for_the_door(self) -> Self:
        """What receiver and console may have: what only workers need is withheld.

        That is every secret of a target, the key that an HR system is asked with, and where
        messages go.
        """
        targets = {
            name: _withheld(f"targets.{name}", target) for name, target in self.targets.items()
        }
        sources = {
            name: source.model_copy(update={"api": _withheld(f"sources.{name}.api", api)})
            if (api := source.asked_at)
            else source
            for name, source in self.sources.items()
        }
        notify = _withheld("notify", self.notify)
        return self.model_copy(update={"notify": notify, "sources": sources, "targets": targets})

    @property
    def apis(self) -> dict[str, Api]:
        """Where each source that can be asked is asked, by the name of the source."""
        return {name: own.asked_at for name, own in self.sources.items() if own.asked_at}

    @property
    def operators(self) -> tuple[str, ...]:
        """E-mail addresses and usernames of the accounts behind the credentials of all targets."""
        return tuple(name for own in self.targets.values() for name in own.operators)

    def zone_of(self, source: str) -> ZoneInfo:
        """What a bare date of a source is meant in."""
        return ZoneInfo(self.sources[source].timezone or self.policy.timezone)

    def targets_of(self, source: str) -> tuple[str, ...]:
        """The names of the targets where a source's leavers lose their access."""
        return self.sources[source].targets or tuple(self.targets)

    def shadowed_by(self, source: str, target: str) -> str:
        """The setting that keeps a source's leavers in a target in shadow mode; "" if they act."""
        own = {
            f"sources.{source}.mode": self.sources[source].mode if source in self.sources else None,
            f"targets.{target}.mode": self.targets[target].mode if target in self.targets else None,
        }
        modes = {"policy.mode": self.policy.mode} | own
        return next((name for name, mode in modes.items() if mode == "shadow"), "")

    def brakes_of(self, source: str) -> dict[str, tuple[Window, ...]]:
        """The brakes that a leaver of this source must pass, by source; "" is over all sources."""
        own = self.sources[source].brake if source in self.sources else ()
        brakes = {"": self.policy.brake, source: own}
        return {name: windows for name, windows in brakes.items() if windows}

    def all_brakes(self) -> dict[str, tuple[Window, ...]]:
        """Every brake, by source; "" is over all sources."""
        brakes = self.brakes_of("")
        for name in self.sources:
            brakes |= self.brakes_of(name)
        return brakes

    @model_validator(mode="after")
    def _agree(self) -> Self:
        if self.retry.max_delay < self.retry.first_delay:
            raise _broken(("retry", "max_delay"), None, "is shorter than retry.first_delay")
        if sources.OPERATOR in self.sources:
            sentence = "is taken: leavers entered by hand have it as their source; use another name"
            raise _broken(("sources", sources.OPERATOR), None, sentence)
        for name, source in self.sources.items():
            for target in source.targets or ():
                if target not in self.targets:
                    known = " or ".join(map(quoted, self.targets)) or "nothing: [targets] is empty"
                    key = ("sources", name, "targets")
                    raise _broken(key, target, f"is not a target; use {known}")
        for section, systems in (("sources", self.sources), ("targets", self.targets)):
            for name, own in systems.items():
                for fault in own.faults():
                    raise _broken(
                        (section, name, *fault.key.split(".")), fault.value, fault.sentence
                    )
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Nothing but what is passed: the environment is read by our own rules, in load()."""
        return (init_settings,)


def load(path: Path | None = None, environ: Mapping[str, str] = os.environ) -> Settings:
    """The settings of `path`, else of $LEAVER_CONFIG, else of ./leaver.toml if it is there.

    Raises ConfigurationError, whose message is the one line to show.
    """
    file = _find(path, environ)
    written = _read(file)
    over = overlay(environ, MODELS)
    sources = (InitSettingsSource(Settings, over.values), written)
    settings, problems = None, over.problems
    try:
        settings = Settings(_build_sources=(sources, {}))  # type: ignore[call-arg]  # not a field
    except ValidationError as error:
        where = str(file or f"no {DEFAULT_FILE} in {Path.cwd()} (--config names one)")
        problems = problems + Refusals(where, over.variables, MODELS).lines(error)
    if settings is None or problems:
        raise ConfigurationError(_one_line(problems))
    return _at_home(settings, file.absolute().parent if file else Path.cwd())


def _find(path: Path | None, environ: Mapping[str, str]) -> Path | None:
    """The file to read; None if there is none and nobody named one."""
    if path is not None:
        return path
    if "LEAVER_CONFIG" in environ:
        return Path(environ["LEAVER_CONFIG"])
    return DEFAULT_FILE if DEFAULT_FILE.is_file() else None


def _read(file: Path | None) -> TomlConfigSettingsSource:
    try:
        if file and not file.is_file():
            raise ConfigurationError(
                f"{file}: there is no such file; --config or LEAVER_CONFIG names it"
            )
        return TomlConfigSettingsSource(Settings, file)
    except tomllib.TOMLDecodeError as error:
        # Its text ends in "(at line 3, column 7)" or "(at end of document)".
        fault, _, place = str(error).rpartition(" (at ")
        raise ConfigurationError(f"{file}: {place.rstrip(')')}: {fault}") from None
    except UnicodeDecodeError:
        raise ConfigurationError(f"{file}: is not UTF-8 text") from None
    except OSError as error:
        raise ConfigurationError(f"{file}: cannot be read: {error.strerror}") from None


def _at_home(settings: Settings, home: Path) -> Settings:
    """A relative path begins at home, wherever the command is run."""
    url = settings.ledger.url.reveal()
    if url.startswith(SQLITE):
        url = SQLITE + str(home / url.removeprefix(SQLITE))
    ledger = settings.ledger.model_copy(update={"url": Secret(url)})
    targets = {
        name: target.model_copy(update={"ca_bundle": target.ca_bundle and home / target.ca_bundle})
        for name, target in settings.targets.items()
    }
    placed = settings.model_copy(update={"ledger": ledger, "targets": targets})
    placed._home = home
    return placed


def _withheld(place: str, section: SecretSection) -> SecretSection:
    secrets: dict[str, Secret | tuple[Secret]] = {}
    for key, _ in secrets_of(section):
        secret = Secret(Withheld(f"{place}.{key} is withheld from this process"))
        secrets[key] = (secret,) if isinstance(getattr(section, key), tuple) else secret
    return section.model_copy(update=secrets)


def _broken(key: Key, value: str | None, sentence: str) -> PydanticCustomError:
    return PydanticCustomError(
        BROKEN_RULE, "{sentence}", {"key": key, "value": value, "sentence": sentence}
    )


def _one_line(problems: list[str]) -> str:
    """The first, and how many more there are."""
    first, *others = problems
    return f"{first} (and {len(others)} more)" if others else first
