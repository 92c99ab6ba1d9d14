"""What a check says."""

from dataclasses import dataclass
from enum import StrEnum


class Result(StrEnum):
    """How it stands, in one word."""

    OK = "ok"
    ADVICE = "advice"  # could be better
    ATTENTION = "attention"  # somebody must do something
    WRONG = "wrong"  # the configuration: nothing starts with it


@dataclass(frozen=True, slots=True)
class Check:
    """What was looked at, what was found, and what helps."""

    name: str
    result: Result
    finding: str
    hint: str = ""
