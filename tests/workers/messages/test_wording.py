"""What a message says: everything that happened, the first of many, and nothing personal."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.workers.records import MINUTE, NOW
from workers.ledger.news import News, What
from workers.messages.wording import LINES, latest, worded


def news(subject="a", what=What.RAISED, *, kind="overdue", text="", at=NOW):
    return News(at, what, kind, subject, text or f"{kind} of {subject}")


def said(*found, done=(), done_count=0):
    by = latest(found)
    return worded(by[What.RAISED], by[What.OVER], done, done_count=done_count)


def test_nothing_is_no_message():
    """Done jobs whose template is not set, for example."""
    assert said() is None


@pytest.mark.parametrize(
    ("found", "title", "kind"),
    [
        ([news()], "Leaver: 1 alarm", "alarm"),
        ([news(), news("b")], "Leaver: 2 alarms", "alarm"),
        ([news(), news("b", What.OVER)], "Leaver: 1 alarm, 1 over", "alarm"),
        ([news(what=What.OVER)], "Leaver: 1 over", "over"),
    ],
)
def test_the_title_says_how_many_of_what(found, title, kind):
    """It is all that a phone shows."""
    message = said(*found)

    assert (message.title, message.kind) == (title, kind)


def test_what_is_about_everybody_comes_before_single_jobs():
    """The cause stands above the hundred that it holds."""
    held = [news(f"job-{number}", kind="job_held") for number in range(100)]

    lines = said(*held, news("cloud", kind="target_paused")).text.splitlines()

    assert lines[0].startswith("target_paused of cloud")
    assert lines[-1].startswith(f"and {101 - LINES} more: 81 job_held: `leaver jobs")


def test_a_secret_or_an_address_in_an_alarm_is_not_passed_on():
    """A channel has other readers than the ledger; the text of a target may hold anything."""
    text = "it said: no user lena.vogt@example.com, password=hunter2"

    message = said(news(text=text)).text

    assert "lena" not in message
    assert "hunter2" not in message


def test_an_alarm_is_one_short_line():
    """Also where a target answered with a page."""
    message = said(news(text="first\nsecond " + "x" * 5000)).text

    assert message.startswith("first second xxx")
    assert len(message) < 400


def test_an_alarm_that_comes_again_is_one_that_is_raised():
    """What counts is how it stands now."""
    found = [news(), news(what=What.OVER, at=NOW + MINUTE), news(at=NOW + 2 * MINUTE)]

    assert said(*found).title == "Leaver: 1 alarm"


@given(
    st.lists(st.builds(news, st.sampled_from("abcdefgh"), st.sampled_from(What))),
    st.integers(0, 1000),
)
def test_a_message_counts_everything_and_stays_short(found, done_count):
    """Whatever happened, it can be read at once."""
    done = [f"line {number}" for number in range(min(done_count, LINES))]
    message = said(*found, done=done, done_count=done_count)

    lines = message.text.splitlines() if message else []
    assert len(lines) <= 3 * (LINES + 1) + 3
    assert (f"{done_count} done" in (message.title if message else "")) is (done_count > 0)
