"""Giving back: what the snapshot shows, to the very account, and done means read back."""

from dataclasses import replace

import pytest

from tests.workers.claims import claim_of, order
from tests.workers.fakes import FakeClock, FakeNotes, FakeTarget, account
from tests.workers.records import NOW, SECOND
from workers.deprovision import Done, Held, NotVerified
from workers.errors import Refused, Stopped, TargetError, Unavailable
from workers.leavers import Action, Outcome
from workers.reinstate import attempt
from workers.targets.base import Access, Way

OFF = account("lena", access=Access.OFF)
REINSTATED = Done(Outcome.REINSTATED)
LOST = Unavailable("switch_on", "time-out")


class Scene:
    """A target, a journal and a clock, and one attempt after the other."""

    def __init__(self, *accounts, wrote: bool = False, way: Way = Way.DEACTIVATE) -> None:
        self.clock = FakeClock()
        self.target = FakeTarget(*accounts, clock=self.clock)
        self.notes = FakeNotes(wrote=wrote)
        self.snapshot = {"way": str(way), "access": "active", "status": "active"}

    def attempt(self, **told):
        claim = claim_of(action=Action.REINSTATE, account_id=OFF.id)
        return attempt(claim, self.snapshot, self.target, self.notes, order(**told), self.clock)


def test_an_account_that_is_off_is_switched_on_and_read_back():
    """`reinstated` means: read back from the target after the write."""
    scene = Scene(OFF)

    assert scene.attempt() == REINSTATED
    assert not scene.target.is_off(OFF)
    assert [call.name for call in scene.notes.calls] == ["read", "preflight", "switch_on", "read"]
    assert scene.notes.intended == ["switch_on"]


def test_the_account_is_known_by_its_id_and_never_looked_for():
    """The address may be somebody else's by now, with an account of its own."""
    scene = Scene(OFF)
    scene.target.show_in_search(account("bob", email="lena@example.com"))

    scene.attempt()

    assert scene.target.made["find"] == 0
    assert [each.id for each in scene.notes.pinned] == [OFF.id]


def test_the_account_is_taken_before_it_is_read():
    """What is read must not change under the hands of another job."""
    scene = Scene(OFF)
    seen = []
    scene.target.just_before("read", lambda: seen.append(len(scene.notes.pinned)))

    scene.attempt()

    assert seen == [1]


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        (replace(OFF, email="lena.new@example.com"), "email_mismatch"),
        (replace(OFF, access=Access.UNKNOWN), "unclear_account"),
        (replace(OFF, way=Way.IDP), "idp_enables"),
    ],
)
def test_what_a_person_must_decide_is_held_without_a_write(changed, reason):
    """Rather nobody gets access than the wrong one."""
    scene = Scene(changed)

    result = scene.attempt()

    assert isinstance(result, Held)
    assert result.reason == reason
    assert scene.notes.intended == []


def test_an_account_that_is_gone_is_held():
    """Nobody can be given what is no more."""
    scene = Scene()

    assert scene.attempt().reason == "account_gone"


def test_an_address_in_other_letters_or_a_hidden_one_is_no_other_person():
    """The id says who it is; only another address makes doubtful whom the account belongs to."""
    for shown in ("Lena@Example.com", None):
        assert Scene(replace(OFF, email=shown)).attempt() == REINSTATED


def test_an_account_that_is_on_already_is_not_written_to():
    """A colleague was faster."""
    scene = Scene(account("lena"))

    assert scene.attempt() == Done(Outcome.ALREADY_ACTIVE)
    assert scene.notes.intended == []


def test_an_account_that_an_earlier_attempt_switched_on_is_reinstated():
    """Its worker died before it could read."""
    scene = Scene(account("lena"), wrote=True)

    assert scene.attempt() == REINSTATED
    assert scene.notes.writes == []


def test_shadow_mode_says_what_would_be_given_back_and_writes_nothing():
    """Neither does it take the alarm about a late rescind away."""
    scene = Scene(OFF)

    result = scene.attempt(mode="shadow")

    assert result.outcome is Outcome.WOULD_REINSTATE
    assert "policy.mode is shadow" in result.detail
    assert scene.notes.intended == []


@pytest.mark.parametrize(
    "told",
    [
        {"protected": ["lena@example.com"]},
        {"email_domains": ["example.org"]},
        {"operators": ("lena@example.com",)},
    ],
)
def test_what_saves_people_from_losing_access_does_not_keep_it_from_them(told):
    """A protected account that was switched off by mistake is wanted back most of all."""
    assert Scene(OFF).attempt(**told) == REINSTATED


def test_a_write_whose_answer_is_lost_is_read_and_not_believed():
    """It may have happened, and it may not."""
    for done, expected in ((True, REINSTATED), (False, None)):
        scene = Scene(OFF)
        scene.target.fail("switch_on", LOST, done=done)
        if expected:
            assert scene.attempt(verify="1s") == expected
        else:
            with pytest.raises(Unavailable):
                scene.attempt(verify="1s")


def test_after_a_lost_answer_the_next_attempt_reads_before_it_writes():
    """Twice is once too many where the first one has worked after all."""
    scene = Scene(OFF)
    scene.target.fail("switch_on", LOST)
    with pytest.raises(Unavailable):
        scene.attempt(verify="1s")
    scene.target.put(account("lena"))

    assert scene.attempt() == REINSTATED
    assert scene.target.made["switch_on"] == 1


def test_a_refusal_is_a_persons_business():
    """The target will not do it by itself."""
    scene = Scene(OFF)
    scene.target.fail("switch_on", Refused("switch_on", "409", reason="refused"))

    with pytest.raises(Refused):
        scene.attempt()


def test_a_refusal_because_of_an_identity_provider_says_who_can_do_it():
    """Its managers enable the person there."""
    scene = Scene(OFF)
    scene.target.fail("switch_on", Refused("switch_on", "403", reason="idp_managed"))

    assert scene.attempt().reason == "idp_enables"


def test_a_success_without_effect_is_not_done():
    """Answered 204, and still off."""
    scene = Scene(OFF)
    scene.target.switch_on = lambda journal, *_: journal.intend("switch_on")

    assert isinstance(scene.attempt(), NotVerified)
    assert scene.clock.now() >= NOW + 50 * SECOND


def test_no_leave_no_write():
    """HR, or an operator, may have said something else in this second."""
    scene = Scene(OFF)
    scene.notes.refuse("switch_on", Stopped("leave"))

    with pytest.raises(Stopped):
        scene.attempt()

    assert scene.target.is_off(OFF)


@pytest.mark.parametrize("call", ["read", "preflight"])
def test_an_error_is_never_an_answer(call):
    """Neither that the account is gone, nor that it is on."""
    scene = Scene(OFF)
    scene.target.fail(call, Unavailable(call, "503"))

    with pytest.raises(TargetError):
        scene.attempt()

    assert scene.notes.intended == []


# --- What is given back piece by piece ---


class InPieces(FakeTarget):
    """A target whose accounts are active as soon as one of their groups is back."""

    def __init__(self, *groups: str, lost: tuple[str, ...] = ()) -> None:
        self.member_of = set(groups)
        self.lost = set(lost)  # their next write gets no answer, and does nothing
        self.given: list[str] = []
        super().__init__(OFF)

    def read(self, journal, account):
        access = Access.ACTIVE if self.member_of else Access.OFF
        return replace(super().read(journal, account), access=access, way=Way.SUSPEND)

    def preflight(self, journal, account):
        return replace(account, snapshot={"groups": sorted(self.member_of)})

    def switch_on(self, journal, account, snapshot):
        for group in snapshot["groups"]:
            journal.intend("group.join")
            if group in self.lost:
                self.lost.remove(group)
                raise LOST
            self.member_of.add(group)
            self.given.append(group)


@pytest.fixture
def scene():
    scene = Scene(OFF, way=Way.SUSPEND)
    scene.snapshot["groups"] = ["a", "b"]
    return scene


def test_what_is_given_back_in_part_is_not_done(scene):
    """Active by one of two groups reads as active, and somebody cannot work."""
    scene.target = InPieces(lost=("b",))

    with pytest.raises(Unavailable):
        scene.attempt(verify="1s")

    assert scene.target.member_of == {"a"}
    assert scene.attempt() == REINSTATED
    assert scene.target.member_of == {"a", "b"}


def test_what_was_given_back_whole_is_not_given_again(scene):
    """The worker died after the last write."""
    scene.target, scene.notes = InPieces("a", "b"), FakeNotes(wrote=True)

    assert scene.attempt() == REINSTATED
    assert scene.target.given == []


def test_what_somebody_else_gave_in_part_is_left_and_said(scene):
    """They may have had a reason for the rest."""
    scene.target = InPieces("a", "c")

    result = scene.attempt()

    assert result.outcome is Outcome.ALREADY_ACTIVE
    assert result.detail.endswith(": b")
    assert scene.target.member_of == {"a", "c"}
