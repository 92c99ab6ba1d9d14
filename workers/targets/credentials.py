"""What a call shows the target so that it knows us, and what of it nobody else may see."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from config.secret import Secret

SHORTEST_SECRET = 8  # characters of a cookie


@dataclass(frozen=True, slots=True)
class Shown:
    """The headers of one call, and every text that must stay out of errors and journal."""

    headers: Mapping[str, bytes]
    secrets: tuple[str, ...]


class Credential(Protocol):
    """Who we are for a target."""

    def show(self) -> Shown:
        """What the next call carries; raises ConfigurationError where a secret cannot be read.

        Asked anew for each call: a rotated key counts from the next one on.
        """


@dataclass(frozen=True, slots=True)
class Bearer:
    """An API key or a personal access token, and what else every call must carry."""

    secret: Secret
    beside: Mapping[str, bytes] = field(default_factory=dict)

    def show(self) -> Shown:
        """Authorization: Bearer ..."""
        key = self.secret.reveal()
        return Shown({**self.beside, "Authorization": b"Bearer " + key.encode()}, (key,))


@dataclass(frozen=True, slots=True)
class Basic:
    """A user, or an application, and a password or API token."""

    user: str
    secret: Secret

    def show(self) -> Shown:
        """Authorization: Basic ..., in UTF-8 (RFC 7617)."""
        password = self.secret.reveal()
        login = base64.b64encode(f"{self.user}:{password}".encode())
        return Shown({"Authorization": b"Basic " + login}, (login.decode(), password))


@dataclass(frozen=True, slots=True)
class KeyAsUser:
    """An API key that stands where the user stands, as BambooHR wants it; the password is any."""

    secret: Secret

    def show(self) -> Shown:
        """Authorization: Basic ..."""
        key = self.secret.reveal()
        login = base64.b64encode(f"{key}:x".encode())
        return Shown({"Authorization": b"Basic " + login}, (login.decode(), key))


@dataclass(frozen=True, slots=True)
class Login:
    """A username and a password on their way to becoming a session; only the login carries them."""

    user: str
    secret: Secret

    def show(self) -> Shown:
        """No header: the body of the login has both."""
        return Shown({}, (self.secret.reveal(),))

    def body(self) -> Mapping[str, str]:
        """What /rest/auth/1/session wants."""
        return {"username": self.user, "password": self.secret.reveal()}


@dataclass(frozen=True, slots=True, repr=False)
class Cookies:
    """The cookies of a session, held in memory only."""

    values: Mapping[str, str]

    def show(self) -> Shown:
        """Cookie: a=...; b=..."""
        cookies = "; ".join(f"{name}={value}" for name, value in self.values.items())
        # A short one guards nothing, and masking it would spoil other words.
        secrets = (value for value in self.values.values() if len(value) >= SHORTEST_SECRET)
        return Shown({"Cookie": cookies.encode("latin-1", "replace")}, tuple(secrets))
