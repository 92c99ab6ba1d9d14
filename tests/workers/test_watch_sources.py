"""What must be heard of the HR systems, though none of them says it."""

from datetime import timedelta

import pytest

from config.settings import load
from tests.workers.records import (
    DAY,
    HOUR,
    MINUTE,
    NOW,
    SECOND,
    delivery,
    open_alarms,
    person,
    record,
)
from workers import watch_sources
from workers.leavers import Element, ElementKind
from workers.ledger import quarantine

STRANGE = Element(ElementKind.QUARANTINED, "", "unreadable")
SILENT = [("silent_source", "hr")]
FILLING = ("quarantine_filling", "hr")


@pytest.fixture
def settings_of(tmp_path):
    """Gives settings with one source, more or less complete."""

    def settings_of(source="", policy=""):
        file = tmp_path / "leaver.toml"
        file.write_text(
            f'[policy]\ntimezone = "Europe/Berlin"\n{policy}\n'
            f'[sources.hr]\nkind = "bamboohr"\nsecrets = ["test-key-not-a-secret"]\n{source}\n'
        )
        return load(file, environ={})

    return settings_of


def look(ledger, settings, now):
    watch_sources.look(ledger, settings, now)
    return open_alarms(ledger)


def test_silence_after_the_last_delivery_is_an_alarm_until_the_next_one(ledger, settings_of):
    """A webhook dies with the account of whoever made it, and nobody is told."""
    settings = settings_of('expected_every = "7d"')
    record(ledger, delivery(person()))

    assert look(ledger, settings, NOW + 7 * DAY) == []
    assert look(ledger, settings, NOW + 7 * DAY + SECOND) == SILENT
    later = NOW + 8 * DAY
    record(ledger, delivery(person("tom"), at=later), now=later)
    assert look(ledger, settings, later) == []


def test_a_source_that_never_spoke_is_counted_from_the_first_look(ledger, settings_of):
    """It may have been set up wrong from the beginning."""
    settings = settings_of('expected_every = "1d"')

    assert look(ledger, settings, NOW) == []
    assert look(ledger, settings, NOW + DAY) == []
    assert look(ledger, settings, NOW + DAY + SECOND) == SILENT


def test_a_repetition_is_no_sign_of_life(ledger, settings_of):
    """Whoever captured a delivery could hide with it that nothing comes any more."""
    settings = settings_of('expected_every = "1d"')
    record(ledger, delivery(person()))
    record(ledger, delivery(person()), now=NOW + DAY)

    assert look(ledger, settings, NOW + DAY + MINUTE) == SILENT


def test_without_the_setting_silence_is_nobodys_business(ledger, settings_of):
    """Also when it is taken away: the alarm ends, and the time begins anew with it."""
    silent = settings_of('expected_every = "1d"')
    look(ledger, silent, NOW)
    assert look(ledger, silent, NOW + 2 * DAY) == SILENT

    assert look(ledger, settings_of(), NOW + 2 * DAY) == []
    assert look(ledger, silent, NOW + 3 * DAY) == []


def test_a_quarantine_is_an_alarm_from_a_tenth_of_its_limit_on(ledger, settings_of):
    """Long before HR hears 503."""
    settings = settings_of(policy="quarantine_limit = 20")
    first = record(ledger, delivery(STRANGE, body=b"1", reason="unreadable"))
    assert FILLING not in look(ledger, settings, NOW)

    record(ledger, delivery(STRANGE, body=b"2", reason="unreadable"))
    assert FILLING in look(ledger, settings, NOW + timedelta(minutes=1))

    quarantine.dismiss(ledger, first.delivery, actor="ops", why="a test", now=NOW + HOUR)
    assert FILLING not in look(ledger, settings, NOW + HOUR)


def test_somebody_unreadable_beside_others_counts_as_well(ledger, settings_of):
    """They wait as long as those of whose delivery nobody was read."""
    settings = settings_of(policy="quarantine_limit = 20")
    for number in "12":
        record(ledger, delivery(person(number), STRANGE, body=number.encode()))

    assert FILLING in look(ledger, settings, NOW)
