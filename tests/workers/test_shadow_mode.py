"""Two weeks in shadow mode, on simulated time: people act by hand, and the report knows of each."""

import math
import shutil
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from typing import Any

import pytest
import sqlalchemy as sa

from config.settings import Window, load
from config.targets import KINDS
from tests.workers.fakes import FakeClock
from tests.workers.records import DAY, HOUR, MINUTE, NOW, delivery, record
from tests.workers.shop import SETTINGS, Shop
from tests.workers.targets.sandbox import Control
from workers.leavers import Cutoff, Element, ElementKind, Leaver, LeaverKind
from workers.ledger import open_ledger
from workers.ledger import tables as t
from workers.ledger.queries.shadow import shadowed
from workers.limits import Unlimited
from workers.lookout import Lookout
from workers.sandbox.app import create_app
from workers.sandbox.atlassian.org import API_KEY, ORG_ID
from workers.sandbox.jira_dc.users import TOKEN
from workers.sandbox.people import (
    ADMINISTRATOR,
    AMIRA,
    INACTIVE,
    JONAS,
    LENA,
    NOBODY,
    NOT_INVITED,
    TOKENS_LOCKED,
    TOM,
    TWIN,
    UNMANAGED,
)
from workers.sandbox.server import Server
from workers.sandbox.state import Settings
from workers.shadow.report import Took, report
from workers.targets import build

STEP = 15 * MINUTE
END = NOW + 14 * DAY
CLOUD, JIRA = "cloud", "jira"
BRAKES = {"": (Window(3, DAY),)}
CORNER = {CLOUD: "", JIRA: "/jira-dc"}

GUS, HEDY, IDA, OTTO, UTE, VERA = (
    f"{name}@example.com" for name in ("gus", "hedy", "ida", "otto", "ute", "vera")
)
OFF = {"account_status": "inactive"}
SUSPENDED = {"directories": {"primary": "suspended", "secondary": "suspended"}}
REMOVED: dict[str, Any] = {"directories": {}}


@dataclass(frozen=True)
class Word:
    """HR says this of somebody, so long after the start; `cutoff` is as long after the start."""

    after: timedelta
    email: str
    kind: LeaverKind = LeaverKind.TERMINATED
    cutoff: timedelta = timedelta()
    targets: tuple[str, ...] = (CLOUD,)


@dataclass(frozen=True)
class Deed:
    """Somebody changes an account by hand, so long after the start."""

    after: timedelta
    email: str
    changes: dict[str, Any] = field(default_factory=lambda: OFF)
    target: str = CLOUD


@dataclass(frozen=True)
class Trouble:
    """From here on the profile of this person cannot be read."""

    after: timedelta
    email: str


WORDS = (
    Word(67 * MINUTE, LENA.email),
    Word(5 * HOUR, AMIRA.email),
    Word(6 * HOUR, JONAS.email, cutoff=3 * DAY + 5 * MINUTE),
    Word(DAY, TOM.email, targets=(CLOUD, JIRA)),
    Word(DAY + 7 * MINUTE, NOT_INVITED.email),
    Word(2 * DAY, UNMANAGED.email),
    Word(2 * DAY, GUS),
    Word(3 * DAY, HEDY),
    Word(3 * DAY, IDA),
    Word(3 * DAY, OTTO),
    Word(4 * DAY, UTE),
    Word(4 * DAY, NOBODY),
    Word(4 * DAY, INACTIVE.email),
    Word(4 * DAY, TWIN.email),
    Word(4 * DAY, ADMINISTRATOR.email),
    Word(4 * DAY, VERA, cutoff=40 * DAY),
    Word(4 * DAY, TOKENS_LOCKED.email, cutoff=30 * DAY),
    Word(5 * DAY, HEDY, LeaverKind.RESCINDED),
    Word(6 * DAY, TOKENS_LOCKED.email, LeaverKind.RESCINDED),
    Word(6 * DAY + HOUR, AMIRA.email),
    Word(9 * DAY, IDA, LeaverKind.REHIRED),
)
DEEDS = (
    Deed(DAY + 20 * MINUTE, TOM.email),
    Deed(4 * HOUR, LENA.email),
    Deed(4 * DAY, JONAS.email),
    Deed(10 * DAY + 3 * MINUTE, NOT_INVITED.email),
    Deed(3 * DAY, UNMANAGED.email, SUSPENDED),
    Deed(2 * DAY + 2 * HOUR, GUS, REMOVED),
    Deed(4 * DAY, IDA),
    Deed(13 * DAY, OTTO),  # seen by nobody
)
TROUBLES = (Trouble(7 * DAY, OTTO),)

#: The verdict and the reason that each person's jobs must have: by target, and in their order.
FATES: dict[tuple[str, str, int], tuple[str, str]] = {
    (LENA.email, CLOUD, 0): ("deactivated_by_hand", ""),
    (AMIRA.email, CLOUD, 0): ("still_active", ""),
    (AMIRA.email, CLOUD, 1): ("repeated", ""),
    (JONAS.email, CLOUD, 0): ("deactivated_by_hand", ""),
    (TOM.email, CLOUD, 0): ("deactivated_by_hand", ""),
    (TOM.email, JIRA, 0): ("still_active", ""),
    (NOT_INVITED.email, CLOUD, 0): ("deactivated_by_hand", ""),
    (UNMANAGED.email, CLOUD, 0): ("deactivated_by_hand", ""),
    (GUS, CLOUD, 0): ("deactivated_by_hand", ""),
    (HEDY, CLOUD, 0): ("taken_back", ""),
    (IDA, CLOUD, 0): ("taken_back", ""),
    (OTTO, CLOUD, 0): ("not_seen_again", ""),
    (UTE, CLOUD, 0): ("still_active", ""),
    (NOBODY, CLOUD, 0): ("no_account", ""),
    (INACTIVE.email, CLOUD, 0): ("already_inactive", ""),
    (TWIN.email, CLOUD, 0): ("held", "ambiguous_match"),
    (ADMINISTRATOR.email, CLOUD, 0): ("held", "administrator"),
    (VERA, CLOUD, 0): ("scheduled", "cutoff_ahead"),
    (TOKENS_LOCKED.email, CLOUD, 0): ("cancelled", "rescinded"),
}


class World:
    """A worker in shadow mode, HR, and people who act in the sandbox by hand."""

    def __init__(self, ledger, home, control):
        self.ledger = ledger
        self.control = control
        base_url = control.base_url
        cloud = {"base_url": base_url, "org_id": ORG_ID, "api_key": API_KEY}
        jira = {"base_url": f"{base_url}/jira-dc", "token": TOKEN}
        targets = [
            build(name, KINDS[kind].model_validate({"kind": kind, **about}), Unlimited())
            for name, kind, about in ((CLOUD, "atlassian-org", cloud), (JIRA, "jira-dc", jira))
        ]
        self.clock = FakeClock()
        self.shop = Shop(ledger, home, *targets, clock=self.clock)
        url = ledger.engine.url.render_as_string(hide_password=False)
        text = SETTINGS.format(url=url).replace('mode = "act"', 'mode = "shadow"')
        text += f'\n[targets.{JIRA}]\nkind = "jira-dc"\nbase_url = "{jira["base_url"]}"\n'
        self.shop.file.write_text(text + f'token = "{TOKEN}"\n')
        self.shop.runtime.settings = load(self.shop.file, {})
        self.lookout = Lookout(self.shop.runtime)

    def live(self):
        """Two weeks pass; nothing that is due waits for longer than a step."""
        script = sorted((*WORDS, *DEEDS, *TROUBLES), key=lambda each: each.after)
        while self.clock.now() < END:
            now = self.clock.now()
            while script and NOW + script[0].after <= now:
                self._play(script.pop(0))
            if (self._soonest(t.jobs.c.due_at, t.jobs.c.finished_at.is_(None)) or END) <= now:
                self.shop.look()
            self.lookout.once(now)
            waits = [NOW + script[0].after if script else END, END]
            waits.append(self._soonest(t.jobs.c.due_at, t.jobs.c.state == "scheduled") or END)
            waits.append(self._soonest(t.sightings.c.next_look_at) or END)
            self.clock.move(steps(max(min(waits) - now, STEP)))

    def _play(self, event):
        match event:
            case Word():
                hear(self.ledger, event)
            case Deed():
                control = self.control.of(CORNER[event.target])
                control.call("PATCH", self._path(event.email, event.target), event.changes)
            case Trouble():
                account_id = self._path(event.email).rpartition("/")[2]
                self.control.fault("500", "profile.get", account_id=account_id, times=None)

    def _path(self, email, target=CLOUD):
        found = self.control.call("GET", f"{CORNER[target]}/people?email={email}")["people"]
        return f"{CORNER[target]}/people/{found[0]['account_id']}"

    def _soonest(self, column, *where):
        with self.ledger.read() as tx:
            return tx.scalar(sa.select(sa.func.min(column)).where(*where))

    @cached_property
    def report(self):
        since = END - 14 * DAY
        return report(shadowed(self.ledger, since=since), since=since, now=END, brakes=BRAKES)


def steps(span: timedelta) -> timedelta:
    """`span` in whole steps, the last one begun counted."""
    return math.ceil(span / STEP) * STEP


def hear(ledger, word):
    at = NOW + word.after
    cutoff = Cutoff(max(NOW + word.cutoff, at))
    leaver = Leaver(word.email, word.email, cutoff, word.kind, happened_at=at)
    said = Element(ElementKind.LEAVER, repr(word), employee_id=word.email, leaver=leaver)
    record(ledger, delivery(said, targets=word.targets, at=at), now=at)


@pytest.fixture(scope="module")
def world(migrated_file, tmp_path_factory):
    """The two weeks are lived once, for all tests."""
    home = tmp_path_factory.mktemp("world")
    ledger = open_ledger(f"sqlite:///{shutil.copy(migrated_file, home / 'leaver.db')}")
    with Server(create_app(Settings(latency=timedelta()))) as server:
        control = Control(server.base_url)
        for email in (HEDY, IDA, OTTO, UTE, VERA):
            control.add(email)
        control.add(GUS, managed=False, source=None)
        world = World(ledger, home, control)
        world.live()
        yield world
        control.close()
    world.shop.close()
    ledger.close()


def named(rows):
    """The rows by person, target, and which of the person's jobs it is."""
    seen: Counter[tuple[str, str]] = Counter()
    found = {}
    for row in sorted(rows, key=lambda row: row.received_at):
        found[row.email, row.target, seen[row.email, row.target]] = row
        seen[row.email, row.target] += 1
    return found


@pytest.mark.exhaustive
def test_the_report_is_right_to_the_person(world):
    """Somebody decides by it whether everybody's account is put into our hands."""
    rows = named(world.report.rows)

    assert {key: (row.verdict, row.reason) for key, row in rows.items()} == FATES


@pytest.mark.exhaustive
def test_how_long_people_took_lies_where_the_report_says(world):
    """Never to Leaver's advantage: the true instant is between the two."""
    rows = named(world.report.rows)
    told = {(word.email, target): word for word in reversed(WORDS) for target in word.targets}

    for deed in DEEDS:
        row = rows[deed.email, deed.target, 0]
        word = told[deed.email, deed.target]
        took = (deed.after - max(word.after, word.cutoff)).total_seconds()
        if deed.email == OTTO:
            assert (row.people_seconds_at_most, "500" in row.detail) == (None, True)
            continue
        assert row.people_seconds_at_least <= took <= row.people_seconds_at_most, row
        doubt = timedelta(seconds=row.people_seconds_at_most - row.people_seconds_at_least)
        assert doubt <= max(STEP, timedelta(seconds=took) / 4) + 2 * STEP, row
    assert rows[GUS, CLOUD, 0].gone


def test_how_long_leaver_took_counts_from_the_later_of_word_and_cutoff(world):
    """A worker looked at each step, so that is how late it was."""
    rows = named(world.report.rows)

    for word in WORDS:
        row = rows[word.email, word.targets[0], 0]
        if row.would_at and word.after == row.received_at - NOW:
            due = max(word.after, word.cutoff)
            assert row.leaver_seconds == (steps(due) - due).total_seconds()


def test_the_summary_counts_the_rows(world):
    """Its figures are those of people, each once, however often HR said it."""
    summary = world.report.summary
    by_hand = sorted(
        row.people_seconds_at_most
        for row in world.report.rows
        if row.verdict == "deactivated_by_hand"
    )

    assert summary.verdicts == Counter(verdict for verdict, _ in FATES.values())
    assert summary.held == {"ambiguous_match": 1, "administrator": 1}
    assert (summary.jobs, summary.leavers) == (len(FATES), len({email for email, _, _ in FATES}))
    assert summary.would_deactivate == 12
    assert [each.most for each in summary.brakes] == [4]  # on day 3: hedy, ida, otto and jonas
    assert summary.people_took == Took(6, by_hand[2], by_hand[5])


def test_nothing_was_written(world):
    """Looking is all that shadow mode does, also afterwards."""
    assert world.control.writes() == []


def test_those_whom_nobody_touched_come_first(world):
    """They are what the report is read for."""
    shown = [(row.verdict, row.email) for row in world.report.rows[:4]]

    assert [verdict for verdict, _ in shown] == ["still_active"] * 3 + ["not_seen_again"]
    assert {email for _, email in shown} == {AMIRA.email, TOM.email, UTE, OTTO}
