"""The OpenID provider: what it is asked, and what of its answers is believed.

OpenID Connect Core 1.0 with the authorization code flow and PKCE (RFC 7636).  Authlib speaks the
protocol and checks the claims; the signature is checked with the keys that the provider publishes,
each for the one algorithm that its type decides (config/keys.py), so that a token without a
signature, or with a shared secret for one, is nobody's.

Nothing is asked before somebody signs in, and nothing is kept: sign-ins are rare, and keys rotate.
Whatever is wrong is Refused (of this sign-in) or Unreachable (of the provider); the text of both is
for the log and holds nothing secret.
"""

import json
import re
import secrets
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import jwt
import requests
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oidc.core import CodeIDToken
from joserfc.errors import JoseError
from jwt.api_jws import PyJWS

from config.keys import TokenKey
from config.openid import OpenId
from config.secret import ConfigurationError
from config.values import keys_url
from webhook.jwks import TIMEOUTS, Unfetched, document, fetch
from workers.ledger.users import Role

#: How far the provider's clock may be off.
CLOCK_SKEW = timedelta(minutes=1)

#: Requests of the console that ask the provider at one time: half of its threads, so that the other
#: half goes on where the provider hangs.
AT_ONCE = threading.BoundedSemaphore(2)

#: The longest name that a session and the audit trail have room for.
LONGEST_NAME = 200

_jws = PyJWS(["RS256", "ES256", "EdDSA"])


class Refused(Exception):
    """Nobody is signed in by this."""


class Unreachable(Exception):
    """The provider cannot be asked now, or does not answer as one."""


@dataclass(frozen=True, slots=True)
class Begun:
    """A sign-in that began: what this browser, the provider's answer and its token must bear."""

    state: str
    nonce: str
    verifier: str

    @classmethod
    def now(cls) -> "Begun":
        """A new one, which nobody can guess."""
        return cls(*(secrets.token_urlsafe(32) for _ in range(3)))


@dataclass(frozen=True, slots=True)
class Person:
    """Who the provider says it is; `role` is None for somebody in none of our groups."""

    name: str
    role: Role | None


def place_to_sign_in(own: OpenId, begun: Begun, back: str) -> str:
    """Where to send the browser, which then comes to `back`.  Raises Unreachable."""
    with _asking():
        described = _described(own)
        with _client(own, described, back) as client:
            url, _ = client.create_authorization_url(
                _endpoint(described, "authorization_endpoint"),
                state=begun.state,
                nonce=begun.nonce,
                code_verifier=begun.verifier,
            )
    return str(url)


def person(own: OpenId, begun: Begun, code: str, back: str, now: datetime) -> Person:
    """Who signed in, for the code that the browser brought.  Raises Refused and Unreachable."""
    with _asking():
        described = _described(own)
        with _client(own, described, back) as client:
            answer = _exchanged(client, _endpoint(described, "token_endpoint"), code, begun)
            id_token = answer.get("id_token")
            if not isinstance(id_token, str):
                raise Refused("the provider gave no id_token")
            claims = signed_claims(id_token, fetch(_endpoint(described, "jwks_uri")))
            check(claims, own, begun.nonce, now)
            if own.groups_claim not in claims and "userinfo_endpoint" in described:
                told = _user_info(client, _endpoint(described, "userinfo_endpoint"))
                if told.get("sub") != claims["sub"]:
                    raise Refused("userinfo is about somebody else")
                claims = told | claims
    return Person(name_in(claims, own.name_claim), role_in(claims, own))


def signed_claims(id_token: str, keys: Sequence[TokenKey]) -> dict[str, Any]:
    """What the token says, if one of the keys has signed it.  Raises Refused."""
    try:
        header = _jws.get_unverified_header(id_token)
    except (jwt.PyJWTError, ValueError):
        raise Refused("the id_token is malformed") from None
    algorithm, key_id = header.get("alg"), header.get("kid", "")
    for key in keys:
        if key.algorithm != algorithm or (key_id and key.key_id and key_id != key.key_id):
            continue
        try:
            claims = json.loads(_jws.decode(id_token, key.public, algorithms=[key.algorithm]))
        except (jwt.PyJWTError, ValueError, RecursionError):
            continue
        if isinstance(claims, dict):
            return claims
    raise Refused("no key of the provider has signed the id_token")


def check(claims: Mapping[str, Any], own: OpenId, nonce: str, now: datetime) -> None:
    """Whether the token is the provider's, for us, for this sign-in, and for now; else Refused."""
    options = {
        "iss": {"essential": True, "value": own.issuer},
        "aud": {"essential": True, "value": own.client_id},
        "sub": {"essential": True},
    }
    token = CodeIDToken(claims, {}, options, {"nonce": nonce, "client_id": own.client_id})
    try:
        token.validate(now=int(now.timestamp()), leeway=int(CLOCK_SKEW.total_seconds()))
    except JoseError as error:
        # Its words name the claim, and nothing of what it says.
        raise Refused(f"id_token: {error.error} {getattr(error, 'claim', '')}".rstrip()) from None
    except (TypeError, ValueError, AttributeError):
        raise Refused("id_token: a claim is not what it should be") from None


def name_in(claims: Mapping[str, Any], name_claim: str) -> str:
    """How the audit trail names the person.

    An e-mail address that the provider calls unverified is what anybody could say of themselves.
    """
    for claim in (name_claim, "preferred_username", "sub"):
        name = claims.get(claim)
        if claim == "email" and claims.get("email_verified") in (False, "false"):
            continue
        told = name.strip() if isinstance(name, str) and name.isprintable() else ""
        if 0 < len(told) <= LONGEST_NAME:
            return told
    raise Refused("no claim names the person")


def role_in(claims: Mapping[str, Any], own: OpenId) -> Role | None:
    """The highest role that the person's groups give."""
    told = claims.get(own.groups_claim)
    groups = told if isinstance(told, list) else [told]
    roles = [Role(role) for group, role in own.roles.items() if group in groups]
    return max(roles, key=list(Role).index, default=None)


@contextmanager
def _asking() -> Iterator[None]:
    """Within it the provider is asked; no fault of its answers leaves it otherwise than as ours."""
    if not AT_ONCE.acquire(timeout=1):
        raise Unreachable("too many are asking the provider at this moment")
    try:
        yield
    except Unfetched as error:
        raise Unreachable(str(error)) from None
    except requests.RequestException as error:
        raise Unreachable(f"no answer ({type(error).__name__})") from None
    except ConfigurationError as error:
        raise Unreachable(str(error)) from None
    finally:
        AT_ONCE.release()


def _described(own: OpenId) -> dict[str, Any]:
    """The provider's discovery document, if it is this provider's."""
    url = own.issuer.rstrip("/") + "/.well-known/openid-configuration"
    try:
        described = json.loads(document(url))
    except (ValueError, RecursionError):
        raise Unreachable("the discovery document is no JSON") from None
    if not isinstance(described, dict) or described.get("issuer") != own.issuer:
        raise Unreachable("the discovery document names another issuer than console.openid.issuer")
    return described


def _endpoint(described: Mapping[str, Any], name: str) -> str:
    try:
        return keys_url(described.get(name))
    except ValueError:
        raise Unreachable(f"the discovery document has no {name} that begins with https") from None


def _client(own: OpenId, described: Mapping[str, Any], back: str) -> OAuth2Session:
    known = described.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
    method = "client_secret_basic" if "client_secret_basic" in known else "client_secret_post"
    return OAuth2Session(
        own.client_id,
        own.client_secret.reveal(),
        token_endpoint_auth_method=method,
        scope=" ".join(dict.fromkeys(("openid", *own.scopes))),
        redirect_uri=back,
        code_challenge_method="S256",
        default_timeout=TIMEOUTS,
    )


def _exchanged(client: OAuth2Session, url: str, code: str, begun: Begun) -> Mapping[str, Any]:
    """What the provider gives for a code, once."""
    try:
        answer: Mapping[str, Any] = client.fetch_token(
            url,
            grant_type="authorization_code",
            code=code,
            code_verifier=begun.verifier,
            redirect_uri=client.redirect_uri,
            allow_redirects=False,
        )
    except AuthlibBaseError as error:
        raise Refused(f"the provider refused the code: {plain(error.error)}") from None
    except requests.RequestException:
        raise
    except (ValueError, TypeError):
        raise Unreachable("the token endpoint does not answer as one") from None
    return answer


def _user_info(client: OAuth2Session, url: str) -> dict[str, Any]:
    answer = client.get(url, allow_redirects=False)
    try:
        told = answer.json() if answer.status_code == 200 else None
    except ValueError:
        told = None
    if not isinstance(told, dict):
        raise Unreachable(f"userinfo answered {answer.status_code} and no JSON object")
    return told


def plain(word: object) -> str:
    """An error code of the protocol; anything else is not ours to write down."""
    return word if isinstance(word, str) and re.fullmatch("[a-z_]{1,40}", word) else "unknown"
