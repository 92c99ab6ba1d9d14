"""What every target promises (workers/targets/base.py), as tests that run against its fake.

A target joins with a subclass that has a fixture `stage`:

    class TestMyTarget(Conformance):
        @pytest.fixture
        def stage(self, ...): return Stage(...)
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest

from tests.workers.targets.books import Book
from workers.errors import AccountBusy, LeaseLost, LockedOut, Stopped, TargetError, Unavailable
from workers.leavers import AccountId
from workers.targets.base import OUTCOME_OF, Access, Call, Target

#: What every fake can be told to do, and the error that every target makes of it.
FAULTS = {
    "401": LockedOut,
    "429": LockedOut,
    "429_date": LockedOut,
    "500": Unavailable,
    "502": Unavailable,
    "503": Unavailable,
    "html": Unavailable,
    "html_502": Unavailable,
    "empty": Unavailable,
    "dropped": Unavailable,
    "truncated": Unavailable,
    "cut": Unavailable,
}


@dataclass(frozen=True)
class Stage:
    """A target before its fake.

    active, inactive    e-mail addresses of one account each that can be switched off, or is off
    nobody              an address without an account
    break_down          makes every call from now on end in this fault of FAULTS
    writes              how many writes have reached the fake
    with_wrong_key      the same target with a credential that the fake does not know
    """

    target: Target
    active: str
    inactive: str
    nobody: str
    key: str
    break_down: Callable[[str], None]
    writes: Callable[[], int]
    with_wrong_key: Target


def find_one(stage, email, book=None):
    (account,) = stage.target.find(book or Book(), email)
    return account


def ready(stage, book=None):
    """The active account, after the pre-flight."""
    return stage.target.preflight(book or Book(), find_one(stage, stage.active, book))


class Conformance:
    """The promises; pytest runs them in each subclass."""

    def test_an_address_finds_its_one_account(self, stage):
        """Everything else goes by the id found here."""
        account = find_one(stage, stage.active)

        assert account.email.lower() == stage.active.lower()
        assert account.access is Access.ACTIVE
        assert account.person
        assert not account.administrator

    def test_an_address_in_another_spelling_finds_it_too(self, stage):
        """HR may write names with capitals."""
        assert find_one(stage, stage.active.title()) == find_one(stage, stage.active)

    def test_an_address_without_an_account_finds_nobody(self, stage):
        """An empty answer, no error."""
        assert stage.target.find(Book(), stage.nobody) == ()

    def test_a_good_credential_is_proven(self, stage):
        """Only then may "nobody found" be believed."""
        book = Book()

        stage.target.prove_credential(book)

        assert [call.status for call in book.calls] == [200]

    def test_a_wrong_credential_is_never_an_empty_answer(self, stage):
        """The most dangerous false success: a dead key that finds nobody."""
        target = stage.with_wrong_key
        for question in (target.prove_credential, lambda book: target.find(book, stage.nobody)):
            with pytest.raises(LockedOut) as error:
                question(Book())
            assert error.value.reason == "credential_refused"

    def test_switching_off_shows_in_the_read(self, stage):
        """The write proves nothing; this does."""
        account = ready(stage)
        assert account.way in OUTCOME_OF

        stage.target.switch_off(Book(), account)

        assert stage.target.read(Book(), account).access is Access.OFF

    def test_reading_says_what_the_search_said(self, stage):
        """The two must not disagree about the same account."""
        for email in (stage.active, stage.inactive):
            account = find_one(stage, email)
            seen = stage.target.read(Book(), account)

            assert (seen.id, seen.access, seen.way) == (account.id, account.access, account.way)
        assert seen.access is Access.OFF

    def test_an_account_that_does_not_exist_reads_as_none(self, stage):
        """Proven absence, and no error."""
        account = replace(find_one(stage, stage.active), id=AccountId("no-such-account"))

        assert stage.target.read(Book(), account) is None

    @pytest.mark.parametrize("fault", FAULTS)
    def test_no_trouble_looks_like_an_answer(self, stage, fault):
        """Neither "nobody", nor "off", nor "absent" may come of an error."""
        account = find_one(stage, stage.active)
        target = stage.target
        questions = (
            target.prove_credential,
            lambda book: target.find(book, stage.nobody),
            lambda book: target.read(book, account),
            lambda book: target.preflight(book, account),
        )
        stage.break_down(fault)
        for question in questions:
            book = Book()
            with pytest.raises(FAULTS[fault]):
                question(book)
            assert book.calls[-1].error

    @pytest.mark.parametrize("fault", ["401", "429", "500", "html_502", "dropped"])
    def test_a_write_in_trouble_is_an_error_of_ours(self, stage, fault):
        """Nobody assumes that it happened, or that it did not."""
        account = ready(stage)
        stage.break_down(fault)

        with pytest.raises(FAULTS[fault]):
            stage.target.switch_off(Book(), account)

    @pytest.mark.parametrize("fault", ["401", "429", "503", "dropped", "html"])
    def test_cleaning_up_never_undoes_the_success(self, stage, fault):
        """The account is off by then; what is left is a sentence, not an error."""
        account = ready(stage)
        stage.break_down(fault)

        assert isinstance(stage.target.clean_up(Book(), account), str)

    @pytest.mark.parametrize("refusal", [Stopped("hold"), LeaseLost(), AccountBusy()])
    def test_nothing_is_written_without_leave(self, stage, refusal):
        """Not by switching off, and not by cleaning up."""
        account = ready(stage)
        before = stage.writes()

        with pytest.raises(type(refusal)):
            stage.target.switch_off(Book(refusal), account)

        assert stage.writes() == before
        assert stage.target.read(Book(), account).access is Access.ACTIVE

    def test_the_leave_stands_just_before_each_write(self, stage):
        """One leave for one write, with the same name, and nothing in between."""
        book = Book()
        before = stage.writes()

        account = ready(stage, book)
        stage.target.switch_off(book, account)
        stage.target.clean_up(book, account)

        writes = [call for call in book.calls if call.write]
        assert len(writes) == stage.writes() - before > 0
        for number, event in enumerate(book.events):
            if isinstance(event, Call) and event.write:
                assert book.events[number - 1] == event.name

    def test_questions_write_nothing(self, stage):
        """Shadow mode rests on it."""
        before = stage.writes()

        account = ready(stage)
        stage.target.read(Book(), account)
        stage.target.prove_credential(Book())

        assert stage.writes() == before

    def test_neither_address_nor_key_are_written_down(self, stage):
        """The journal holds no personal data, whatever went wrong."""
        book, said = Book(), []
        account = ready(stage, book)
        stage.target.read(book, account)
        stage.target.switch_off(book, account)
        for fault in FAULTS:
            stage.break_down(fault)
            with pytest.raises(TargetError) as error:
                stage.target.find(book, stage.active)
            said.append(str(error.value))

        written = f"{book.calls} {said}".lower()
        assert stage.active.lower() not in written
        assert stage.active.split("@")[0].lower() not in written
        assert stage.key.lower() not in written
