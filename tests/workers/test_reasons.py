"""Every reason word that the code gives is explained, and every one explained is given."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from workers import reasons

HOME = Path(reasons.__file__).parents[1]
EXPLAINED = {**reasons.JOB, **reasons.ELEMENT, **reasons.REJECTED}

#: Where the word stands among the arguments of what takes one without naming it.
PLACES = {
    "Again": 1,
    "GiveUp": 0,
    "Held": 0,
    "Hold": 0,
    "Postponed": 1,
    "Rejected": 0,
    "Unusable": 0,
    "Wait": 1,
    "_again": 2,
    "ignored": 0,
}


def trees() -> Iterator[tuple[str, ast.Module]]:
    """Every module of ours that may give a reason; the sandbox plays somebody else."""
    for room in ("workers", "webhook"):
        for file in (HOME / room).rglob("*.py"):
            if "sandbox" not in file.parts and file.name != "reasons.py":
                yield str(file.relative_to(HOME)), ast.parse(file.read_text())


def words_of(value: ast.AST) -> Iterator[str]:
    """The words that an expression may come to: itself, or a branch of it."""
    match value:
        case ast.Constant(str(word)):
            yield word
        case ast.IfExp(body=one, orelse=other):
            yield from words_of(one)
            yield from words_of(other)
        case ast.BoolOp(values=values):
            for each in values:
                yield from words_of(each)
        case ast.JoinedStr():
            yield ast.unparse(value)  # put together: nobody can look it up


def given(node: ast.AST) -> Iterator[str]:
    """The reason words that this piece of code gives."""
    match node:
        case ast.Call(func=function, args=arguments, keywords=keywords):
            name = (
                function.attr
                if isinstance(function, ast.Attribute)
                else getattr(function, "id", "")
            )
            place = PLACES.get(name)
            if place is not None and place < len(arguments):
                yield from words_of(arguments[place])
            for keyword in keywords:
                if keyword.arg == "reason":
                    yield from words_of(keyword.value)
        case ast.Assign(targets=[ast.Name("reason")], value=value):
            yield from words_of(value)
        case ast.Dict(keys=keys, values=values):
            for key, value in zip(keys, values, strict=True):
                match key, value:
                    # An HTTP status and a code, to what they mean.
                    case ast.Tuple([ast.Constant(int()), _]), _:
                        yield from words_of(value)
                    # A stop, to the state and the reason that it leads to.
                    case _, ast.Tuple([ast.Attribute(ast.Name("State"), _), word]):
                        yield from words_of(word)


def all_given() -> Iterator[tuple[str, str]]:
    for file, tree in trees():
        for node in ast.walk(tree):
            for word in given(node):
                if word:
                    yield file, word


def test_every_reason_that_the_code_gives_is_explained():
    """`leaver jobs` prints the word; the person who is called looks it up."""
    unknown = {(file, word) for file, word in all_given() if word not in EXPLAINED}

    assert unknown == set()


def test_every_reason_that_is_explained_is_given():
    """An explanation of what never happens is a promise that nobody keeps."""
    constants = {
        node.value
        for _, tree in trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }

    assert EXPLAINED.keys() - constants == set()


def test_the_search_for_reasons_finds_those_of_every_room():
    """A search that finds nothing would let everything pass."""
    found = {word for _, word in all_given()}

    assert {
        "protected",
        "account_busy",
        "operator_hold",
        "cutoff_ahead",
        "waiting_for_idp",
        "worker_lost",
        "gave_up",
        "credential_refused",
        "bad_email",
        "not_a_termination",
        "signature_missing",
    } <= found


@pytest.mark.parametrize("word", EXPLAINED)
def test_a_reason_says_what_it_means_and_what_to_do(word):
    """At night, to somebody who knows nothing of Leaver."""
    reason = EXPLAINED[word]

    assert reason.means.endswith(".")
    assert reason.to_do


def test_a_word_means_one_thing():
    """The same word on a job and on a delivery would be two."""
    assert len(EXPLAINED) == len(reasons.JOB) + len(reasons.ELEMENT) + len(reasons.REJECTED)
