"""The HR systems that are asked: whose key, and where."""

import pytest

from config.secret import ConfigurationError
from tests.config.conftest import TOML

API = '\n[sources.bamboohr.api]\nbase_url = "{url}"\napi_key = "{key}"\n'
KEY = "test-api-key-of-hr-not-a-secret"
URL = "LEAVER_SOURCES__BAMBOOHR__API__BASE_URL"
NAME = "LEAVER_SOURCES__BAMBOOHR__API__API_KEY"


def toml(url="https://acme.bamboohr.com", key=KEY):
    return TOML + API.format(url=url, key=key)


def test_a_source_is_asked_only_where_it_says_so(configured):
    """Without an api nothing is asked, and nothing else changes."""
    assert configured().apis == {}
    assert list(configured(toml()).apis) == ["bamboohr"]


def test_the_door_cannot_reveal_the_key_of_hr(configured):
    """Who breaks in at the receiver must not read every employee's record."""
    door = configured(toml()).for_the_door()

    with pytest.raises(ConfigurationError, match=r"sources\.bamboohr\.api\.api_key is withheld"):
        door.apis["bamboohr"].api_key.reveal()
    assert door.sources["bamboohr"].secrets[0].reveal() == "test-key-not-a-secret"


def test_the_key_may_come_from_the_environment_or_a_file(configured, folder):
    """As any secret may."""
    (folder / "key").write_text(KEY + "\n")
    url = {URL: "https://acme.bamboohr.com"}

    for named in ({NAME: KEY}, {f"{NAME}_FILE": str(folder / "key")}):
        assert configured(environ=url | named).apis["bamboohr"].api_key.reveal() == KEY


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (toml("http://acme.bamboohr.com"), r"api\.base_url: .* must begin with https://"),
        (toml("acme.bamboohr.com"), r"api\.base_url"),
        (toml(key="..."), r"api\.api_key is still the placeholder"),
        (toml() + 'base-url = ""', r'api\.base-url is not a setting .*"base_url"'),
        (toml().rsplit("api_key", 1)[0], r"api\.api_key is missing"),
        (
            toml().replace(
                'kind = "bamboohr"', 'kind = "bamboohr"\nfields = { N = "employee_id" }'
            ),
            r"fields cannot name another employee_id",
        ),
    ],
)
def test_what_is_wrong_with_it_stops_the_start(configured, text, says):
    """One line with the key, and never with the secret."""
    with pytest.raises(ConfigurationError, match=says) as refused:
        configured(text)
    assert KEY not in str(refused.value)


def test_a_wrong_key_is_not_shown(configured):
    """A number in the place of a key is a key all the same."""
    with pytest.raises(ConfigurationError) as refused:
        configured(toml().replace(f'"{KEY}"', "471147114711"))
    assert "4711" not in str(refused.value)


def test_nothing_that_is_printed_shows_the_key(configured):
    """Not the settings, and not what they are made of."""
    settings = configured(toml())

    for shown in (str(settings), repr(settings), str(settings.model_dump()), repr(settings.apis)):
        assert KEY not in shown
