"""What every target promises (workers/targets/base.py), as tests that run against its fake.

First each promise of the target alone, then what the procedure makes of them.  A target joins with
a subclass that has a fixture `stage`:

    class TestMyTarget(Conformance):
        @pytest.fixture
        def stage(self, ...): return Stage(...)
"""

import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from tests.workers.targets.books import Book
from tests.workers.targets.leaving import Leaving, Returning
from tests.workers.targets.sandbox import Control
from tests.workers.targets.scripted import ScriptedServer, answer
from workers.deprovision import Done, Held, NotVerified
from workers.errors import (
    AccountBusy,
    LeaseLost,
    LockedOut,
    Refused,
    Stopped,
    TargetError,
    Unavailable,
)
from workers.leavers import AccountId, Outcome
from workers.runtime import WorkerClock
from workers.targets.base import OUTCOME_OF, Access, Call, Target

#: What every fake can be told to do, and the error that every target makes of it.
FAULTS = {
    "401": LockedOut,
    "429": LockedOut,
    "429_date": LockedOut,
    "429_reset": LockedOut,
    "429_bare": LockedOut,
    "500": Unavailable,
    "502": Unavailable,
    "503": Unavailable,
    "html": Unavailable,
    "html_502": Unavailable,
    "empty": Unavailable,
    "dropped": Unavailable,
    "timeout": Unavailable,
    "truncated": Unavailable,
    "cut": Unavailable,
}

#: What is tried at each call of an attempt: each kind of trouble once, and what another system, or
#: a wrong address, would say.
TROUBLES = [
    *("401", "429", "500", "html", "empty", "dropped", "timeout", "truncated"),
    *("bare_204", "bare_302", "bare_403", "bare_404", "bare_409", "html_404"),
]

#: What no API says when it says "nobody".
STATUSES = [
    *(201, 202, 203, 204, 206, 207, 226, 300, 301, 302, 303, 304, 307, 308),
    *(400, 401, 402, 403, 404, 405, 406, 407, 408, 409, 410, 413, 415, 421, 422, 425, 429, 451),
    *(500, 501, 502, 503, 504, 505, 507, 511, 520, 599, 999),
]
# What is asked for is 60 s, less the time that has passed, and whole seconds are rounded up.
SOON, LATEST = timedelta(seconds=30), timedelta(seconds=62)
BODIES = [b"", b"{}", b"[]", b"null", b"<html>Sign in</html>"]


@dataclass(frozen=True)
class Stage:
    """A target before its fake.

    active, inactive    e-mail addresses of one account each that can be switched off, or is off
    twins               an address that two accounts have, "" where the system allows none
    nobody              an address without an account
    tells_groups        whether the system can be asked for the groups of an account
    key                 what must not be written down
    control             the control of the fake, in the corner of this system
    with_wrong_key      the same target with a credential that the fake does not know
    at                  the same target at another address
    """

    target: Target
    active: str
    inactive: str
    twins: str
    nobody: str
    key: str
    control: Control
    with_wrong_key: Target
    at: Callable[[str], Target]
    tells_groups: bool = True

    def writes(self) -> int:
        """How many writes have reached the fake."""
        return len(self.control.writes())


class Promises:
    """Each promise once; pytest runs them in each subclass."""

    @pytest.fixture
    def within(self, stage):
        """The target as one attempt has it: logged in where it needs that."""
        with stage.target.session(Book()) as target:
            yield target

    # The target alone -----------------------------------------------------------------------------

    def test_an_address_finds_its_one_account(self, stage, within):
        """Everything else goes by the id found here."""
        account = find_one(within, stage.active)

        assert account.email.lower() == stage.active.lower()
        assert account.access is Access.ACTIVE
        assert account.person
        assert not account.administrator

    def test_an_address_in_another_spelling_finds_it_too(self, stage, within):
        """HR may write names with capitals."""
        assert find_one(within, stage.active.title()) == find_one(within, stage.active)

    def test_an_address_without_an_account_finds_nobody(self, stage, within):
        """An empty answer, no error."""
        assert within.find(Book(), stage.nobody) == ()

    def test_an_address_with_a_tag_is_another_address(self, stage, within):
        """lena+jira@ may be somebody's test account, and lena@ the person."""
        local, _, domain = stage.active.partition("@")

        assert within.find(Book(), f"{local}+tag@{domain}") == ()

    def test_a_part_of_an_address_finds_nobody(self, stage, within):
        """Some searches find whatever begins with what they are asked for."""
        assert within.find(Book(), stage.active[:-1]) == ()
        assert within.find(Book(), stage.active[1:]) == ()

    def test_a_good_credential_is_proven(self, within):
        """Only then may "nobody found" be believed."""
        book = Book()

        within.prove_credential(book)

        assert {call.status for call in book.calls} == {200}

    def test_a_wrong_credential_is_never_an_empty_answer(self, stage):
        """The most dangerous false success: a dead key that finds nobody."""
        with pytest.raises(LockedOut) as proving:
            ask(stage.with_wrong_key, lambda target: target.prove_credential(Book()))
        with pytest.raises(LockedOut) as finding:
            ask(stage.with_wrong_key, lambda target: target.find(Book(), stage.nobody))

        assert {proving.value.reason, finding.value.reason} == {"credential_refused"}

    def test_switching_off_shows_in_the_read(self, stage, within):
        """The write proves nothing; this does."""
        account = ready(within, stage.active)
        assert account.way in OUTCOME_OF

        within.switch_off(Book(), account)

        assert within.read(Book(), account).access is Access.OFF

    def test_reading_says_what_the_search_said(self, stage, within):
        """The two must not disagree about the same account."""
        for email, access in ((stage.active, Access.ACTIVE), (stage.inactive, Access.OFF)):
            account = find_one(within, email)
            seen = within.read(Book(), account)

            assert (seen.id, seen.access, seen.way) == (account.id, access, account.way)

    def test_the_groups_of_an_account_are_told(self, stage, within):
        """All of them, more than one page holds; or it is said that they are not."""
        account = find_one(within, stage.active)
        if not stage.tells_groups:
            with pytest.raises(Refused, match="not told"):
                within.groups(Book(), account)
            return
        before = within.groups(Book(), account)
        joined = {f"group-{number}" for number in range(250)}

        stage.control.join(stage.active, *joined)

        assert set(within.groups(Book(), account)) == {*before, *joined}
        assert not joined & set(before)

    def test_the_groups_of_an_account_that_is_gone_are_no_trouble_of_the_target(
        self, stage, within
    ):
        """It was deleted a moment ago: a person looks, and everybody else's jobs go on."""
        gone = AccountId("no-such-account")
        account = replace(find_one(within, stage.active), id=gone, username=gone)

        with suppress(Refused):
            assert within.groups(Book(), account) == ()

    def test_an_account_that_does_not_exist_reads_as_none(self, stage, within):
        """Proven absence, and no error."""
        account = replace(
            find_one(within, stage.active),
            id=AccountId("no-such-account"),
            username="no-such-account",
            email=stage.nobody,
        )

        assert within.read(Book(), account) is None

    @pytest.mark.parametrize("fault", ["401", "429", "503", "dropped", "html"])
    def test_cleaning_up_never_undoes_the_success(self, stage, within, fault):
        """The account is off by then; what is left is a sentence, not an error."""
        account = ready(within, stage.active)
        stage.control.always(fault)

        assert isinstance(within.clean_up(Book(), account), str)

    @pytest.mark.parametrize("refusal", [Stopped("hold"), LeaseLost(), AccountBusy()])
    def test_nothing_is_written_without_leave(self, stage, within, refusal):
        """Not by switching off or on, and not by cleaning up."""
        account = ready(within, stage.active)
        before = stage.writes()

        with pytest.raises(type(refusal)):
            within.switch_off(Book(refusal), account)
        with pytest.raises(type(refusal)):
            within.switch_on(Book(refusal), account, account.snapshot)

        assert stage.writes() == before
        assert within.read(Book(), account).access is Access.ACTIVE

    def test_the_leave_stands_just_before_each_write(self, stage, within):
        """One leave for one write, with the same name, and nothing in between."""
        book = Book()
        before = stage.writes()

        account = ready(within, stage.active, book)
        within.switch_off(book, account)
        within.clean_up(book, account)
        within.switch_on(book, account, account.snapshot)

        writes = [call for call in book.calls if call.write]
        assert len(writes) == stage.writes() - before > 0
        for number, event in enumerate(book.events):
            if isinstance(event, Call) and event.write:
                assert book.events[number - 1] == event.name

    def test_questions_write_nothing(self, stage, within):
        """Shadow mode rests on it."""
        before = stage.writes()

        account = ready(within, stage.active)
        within.read(Book(), account)
        within.prove_credential(Book())

        assert stage.writes() == before

    def test_switching_on_gives_back_what_was_taken(self, stage, within):
        """A rescinded termination must not cost the person more than the hours in between."""
        before = ready(within, stage.active)
        job = Leaving(stage.target, stage.active)
        assert job.attempt().outcome is OUTCOME_OF[before.way]
        off = within.read(Book(), before)

        within.switch_on(Book(), off, job.notes.snapshot)

        assert within.read(Book(), off).access is Access.ACTIVE
        assert ready(within, stage.active) == before

    def test_neither_address_nor_key_are_written_down(self, stage):
        """The journal holds no personal data, whatever went wrong."""
        job, said = Leaving(stage.target, stage.active), []
        job.attempt()
        for fault in FAULTS:
            stage.control.always(fault, lasts=0.05)
            with pytest.raises(TargetError) as error:
                job.attempt()
            said.append(str(error.value))

        written = f"{job.notes.calls} {said}".lower()
        assert stage.active.lower() not in written
        assert stage.key.lower() not in written

    # What the procedure makes of it ---------------------------------------------------------------

    def test_a_leaver_ends_switched_off(self, stage):
        """`done` means: read back after the write."""
        job = Leaving(stage.target, stage.active.upper())

        result = job.attempt()

        assert result.outcome is OUTCOME_OF[account_of(stage).way]
        assert account_of(stage).access is Access.OFF

    def test_an_account_that_is_off_is_done_without_a_write(self, stage):
        """The identity provider, or a colleague, was faster."""
        job = Leaving(stage.target, stage.inactive)

        assert job.attempt() == Done(Outcome.ALREADY_INACTIVE)
        assert not job.notes.wrote

    def test_nobody_is_believed_after_a_proof(self, stage):
        """ "No such account" is a success, so it needs as much proof as any other."""
        job = Leaving(stage.target, stage.nobody)
        proof = calls_of(lambda book: ask(stage.target, lambda one: one.prove_credential(book)))

        assert job.attempt() == Done(Outcome.NO_ACCOUNT)
        assert set(proof) <= set(job.notes.names)
        assert not job.notes.wrote

    def test_two_accounts_with_one_address_are_held(self, stage):
        """Whoever of them it is, a person must say."""
        if not stage.twins:
            pytest.skip("the system allows an address once")
        job = Leaving(stage.target, stage.twins)

        result = job.attempt()

        assert isinstance(result, Held)
        assert result.reason == "ambiguous_match"
        assert not job.notes.wrote

    def test_who_is_in_a_protected_group_is_held(self, stage):
        """Whatever the capitals; and where groups are not told, nobody is taken for unprotected."""
        job = Leaving(stage.target, stage.active)
        if stage.tells_groups:
            stage.control.join(stage.active, "Board")
            assert job.attempt(protected=["group:board"]).reason == "protected"
        else:
            with pytest.raises(Refused, match="not told"):
                job.attempt(protected=["group:board"])

        assert not job.notes.wrote

    def test_a_reading_that_is_behind_is_waited_for(self, stage):
        """Some systems show a change only after a while."""
        stage.control.set(consistency_delay=0.5)
        job = Leaving(stage.target, stage.active, clock=WorkerClock(threading.Event()))
        way = account_of(stage).way

        assert job.attempt().outcome is OUTCOME_OF[way]

    def test_a_write_without_effect_is_never_done(self, stage):
        """A 200 proves nothing."""
        stage.control.always("lost_write")
        job = Leaving(stage.target, stage.active)

        assert isinstance(job.attempt(verify="1s"), NotVerified)
        assert account_of(stage).access is Access.ACTIVE

    def test_whoever_comes_back_has_what_they_had(self, stage, within):
        """Suspended in each directory, restored in each; out of all groups, back in all of them."""
        before = ready(within, stage.active)
        job = Leaving(stage.target, stage.active)
        job.attempt()

        result = Returning(job).attempt()

        assert result == Done(Outcome.REINSTATED)
        assert ready(within, stage.active) == before

    def test_giving_back_without_effect_is_never_done(self, stage):
        """A 200 proves nothing here either."""
        job = Leaving(stage.target, stage.active)
        job.attempt()
        stage.control.always("lost_write")

        assert isinstance(Returning(job).attempt(verify="1s"), NotVerified)
        assert account_of(stage).access is Access.OFF

    def test_an_account_that_is_on_again_is_left_alone(self, stage):
        """A colleague enabled it by hand."""
        job = Leaving(stage.target, stage.active)
        job.attempt()
        Returning(job).attempt()
        once_more = Returning(job)

        assert once_more.attempt() == Done(Outcome.ALREADY_ACTIVE)
        assert not once_more.notes.wrote

    def test_an_account_whose_address_went_to_somebody_else_is_not_given_back(self, stage):
        """The person has another one by now, or the address another person."""
        job = Leaving(stage.target, stage.active)
        job.attempt()
        stage.control.give_away(stage.active)
        back = Returning(job)

        with suppress(Refused):
            assert isinstance(back.attempt(), Held)

        assert not back.notes.wrote

    def test_another_account_with_the_address_is_held(self, stage):
        """By the next attempt the address may be somebody else's."""
        stage.control.always("lost_write")
        job = Leaving(stage.target, stage.active)
        job.attempt(verify="1s")
        stage.control.heal()
        stage.control.give_away(stage.active)

        result = job.attempt()

        assert isinstance(result, Held)
        assert result.reason == "account_changed"
        assert account_of(stage).access is Access.ACTIVE

    @pytest.mark.parametrize("fault", ["429", "429_date", "429_reset", "429_bare"])
    def test_a_rate_limit_says_how_long(self, stage, fault):
        """In seconds, as a date, as the instant of the reset; or it does not say."""
        stage.control.always(fault, retry_after=60)

        with pytest.raises(LockedOut) as error:
            Leaving(stage.target, stage.active).attempt()

        asked = error.value.retry_after
        assert error.value.reason == "rate_limited"
        assert asked is None if fault == "429_bare" else SOON < asked <= LATEST


class Conformance(Promises):
    """The promises, and every trouble at every call."""

    @pytest.mark.exhaustive
    @pytest.mark.parametrize("fault", FAULTS)
    def test_no_trouble_looks_like_an_answer(self, stage, within, fault):
        """Neither "nobody", nor "off", nor "absent" may come of an error."""
        account = find_one(within, stage.active)
        questions = [
            within.prove_credential,
            lambda book: within.find(book, stage.nobody),
            lambda book: within.read(book, account),
            lambda book: within.preflight(book, account),
        ]
        if stage.tells_groups:
            questions.append(lambda book: within.groups(book, account))
        asking = [question for question in questions if calls_of(question)]
        stage.control.always(fault, lasts=0.05)
        for question in asking:
            book = Book()
            with pytest.raises(FAULTS[fault]):
                question(book)
            assert book.calls[-1].error

    @pytest.mark.exhaustive
    @pytest.mark.parametrize("body", BODIES)
    def test_no_status_but_200_looks_like_an_answer(self, stage, within, body):
        """Not even 404: a wrong address, or a proxy in between, answers the same."""
        account = find_one(within, stage.active)
        questions = (
            lambda one: one.prove_credential(Book()),
            lambda one: one.find(Book(), stage.nobody),
            lambda one: one.read(Book(), account),
            lambda one: one.groups(Book(), account),
        )
        for status in STATUSES:
            with ScriptedServer(answer(status, body)) as server:
                target = stage.at(server.base_url)
                for question in questions:
                    with pytest.raises(TargetError):
                        ask(target, question)

    @pytest.mark.exhaustive
    @pytest.mark.parametrize("fault", ["401", "429", "500", "html_502", "dropped"])
    def test_a_write_in_trouble_is_an_error_of_ours(self, stage, within, fault):
        """Nobody assumes that it happened, or that it did not."""
        account = ready(within, stage.active)
        stage.control.always(fault)

        with pytest.raises(FAULTS[fault]):
            within.switch_off(Book(), account)

    @pytest.mark.exhaustive
    @pytest.mark.parametrize("fault", FAULTS)
    def test_nobody_is_not_believed_while_anything_fails(self, stage, fault):
        """Whichever call of the proof it is."""
        job = Leaving(stage.target, stage.nobody)
        job.attempt()
        for number, name in enumerate(job.notes.names):
            if name != "session.close":  # By then the proof is there.
                stage.control.once(fault, after=number, lasts=0.05)
                with pytest.raises(FAULTS[fault]):
                    Leaving(stage.target, stage.nobody).attempt()

    @pytest.mark.exhaustive
    @pytest.mark.parametrize("fault", TROUBLES)
    def test_an_error_at_any_call_is_made_good_by_the_next_attempt(self, stage, fault):
        """And none of them makes the leaver a `no_account` or an `already_inactive`."""
        straight = Leaving(stage.target, stage.active)
        outcome = straight.attempt().outcome
        assert outcome in OUTCOME_OF.values()
        for number in range(len(straight.notes.calls)):
            stage.control.reset()
            stage.control.once(fault, after=number, lasts=0.05)

            assert worked_off(Leaving(stage.target, stage.active)).outcome is outcome
            assert account_of(stage).access is Access.OFF

    @pytest.mark.exhaustive
    @pytest.mark.parametrize("fault", ["429", "500", "dropped", "empty"])
    def test_an_error_at_any_call_of_a_return_is_made_good_by_the_next_attempt(self, stage, fault):
        """Also between the first of several writes and the last one."""
        before = ask(stage.target, lambda one: ready(one, stage.active))
        straight = self._gone(stage)
        straight.attempt()
        for number in range(len(straight.notes.calls)):
            stage.control.reset()
            back = self._gone(stage)
            stage.control.once(fault, after=number, lasts=0.05)

            assert worked_off(back) == Done(Outcome.REINSTATED)
            stage.control.heal()
            assert ask(stage.target, lambda one: ready(one, stage.active)) == before

    def _gone(self, stage):
        job = Leaving(stage.target, stage.active)
        job.attempt()
        return Returning(job)

    @pytest.mark.exhaustive
    @pytest.mark.parametrize("fault", ["500", "dropped", "timeout", "html", "empty"])
    def test_what_became_of_a_write_is_read(self, stage, fault):
        """Done twice it may do harm, and an error does not say that it was not done."""
        straight = Leaving(stage.target, stage.active)
        outcome = straight.attempt().outcome
        written = {call["operation"] for call in stage.control.writes()}
        for operation in written:
            stage.control.reset()
            stage.control.once(fault, operation, after_effect=True, lasts=0.05)

            assert worked_off(Leaving(stage.target, stage.active)).outcome is outcome
            assert account_of(stage).access is Access.OFF


def ask(target, question):
    """What a question to a target gives, in a session of its own."""
    with target.session(Book()) as within:
        return question(within)


def calls_of(question):
    """The names of the calls that a question makes."""
    book = Book()
    question(book)
    return book.names


def find_one(target, email, book=None):
    (account,) = target.find(book or Book(), email)
    return account


def ready(target, email, book=None):
    """The account, after the pre-flight."""
    return target.preflight(book or Book(), find_one(target, email, book))


def account_of(stage):
    """The account of the leaver as it is read now, without any fault."""
    stage.control.heal()
    return ask(stage.target, lambda one: one.read(Book(), find_one(one, stage.active)))


def worked_off(job):
    """How the job ends, however many attempts that takes; a fault is there once."""
    for _ in range(3):
        with suppress(TargetError):
            result = job.attempt(verify="1s")
            if isinstance(result, Done):
                return result
    raise AssertionError("still not done")
