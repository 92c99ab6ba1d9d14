"""Mutants of what each sender sends: never a 5xx, nothing wrongly signed, nobody who stays.

Right deliveries are changed somewhere, and half of them are signed anew; the others come with the
signature of another body, or with a header changed a little.  senders.py judges what is right.
A mutant is known by its number, so a test that fails does so again: 200 of each sender are tried,
LEAVER_MUTANTS sets another number, and `make mutants` tries 10,000.
"""

import base64
import copy
import os
import random
import re
from typing import Any

import pytest
import sqlalchemy as sa

from tests.webhook.receiving import Receiver, new_receiver
from tests.webhook.senders import SENDERS, Headers, Sender, objects
from tests.webhook.sources.test_workday import SOURCES
from webhook.sources import SOURCES as KINDS
from workers.ledger.tables import deliveries, elements, leavers

MUTANTS = int(os.environ.get("LEAVER_MUTANTS", "200"))
TAKEN = (200, 202, 204)
WORDS = (
    *("", " ", "x", "Active", "Inactive", "inactive ", "Terminated", "Suspended", "ACTIVE", "None"),
    *("Created", "deleted", "worker.rehired", "worker.termination_rescinded", "rescinded", "kept"),
    *(
        "employee.updated",
        "employee.deleted",
        "user.lifecycle.activate",
        "FAILURE",
        "jane@x.example",
    ),
    *("2099-01-01", "0000-00-00", "9999-12-31T23:59:59Z", "\ud800", "\0", "\U0001f600", "1" * 400),
)
VALUES: tuple[Any, ...] = (
    *WORDS,
    None,
    True,
    False,
    0,
    1,
    -1,
    10**30,
    float("inf"),
    [],
    {},
    [[]],
    {"value": None},
)
PIECES = (b"", b"", b'"', b"{", b"[", b"null", b"\xff", b"\x00", b"e", b"0", b"&", b"<", b"]]>")


@pytest.fixture(params=sorted(SENDERS))
def sender(request) -> Sender:
    return SENDERS[request.param]


@pytest.fixture
def receiver(sqlite_ledger):
    receiver = new_receiver(sqlite_ledger, SOURCES)
    yield receiver
    receiver.close()


def test_every_kind_of_source_has_a_sender(receiver):
    """A kind without mutants would be one that nobody has tried to fool."""
    kinds = {receiver.settings.sources[sender.source].kind for sender in SENDERS.values()}

    assert kinds == set(KINDS)


def test_what_is_right_is_taken(receiver, sender):
    """Or the mutants would prove nothing."""
    body = sender.encode(sender.document(7))

    answer = post(receiver, sender, sender.proof(body), body)

    assert answer.status_code in TAKEN
    assert [sender.leaves(sender.decode(body), who) for _, who in leaving(receiver)] == (
        [True] if sender.names else []
    )


@pytest.mark.exhaustive
def test_a_mutant_is_refused_or_read_rightly(receiver, sender):
    """Refused where its signature is another's; else kept, and nobody in it leaves who stays."""
    for number in range(MUTANTS):
        chance = random.Random(number)
        body = mutant(sender, number, chance)
        right = sender.proof(body)
        sent = right if number % 2 else wrongly_signed(sender, number, right, chance)

        answer = post(receiver, sender, sent, body)

        about = f"mutant {number}: {sent} {body!r}"
        if sent == right:
            assert answer.status_code in TAKEN, about
        elif answer.status_code in TAKEN:
            assert is_as_good(sent, right), about
        else:
            assert answer.status_code in (400, 401), about

    for body, who in leaving(receiver):
        assert sender.leaves(sender.decode(body), who), f"{who}: {body!r}"


def post(receiver: Receiver, sender: Sender, headers: Headers, body: bytes):
    return receiver.post(sender.source, headers | {"Content-Type": sender.content_type}, body)


def leaving(receiver: Receiver) -> list[tuple[bytes, str]]:
    """Each body with everybody of whom it was taken to say that they leave, or may leave."""
    who = sa.func.coalesce(sa.func.nullif(leavers.c.email, ""), leavers.c.employee_id)
    query = (
        sa.select(deliveries.c.body, who)
        .join(elements, elements.c.delivery_id == deliveries.c.id)
        .join(leavers, leavers.c.id == elements.c.leaver_id)
        .where(leavers.c.kind.in_(["terminated", "corrected", "lookup"]))
    )
    with receiver.ledger.read() as tx:
        return [(body, person) for body, person in tx.execute(query)]


def mutant(sender: Sender, number: int, chance: random.Random) -> bytes:
    """A body in which values were changed, taken away, moved or doubled, and then some bytes."""
    document = copy.deepcopy(sender.document(number))
    for _ in range(chance.choice((0, 1, 1, 2, 3))):
        change(document, chance)
    body = bytearray(sender.encode(document))
    if chance.random() < 0.3:
        start = chance.randrange(len(body) + 1)
        end = start + chance.randrange(7)
        body[start:end] = chance.choice((*PIECES, bytes(body[start:end]) * 2, chance.randbytes(3)))
    return bytes(body)


def change(document: object, chance: random.Random) -> None:
    """One change somewhere in a document."""
    things = [thing for thing in objects(document) if thing]
    if not things:
        return
    thing, other = chance.choice(things), chance.choice(things)
    name = chance.choice(sorted(thing))
    match chance.choice(("change", "change", "change", "remove", "double", "move", "repeat")):
        case "change":
            thing[name] = copy.deepcopy(chance.choice(VALUES))
        case "remove":
            del thing[name]
        case "double":
            thing[name] = [thing[name], copy.deepcopy(thing[name])]
        case "move":
            thing[name] = copy.deepcopy(chance.choice(list(other.values())))
        case "repeat":
            thing[name.upper()] = chance.choice(VALUES[:40])


def wrongly_signed(sender: Sender, number: int, right: Headers, chance: random.Random) -> Headers:
    """The headers of another body, or with one of them missing or changed a little."""
    changed = dict(right)
    name = chance.choice(sorted(changed))
    match chance.choice(("other", "missing", "changed")):
        case "other":
            return sender.proof(mutant(sender, number, random.Random(f"not {number}")))
        case "missing":
            del changed[name]
        case "changed":
            cut = chance.randrange(len(changed[name]) + 1)
            put = chance.choice(("", "0", "A", "=", ",", " ", "\xff", ".", "v1,"))
            changed[name] = changed[name][:cut] + put + changed[name][cut + chance.randrange(2) :]
    return changed


def is_as_good(sent: Headers, right: Headers) -> bool:
    """Whether these headers prove the same: the same bytes in another writing, or more of them."""
    if sent.keys() != right.keys():
        return False
    return all(
        proofs(right[name]) <= proofs(sent[name])
        if name.endswith("Signature") or "256" in name
        else proofs(right[name]) == proofs(sent[name])
        for name in right
    )


def proofs(header: str) -> set[bytes]:
    """What a header proves with, whatever its writing: hex and base64 decoded."""
    return {_bytes_of(part) for part in re.findall(r"[\w+/-]+", header, re.ASCII)}


def _bytes_of(part: str) -> bytes:
    if re.fullmatch("[0-9a-fA-F]{40,}", part) or len(part) < 12:
        return part.lower().encode()
    try:
        return base64.b64decode(part.replace("-", "+").replace("_", "/") + "==")
    except ValueError:
        return part.encode()
