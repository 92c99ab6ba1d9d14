"""Keys that sign JSON Web Tokens: as PEM, as a JSON Web Key, or as a published set of those.

Each key is for one algorithm, which its type decides, never the token: RS256 for RSA of at least
2048 bits, ES256 for P-256, EdDSA for ed25519.  Others are refused, shared secrets among them.
"""

import json
from dataclasses import dataclass, field
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key
from jwt import PyJWTError
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

SMALLEST_RSA = 2048  # bits
MOST_PUBLISHED = 32  # keys of a set; more only cost us time
FROM_JWK = {"RSA": RSAAlgorithm.from_jwk, "EC": ECAlgorithm.from_jwk, "OKP": OKPAlgorithm.from_jwk}
ALLOWED = "RSA of 2048 bits or more, P-256 or ed25519"

PublicKey = RSAPublicKey | EllipticCurvePublicKey | Ed25519PublicKey
PrivateKey = RSAPrivateKey | EllipticCurvePrivateKey | Ed25519PrivateKey


@dataclass(frozen=True, slots=True)
class TokenKey:
    """One key.  `key_id` is its "kid", "" where it has none; `private` is there if it can sign."""

    algorithm: str
    public: PublicKey
    key_id: str = ""
    private: PrivateKey | None = field(default=None, repr=False)


def token_key(text: str) -> TokenKey:
    """The key in a PEM or a JSON Web Key.  ValueError, without the key in its text, if none is."""
    stripped = text.strip()
    if stripped.startswith("{"):
        try:
            return _from_jwk(json.loads(stripped))
        except RecursionError:
            raise ValueError("is not a key") from None
    return _bound(_from_pem(stripped.encode()))


def published_keys(document: bytes) -> tuple[TokenKey, ...]:
    """The keys of a JSON Web Key Set that can be used here; ValueError if there is none.

    What is for something else (encryption, another algorithm) is left out.
    """
    try:
        listed = json.loads(document)["keys"]
        usable = [key for each in listed[:MOST_PUBLISHED] if (key := _usable(each)) is not None]
    except (KeyError, TypeError, ValueError, RecursionError):
        raise ValueError("is not a JSON Web Key Set") from None
    if not usable:
        raise ValueError(f"holds no key that signs: {ALLOWED}")
    return tuple(usable)


def _usable(jwk: Any) -> TokenKey | None:
    try:
        return _from_jwk(jwk)
    except ValueError:
        return None


def _from_jwk(jwk: Any) -> TokenKey:
    if not isinstance(jwk, dict) or jwk.get("use", "sig") != "sig":
        raise ValueError("is not a JSON Web Key that signs")
    try:
        found = FROM_JWK[jwk["kty"]](jwk)
    except (PyJWTError, KeyError, TypeError, ValueError, AttributeError):
        raise ValueError(f"is not a JSON Web Key; use one for {ALLOWED}") from None
    key = _bound(found, key_id=str(jwk.get("kid", "")))
    # RFC 9864 gives EdDSA with ed25519 a name of its own.
    if jwk.get("alg") not in (None, key.algorithm, "Ed25519" if key.algorithm == "EdDSA" else None):
        raise ValueError("is a JSON Web Key for another algorithm; use RS256, ES256 or EdDSA")
    return key


def _from_pem(pem: bytes) -> object:
    private = b"PRIVATE KEY-----" in pem
    try:
        return load_pem_private_key(pem, None) if private else load_pem_public_key(pem)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise ValueError(
            "is not a key; use a PEM (-----BEGIN PUBLIC KEY-----) or a JSON Web Key"
        ) from None


def _bound(key: object, *, key_id: str = "") -> TokenKey:
    """The key with the only algorithm that it is used with."""
    private = key if isinstance(key, PrivateKey) else None
    public = key if private is None else private.public_key()
    match public:
        case RSAPublicKey() if public.key_size >= SMALLEST_RSA:
            return TokenKey("RS256", public, key_id, private)
        case EllipticCurvePublicKey() if isinstance(public.curve, SECP256R1):
            return TokenKey("ES256", public, key_id, private)
        case Ed25519PublicKey():
            return TokenKey("EdDSA", public, key_id, private)
    raise ValueError(f"is a key of another type, size or curve; use {ALLOWED}")
