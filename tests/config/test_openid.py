"""The OpenID provider where people sign in to the console."""

from datetime import date

import pytest

from config.checks import check
from config.secret import ConfigurationError
from config.settings import load

TOML = """
[policy]
timezone = "UTC"

[console.openid]
issuer = "https://login.example.com/"
client_id = "leaver"
client_secret = "test-secret-not-a-secret"
public_url = "https://leaver.example.com/"
roles = { "it-admins" = "operator" }
"""
SECRET = 'client_secret = "test-secret-not-a-secret"\n'


@pytest.fixture
def loaded(folder):
    """The settings of a file, and of an environment."""

    def loaded(toml=TOML, **environ):
        (folder / "leaver.toml").write_text(toml)
        return load(None, environ)

    return loaded


def test_the_issuer_stays_as_the_provider_spells_it(loaded):
    """It is compared letter by letter; the console's own address gets a path behind it."""
    own = loaded().console.openid

    assert (own.issuer, own.public_url) == (
        "https://login.example.com/",
        "https://leaver.example.com",
    )
    assert (own.groups_claim, own.name_claim, own.scopes) == (
        "groups",
        "email",
        ("email", "profile"),
    )


def test_without_one_there_are_local_users_only(loaded):
    """Nothing else needs it."""
    assert loaded('[policy]\ntimezone = "UTC"').console.openid is None


def test_the_secret_may_lie_in_a_file_and_the_roles_in_the_environment(loaded, folder):
    """As all others."""
    (folder / "secret").write_text("test-secret-of-a-file\n")

    own = loaded(
        TOML.replace(SECRET, ""),
        LEAVER_CONSOLE__OPENID__CLIENT_SECRET_FILE=str(folder / "secret"),
        LEAVER_CONSOLE__OPENID__NAME_CLAIM="upn",
    ).console.openid

    assert own.client_secret.reveal() == "test-secret-of-a-file"
    assert own.name_claim == "upn"
    assert "test-secret" not in repr(own)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("https://login", "http://login", r"console\.openid\.issuer: .* must begin with https://"),
        ("https://leaver", "http://leaver", r"console\.openid\.public_url: .* must begin with"),
        ("https://leaver", "leaver", r"console\.openid\.public_url"),
        ('"operator"', '"boss"', r'roles\.it-admins: "boss" is not known; use "viewer"'),
        ('{ "it-admins" = "operator" }', "{}", r"console\.openid\.roles names no group"),
        ("test-secret-not-a-secret", "...", r"client_secret is still the placeholder"),
        (SECRET, "", r"client_secret is missing \(or LEAVER_CONSOLE__OPENID__CLIENT_SECRET\)"),
        (
            "client_id",
            'groups_clam = "x"\nclient_id',
            r'openid\.groups_clam is not a setting; did you mean "groups_claim"',
        ),
    ],
)
def test_what_is_wrong_names_its_key(loaded, old, new, said):
    """One line, and never the secret."""
    with pytest.raises(ConfigurationError, match=said) as refused:
        loaded(TOML.replace(old, new, 1))

    assert "test-secret" not in str(refused.value)


def test_a_secret_that_cannot_be_read_stops_the_console_alone(loaded):
    """Receiver and workers never need it."""
    settings = loaded(
        TOML.replace(SECRET, ""), LEAVER_CONSOLE__OPENID__CLIENT_SECRET_FILE="/nowhere/secret"
    )

    def stopped(role):
        return any(
            "nowhere" in found.fault for found in check(settings, role, today=date(2026, 11, 23))
        )

    assert [stopped(role) for role in ("console", "up", "serve", "work")] == [
        True,
        True,
        False,
        False,
    ]
