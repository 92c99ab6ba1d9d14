"""The procedure, over everything a target may say: done means read back, an error is no absence."""

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.workers.claims import claim_of, order
from tests.workers.fakes import CALLS, FakeClock, FakeNotes, FakeTarget, account
from tests.workers.records import HOUR, MINUTE, NOW, SECOND
from workers.deprovision import Done, Held, NotVerified, Order, Postponed, attempt
from workers.errors import (
    AccountBusy,
    LeaseLost,
    LockedOut,
    Refused,
    Stopped,
    TargetError,
    Unavailable,
    WorkerStopping,
)
from workers.leavers import AccountId, Outcome
from workers.ledger.moves import Claim
from workers.targets.base import Access, Way

LENA = account("lena")
DEACTIVATED = Done(Outcome.DEACTIVATED)

ERRORS: dict[str, TargetError] = {
    "refused": Refused("a.call", "409 no", reason="refused"),
    "unavailable": Unavailable("a.call", "503"),
    "rate_limited": LockedOut("a.call", "429", reason="rate_limited"),
    "credential_refused": LockedOut("a.call", "401", reason="credential_refused"),
    "misconfigured": LockedOut("a.call", "404", reason="misconfigured"),
}


class Scene:
    """A target, a journal and a clock, and one attempt after the other."""

    def __init__(self, *accounts, wrote: bool = False) -> None:
        self.clock = FakeClock()
        self.target = FakeTarget(*accounts, clock=self.clock)
        self.notes = FakeNotes(wrote=wrote)

    def attempt(self, claim: Claim | None = None, told: Order | None = None):
        return attempt(claim or claim_of(), self.target, self.notes, told or order(), self.clock)


# --- The straight road ---


def test_an_active_account_is_switched_off_and_read_back():
    """`done` means: read back from the target after the write."""
    scene = Scene(LENA)

    result = scene.attempt()

    assert result == DEACTIVATED
    assert scene.target.is_off(LENA)
    names = [call.name for call in scene.notes.calls]
    assert names == ["find", "read", "preflight", "switch_off", "read", "clean_up"]
    assert scene.notes.intended == ["switch_off", "clean_up"]


def test_an_account_that_the_company_does_not_manage_ends_as_suspended():
    """It still works elsewhere, and the report must not promise more."""
    scene = Scene(account(way=Way.SUSPEND))

    assert scene.attempt() == Done(Outcome.SUSPENDED)


def test_the_account_is_pinned_before_it_is_read_and_its_state_kept_before_the_write():
    """Whoever comes next must meet the same account, and know how it was."""
    seen = []
    scene = Scene(LENA)
    scene.target.just_before("read", lambda: seen.append(list(scene.notes.pinned)))
    scene.target.just_before("switch_off", lambda: seen.append(list(scene.notes.kept)))

    scene.attempt()

    assert seen == [[LENA], [LENA]]


def test_what_could_not_be_cleaned_up_is_said():
    """A token that outlives the account is for a person to remove."""
    scene = Scene(LENA)
    scene.target.left = "2 API tokens could not be removed"

    assert scene.attempt() == Done(Outcome.DEACTIVATED, "2 API tokens could not be removed")


# --- Nothing to do, or nothing that may be done ---


def test_an_account_that_is_off_already_is_not_written_to():
    """A second disable of an inactive account is noise in Atlassian's audit log."""
    scene = Scene(account(access=Access.OFF))

    assert scene.attempt() == Done(Outcome.ALREADY_INACTIVE)
    assert scene.notes.writes == []


def test_a_search_that_is_behind_does_not_lead_to_a_write():
    """The search still shows it as active; by id it reads as off."""
    scene = Scene(LENA)
    scene.target.freeze_search()
    scene.target.put(replace(LENA, access=Access.OFF))

    assert scene.attempt() == Done(Outcome.ALREADY_INACTIVE)
    assert scene.notes.writes == []


def test_an_account_that_was_renamed_since_is_held():
    """The search is behind; the address may be somebody else's by now."""
    scene = Scene(LENA)
    scene.target.freeze_search()
    scene.target.put(replace(LENA, email="lena.married@example.com"))

    assert scene.attempt().reason == "email_mismatch"
    assert scene.notes.writes == []


def test_a_renamed_account_that_is_off_proves_nothing_about_the_leaver():
    """Reported as inactive, the leaver's own account would stay on."""
    scene = Scene(LENA)
    scene.target.freeze_search()
    scene.target.put(replace(LENA, email="lena.old@example.com", access=Access.OFF))

    assert scene.attempt().reason == "email_mismatch"


def test_nobody_is_no_account_only_after_the_credential_was_proven():
    """A dead credential looks like an empty directory."""
    scene = Scene(account("bob"))

    assert scene.attempt() == Done(Outcome.NO_ACCOUNT)
    assert [call.name for call in scene.notes.calls] == ["find", "prove_credential"]


@pytest.mark.parametrize("error", ERRORS.values(), ids=ERRORS)
def test_nobody_is_no_account_never_without_a_credential_that_works(error):
    """The contract's worst case: a person reported as absent who is at work."""
    scene = Scene(account("bob"))
    scene.target.fail("prove_credential", error)

    with pytest.raises(TargetError):
        scene.attempt()


@pytest.mark.parametrize(
    ("which", "reason"),
    [
        (account(person=False), "not_a_person"),
        (account(person=False, access=Access.OFF), "not_a_person"),
        (account(administrator=True), "administrator"),
        (account(access=Access.UNKNOWN), "unclear_account"),
        (account(way=Way.UNCLEAR), "unclear_account"),
    ],
)
def test_what_must_not_be_written_to_is_held(which, reason):
    """A person must decide, and nothing was changed meanwhile."""
    scene = Scene(which)

    result = scene.attempt()

    assert isinstance(result, Held)
    assert result.reason == reason
    assert scene.notes.writes == []


def test_an_account_of_which_the_preflight_learns_that_it_is_an_administrators_is_held():
    """The search does not always tell roles."""
    scene = Scene(LENA)
    scene.target.preflight = lambda journal, found: replace(found, administrator=True)

    assert scene.attempt().reason == "administrator"
    assert scene.notes.writes == []


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        (order(protected=["lena@example.com"]), "protected"),
        (order(email_domains=["example.org"]), "email_domain"),
        (order(operators=("lena@example.com",)), "operated_by"),
    ],
)
def test_whom_the_configuration_excepts_is_held_without_a_single_call(told, reason):
    """The target need not even know that somebody asked."""
    scene = Scene(LENA)

    result = scene.attempt(told=told)

    assert isinstance(result, Held)
    assert result.reason == reason
    assert scene.notes.calls == []


def test_who_is_in_a_protected_group_is_held_and_others_are_not_asked_about_theirs():
    """The group is asked for by the account's id, once it is known to be the leaver's."""
    scene = Scene(LENA)
    scene.target.groups_of[LENA.id] = ("jira-users", "Board")

    assert scene.attempt(told=order(protected=["group:board"])).reason == "protected"
    assert [call.name for call in scene.notes.calls] == ["find", "read", "groups"]
    assert scene.attempt() == DEACTIVATED
    assert scene.target.made["groups"] == 1


def test_groups_that_cannot_be_told_are_never_none():
    """Somebody may be in the one that is protected."""
    scene = Scene(LENA)
    scene.target.fail("groups", Unavailable("groups", "503"))

    with pytest.raises(Unavailable):
        scene.attempt(told=order(protected=["group:board"]))

    assert scene.notes.intended == []


def test_before_the_cutoff_nobody_is_looked_for():
    """HR's own date may have moved while the job waited."""
    scene = Scene(LENA)

    result = scene.attempt(claim_of(cutoff=NOW + HOUR))

    assert result == Postponed(NOW + HOUR, "cutoff_ahead", counted=False)
    assert scene.notes.calls == []


def test_shadow_mode_says_what_would_be_done_and_writes_nothing():
    """It is what a new installation runs for weeks."""
    scene = Scene(LENA)

    result = scene.attempt(told=order(mode="shadow"))

    assert result.outcome is Outcome.WOULD_DEACTIVATE
    assert scene.notes.writes == scene.notes.intended == []
    assert not scene.target.is_off(LENA)


def test_shadow_mode_writes_nothing_even_where_an_earlier_attempt_did():
    """Somebody switched back to shadow because something was wrong."""
    scene = Scene(account(access=Access.OFF), wrote=True)

    result = scene.attempt(told=order(mode="shadow"))

    assert result.outcome is Outcome.DEACTIVATED
    assert scene.notes.writes == scene.notes.intended == []


# --- Done means read back ---


def test_success_without_effect_is_not_done():
    """Answered 204, and still active: the report would be a lie."""
    scene = Scene(LENA)
    scene.target.without_effect = True

    result = scene.attempt()

    assert isinstance(result, NotVerified)
    assert scene.clock.now() <= NOW + MINUTE


def test_an_effect_that_shows_late_is_waited_for():
    """Atlassian's own pages disagree for a while."""
    scene = Scene(LENA)
    scene.target.consistent_after = 40 * SECOND

    assert scene.attempt() == DEACTIVATED
    assert scene.clock.now() >= NOW + 40 * SECOND


def test_reading_back_pauses_are_short_at_first_and_never_longer_than_a_lease_allows():
    """Most accounts are off at once; and a silent worker loses its job."""
    scene = Scene(LENA)
    scene.target.without_effect = True

    scene.attempt()

    reads = [call.at for call in scene.notes.calls if call.name == "read"][1:]
    pauses = [later - earlier for earlier, later in pairwise(reads)]
    assert pauses[0] < SECOND
    assert max(pauses) <= 5 * SECOND


@given(st.timedeltas(timedelta(), 3 * MINUTE))
def test_an_account_is_done_only_if_it_read_as_off(consistent_after):
    """Whenever the effect shows."""
    scene = Scene(LENA)
    scene.target.consistent_after = consistent_after

    result = scene.attempt()

    read_off = scene.clock.now() >= NOW + consistent_after
    assert (result == DEACTIVATED) is read_off


def test_an_account_that_vanishes_while_it_is_read_back_is_not_done():
    """Deleted by somebody else, perhaps; what cannot be read is not proven."""
    scene = Scene(LENA)
    scene.target.without_effect = True
    scene.target.just_before("switch_off", lambda: scene.target.remove(LENA))

    assert isinstance(scene.attempt(), NotVerified)


def test_a_lost_answer_is_settled_by_reading():
    """The write was done, and the connection dropped before it said so."""
    scene = Scene(LENA)
    scene.target.fail("switch_off", ERRORS["unavailable"], done=True)

    assert scene.attempt() == DEACTIVATED
    assert scene.target.made["switch_off"] == 1


def test_a_write_that_did_not_arrive_is_no_success():
    """The outcome was unknown, and reading says that nothing happened."""
    scene = Scene(LENA)
    scene.target.fail("switch_off", ERRORS["unavailable"])

    with pytest.raises(Unavailable):
        scene.attempt()


def test_an_unknown_outcome_that_cannot_be_read_stays_unknown():
    """Write and read-back are lost together: the next attempt reads first."""
    scene = Scene(LENA)
    scene.target.fail("switch_off", ERRORS["unavailable"], done=True)
    scene.target.fail("read", ERRORS["unavailable"], after=1)

    with pytest.raises(Unavailable):
        scene.attempt()
    result = scene.attempt(claim_of(account_id=LENA.id, intended_at=NOW))

    assert result == DEACTIVATED
    assert scene.target.made["switch_off"] == 1


def test_what_an_earlier_attempt_of_the_round_wrote_is_our_success():
    """Its worker died between the write and the proof."""
    scene = Scene(account(access=Access.OFF), wrote=True)

    assert scene.attempt(claim_of(account_id=LENA.id, intended_at=NOW)) == DEACTIVATED
    assert scene.notes.writes == ["clean_up"]


def test_a_refusal_after_an_earlier_write_is_settled_by_reading():
    """That write may be what makes this one impossible."""
    scene = Scene(LENA, wrote=True)
    scene.target.fail("switch_off", ERRORS["refused"], done=True)

    assert scene.attempt(claim_of(account_id=LENA.id, intended_at=NOW)) == DEACTIVATED


def test_a_worker_that_stops_while_it_reads_back_says_so():
    """Its job goes on elsewhere, from what the target says."""
    scene = Scene(LENA)
    scene.target.without_effect = True
    scene.clock.stopping = True

    with pytest.raises(WorkerStopping):
        scene.attempt()


# --- An error is never an absence, and never a success ---


@pytest.mark.parametrize("error", ERRORS.values(), ids=ERRORS)
@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("known", ["lena", "nobody", "lena, seen before", "gone, seen before"])
def test_an_error_at_any_call_ends_the_attempt_without_an_outcome(call, error, known):
    """Whatever fails, at whatever step: nobody is absent, and nothing is done, because of it."""
    scene = Scene(*([LENA] if known.startswith("lena") else []))
    scene.target.fail(call, error, times=1000)
    claim = claim_of(account_id=LENA.id if "seen before" in known else None)

    ended = "with the error"
    with suppress(type(error)):
        scene.attempt(claim)
        ended = "without it"

    assert (ended == "with the error") is (scene.target.made[call] > 0)


@pytest.mark.parametrize("call", ["find", "read", "preflight"])
@pytest.mark.parametrize("error", ERRORS.values(), ids=ERRORS)
def test_nothing_is_written_after_an_error_before_the_write(call, error):
    """What could not be read cannot have been judged."""
    scene = Scene(LENA)
    scene.target.fail(call, error)

    with pytest.raises(TargetError):
        scene.attempt()

    assert scene.notes.intended == []


@pytest.mark.parametrize("refusal", [Stopped("hold"), AccountBusy(), LeaseLost()])
def test_a_write_without_leave_is_not_sent(refusal):
    """The last moment at which a wrong leaver can be saved."""
    scene = Scene(LENA)
    scene.notes.refuse("switch_off", refusal)

    with pytest.raises(type(refusal)):
        scene.attempt()

    assert not scene.target.is_off(LENA)


def test_a_stop_that_comes_after_the_proof_takes_no_success_back():
    """The account is off, and was read back: it is done, and what was left is said."""
    scene = Scene(LENA)
    scene.notes.refuse("clean_up", Stopped("cancel"))

    result = scene.attempt()

    assert isinstance(result, Done)
    assert result.outcome is Outcome.DEACTIVATED
    assert result.detail


# --- The account of the first attempt ---


def test_another_account_under_the_same_address_is_held():
    """The address was given to somebody new while the job waited."""
    scene = Scene(LENA)

    result = scene.attempt(claim_of(account_id=AccountId("somebody")))

    assert isinstance(result, Held)
    assert result.reason == "account_changed"
    assert scene.notes.calls[-1].name == "find"


def test_an_account_that_is_no_longer_found_is_not_absent():
    """It was there before: renamed, hidden or deleted, a person must look."""
    scene = Scene(replace(LENA, email="lena.married@example.com"))

    result = scene.attempt(claim_of(account_id=LENA.id, snapshot={"way": "deactivate"}))

    assert isinstance(result, Held)
    assert result.reason == "account_gone"


def test_an_account_that_is_gone_altogether_is_held():
    """Deleted by somebody; Leaver has not proven that access is gone."""
    result = Scene().attempt(claim_of(account_id=LENA.id))

    assert isinstance(result, Held)
    assert result.reason == "account_gone"


def test_an_account_that_is_found_and_cannot_be_read_is_held():
    """Search and directory disagree."""
    scene = Scene()
    scene.target.show_in_search(LENA)

    assert scene.attempt().reason == "account_gone"


@pytest.mark.parametrize(
    ("wrote", "outcome"), [(True, Outcome.DEACTIVATED), (False, Outcome.ALREADY_INACTIVE)]
)
def test_an_account_that_left_the_search_because_it_is_off_is_done(wrote, outcome):
    """Some systems do not show inactive accounts in a search."""
    scene = Scene(replace(LENA, email="hidden@example.com", access=Access.OFF), wrote=wrote)
    claim = claim_of(account_id=LENA.id, snapshot={"way": "deactivate"})

    assert scene.attempt(claim).outcome is outcome


# --- Identity providers ---

SYNCED = account(way=Way.IDP)


def test_an_account_of_an_identity_provider_is_watched_and_never_written_to():
    """Atlassian refuses it, and the provider would switch it on again."""
    scene = Scene(SYNCED)

    result = scene.attempt()

    assert isinstance(result, Postponed)
    assert (result.reason, result.counted) == ("waiting_for_idp", False)
    assert scene.notes.watched
    assert scene.notes.writes == []


def test_what_the_identity_provider_has_switched_off_is_already_inactive():
    """It was not us."""
    scene = Scene(replace(SYNCED, access=Access.OFF))

    assert scene.attempt(claim_of(watched_since=NOW - HOUR)) == Done(Outcome.ALREADY_INACTIVE)


def test_an_identity_provider_that_does_nothing_until_the_grace_is_over_is_a_persons_business():
    """The access is still there; somebody must unassign it."""
    scene = Scene(SYNCED)

    soon = scene.attempt(claim_of(watched_since=NOW - 4 * HOUR + SECOND))
    late = scene.attempt(claim_of(watched_since=NOW - 4 * HOUR))

    assert isinstance(soon, Postponed)
    assert soon.due_at == NOW + SECOND
    assert isinstance(late, Held)
    assert late.reason == "idp_managed"


def test_an_account_that_leaves_its_identity_provider_meanwhile_is_switched_off():
    """The way is asked anew at each attempt."""
    scene = Scene(LENA)

    assert scene.attempt(claim_of(watched_since=NOW - HOUR)) == DEACTIVATED
