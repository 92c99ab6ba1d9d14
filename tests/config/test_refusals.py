"""What is wrong stops the start with one line that helps: key, value, what is allowed."""

# ruff: noqa: E501 - the lines under test are long, and read best whole

import os
import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from config.settings import MODELS, ConfigurationError, load
from tests.config.conftest import TOML

HOST_PORT = 'is not HOST:PORT; use "127.0.0.1:8000", "[::1]:8000" or the like'
ZONE = 'is not a time zone; use an IANA name such as "Europe/Berlin"'
DURATION = 'is not a duration; use a number and s, m, h or d, such as "30s" or "7d"'
STANDARD_KEY = "is not a key of Standard Webhooks; use whsec_ and 24 to 64 bytes in base64, or whpk_ and an ed25519 public key"
LEDGER = "is not a ledger; use sqlite:///PATH or postgresql+psycopg://USER:PASSWORD@HOST/NAME"
PLACEHOLDER = "is still the placeholder of the example; put the real one here"
NAME = "is not a name; use small letters and digits, with single dashes between"

BERLIN, BAMBOOHR, STANDARD = '"Europe/Berlin"', 'kind = "bamboohr"', 'kind = "standard"'
SOURCES = [f'"{kind}"' for kind in MODELS["sources"]]
CLOUD, KEY = 'kind = "atlassian-org"', '"test-api-key-not-a-secret"'


def line(configured, toml=TOML, environ=None):
    """The one line that says what is wrong."""
    with pytest.raises(ConfigurationError) as refused:
        configured(toml, environ or {})
    return str(refused.value)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        # A value of the wrong form.
        (BERLIN, '"Berlin"', f'policy.timezone: "Berlin" {ZONE}'),
        (BERLIN, '"Europe"', f'policy.timezone: "Europe" {ZONE}'),
        (BERLIN, '"../etc/passwd"', f'policy.timezone: "../etc/passwd" {ZONE}'),
        (BERLIN, "1", "policy.timezone: 1 is not a text; put it in quotes"),
        (BERLIN, '""', 'policy.timezone: "" is empty'),
        (BERLIN, '"..."', f'policy.timezone: "..." {PLACEHOLDER}'),
        ("[policy]", '[policy]\nmode = "on"', 'policy.mode: "on" is not known; use "shadow" or "act"'),
        ("[policy]", "[policy]\ndedup_window = 7", f"policy.dedup_window: 7 {DURATION}"),
        (
            "[policy]",
            '[notify]\nurls = ["hunter2"]\n[policy]',
            'notify.urls, entry 1 is not a URL of apprise, such as "slack://..." or "mailtos://..."',
        ),
        (
            "[policy]",
            '[notify]\non_done = "{name} is gone"\n[policy]',
            'notify.on_done: "{name} is gone" has a {name} that nobody can fill in; use {job}, {outcome}, {target}, {source}, {employee_id}, {account_id}, {email}',
        ),
        (
            "[policy]",
            '[notify]\ngroup_every = "1h"\n[policy]',
            'notify.group_every: "1h" is too long; use at most "15m"',
        ),
        (
            "[policy]",
            '[notify]\non_done = "{job is gone"\n[policy]',
            'notify.on_done: "{job is gone" has a brace without its other one; {{ and }} mean braces',
        ),
        (
            "[policy]",
            '[policy]\nemail_domains = ["@example.com"]',
            'policy.email_domains, entry 1: "@example.com" is not a domain; use what follows the @, such as "example.com"',
        ),
        (
            "[policy]",
            '[policy]\nprotected = ["a@b.c", "ceo"]',
            'policy.protected, entry 2: "ceo" is not an e-mail address, nor a pattern such as "*-svc@example.com", "employee:ID", "account:ID" or "group:NAME"',
        ),
        (
            "[policy]",
            '[policy]\nprotected = ["role:exec*"]',
            'policy.protected, entry 1: "role:exec*" is not an e-mail address, nor a pattern such as "*-svc@example.com", "employee:ID", "account:ID" or "group:NAME"',
        ),
        (
            "[policy]",
            '[policy]\nprotected = ["ceo@example.com, cfo@example.com"]',
            'policy.protected, entry 1: "ceo@example.com, cfo@example.com" is not an e-mail address, nor a pattern such as "*-svc@example.com", "employee:ID", "account:ID" or "group:NAME"',
        ),
        (
            "[policy]",
            '[policy]\nprotected = ["a@b.c", "A@b.c"]',
            "policy.protected has the same entry twice",
        ),
        (
            "[policy]",
            "[policy]\nprotected = 5",
            'policy.protected: 5 is not a list; use ["..."]',
        ),
        # A brake that was meant and does not hold would be found out too late.
        ("[policy]", "[policy]\nbrake = [10]", 'policy.brake, entry 1: 10 is not a window; use { leavers = 10, per = "1h" }'),
        (
            "[policy]",
            '[policy]\nbrake = [{ leavers = 9, per = "1h" }, { leavers = 10 }]',
            'policy.brake, entry 2 is not a window; use { leavers = 10, per = "1h" }',
        ),
        (
            "[policy]",
            '[policy]\nbrake = [{ leavers = 0, per = "1h" }]',
            "policy.brake, entry 1 lets nobody pass; use at least one leaver, or [] for no brake",
        ),
        (
            BAMBOOHR,
            BAMBOOHR + '\nbrake = [{ leavers = 5, per = "1 hour" }]',
            f"sources.bamboohr.brake, entry 1 has a per that {DURATION}",
        ),
        (CLOUD, CLOUD + "\nconcurrency = 0", "targets.cloud.concurrency: 0 is too small; use at least 1"),
        (CLOUD, CLOUD + "\nconcurrency = 65", "targets.cloud.concurrency: 65 is too large; use at most 64"),
        (CLOUD, CLOUD + "\nconcurrency = true", "targets.cloud.concurrency: true is not a whole number"),
        (CLOUD, CLOUD + "\ninsecure = 1", "targets.cloud.insecure: 1 is not true or false"),
        (CLOUD, CLOUD + '\nkey_expires_on = "May"', 'targets.cloud.key_expires_on: "May" is not a day; use one such as 2027-05-01'),
        (CLOUD, CLOUD + "\nconcurrency = 8.0", "targets.cloud.concurrency: 8.0 is not a whole number"),
        (
            CLOUD,
            CLOUD + '\noperated_by = "Lena"',
            'targets.cloud.operated_by: "Lena" is not an e-mail address; use "it-admin@example.com" '
            "or the like",
        ),
        (
            CLOUD,
            CLOUD + '\nbase_url = "http://api.atlassian.com"',
            'targets.cloud.base_url: "http://api.atlassian.com" must begin with https:// (http:// '
            "only to this machine itself, or with insecure = true)",
        ),
        (
            CLOUD,
            CLOUD + '\nbase_url = "https://admin:hunter2@hunter2@example.com"',
            'targets.cloud.base_url: "https://********@example.com" is not a base URL; use "https://api.atlassian.com" or the like',
        ),
        (
            "11111111-2222-3333-4444-555555555555",
            "../v2/orgs",
            'targets.cloud.org_id: "../v2/orgs" is not an organization id; admin.atlassian.com shows '
            "it under API keys",
        ),
        (
            BAMBOOHR,
            BAMBOOHR + '\nfields = { "Work Mail" = "mail" }',
            'sources.bamboohr.fields."Work Mail": "mail" is not known; use "email", "employee_id", "status", "employment_status" or "termination_date"',
        ),
        (
            "[sources.bamboohr]",
            "[sources.operator]",
            "sources.operator is taken: leavers entered by hand have it as their source; use another name",
        ),
        (BAMBOOHR, BAMBOOHR + "\ntargets = []", "sources.bamboohr.targets is an empty list"),
        (
            BAMBOOHR,
            BAMBOOHR + '\ntimezone = "PT"',
            f'sources.bamboohr.timezone: "PT" {ZONE}',
        ),
        ("[policy]", "[verify]\ntimeout='1h'\n[policy]", 'verify.timeout: "1h" is too long; use at most "15m"'),
        # A value that is wrong beside another one.
        (
            BAMBOOHR,
            BAMBOOHR + '\ntargets = ["clud"]',
            'sources.bamboohr.targets: "clud" is not a target; use "cloud"',
        ),
        (
            "[policy]",
            '[retry]\nfirst_delay = "7h"\n[policy]',
            "retry.max_delay is shorter than retry.first_delay",
        ),
        # A kind, a name, a table.
        (
            STANDARD,
            'kind = "fax"',
            f'sources.workday-emea.kind: "fax" is not known; use {", ".join(SOURCES)}',
        ),
        (
            STANDARD,
            "",
            f'sources.workday-emea.kind is missing; use {" or ".join(SOURCES)}',
        ),
        (CLOUD, 'kind = "jira"', 'targets.cloud.kind: "jira" is not known; use "atlassian-org", "atlassian-scim", "jira-dc", "confluence-dc", "crowd", "jira-cloud-site", "jira-um1"'),
        ("[targets.cloud]", "[targets.Cloud]", f'targets.Cloud: "Cloud" {NAME}'),
        ("[targets.cloud]", "[targets.a--b]", f'targets.a--b: "a--b" {NAME}'),
        ("[targets.cloud]", '[targets."a b"]', f'targets."a b": "a b" {NAME}'),
        ("[policy]", "server = 5\n[policy]", "server: 5 is not a table"),
        ("[policy]", "[sources]\nx = 5\n[policy]", "sources.x: 5 is not a table"),
        # A key nobody knows, or not yet, or not here; its value may be a secret, so it is not shown.
        ("api_key", "api_kye", None),
        ("[policy]", "[policy]\nmod = 1", 'policy.mod is not a setting; did you mean "mode"?'),
        ("[policy]", "[policy]\nquorum = true", "policy.quorum is not a setting"),
        (
            CLOUD,
            CLOUD + '\ntoken = "x"',
            'targets.cloud.token is not a setting of kind "atlassian-org"',
        ),
        (
            STANDARD,
            STANDARD + '\ninactive_statuses = ["Inactive"]',
            'sources.workday-emea.inactive_statuses is not a setting of kind "standard"',
        ),
        ("[policy]", "[Server]\n[policy]", 'Server is not a setting; did you mean "server"?'),
        ("[policy]", "home = '/'\n[policy]", "home is not a setting"),
        ("[policy]", '"a\\nb" = 1\n[policy]', '"a\\nb" is not a setting'),
        (
            STANDARD,
            STANDARD + '\ncutoff_order = ["last_day", "firstDay"]',
            'sources.workday-emea.cutoff_order, entry 2: "firstDay" is not known; use "access_revocation", "immediate", "last_day" or "termination_date"',
        ),
        # A secret: its value is never shown.
        (KEY, '""', "targets.cloud.api_key is empty"),
        (KEY, '"..."', f"targets.cloud.api_key {PLACEHOLDER}"),
        (KEY, '"hunter2\\n"', "targets.cloud.api_key has a space at an end, a line break or another control character"),
        (KEY, '"hünter2"', "targets.cloud.api_key has a character that no HTTP header can carry"),
        (KEY, "12345", "targets.cloud.api_key is not a text; put it in quotes"),
        ('["test-key-not-a-secret"]', "[]", "sources.bamboohr.secrets is an empty list"),
        ('["test-key-not-a-secret"]', '["a", ""]', "sources.bamboohr.secrets, entry 2 is empty"),
        (
            '["test-key-not-a-secret"]',
            '["hunter2", "hunter2"]',
            "sources.bamboohr.secrets has the same entry twice",
        ),
        (
            '"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"',
            '"hunter2"',
            f"sources.workday-emea.secrets, entry 1 {STANDARD_KEY}",
        ),
        ("[policy]", '[ledger]\nurl = "mysql://u:hunter2@h"\n[policy]', f"ledger.url {LEDGER}"),
        # Something that must be set.
        (
            "timezone = " + BERLIN,
            "",
            "policy.timezone is missing (or LEAVER_POLICY__TIMEZONE): Time zone in which a bare date "
            'of HR is meant, an IANA name such as "Europe/Berlin"; a source may set its own.',
        ),
        (
            'secrets = ["test-key-not-a-secret"]',
            "",
            "sources.bamboohr.secrets is missing (or LEAVER_SOURCES__BAMBOOHR__SECRETS): Keys of its signatures; several while you change from one to the next.",
        ),
        (
            f"api_key = {KEY}",
            "",
            "targets.cloud.api_key is missing (or LEAVER_TARGETS__CLOUD__API_KEY): API key of the organization; only workers read it.",
        ),
    ],
)  # fmt: skip
def test_one_line_names_the_key_the_value_and_what_is_allowed(configured, old, new, expected):
    """The person who reads it has just broken the start, and wants to mend it at once."""
    said = line(configured, TOML.replace(old, new, 1))

    assert "hunter2" not in said
    if expected is not None:
        assert said == f"leaver.toml: {expected}"


def test_a_misspelt_secret_does_not_show_its_value(configured):
    """An unknown key may well be the key to everything."""
    said = line(configured, TOML.replace("api_key", "api_kye"))

    assert "not-a-secret" not in said


@pytest.mark.parametrize(
    ("variable", "value", "expected"),
    [
        ("LEAVER_POLICY__TIMEZONE", "Berlin", f': "Berlin" {ZONE}'),
        ("LEAVER_SERVER__LISTEN", "8000", f': "8000" {HOST_PORT}'),
        ("LEAVER_SERVER__MAX_BODY_BYTES", "1 MB", ': "1 MB" is not a whole number'),
        ("LEAVER_POLICY__PROTECTED", "", ', entry 1: "" is empty'),
        ("LEAVER_POLICY__PROTECTED", "[a]", ': "[a]" is not JSON such as ["a", "b"] or {"a": "b"}'),
        ("LEAVER_SOURCES__BAMBOOHR__FIELDS", "{", ': "{" is not JSON such as ["a", "b"] or {"a": "b"}'),
        ("LEAVER_SOURCES__BAMBOOHR__SECRETS", '["hunter2', ' is not JSON such as ["a", "b"] or {"a": "b"}'),
        ("LEAVER_SOURCES__WORKDAY_EMEA__SECRETS", "hunter2", f", entry 1 {STANDARD_KEY}"),
        ("LEAVER_TARGETS__CLOUD__API_KEY", "", " is empty"),
        ("LEAVER_QUEUE__URL", "hunter2", ' is not a queue; use "embedded", redis://, rediss://, '
         "unix://, sentinel://"),
    ],
)  # fmt: skip
def test_a_wrong_value_in_the_environment_names_its_variable(configured, variable, value, expected):
    """The file is right; the line must send nobody there."""
    assert line(configured, environ={variable: value}) == f"{variable}{expected}"


@pytest.mark.parametrize(
    ("variable", "hint"),
    [
        ("LEAVER_POLICY_TIMEZONE", "did you mean LEAVER_POLICY__TIMEZONE?"),
        ("LEAVER_POLCY__MODE", "did you mean LEAVER_POLICY__MODE?"),
        ("LEAVER_Policy__Mode", "did you mean LEAVER_POLICY__MODE?"),
        ("LEAVER_targets__cloud__api_key_FILE", "did you mean LEAVER_TARGETS__CLOUD__API_KEY?"),
        ("LEAVER_POLICY__MODE_FILE", "did you mean LEAVER_POLICY__MODE?"),
        ("LEAVER_SERVER__LISTEN__HOST", "did you mean LEAVER_SERVER__LISTEN?"),
        ("LEAVER_SOURCES__WORKDAY_EMEA__SECRET", "did you mean LEAVER_SOURCES__WORKDAY_EMEA__SECRETS?"),
        ("LEAVER_SOURCES__SECRETS", "did you mean LEAVER_SOURCES__NAME__SECRETS?"),
        ("LEAVER_XYZ", "variables are LEAVER_SECTION__KEY"),
        ("LEAVER_", "variables are LEAVER_SECTION__KEY"),
    ],
)  # fmt: skip
def test_a_variable_that_sets_nothing_is_refused(configured, variable, hint):
    """LEAVER_POLICY_MODE=act that is ignored would leave everybody's access as it is."""
    said = line(configured, environ={variable: "hunter2"})

    assert said == f"{variable} is not a setting; {hint}"


def test_a_key_of_another_kind_is_refused_in_the_environment_too(configured):
    """The variable is known, its source is of the other kind."""
    said = line(configured, environ={"LEAVER_SOURCES__WORKDAY_EMEA__FIELDS": "{}"})

    assert said == 'LEAVER_SOURCES__WORKDAY_EMEA__FIELDS is not a setting of kind "standard"'


def test_of_several_faults_the_first_is_told_and_the_others_are_counted(configured):
    """One line, and no surprise when the second start fails as well."""
    said = line(
        configured,
        TOML.replace("Europe/Berlin", "Berlin").replace("[policy]", "[policy]\nquorum = true"),
        {"LEAVER_XYZ": "1"},
    )

    assert said == ("LEAVER_XYZ is not a setting; variables are LEAVER_SECTION__KEY (and 2 more)")


@pytest.mark.parametrize(
    ("toml", "place"),
    [
        ("[policy\n", "line 1, column 8"),
        ('a = 1\nb = "\\q"\n', "line 2, column 8"),
        ("a = 1\na = 2\n", "line 2, column 6"),
        ("a =", "end of document"),
    ],
)
def test_broken_toml_is_told_with_its_place(configured, toml, place):
    """Line and column, as an editor counts them; then what Python says of it."""
    assert re.fullmatch(rf"leaver\.toml: {place}: [^(]+", line(configured, toml))


def test_a_file_that_is_no_text_is_told(folder):
    """UTF-16 from an editor on Windows, for one."""
    (folder / "leaver.toml").write_bytes("[policy]".encode("utf-16"))

    with pytest.raises(ConfigurationError, match=r"^leaver\.toml: is not UTF-8 text$"):
        load(None, {})


@pytest.mark.parametrize("path", ["missing.toml", "."])
def test_a_file_that_somebody_named_must_be_there(folder, path):
    """A mistyped --config must not start with the environment alone."""
    with pytest.raises(
        ConfigurationError, match="there is no such file; --config or LEAVER_CONFIG"
    ):
        load(folder / path, {})
    with pytest.raises(
        ConfigurationError, match="there is no such file; --config or LEAVER_CONFIG"
    ):
        load(None, {"LEAVER_CONFIG": path})


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads every file")
def test_a_file_that_cannot_be_read_is_told(folder):
    """The service's user has no right to it, most of the time."""
    file = folder / "leaver.toml"
    file.write_text(TOML)
    file.chmod(0)

    with pytest.raises(
        ConfigurationError, match=r"^leaver\.toml: cannot be read: Permission denied$"
    ):
        load(None, {})


def test_without_a_file_the_line_says_where_none_was(folder):
    """Most of all: `leaver jobs` in the wrong folder."""
    with pytest.raises(ConfigurationError) as refused:
        load(None, {})

    assert str(refused.value).startswith(
        f"no leaver.toml in {folder} (--config names one): policy.timezone is missing"
    )


def test_a_long_value_is_cut(configured):
    """One line stays one line."""
    said = line(configured, TOML.replace("Europe/Berlin", "B" * 500))

    assert said == f'leaver.toml: policy.timezone: "{"B" * 59}... {ZONE}'


@given(st.text(), st.sampled_from(["\n", "\r", "\u2028", "\x85", "\x1b", ""]))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_wrong_it_is_one_line(configured, text, separator):
    """A log collector, systemd and a person all take one line for one fault."""
    value = (text + separator + "x").encode("utf-8", "replace").decode().replace("\0", "")

    said = line(configured, environ={"LEAVER_POLICY__TIMEZONE": value + "!"})

    assert len(said.splitlines()) == 1
    assert said.isprintable()
