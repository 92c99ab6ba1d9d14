"""Start-up checks: what each finds, for whom, and that good settings are left in peace."""

import inspect
import re
from datetime import date, timedelta
from typing import get_args

import pytest

from config import checks
from config.checks import Role
from config.secret import ConfigurationError
from tests.config.conftest import TOML

ROLES = get_args(Role)
QUIET = TOML.replace("[policy]", '[policy]\nmode = "act"') + 'operated_by = "it@example.com"\n'
KEY_FILES = {
    "LEAVER_SOURCES__BAMBOOHR__SECRETS_FILE": "/missing/source",
    "LEAVER_TARGETS__CLOUD__API_KEY_FILE": "/missing/target",
}
PRIVATE_KEY = (
    "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg=="
)


def check(settings, role, today=date(2026, 11, 23)):
    """What is found on a day like another."""
    return checks.check(settings, role, today=today)


def codes(settings, role):
    """Which findings a role gets."""
    return [finding.code for finding in check(settings, role)]


def found(settings, code):
    """The roles that are told."""
    return {role for role in ROLES if code in codes(settings, role)}


@pytest.mark.parametrize("role", ROLES)
def test_good_settings_are_left_in_peace(configured, role):
    """A warning that is always there is read by nobody."""
    assert check(configured(QUIET), role) == ()


def test_a_receiver_without_a_source_does_not_start(configured):
    """It would answer 404 to every delivery, and HR systems do not try again."""
    settings = configured(QUIET.split("[sources.bamboohr]")[0])

    assert found(settings, "E001") == {"serve", "up"}


def test_a_url_that_apprise_does_not_understand_stops_a_worker(configured):
    """Nobody would hear of an alarm.  The text is not shown: it may be a password."""
    settings = configured(f'{QUIET}\n[notify]\nurls = ["json://127.0.0.1", "slack://hunter2"]\n')

    assert found(settings, "E008") == {"work", "up"}
    assert "hunter2" not in str(check(settings, "work"))
    assert "entry 2" in str(check(settings, "work"))


def test_the_receiver_never_learns_where_messages_go(configured):
    """Whoever breaks in at the door must not get into the chat or the mail server."""
    settings = configured(f'{QUIET}\n[notify]\nurls = ["json://127.0.0.1"]\n').for_the_door()

    with pytest.raises(ConfigurationError, match=r"notify\.urls is withheld"):
        settings.notify.urls[0].reveal()
    assert codes(settings, "serve") == []
    assert codes(settings, "work") == ["E003", "E003"]


def test_without_a_target_nothing_starts_that_needs_one(configured):
    """A leaver without a target makes no job: nobody would lose any access."""
    settings = configured(QUIET.split("[targets.cloud]")[0])

    assert found(settings, "E002") == {"serve", "work", "up"}


@pytest.mark.parametrize(
    ("role", "files"),
    [
        ("serve", ["/missing/source"]),
        ("work", ["/missing/target"]),
        ("up", ["/missing/source", "/missing/target"]),
        ("console", []),
    ],
)
def test_each_role_needs_its_own_secrets_only(configured, role, files):
    """The receiver never opens the file of a target's key, nor a worker that of a source."""
    findings = check(configured(QUIET, KEY_FILES), role)

    assert [finding.code for finding in findings] == ["E003"] * len(files)
    for finding, file in zip(findings, files, strict=True):
        assert f"{file} cannot be read: No such file or directory" in str(finding)


def test_the_receiver_is_content_with_withheld_keys(configured):
    """What it must not have, it must not miss."""
    assert check(configured(QUIET).for_the_door(), "serve") == ()


def test_a_worker_with_withheld_keys_does_not_start(configured):
    """Mixed up, the two would fail at the first job instead of now."""
    assert codes(configured(QUIET).for_the_door(), "work") == ["E003"]


def test_receiver_and_console_need_an_address_each(configured):
    """Else `up` starts one of them and fails with the other."""
    settings = configured(QUIET, {"LEAVER_CONSOLE__LISTEN": "127.0.0.1:8000"})

    assert found(settings, "E004") == {"up"}


def test_two_servers_may_both_have_their_port_chosen(configured):
    """Port 0 is never the same port."""
    any_port = {"LEAVER_SERVER__LISTEN": "127.0.0.1:0", "LEAVER_CONSOLE__LISTEN": "127.0.0.1:0"}

    assert found(configured(QUIET, any_port), "E004") == set()


def test_deliveries_in_clear_are_warned_about(configured):
    """They hold personal data; Leaver speaks no TLS itself."""
    settings = configured(QUIET, {"LEAVER_SERVER__LISTEN": "0.0.0.0:8000"})

    assert found(settings, "W001") == {"serve", "up"}


def test_a_receiver_behind_a_proxy_is_not_warned_about(configured):
    """The proxy speaks TLS."""
    behind = {"LEAVER_SERVER__LISTEN": "0.0.0.0:8000", "LEAVER_SERVER__TRUSTED_PROXIES": "1"}

    assert found(configured(QUIET, behind), "W001") == set()


def test_a_console_for_everybody_is_warned_about(configured):
    """It has no login."""
    settings = configured(QUIET, {"LEAVER_CONSOLE__LISTEN": "[::]:8001"})

    assert found(settings, "W002") == {"console", "up"}


def test_shadow_mode_is_said_at_every_start(configured):
    """Who forgets it believes that people have lost their access."""
    settings = configured(QUIET, {"LEAVER_POLICY__MODE": "shadow"})

    assert found(settings, "W003") == {"work", "up"}


@pytest.mark.parametrize(
    ("ledger", "queue", "warned"),
    [
        ("postgresql://db.example.com/leaver", "embedded", True),
        ("postgresql://127.0.0.1/leaver", "embedded", False),
        ("postgresql:///leaver", "embedded", False),
        ("postgresql://db.example.com/leaver", "redis://queue.example.com", False),
        ("sqlite:///leaver.db", "embedded", False),
    ],
)
def test_an_embedded_queue_beside_a_shared_ledger_is_warned_about(
    configured, ledger, queue, warned
):
    """Workers of another machine would see the jobs, and never be woken."""
    environ = {"LEAVER_LEDGER__URL": ledger, "LEAVER_QUEUE__URL": queue}

    assert found(configured(QUIET, environ), "W004") == ({"work", "up"} if warned else set())


def test_without_the_owner_of_the_key_nobody_is_deactivated(configured):
    """When that person leaves, Leaver would deactivate the account it works with."""
    settings = configured(QUIET.replace("operated_by", "#operated_by"))

    assert found(settings, "E006") == {"work", "up"}


def test_in_shadow_mode_an_unknown_owner_of_the_key_is_warned_about(configured):
    """It does no harm yet; whoever goes live has read it by then."""
    shadow = QUIET.replace("operated_by", "#operated_by").replace('mode = "act"', "")

    assert found(configured(shadow), "W005") == {"work", "up"}
    assert found(configured(shadow), "E006") == set()


def test_a_group_is_protected_only_where_its_target_tells_groups(configured):
    """An entry that nobody can ask about would be found out when the board has lost its access."""
    protected = 'protected = ["ceo@example.com", "group:board"]'
    told = QUIET.replace("[policy]", f"[policy]\n{protected}")
    old = """
[targets.old]
kind = "jira-um1"
base_url = "https://jira.example.com"
username = "it-admin"
password = "test-password-not-a-secret"
"""

    assert found(configured(told), "E007") == set()
    assert found(configured(QUIET + old), "E007") == set()
    assert found(configured(told + old), "E007") == {"work", "up"}


def test_bundles_of_certificates_must_be_there(configured, folder):
    """Every call would fail, each with a puzzle about TLS."""
    (folder / "not-a-certificate.pem").write_text("nothing")
    (folder / "hashed").mkdir()
    for bundle in ("missing.pem", "not-a-certificate.pem", "hashed"):
        settings = configured(QUIET, {"LEAVER_TARGETS__CLOUD__CA_BUNDLE": bundle})
        assert found(settings, "E005") == {"work", "up"}

    (folder / "hashed" / "0a1b2c3d.0").write_text("a certificate")
    assert found(configured(QUIET, {"LEAVER_TARGETS__CLOUD__CA_BUNDLE": "hashed"}), "E005") == set()


@pytest.mark.parametrize(
    ("left", "said"),
    [
        (31, ""),
        (30, "30 days or less from now"),
        (15, "30 days or less from now"),
        (14, "14 days or less from now"),
        (7, "7 days or less from now"),
        (1, "1 day or less from now"),
        (0, "1 day or less from now"),
        (-1, "expired on"),
    ],
)
def test_a_credential_that_expires_is_warned_about(configured, left, said):
    """Keys of Atlassian's cloud live a year at most; then no leaver loses anything."""
    settings = configured(QUIET + "key_expires_on = 2027-05-01\n")
    today = date(2027, 5, 1) - timedelta(days=left)

    findings = check(settings, "work", today)

    assert [finding.code for finding in findings] == (["W009"] if said else [])
    assert not findings or said in str(findings[0])


@pytest.mark.parametrize("kind", ["crowd", "atlassian-scim"])
def test_a_credential_that_is_nobodys_needs_no_owner(configured, kind):
    """An application and a directory have no account that could be switched off."""
    own = {
        "crowd": 'base_url = "https://c.example"\napplication = "leaver"\npassword = "test"\n',
        "atlassian-scim": 'directory_id = "d"\napi_key = "test-key-not-a-secret"\n',
    }
    settings = configured(
        QUIET.split("[targets.cloud]")[0] + f'[targets.it]\nkind = "{kind}"\n{own[kind]}'
    )

    assert found(settings, "E006") == set()


@pytest.mark.parametrize(("tolerance", "warned"), [("154m", True), ("155m", False)])
def test_a_tolerance_below_bamboohrs_retries_is_warned_about(configured, tolerance, warned):
    """A repetition 155 minutes later may carry the first signature (hr-senders.md 1.2)."""
    settings = configured(QUIET, {"LEAVER_SOURCES__BAMBOOHR__TOLERANCE": tolerance})

    assert found(settings, "W006") == ({"serve", "up"} if warned else set())


def test_the_tolerance_of_other_sources_is_their_own(configured):
    """A Standard Webhook is signed anew at each try."""
    settings = configured(QUIET, {"LEAVER_SOURCES__WORKDAY_EMEA__TOLERANCE": "1m"})

    assert found(settings, "W006") == set()


def test_a_target_that_no_source_has_is_warned_about(configured):
    """Nobody would ever lose an account there, and nothing would say so."""
    second = "[targets.forgotten]" + QUIET.partition("[targets.cloud]")[2]
    settings = configured(QUIET.replace('kind = "', 'targets = ["cloud"]\nkind = "', 2) + second)

    assert found(settings, "W007") == {"serve", "up"}


@pytest.mark.parametrize("more", ["", ', "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"'])
def test_a_private_key_at_the_door_is_warned_about(configured, more):
    """It is for `leaver send`; the receiver needs the public half."""
    settings = configured(
        QUIET.replace('"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"', f'"{PRIVATE_KEY}"{more}')
    )

    assert found(settings, "W008") == {"serve", "up"}


def test_an_error_stops_and_a_warning_does_not(configured):
    """The one ends the start with exit code 2, the other is logged."""
    findings = check(configured(TOML.split("[sources.bamboohr]")[0]), "up")

    assert {finding.code: finding.stops for finding in findings} == {
        "E001": True,
        "E002": True,
        "W003": False,
    }


def test_a_finding_says_what_to_do(configured):
    """Code, fault and hint in one line."""
    (finding,) = check(configured(QUIET, {"LEAVER_POLICY__MODE": "shadow"}), "work")

    assert str(finding) == (
        'W003 policy.mode is "shadow": nobody is deactivated; look at `leaver jobs --outcome '
        'would_deactivate`, then set policy.mode = "act"'
    )


@pytest.mark.parametrize("where", ["SOURCES__BAMBOOHR", "TARGETS__CLOUD"])
def test_a_source_or_a_target_in_shadow_mode_is_told_by_its_name(configured, where):
    """The rest acts, so nobody would miss what does not."""
    settings = configured(QUIET, {f"LEAVER_{where}__MODE": "shadow"})

    [finding] = check(settings, "work")

    setting = f"{where.lower().replace('__', '.')}.mode"
    assert str(finding).startswith(f'W003 {setting} is "shadow": nobody is deactivated there;')


def test_the_owner_of_a_key_that_is_only_read_with_may_be_unknown(configured):
    """Its target is in shadow mode; the others act."""
    environ = {"LEAVER_TARGETS__CLOUD__MODE": "shadow"}
    settings = configured(QUIET.replace("operated_by", "#operated_by"), environ)

    assert found(settings, "E006") == set()
    assert found(settings, "W005") == {"work", "up"}


def test_no_finding_shows_a_secret(configured):
    """They are logged at every start."""
    settings = configured(
        QUIET.replace("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", PRIVATE_KEY),
        KEY_FILES | {"LEAVER_LEDGER__URL": "postgresql://u:not-a-secret@db.example.com/n"},
    )

    said = " ".join(str(finding) for role in ROLES for finding in check(settings, role))

    assert "not-a-secret" not in said
    assert PRIVATE_KEY not in said


def test_every_code_is_explained():
    """The README, where an operator looks one up, has them from there."""
    given = re.findall(r'Finding\(\s*"([EW]\d{3})"', inspect.getsource(checks))

    assert [*checks.CODES] == sorted(given)
