"""Where settings come from, and what they give."""

import socket
from datetime import timedelta

import pytest
from pydantic import ValidationError

from config.environment import NAMED_SECTIONS
from config.settings import MODELS, Address, ConfigurationError, Settings, load
from tests.config.conftest import TOML

ENVIRONMENT_ALONE = {
    "LEAVER_POLICY__TIMEZONE": "Europe/Berlin",
    "LEAVER_SOURCES__WORKDAY_EMEA__KIND": "standard",
    "LEAVER_SOURCES__WORKDAY_EMEA__SECRETS": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    "LEAVER_TARGETS__CLOUD__KIND": "atlassian-org",
    "LEAVER_TARGETS__CLOUD__ORG_ID": "11111111-2222-3333-4444-555555555555",
    "LEAVER_TARGETS__CLOUD__API_KEY": "test-api-key-not-a-secret",
}


def test_little_has_to_be_set(configured):
    """A newcomer sets a zone, a source and a target; the rest is what DESIGN section 6 says."""
    settings = configured()

    assert settings.server.listen == Address("127.0.0.1", 8000)
    assert settings.server.max_body_bytes == 1048576
    assert settings.server.trusted_proxies == 0
    assert settings.console.listen == Address("127.0.0.1", 8001)
    assert settings.queue.url.reveal() == "embedded"
    assert settings.queue.is_embedded
    assert settings.policy.mode == "shadow"
    assert settings.policy.protected == ()
    assert settings.policy.email_domains == ()
    assert settings.policy.dedup_window == timedelta(days=7)
    assert settings.retry.first_delay == timedelta(seconds=30)
    assert settings.retry.max_delay == timedelta(hours=6)
    assert settings.retry.give_up_after == timedelta(days=7)
    assert settings.verify.timeout == timedelta(seconds=60)


def test_a_source_and_a_target_have_defaults_of_their_kind(configured):
    """BambooHR tries again for 155 minutes; a Standard Webhook is signed anew each time."""
    settings = configured()
    bamboohr, workday = settings.sources["bamboohr"], settings.sources["workday-emea"]
    cloud = settings.targets["cloud"]

    assert (bamboohr.tolerance, workday.tolerance) == (timedelta(hours=3), timedelta(minutes=5))
    assert bamboohr.inactive_statuses == ("Inactive",)
    assert bamboohr.terminated_statuses == ("Terminated",)
    assert bamboohr.fields == {}
    assert cloud.base_url == "https://api.atlassian.com"
    assert (cloud.operated_by, cloud.concurrency) == (None, 8)
    assert cloud.idp_grace == timedelta(hours=4)


def test_what_compares_with_e_mail_addresses_is_lower_case(configured):
    """An address is compared in lower case; CEO@Example.com must be as protected as written."""
    settings = configured(
        TOML.replace(
            "[policy]",
            '[policy]\nprotected = ["CEO@Example.com", "*-SVC@*"]\nemail_domains = ["Example.COM"]',
        )
        + 'operated_by = "IT-Admin@example.com"\n'
    )

    assert settings.policy.protected == ("ceo@example.com", "*-svc@*")
    assert settings.policy.email_domains == ("example.com",)
    assert settings.targets["cloud"].operated_by == "it-admin@example.com"


def test_the_environment_beats_the_file(configured):
    """A container sets what differs, and leaves the file alone."""
    settings = configured(
        environ={"LEAVER_POLICY__MODE": "act", "LEAVER_SERVER__MAX_BODY_BYTES": "2048"}
    )

    assert settings.policy.mode == "act"
    assert settings.policy.timezone == "Europe/Berlin"
    assert settings.server.max_body_bytes == 2048


def test_a_dash_in_a_name_is_an_underscore_in_a_variable(configured):
    """Shells allow no dashes in the names of variables."""
    settings = configured(environ={"LEAVER_SOURCES__WORKDAY_EMEA__TOLERANCE": "10m"})

    assert settings.sources["workday-emea"].tolerance == timedelta(minutes=10)


def test_the_environment_alone_is_enough(folder):
    """A container needs no file at all."""
    settings = load(None, ENVIRONMENT_ALONE)

    assert set(settings.sources) == {"workday-emea"}
    assert set(settings.targets) == {"cloud"}
    assert settings.home == folder


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ('["a@example.com", "b@example.com"]', ("a@example.com", "b@example.com")),
        ("a@example.com", ("a@example.com",)),
        ("[]", ()),
    ],
)
def test_a_list_in_the_environment_is_json_or_one_bare_entry(configured, value, expected):
    """One entry needs no brackets and no second layer of quotes."""
    settings = configured(environ={"LEAVER_POLICY__PROTECTED": value})

    assert settings.policy.protected == expected


def test_a_table_in_the_environment_is_json(configured):
    """There is one table that is a value: the names of BambooHR's fields."""
    settings = configured(environ={"LEAVER_SOURCES__BAMBOOHR__FIELDS": '{"Mail": "email"}'})

    assert settings.sources["bamboohr"].fields == {"Mail": "email"}


def test_an_ipv6_address_in_the_environment_is_no_list(configured):
    """It begins with a bracket, as a list does."""
    settings = configured(environ={"LEAVER_SERVER__LISTEN": "[::1]:8000"})

    assert settings.server.listen == Address("::1", 8000)


def test_other_variables_are_nobodys_business(configured):
    """HOME or SERVER must never become a setting; two LEAVER_ variables set nothing."""
    environ = {"HOME": "/", "SERVER": "{}", "POLICY": "x", "LEAVER_OPENAPI_DIR": "/nowhere"}

    assert configured(environ=environ) == configured()


def test_settings_built_from_a_table_read_no_environment(monkeypatch):
    """A test or the demo builds its own; pydantic-settings would mix in a variable named retry."""
    monkeypatch.setenv("retry", '{"first_delay": "1s"}')

    settings = Settings.model_validate({"policy": {"timezone": "Europe/Berlin"}})

    assert settings.retry.first_delay == timedelta(seconds=30)


def test_a_relative_ledger_lies_beside_the_file(folder, monkeypatch):
    """`leaver jobs` from another folder must see the ledger that `leaver up` writes."""
    (folder / "leaver.toml").write_text(TOML)
    elsewhere = folder / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)

    settings = load(None, {"LEAVER_CONFIG": "../leaver.toml"})

    assert settings.home.samefile(folder)
    assert settings.ledger.url.reveal() == f"sqlite:///{settings.home}/var/leaver.db"


def test_a_ledger_elsewhere_stays_where_it_is(configured):
    """Only a relative path has a beginning to be given."""
    absolute = configured(environ={"LEAVER_LEDGER__URL": "sqlite:////var/lib/leaver.db"})
    remote = configured(environ={"LEAVER_LEDGER__URL": "postgresql://u:p@h/n"})

    assert absolute.ledger.url.reveal() == "sqlite:////var/lib/leaver.db"
    assert remote.ledger.url.reveal() == "postgresql+psycopg://u:p@h/n"


def test_the_named_file_is_read_before_the_default(folder):
    """--config beats $LEAVER_CONFIG beats ./leaver.toml."""
    for name, mode in (("leaver", "shadow"), ("variable", "act"), ("option", "shadow")):
        text = TOML.replace("[policy]", f'[policy]\nmode = "{mode}"')
        (folder / f"{name}.toml").write_text(text)
    variable = {"LEAVER_CONFIG": "variable.toml"}

    assert load(None, {}).policy.mode == "shadow"
    assert load(None, variable).policy.mode == "act"
    assert load(folder / "option.toml", variable).policy.mode == "shadow"


def test_sources_go_to_every_target_unless_they_say_where(configured):
    """One target is the usual case; naming it twice would be a thing to forget."""
    second = TOML.partition("[targets.cloud]")[2]
    settings = configured(
        TOML.replace('kind = "standard"', 'kind = "standard"\ntargets = ["other"]')
        + "[targets.other]"
        + second
    )

    assert settings.targets_of("bamboohr") == ("cloud", "other")
    assert settings.targets_of("workday-emea") == ("other",)


def test_nothing_can_be_changed_afterwards(configured):
    """Read once, passed as an argument: no part of a process can see another policy."""
    settings = configured()

    with pytest.raises(ValidationError, match="frozen"):
        settings.policy.mode = "act"


def test_reading_the_same_twice_gives_equal_settings(configured):
    """SIGHUP must be able to tell that nothing has changed."""
    assert configured() == configured()
    assert configured() != configured(environ={"LEAVER_POLICY__MODE": "act"})


def test_the_door_cannot_reveal_what_is_a_targets(configured):
    """Receiver and console are the parts a stranger talks to: they hold no key to Atlassian."""
    door = configured().for_the_door()

    with pytest.raises(ConfigurationError, match=r"targets\.cloud\.api_key is withheld"):
        door.targets["cloud"].api_key.reveal()
    assert door.sources["bamboohr"].secrets[0].reveal() == "test-key-not-a-secret"
    assert door.targets_of("bamboohr") == ("cloud",)


def test_the_door_keeps_its_folder(configured):
    """It shares the ledger of the workers."""
    settings = configured()

    assert settings.for_the_door().home == settings.home
    assert settings.for_the_door().ledger == settings.ledger


@pytest.mark.parametrize("show", [str, repr, Settings.model_dump, Settings.model_dump_json])
def test_no_way_of_printing_settings_shows_a_secret(configured, show):
    """A stray print or a logged object is how keys get out."""
    settings = configured(
        environ={
            "LEAVER_LEDGER__URL": "postgresql://leaver:ledger-password@h/n",
            "LEAVER_QUEUE__URL": "redis://:queue-password@h",
        }
    )

    shown = str(show(settings))

    for secret in ("not-a-secret", "MfKQ9r8", "ledger-password", "queue-password"):
        assert secret not in shown


def test_every_section_is_known_to_the_environment():
    """A section missing there could be set in the file only, and its errors would say little."""
    assert list(MODELS) == list(Settings.model_fields)
    assert set(NAMED_SECTIONS) == {name for name, kinds in MODELS.items() if "" not in kinds}


def test_every_setting_says_what_it_means():
    """A missing one is explained with this text, and so is each line of the example."""
    for kinds in MODELS.values():
        for model in kinds.values():
            for name, setting in model.model_fields.items():
                assert setting.description, f"{model.__name__}.{name}"


def test_loading_connects_to_nothing(configured, monkeypatch):
    """Settings of a broken network must still be readable by `leaver doctor`."""
    monkeypatch.setattr(socket, "socket", None)

    assert configured(environ={"LEAVER_QUEUE__URL": "redis://nowhere.invalid"})


@pytest.mark.parametrize(
    ("policy", "source", "target", "shadow"),
    [
        ("act", None, None, ""),
        ("act", "act", "act", ""),
        ("act", "shadow", "act", "sources.bamboohr.mode"),
        ("act", "act", "shadow", "targets.cloud.mode"),
        ("act", None, "shadow", "targets.cloud.mode"),
        ("shadow", "act", "act", "policy.mode"),
        ("shadow", None, None, "policy.mode"),
    ],
)
def test_shadow_wins_wherever_it_stands(configured, policy, source, target, shadow):
    """One word that says no is enough, and it is told which."""
    modes = {"POLICY": policy, "SOURCES__BAMBOOHR": source, "TARGETS__CLOUD": target}
    environ = {f"LEAVER_{where}__MODE": mode for where, mode in modes.items() if mode}

    assert configured(environ=environ).shadowed_by("bamboohr", "cloud") == shadow


def test_the_shadow_of_one_source_does_not_fall_on_the_others(configured):
    """A leaver entered by hand is of no source in the file."""
    environ = {"LEAVER_POLICY__MODE": "act", "LEAVER_SOURCES__BAMBOOHR__MODE": "shadow"}

    assert configured(environ=environ).shadowed_by("operator", "cloud") == ""
