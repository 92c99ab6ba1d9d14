"""A secret from a file: read where it is needed, and nowhere else."""

import os

import pytest

from config.secret import Secret
from config.settings import ConfigurationError
from tests.config.conftest import TOML

API_KEY_FILE = "LEAVER_TARGETS__CLOUD__API_KEY_FILE"
SECRETS_FILE = "LEAVER_SOURCES__BAMBOOHR__SECRETS_FILE"
WITHOUT_API_KEY = TOML.replace('api_key = "test-api-key-not-a-secret"', "")


@pytest.fixture
def secret_file(folder):
    """A file that holds one secret."""
    file = folder / "secret"
    file.write_text("from-a-file-not-a-secret\n")
    return file


def test_a_secret_comes_from_the_file_its_variable_names(configured, secret_file):
    """Docker, systemd and Kubernetes all hand out secrets as files; an editor ends them in \\n."""
    settings = configured(WITHOUT_API_KEY, {API_KEY_FILE: str(secret_file)})

    assert settings.targets["cloud"].api_key.reveal() == "from-a-file-not-a-secret"


def test_the_file_beats_what_the_configuration_says(configured, secret_file):
    """The environment beats the file of the settings, in this form as well."""
    settings = configured(environ={API_KEY_FILE: str(secret_file)})

    assert settings.targets["cloud"].api_key.reveal() == "from-a-file-not-a-secret"


def test_each_line_of_a_file_is_a_secret_of_a_source(configured, secret_file):
    """Two keys live at once while BambooHR's webhook is replaced."""
    secret_file.write_text("old-not-a-secret\nnew-not-a-secret\n")

    secrets = configured(environ={SECRETS_FILE: str(secret_file)}).sources["bamboohr"].secrets

    assert [secret.reveal() for secret in secrets] == ["old-not-a-secret", "new-not-a-secret"]


@pytest.mark.parametrize("variable", ["LEAVER_LEDGER__URL_FILE", "LEAVER_QUEUE__URL_FILE"])
def test_a_url_with_a_password_may_come_from_a_file(configured, secret_file, variable):
    """The password of the ledger is a secret as well."""
    section = variable.split("_")[1].lower()
    url = {"ledger": "postgresql+psycopg://u:p@h/n", "queue": "redis://:p@h"}[section]
    secret_file.write_text(url + "\n")

    settings = configured(environ={variable: str(secret_file)})

    assert getattr(settings, section).url.reveal() == url


def test_the_secret_of_a_target_is_not_read_before_it_is_needed(configured, folder):
    """The receiver runs where this file is missing, or not for its eyes."""
    settings = configured(environ={API_KEY_FILE: str(folder / "missing")})

    with pytest.raises(ConfigurationError, match=f"^{API_KEY_FILE}: .*/missing cannot be read"):
        settings.targets["cloud"].api_key.reveal()


def test_a_worker_starts_without_the_secrets_of_a_source(configured, folder):
    """The file that only the receiver may read says so when it is revealed, not before."""
    settings = configured(environ={SECRETS_FILE: str(folder / "missing")})

    with pytest.raises(ConfigurationError, match=f"^{SECRETS_FILE}: .*/missing cannot be read"):
        settings.sources["bamboohr"].secrets[0].reveal()


def test_a_changed_file_counts_from_the_next_reveal(configured, secret_file):
    """A key is replaced without stopping anything."""
    secret = configured(environ={API_KEY_FILE: str(secret_file)}).targets["cloud"].api_key
    secret_file.write_text("second-not-a-secret")

    assert secret.reveal() == "second-not-a-secret"


def test_reading_again_notices_a_changed_file(configured, secret_file):
    """At SIGHUP only what has changed is built anew."""
    environ = {API_KEY_FILE: str(secret_file)}
    before, same = configured(environ=environ), configured(environ=environ)
    changed = secret_file.with_suffix(".new")
    changed.write_text("second-not-a-secret")
    os.replace(changed, secret_file)

    after = configured(environ=environ)

    assert before == same
    assert before != after


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"", "is empty"),
        (b"\n", "is empty"),
        (b"\n\n", "is empty"),
        (b"one\ntwo\n", "holds more than one line"),
        (b" x\n", "has a space at an end, a line break or another control character"),
        (b"\xff\xfe", "is not UTF-8 text"),
        (b"...\n", "is still the placeholder of the example; put the real one here"),
    ],
)
def test_a_file_without_one_good_line_is_told(configured, secret_file, content, fault):
    """It names the variable and the file, and shows nothing of what is in it."""
    secret_file.write_bytes(content)
    secret = configured(environ={API_KEY_FILE: str(secret_file)}).targets["cloud"].api_key

    with pytest.raises(ConfigurationError) as refused:
        secret.reveal()

    assert str(refused.value) == f"{API_KEY_FILE}: {secret_file} {fault}"


def test_an_empty_line_between_secrets_is_told(configured, secret_file):
    """An empty key would let anybody sign."""
    secret_file.write_text("one-not-a-secret\n\ntwo-not-a-secret\n")

    with pytest.raises(ConfigurationError, match=f"^{SECRETS_FILE}, entry 2 is empty$"):
        configured(environ={SECRETS_FILE: str(secret_file)})


@pytest.mark.parametrize("path", ["/missing/secret", "", "."])
def test_the_url_of_the_ledger_is_needed_at_once(configured, path):
    """Every process needs the ledger: what cannot be read is told at the start."""
    with pytest.raises(ConfigurationError, match=r"^LEAVER_LEDGER__URL_FILE: .*cannot be read: "):
        configured(environ={"LEAVER_LEDGER__URL_FILE": path})


def test_a_value_and_a_file_at_once_are_refused(configured, secret_file):
    """Which one counts would be a guess."""
    environ = {API_KEY_FILE: str(secret_file), "LEAVER_TARGETS__CLOUD__API_KEY": "x"}

    with pytest.raises(ConfigurationError) as refused:
        configured(environ=environ)

    assert str(refused.value) == (
        f"LEAVER_TARGETS__CLOUD__API_KEY and {API_KEY_FILE} are both set; keep one"
    )


def test_a_secret_shows_itself_to_nobody():
    """Neither by print nor by format nor by logging's %r."""
    secret = Secret("test-key-not-a-secret")

    assert {str(secret), repr(secret), f"{secret}", f"{secret!r:>8}"} == {"********"}


def test_secrets_compare_and_hash_by_what_they_hold():
    """Settings are compared at SIGHUP."""
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("b")
    assert len({Secret("a"), Secret("a"), Secret("b")}) == 2
