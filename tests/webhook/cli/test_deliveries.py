"""`leaver deliveries` and `leaver delivery`: what HR sent, and what could not be used."""

import pytest
import sqlalchemy as sa

from tests.workers.records import delivery, person, record
from workers.leavers import Element, ElementKind
from workers.ledger.tables import deliveries

BROKEN = Element(
    ElementKind.QUARANTINED, "", "bad_email", detail="not one plain address", employee_id="50"
)


@pytest.fixture
def batch(ledger, now):
    """Forty-nine people and a broken one."""
    people = [person(f"p{number}") for number in range(49)]
    return record(ledger, delivery(*people, BROKEN, at=now, body=b'{"employees": "\x1b[2J"}'))


def test_a_delivery_is_one_line_with_its_counts(leaver, batch):
    """One broken person among fifty shows in the list already."""
    _, line = leaver.run("deliveries").stdout.splitlines()

    assert line.startswith(batch.delivery)
    assert "leaver 49, quarantined 1" in line


def test_quarantined_finds_a_delivery_with_one_quarantined_person(leaver, ledger, now, batch):
    """The other forty-nine must not hide the fiftieth."""
    record(ledger, delivery(person("lena"), at=now, body=b"fine"))

    found = leaver.json("deliveries", "--status", "quarantined")

    assert [each["id"] for each in found] == [batch.delivery]


def test_deliveries_are_found_by_source_and_time(leaver, batch):
    """ "We sent it an hour ago", says HR."""
    assert len(leaver.json("deliveries", "--source", "hr", "--since", "1h")) == 1
    assert leaver.json("deliveries", "--source", "other") == []


def test_one_delivery_shows_everybody_in_it(leaver, batch):
    """Whom, why not, and what to do about it."""
    told = leaver.run("delivery", batch.delivery[-8:])

    assert "quarantined  bad_email  50" in told.stdout
    assert batch.jobs[0] in told.stdout
    assert "bad_email: The e-mail field does not hold one plain address." in told.stderr


def test_a_body_is_shown_and_never_sent_to_the_terminal(leaver, batch):
    """A signed body may still hold what steers a terminal."""
    assert r'{"employees": "\x1b[2J"}' in leaver.run("delivery", batch.delivery).stdout


def test_one_delivery_in_json_is_the_delivery_with_more(leaver, batch):
    """A program that reads the list reads the one as well."""
    [listed] = leaver.json("deliveries")
    [told] = leaver.json("delivery", batch.delivery)

    assert listed.items() <= told.items()
    assert [person["reason"] for person in told["people"]][-1] == "bad_email"


def test_an_unknown_status_is_refused_with_those_that_exist(leaver):
    """A typing error must not read as "there are none"."""
    result = leaver.run("deliveries", "--status", "dunno")

    assert (result.exit_code, "'quarantined'" in result.stderr) == (2, True)


def test_a_table_says_when_it_does_not_show_all(leaver, ledger, now, batch):
    """What looks like everything hides the rest."""
    record(ledger, delivery(person("lena"), at=now, body=b"fine"))

    told = leaver.run("deliveries", "--limit", 1)

    assert "The newest 1 of 2 deliveries; --limit 2 shows all." in told.stderr


def test_a_purged_body_is_no_error(leaver, ledger, batch):
    """Bodies go after a set time, their hashes stay."""
    with ledger.write() as tx:
        tx.execute(sa.update(deliveries).values(body=None))

    assert leaver.run("delivery", batch.delivery).stdout.endswith("body\n-\n")


def test_an_id_that_is_not_there_is_said_in_one_line(leaver):
    """Nothing was found is no traceback."""
    result = leaver.run("delivery", "0123456789")

    assert (result.exit_code, result.stderr) == (1, "Error: no delivery has the id 0123456789\n")


def test_no_delivery_is_said(leaver):
    """Silence would leave it open whether the command worked."""
    assert leaver.run("deliveries").stderr == "No delivery fits.\n"
