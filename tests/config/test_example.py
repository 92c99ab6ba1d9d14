"""leaver.example.toml is what settings.py says: no more, no less, and it works."""

import re
import tomllib
from datetime import date
from pathlib import Path

import pytest

import config
from config.openid import OpenId
from config.secret import ConfigurationError
from config.settings import MODELS, Settings, load
from config.targets import AtlassianOrg, Target

TEXT = (Path(config.__file__).parent / "leaver.example.toml").read_text(encoding="utf-8")
# A setting that may be left out stands behind a # without a space.
EVERYTHING = re.sub("^#(?! |$)", "", TEXT, flags=re.MULTILINE)
TABLES = tomllib.loads(EVERYTHING)

PLACEHOLDERS = {
    ("policy", "timezone"): ('"..."', '"Europe/Berlin"'),
    ("bamboohr", "secrets"): ('["..."]', '["test-key-not-a-secret"]'),
    ("workday", "secrets"): ('["..."]', '["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"]'),
    ("cloud", "org_id"): ('"..."', '"test-org"'),
    ("cloud", "api_key"): ('"..."', '"test-api-key-not-a-secret"'),
}
OTHER_KINDS = {
    ("console.openid", "client_secret"): ('"..."', '"test-secret-not-a-secret"'),
    ("okta", "secrets"): ('["..."]', '["test-key-not-a-secret"]'),
    ("hibob", "secrets"): ('["..."]', '["test-key-not-a-secret"]'),
    ("finch", "secrets"): ('["..."]', '["5WbX5kEWLlfzsGNjH64I8lOOqUB6e8FH"]'),
    ("other", "secrets"): ('["..."]', '["test-key-not-a-secret"]'),
    ("workday-emea", "secrets"): ("[]", '["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"]'),
    ("directory", "directory_id"): ('"..."', '"test-directory"'),
    ("directory", "api_key"): ('"..."', '"test-api-key-not-a-secret"'),
    ("jira", "base_url"): ('"..."', '"https://jira.example.com"'),
    ("jira", "token"): ('"..."', '"test-token-not-a-secret"'),
    ("confluence", "base_url"): ('"..."', '"https://wiki.example.com"'),
    ("confluence", "token"): ('"..."', '"test-token-not-a-secret"'),
    ("crowd", "base_url"): ('"..."', '"https://crowd.example.com"'),
    ("crowd", "application"): ('"..."', '"leaver"'),
    ("crowd", "password"): ('"..."', '"test-password-not-a-secret"'),
    ("site", "base_url"): ('"..."', '"https://acme.atlassian.net"'),
    ("site", "email"): ('"..."', '"it-admin@example.com"'),
    ("site", "api_token"): ('"..."', '"test-token-not-a-secret"'),
    ("old-jira", "base_url"): ('"..."', '"https://jira.example.com"'),
    ("old-jira", "username"): ('"..."', '"leaver-admin"'),
    ("old-jira", "password"): ('"..."', '"test-password-not-a-secret"'),
}

# Settings that are a table of their own, and have a heading.
NESTED = {("console", "openid"): OpenId}


def filled(text: str) -> str:
    """The example with its placeholders filled in."""
    for (table, key), (placeholder, value) in (PLACEHOLDERS | OTHER_KINDS).items():
        head, heading, tail = text.partition(f"{table}]\n")
        text = head + heading + tail.replace(f"{key} = {placeholder}", f"{key} = {value}", 1)
    return text


def tables():
    """Each table of the example with its model: (heading, model, keys and values)."""
    for section, content in TABLES.items():
        if "" in MODELS[section]:
            own = {key: value for key, value in content.items() if (section, key) not in NESTED}
            yield section, MODELS[section][""], own
        else:
            for name, table in content.items():
                yield f"{section}.{name}", MODELS[section][table["kind"]], table
    for (section, key), model in NESTED.items():
        yield f"{section}.{key}", model, TABLES[section][key]


def meanings(model):
    """What each setting of a model means."""
    return {key: setting.description for key, setting in model.model_fields.items()}


def comments(heading):
    """The comment above each key of a table, joined to one text."""
    lines = re.split(r"\n#?\[", TEXT.split(f"[{heading}]\n")[1])[0].splitlines()
    found, block = {}, []
    for line in lines:
        if line.startswith("# "):
            block.append(line.removeprefix("# "))
        else:
            if match := re.match("#?([a-z_]+) = ", line):
                found[match[1]] = " ".join(block)
            block = []
    return found


@pytest.mark.parametrize(
    ("heading", "model", "table"), list(tables()), ids=[table[0] for table in tables()]
)
def test_every_setting_is_there_with_its_meaning(heading, model, table):
    """The example is the reference: what it does not show, nobody finds."""
    expected = meanings(model)
    if issubclass(model, Target) and model is not AtlassianOrg:
        shown_before = meanings(Target).items() - {("base_url", expected["base_url"])}
        expected = dict(expected.items() - shown_before)
    for section, key in NESTED:
        if section == heading:
            assert f"\n# {expected.pop(key)}\n#[{section}.{key}]\n" in TEXT

    assert set(table) == set(expected)
    assert comments(heading) == expected


@pytest.mark.parametrize(
    ("model", "table"),
    [table[1:] for table in tables()],
    ids=[table[0] for table in tables()],
)
def test_what_has_a_default_is_shown_with_it(model, table):
    """Also where the whole table is only there to be copied."""
    for key, value in table.items():
        default = model.model_fields[key].default
        if not model.model_fields[key].is_required() and default is not None:
            assert value == (list(default) if isinstance(default, tuple) else default)


def test_every_section_and_every_kind_is_there():
    """In the order of DESIGN section 6, each under its own sentence."""
    kinds = {table["kind"] for name in ("sources", "targets") for table in TABLES[name].values()}

    assert list(TABLES) == list(Settings.model_fields)
    assert kinds == MODELS["sources"].keys() | MODELS["targets"].keys()
    for section, setting in Settings.model_fields.items():
        assert re.search(rf"\n# {re.escape(setting.description)}\n\[{section}[.\]]", TEXT)


def test_it_works_as_it_stands_and_says_the_defaults(folder):
    """Filled in, it gives what a file gives that leaves out all that has a default."""
    required = {
        section: {
            name: {key: value for key, value in table.items() if is_required(section, table, key)}
            for name, table in content.items()
        }
        for section, content in tomllib.loads(filled(TEXT)).items()
        if section in ("sources", "targets")
    }
    (folder / "leaver.toml").write_text(filled(TEXT), encoding="utf-8")

    least = Settings.model_validate({"policy": {"timezone": "Europe/Berlin"}} | required)

    assert load(None, {}).model_copy(update={"ledger": least.ledger}) == least
    assert TABLES["ledger"]["url"] == least.ledger.url.reveal()


def test_what_may_be_left_out_is_right_too(folder):
    """Who takes the # away must not be told that the example is wrong."""
    # A token, or a username and a password, but not both.
    one_credential = re.sub('username = "leaver-admin"(\n#.*)*\npassword = .*', "", EVERYTHING)
    of_others = '^(jwks_url|audience) = .*\n|^username = "workday"\n'
    one_credential = re.sub(of_others, "", one_credential, flags=re.MULTILINE)
    # Of a source, the timestamp only where it is signed.
    unsigned = one_credential.replace('timestamp = "X-Request-Timestamp"', "")
    (folder / "leaver.toml").write_text(filled(unsigned), encoding="utf-8")

    settings = load(None, {})

    assert settings.targets["cloud"].operated_by == "it-admin@example.com"
    assert settings.targets["cloud"].key_expires_on == date(2027, 5, 1)
    assert settings.sources["bamboohr"].targets == ("cloud",)


@pytest.mark.parametrize("kept", PLACEHOLDERS)
def test_a_placeholder_that_was_forgotten_is_told(folder, kept):
    """A source whose key is "..." would believe everybody."""
    table, key = kept
    placeholder, value = PLACEHOLDERS[kept]
    head, heading, tail = filled(TEXT).partition(f"{table}]\n")
    text = head + heading + tail.replace(f"{key} = {value}", f"{key} = {placeholder}", 1)
    (folder / "leaver.toml").write_text(text, encoding="utf-8")

    with pytest.raises(ConfigurationError, match=rf"{table}\.{key}.* is still the placeholder"):
        load(None, {})


def is_required(section: str, table: dict[str, str], key: str) -> bool:
    """Whether a table of this kind must have the key."""
    return MODELS[section][table["kind"]].model_fields[key].is_required()
