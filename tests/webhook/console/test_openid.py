"""Signing in at an OpenID provider: a real one (oidc-provider-mock, made of Authlib's server side).

Where a test needs a provider that errs or lies, the answers of the real one are changed on the way.
"""

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import jwt
import pytest
import requests
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from flask.testing import FlaskClient
from jwt.algorithms import RSAAlgorithm
from structlog.testing import capture_logs
from werkzeug.serving import make_server
from werkzeug.wrappers import Request, Response

from config.settings import load
from tests.servers import free_port
from tests.webhook.console.conftest import CONFIGURATION
from tests.workers.fakes import FakeWaker
from webhook.console import provider as asked
from webhook.console.app import create_app
from workers.ledger import sessions
from workers.ledger.users import Role

pytestmark = pytest.mark.filterwarnings("ignore:.*deprecated")  # The provider's, not ours.

SECRET = "test-secret-not-a-secret"
PUBLIC = "https://leaver.example.com"
OWN = """
[console.openid]
issuer = "{issuer}"
client_id = "leaver"
client_secret = "{secret}"
public_url = "{public}"
roles = {{ "it" = "viewer", "it-admins" = "operator", "it-leads" = "approver" }}
"""
ALICE = {"email": "alice@example.com", "groups": ["staff", "it-admins"]}
FORGED = generate_private_key(65537, 2048)


class Provider:
    """The real provider, and what a test has its answers changed to on the way.

    `token` changes the claims of an id_token, which is signed anew with a key that is published;
    `answers` has, by path, what is answered in its stead.
    """

    def __init__(self) -> None:
        import oidc_provider_mock

        self._real = oidc_provider_mock.app(require_nonce=True).wsgi_app
        self.token: Callable[[dict[str, Any]], str] | None = None
        self.answers: dict[str, Callable[[Any], Response]] = {}
        self.asked: list[str] = []
        self.exchanged: dict[str, str] = {}
        self._server = make_server("127.0.0.1", 0, self._answer, threaded=True)
        self.issuer = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def knows(self, name: str, **claims) -> None:
        requests.put(f"{self.issuer}/users/{name}", json=claims, timeout=5).raise_for_status()

    def _answer(self, environ, start_response):
        request = Request(environ)
        self.asked.append(request.path)
        if request.path == "/oauth2/token":
            body = request.get_data()
            self.exchanged = dict(parse_qsl(body.decode()))
            environ["wsgi.input"] = BytesIO(body)
        real = Response.from_app(self._real, environ)
        if request.path == "/oauth2/token" and self.token and real.status_code == 200:
            answer = json.loads(real.get_data())
            payload = answer["id_token"].split(".")[1]
            answer["id_token"] = self.token(json.loads(base64.urlsafe_b64decode(payload + "==")))
            real.set_data(json.dumps(answer))
        if request.path in self.answers:
            real = self.answers[request.path](json.loads(real.get_data() or "null"))
        return real(environ, start_response)


def answer(document, status: int = 200) -> Response:
    return Response(json.dumps(document), status, mimetype="application/json")


@pytest.fixture(scope="module")
def running():
    """The provider; its key takes a while to make."""
    provider = Provider()
    yield provider
    provider.stop()


@pytest.fixture
def provider(running, monkeypatch):
    """It knows Alice, and says the truth.  It takes plain http only when told so."""
    monkeypatch.setenv("AUTHLIB_INSECURE_TRANSPORT", "1")
    running.token, running.answers, running.asked = None, {}, []
    running.knows("alice", **ALICE)
    return running


@pytest.fixture
def visit(ledger, provider, tmp_path):
    """Makes a browser of somebody at the console, who has not signed in."""

    def visit(issuer: str = "", later: timedelta = timedelta(), more: str = "") -> FlaskClient:
        own = OWN.format(issuer=issuer or provider.issuer, secret=SECRET, public=PUBLIC)
        (tmp_path / "openid.toml").write_text(CONFIGURATION + own + more)
        settings = load(tmp_path / "openid.toml", {}).for_the_door()
        clock = lambda: datetime.now(UTC) + later  # noqa: E731
        return create_app(settings, ledger, FakeWaker(), clock).test_client()

    return visit


def to_provider(client: FlaskClient, wanted: str = "/jobs") -> str:
    """Follow the link on the sign-in page."""
    begun = client.get("/sign-in/openid", query_string={"next": wanted})
    assert begun.status_code == 303
    return begun.location


def at_provider(place: str, name: str = "alice", **form: str) -> str:
    """Say who one is; returns where the provider sends the browser."""
    sent = requests.post(place, data={"sub": name} | form, allow_redirects=False, timeout=5)
    assert sent.status_code == 302, sent.text
    return sent.headers["Location"].removeprefix(PUBLIC)


def signed_in(client: FlaskClient) -> bool:
    return client.get("/").status_code == 200


def test_who_signs_in_at_the_provider_is_signed_in(ledger, visit):
    """With the role of the group, by the e-mail address, and where they wanted to go."""
    client = visit()

    back = client.get(at_provider(to_provider(client)))

    assert (back.status_code, back.location) == (303, "/jobs")
    own = sessions.of(ledger, client.get_cookie("leaver_session").value, datetime.now(UTC))
    assert (own.user, own.role) == ("alice@example.com", Role.OPERATOR)
    assert "by OpenID Connect, as operator" in client.get("/audit").text


def test_the_sign_in_page_leads_there(visit, console, ledger):
    """By a link, as a form may lead to no other site; without a provider there is none."""
    assert 'href="/sign-in/openid?next=/jobs"' in visit().get("/sign-in?next=/jobs").text
    assert "/sign-in/openid" not in console(ledger).get("/sign-in").text
    assert console(ledger).get("/sign-in/openid").status_code == 404


def test_the_code_is_bound_to_the_browser(provider, visit):
    """PKCE: who reads the code on its way can do nothing with it."""
    client = visit()

    place = to_provider(client)
    client.get(at_provider(place))

    asked = parse_qs(urlsplit(place).query)
    digest = hashlib.sha256(provider.exchanged["code_verifier"].encode()).digest()
    assert asked["code_challenge_method"] == ["S256"]
    assert asked["code_challenge"] == [base64.urlsafe_b64encode(digest).decode().rstrip("=")]
    assert asked["redirect_uri"] == [f"{PUBLIC}/sign-in/openid/back"]


@pytest.mark.parametrize(
    ("groups", "role"),
    [
        (["it"], "viewer"),
        (["it-leads", "it", "it-admins"], "approver"),
        ("it-admins", "operator"),
    ],
)
def test_the_highest_of_the_groups_counts(provider, visit, groups, role):
    """Who is in two groups may do what either may."""
    provider.knows("alice", email="alice@example.com", groups=groups)
    client = visit()

    client.get(at_provider(to_provider(client)))

    assert f"alice@example.com, {role}" in client.get("/").text


@pytest.mark.parametrize("groups", [[], None, ["staff"], {"it": True}, [["it"]], "IT", 1])
def test_who_has_no_group_here_is_not_let_in(provider, visit, groups):
    """And does not learn which groups would do."""
    provider.knows("alice", email="alice@example.com", groups=groups)
    client = visit()

    back = client.get(at_provider(to_provider(client)))

    assert back.status_code == 403
    assert "none of your groups has a role" in back.text
    assert "it-admins" not in back.text
    assert "staff" not in back.text
    assert not signed_in(client)


@pytest.mark.parametrize(
    ("claims", "name"),
    [
        ({"email": "a@example.com", "preferred_username": "al"}, "a@example.com"),
        ({"email": "ceo@example.com", "email_verified": False, "preferred_username": "al"}, "al"),
        ({"preferred_username": "al"}, "al"),
        ({"email": "x" * 300}, "alice"),
        ({"email": "a\nb"}, "alice"),
        ({}, "alice"),
    ],
)
def test_the_audit_trail_names_people_by_what_the_provider_vouches_for(
    provider, visit, claims, name
):
    """An unverified address would let anybody act under another name."""
    provider.knows("alice", groups=["it-admins"], **claims)
    client = visit()

    client.get(at_provider(to_provider(client)))

    assert f"<span>{name}, operator</span>" in client.get("/").text


def test_groups_that_only_userinfo_tells_count(provider, visit):
    """Some providers keep the id_token small."""
    provider.token = lambda claims: resigned(claims, drop="groups")
    publish(provider)
    client = visit()

    client.get(at_provider(to_provider(client)))

    assert signed_in(client)
    assert "/userinfo" in provider.asked


def test_userinfo_about_somebody_else_is_not_believed(provider, visit):
    """OpenID Connect Core 1.0, 5.3.2."""
    provider.token = lambda claims: resigned(claims, drop="groups")
    publish(provider)
    provider.answers["/userinfo"] = lambda told: answer(told | {"sub": "mallory"})
    client = visit()

    assert client.get(at_provider(to_provider(client))).status_code == 401
    assert not signed_in(client)


def publish(provider: Provider) -> None:
    """Have the provider's keys be the one that resigned() signs with."""
    key = RSAAlgorithm.to_jwk(FORGED.public_key(), as_dict=True) | {"kid": "new", "use": "sig"}
    provider.answers["/jwks"] = lambda _: answer({"keys": [key]})


def resigned(claims: dict[str, Any], *, drop: str = "", **changes) -> str:
    kept = {key: value for key, value in (claims | changes).items() if key != drop}
    return jwt.encode(kept, FORGED, algorithm="RS256", headers={"kid": "new"})


def by_shared_secret(claims: dict[str, Any], key: bytes) -> str:
    """PyJWT refuses to make such a token; attackers do not."""
    parts = [json.dumps(part).encode() for part in ({"alg": "HS256", "typ": "JWT"}, claims)]
    text = b".".join(base64.urlsafe_b64encode(part).rstrip(b"=") for part in parts)
    mac = hmac.new(key, text, hashlib.sha256).digest()
    return (text + b"." + base64.urlsafe_b64encode(mac).rstrip(b"=")).decode()


PEM = FORGED.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
LONG_AGO = int((datetime.now(UTC) - timedelta(hours=2)).timestamp())
BAD_TOKENS = {
    "another nonce": lambda claims: resigned(claims, nonce="another"),
    "no nonce": lambda claims: resigned(claims, drop="nonce"),
    "for somebody else": lambda claims: resigned(claims, aud="another"),
    "for others too": lambda claims: resigned(claims, aud=["leaver", "another"], azp="another"),
    "for nobody": lambda claims: resigned(claims, drop="aud"),
    "of another issuer": lambda claims: resigned(claims, iss="https://evil.example"),
    "expired": lambda claims: resigned(claims, exp=LONG_AGO + 60, iat=LONG_AGO),
    "without an end": lambda claims: resigned(claims, drop="exp"),
    "an odd end": lambda claims: resigned(claims, exp="soon"),
    "of the future": lambda claims: resigned(claims, iat=claims["iat"] + 3600),
    "about nobody": lambda claims: resigned(claims, drop="sub"),
    "no signature": lambda claims: jwt.encode(claims, "", algorithm="none"),
    "the public key as a secret": lambda claims: by_shared_secret(claims, PEM),
    "the client's secret": lambda claims: by_shared_secret(claims, SECRET.encode()),
    "changed afterwards": lambda claims: resigned(claims)[:-8] + "AAAAAAAA",
    "no token": lambda claims: "x",
    "nothing": lambda claims: "",
    "a number": lambda claims: 7,
}


@pytest.mark.parametrize("token", BAD_TOKENS.values(), ids=BAD_TOKENS)
def test_a_wrong_token_signs_nobody_in(provider, visit, token):
    """Whatever is wrong with it, the page says the same, and the log tells no token."""
    publish(provider)
    provider.token = token
    client = visit()

    with capture_logs() as logs:
        back = client.get(at_provider(to_provider(client)))

    assert back.status_code == 401
    assert "That did not sign you in" in back.text
    assert [entry["event"] for entry in logs] == ["sign-in refused"]
    assert not any(secret in str(logs) for secret in (SECRET, "eyJ", "alice"))
    assert not signed_in(client)


def test_the_same_token_untouched_would_have(provider, visit):
    """So that it is the fault above that is refused, and not the key."""
    publish(provider)
    provider.token = resigned
    client = visit()

    client.get(at_provider(to_provider(client)))

    assert signed_in(client)


def test_a_callback_counts_once(visit):
    """Whoever finds it in a history or a log is not signed in by it."""
    client = visit()
    place = at_provider(to_provider(client))
    client.get(place)
    client.delete_cookie("leaver_session")

    assert client.get(place).status_code == 401
    assert not signed_in(client)


def test_a_code_counts_once(visit):
    """Also for a browser that kept the cookie: the provider gives nothing for it again."""
    client = visit()
    to = to_provider(client)
    kept = client.get_cookie("leaver_openid", path="/sign-in/openid").value
    place = at_provider(to)
    client.get(place)
    client.delete_cookie("leaver_session")
    client.set_cookie("leaver_openid", kept, path="/sign-in/openid")

    assert client.get(place).status_code == 401
    assert not signed_in(client)


def test_nobody_is_signed_in_as_somebody_else_by_a_link(visit):
    """A callback that another browser began: the victim would work under the attacker's name."""
    attacker, victim = visit(), visit()
    place = at_provider(to_provider(attacker))

    assert victim.get(place).status_code == 401
    to_provider(victim)
    assert victim.get(place).status_code == 401
    assert not signed_in(victim)


@pytest.mark.parametrize("change", ["state", "iss", "cookie"])
def test_a_callback_of_another_sign_in_does_nothing(visit, change):
    """Nor one of another provider, nor with a cookie that we did not make."""
    client = visit()
    place = at_provider(to_provider(client))
    if change == "state":
        place = place.replace("state=", "state=x")
    if change == "iss":
        place += "&iss=https%3A%2F%2Fevil.example"
    if change == "cookie":
        kept = client.get_cookie("leaver_openid", path="/sign-in/openid").value
        client.set_cookie("leaver_openid", "A" + kept, path="/sign-in/openid")

    assert client.get(place).status_code == 401
    assert not signed_in(client)


def test_a_sign_in_that_began_long_ago_is_begun_again(visit):
    """Its code could lie anywhere by then."""
    early, late = visit(), visit(later=timedelta(minutes=11))
    place = at_provider(to_provider(early))
    kept = early.get_cookie("leaver_openid", path="/sign-in/openid").value
    late.set_cookie("leaver_openid", kept, path="/sign-in/openid")

    assert late.get(place).status_code == 401


def test_who_says_no_at_the_provider_is_not_signed_in(visit):
    """And may begin again."""
    client = visit()
    place = at_provider(to_provider(client), action="deny")

    # This provider leaves the state out of its refusals, and so nobody believes it either.
    assert client.get(place).status_code == 401
    assert not signed_in(client)


DOCUMENT, TOKEN = "/.well-known/openid-configuration", "/oauth2/token"
FAULTS = {
    "discovery fails": (DOCUMENT, lambda _: Response("", 500)),
    "discovery leads elsewhere": (DOCUMENT, lambda _: Response("", 302, {"Location": "/"})),
    "discovery is no JSON": (DOCUMENT, lambda _: Response("<html>")),
    "discovery is another's": (DOCUMENT, lambda told: answer(told | {"issuer": "https://x"})),
    "discovery is endless": (DOCUMENT, lambda told: answer(told | {"x": "x" * 300_000})),
    "an endpoint in clear": (
        DOCUMENT,
        lambda told: answer(told | {"authorization_endpoint": "http://login.example.com/"}),
    ),
}
LATER_FAULTS = {
    "token fails": (TOKEN, lambda _: Response("", 503)),
    "token is no JSON": (TOKEN, lambda _: Response("<html>")),
    "token is a list": (TOKEN, lambda _: answer([])),
    "token leads elsewhere": (TOKEN, lambda _: Response("", 307, {"Location": "/jwks"})),
    "no keys": ("/jwks", lambda _: answer({"keys": []})),
    "keys fail": ("/jwks", lambda _: Response("", 500)),
}


@pytest.mark.parametrize(("path", "fault"), FAULTS.values(), ids=FAULTS)
def test_a_provider_in_trouble_is_said_before_anybody_goes_there(provider, visit, path, fault):
    """And the local users still sign in."""
    provider.answers[path] = fault
    client = visit()

    with capture_logs() as logs:
        begun = client.get("/sign-in/openid")

    assert begun.status_code == 503
    assert "cannot be asked now" in begun.text
    assert 'name="password"' in begun.text
    assert [entry["event"] for entry in logs] == ["openid provider not reached"]


@pytest.mark.parametrize(("path", "fault"), LATER_FAULTS.values(), ids=LATER_FAULTS)
def test_a_provider_in_trouble_signs_nobody_in(provider, visit, path, fault):
    """What it says then is no word on anybody."""
    client = visit()
    place = at_provider(to_provider(client))
    provider.answers[path] = fault

    assert client.get(place).status_code == 503
    assert not signed_in(client)


def test_a_provider_that_is_away_is_no_error_page(visit):
    """Nothing was asked of it at the start, and the console runs without it."""
    client = visit(issuer=f"http://127.0.0.1:{free_port()}")

    assert client.get("/sign-in").status_code == 200
    assert client.get("/sign-in/openid").status_code == 503


def test_a_provider_that_hangs_leaves_the_console_its_threads(visit):
    """So many requests ask it, and no more wait for it."""
    client = visit()
    for _ in range(2):
        asked.AT_ONCE.acquire()
    try:
        assert client.get("/sign-in/openid").status_code == 503
    finally:
        for _ in range(2):
            asked.AT_ONCE.release()


def test_the_way_there_is_known_to_the_browser_alone(visit):
    """No script reads the cookie; another site's link still brings it along."""
    cookie = visit().get("/sign-in/openid").headers["Set-Cookie"]

    assert {"HttpOnly", "SameSite=Lax", "Path=/sign-in/openid"} <= set(cookie.split("; "))


@pytest.mark.parametrize("place", ["https://evil.example", "//evil.example", "/" + "x" * 9000])
def test_it_leads_to_no_other_site(visit, place):
    """A link to the sign-in may come from anybody."""
    client = visit()

    back = client.get(at_provider(to_provider(client, place)))

    assert back.status_code == 303
    assert urlsplit(back.location).netloc == ""
