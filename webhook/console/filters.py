"""What the fields of a page say about which jobs are meant."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time

from config.values import duration
from workers.leavers import Outcome, State
from workers.ledger.queries.jobs import JobFilter
from workers.reasons import JOB

#: The fields of the form, as the command line has them as options.
FIELDS = ("state", "outcome", "source", "target", "reason", "email", "since")

#: Of these fields the words that there are, and what one of them is called.
WORDS = {"state": ({*State}, "a state"), "outcome": ({*Outcome}, "an outcome")}
WORDS |= {"reason": ({*JOB}, "a reason")}


class Mistyped(ValueError):
    """A field says what it cannot; the message tells the person which."""


def given(form: Mapping[str, str]) -> dict[str, str]:
    """The fields that say something."""
    words = {name: form.get(name, "").strip() for name in FIELDS}
    return {name: word for name, word in words.items() if word}


def job_filter(said: Mapping[str, str], now: datetime) -> JobFilter:
    """What these fields mean now.  Raises Mistyped: nothing is left out in silence."""
    for name, (known, noun) in WORDS.items():
        if name in said and said[name] not in known:
            raise Mistyped(f"{said[name]} is not {noun}")
    return JobFilter(
        state=State(said["state"]) if "state" in said else None,
        outcome=Outcome(said["outcome"]) if "outcome" in said else None,
        source=said.get("source"),
        target=said.get("target"),
        reason=said.get("reason"),
        email=said.get("email"),
        since=since(said["since"], now) if "since" in said else None,
    )


def since(text: str, now: datetime) -> datetime:
    """So long ago, or the beginning of a day in UTC.  Raises Mistyped."""
    try:
        if len(text) == len("2026-11-30"):
            return datetime.combine(date.fromisoformat(text), time(), UTC)
        return now - duration(text)
    except (ValueError, OverflowError):
        fault = f"{text} is neither a length of time such as 2d nor a day such as 2026-11-30"
        raise Mistyped(fault) from None
