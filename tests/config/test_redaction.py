"""No personal data and no secret in a log, and nothing else taken away."""

import json
import re
import uuid
from datetime import UTC, datetime
from urllib.parse import quote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from config.redaction import fields, redact
from config.secret import Secret

HEX = st.text("0123456789abcdef", min_size=32, max_size=64)
PATH = st.from_regex(r"\A(/[a-z0-9._-]{1,12}){1,6}\Z")
INSTANT = st.datetimes(timezones=st.just(UTC)).map(datetime.isoformat)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@given(st.text(), st.emails(), st.text())
@example("", "lena@example.com", "")
@example("email=", "lena@example.com", "&b=c")
@example("'", "o'brien@example.com", "'")
@example("<", "lena.müller+leaver@exämple.com", ">")
@example("https://example.com/", "lena@example.com", "/x")
@example("x@", "lena@example.com", "@y")
@example("", "LENA@EXAMPLE.COM", "")
@example("", "_@a-b.c-d.co", ".")
def test_an_e_mail_address_never_gets_through(before, address, after):
    """Whatever surrounds it: an exception, a URL, a JSON text, another address."""
    assert address not in redact(f"{before}{address}{after}")


@given(st.emails(), st.sampled_from(["%40", "@"]))
@example("lena+leaver@example.com", "%40")
def test_an_e_mail_address_in_a_url_never_gets_through(address, at):
    """An exception of requests shows the URL, and there the @ is %40."""
    local, domain = (quote(part, safe="") for part in address.split("@"))

    redacted = redact(f"https://api.test/users?email={local}{at}{domain}&count=1")

    assert domain not in redacted


@given(st.lists(st.emails(), min_size=2, max_size=4), st.text(" ,;/=&?%+-.'\"|@", min_size=1))
@example(["a@b.co", "lena@example.com"], "/")
@example(["a@b.co", "lena@example.com", "max@example.com"], "=")
def test_addresses_in_a_row_never_get_through(addresses, separator):
    """A list of people, however it is written."""
    redacted = redact(separator.join(addresses))

    assert not [address for address in addresses if address in redacted]


def test_mixed_addresses_in_a_row_never_get_through():
    """A redirect inside a URL has both forms of the @."""
    redacted = redact(
        "https://api.test/?to=lena@b.co%2Cmax%40b.co&cc=a%40b.co%2Ctim@b.co/ina%40b.co"
    )

    assert not re.search("lena|max|tim|ina|b[.]co", redacted)


def test_the_rest_of_a_text_stays():
    """What is left must still say what went wrong."""
    text = "no lena.o'brien@example.com at https://api.example.com/users?email=a%40b.com&count=1"

    assert redact(text) == "no [e-mail] at https://api.example.com/users?email=[e-mail]&count=1"


@given(st.uuids().map(str) | HEX | PATH | INSTANT)
@example(str(uuid.UUID(int=0)))
@example("/usr/lib/python@3.11/site-packages")
@example("celery@worker-1")
@example("557058:b8e2c1d0-1111-2222-3333-444455556666")
@example("sha256:2f98fd0698ff27c0d859a05a761343144608f206ddd811e9afb89cab7e834120")
def test_ids_hashes_paths_and_times_stay(text):
    """They are what an operator searches for."""
    assert redact(text) == text
    assert redact(f"job {text}: done") == f"job {text}: done"


@pytest.mark.parametrize(
    "text",
    [
        "Authorization: Bearer hunter2",
        "authorization: Basic hunter2",
        "{'Authorization': 'Bearer hunter2', 'Accept': '*/*'}",
        '{"Authorization": "Bearer hunter2"}',
        "{'Authorization': b'Bearer hunter2'}",
        "X-BambooHR-Signature: hunter2",
        "webhook-signature: v1,hunter2 v1a,hunter2",
        "api_key=hunter2",
        "api-key = 'hunter2'",
        "apikey='hunter2 hunter2'",
        "?token=hunter2&b=c",
        "{'password': 'hunter2'}",
        '{"client_secret": "hunter2"}',
        "Source(secrets=['hunter2', 'hunter2'])",
        'secrets = ["hunter2", "hunter2"]',
        "signature='hunter2",
        "redis://:hunter2@queue.example.com:6379/0",
        "postgresql+psycopg://leaver:hunter2@db/leaver",
        "amqp://hunter2@broker",
        "whsec_hunter2 is no key",
        "no whsk_hunter2==",
        "ATCTT3xFfGN0hunter2=1A2B",
        "ATATT3xFfGN0hunter2",
        "unexpected keyword api_key=hunter2, host='x'",
    ],
)
def test_what_looks_like_a_secret_never_gets_through(text):
    """Libraries put headers, URLs and arguments into their exceptions."""
    assert "hunter2" not in redact(text)
    assert "hunter2" not in redact(f"ValueError: {text}\n  and more")


def test_what_stands_beside_a_secret_stays():
    """Host and port say which server refused us."""
    text = "redis://:hunter2@queue.example.com:6379/0 refused, {'token': 'x', 'job': 'y'}"

    assert redact(text) == (
        "redis://[secret]@queue.example.com:6379/0 refused, {'token': ********, 'job': 'y'}"
    )


@pytest.mark.parametrize(
    "name",
    [
        *("authorization", "Authorization", "secret", "secrets", "api_key", "apikey", "password"),
        *("token", "fencing_token", "signature", "X-BambooHR-Signature", "client_secret"),
    ],
)
def test_a_field_named_after_a_key_is_masked_whole(name):
    """Whatever is in it: a text, a list, a number."""
    assert fields({name: ["hunter2", {"a": 1}]}) == {name: "********"}


@pytest.mark.parametrize("name", ["job_id", "key", "secret_count", "tokens_left", "reason"])
def test_other_fields_stay(name):
    """A mask over everything would be no log."""
    assert fields({name: "signature_wrong"}) == {name: "signature_wrong"}


def test_values_are_redacted_at_every_level():
    """Vendors nest, and so do our own fields."""
    nested = {"a": [{"b": ("lena@example.com", Secret("hunter2"), {"password": 1})}]}

    assert fields(nested) == {"a": [{"b": ["[e-mail]", "********", {"password": "********"}]}]}


def test_names_of_fields_are_redacted_too():
    """A table by e-mail address is a table of people."""
    assert fields({"people": {"lena@example.com": 1}}) == {"people": {"[e-mail]": 1}}


class Unspeakable:
    """Its text is an error, as of a half-built object."""

    def __str__(self):
        raise RuntimeError("hunter2")


def test_any_object_can_be_logged():
    """Logging never raises, so the text of an object may not either."""
    endless, round_about = [], {}
    endless.append(endless)
    round_about["again"] = round_about

    logged = fields(
        {
            "object": Unspeakable(),
            "endless": [endless, round_about],
            "bytes": b"lena@example.com",
            "error": ValueError("lena@example.com"),
            "when": datetime(2026, 11, 23, tzinfo=UTC),
            "keys": {("a", 1): 2},
        }
    )

    assert logged["object"] == "<Unspeakable>"
    assert logged["when"] == "2026-11-23T00:00:00+00:00"
    assert "lena" not in json.dumps(logged)


@given(st.dictionaries(st.text(), JSON))
def test_whatever_is_logged_is_json_and_stays_so(table):
    """The renderer gets nothing that it could stumble over; twice redacted is once redacted."""
    logged = fields(table)

    assert json.loads(json.dumps(logged)) == logged
    assert fields(logged) == logged


@given(st.text() | st.from_regex(r"([a-z]*(token|secret|@|=|:|'|\"|\[| |\.)){0,8}"))
def test_redacting_twice_changes_nothing_more(text):
    """A traceback is redacted as a text and again as a part of a line."""
    assert redact(redact(text)) == redact(text)


def test_no_address_is_left_in_any_corner():
    """One of each kind of surroundings, in one text."""
    text = "\n".join(f"{mark}lena@example.com{mark}" for mark in " \"'<>()[]{},;:/\\|&?=*#%!~`^$")

    assert not re.search("lena|example", redact(text))
