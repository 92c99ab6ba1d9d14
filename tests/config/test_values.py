"""What a setting can be."""

import re
from datetime import timedelta

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from config.settings import Address, duration
from config.values import address, base_url, ledger_url, queue_url, standard_key

UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


@given(st.integers(1, 36500), st.sampled_from("smhd"))
def test_a_duration_is_a_number_and_a_unit(number, unit):
    """ "24h" in the file is a timedelta inside; nobody reckons in bare numbers."""
    assert duration(f"{number}{unit}") == timedelta(**{UNITS[unit]: number})


@given(st.text())
@example("1 h")
@example("1H")
@example("1.5h")
@example("-1h")
@example("+1h")
@example("1h30m")
@example("٣h")
@example("1h\n")
@example("0s")
@example("36501d")
@example("9999999999d")
@example("")
def test_whatever_else_is_refused(text):
    """A wait that was misread would be found out in the worst moment."""
    assume(not re.fullmatch("[1-9][0-9]{0,3}[smhd]", text))

    with pytest.raises(ValueError, match=r"^is (not a duration|out of range); use "):
        duration(text)


@pytest.mark.parametrize("value", [30, 1.5, True, None, ["30s"], {"h": 1}])
def test_a_number_without_a_unit_is_no_duration(value):
    """30 what?"""
    with pytest.raises(ValueError, match="is not a duration"):
        duration(value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("127.0.0.1:8000", Address("127.0.0.1", 8000)),
        ("0.0.0.0:80", Address("0.0.0.0", 80)),  # noqa: S104
        ("localhost:0", Address("localhost", 0)),
        ("[::1]:8000", Address("::1", 8000)),
        ("leaver.example.com:65535", Address("leaver.example.com", 65535)),
    ],
)
def test_an_address_reads_as_it_is_written(text, expected):
    """The IPv6 brackets come off and go on again."""
    assert address(text) == expected
    assert str(expected) == text


@pytest.mark.parametrize(
    "text",
    [
        *("8000", ":8000", "127.0.0.1", "127.0.0.1:", "::1:8000", "[::1]", "[x]:1", "[::g]:80"),
        *("[1]:80", "a:65536", "a b:80", "http://a:80", "a:-1", "a:٣", 8000, None),
    ],
)
def test_what_is_no_host_and_port_is_refused(text):
    """A server must not listen where nobody meant it to."""
    with pytest.raises(ValueError, match="is not HOST:PORT"):
        address(text)


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        *[(host, True) for host in ("127.0.0.1", "127.8.8.8", "::1", "localhost", "LocalHost")],
        *[(host, False) for host in ("0.0.0.0", "::", "10.0.0.1", "example.com")],  # noqa: S104
    ],
)
def test_loopback_is_this_machine_only(host, loopback):
    """What listens anywhere else is warned about."""
    assert Address(host, 80).is_loopback is loopback


@pytest.mark.parametrize(
    "url",
    [
        "https://api.atlassian.com",
        "https://proxy.example.com:8443/atlassian",
        "http://127.0.0.1:8080",
        "http://[::1]:8080",
        "http://jira.example.com/jira",
    ],
)
def test_a_base_url_loses_its_last_slash(url):
    """Paths are put behind it; where http:// will not do, test_targets.py says."""
    assert base_url(url + "/") == url


@pytest.mark.parametrize(
    "url",
    [
        *(
            "ftp://127.0.0.1",
            "api.atlassian.com",
            "https://",
            "//a",
            "",
        ),
        *("https://user:word@a", "https://a/?b=c", "https://a/#b", "https://[a", "https://a:x"),
    ],
)
def test_another_url_is_refused(url):
    """Each would send the key somewhere else, or nowhere."""
    with pytest.raises(ValueError, match=r"^(is|must) "):
        base_url(url)


@pytest.mark.parametrize(
    ("url", "used"),
    [
        ("sqlite:///var/leaver.db", "sqlite:///var/leaver.db"),
        ("sqlite:////var/lib/leaver.db", "sqlite:////var/lib/leaver.db"),
        ("postgresql+psycopg://u:p@h/n", "postgresql+psycopg://u:p@h/n"),
        ("postgresql://u:p@h:5432/n", "postgresql+psycopg://u:p@h:5432/n"),
        ("postgres://h/n", "postgresql+psycopg://h/n"),
    ],
)
def test_a_ledger_is_sqlite_or_postgresql_with_psycopg(url, used):
    """postgresql:// alone would have SQLAlchemy look for another driver."""
    assert ledger_url(url).reveal() == used


@pytest.mark.parametrize(
    "url",
    [
        *("sqlite://", "sqlite:///", "sqlite:///:memory:", "sqlite:///a.db?mode=ro", "leaver.db"),
        *("mysql://h/n", "postgresql+asyncpg://h/n", "postgresql://h:port/n"),
    ],
)
def test_another_ledger_is_refused(url):
    """A record in memory, or read only, or through a driver nobody tested, is none."""
    with pytest.raises(ValueError, match="is not a ledger; use sqlite:///PATH"):
        ledger_url(url)


@pytest.mark.parametrize(
    "url",
    [
        *("embedded", "redis://:p@h:6379/0", "rediss://h", "unix:///run/valkey.sock"),
        "sentinel://a:26379;sentinel://b:26379",
    ],
)
def test_a_queue_is_embedded_or_a_redis(url):
    """The five ways to reach one."""
    assert queue_url(url).reveal() == url


@pytest.mark.parametrize(
    "url", ["Embedded", "h:6379", "amqp://h", "redis://h:x", "sentinel://a;b:1", "redis:/h"]
)
def test_another_queue_is_refused(url):
    """Celery would take many a URL that our wake-ups cannot."""
    with pytest.raises(ValueError, match='is not a queue; use "embedded", redis://'):
        queue_url(url)


@pytest.mark.parametrize(
    "key",
    [
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=",
        "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg==",
    ],
)
def test_a_key_of_standard_webhooks_is_taken_as_published(key):
    """The published test keys, of each kind."""
    assert standard_key(key).reveal() == key


@pytest.mark.parametrize(
    "key",
    [
        "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "whsec_AAAA",
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS",  # not base64
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLa-w",  # base64 of another alphabet
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw----",  # the same, to a decoder that is not strict
        "whsec_plJ3nmyCDGBKInavdOK15jsl",  # 18 bytes
        "whsec_" + "A" * 88,  # 66 bytes
        "whpk_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",  # 24 bytes
        "whsk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=",  # 32 bytes
        "WHSEC_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "whxx_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    ],
)
def test_a_mistyped_key_is_refused_without_showing_it(key):
    """It would refuse every event, and HR systems never send a refused one again."""
    with pytest.raises(ValueError, match="is not a key of Standard Webhooks") as refused:
        standard_key(key)

    assert key not in str(refused.value)
