"""What strangers write stays text: names, addresses, reasons, bodies, and whatever else is kept.

A visitor follows every link and sends every form, in a ledger in which every text is an attack.
"""

from dataclasses import replace
from html.parser import HTMLParser
from typing import Any
from urllib.parse import quote, unquote, urlencode, urlsplit

import pytest
import sqlalchemy as sa

from tests.webhook.conftest import EXPLANATION
from tests.workers.records import (
    LEASE,
    NOW,
    claim,
    deactivated,
    delivery,
    job_of,
    locked_out,
    record,
)
from webhook.acts import asking
from webhook.console import access
from workers.explanation import Asked, Matched, Next
from workers.leavers import AccountId, Element, ElementKind, State
from workers.ledger import (
    Ledger,
    brakes,
    explanations,
    holds,
    key_offers,
    moves,
    sessions,
    tables,
    users,
)
from workers.ledger.holds import Side
from workers.ledger.queries import as_json
from workers.ledger.queries.jobs import CallMade
from workers.ledger.users import Role

#: Closes whatever it stands in: an element, an attribute, a comment, a template's expression.
ATTACK = """-->'"><script>alert(1)<img src=x onerror=alert(1)> onclick=x {{7*7}}"""

EMAIL = "'onclick=x{{7*7}}'@example.com"  # as hostile as an address can be

#: Words of ours, ids and hashes: no stranger's text ever stands there.
OURS = {"state", "status", "outcome", "action", "kind", "standing", "reason", "result", "method"}
OURS |= {"from_state", "to_state", "stop", "seen", "role", "csrf", "of"}
OURS |= {"body_hash", "open_key", "person"}
THEIR_IDS = {"employee_id", "account_id", "event_id", "request_id"}
SAID = {"holds.reason", "approvals.reason"}  # in these two a reason is an operator's sentence

#: What a page shows, so that this test tells when it reads less.
SHOWN = """
alarms.text attempts.detail attempts.worker audit.actor audit.detail brakes.source calls.error
calls.name calls.path deliveries.body deliveries.detail deliveries.event_id deliveries.request_id
deliveries.source elements.detail elements.employee_id explanation holds.actor holds.name
holds.reason jobs.account_id jobs.detail jobs.email jobs.snapshot jobs.source jobs.target
leavers.email leavers.employee_id leavers.entered_by leavers.entered_reason leavers.hr_zone
leavers.request_id leavers.source rounds.actor rounds.detail rounds.why sessions.user typed
"""


class Page(HTMLParser):
    """A page as a browser reads it: what is on it, where it leads, and what can be sent."""

    def __init__(self, path: str, html: str) -> None:
        super().__init__()
        self.path = path
        self.faults: list[str] = []
        self.text = ""
        self.links: list[str] = []
        self.forms: list[Form] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        has = {name: value or "" for name, value in attrs}
        self.text += " ".join(has.values()) + "\n"
        if tag == "img" or any(name.startswith("on") for name in has):
            self.faults.append(f"<{tag} {has}>")
        for name in ("href", "src", "action", "formaction"):
            if not has.get(name, "/").startswith(("/", "#")):
                self.faults.append(f"<{tag} {name}={has[name]}>")
        if tag == "script" and has.get("src") != "/static/console.js":
            self.faults.append("a script")
        if tag == "a" and has["href"].startswith("/"):
            self.links.append(has["href"])
        if tag == "form":
            self.forms.append(Form(has.get("action", self.path), has["method"]))
        if self.forms:
            self.forms[-1].add(tag, has)

    def handle_data(self, data: str) -> None:
        self.text += data


class Form:
    """A form, filled in: what it sends, and to where each of its buttons does."""

    def __init__(self, action: str, method: str) -> None:
        self.method = method
        self.fields: list[tuple[str, str]] = []
        self._action = action
        self.places: list[str] = []
        self._select = ""

    def add(self, tag: str, has: dict[str, str]) -> None:
        if tag == "button":
            self.places.append(has.get("formaction", self._action))
        if tag == "select":
            self._select = has["name"]
        if tag == "option" and has.get("value") != "" and self._select:
            self.fields.append((self._select, has.get("value", "approval_missing")))
            self._select = ""
        if tag == "input" and "name" in has:
            typed = {"number": "1", "email": EMAIL}.get(has.get("type", ""), f"typed {ATTACK}")
            self.fields.append((has["name"], has.get("value") or typed))


def attack(ledger: Ledger) -> None:
    """Put the attack into every text that there is."""
    with ledger.write() as tx:
        for table in tables.metadata.sorted_tables:
            values = {column: value for column in table.columns if (value := hostile(column))}
            if values:
                tx.execute(sa.update(table).values(values))
        # Lists go by kinds, as the tallies have them.
        own = tables.tallies
        for of in (tables.jobs, tables.deliveries):
            names = {"source", "target"} & {*of.c.keys()}
            values = {own.c[name]: hostile(of.c[name]) for name in names}
            tx.execute(sa.update(own).where(own.c.of == of.name).values(values))


def hostile(column: sa.Column[Any]) -> Any:
    """What an attacker would put there; None where only we write."""
    name = f"{column.table.name}.{column.name}"
    said = f"{name} {ATTACK}"
    if isinstance(column.type, sa.JSON):
        return {said: [said]}
    if isinstance(column.type, sa.LargeBinary):
        return said.encode()
    ours = column.primary_key or (column.name in OURS and name not in SAID)
    ours = ours or (column.name.endswith("_id") and column.name not in THEIR_IDS)
    return said if isinstance(column.type, sa.String) and not ours else None


@pytest.fixture
def everything(ledger: Ledger) -> Ledger:
    """Something of each kind that a page shows."""
    unread = Element(ElementKind.QUARANTINED, "", "no_email")
    record(ledger, delivery(unread, reason="unreadable"))
    deactivated(ledger)
    for name, reason in (("eve", "approval_missing"), ("tom", "protected")):
        taken = claim(ledger, job_of(ledger, name))
        moves.pin(ledger, taken, AccountId(f"account of {name}"), now=NOW, lease=LEASE)
        moves.keep(ledger, taken, {"status": "active"})
        moves.hold(ledger, taken, reason=reason, now=NOW)
    moves.fail(ledger, claim(ledger, job_of(ledger, "ada")), reason="gave_up", detail="x", now=NOW)
    moves.hold_by(ledger, job_of(ledger, "bob"), actor="ops", why="x", now=NOW)
    locked_out(ledger, claim(ledger, job_of(ledger, "joe")))
    name = f"holds.name {ATTACK}"
    holds.hold(ledger, Side("target", name), actor="ops", why="x", now=NOW)
    brakes.release(ledger, 1, source=f"brakes.source {ATTACK}", actor="ops", why="x", now=NOW)
    call = {"at": NOW, "name": "", "method": "GET", "path": "", "write": False, "duration_ms": 1}
    with ledger.write() as tx:
        attempt = tx.scalar(sa.select(tables.attempts.c.id).limit(1))
        tx.execute(sa.insert(tables.calls).values(call | {"attempt_id": attempt}))
    return ledger


@pytest.fixture
def hostile_worker(ledger, monkeypatch):
    """Answers with what HR or a target may have said."""
    said = f"explanation {ATTACK}"
    call = CallMade(NOW, said, said, said, write=False, status=None, duration_ms=1, error=said)
    told = replace(
        EXPLANATION,
        **dict.fromkeys(("source", "target", "email", "employee_id", "reckoned"), said),
        account=Matched(said, said, said),
        rules=(Asked(said, said, decides=True),),
        calls=(call,),
        next=Next(State.HELD, reason=said, detail=said, write=said),
    )

    def ask(_waker, questions):
        for each in questions:
            explanations.answer(ledger, each, as_json(told))

    monkeypatch.setattr("tests.workers.fakes.FakeWaker.ask", ask)
    monkeypatch.setattr(asking, "LOOK_S", 0)


def walk(client):
    """Follow every link, then send every form; which views that were, and all that was read."""
    visited, text, known = set(), "", set()
    typed = quote(ATTACK)
    waiting = [("GET", place, []) for place in ("/", f"/jobs/{typed}", f"/sign-in?next={typed}")]
    adapter = client.application.url_map.bind("localhost")
    while waiting:
        # Who looks changes nothing: what can be looked at comes first.
        waiting.sort(key=lambda each: each[0])
        method, place, fields = waiting.pop(0)
        path = unquote(urlsplit(place).path)
        way = (method, place, *(name for name, _ in fields))
        if way in known or path == "/sign-in/end":
            continue
        known.add(way)
        visited.add(adapter.match(path, method=method)[0])
        sent = {"data": sent_by(fields)} if method == "POST" else {}
        answer = client.open(place, method=method, **sent)
        assert answer.status_code < 500, place
        if answer.location:
            waiting.append(("GET", answer.location, []))
            continue
        page = Page(path, answer.text)
        assert (place, page.faults) == (place, [])
        text += page.text
        waiting += [("GET", link, []) for link in page.links]
        for form in page.forms:
            for action in form.places:
                if form.method == "post":
                    waiting.append(("POST", action, form.fields))
                else:
                    waiting.append(("GET", f"{action}?{urlencode(form.fields)}", []))
    return visited, text


def sent_by(fields):
    """A form's fields as the client takes them: one may come several times."""
    return {name: [value for own, value in fields if own == name] for name, _ in fields}


@pytest.fixture
def visitor(everything, console, hostile_worker):
    """A browser in which somebody is signed in who may do everything."""
    client = console(everything)
    token = sessions.start(everything, "x", Role.APPROVER, how="by a test", now=NOW)
    client.set_cookie(access.COOKIE, token)
    return client


def test_what_strangers_write_stays_text_on_every_page(everything, visitor):
    """Every link is followed and every form is sent: nothing that was kept becomes markup."""
    attack(everything)

    visited, text = walk(visitor)

    views = {rule.endpoint for rule in visitor.application.url_map.iter_rules()}
    programs = {"static", "show_metrics", "show_health"}
    signing = {each for each in views if each.startswith(("sign_in.", "openid."))}
    ours = {each for each in views if not each.startswith("api")} - programs - signing
    assert ours - visited == set()
    assert [name for name in SHOWN.split() if f"{name} {ATTACK}" not in text] == []
    assert "49" not in text.split(), "a template took what it showed for a template"


def test_no_page_shows_a_secret(everything, visitor):
    """Neither one of the configuration, nor what lets somebody in; not even to an approver."""
    password, key = "$argon2id$test-hash-not-a-secret", "offered-key-not-a-secret"
    users.put(everything, "alice", Role.VIEWER, password, actor="root", now=NOW)
    key_offers.offer(everything, "hr", key, now=NOW)
    link = sessions.new_link(everything, "bob", Role.VIEWER, actor="root", now=NOW)

    _, text = walk(visitor)

    assert "hr offered a key" in text
    secrets = ("not-a-secret", link, visitor.get_cookie(access.COOKIE).value)
    assert [secret for secret in secrets if secret in text] == []
