"""Paths into documents: what is found, and that what is not found is nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webhook.sources.paths import planted, steps_of, values_at

DOCUMENT = {
    "type": "left",
    "data": {"worker": {"email": "jane@example.com", "0": "zero"}},
    "contacts": [{"email": "a"}, {"email": "b"}, 7, {"mail": "c"}],
    "empty": None,
}
a_document = st.recursive(
    st.none() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner),
    max_leaves=8,
)
a_name = st.text("abc", min_size=1, max_size=2)
a_path = st.builds(
    ".".join,
    st.lists(st.builds(str.__add__, a_name, st.sampled_from(["", "[0]", "[1]"])), min_size=1),
)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("type", ["left"]),
        ("$.type", ["left"]),
        ("$", [DOCUMENT]),
        ("data.worker.email", ["jane@example.com"]),
        ("data.worker.0", ["zero"]),
        ("contacts[1].email", ["b"]),
        ("contacts[*].email", ["a", "b"]),
        ("empty", [None]),
        ("contacts[9].email", []),
        ("contacts.email", []),
        ("data[0]", []),
        ("data[*]", []),
        ("type.left", []),
        ("Type", []),
        ("empty.x", []),
    ],
)
def test_a_path_finds_what_stands_there_and_nothing_else(path, expected):
    """No case is folded, no list is opened unasked."""
    assert values_at(DOCUMENT, path) == expected


@given(a_document, a_path)
def test_no_document_breaks_a_path(document, path):
    """It may be anything that a sender sends."""
    assert isinstance(values_at(document, path), list)


@given(a_document, a_path, st.integers())
def test_what_was_planted_is_found(document, path, value):
    """`leaver send` puts values where the parser looks for them."""
    assert values_at(planted(document, steps_of(path), value), path) == [value]
