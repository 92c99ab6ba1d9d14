"""What a message says of what happened: one line each, of many only the first.

No personal data but what notify.on_done asks for.
"""

from collections import Counter
from collections.abc import Mapping, Sequence

from config.redaction import redact
from workers.ledger.news import News, What
from workers.ledger.outbox import Message, MessageKind

#: So many of each are said; the others are counted.
LINES = 20
LONGEST_LINE = 300

#: Alarms about one job: after those about everybody.
OF_ONE_JOB = ("job_held", "job_failed")


def latest(found: Sequence[News]) -> Mapping[What, Sequence[News]]:
    """Of each alarm and each job only what was noted last, those about everybody first."""
    last = {(each.kind, each.subject): each for each in found}
    ordered = sorted(last.values(), key=lambda each: each.kind in OF_ONE_JOB)
    return {what: [each for each in ordered if each.what is what] for what in What}


def worded(
    raised: Sequence[News], over: Sequence[News], done: Sequence[str], *, done_count: int
) -> Message | None:
    """The message; None where there is nothing to say.  `done` has lines for the first jobs."""
    counts = {
        f"{len(raised)} alarm{'' if len(raised) == 1 else 's'}": len(raised),
        f"{len(over)} over": len(over),
        f"{done_count} done": done_count,
    }
    title = ", ".join(text for text, count in counts.items() if count)
    if not title:
        return None
    parts = [
        _alarms(raised, "`leaver jobs --state held`, `leaver doctor`"),
        ["Over:", *_alarms(over, "`leaver jobs`")] if over else [],
        [*done[:LINES], *_more(done_count - LINES, "`leaver jobs --state done`")],
    ]
    kind = MessageKind.ALARM if raised else MessageKind.OVER if over else MessageKind.DONE
    return Message(kind, f"Leaver: {title}", "\n\n".join("\n".join(part) for part in parts if part))


def _alarms(found: Sequence[News], where: str) -> list[str]:
    kinds = Counter(each.kind for each in found[LINES:])
    which = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
    return [*map(_line, found[:LINES]), *_more(len(found) - LINES, f"{which}: {where}")]


def _line(news: News) -> str:
    line = redact(" ".join(news.text.split()))
    short = line if len(line) <= LONGEST_LINE else line[:LONGEST_LINE] + "..."
    return f"{short} ({news.at:%Y-%m-%d %H:%M}Z)"


def _more(count: int, where: str) -> list[str]:
    return [f"and {count} more: {where}"] if count > 0 else []
