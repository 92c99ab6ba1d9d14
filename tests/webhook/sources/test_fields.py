"""Reading one value: what is taken, what is refused, and that nothing is repaired."""

from typing import Any
from urllib.parse import quote_plus, urlencode
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webhook.sources.fields import (
    Unreadable,
    Unusable,
    date_of,
    email_of,
    form_of,
    json_of,
    key_of,
    text_of,
    zone_of,
)

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    "address",
    [
        "jane@example.com",
        "Jane.Doe+hr@sub.example.co.uk",
        "o'brien@example.com",
        "zoë@example.com",
        "佐藤@例え.jp",
        "x@1-2.example",
        "a" * 64 + "@example.com",
    ],
)
def test_a_plain_address_is_taken_as_it_is(address):
    """Case and accents are what the target is asked for."""
    assert email_of(f" {address}\n") == address


@pytest.mark.parametrize(
    "text",
    [
        "jane",
        "jane@",
        "@example.com",
        "jane@localhost",
        "jane@@example.com",
        "jane@example@com",
        "jane doe@example.com",
        "jane@example .com",
        "jane@example..com",
        "jane@example.com.",
        "jane@-example.com",
        ".jane@example.com",
        "jane.@example.com",
        "jane..doe@example.com",
        "<jane@example.com>",
        '"jane"@example.com',
        "jane(hr)@example.com",
        "mailto:jane@example.com",
        "jane@example.com;anna@example.com",
        "jane@[127.0.0.1]",
        "jane\u200b@example.com",
        "jane\x00@example.com",
        "jane\ud800@example.com",
        "jane\u202e@example.com",
        "jane\uff20example.com",
        "jane@" + "a" * 250 + ".com",
        7,
        True,
        ["jane@example.com"],
        {"value": "jane@example.com"},
    ],
)
def test_everything_else_is_a_bad_address(text):
    """A slip in HR must not become an address of somebody else, nor a search without a result."""
    with pytest.raises(Unusable) as refused:
        email_of(text)

    assert refused.value.reason == "bad_email"


@given(st.text() | st.emails())
def test_an_address_is_never_repaired(text):
    """What comes out is what went in, without the blanks around it, and can be stored."""
    try:
        address = email_of(text)
    except Unusable:
        return

    assert address == text.strip()
    assert address.count("@") == 1
    assert address.encode().decode() == address
    assert not set(address) & set(' \t\r\n\0,;<>()[]"\\')


@pytest.mark.parametrize(
    ("value", "text"), [(None, ""), ("", ""), (" a b ", "a b"), (0, "0"), (12345, "12345")]
)
def test_texts_and_whole_numbers_are_texts(value, text):
    """Some senders write ids as numbers."""
    assert text_of(value, "id") == text


@pytest.mark.parametrize("value", [True, 1.5, [], {}, "a\0b", "\ud800", "x" * 201, 10**300])
def test_what_is_no_text_is_refused(value):
    """Among it what no database could store."""
    with pytest.raises(Unusable):
        text_of(value, "id")


@pytest.mark.parametrize(
    ("value", "found"),
    [("2026-11-30", "2026-11-30"), ("2026-11-30T00:00:00+0000", "2026-11-30"), ("", "None")],
)
def test_dates_are_read(value, found):
    """Some senders add a time of day to a date, and it means nothing."""
    assert str(date_of(value, "date")) == found


@pytest.mark.parametrize(
    "value", ["30.11.2026", "11/30/2026", "2026-W48-1", "20261130", "2026-13-01", "\uff12026-11-30"]
)
def test_other_forms_of_dates_are_refused(value):
    """The third of April or the fourth of March?"""
    with pytest.raises(Unusable):
        date_of(value, "date")


@given(st.text(max_size=30))
def test_no_text_breaks_the_time_zones(text):
    """Zones are files, and their names come from outside."""
    try:
        zone = zone_of(text, "timeZone", BERLIN)
    except Unusable:
        return

    assert zone.key in (text.strip(), "Europe/Berlin")


@given(st.binary(max_size=60))
def test_no_bytes_break_the_readers(body):
    """A document, or Unreadable."""
    for read in (json_of, form_of):
        try:
            read(body)
        except Unreadable:
            continue


@pytest.mark.parametrize("text", ['{"a": 1, "a": 1}', '{"x": {"a": 1, "a": 2}}'])
def test_a_name_that_comes_twice_is_ambiguous(text):
    """Whoever reads the first, and whoever reads the last, would each see another person."""
    with pytest.raises(Unreadable):
        json_of(text.encode())


names = st.text(min_size=1, max_size=6).filter(lambda name: not set(name) & set("[]"))
nested = st.recursive(
    st.text(max_size=6),
    lambda inner: (
        st.lists(inner, min_size=1, max_size=3)
        | st.dictionaries(
            names.filter(lambda name: not name.isdigit()), inner, min_size=1, max_size=3
        )
    ),
    max_leaves=8,
)


def pairs_of(name: str, value: Any) -> list[tuple[str, str]]:
    """A form as PHP writes nested values."""
    if isinstance(value, str):
        return [(name, value)]
    items = value.items() if isinstance(value, dict) else enumerate(value)
    return [pair for inner, child in items for pair in pairs_of(f"{name}[{inner}]", child)]


@given(st.dictionaries(names, nested, min_size=1, max_size=3))
def test_a_form_says_what_was_put_into_it(document):
    """Objects, lists and texts, whatever characters they have."""
    if set(document) == {str(place) for place in range(len(document))}:
        return  # This would be a list; no sender has one at the top.
    pairs = [pair for name, value in document.items() for pair in pairs_of(name, value)]

    try:
        found = form_of(urlencode(pairs).encode())
    except Unreadable:
        assert any(name.count("[") > 8 for name, _ in pairs)
        return

    assert found == document


def test_a_form_may_append_to_a_list():
    """PHP knows name[] too."""
    assert form_of(f"{quote_plus('a[b][]')}=1&a[b][]=2".encode()) == {"a": {"b": ["1", "2"]}}


def test_a_key_does_not_depend_on_the_order_of_names():
    """A sender may write its objects in another order the second time."""
    assert key_of({"a": 1, "b": [2]}) == key_of({"b": [2], "a": 1}) != key_of({"a": 1, "b": [3]})
