"""What must be right between the settings of one target, and what each kind protects."""

# ruff: noqa: E501 - the lines under test are long, and read best whole

import pytest

from config.settings import ConfigurationError
from config.targets import KINDS
from tests.config.conftest import TOML

KEPT = TOML.split("[targets.cloud]")[0] + "[targets.it]\n"
CREDENTIALS = {
    "atlassian-org": 'org_id = "o"\napi_key = "test-key-not-a-secret"',
    "atlassian-scim": 'directory_id = "d"\napi_key = "test-key-not-a-secret"',
    "jira-dc": 'token = "test-token-not-a-secret"',
    "confluence-dc": 'token = "test-token-not-a-secret"',
    "crowd": 'application = "leaver"\npassword = "test-password-not-a-secret"',
    "jira-cloud-site": 'email = "It@Example.com"\napi_token = "test-token-not-a-secret"',
    "jira-um1": 'username = "Leaver-Admin"\npassword = "test-password-not-a-secret"',
}
LOGIN = 'username = "Leaver-Admin"\npassword = "test-password-not-a-secret"'
COMPANY, SITE = "https://jira.example.com", "https://acme.atlassian.net"
SELF_HOSTED = ("jira-dc", "confluence-dc", "crowd", "jira-um1")


def toml(kind, *more, base_url=None, credentials=None):
    address = base_url or (SITE if kind == "jira-cloud-site" else COMPANY)
    lines = [f'kind = "{kind}"', f'base_url = "{address}"', credentials or CREDENTIALS[kind], *more]
    return KEPT + "\n".join(lines)


def target(configured, kind, *more, **options):
    return configured(toml(kind, *more, **options)).targets["it"]


def line(configured, kind, *more, **options):
    """The one line that says what is wrong."""
    with pytest.raises(ConfigurationError) as refused:
        target(configured, kind, *more, **options)
    assert "not-a-secret" not in str(refused.value)
    return str(refused.value).removeprefix("leaver.toml: targets.it.")


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_starts_with_its_credential(configured, kind):
    """Nothing else is required."""
    own = target(configured, kind)

    assert (own.kind, own.concurrency, own.calls_per_second) == (kind, 8, 20)
    assert (own.insecure, own.ca_bundle, own.key_expires_on) == (False, None, None)


@pytest.mark.parametrize("kind", ["atlassian-org", "atlassian-scim"])
def test_an_api_of_atlassian_needs_no_address(configured, kind):
    """There is only one."""
    without = toml(kind).replace(f'base_url = "{COMPANY}"\n', "")

    assert configured(without).targets["it"].base_url == "https://api.atlassian.com"


@pytest.mark.parametrize("kind", [*SELF_HOSTED, "jira-cloud-site"])
def test_another_system_needs_its_address(configured, kind):
    """Nobody can guess it."""
    with pytest.raises(ConfigurationError, match=r"targets\.it\.base_url is missing"):
        configured(toml(kind, base_url=COMPANY).replace(f'base_url = "{COMPANY}"\n', ""))


@pytest.mark.parametrize("kind", SELF_HOSTED)
def test_no_credential_goes_over_plain_http(configured, kind):
    """Everybody in between could read it."""
    assert line(configured, kind, base_url="http://jira.example.com") == (
        'base_url: "http://jira.example.com" must begin with https:// (http:// only to this machine '
        "itself, or with insecure = true)"
    )


@pytest.mark.parametrize("base_url", ["http://127.0.0.1:8080", "http://[::1]", "http://localhost"])
def test_plain_http_to_this_machine_is_fine(configured, base_url):
    """The sandbox speaks it, and it leaves no wire."""
    assert target(configured, "jira-dc", base_url=base_url).base_url == base_url


def test_plain_http_must_be_written_down(configured):
    """Some have it so in their own network, and then it is their decision, seen in the file."""
    own = target(configured, "jira-dc", "insecure = true", base_url="http://jira.example.com")

    assert own.insecure


@pytest.mark.parametrize("kind", SELF_HOSTED)
def test_a_site_of_the_cloud_is_no_server_of_ones_own(configured, kind):
    """Those APIs are gone there, and a dead one looks like "no such user"."""
    assert line(configured, kind, base_url=SITE) == (
        f'base_url: "{SITE}" is in the cloud of Atlassian; use kind = "atlassian-org"'
    )


def test_a_server_of_ones_own_is_no_site_of_the_cloud(configured):
    """It would be asked for what it does not have."""
    assert line(configured, "jira-cloud-site", base_url=COMPANY) == (
        f'base_url: "{COMPANY}" is not a site such as https://acme.atlassian.net; or use kind = "jira-dc"'
    )


@pytest.mark.parametrize(
    ("kind", "credentials", "expected"),
    [
        ("jira-dc", 'auth = "token"', 'token is missing: auth = "token" needs it; for username and password set auth = "basic"'),
        ("jira-dc", LOGIN, 'token is missing: auth = "token" needs it; for username and password set auth = "basic"'),
        ("jira-dc", 'auth = "session"\nusername = "a"', 'password is missing: auth = "session" needs it'),
        ("jira-dc", 'auth = "basic"\ntoken = "t"\n' + LOGIN, 'token is not used with auth = "basic"; remove one of them'),
        ("jira-dc", 'token = "t"\n' + LOGIN, 'username is not used with auth = "token"; remove one of them'),
        ("confluence-dc", 'auth = "basic"\npassword = "p"', 'username is missing: auth = "basic" needs it'),
        ("confluence-dc", 'auth = "session"\n' + LOGIN, 'auth: "session" is not known; use "token" or "basic"'),
        ("crowd", 'application = "a:b"\npassword = "p"', 'application: "a:b" has a colon, which HTTP cannot carry in a username'),
    ],
)  # fmt: skip
def test_a_credential_is_whole_and_the_only_one(configured, kind, credentials, expected):
    """Half a login, or two, would be found out at the first leaver."""
    assert line(configured, kind, credentials=credentials) == expected


@pytest.mark.parametrize(
    ("kind", "options", "protected"),
    [
        ("atlassian-org", {}, ()),
        ("jira-dc", {}, ()),
        ("jira-dc", {"credentials": 'auth = "basic"\n' + LOGIN}, ("Leaver-Admin",)),
        ("confluence-dc", {"credentials": 'auth = "basic"\n' + LOGIN}, ("Leaver-Admin",)),
        ("jira-cloud-site", {}, ("it@example.com",)),
        ("jira-um1", {}, ("Leaver-Admin",)),
    ],
)
def test_the_account_that_logs_in_is_protected(configured, kind, options, protected):
    """Who switches it off, switches nobody off after that."""
    own = target(configured, kind, 'operated_by = "IT-Admin@example.com"', **options)

    assert target(configured, kind, **options).operators == protected
    assert own.operators == ("it-admin@example.com", *protected)


def test_a_username_may_stand_for_the_owner_of_a_token(configured):
    """On a server of one's own an account may have no e-mail address."""
    assert target(configured, "jira-dc", 'operated_by = "svc-leaver"').operators == ("svc-leaver",)


def test_a_bundle_of_certificates_lies_beside_the_file(configured, folder):
    """Wherever the command is run."""
    own = target(configured, "jira-dc", 'ca_bundle = "company-ca.pem"')

    assert own.ca_bundle == folder / "company-ca.pem"


@pytest.mark.parametrize("kind", KINDS)
def test_every_secret_of_a_target_is_withheld_from_the_door(configured, kind):
    """Receiver and console talk to strangers."""
    door = configured(toml(kind)).for_the_door().targets["it"]

    assert door.secrets
    for secret in door.secrets.values():
        with pytest.raises(ConfigurationError, match=r"targets\.it\.[a-z_]+ is withheld"):
            secret.reveal()


def test_the_environment_sets_the_other_kinds_too(configured):
    """A container has no file to write to."""
    own = configured(
        KEPT + 'kind = "jira-dc"',
        {
            "LEAVER_TARGETS__IT__BASE_URL": COMPANY,
            "LEAVER_TARGETS__IT__TOKEN": "test-token-not-a-secret",
            "LEAVER_TARGETS__IT__INSECURE": "true",
            "LEAVER_TARGETS__IT__KEY_EXPIRES_ON": "2027-05-01",
        },
    ).targets["it"]

    assert own.token.reveal() == "test-token-not-a-secret"
    assert own.insecure
    assert own.key_expires_on.isoformat() == "2027-05-01"
