"""Hashes of passwords, by Argon2 with its library's defaults (RFC 9106, low memory)."""

import functools
import secrets

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError

#: The fewest characters of a password.
SHORTEST = 12

_hasher = PasswordHasher()


def hashed(password: str) -> str:
    """What is kept of a password.  ValueError where it is too short to keep anybody out."""
    if len(password) < SHORTEST:
        raise ValueError(f"a password has {SHORTEST} characters or more")
    return _hasher.hash(password)


def is_right(password_hash: str | None, password: str) -> bool:
    """Whether this is the password.  Without a hash, of nobody, it takes as long to say no."""
    try:
        return _hasher.verify(password_hash or _of_nobody(), password)
    except VerificationError:
        return False


@functools.cache
def _of_nobody() -> str:
    return _hasher.hash(secrets.token_urlsafe())
