"""`leaver send`: a signed event, as that HR system would post it."""

import json
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import click

from webhook.cli import options
from webhook.cli.output import progress, show_json
from webhook.cli.situation import Situation, now
from workers.leavers import LeaverKind

if TYPE_CHECKING:
    import requests

    from config.settings import Settings
    from webhook.faults import Post
    from webhook.sources.base import Termination

#: The names of webhook/faults.py, which would take long to import.
FAULTS = (
    "wrong-signature",
    "missing-header",
    "doubled-header",
    "stale",
    "from-the-future",
    "truncated",
    "content-type",
    "not-json",
    "poison",
    "unknown-event",
    "duplicate",
)

#: How many people one delivery holds; a sender that is not named here sends each alone.
PEOPLE_AT_ONCE = {"bamboohr": 50, "okta": 50}

#: How long connecting and waiting for the answer may take, in seconds.
PATIENCE_S = (5, 30)


@dataclass(frozen=True, slots=True)
class Answered:
    """What the receiver said: `answer` is its JSON, or its text where it is none."""

    url: str
    people: int
    status: int
    answer: Any


@click.command()
@click.argument("source")
@click.option("--email", required=True, metavar="E", help="Whom it is about.")
@click.option(
    "--event",
    type=click.Choice([each.value for each in LeaverKind]),
    default=LeaverKind.TERMINATED.value,
    help="What is said of them, if this kind of source can say it.  [default: terminated]",
)
@click.option("--employee-id", metavar="ID", help="[default: a number made of the address]")
@click.option(
    "--terminated-on",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="DATE",
    help="The termination date as HR has it, YYYY-MM-DD.  [default: terminated as of now]",
)
@click.option(
    "--url", metavar="URL", help="Where to post to.  [default: this SOURCE at server.listen]"
)
@click.option(
    "--count",
    type=click.IntRange(1, 100_000),
    default=1,
    metavar="N",
    help="Send N different people: ada-1@example.com, ada-2@example.com ...",
)
@click.option(
    "--fault",
    type=click.Choice(FAULTS),
    metavar="NAME",
    help=f"Make a mistake that senders make: {', '.join(FAULTS)}.",
)
@options.as_json
@click.pass_obj
def send(
    at: Situation,
    source: str,
    email: str,
    event: str,
    employee_id: str | None,
    terminated_on: datetime | None,
    url: str | None,
    count: int,
    fault: str | None,
    json_: bool,
) -> int:
    """Sign and post an event as an HR system would.

    SOURCE is its name in the configuration; its first secret signs.  Exits 1 unless every answer
    is a success.
    """
    settings = at.settings()
    if source not in settings.sources:
        known = ", ".join(settings.sources) or "none"
        raise click.UsageError(f"no source {source!r}; configured: {known}")
    url = url or _url(settings, source)
    everybody = people(email, employee_id, terminated_on.date() if terminated_on else None, count)
    succeeded = True
    with progress("send", count, hidden=json_) as bar:
        for answered in _post(settings, source, url, everybody, LeaverKind(event), fault):
            if json_:
                show_json(answered)
            else:
                bar.say(f"{answered.status} {json.dumps(answered.answer)}")
            succeeded = succeeded and 200 <= answered.status < 300
            for _ in range(answered.people):
                bar.step()
    return 0 if succeeded else 1


def people(
    email: str, employee_id: str | None, terminated_on: date | None, count: int
) -> "list[Termination]":
    """The one person, or `count` different ones made of it; nobody's id changes between calls."""
    from webhook.sources.base import Termination

    if count == 1:
        return [Termination(email, employee_id or _number(email), terminated_on)]
    name, _, domain = email.rpartition("@")
    emails = [f"{name}-{place}@{domain}" for place in range(1, count + 1)]
    return [
        Termination(each, f"{employee_id}-{place}" if employee_id else _number(each), terminated_on)
        for place, each in enumerate(emails, start=1)
    ]


def _number(email: str) -> str:
    return str(zlib.crc32(email.encode()))


def _url(settings: "Settings", source: str) -> str:
    address = settings.server.listen
    if not address.port:
        raise click.UsageError("server.listen leaves the port open; say --url")
    anywhere = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}  # noqa: S104 - nothing listens here
    host = anywhere.get(address.host)
    return f"http://{f'{host}:{address.port}' if host else address}/webhooks/{source}"


def _post(
    settings: "Settings",
    source: str,
    url: str,
    everybody: "Sequence[Termination]",
    event: LeaverKind,
    fault: str | None,
) -> Iterator[Answered]:
    import requests

    from webhook.faults import Sender, posts
    from webhook.sources import SOURCES

    own = settings.sources[source]
    kind = SOURCES[own.kind]
    if event not in kind.EVENTS:
        raise click.UsageError(f"a {own.kind} source only says {', '.join(kind.EVENTS)}")
    # What has to be looked up is sent for each person alone.
    at_once = 1 if event is LeaverKind.LOOKUP else PEOPLE_AT_ONCE.get(own.kind, 1)
    with requests.Session() as session:
        for start in range(0, len(everybody), at_once):
            some = everybody[start : start + at_once]
            try:
                going_out = posts(Sender(kind, own, some, event, now()), fault)
            except ValueError as error:
                about = f"--fault {fault}" if fault else f"sources.{source}"
                raise click.UsageError(f"{about}: {error}") from error
            for post in going_out:
                answer = _answer(session, url, post)
                yield Answered(url, len(some), answer.status_code, _said(answer))


def _answer(session: "requests.Session", url: str, post: "Post") -> "requests.Response":
    import requests

    try:
        return session.post(
            url, data=post.body, headers=post.headers, timeout=PATIENCE_S, allow_redirects=False
        )
    except requests.RequestException as error:
        raise click.ClickException(
            f"no answer from {url} ({type(error).__name__}): "
            "is `leaver up` or `leaver serve` running there?"
        ) from error


def _said(answer: Any) -> Any:
    try:
        return answer.json()
    except ValueError:
        return answer.text
