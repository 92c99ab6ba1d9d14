"""What a check says."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

#: What each code is about; it never changes its meaning.  Those of the configuration, with E and W,
#: stand in config/checks.py.
CODES: Mapping[str, str] = {
    "D001": "the configuration as a whole",
    "D002": "the ledger: there, readable, writable, its schema",
    "D003": "whether the ledger survives a power cut",
    "D004": "room on the ledger's disk",
    "D005": "the queue: there, and new enough",
    "D006": "what the queue would lose",
    "D007": "the clock",
    "D008": "the published keys of a source",
    "D009": "the credential of a target",
    "D010": "the account behind a target's credential: whether it is guarded",
    "D011": "the key with which an HR system is asked",
    "D012": "the webhook of an HR system",
    "D013": "whether somebody can approve",
    "D014": "whether workers live",
    "D015": "a target that is paused",
    "D016": "an alarm that is open",
    "D017": "deliveries that were rejected",
    "D018": "deliveries that were signed at a wrong time",
    "D019": "jobs that wait for a person",
    "D020": "whether messages arrive",
}


class Result(StrEnum):
    """How it stands, in one word."""

    OK = "ok"
    ADVICE = "advice"  # could be better
    ATTENTION = "attention"  # somebody must do something
    WRONG = "wrong"  # the configuration: nothing starts with it


@dataclass(frozen=True, slots=True)
class Check:
    """What was looked at, what was found, and what helps."""

    code: str
    name: str
    result: Result
    finding: str
    hint: str = ""
