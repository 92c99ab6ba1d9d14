"""What a setting can be: the types behind settings.py, each with its parser.

A parser takes what TOML or the environment holds and gives our type.  What it raises continues the
sentence that begins with the value: `"Berlin"` `is not a time zone; use ...`.
"""

import base64
import ipaddress
import json
import re
from collections.abc import Hashable
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from string import Formatter
from typing import Annotated, Literal, TypeVar
from urllib.parse import SplitResult, urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BeforeValidator, PlainSerializer, PlainValidator

from config.keys import token_key
from config.secret import PLACEHOLDER, Secret, printable

SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
LONGEST_DAYS = 36500
POSTGRESQL = re.compile(r"postgres(?:ql)?(?:\+psycopg)?://")
# The sizes in bytes that the specification of Standard Webhooks gives its keys
# (github.com/standard-webhooks/standard-webhooks, read 2026-11-23).
STANDARD_KEY_SIZES = {"whsec": range(24, 65), "whpk": (32,), "whsk": (64,)}

# A name in a document, then the entries of lists that are meant, and so on.
_STEP = r"[^.\[\]$*]+(?:\[(?:[0-9]{1,4}|\*)\])*"
PATH = re.compile(rf"\$|(?:\$\.)?{_STEP}(?:\.{_STEP})*")

# An entry of policy.protected: with none of what an address of HR cannot have.
_PART = r'[^\s@:,;<>()"]+'
ADDRESS = re.compile(f"{_PART}@{_PART}")
PATTERN = re.compile(f"{_PART}(?:@{_PART})?")

PLACEHOLDERS = ("{body}", "{timestamp}", "{id}")
#: What a message about a job that is done may say of it.
DONE_FIELDS = ("job", "outcome", "target", "source", "employee_id", "account_id", "email")

Entry = TypeVar("Entry", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Address:
    """Where a server listens; with port 0 the system chooses one."""

    host: str
    port: int

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach it."""
        return is_loopback(self.host)

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def is_loopback(host: str) -> bool:
    """Whether a host name or an address is this machine's own."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def duration(text: object) -> timedelta:
    """The time span that "30s", "15m", "24h" or "7d" means: never zero, at most a century."""
    match = re.fullmatch("([0-9]{1,10})([smhd])", text) if isinstance(text, str) else None
    if not match:
        raise ValueError('is not a duration; use a number and s, m, h or d, such as "30s" or "7d"')
    seconds = int(match[1]) * SECONDS[match[2]]
    if not 0 < seconds <= LONGEST_DAYS * SECONDS["d"]:
        raise ValueError(f'is out of range; use "1s" to "{LONGEST_DAYS}d"')
    return timedelta(seconds=seconds)


def short_duration(text: object) -> timedelta:
    """The time span during which somebody waits: a thread of the worker is busy meanwhile."""
    span = duration(text)
    if span > timedelta(minutes=15):
        raise ValueError('is too long; use at most "15m"')
    return span


def spelled(span: timedelta) -> str:
    """A duration as it is written in the file: "1h", not "60m"."""
    seconds = int(span.total_seconds())
    unit = next(unit for unit in ("d", "h", "m", "s") if seconds % SECONDS[unit] == 0)
    return f"{seconds // SECONDS[unit]}{unit}"


@dataclass(frozen=True, slots=True)
class Window:
    """So many leavers within so long."""

    leavers: int
    per: timedelta

    def __str__(self) -> str:
        return f"{self.leavers} leavers within {spelled(self.per)}"


def window(value: object) -> Window:
    """A table such as { leavers = 10, per = "1h" }."""
    if not isinstance(value, dict) or value.keys() != {"leavers", "per"}:
        raise ValueError('is not a window; use { leavers = 10, per = "1h" }')
    try:
        leavers = whole_number(value["leavers"])
    except ValueError as error:
        raise ValueError(f"has leavers that {error}") from None
    if leavers < 1:
        raise ValueError("lets nobody pass; use at least one leaver, or [] for no brake")
    try:
        return Window(leavers, duration(value["per"]))
    except ValueError as error:
        raise ValueError(f"has a per that {error}") from None


def whole_number(value: object) -> int:
    """A whole number; the environment has it as digits."""
    match value:
        case bool():
            pass
        case int():
            return value
        case str() if re.fullmatch("[0-9]{1,18}", value):
            return int(value)
    raise ValueError("is not a whole number")


def text(value: object) -> str:
    """A text without surprises: not empty, nothing at its ends, nothing unprintable."""
    match value:
        case str():
            return printable(value)
    raise ValueError("is not a text; put it in quotes")


def name(value: object) -> str:
    """The name of a source or a target: fit for a path, a variable and a metric."""
    if not re.fullmatch("[a-z0-9]+(-[a-z0-9]+)*", str(value)):
        raise ValueError("is not a name; use small letters and digits, with single dashes between")
    return str(value)


def address(value: object) -> Address:
    """HOST:PORT, an IPv6 address in brackets."""
    match = re.fullmatch(r"(\[[0-9a-fA-F:.]+\]|[a-zA-Z0-9._-]+):([0-9]{1,5})", str(value))
    if not match or int(match[2]) > 65535 or (match[1][0] == "[" and not _is_ip6(match[1][1:-1])):
        raise ValueError('is not HOST:PORT; use "127.0.0.1:8000", "[::1]:8000" or the like')
    return Address(match[1].strip("[]"), int(match[2]))


def _is_ip6(host: str) -> bool:
    try:
        ipaddress.IPv6Address(host)
    except ValueError:
        return False
    return True


def time_zone(value: object) -> str:
    """The IANA name of a time zone this machine knows."""
    name = text(value)
    try:
        return ZoneInfo(name).key
    # OSError: "Europe" alone is a folder among the zone files.
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError('is not a time zone; use an IANA name such as "Europe/Berlin"') from None


def email(value: object) -> str:
    """An e-mail address in lower case."""
    lowered = text(value).lower()
    if not re.fullmatch(r"[^\s@]+@[^\s@]+", lowered):
        raise ValueError('is not an e-mail address; use "it-admin@example.com" or the like')
    return lowered


def protected(value: object) -> str:
    """An e-mail address, a pattern for some, or an id or group with its prefix; in lower case.

    What no address can be, such as two of them in one text, would protect nobody.
    """
    lowered = text(value).lower()
    if re.fullmatch(r"(employee|account|group):\S.*", lowered):
        return lowered
    if not ADDRESS.fullmatch(lowered) and not ("*" in lowered and PATTERN.fullmatch(lowered)):
        raise ValueError(
            'is not an e-mail address, nor a pattern such as "*-svc@example.com", '
            '"employee:ID", "account:ID" or "group:NAME"'
        )
    return lowered


def domain(value: object) -> str:
    """The part of e-mail addresses after the @, in lower case."""
    lowered = text(value).lower()
    if not re.fullmatch(r"[^\s@*/,]+", lowered):
        raise ValueError('is not a domain; use what follows the @, such as "example.com"')
    return lowered


def _url(value: object) -> tuple[str, SplitResult]:
    url = text(value)
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018  Reading it is what checks it.
    except ValueError:
        raise ValueError("is not a URL") from None
    return url, parts


def base_url(value: object) -> str:
    """Where an API begins, without a slash at its end; whether http will do, targets.py says."""
    url, parts = _url(value)
    if not parts.hostname or "@" in parts.netloc or parts.query or parts.fragment:
        raise ValueError('is not a base URL; use "https://api.atlassian.com" or the like')
    if parts.scheme not in ("https", "http"):
        raise ValueError("must begin with https://")
    return url.rstrip("/")


def org_id(value: object) -> str:
    """The id of an Atlassian organization; it becomes a part of paths."""
    if not re.fullmatch("[A-Za-z0-9-]{1,64}", text(value)):
        raise ValueError("is not an organization id; admin.atlassian.com shows it under API keys")
    return str(value)


def directory_id(value: object) -> str:
    """The id of a SCIM directory; it becomes a part of paths."""
    if not re.fullmatch("[A-Za-z0-9-]{1,64}", text(value)):
        raise ValueError("is not a directory id; it is the last part of the SCIM base URL")
    return str(value)


def username(value: object) -> str:
    """A name to log in with."""
    name = text(value)
    if ":" in name:
        raise ValueError("has a colon, which HTTP cannot carry in a username")
    return name


def operator(value: object) -> str:
    """An e-mail address or a username, in lower case."""
    return username(value).lower()


def flag(value: object) -> bool:
    """true or false; the environment has it as a word."""
    match value:
        case bool():
            return value
        case "true" | "false":
            return value == "true"
    raise ValueError("is not true or false")


def day(value: object) -> date:
    """A day; the environment has it as text."""
    match value:
        case datetime():
            pass
        case date():
            return value
        case str() if re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
            with suppress(ValueError):
                return date.fromisoformat(value)
    raise ValueError("is not a day; use one such as 2027-05-01")


def file_path(value: object) -> Path:
    """The path of a file or folder; whether it is there, checks.py says."""
    return value if isinstance(value, Path) else Path(text(value))


def secret(value: object) -> Secret:
    """Any secret; one that lies in a file is not read here."""
    return value if isinstance(value, Secret) else Secret(text(value))


def header_secret(value: object) -> Secret:
    """A secret that is sent in an HTTP header."""
    if isinstance(value, str) and not value.isascii():
        raise ValueError("has a character that no HTTP header can carry")
    return secret(value)


def standard_key(value: object) -> Secret:
    """A key of Standard Webhooks, decoded: a mistyped one would refuse every event."""
    if isinstance(value, Secret):
        return value
    prefix, _, encoded = text(value).partition("_")
    try:
        size = len(base64.b64decode(encoded, validate=True))
    except ValueError:
        size = 0
    if size not in STANDARD_KEY_SIZES.get(prefix, ()):
        raise ValueError(
            "is not a key of Standard Webhooks; use whsec_ and 24 to 64 bytes in base64, "
            "or whpk_ and an ed25519 public key"
        )
    return Secret(str(value))


def base64_key(value: object) -> Secret:
    """A key of the same sizes, in base64 without a prefix."""
    if isinstance(value, Secret):
        return value
    try:
        standard_key(f"whsec_{text(value)}")
    except ValueError:
        raise ValueError("is not a key; use 24 to 64 bytes in base64") from None
    return Secret(str(value))


def header_name(value: object) -> str:
    """The name of an HTTP header, in lower case."""
    if not re.fullmatch("[A-Za-z0-9-]+", text(value)):
        raise ValueError('is not the name of a header; use one such as "X-Hub-Signature-256"')
    return str(value).lower()


def json_path(value: object) -> str:
    """Where something stands in a JSON document; webhook/sources/paths.py follows it."""
    if not PATH.fullmatch(text(value)):
        raise ValueError(
            'is not a path; use names with dots between, such as "worker.email", '
            '"contacts[0].email" or "$.type"'
        )
    return str(value)


def signed_text(value: object) -> str:
    """What a signature covers, with placeholders."""
    template = text(value)
    parts = re.split(r"(\{[^{}]*\})", template)
    given = parts[1::2]
    if any("{" in part or "}" in part for part in parts[::2]) or not set(given) <= set(
        PLACEHOLDERS
    ):
        raise ValueError(f"has an unknown placeholder; use {', '.join(PLACEHOLDERS)}")
    if "{body}" not in given:
        raise ValueError("has no {body}; what is not signed, anybody can change")
    if len(set(given)) < len(given):
        raise ValueError("has a placeholder twice")
    between = [re.search("[^A-Za-z0-9]", part) for part in parts[2:-1:2]]
    if "{id}" in given and None in between:
        raise ValueError('needs a sign between its placeholders, such as "{id}.{timestamp}.{body}"')
    return template


def done_text(value: object) -> str:
    """What is said of a job that is done: a text with names of DONE_FIELDS in braces."""
    template = text(value)
    try:
        parts = list(Formatter().parse(template))
    except ValueError:
        raise ValueError("has a brace without its other one; {{ and }} mean braces") from None
    for _, name, form, conversion in parts:
        if name is not None and (name not in DONE_FIELDS or form or conversion):
            known = ", ".join(f"{{{each}}}" for each in DONE_FIELDS)
            raise ValueError(f"has a {{{name}}} that nobody can fill in; use {known}")
    return template


def message_url(value: object) -> Secret:
    """Where messages go; whether apprise understands it, checks.py says."""
    if isinstance(value, Secret):
        return value
    if not re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", text(value)):
        raise ValueError('is not a URL of apprise, such as "slack://..." or "mailtos://..."')
    return Secret(str(value))


def keys_url(value: object) -> str:
    """Where keys are published: https, because who changes them on the way can sign."""
    url, parts = _url(value)
    if not parts.hostname or "@" in parts.netloc or parts.fragment:
        raise ValueError('is not a URL of keys; use "https://example.com/jwks.json" or the like')
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(parts.hostname)):
        raise ValueError("must begin with https://")
    return url


def signing_key(value: object) -> Secret:
    """A key of JSON Web Tokens, read: one that cannot be would refuse every event."""
    if isinstance(value, Secret):
        return value
    if not isinstance(value, str):
        raise ValueError("is not a text; put it in quotes")  # noqa: TRY004 - pydantic wants it
    if value == PLACEHOLDER:
        return secret(value)
    token_key(value)
    return Secret(value)


def pems(value: object) -> object:
    """A list in which the lines of one PEM are one entry: a file comes as its lines."""
    entries = listed(value)
    if not isinstance(entries, tuple):
        return entries
    joined: list[object] = []
    for entry in entries:
        last = joined[-1] if joined else None
        if isinstance(last, str) and last.startswith("-----BEGIN") and "-----END" not in last:
            joined[-1] = f"{last}\n{entry}"
        else:
            joined.append(entry)
    return tuple(joined)


def ledger_url(value: object) -> Secret:
    """A SQLAlchemy URL, PostgreSQL always with psycopg.  It may hold a password."""
    url = secret(value).reveal()
    if re.fullmatch("sqlite:///[^?]+", url) and not url.endswith(":memory:"):
        return Secret(url)
    if POSTGRESQL.match(url) and _has_port(url):
        return Secret(POSTGRESQL.sub("postgresql+psycopg://", url, count=1))
    raise ValueError(
        "is not a ledger; use sqlite:///PATH or postgresql+psycopg://USER:PASSWORD@HOST/NAME"
    )


def queue_url(value: object) -> Secret:
    """ "embedded", or the URL of a Redis or Valkey.  It may hold a password."""
    url = secret(value).reveal()
    schemes = ("redis://", "rediss://", "unix://", "sentinel://")
    servers = url.split(";")
    if url != "embedded" and not all(
        server.startswith(schemes) and _has_port(server) for server in servers
    ):
        raise ValueError(
            'is not a queue; use "embedded", redis://, rediss://, unix://, sentinel://'
        )
    return Secret(url)


def _has_port(url: str) -> bool:
    """Whether the URL's port, if there is one, is a port."""
    try:
        urlsplit(url).port  # noqa: B018  Reading it is what checks it.
    except ValueError:
        return False
    return True


def listed(value: object) -> object:
    """A list; the environment has it as JSON, or bare where it is one entry."""
    if isinstance(value, str):
        return _json(value, list) if value.startswith("[") else (value,)
    return tuple(value) if isinstance(value, list) else value


def mapped(value: object) -> object:
    """A table; the environment has it as JSON."""
    return _json(value, dict) if isinstance(value, str) else value


def _json(value: str, kind: type[object]) -> object:
    try:
        parsed = json.loads(value)
    except ValueError:
        parsed = None
    if not isinstance(parsed, kind):
        raise ValueError('is not JSON such as ["a", "b"] or {"a": "b"}')  # noqa: TRY004
    return listed(parsed)


def distinct(entries: tuple[Entry, ...]) -> tuple[Entry, ...]:
    """No entry twice: it would be a slip in copying."""
    if len(set(entries)) < len(entries):
        raise ValueError("has the same entry twice")
    return entries


def not_empty(entries: tuple[Entry, ...]) -> tuple[Entry, ...]:
    """At least one entry."""
    if not entries:
        raise ValueError("is an empty list")
    return entries


Mode = Literal["shadow", "act"]

Approve = Literal["none", "manual", "all"]

Whole = Annotated[int, BeforeValidator(whole_number)]
Duration = Annotated[timedelta, BeforeValidator(duration)]
ShortDuration = Annotated[timedelta, BeforeValidator(short_duration)]
Text = Annotated[str, BeforeValidator(text)]
Name = Annotated[str, BeforeValidator(name)]
Listen = Annotated[Address, BeforeValidator(address)]
TimeZone = Annotated[str, BeforeValidator(time_zone)]
Email = Annotated[str, BeforeValidator(email)]
Protected = Annotated[str, BeforeValidator(protected)]
Domain = Annotated[str, BeforeValidator(domain)]
BaseUrl = Annotated[str, BeforeValidator(base_url)]
OrgId = Annotated[str, BeforeValidator(org_id)]
DirectoryId = Annotated[str, BeforeValidator(directory_id)]
Username = Annotated[str, BeforeValidator(username)]
Operator = Annotated[str, BeforeValidator(operator)]
Flag = Annotated[bool, BeforeValidator(flag)]
Day = Annotated[date, BeforeValidator(day)]
SlidingWindow = Annotated[Window, PlainValidator(window), PlainSerializer(str)]
HeaderName = Annotated[str, BeforeValidator(header_name)]
JsonPath = Annotated[str, BeforeValidator(json_path)]
SignedText = Annotated[str, BeforeValidator(signed_text)]
DoneText = Annotated[str, BeforeValidator(done_text)]
KeysUrl = Annotated[str, BeforeValidator(keys_url)]
FilePath = Annotated[Path, BeforeValidator(file_path)]

_masked = PlainSerializer(str)
HeaderSecret = Annotated[Secret, PlainValidator(header_secret), _masked]
SigningKey = Annotated[Secret, PlainValidator(secret), _masked]
Password = Annotated[Secret, PlainValidator(secret), _masked]
StandardKey = Annotated[Secret, PlainValidator(standard_key), _masked]
Base64Key = Annotated[Secret, PlainValidator(base64_key), _masked]
TokenKey = Annotated[Secret, PlainValidator(signing_key), _masked]
MessageUrl = Annotated[Secret, PlainValidator(message_url), _masked]
LedgerUrl = Annotated[Secret, PlainValidator(ledger_url), _masked]
QueueUrl = Annotated[Secret, PlainValidator(queue_url), _masked]

Listed = Annotated[tuple[Entry, ...], BeforeValidator(listed), AfterValidator(distinct)]
AtLeastOne = Annotated[Listed[Entry], AfterValidator(not_empty)]
TokenKeys = Annotated[tuple[TokenKey, ...], BeforeValidator(pems), AfterValidator(distinct)]
