"""Programs see whether messages reach people, and try it."""

import pytest

from tests.workers.records import NOW, SECOND
from workers.ledger import outbox
from workers.ledger.outbox import Message, MessageKind

RECIPIENTS = {"a": "notify.urls[1] (slack)", "b": "notify.urls[2] (json)"}


@pytest.fixture
def messages(ledger):
    """Three of them, the oldest first, each on its way to two recipients."""
    kept = []
    for number in range(3):
        with ledger.write() as tx:
            kept.append(outbox.put(tx, Message(MessageKind.ALARM, f"no. {number}", "text"), NOW))
    outbox.address(ledger, RECIPIENTS, NOW)
    return kept


def test_messages_are_walked_through_whole(program, messages):
    """No page ends between two recipients of one."""
    ask = program()

    first = ask("/messages", limit=2).json
    second = ask("/messages", limit=2, cursor=first["next"]).json

    pages = [[each["message"] for each in page["items"]] for page in (first, second)]
    assert pages == [[messages[2]] * 2 + [messages[1]] * 2, [messages[0]] * 2]
    assert "next" not in second


def test_a_message_tells_of_each_recipient(program, ledger, messages):
    """Whom it has reached, and whom not."""
    for copy in outbox.claim(ledger, {"a": RECIPIENTS["a"]}, NOW, until=NOW + SECOND):
        outbox.sent(ledger, copy, NOW)

    told = program()(f"/messages/{messages[0]}").json["items"]

    states = {each["recipient"]: each["state"] for each in told}
    assert states == {RECIPIENTS["a"]: "sent", RECIPIENTS["b"]: "waiting"}


def test_a_test_is_put_for_a_worker_and_can_be_followed(poster, program, ledger):
    """The answer comes at once; whether it arrived, the message says."""
    post = poster(LEAVER_NOTIFY__URLS="jsons://example.com/hook")

    message = post("/messages/test", {}).json["message"]

    [told] = program()(f"/messages/{message}").json["items"]
    assert (told["title"], told["recipient"], told["state"]) == ("Leaver: test", "", "waiting")


def test_a_test_without_anybody_to_tell_is_refused(poster, program):
    """It would succeed, and mean nothing."""
    answer = poster()("/messages/test", {})

    assert (answer.status_code, "notify.urls is empty" in answer.json["detail"]) == (409, True)
    assert program()("/messages").json["items"] == []
