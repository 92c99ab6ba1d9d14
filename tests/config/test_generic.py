"""A generic source: a wrong description stops the start, and a preset is only values."""

import pytest

from config.presets import PRESETS
from config.settings import ConfigurationError, load

TOML = """
[policy]
timezone = "Europe/Berlin"

[sources.other]
kind = "generic"
secrets = ["test-key-not-a-secret"]
signature_header = "X-Signature"
"""


def configured(folder, more, toml=TOML):
    file = folder / "leaver.toml"
    file.write_text(toml + more)
    return load(file, {}).sources.get("other")


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ('signed = "POST"', "has no {body}; what is not signed, anybody can change"),
        ('signed = "{body}{time}"', "has an unknown placeholder; use {body}, {timestamp}, {id}"),
        ('signed = "{body"', "has an unknown placeholder"),
        ('signed = "{body}{body}"', "has a placeholder twice"),
        ('signed = "{id}{body}"', "needs a sign between its placeholders"),
        ('signed = "{timestamp}.{body}"', "has {timestamp}; set timestamp as well"),
        ('signed = "{id}.{body}"', "has {id}; set id_header as well"),
        ('timestamp = "X-Time"', "is not signed; put {timestamp} into signed"),
        ('id_header = "X Id"', "is not the name of a header"),
        ('algorithm = "sha1"', 'is not known; use "sha256" or "sha512"'),
        ('event = "a..b"', "is not a path"),
        ('people = "data[x]"', "is not a path"),
        ('people = "data[-1]"', "is not a path"),
        ('fields = { "a.b." = "email" }', "is not a path"),
        ('fields = { "a" = "mail" }', "is not known"),
        ('fields = { "a" = "employee_id" }', "have no path to the address"),
        ('fields = { "a" = "email" }', "have no path to anything in cutoff_order"),
        ('rehired = ["worker.terminated"]', "is in two lists of words"),
        ("terminated = []", "is an empty list"),
        ('preset = "rippling"', "is not known; use"),
    ],
)
def test_a_description_that_cannot_work_stops_the_start(folder, more, said):
    """At the start somebody looks; in the night when an event is refused, nobody does."""
    with pytest.raises(ConfigurationError) as refused:
        configured(folder, more)

    assert str(refused.value).splitlines() == [str(refused.value)]
    assert "sources.other." in str(refused.value)
    assert said in str(refused.value)


def test_without_a_preset_the_header_must_be_named(folder):
    """There is no usual one."""
    with pytest.raises(ConfigurationError, match=r"sources\.other\.signature_header is missing"):
        configured(folder, "", TOML.replace('signature_header = "X-Signature"', ""))


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_needs_nothing_but_its_key(folder, preset):
    """And each of its values can be set all the same."""
    bare = TOML.replace('signature_header = "X-Signature"', f'preset = "{preset}"')

    own = configured(folder, 'terminated = ["gone"]', bare)

    assert own.signature_header == PRESETS[preset]["signature_header"].lower()
    assert own.terminated == ("gone",)


def test_only_a_signed_timestamp_is_checked(folder):
    """Anybody could change another one."""
    assert configured(folder, "").time_tolerance is None
    stamped = configured(folder, 'signed = "{timestamp}.{body}"\ntimestamp = "X-Time"')
    assert stamped.time_tolerance == stamped.tolerance
