"""Hold, release and cancel for leavers, whole sources and targets: never more than was meant."""

import pytest

from tests.workers.records import (
    audit_of,
    claim,
    delivery,
    everything,
    job_of,
    job_row,
    open_alarms,
    person,
    record,
    state_of,
    try_claim,
)
from workers.leavers import Outcome
from workers.ledger import due, moves

WHY = ("--reason", "payroll is wrong")
SOURCE = ("--source", "hr")
TARGET = ("--target", "cloud")


@pytest.fixture
def two(ledger, now):
    """The two jobs of one leaver, in cloud and labs."""
    both = delivery(person("lena", cutoff=now), targets=("cloud", "labs"), at=now)
    return record(ledger, both, now=now).jobs


# --- A leaver ---


@pytest.mark.parametrize(("command", "told"), [("hold", "held"), ("cancel", "cancelled")])
def test_the_id_of_a_leaver_means_all_its_jobs(leaver, ledger, two, command, told):
    """HR called: it was the wrong person, whatever systems there are."""
    who = job_row(ledger, two[0])["leaver_id"]

    done = leaver.json(command, who, *WHY)

    assert sorted(each["id"] for each in done) == sorted(two)
    assert {each["result"] for each in done} == {told}


def test_a_leaver_is_released_where_it_is_held(leaver, ledger, two, now):
    """What goes on anyway is no failure."""
    held, queued = two
    moves.hold(
        ledger,
        claim(ledger, held, now=now, concurrency={"cloud": 1, "labs": 1}),
        reason="protected",
        now=now,
    )

    done = leaver.json("release", job_row(ledger, held)["leaver_id"], *WHY)

    assert [(each["id"], each["result"]) for each in done] == [(held, "released")]
    assert state_of(ledger, queued) == ("queued", "")


def test_a_leaver_without_such_a_job_is_said(leaver, ledger, two):
    """Nothing was done, and a script must notice."""
    result = leaver.run("release", job_row(ledger, two[0])["leaver_id"], *WHY)

    assert (result.exit_code, "has no job that is held" in result.stderr) == (1, True)


def test_a_job_shows_the_id_of_its_leaver(leaver, ledger, two):
    """That is where an operator finds it."""
    assert job_row(ledger, two[0])["leaver_id"] in leaver.run("job", two[0]).stdout


# --- A whole source or target ---


@pytest.mark.parametrize("side", [SOURCE, TARGET])
def test_a_whole_system_is_held_and_released_by_a_word(leaver, ledger, now, side):
    """Its jobs wait when their turn comes, and go on by themselves."""
    job = job_of(ledger, at=now, cutoff=now)
    kind, name = side[0].strip("-"), side[1]

    held = leaver.json("hold", *side, *WHY)
    try_claim(ledger, job, now=now)
    shown = leaver.run("holds", "--json")
    released = leaver.json("release", *side, *WHY)

    assert held == [{"kind": kind, "name": name, "result": "held", "running": 0}]
    assert (shown.exit_code, '"jobs": 1' in shown.stdout) == (3, True)
    assert released == [{"kind": kind, "name": name, "result": "released", "jobs": 1}]
    assert due.let_go(ledger) == [job]
    assert leaver.run("holds").exit_code == 0


def test_who_holds_what_and_why_is_shown(leaver, ledger, now):
    """Whoever finds everything standing still must know whom to ask."""
    leaver.run("hold", *SOURCE, *WHY)

    result = leaver.run("holds")

    [_, line] = result.stdout.splitlines()
    assert (line.split()[:2], "payroll is wrong" in line) == (["source", "hr"], True)
    assert "leaver release --source NAME" in result.stderr


def test_running_jobs_are_said(leaver, ledger, now):
    """One may be in the middle of a write that is still to be proven."""
    claim(ledger, job_of(ledger, at=now, cutoff=now), now=now)

    result = leaver.run("hold", *SOURCE, *WHY)

    assert "running jobs: 1; each stops before its next write" in result.stdout


def test_what_was_held_already_or_is_not_held_is_said(leaver, ledger):
    """Exit code 1, and whose word it is that stands."""
    not_held = leaver.run("release", *TARGET, *WHY)
    leaver.run("hold", *TARGET, *WHY)
    twice = leaver.run("hold", *TARGET, "--reason", "another one")

    assert (not_held.exit_code, twice.exit_code) == (1, 1)
    assert "target cloud is not held" in not_held.stdout
    assert "held already" in twice.stdout
    assert "payroll is wrong" in twice.stdout


@pytest.mark.parametrize("command", ["hold", "release", "cancel"])
@pytest.mark.parametrize("side", [("--source", "hrr"), ("--target", "hr")])
def test_an_unknown_name_is_refused_with_what_is_known(leaver, ledger, command, side):
    """A hold of a mistyped name would hold nothing, and nobody would notice."""
    before = everything(ledger)

    result = leaver.run(command, *side, *WHY)

    assert result.exit_code == 2
    known = "hr, okta, operator, standard" if side[0] == "--source" else "cloud, labs"
    assert f"known: {known}" in result.stderr
    assert everything(ledger) == before


def test_a_name_that_only_the_ledger_knows_is_taken(leaver, ledger, now):
    """It was taken out of the configuration with jobs unfinished."""
    job_of(ledger, at=now, cutoff=now, source="gone")

    assert leaver.json("hold", "--source", "gone", *WHY)[0]["result"] == "held"


@pytest.mark.parametrize("command", ["hold", "release", "cancel"])
@pytest.mark.parametrize("words", [(), (*SOURCE, *TARGET), ("0123456789", *SOURCE)])
def test_ids_or_one_source_or_one_target_is_meant(leaver, ledger, command, words):
    """What two of them would mean together is anybody's guess."""
    result = leaver.run(command, *words, *WHY)

    assert (result.exit_code, "or one --source, or one --target" in result.stderr) == (2, True)


def test_a_single_job_is_not_released_but_told_how_its_side_is(leaver, ledger, now):
    """The command that helps, ready to be copied."""
    job = job_of(ledger, at=now, cutoff=now)
    leaver.run("hold", *TARGET, *WHY)
    try_claim(ledger, job, now=now)

    result = leaver.run("release", job, *WHY)

    assert result.exit_code == 1
    assert "the whole target cloud is held" in result.stdout
    assert "`leaver release --target cloud --reason TEXT`" in result.stdout


# --- To cancel everything of one ---


@pytest.fixture
def open_and_done(ledger, now):
    """A job that has ended, and two that have not, one of them of another source."""
    done, waits = (job_of(ledger, name, at=now, cutoff=now) for name in ("ada", "bob"))
    other = job_of(ledger, "cyd", at=now, cutoff=now, source="okta", targets=("labs",))
    moves.finish(ledger, claim(ledger, done, now=now), Outcome.NO_ACCOUNT, now=now)
    return done, waits, other


@pytest.mark.parametrize("side", [SOURCE, TARGET])
def test_all_that_has_not_ended_is_cancelled(leaver, ledger, open_and_done, side):
    """And nothing of the others."""
    done, waits, other = open_and_done

    assert [each["id"] for each in leaver.json("cancel", *side, *WHY, "--yes")] == [waits]

    assert state_of(ledger, waits) == ("cancelled", "operator_cancel")
    assert audit_of(ledger, waits)[-1]["detail"] == "payroll is wrong"
    assert [state_of(ledger, job)[0] for job in (done, other)] == ["done", "queued"]


@pytest.mark.parametrize(
    ("answer", "code", "state"), [("n\n", 1, "queued"), ("y\n", 0, "cancelled")]
)
def test_an_operator_is_asked_after_the_count(leaver, ledger, open_and_done, answer, code, state):
    """The last chance to see that it was the wrong system."""
    ended, seen = leaver.on_terminal("cancel", *SOURCE, *WHY, answer=answer)

    assert "1 job in cloud: 1 queued" in seen
    assert "Cancel them? [y/N]" in seen
    assert (ended, state_of(ledger, open_and_done[1])[0]) == (code, state)


def test_nobody_there_to_be_asked_cancels_nothing(leaver, ledger, open_and_done):
    """In a script, --yes says that somebody has read the count."""
    before = everything(ledger)

    assert leaver.run("cancel", *SOURCE, *WHY).exit_code == 2
    assert everything(ledger) == before


@pytest.mark.parametrize("by_id", [True, False])
def test_a_rehearsed_cancel_shows_the_jobs_and_changes_nothing(
    leaver, ledger, open_and_done, by_id
):
    """Look first."""
    before = everything(ledger)
    meant = (open_and_done[1],) if by_id else SOURCE

    shown = leaver.run("cancel", *meant, *WHY, "--dry-run")

    assert (shown.exit_code, open_and_done[1] in shown.stdout) == (0, True)
    assert everything(ledger) == before


def test_a_hold_does_not_cancel_and_a_cancel_does_not_hold(leaver, ledger, open_and_done):
    """Two words for two things."""
    leaver.run("hold", *SOURCE, *WHY)
    leaver.run("cancel", *SOURCE, *WHY, "--yes")

    assert open_alarms(ledger) == [("source_held", "hr")]
