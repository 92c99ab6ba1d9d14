"""Every alarm is said once to everybody, grouped, and as often as it takes until it arrives."""

import io
import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import structlog

from config.secret import ConfigurationError, Secret
from config.settings import DONE_FIELDS, Notify
from tests.servers import free_port
from tests.workers.messages.inbox import Inbox
from tests.workers.records import (
    DAY,
    HOUR,
    MINUTE,
    NOW,
    SECOND,
    claim,
    everything,
    job_of,
    jobs_of,
    open_alarms,
    rows,
)
from workers import watch
from workers.leavers import Outcome
from workers.ledger import moves, outbox
from workers.ledger import tables as t
from workers.ledger.alarms import close_alarm, raise_alarm
from workers.ledger.outbox import Message, MessageKind
from workers.messages.post import CLAIM
from workers.messages.recipients import recipients_of, sending

TEST = Message(MessageKind.TEST, "Leaver: test", "a test")


def alarm(ledger, subject="cloud", *, now=NOW, again=False):
    with ledger.write() as tx:
        raise_alarm(tx, "target_paused", subject, f"{subject} is paused", now, again=again)


def over(ledger, subject="cloud", *, now=NOW):
    with ledger.write() as tx:
        close_alarm(tx, "target_paused", subject, now)


@pytest.fixture
def written():
    """What libraries log, as far as it gets out.  (caplog asks apprise's own logger too.)"""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    logging.getLogger().addHandler(handler)
    yield stream
    logging.getLogger().removeHandler(handler)


def ask_for_test(ledger, now=NOW):
    with ledger.write() as tx:
        return outbox.put(tx, TEST, now)


# What is said -------------------------------------------------------------------------------------


def test_an_alarm_is_said_to_everybody_and_so_is_its_end(ledger, office, inbox, other):
    """Whoever was woken must be told that they may go back to sleep."""
    worker = office(inbox.url, other.url)

    alarm(ledger)
    worker.look(MINUTE)
    over(ledger, now=worker.clock.now())
    worker.look(MINUTE)

    assert inbox.titles == other.titles == ["Leaver: 1 alarm", "Leaver: 1 over"]
    assert "cloud is paused (2026-11-23 12:00Z)" in inbox.got[0]["message"]
    assert "Over:\ncloud is paused" in inbox.got[1]["message"]
    assert [each["type"] for each in inbox.got] == ["warning", "success"]


def test_a_held_job_is_said_with_the_command_that_shows_why(ledger, office, inbox):
    """Who reads it on a phone at night knows what to type."""
    worker = office(inbox.url)
    job = job_of(ledger)

    moves.hold(ledger, claim(ledger, job), reason="protected", now=NOW)
    worker.look(MINUTE)

    assert f"is held (protected): `leaver job {job}`" in inbox.got[0]["message"]


def test_a_storm_is_one_message(ledger, office, inbox):
    """A target that breaks holds hundreds of jobs, and a channel that floods is muted."""
    worker = office(inbox.url)
    with ledger.write() as tx:
        for number in range(500):
            now = NOW + number * SECOND / 10
            raise_alarm(tx, "target_paused", f"target-{number}", "it is paused", now)

    for _ in range(12):
        worker.look(10 * SECOND)

    [message] = inbox.got
    assert message["title"] == "Leaver: 500 alarms"
    assert len(message["message"].splitlines()) == 21
    assert "and 480 more: 480 target_paused" in message["message"]


def test_an_alarm_waits_for_others_no_longer_than_it_is_set(ledger, office, inbox):
    """Grouping must not hide anything for long."""
    worker = office(inbox.url, group_every="5m")
    alarm(ledger)

    worker.look(5 * MINUTE - SECOND)
    early = len(inbox.got)
    worker.look(SECOND)

    assert (early, len(inbox.got)) == (0, 1)


def test_an_alarm_that_is_only_counted_is_not_said_again(ledger, office, inbox):
    """Some are raised at every look, for hours."""
    worker = office(inbox.url)
    for _ in range(3):
        alarm(ledger, now=worker.clock.now())
        worker.look(MINUTE)

    assert len(inbox.got) == 1


def test_what_is_said_again_on_purpose_is_a_message_again(ledger, office, inbox):
    """A credential that expires tomorrow was said a month ago."""
    worker = office(inbox.url)
    for _ in range(2):
        alarm(ledger, now=worker.clock.now(), again=True)
        worker.look(MINUTE)

    assert len(inbox.got) == 2


def test_a_reminder_of_what_waits_is_one_message_a_day(ledger, office, inbox):
    """What waits for days is forgotten otherwise."""
    worker = office(inbox.url)
    for job in jobs_of(ledger, 3):
        moves.hold(ledger, claim(ledger, job), reason="protected", now=NOW)
    worker.look(MINUTE)

    watch.remind(ledger, DAY, worker.clock.move(DAY))
    worker.look(MINUTE)

    assert inbox.titles == ["Leaver: 3 alarms"] * 2
    assert inbox.got[1]["message"].count("; open for 1d") == 3


def test_what_was_raised_and_ended_meanwhile_is_only_over(ledger, office, inbox):
    """Nobody is to run for what is gone."""
    worker = office(inbox.url)
    alarm(ledger)
    over(ledger)

    worker.look(MINUTE)

    assert inbox.titles == ["Leaver: 1 over"]


def test_success_is_said_by_template_where_one_is_set(ledger, office, inbox):
    """Some want to see each; an address is in it only where the template asks for it."""
    template = "{outcome} in {target}: {employee_id}"
    for name in ("lena", "tom"):
        moves.finish(ledger, claim(ledger, job_of(ledger, name)), Outcome.ALREADY_INACTIVE, now=NOW)

    office(inbox.url, on_done=template).look(MINUTE)

    [message] = inbox.got
    assert (message["title"], message["type"]) == ("Leaver: 2 done", "info")
    assert sorted(message["message"].splitlines()) == [
        "already_inactive in cloud: lena",
        "already_inactive in cloud: tom",
    ]


def test_a_template_can_say_all_that_it_may(ledger, office, inbox):
    """What is accepted at the start must not break when somebody leaves."""
    job = job_of(ledger)
    moves.finish(ledger, claim(ledger, job), Outcome.NO_ACCOUNT, now=NOW)

    office(inbox.url, on_done=" ".join(f"{{{name}}}" for name in DONE_FIELDS)).look(MINUTE)

    said = f"{job} no_account cloud hr lena  lena@example.com"
    assert inbox.got[0]["message"] == said


def test_success_is_not_said_where_nobody_asked_for_it(ledger, office, inbox):
    """It is what happens every day."""
    moves.finish(ledger, claim(ledger, job_of(ledger)), Outcome.ALREADY_INACTIVE, now=NOW)

    office(inbox.url).look(MINUTE)

    assert inbox.got == []


def test_without_anybody_to_tell_news_is_dropped_after_a_day(ledger, office):
    """It must not gather for years where nobody wants messages."""
    worker = office()
    alarm(ledger)

    worker.look(HOUR)
    kept = len(rows(ledger, t.news))
    worker.look(DAY)

    assert (kept, rows(ledger, t.news)) == (1, [])


# Whether it arrives -------------------------------------------------------------------------------


def test_what_could_not_be_sent_arrives_later_and_once(ledger, office, inbox):
    """The channel was down while the alarm was raised, which is no accident: both need the net."""
    worker = office(inbox.url)
    inbox.down()
    alarm(ledger)
    worker.look(MINUTE)
    [waiting] = rows(ledger, t.copies)

    inbox.up()
    for _ in range(5):
        worker.look(MINUTE)

    assert (waiting["error"], waiting["tries"]) == ("no connection", 1)
    assert inbox.titles == ["Leaver: 1 alarm"]


@pytest.mark.parametrize(
    ("status", "error"),
    [(500, "it answered 500"), (302, "it answered 302"), (404, "it answered 404")],
)
def test_an_answer_that_is_no_success_is_none(ledger, office, inbox, status, error):
    """A redirect too: what follows it has lost the message."""
    worker = office(inbox.url)
    inbox.status = status
    alarm(ledger)

    worker.look(MINUTE)

    [copy] = rows(ledger, t.copies)
    assert (copy["sent_at"], copy["error"]) == (None, error)


def test_a_slow_service_is_tried_again(ledger, office):
    """It may have got the message: better twice than not at all."""
    with Inbox(holds=threading.Event()) as slow:
        worker = office(f"{slow.url}?rto=0.3")
        alarm(ledger)
        worker.look(MINUTE)
        [late] = rows(ledger, t.copies)
        slow.holds.set()
        for _ in range(5):
            worker.look(HOUR)

    assert (late["sent_at"], late["error"]) == (None, "no connection")
    assert len(slow.got) > 1
    assert rows(ledger, t.copies)[0]["sent_at"] is not None


def test_a_service_that_never_answers_is_not_waited_for(ledger, office):
    """Its thread is left behind; the others are not kept waiting for ever."""
    with Inbox(holds=threading.Event()) as mute:
        worker = office(mute.url)
        ask_for_test(ledger)
        names = {key: each.name for key, each in worker.shop.runtime.recipients.items()}
        outbox.address(ledger, names, NOW)
        [copy] = outbox.claim(ledger, names, NOW, until=NOW + CLAIM)
        [recipient] = worker.shop.runtime.recipients.values()

        ended = list(sending([(copy, recipient)], patience=timedelta(milliseconds=50)))

    assert ended == [(copy, "no answer within 0.05 s")]


def test_who_gets_no_messages_keeps_nobody_from_theirs(ledger, office, inbox, other):
    """And does not make them get it twice."""
    worker = office(inbox.url, other.url)
    inbox.status = 500
    alarm(ledger)

    for _ in range(5):
        worker.look(MINUTE)

    assert len(other.got) == 1
    assert len(inbox.got) > 1


def test_workers_that_look_at_once_send_once(ledger, office, inbox):
    """Each of them has a thread that sends."""
    workers = [office(inbox.url) for _ in range(4)]
    for number in range(5):
        alarm(ledger, f"target-{number}")

    with ThreadPoolExecutor(len(workers)) as threads:
        for _ in range(3):
            list(threads.map(lambda worker: worker.look(MINUTE), workers))

    assert inbox.titles == ["Leaver: 5 alarms"]


def test_a_worker_that_dies_after_sending_has_it_sent_twice_at_most(ledger, office, inbox):
    """At least once: what nobody wrote down as sent is sent again."""
    worker = office(inbox.url)
    with ledger.write() as tx:
        outbox.put(tx, Message(MessageKind.ALARM, "Leaver: 1 alarm", "text"), NOW)
    names = {key: each.name for key, each in worker.shop.runtime.recipients.items()}
    outbox.address(ledger, names, NOW)
    dead = outbox.claim(ledger, names, NOW, until=NOW + CLAIM)
    list(sending([(copy, worker.shop.runtime.recipients[copy.recipient]) for copy in dead]))

    for _ in range(10):
        worker.look(MINUTE)

    assert len(inbox.got) == 2


# What does not arrive -----------------------------------------------------------------------------


def test_after_a_day_it_is_given_up_kept_and_an_alarm(ledger, office, inbox):
    """Silence must not pass for peace; the metric and the doctor say so."""
    worker = office(inbox.url)
    inbox.status = 500
    alarm(ledger)

    for _ in range(6):
        worker.look(6 * HOUR)

    kept = rows(ledger, t.copies)[0]
    assert (kept["sent_at"], kept["due_at"], kept["gave_up_at"] is None) == (None, None, False)
    assert [kind for kind, _ in open_alarms(ledger)] == ["target_paused", "message_lost"]


def test_a_lost_message_makes_no_circle_of_messages(ledger, office, inbox, other):
    """It is said once, also to those whom messages reach, and its end when it is mended."""
    worker = office(inbox.url, other.url)
    inbox.status = 500
    alarm(ledger)
    for _ in range(4 * 4):
        worker.look(6 * HOUR)
    said = list(other.titles)

    inbox.status = 200
    ask_for_test(ledger, worker.clock.now())
    for _ in range(3):
        worker.look(MINUTE)

    assert said == ["Leaver: 1 alarm", "Leaver: 1 alarm"]
    assert "messages to notify.urls[1] (json) are lost (it answered 500)" in other.got[1]["message"]
    assert open_alarms(ledger) == [("target_paused", "cloud")]
    assert "Leaver: 1 over" in other.titles


def test_what_waits_for_a_url_that_was_changed_goes_to_the_new_one(ledger, office, inbox):
    """Whoever mends a mistyped URL gets what it should have said."""
    gone = f"json://127.0.0.1:{free_port()}"
    worker = office(gone)
    alarm(ledger)
    worker.look(MINUTE)

    worker.configure(inbox.url)
    for _ in range(5):
        worker.look(MINUTE)

    assert inbox.titles == ["Leaver: 1 alarm"]
    assert sorted(row["error"] for row in rows(ledger, t.copies)) == [
        "",
        "is not configured any more",
    ]


def test_another_order_of_the_urls_sends_nothing_twice_and_nothing_astray(
    ledger, office, inbox, other
):
    """A copy belongs to a URL, not to a place."""
    worker = office(inbox.url, other.url)
    other.status = 500
    alarm(ledger)
    worker.look(MINUTE)

    other.status = 200
    worker.configure(other.url, inbox.url)
    for _ in range(5):
        worker.look(MINUTE)

    assert (len(inbox.got), len(other.got)) == (1, 2)


# A test -------------------------------------------------------------------------------------------


def test_a_test_is_sent_at_once_and_tried_once(ledger, office, inbox, other):
    """An operator waits for it."""
    worker = office(inbox.url, other.url)
    other.status = 403
    asked = ask_for_test(ledger)

    for _ in range(3):
        worker.look()

    told = {fate.name: fate.error for fate in outbox.fates(ledger, asked) or ()}
    assert told == {"notify.urls[1] (json)": "", "notify.urls[2] (json)": "it answered 403"}
    assert (inbox.titles, len(other.got)) == (["Leaver: test"], 1)
    assert open_alarms(ledger) == []


def test_a_test_for_which_nobody_waits_any_more_is_not_sent(ledger, office, inbox):
    """A worker that starts in the morning must not say so of last night."""
    asked = ask_for_test(ledger)

    office(inbox.url).look(HOUR)

    assert inbox.got == []
    assert [fate.error for fate in outbox.fates(ledger, asked) or ()] == [
        "no worker was there in time"
    ]


# Secrets ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [200, 500, None])
def test_a_url_stands_in_no_ledger_log_or_error(ledger, office, written, capfd, status):
    """Whoever has it can write into the channel, or log in to the mail server."""
    secret = "token-not-a-secret-4711"
    with Inbox(path=f"/{secret}") as inbox:
        inbox.status = status or 200
        url = inbox.url.replace("//", f"//user:{secret}@")
        if status is None:
            inbox.down()
        worker = office(url, f"{url}?+X-Key={secret}")
        alarm(ledger)
        with structlog.testing.capture_logs() as logged:
            for _ in range(6):
                worker.look(6 * HOUR)

    told = written.getvalue() + repr(logged) + "".join(capfd.readouterr())
    kept = repr(everything(ledger))
    assert "message_id" in told
    assert "notify.urls[2] (json)" in kept
    assert secret not in told + kept
    assert "127.0.0.1" not in told + kept


def test_a_url_that_is_not_understood_is_refused_without_showing_it(written, capfd):
    """A worker does not start, or keeps what it had; the text may be a password put in the wrong
    place."""
    urls = (Secret("json://127.0.0.1"), Secret("nonsense://token-not-a-secret"))

    with pytest.raises(ConfigurationError) as refused:
        recipients_of(Notify(urls=urls))

    told = str(refused.value) + written.getvalue() + "".join(capfd.readouterr())
    assert "notify.urls, entry 2" in told
    assert "token" not in told
