"""The settings of the HR systems, one class for each kind of source.

What two settings of one source get wrong together, `faults` says; settings.py asks for it.
"""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, model_validator

from config.presets import PRESETS
from config.secret import Secret
from config.section import Fault, Section, secrets_of, setting
from config.values import (
    AtLeastOne,
    Base64Key,
    BaseUrl,
    Duration,
    HeaderName,
    HeaderSecret,
    JsonPath,
    KeysUrl,
    Listed,
    Mode,
    Password,
    SignedText,
    SigningKey,
    SlidingWindow,
    StandardKey,
    Text,
    TimeZone,
    TokenKeys,
    Username,
    is_loopback,
    mapped,
)

CutoffFrom = Literal["access_revocation", "immediate", "last_day", "termination_date"]
GenericField = Literal[
    "email",
    "employee_id",
    "access_revocation",
    "immediate",
    "reason",
    "last_day",
    "termination_date",
    "time_zone",
    "happened_at",
    "event_id",
]
OurField = Literal["email", "employee_id", "status", "employment_status", "termination_date"]

WorkdayField = Literal[
    "email",
    "employee_id",
    "termination_date",
    "last_day",
    "access_revocation",
    "immediate",
    "reason",
    "time_zone",
    "event",
    "happened_at",
    "active",
    "terminated",
]
#: The source of leavers that an operator entered by hand.
OPERATOR = "operator"

#: Where the keys of tokens come from: one of the two.
WORKDAY_KEYS = ("jwks_url", "public_keys")
WORKDAY_AUTH: Mapping[str, tuple[str, ...]] = {
    "standard": ("secrets",),
    "jwt": (*WORKDAY_KEYS, "audience"),
    "basic": ("username", "passwords"),
}


class Api(Section):
    """Where an HR system can be asked about an employee."""

    base_url: BaseUrl = setting("Where it is asked, such as https://acme.bamboohr.com.")
    api_key: Password = setting(
        "Key of a user who may see status, termination date and work e-mail of everybody; only "
        "workers read it."
    )

    @property
    def concurrency(self) -> int:
        """Lookups that all workers together do at once."""
        return 4

    @property
    def calls_per_second(self) -> int:
        """Calls that all workers together make; no vendor says what it allows."""
        return 5

    @property
    def ca_bundle(self) -> Path | None:
        """The certificates to trust: the usual ones."""
        return None


class Source(Section):
    """An HR system, whatever its kind."""

    secrets: AtLeastOne[SigningKey] = setting(
        "Keys of its signatures; several while you change from one to the next."
    )
    targets: AtLeastOne[Text] | None = setting(
        "Where its leavers lose their access; left out: in every target.", None
    )
    timezone: TimeZone | None = setting(
        "Time zone of its bare dates; left out: policy.timezone.", None
    )
    mode: Mode | None = setting(
        'Its own mode; "shadow" wins over "act" wherever it stands. Left out: policy.mode.',
        None,
    )
    brake: Listed[SlidingWindow] = setting(
        "Its own brake beside policy.brake, for its leavers alone.", ()
    )

    expected_every: Duration | None = setting(
        "An alarm is raised when no valid delivery came for longer than this; a repetition does "
        "not count. Left out: never.",
        None,
    )

    @property
    def credentials(self) -> tuple[Secret, ...]:
        """All that proves a sender, for the process that receives."""
        return tuple(secret for _, secret in secrets_of(self))

    @property
    def time_tolerance(self) -> timedelta | None:
        """How far from now the signed time may be; None where no time is signed."""
        return None

    @property
    def asked_at(self) -> Api | None:
        """Where it is asked about an employee; None: nowhere."""
        return None

    def faults(self) -> Iterator[Fault]:
        """What is wrong between its settings."""
        yield from ()


class Timed(Source):
    """An HR system that signs the time as well."""

    tolerance: Duration = setting(
        "How far from now the time of a signature may be; a delivery further off is quarantined."
    )

    @property
    def time_tolerance(self) -> timedelta | None:
        """Always there."""
        return self.tolerance


class Dated(Timed):
    """An HR system that sends ahead of time, and says when access must end."""

    cutoff_order: AtLeastOne[CutoffFrom] = setting(
        "What says when access must end; the first of these that an event has counts, and one that "
        "is left out is not read. An access_revocation is an instant, immediate means now, "
        "last_day and termination_date mean the end of that day.",
        ("access_revocation", "immediate", "last_day", "termination_date"),
    )
    immediate_reasons: Listed[Text] = setting(
        "Reasons for leaving that mean immediate, also where a date lies ahead, such as "
        '"Terminate_Employee_Gross_Misconduct".',
        (),
    )


class Asked(Timed):
    """An HR system that may also be asked about an employee."""

    api: Annotated[Api | None, BeforeValidator(mapped)] = setting(
        "Where it is asked about an employee (base_url, api_key).", None
    )

    @property
    def asked_at(self) -> Api | None:
        """The API that is configured."""
        return self.api

    def faults(self) -> Iterator[Fault]:
        """Also what would send the key in clear."""
        if self.api is None:
            return
        parts = urlsplit(self.api.base_url)
        if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
            sentence = "must begin with https:// (http:// only to this machine itself)"
            yield Fault("api.base_url", self.api.base_url, sentence)


class BambooHR(Asked):
    """Webhooks of BambooHR."""

    kind: Literal["bamboohr"] = setting("What it is: BambooHR.")
    tolerance: Duration = setting(
        "How far from now the time of a signature may be; a delivery further off is quarantined. "
        "BambooHR tries again for 155 minutes.",
        "3h",
    )
    fields: Annotated[dict[Text, OurField], BeforeValidator(mapped)] = setting(
        "Names you gave to the posted fields email, employee_id, status, employment_status or "
        'termination_date, such as { "Company E-Mail" = "email" }; the usual names are known.',
        {},
    )
    inactive_statuses: AtLeastOne[Text] = setting(
        "What status says of a leaver; a leave of absence is Inactive too, so "
        "employment_status must say it as well.",
        ("Inactive",),
    )
    terminated_statuses: AtLeastOne[Text] = setting(
        "What employment_status says of a leaver.", ("Terminated",)
    )
    api: Annotated[Api | None, BeforeValidator(mapped)] = setting(
        "Where BambooHR is asked about an employee (base_url) and an API key (api_key; only "
        "workers read it). Event-based webhooks need it; with it everybody is looked up again "
        "just before the account is touched.",
        None,
    )

    def faults(self) -> Iterator[Fault]:
        """Also what would ask about somebody else."""
        yield from super().faults()
        if self.api and "employee_id" in self.fields.values():
            sentence = (
                "cannot name another employee_id where there is an api: it is asked by "
                "BambooHR's own id"
            )
            yield Fault("fields", None, sentence)


class Standard(Dated):
    """Standard Webhooks, from whatever HR system."""

    kind: Literal["standard"] = setting("What it is: a sender of Standard Webhooks.")
    secrets: AtLeastOne[StandardKey] = setting(
        "Keys of its signatures, whsec_... (HMAC) or whpk_... (ed25519); several while you change "
        "from one to the next."
    )
    tolerance: Duration = setting(
        "How far from now the time of a signature may be; a delivery further off is quarantined.",
        "5m",
    )


class Workday(Dated):
    """Integrations that a Workday customer builds; Workday itself has no webhooks."""

    kind: Literal["workday"] = setting("What it is: an integration built in Workday.")
    auth: Literal["standard", "jwt", "basic"] = setting(
        'How it proves itself: "standard" signs as Standard Webhooks do and needs secrets; "jwt" '
        "sends a JSON Web Token with a hash of the body and needs audience, and jwks_url or "
        'public_keys; "basic" needs username and passwords, signs nothing and is the weakest.',
        "standard",
    )
    secrets: Listed[StandardKey] = setting(
        "Keys of its signatures, whsec_... (HMAC) or whpk_... (ed25519); several while you change "
        "from one to the next.",
        (),
    )
    jwks_url: KeysUrl | None = setting(
        "Where the keys of its tokens are published, as a JSON Web Key Set.", None
    )
    public_keys: TokenKeys = setting(
        "Keys of its tokens, each a PEM or a JSON Web Key: RSA of 2048 bits or more (RS256), P-256 "
        "(ES256) or ed25519 (EdDSA).",
        (),
    )
    audience: Text | None = setting(
        "What its tokens must have as aud, such as https://leaver.example.com/webhooks/workday.",
        None,
    )
    username: Username | None = setting("Name with which it logs in.", None)
    passwords: Listed[Password] = setting(
        "Passwords with which it logs in; several while you change from one to the next.", ()
    )
    tolerance: Duration = setting(
        "How far from now the time of a signature may be; a delivery further off is quarantined. "
        'Not used with auth = "basic", which signs no time.',
        "5m",
    )
    fields: Annotated[dict[Text, WorkdayField], BeforeValidator(mapped)] = setting(
        "Names you gave to the columns of a report that mean email, employee_id, termination_date, "
        "last_day, access_revocation, immediate, reason, time_zone, event, happened_at, active or "
        'terminated, such as { "Mail_Intern" = "email" }; the usual names are known.',
        {},
    )

    @property
    def time_tolerance(self) -> timedelta | None:
        """None with a password, which signs no time."""
        return None if self.auth == "basic" else self.tolerance

    def faults(self) -> Iterator[Fault]:
        """What `auth` needs and is missing, and what it does not use."""
        needed = WORKDAY_AUTH[self.auth]
        for key in (key for keys in WORKDAY_AUTH.values() for key in keys):
            if getattr(self, key) and key not in needed:
                yield Fault(key, None, f'is not used with auth = "{self.auth}"; remove one of them')
        for key in needed:
            if not getattr(self, key) and key not in WORKDAY_KEYS:
                yield Fault(key, None, f'is missing: auth = "{self.auth}" needs it')
        if self.auth == "jwt" and bool(self.jwks_url) is bool(self.public_keys):
            yield Fault("jwks_url", self.jwks_url, "or public_keys must be set, and not both")


class Okta(Source):
    """Event hooks of Okta."""

    kind: Literal["okta"] = setting("What it is: event hooks of Okta.")
    secrets: AtLeastOne[HeaderSecret] = setting(
        "What Okta sends as its Authorization header; long and random, because Okta signs nothing. "
        "Several while you change from one to the next."
    )


class HiBob(Timed):
    """Webhooks of HiBob."""

    kind: Literal["hibob"] = setting("What it is: HiBob.")
    tolerance: Duration = setting(
        "How far from now the time of an event may be; a delivery further off is quarantined. "
        "HiBob tries again for three days.",
        "4d",
    )


class Gusto(Asked):
    """Webhooks of Gusto."""

    kind: Literal["gusto"] = setting("What it is: Gusto.")
    secrets: Listed[SigningKey] = setting(
        "Verification tokens of its subscriptions, if you know them; those that Gusto posts by "
        "itself count once `leaver source confirm` has been said.",
        (),
    )
    tolerance: Duration = setting(
        "How far from now the time of an event may be; a delivery further off is quarantined. "
        "Gusto tries again up to 16 times.",
        "7d",
    )
    api: Annotated[Api | None, BeforeValidator(mapped)] = setting(
        "Where Gusto is asked about an employee (base_url) and an access token (api_key; only "
        "workers read it). Without it whoever leaves is quarantined. Gusto's tokens are "
        "short-lived: name a file that something else keeps fresh; it is read for each call.",
        None,
    )


class Finch(Asked):
    """Webhooks of Finch."""

    kind: Literal["finch"] = setting("What it is: Finch.")
    secrets: AtLeastOne[Base64Key] = setting(
        "Keys of its signatures, in base64; several while you change from one to the next."
    )
    tolerance: Duration = setting(
        "How far from now the time of a signature may be; a delivery further off is quarantined.",
        "5m",
    )
    api: Annotated[Api | None, BeforeValidator(mapped)] = setting(
        "Where Finch is asked about an individual (base_url) and the connection's access token "
        "(api_key; only workers read it). Without it every change of an employment is quarantined.",
        None,
    )


class Generic(Dated):
    """Any other HR system that signs its webhooks with an HMAC."""

    kind: Literal["generic"] = setting("What it is: any other sender of HMACs.")
    preset: Literal["deel", "merge", "personio", "github", "stripe", "slack"] | None = setting(
        "Whose values the settings below have that are left out: deel, merge or personio, or the "
        "signature of github, stripe or slack. What of them is not confirmed, config/presets.py "
        "says.",
        None,
    )
    tolerance: Duration = setting(
        "How far from now the time of a signature may be; a delivery further off is quarantined. "
        "Used only where the timestamp is signed. Where it is not, what somebody captured can be "
        "sent again after policy.dedup_window.",
        "5m",
    )
    signature_header: HeaderName = setting("Header that carries the signature.")
    signature_prefix: Text | None = setting(
        'What stands before the signature, such as "sha256=".', None
    )
    signature_part: Text | None = setting(
        'Name of the signatures, where the header is a list such as "t=1,v1=ab,v1=cd".', None
    )
    algorithm: Literal["sha256", "sha512"] = setting("Hash of the HMAC.", "sha256")
    encoding: Literal["hex", "base64", "base64url"] = setting(
        "How the signature is written; base64url with or without its padding.", "hex"
    )
    signed: SignedText = setting(
        "What is signed, byte for byte: {body}, {timestamp} and {id}, and what stands between "
        'them, such as "{timestamp}.{body}".',
        "{body}",
    )
    timestamp: HeaderName | None = setting(
        "Header that carries the signed timestamp (Unix seconds or milliseconds, or ISO 8601); "
        "with signature_part its name in that list.",
        None,
    )
    id_header: HeaderName | None = setting(
        "Header that carries the id of the event, which stays the same when it is sent again.", None
    )
    people: JsonPath = setting(
        "Path to the person or the list of persons; $ is the whole body.", "data"
    )
    event: JsonPath = setting(
        "Path to the word that says what happened. This path and those of fields begin at the "
        "person, or with $. at the body.",
        "$.type",
    )
    terminated: AtLeastOne[Text] = setting(
        "Words for: leaves. A leave of absence is no leaving.", ("worker.terminated",)
    )
    corrected: Listed[Text] = setting(
        "Words for: still leaves, with what the event says now.", ("worker.termination_corrected",)
    )
    rescinded: Listed[Text] = setting(
        "Words for: does not leave; HR took it back.", ("worker.termination_rescinded",)
    )
    rehired: Listed[Text] = setting("Words for: works here, again or still.", ("worker.rehired",))
    fields: Annotated[dict[JsonPath, GenericField], BeforeValidator(mapped)] = setting(
        "Paths to email, employee_id, access_revocation, immediate, reason, last_day, "
        "termination_date, time_zone, happened_at (when it happened in HR: it puts the events of a "
        "person in order) and event_id.",
        {
            "workEmail": "email",
            "workerId": "employee_id",
            "accessRevocationAt": "access_revocation",
            "immediate": "immediate",
            "reason": "reason",
            "lastDayOfWork": "last_day",
            "terminationDate": "termination_date",
            "timeZone": "time_zone",
            "$.timestamp": "happened_at",
        },
    )
    undated: Literal["quarantined", "now"] = setting(
        'What becomes of a leaver of whom nothing in cutoff_order is said: "quarantined", or "now" '
        "if the sender sends on the day itself.",
        "quarantined",
    )

    @property
    def time_tolerance(self) -> timedelta | None:
        """None where no timestamp is signed."""
        return self.tolerance if "{timestamp}" in self.signed else None

    @model_validator(mode="before")
    @classmethod
    def _fill_in(cls, values: Any) -> Any:
        """What is left out has the value of the preset."""
        preset = values.get("preset") if isinstance(values, dict) else None
        return {**PRESETS[preset], **values} if preset in tuple(PRESETS) else values

    def faults(self) -> Iterator[Fault]:
        """Also a signature that cannot be checked, and events that could never be acted on."""
        yield from super().faults()
        yield from self._faults_of_signature()
        words = (*self.terminated, *self.corrected, *self.rescinded, *self.rehired)
        for word in {word for word in words if words.count(word) > 1}:
            yield Fault("terminated", word, "is in two lists of words; what would it mean?")
        if "email" not in self.fields.values():
            sentence = 'have no path to the address; use { "worker.email" = "email" } or the like'
            yield Fault("fields", None, sentence)
        if self.undated != "now" and not set(self.cutoff_order) & set(self.fields.values()):
            sentence = 'have no path to anything in cutoff_order; add one, or set undated = "now"'
            yield Fault("fields", None, sentence)

    def _faults_of_signature(self) -> Iterator[Fault]:
        if "{timestamp}" in self.signed and not self.timestamp:
            yield Fault("signed", self.signed, "has {timestamp}; set timestamp as well")
        if self.timestamp and "{timestamp}" not in self.signed:
            sentence = "is not signed; put {timestamp} into signed, or remove it"
            yield Fault("timestamp", self.timestamp, sentence)
        if "{id}" in self.signed and not self.id_header:
            yield Fault("signed", self.signed, "has {id}; set id_header as well")


KINDS: dict[str, type[Source]] = {
    "bamboohr": BambooHR,
    "standard": Standard,
    "okta": Okta,
    "hibob": HiBob,
    "gusto": Gusto,
    "finch": Finch,
    "generic": Generic,
    "workday": Workday,
}

SourceSettings = Annotated[
    BambooHR | Standard | Okta | HiBob | Gusto | Finch | Generic | Workday,
    Field(discriminator="kind"),
]
