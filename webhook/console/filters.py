"""What a page's address says about which jobs are meant.  What makes no sense is left out."""

from collections.abc import Mapping
from datetime import datetime

from config.values import duration
from workers.leavers import Outcome, State
from workers.ledger.queries.jobs import JobFilter

#: The fields of the form, as the command line has them as options.
FIELDS = ("state", "outcome", "source", "target", "reason", "email", "since")


def given(form: Mapping[str, str]) -> dict[str, str]:
    """The fields that say something."""
    words = {name: form.get(name, "").strip() for name in FIELDS}
    known = {"state": {*State}, "outcome": {*Outcome}}
    return {
        name: word
        for name, word in words.items()
        if word and word in known.get(name, {word}) and (name != "since" or _span(word))
    }


def job_filter(form: Mapping[str, str], now: datetime) -> JobFilter:
    """The filter that the form means now."""
    said = given(form)
    return JobFilter(
        state=State(said["state"]) if "state" in said else None,
        outcome=Outcome(said["outcome"]) if "outcome" in said else None,
        source=said.get("source"),
        target=said.get("target"),
        reason=said.get("reason"),
        email=said.get("email"),
        since=now - duration(said["since"]) if "since" in said else None,
    )


def _span(word: str) -> bool:
    try:
        duration(word)
    except ValueError:
        return False
    return True
