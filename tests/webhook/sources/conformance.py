"""What every source promises, whatever the HR system.  A new source joins by subclassing.

    class TestBambooHR(SignedSourceConformance):
        source = "bamboohr"          # its name in the configuration of receiving.py
        signature_headers = (...)    # the names of the headers that carry signature and time
        def person(self, who): ...   # somebody leaving, as the source's JSON has it
        ...

Every test goes through the real app into a real ledger.
"""

import json
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from tests.webhook.receiving import NOW
from webhook import faults
from webhook.faults import FAULTS, Sender
from webhook.sources import SOURCES
from webhook.sources.base import Termination, sign
from workers.leavers import LeaverKind

JANE = Termination("jane.doe@example.com", "67890", date(2026, 11, 20))
PEOPLE = [Termination(f"person{n}@example.com", str(n), date(2026, 11, 20)) for n in range(50)]


class SourceConformance:
    """Subclass it, name the source, and say how its bodies look and are signed."""

    source: str
    signature_headers: tuple[str, ...]
    #: Whether its events say enough to make a leaver; else see ThinSourceConformance.
    names_people = True
    #: Bodies of other kinds of events, which must be ignored.
    other_events: tuple[bytes, ...]

    def person(self, who: Termination) -> dict[str, Any]:
        """One person leaving, as the source's JSON has it."""
        raise NotImplementedError

    def without_email(self, person: dict[str, Any]) -> dict[str, Any]:
        """The same person, whose e-mail address HR does not say."""
        raise NotImplementedError

    def body_of(self, people: list[Any]) -> bytes:
        """A delivery with these elements; skips the test where the sender posts each alone."""
        raise NotImplementedError

    def signed(self, body: bytes, *, at: datetime = NOW, key: int = 0) -> dict[str, str]:
        """The sender's headers, made with one of the configured keys, or a foreign one at -1.

        Where the sender has ids for its events, it is always the same one.
        """
        raise NotImplementedError

    def body(self, *people: Termination) -> bytes:
        """A delivery in which all of them have left."""
        return self.body_of([self.person(who) for who in people])

    def test_a_rightly_signed_leaver_becomes_jobs(self, receiver):
        """The whole point."""
        body = self.body(JANE)

        answer = receiver.post(self.source, self.signed(body), body)

        assert answer.status_code == 202
        assert answer.json["status"] == "accepted"
        assert answer.json["elements"] == {"leaver": 1, "lookup": 0, "ignored": 0, "quarantined": 0}
        assert [row.email for row in receiver.rows("leavers")] == [JANE.email]
        assert answer.json["jobs"] == [row.id for row in receiver.rows("jobs")]
        assert receiver.bell.rung == answer.json["jobs"]

    def test_the_raw_body_is_kept(self, receiver):
        """What was received is evidence, byte for byte."""
        body = self.body(JANE)

        receiver.post(self.source, self.signed(body), body)

        (delivery,) = receiver.rows("deliveries")
        assert (delivery.body, delivery.source) == (body, self.source)

    def test_each_active_key_is_accepted(self, receiver):
        """Keys are changed by having two for a while."""
        one, other = self.body(JANE), self.body(PEOPLE[0])

        receiver.post(self.source, self.signed(one, key=0), one)
        receiver.post(self.source, self.signed(other, key=1), other)

        assert [row.facts["key"] for row in receiver.rows("deliveries")] == ["1", "2"]

    def test_a_foreign_key_is_refused_and_nothing_is_recorded(self, receiver):
        """A stranger can do nothing, and learns nothing."""
        body = self.body(JANE)

        answer = receiver.post(self.source, self.signed(body, key=-1), body)

        self.assert_refused(receiver, answer)
        assert receiver.rejected() == {(self.source, "signature_wrong"): 1}

    def test_each_missing_header_is_refused(self, receiver):
        """No default, no second way in."""
        body = self.body(JANE)

        for name in self.signature_headers:
            headers = {k: v for k, v in self.signed(body).items() if k.lower() != name}
            self.assert_refused(receiver, receiver.post(self.source, headers, body))

        assert receiver.rejected() == {
            (self.source, "signature_missing"): len(self.signature_headers)
        }

    @pytest.mark.parametrize(
        "wrong",
        [
            lambda value: "",
            lambda value: " ",
            lambda value: value[:-1],
            lambda value: value[:-1] + ("0" if value[-1] != "0" else "1"),
            lambda value: "\u00e9" + value,
            lambda value: value + "\u00b2",
            lambda value: "=" * 44,
            lambda value: "v1," + "=" * 44,
            lambda value: "v1",
            lambda value: "0" * 64,
            lambda value: "x" * 5000,
            lambda value: value + "." + value,
        ],
        ids=[
            "empty", "blank", "cut", "changed", "not ASCII", "superscript digit", "padding only",
            "padding only in v1", "version only", "zeros", "long", "dots",
        ],
    )  # fmt: skip
    def test_each_malformed_header_is_refused(self, receiver, wrong):
        """Never a 5xx: the sender would come again, and a stranger would know he hit something."""
        body = self.body(JANE)
        headers = self.signed(body)

        for name in headers:
            if name.lower() in self.signature_headers:
                changed = headers | {name: wrong(headers[name])}
                self.assert_refused(receiver, receiver.post(self.source, changed, body))

    def test_a_doubled_single_header_is_refused(self, receiver):
        """Servers join two headers of one name with a comma; which of them would count?"""
        body = self.body(JANE)
        headers = self.signed(body)

        for name in headers:
            if name.lower() in self.signature_headers and "signature" not in name.lower():
                doubled = headers | {name: f"{headers[name]},{headers[name]}"}
                self.assert_refused(receiver, receiver.post(self.source, doubled, body))

    def test_a_repeated_delivery_changes_nothing(self, receiver):
        """HR systems send again when our answer is slow; the second copy names the same jobs."""
        body = self.body(JANE)
        headers = self.signed(body)

        first = receiver.post(self.source, headers, body)
        again = receiver.post(self.source, headers, body)

        assert (again.status_code, again.json["status"]) == (202, "duplicate")
        assert again.json["jobs"] == first.json["jobs"]
        assert len(receiver.rows("jobs")) == len(first.json["jobs"])

    def test_a_repetition_that_is_stale_by_now_is_still_a_duplicate(self, receiver):
        """Whoever captured a delivery cannot fill the disk with it."""
        body = self.body(JANE)
        headers = self.signed(body)
        receiver.post(self.source, headers, body)

        receiver.clock.pass_by(timedelta(days=1))
        again = receiver.post(self.source, headers, body)

        assert again.json["status"] == "duplicate"
        assert len(receiver.rows("deliveries")) == 1

    def test_a_repetition_of_a_person_in_another_body_is_no_second_leaver(self, receiver):
        """A sender may put what it sends again into another batch."""
        first, again = self.body(JANE), self.body(JANE, PEOPLE[0])

        receiver.post(self.source, self.signed(first), first)
        receiver.post(self.source, self.signed(again), again)

        emails = [row.email for row in receiver.rows("leavers")]
        assert sorted(emails) == sorted([JANE.email, PEOPLE[0].email])

    def test_one_broken_person_does_not_lose_the_others(self, receiver):
        """49 jobs and one element that an operator can see."""
        people = [self.person(who) for who in PEOPLE]
        people[17] = self.without_email(people[17])
        body = self.body_of(people)

        answer = receiver.post(self.source, self.signed(body), body)

        assert answer.json["status"] == "accepted"
        assert answer.json["elements"]["leaver"] == 49
        assert answer.json["elements"]["quarantined"] == 1
        broken = [row for row in receiver.rows("elements") if row.kind == "quarantined"]
        assert [(row.reason, row.employee_id) for row in broken] == [("missing_email", "17")]

    @pytest.mark.parametrize(
        "poison", [None, 1, "x", [], [[[]]], {}, {"id": []}, {"data": 1}, {"fields": [1]}, "\ud800"]
    )
    def test_poison_in_a_batch_is_never_a_leaver_and_loses_nobody(self, receiver, poison):
        """Whatever one element is, its neighbours are recorded."""
        body = self.body_of([self.person(JANE), poison, self.person(PEOPLE[0])])

        answer = receiver.post(self.source, self.signed(body), body)

        assert answer.status_code == 202
        assert answer.json["elements"]["leaver"] == 2

    def test_names_nobody_knows_are_no_fault(self, receiver):
        """HR systems add fields without asking."""
        person = self.person(JANE) | {"somethingNew": {"deep": [1, None, True]}}
        document = json.loads(self.body_of([person])) | {"alsoNew": "x"}
        body = json.dumps(document).encode()

        answer = receiver.post(self.source, self.signed(body), body)

        assert answer.json["status"] == "accepted"

    def test_an_empty_batch_is_ignored(self, receiver):
        """Nobody leaves: nothing to do, and nothing to complain about."""
        body = self.body_of([])

        answer = receiver.post(self.source, self.signed(body), body)

        assert (answer.status_code, answer.json["status"]) == (202, "ignored")

    def test_other_kinds_of_events_are_ignored(self, receiver):
        """A 4xx would have the sender switch the webhook off."""
        for body in self.other_events:
            answer = receiver.post(self.source, self.signed(body), body)

            assert (answer.status_code, answer.json["status"]) == (202, "ignored"), body

    @pytest.mark.parametrize(
        "body",
        [b"", b"null", b"[]", b"{", b"\xff\xfe", b"{}", b'{"a":1,"a":2}', b"[" * 60_000],
        ids=["empty", "null", "list", "cut", "not UTF-8", "no type", "twice", "deep"],
    )
    def test_a_signed_body_that_cannot_be_read_is_kept(self, receiver, body):
        """It may be a leaver in a form we do not know; the alarm says so, and nothing is lost."""
        answer = receiver.post(self.source, self.signed(body), body)

        assert (answer.status_code, answer.json["status"]) == (202, "quarantined")
        (delivery,) = receiver.rows("deliveries")
        assert (delivery.reason, delivery.body) == ("unreadable", body)

    @pytest.mark.parametrize(
        "email", ["zoë.müller@example.com", "佐藤@example.com", "o'brien@example.com"]
    )
    def test_names_of_all_languages_are_people(self, receiver, email):
        """An address is taken as it is, in the body's UTF-8."""
        body = self.body(Termination(email, "1", date(2026, 11, 20)))

        receiver.post(self.source, self.signed(body), body)

        assert [row.email for row in receiver.rows("leavers")] == [email]

    def test_whatever_we_send_is_what_we_read(self, receiver):
        """`leaver send` must reach the same end as the HR system, with each of its events."""
        settings = receiver.settings.sources[self.source]
        source = SOURCES[settings.kind]

        for event, who in zip(source.EVENTS, PEOPLE, strict=False):
            headers, body = sign(source, [who], settings, event=event, now=NOW)
            assert receiver.post(self.source, headers, body).status_code == 202

        said = [(row.kind, row.employee_id) for row in receiver.rows("leavers")]
        sent = [(kind, who.employee_id) for kind, who in zip(source.EVENTS, PEOPLE, strict=False)]
        # A leaver who is not named waits; of the other events the id is enough.
        assert said == [each for each in sent if self.names_people or each[0] != "terminated"]

    def test_whatever_body_we_sign_is_kept(self, receiver):
        """`leaver send --fault` plays an HR system that sends nonsense."""
        settings = receiver.settings.sources[self.source]

        headers = SOURCES[settings.kind].signature(b"nonsense", settings, now=NOW)
        answer = receiver.post(self.source, headers, b"nonsense")

        assert (answer.status_code, answer.json["status"]) == (202, "quarantined")

    @pytest.mark.parametrize("fault", FAULTS)
    def test_no_mistake_of_the_sender_is_a_5xx_or_makes_a_leaver(self, receiver, fault):
        """All that `leaver send --fault` can play, against all that the receiver promises."""
        settings = receiver.settings.sources[self.source]
        event = LeaverKind.TERMINATED
        sender = Sender(SOURCES[settings.kind], settings, [JANE], event, NOW)
        try:
            posts = faults.posts(sender, fault)
        except ValueError as error:
            pytest.skip(str(error))

        answers = [receiver.post(self.source, post.headers, post.body) for post in posts]

        assert {answer.status_code for answer in answers} <= {202, 401}
        refused = fault in ("wrong-signature", "missing-header", "doubled-header")
        assert answers[0].status_code == 401 or not refused
        harmless = fault in ("content-type", "poison", "duplicate")
        assert len(receiver.rows("leavers")) == int(harmless and self.names_people)

    def assert_refused(self, receiver, answer) -> None:
        """401, no word about why, and no trace in the ledger."""
        assert (answer.status_code, answer.json) == (401, {"error": "unauthorized"})
        assert not receiver.rows("deliveries")
        assert not receiver.bell.rung


class SignedBodyConformance(SourceConformance):
    """What is promised besides where a signature covers the body."""

    def test_a_changed_body_is_refused(self, receiver):
        """One byte is enough."""
        body = self.body(JANE)

        answer = receiver.post(self.source, self.signed(body), body.replace(b"67890", b"67891"))

        self.assert_refused(receiver, answer)


class SignedSourceConformance(SignedBodyConformance):
    """What is promised besides where a signature covers the body and the time."""

    def test_when_it_was_signed_is_kept(self, receiver):
        """It is evidence, and the sender's time of an event that has no other."""
        body = self.body(JANE)

        receiver.post(self.source, self.signed(body), body)

        assert [row.signed_at for row in receiver.rows("deliveries")] == [NOW]

    @pytest.mark.parametrize("direction", [-1, 1], ids=["stale", "from the future"])
    def test_a_signature_of_another_time_is_kept_but_not_acted_on(self, receiver, direction):
        """A 4xx would lose it for good, and acting on it would let a captured body be replayed."""
        body = self.body(JANE)
        tolerance = receiver.settings.sources[self.source].tolerance
        signed_at = NOW + direction * (tolerance + timedelta(seconds=1))

        answer = receiver.post(self.source, self.signed(body, at=signed_at), body)

        assert (answer.status_code, answer.json["status"]) == (202, "quarantined")
        assert answer.json["elements"]["quarantined"] == 1
        assert not receiver.rows("jobs")
        (delivery,) = receiver.rows("deliveries")
        assert delivery.reason == ("stale" if direction < 0 else "from_the_future")
        assert delivery.body == body

    @pytest.mark.parametrize("direction", [-1, 1], ids=["old", "ahead"])
    def test_a_signature_just_within_tolerance_is_accepted(self, receiver, direction):
        """Clocks differ, and retries may carry the time of the first try."""
        body = self.body(JANE)
        signed_at = NOW + direction * receiver.settings.sources[self.source].tolerance

        answer = receiver.post(self.source, self.signed(body, at=signed_at), body)

        assert answer.json["status"] == "accepted"


class ThinSourceConformance(SignedBodyConformance):
    """What is promised where an event names only an id: nobody is guessed, and nothing is lost."""

    names_people = False

    def test_a_rightly_signed_leaver_becomes_jobs(self, receiver):
        """It cannot; the id is there for the person who looks it up."""
        body = self.body(JANE)

        answer = receiver.post(self.source, self.signed(body), body)

        assert (answer.status_code, answer.json["status"]) == (202, "quarantined")
        (element,) = receiver.rows("elements")
        assert (element.reason, element.employee_id) == ("missing_email", JANE.employee_id)
        assert not receiver.rows("jobs")

    def test_names_nobody_knows_are_no_fault(self, receiver):
        """Nor is an address under a name that this sender does not have."""
        body = self.body_of([self.person(JANE) | {"somethingNew": [1], "email": JANE.email}])

        answer = receiver.post(self.source, self.signed(body), body)

        assert answer.json["status"] == "quarantined"
        assert [row.reason for row in receiver.rows("elements")] == ["missing_email"]

    @pytest.mark.parametrize("employee_id", ["7f7c2c4e-5a1b-4b7e-9c3d-2f0a6f1d8e55", "Zo\u00eb"])
    def test_names_of_all_languages_are_people(self, receiver, employee_id):
        """An id is taken as it is."""
        body = self.body(Termination("", employee_id))

        receiver.post(self.source, self.signed(body), body)

        assert [row.employee_id for row in receiver.rows("elements")] == [employee_id]
