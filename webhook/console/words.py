"""How pages write what they show: times, lengths of time, and addresses that are masked."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

from markupsafe import Markup, escape

from config.redaction import redact
from webhook.acts.asking import FIRST
from webhook.console.chart import took
from workers.reasons import JOB, Reason


def when(instant: datetime | None) -> str:
    """To the second, in UTC; "" for none."""
    return f"{instant.astimezone(UTC):%Y-%m-%d %H:%M:%S}Z" if instant else ""


def ago(instant: datetime, now: datetime) -> str:
    """How long ago, or how far ahead."""
    passed = now - instant
    return f"{took(passed)} ago" if passed >= timedelta() else f"in {took(-passed)}"


def masked(email: str) -> str:
    """An address that those recognise who know it: "l…@example.com"; "" for none."""
    name, at_sign, domain = email.rpartition("@")
    return f"{name[:1]}…{at_sign}{domain}" if email else ""


def prose(text: str) -> Markup:
    """A text of ours, in which `commands` stand between back quotes."""
    parts = str(escape(text)).split("`")
    marked = [f"<code>{part}</code>" if place % 2 else part for place, part in enumerate(parts)]
    return Markup("".join(marked))  # noqa: S704 - each part is escaped above


def plural(count: int, noun: str) -> str:
    """ "1 job", "2 jobs"."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def first(act: str) -> str:
    """What must come before a job goes on, in words; "next" where nothing must."""
    return FIRST.get(act, "next")


def meaning(reason: str) -> Reason | None:
    """What a reason word of a job says to a person."""
    return JOB.get(reason)


FILTERS: Mapping[str, Callable[..., object]] = {
    "when": when,
    "ago": ago,
    "masked": masked,
    "prose": prose,
    "plural": plural,
    "took": took,
    "first": first,
    "meaning": meaning,
    "redact": redact,
}
