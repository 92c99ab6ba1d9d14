"""`leaver notify`: an operator sees whether messages arrive, and tries it."""

import pytest

from config.settings import load
from tests.webhook.cli.test_doctor import message
from tests.workers.messages.inbox import Inbox
from workers.beside import Beside
from workers.messages.post import EVERY, Post
from workers.runtime import Runtime


@pytest.fixture
def inbox():
    """Somebody who gets messages."""
    with Inbox(path="/token-not-a-secret") as inbox:
        yield inbox


@pytest.fixture
def working(leaver, ledger):
    """Starts the thread of a worker that sends."""
    runtimes = []

    def start():
        runtime = Runtime(lambda: load(leaver.config, {}))
        post = Beside(runtime, "messages", Post(runtime).once, EVERY)
        runtimes.append((runtime, post))
        post.start()

    yield start
    for runtime, post in runtimes:
        runtime.stopping.set()
        post.join(30)
        runtime.ledger.close()


def test_a_test_arrives_everywhere(leaver, working, inbox):
    """It goes the way that an alarm would go, through a worker."""
    leaver.configure(urls=f'["{inbox.url}", "{inbox.url}?format=text"]')
    working()

    result = leaver.run("notify", "test")

    assert result.exit_code == 0, result.output
    assert result.stdout == "notify.urls[1] (json): sent\nnotify.urls[2] (json): sent\n"
    assert [each["title"] for each in inbox.got] == ["Leaver: test"] * 2


def test_a_test_says_which_one_failed_and_not_where_it_is(leaver, working, inbox):
    """The URL is a secret; its place in the file is not."""
    with Inbox(path="/token-not-a-secret", status=403) as refusing:
        leaver.configure(urls=f'["{inbox.url}", "{refusing.url}"]')
        working()
        result = leaver.run("notify", "test")

    assert result.exit_code == 1
    assert "notify.urls[1] (json): sent\n" in result.stdout
    assert "notify.urls[2] (json): not sent: it answered 403\n" in result.stdout
    assert "token" not in result.output


def test_a_test_without_a_worker_ends(leaver, ledger, inbox):
    """Nobody sends but workers."""
    leaver.configure(urls=f'["{inbox.url}"]')

    result = leaver.run("notify", "test", "--wait", "1s")

    assert (result.exit_code, inbox.got) == (1, [])
    assert "no worker has taken it" in result.stderr


def test_a_test_without_anybody_to_tell_is_refused(leaver, ledger):
    """It would succeed, and mean nothing."""
    result = leaver.run("notify", "test")

    assert result.exit_code == 2
    assert "notify.urls is empty" in result.stderr


def test_messages_are_listed_with_what_became_of_them(leaver, ledger, now):
    """Also those that were given up."""
    message(ledger, now, sent_at=now, tries=1)
    message(ledger, now, gave_up_at=now, tries=60, error="it answered 500")

    given_up, sent = leaver.json("notify")
    shown = leaver.run("notify").stdout

    assert (sent["state"], given_up["state"], given_up["error"]) == (
        "sent",
        "given_up",
        "it answered 500",
    )
    assert "Leaver: 1 alarm  notify.urls[1] (json)  given_up  60     it answered 500" in shown
