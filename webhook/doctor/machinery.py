"""Ledger, queue and clock."""

import shutil
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import partial
from pathlib import Path
from typing import Any

import requests
import sqlalchemy as sa
from redis.exceptions import RedisError, ResponseError

from config.secret import ConfigurationError
from config.settings import Settings
from webhook.doctor.check import Check, Result
from workers.ledger import Ledger, LedgerOutdated, LedgerUnavailable
from workers.queue import redis_client, require_running

#: Asks somebody for the time; None where they do not tell.
Clock = Callable[[], datetime | None]

#: So much room must be left for the ledger.
ROOM_BYTES = 1 << 30
#: A clock further off than this breaks signatures and cutoffs.
SKEW = timedelta(seconds=30)
OLDEST_REDIS = (6, 2)


def ledger_sound(ledger: Ledger) -> Generator[Check, None, bool]:
    """Whether it can be used, and what was committed stays; gives whether it can be used."""
    reachable = _ledger_reachable(ledger)
    yield reachable
    readable = reachable.result is Result.OK
    if readable:
        yield from _ledger_durable(ledger)
    return readable


def _ledger_reachable(ledger: Ledger) -> Check:
    """Whether it can be read and written, and has this version's schema."""
    file = ledger.engine.url.database
    if ledger.is_sqlite and file and not Path(file).exists():
        return Check(
            "D002", "ledger", Result.ATTENTION, f"there is none at {file}", "run `leaver migrate`"
        )
    try:
        ledger.check_schema()
        ledger.ping()
    except LedgerOutdated as error:
        return Check("D002", "ledger", Result.ATTENTION, str(error))
    except LedgerUnavailable as error:
        hint = "deliveries are answered 503 until it is back: check ledger.url, disk and server"
        return Check("D002", "ledger", Result.ATTENTION, " ".join(str(error).split()), hint)
    return Check("D002", "ledger", Result.OK, "can be read and written, its schema is up to date")


def _ledger_durable(ledger: Ledger) -> Iterator[Check]:
    """Whether what was committed survives a power cut, and whether there is room."""
    if ledger.is_sqlite:
        found = _told(ledger, "PRAGMA", "journal_mode", "synchronous")
        sound = found == {"journal_mode": "wal", "synchronous": "2"}
        hint = "put the file on a local disk: SQLite's WAL does not work on a network share"
    else:
        found = _told(ledger, "SHOW", "fsync", "synchronous_commit")
        sound = "off" not in found.values()
        hint = "set both on: what was answered 202 must survive a power cut"
    finding = ", ".join(f"{name}={value}" for name, value in found.items())
    if sound:
        yield Check("D003", "ledger.durability", Result.OK, finding)
    else:
        yield Check("D003", "ledger.durability", Result.ATTENTION, finding, hint)
    if ledger.is_sqlite:
        yield _room_left(Path(str(ledger.engine.url.database)))


def _told(ledger: Ledger, show: str, *names: str) -> dict[str, str]:
    with ledger.read() as tx:
        return {name: str(tx.scalar(sa.text(f"{show} {name}"))) for name in names}


def _room_left(file: Path) -> Check:
    free = shutil.disk_usage(file.parent).free
    finding = f"{free / (1 << 30):.1f} GiB left for {file}"
    if free >= ROOM_BYTES:
        return Check("D004", "ledger.disk", Result.OK, finding)
    return Check(
        "D004", "ledger.disk", Result.ATTENTION, finding, "make room: a full disk records nothing"
    )


def queue_sound(settings: Settings) -> Iterator[Check]:
    """Reachable and new enough; what it would lose is only advice, the ledger being the truth."""
    try:
        with _queue(settings) as client:
            version = str(client.info("server")["redis_version"])
            lasting = _setting(client, "appendonly", "persistence", "aof_enabled")
            evicting = _setting(client, "maxmemory-policy", "memory", "maxmemory_policy")
    except ConfigurationError as error:
        yield Check("D005", "queue", Result.ATTENTION, str(error))
        return
    except (RedisError, OSError) as error:
        hint = "deliveries are safe and jobs wait: start it, or mend queue.url"
        yield Check("D005", "queue", Result.ATTENTION, f"no answer ({type(error).__name__})", hint)
        return
    if tuple(map(int, version.split(".")[:2])) < OLDEST_REDIS:
        hint = "use Redis or Valkey 6.2 or newer"
        yield Check("D005", "queue", Result.ATTENTION, f"version {version} is too old", hint)
    else:
        yield Check("D005", "queue", Result.OK, f"answers, version {version}")
    finding = f"append-only file: {lasting}, maxmemory-policy: {evicting}"
    if lasting in ("yes", "1") and evicting == "noeviction":
        yield Check("D006", "queue.durability", Result.OK, finding)
    else:
        hint = "better: appendonly yes, maxmemory-policy noeviction. What it loses is found again"
        yield Check("D006", "queue.durability", Result.ADVICE, finding, hint)


def _queue(settings: Settings) -> closing[Any]:
    """A client of the queue, for a `with`.  ConfigurationError if an embedded one does not run."""
    url = settings.queue.url.reveal()
    require_running(url, settings.home)
    return closing(redis_client(url, settings.home))


def _setting(client: Any, name: str, section: str, field: str) -> str:
    """A setting of the server, from INFO where CONFIG is forbidden."""
    try:
        return str(client.config_get(name)[name])
    except (ResponseError, KeyError):
        return str(client.info(section).get(field, "unknown"))


def clock_right(clocks: Mapping[str, Clock]) -> Check:
    """Whether others have the same time; who does not answer is told by its own check."""
    compared = []
    for name, clock in clocks.items():
        asked = datetime.now(UTC)
        try:
            theirs = clock()
        except (RedisError, OSError, ConfigurationError, LedgerUnavailable):
            continue
        if theirs is None:
            continue
        ahead = asked + (datetime.now(UTC) - asked) / 2 - theirs
        if abs(ahead) > SKEW:
            way = "ahead of" if ahead > timedelta() else "behind"
            finding = f"{abs(ahead).total_seconds():.0f} s {way} {name}"
            hint = "set the clocks by NTP: signatures and cutoffs depend on them"
            return Check("D007", "clock", Result.ATTENTION, finding, hint)
        compared.append(name)
    with_whom = f"agrees with {', '.join(compared)}" if compared else "nobody to compare it with"
    return Check("D007", "clock", Result.OK, with_whom)


def own_clocks(settings: Settings, ledger: Ledger | None) -> dict[str, Clock]:
    """The servers of this installation, where they can be asked for the time."""
    clocks: dict[str, Clock] = {"the queue": partial(_queue_time, settings)}
    if ledger and not ledger.is_sqlite:
        clocks["the ledger"] = partial(_ledger_time, ledger)
    return clocks


def target_clocks(settings: Settings) -> dict[str, Clock]:
    """The servers of the targets."""
    targets = settings.targets.items()
    return {f"targets.{name}": partial(_server_time, own.base_url) for name, own in targets}


def _queue_time(settings: Settings) -> datetime:
    with _queue(settings) as client:
        seconds, microseconds = client.time()
    return datetime.fromtimestamp(seconds, UTC) + timedelta(microseconds=microseconds)


def _ledger_time(ledger: Ledger) -> datetime | None:
    with ledger.read() as tx:
        told: datetime | None = tx.scalar(sa.text("SELECT clock_timestamp()"))
    return told


def _server_time(url: str) -> datetime | None:
    """What a web server says of the time with any answer; no key goes along."""
    said = requests.head(url, timeout=(5, 10), allow_redirects=False).headers.get("Date")
    try:
        told = parsedate_to_datetime(said) if said else None
    except ValueError:
        return None
    return told if told and told.tzinfo else None
