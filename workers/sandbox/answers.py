"""What an operation answers, and what all operations of one API have in common."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from flask import Request


def whole(content: bytes) -> Iterator[bytes]:
    yield content


def hang_up(content: bytes) -> Iterator[bytes]:
    yield b""  # Nothing goes out for an empty piece, not even the status line.
    raise ConnectionAbortedError


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer; a status of None stands for a connection closed without any.

    deliver turns the content into the pieces that are sent; when it raises
    ConnectionAbortedError the server hangs up.
    """

    status: int | None
    content: bytes = b""
    media_type: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    deliver: Callable[[bytes], Iterable[bytes]] = whole


def json_answer(status: int, body: Any, headers: Mapping[str, str] | None = None) -> Answer:
    return Answer(status, json.dumps(body).encode(), "application/json", headers or {})


def instant(when: datetime) -> str:
    """A time as Atlassian writes it: UTC, milliseconds, Z."""
    return when.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


NO_CONTENT = Answer(204)
NO_ANSWER = Answer(None, deliver=hang_up)


class Refused(Exception):
    """Raised by an operation that answers an error."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        super().__init__(f"answers {answer.status}")


def named_in_path(state: Any, path: Mapping[str, str]) -> str | None:
    """The usual `account`: the account_id among the parts of the path."""
    return path.get("account_id")


@dataclass(frozen=True, slots=True)
class Api:
    """One vendor API.

    admits      whether a request carries a good credential
    errors      its documented errors, by the vendor's word for them; made for the request at hand
    account     the id of the account that the request at hand is about, None if about none
    """

    name: str
    admits: Callable[[Request], bool]
    unauthorized: Answer
    unsupported_media_type: Answer
    internal_error: Answer
    errors: Mapping[str, Callable[[], Answer]]
    account: Callable[[Any, Mapping[str, str]], str | None] = named_in_path


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of an API; `answer` is called with the state and the parts of the path.

    empty is the answer of a list without items, for the operations that list.
    """

    name: str
    api: Api
    method: str
    rule: str
    answer: Callable[..., Answer]
    writes: bool = False
    empty: Any = None
