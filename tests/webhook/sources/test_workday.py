"""Workday: three ways to prove a delivery, our contract in each, and the rows of reports."""

import json
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from config.settings import load
from config.sources import Workday
from tests.webhook.receiving import NOW, SAMPLES, STANDARD_KEYS, new_receiver
from tests.webhook.sources.conformance import JANE, SignedSourceConformance, SourceConformance
from tests.webhook.sources.test_standard import FOREIGN_KEY, worker
from tests.webhook.sources.test_standard import body_of as contract_body
from tests.webhook.sources.test_standard import signed as standard_signed
from webhook.sources import workday
from webhook.sources.base import Termination
from webhook.tokens import body_hash
from webhook.verify import Signed, sign_basic
from workers.leavers import ElementKind, LeaverKind

AUDIENCE = "https://leaver.example.com/webhooks/workday-jwt"
ED25519 = Ed25519PrivateKey.from_private_bytes(b"test-key-not-a-secret-of-workday")
P256 = ec.derive_private_key(20261123, ec.SECP256R1())
FOREIGN = Ed25519PrivateKey.from_private_bytes(b"test-key-of-a-stranger-workday--")
PASSWORDS = ("test-password-not-a-secret", "test-password of last year")


def pem(key) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


SOURCES = f"""
[sources.workday]
kind = "workday"
secrets = {json.dumps(STANDARD_KEYS)}
fields = {{ "Mail_Intern" = "email" }}

[sources.workday-jwt]
kind = "workday"
auth = "jwt"
public_keys = {json.dumps([pem(ED25519), pem(P256)])}
audience = "{AUDIENCE}"

[sources.workday-basic]
kind = "workday"
auth = "basic"
username = "workday"
passwords = {json.dumps(PASSWORDS)}
"""


@pytest.fixture
def receiver(sqlite_ledger):
    """One with a source of each kind of proof."""
    receiver = new_receiver(sqlite_ledger, SOURCES)
    yield receiver
    receiver.close()


def token(body: bytes, key: Any = ED25519, **claims: Any) -> dict[str, str]:
    """A right token; a claim of None is left out."""
    now = int(NOW.timestamp())
    said = {"aud": AUDIENCE, "iat": now, "exp": now, "jti": "1", "htb_s256": body_hash(body)}
    said = {name: value for name, value in (said | claims).items() if value is not None}
    algorithm = "ES256" if key is P256 else "EdDSA"
    return {"Authorization": f"Bearer {jwt.encode(said, key, algorithm=algorithm)}"}


def basic(password: str = PASSWORDS[0]) -> dict[str, str]:
    return sign_basic("workday", password)


class Contract(SourceConformance):
    """Bodies in our own contract."""

    __test__ = False
    other_events = (b'{"type":"worker.hired","data":{}}', b'{"type":"ping"}')

    def person(self, who: Termination) -> dict[str, Any]:
        return worker(workerId=who.employee_id, workEmail=who.email, terminationDate="2026-11-20")

    def without_email(self, person):
        return {name: value for name, value in person.items() if name != "workEmail"}

    def body_of(self, people):
        return contract_body(people)


class TestStandard(Contract, SignedSourceConformance):
    __test__ = True
    source = "workday"
    signature_headers = ("webhook-id", "webhook-timestamp", "webhook-signature")

    def signed(self, body, *, at=NOW, key=0):
        return standard_signed(body, at=at, key=key)


class TestJwt(Contract, SignedSourceConformance):
    __test__ = True
    source = "workday-jwt"
    signature_headers = ("authorization",)

    def signed(self, body, *, at=NOW, key=0):
        seconds = int(at.timestamp())
        return token(body, (ED25519, P256, FOREIGN)[key], iat=seconds, exp=seconds)


class TestBasic(Contract):
    __test__ = True
    source = "workday-basic"
    signature_headers = ("authorization",)

    def signed(self, body, *, at=NOW, key=0):
        return basic((*PASSWORDS, "test-password-of-a-stranger")[key])


class TestRows(SignedSourceConformance):
    source = "workday"
    signature_headers = ("webhook-id", "webhook-timestamp", "webhook-signature")
    other_events = (
        b'{"Report_Entry":[{"Employee_ID":"1","Active":"1"}]}',
        b'{"Report_Entry":{"Employee_ID":"1","Terminated":0}}',
        b'[{"Employee_ID":"1","Active":true}]',
        b"<Report_Data/>",
    )

    def person(self, who: Termination) -> dict[str, Any]:
        return row(Employee_ID=who.employee_id, Work_Email=who.email, Termination_Date="2026-11-20")

    def without_email(self, person):
        return person | {"Work_Email": ""}

    def body_of(self, people):
        return rows(*people)

    def signed(self, body, *, at=NOW, key=0):
        return standard_signed(body, at=at, key=key)


def row(**changes: Any) -> dict[str, Any]:
    return {
        "Employee_ID": JANE.employee_id,
        "Work_Email": JANE.email,
        "Termination_Date": "2026-11-20",
    } | changes


def rows(*entries: Any) -> bytes:
    return json.dumps({"Report_Entry": entries}).encode()


def read(body: bytes, content_type: str = "application/json", **own: Any):
    """The elements of a body, without a receiver."""
    source = Workday(kind="workday", secrets=[FOREIGN_KEY], **own)  # type: ignore[arg-type]  # as TOML has it
    zone, signed = ZoneInfo("Europe/Berlin"), Signed(NOW, "1", "1")
    return workday.parse(body, content_type, source, zone=zone, now=NOW, signed=signed)


def kinds(*entries: Any, **own: Any) -> list[tuple[str, str]]:
    return [(str(each.kind), each.reason) for each in read(rows(*entries), **own)]


# Tokens


def test_the_same_token_twice_is_a_duplicate_and_with_another_body_refused(receiver):
    """A captured token can do nothing that its sender did not do."""
    body = contract_body(worker())
    headers = token(body)

    first = receiver.post("workday-jwt", headers, body)
    again = receiver.post("workday-jwt", headers, body)
    other = receiver.post("workday-jwt", headers, body.replace(b"jane", b"anna"))

    assert [first.json["status"], again.json["status"]] == ["accepted", "duplicate"]
    assert other.status_code == 401


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"aud": "https://other.example.com"}, "audience_wrong"),
        ({"aud": None}, "audience_wrong"),
        ({"htb_s256": None}, "signature_wrong"),
        ({"htb_s256": 1}, "signature_wrong"),
        ({"exp": None}, "signature_malformed"),
        ({"exp": 10**400}, "signature_malformed"),
        ({"jti": None}, "signature_malformed"),
        ({"jti": "ä"}, "signature_malformed"),
        ({"htm": "GET"}, "signature_malformed"),
    ],
)
def test_a_token_that_does_not_say_what_it_must_is_refused(receiver, claims, reason):
    """Signed by the right key, and still not for this delivery."""
    body = contract_body(worker())
    said = {"aud": AUDIENCE, "exp": int(NOW.timestamp()), "jti": "1", "htb_s256": body_hash(body)}
    said = {name: value for name, value in (said | claims).items() if value is not None}
    text = jwt.api_jws.PyJWS().encode(json.dumps(said).encode(), ED25519, "EdDSA")

    answer = receiver.post("workday-jwt", {"Authorization": f"Bearer {text}"}, body)

    assert (answer.status_code, answer.json) == (401, {"error": "unauthorized"})
    assert receiver.rejected() == {("workday-jwt", reason): 1}


def test_a_token_that_counts_too_long_is_kept_and_not_acted_on(receiver):
    """At most ten minutes ahead: a year's token is a password."""
    body = contract_body(worker())
    headers = token(body, exp=int(NOW.timestamp()) + 3600)

    answer = receiver.post("workday-jwt", headers, body)

    assert answer.json["status"] == "quarantined"
    assert receiver.rows("deliveries")[0].reason == "from_the_future"


@pytest.mark.parametrize("audience", [AUDIENCE, ["https://other.example.com", AUDIENCE]])
def test_a_token_of_ten_minutes_is_taken(receiver, audience):
    """What the contract allows, with or without the time of signing."""
    body = contract_body(worker())
    headers = token(body, aud=audience, iat=None, exp=int(NOW.timestamp()) + 600, htm="POST")

    assert receiver.post("workday-jwt", headers, body).json["status"] == "accepted"


def test_the_algorithm_goes_with_the_key_and_never_with_the_token(receiver):
    """none, and an HMAC made with the public key as its secret, are the old tricks."""
    body = contract_body(worker())
    said = {"aud": AUDIENCE, "exp": int(NOW.timestamp()), "jti": "1", "htb_s256": body_hash(body)}
    public = ED25519.public_key().public_bytes_raw()
    texts = [jwt.encode(said, None, "none"), jwt.encode(said, public, "HS256")]

    answers = [
        receiver.post("workday-jwt", {"Authorization": f"Bearer {text}"}, body) for text in texts
    ]

    assert [answer.status_code for answer in answers] == [401, 401]


@settings(max_examples=200)
@given(st.text(max_size=60) | st.from_regex(r"Bearer [\w-]+\.[\w-]+\.[\w-]*", fullmatch=True))
def test_no_header_breaks_the_verifiers(text):
    """Whatever a stranger sends is Rejected, nothing else."""
    from webhook.tokens import token_of, verify_token
    from webhook.verify import Rejected, verify_basic

    headers = {"authorization": text}

    with pytest.raises(Rejected):
        verify_token(token_of(headers), b"", [], AUDIENCE)
    with pytest.raises(Rejected):
        verify_basic(headers, b"", [b"workday:test-password-not-a-secret"])


def test_without_published_keys_the_sender_is_asked_to_come_again(sqlite_ledger):
    """A 401 would lose a leaver because of an outage that is not HR's fault."""
    source = (
        '[sources.workday]\nkind = "workday"\nauth = "jwt"\naudience = "us"\n'
        'jwks_url = "http://127.0.0.1:1/jwks.json"\n'
    )
    receiver = new_receiver(sqlite_ledger, source)
    body = contract_body(worker())

    answer = receiver.post("workday", token(body), body)

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "30")
    assert receiver.rejected() == {("workday", "keys_unavailable"): 1}
    receiver.close()


# Passwords


def test_a_second_leaving_with_the_same_words_is_a_second_leaver(receiver):
    """Nothing tells repetitions from new events but what HR said in between."""
    gone, back = contract_body(worker()), contract_body(worker(), "rehired")

    for body in (gone, back, gone):
        receiver.post("workday-basic", basic(), body)

    assert [found.kind for found in receiver.rows("leavers")] == [
        "terminated", "rehired", "terminated"
    ]  # fmt: skip


# Rows


@pytest.mark.parametrize(
    ("name", "content_type"),
    [("report.json", "application/json"), ("report.xml", "application/xml"), ("report.xml", "")],
)
def test_the_samples_are_the_same_leaver(name, content_type):
    """JSON or XML, whatever the content type says; an offset behind a date is not read."""
    (found,) = read((SAMPLES / "workday" / name).read_bytes(), content_type)

    assert found.leaver is not None
    assert (found.leaver.email, found.leaver.employee_id) == ("jane@example.com", "21001")
    assert found.leaver.cutoff.at == datetime(2026, 11, 27, 23, 0, tzinfo=UTC)


def test_the_columns_of_a_real_receiver_lack_the_address():
    """Its rows wait for a person, with the employee's number."""
    (found,) = read((SAMPLES / "workday" / "array.json").read_bytes())

    assert (found.reason, found.employee_id) == ("missing_email", "21001")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, ("leaver", "")),
        ({"Active": "0", "Terminated": 1}, ("leaver", "")),
        ({"Active": "1"}, ("ignored", "not_a_termination")),
        ({"Terminated": False}, ("ignored", "not_a_termination")),
        ({"Active": 1, "Termination_Date": "2026-11-23"}, ("quarantined", "contradiction")),
        ({"Active": 1, "Last_Day_of_Work": "2027-01-31"}, ("quarantined", "contradiction")),
        ({"Active": "On Leave"}, ("quarantined", "unreadable")),
        ({"Active": ["1"]}, ("quarantined", "unreadable")),
        ({"Leaver_Event": "hired"}, ("quarantined", "unreadable")),
        ({"Email": "other@example.com"}, ("quarantined", "unreadable")),
        ({"work email": JANE.email}, ("leaver", "")),
        ({"Work_Email": None, "Mail_Intern": JANE.email}, ("leaver", "")),
        ({"Termination_Date": ""}, ("quarantined", "bad_date")),
        ({"Immediate": "Y"}, ("quarantined", "unreadable")),
    ],
)
def test_a_row_means_terminated_unless_it_says_that_the_person_works_here(changes, expected):
    """A row that says Active is never a leaver; what cannot be told is for a person."""
    assert kinds(row(**changes), fields={"Mail_Intern": "email"}) == [expected]


@pytest.mark.parametrize("same", ["Employee_ID", "Work_Email"])
@pytest.mark.parametrize("state", [{"Active": "1"}, {"Terminated": "0"}, {"Active": "perhaps"}])
def test_two_profiles_of_one_worker_are_no_leaver(same, state):
    """A contingent worker who became an employee: the inactive profile must not count."""
    other = {"Employee_ID": "999", "Work_Email": "other@example.com", same: row()[same].upper()}
    old, new = row(Active="0"), row(**other, **state)

    for body in ((old, new), (new, old)):
        assert ElementKind.LEAVER not in [each.kind for each in read(rows(*body))]
    assert ("quarantined", "contradiction") in kinds(old, new)


def test_an_active_row_alone_holds_the_job(receiver):
    """The two profiles may come in two deliveries."""
    for body in (rows(row()), rows(row(Active="1"))):
        receiver.post("workday", standard_signed(body), body)

    assert {job.state for job in receiver.rows("jobs")} == {"held"}


@pytest.mark.parametrize(
    ("event", "kind"),
    [
        ("rescinded", LeaverKind.RESCINDED),
        ("Corrected", LeaverKind.CORRECTED),
        ("worker.rehired", LeaverKind.REHIRED),
    ],
)
def test_a_row_can_say_another_event_and_its_time(event, kind):
    """Else a rescind could not be told, nor put in order."""
    (found,) = read(rows(row(Leaver_Event=event, Timestamp="2026-11-20T09:02:11.000-08:00")))

    assert found.leaver is not None
    assert found.leaver.kind is kind
    assert found.leaver.happened_at == datetime(2026, 11, 20, 17, 2, 11, tzinfo=UTC)


DEEP = b"<Report_Data><Report_Entry>" + b"<a>" * 20_000
BOMB = b'<!DOCTYPE x [<!ENTITY a "aaaa">]><Report_Data>&a;</Report_Data>'


@pytest.mark.parametrize(
    "body",
    [
        b"<", DEEP, BOMB, b"<other/>", b"<?xml version='1.0' encoding='utf-7'?><Report_Data/>",
        b"<?xml version='1.0' encoding='no'?><Report_Data/>", b"<Report_Data>\xff</Report_Data>",
        b"<!DOCTYPE x SYSTEM 'file:///etc/passwd'><Report_Data/>", b"<Report_Data>\x00",
        b"<?xml version='1.0' encoding='utf-32'?><Report_Data/>",
    ],
)  # fmt: skip
def test_hostile_xml_is_quarantined(receiver, body):
    """Rightly signed, so it is kept; nothing in it is expanded or fetched."""
    answer = receiver.post("workday", standard_signed(body), body)

    assert (answer.status_code, answer.json["status"]) == (202, "quarantined")


a_flag = st.sampled_from(["1", "0", True, False, "yes", "", None, "On Leave"])
a_row = st.fixed_dictionaries(
    {
        "Employee_ID": st.sampled_from("123"),
        "Work_Email": st.sampled_from(["a@b.example", "c@d.example"]),
    },
    optional={
        "Active": a_flag,
        "Terminated": a_flag,
        "Termination_Date": st.sampled_from(["2026-11-20", "2027-01-31", "", "x"]),
        "Leaver_Event": st.sampled_from(["", "rescinded", "rehired", "terminated"]),
        "Company": st.text(max_size=5),
    },
)


@settings(max_examples=200, deadline=None)
@given(st.lists(a_row, max_size=6))
def test_nobody_leaves_who_works_here_in_any_row(entries):
    """Judged by looking at the rows themselves: an active profile protects id and address."""
    here = [
        each for each in entries
        if each.get("Active") in ("1", True, "yes") or each.get("Terminated") in ("0", False)
    ]  # fmt: skip
    protected = {each[name] for each in here for name in ("Employee_ID", "Work_Email")}

    found = read(rows(*entries))

    assert len(found) == len(entries)
    for element in found:
        if element.kind is ElementKind.LEAVER and element.leaver is not None:
            leaves = element.leaver.kind in (LeaverKind.TERMINATED, LeaverKind.CORRECTED)
            assert not leaves or not {element.leaver.email, element.employee_id} & protected


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 560), st.binary(max_size=4), st.integers(0, 6))
def test_a_mutant_of_a_report_names_nobody_else(start, put, cut):
    """Some bytes changed: kept or quarantined, never another person out of thin air."""
    from webhook.sources.fields import Unreadable

    body = bytearray((SAMPLES / "workday" / "report.xml").read_bytes())
    body[start : start + cut] = put

    try:
        found = read(bytes(body), "application/xml")
    except Unreadable:
        return

    for element in found:
        if element.leaver is not None:
            assert element.leaver.email.encode() in bytes(body)


# Settings


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ("", "secrets is missing"),
        ('auth = "basic"\nusername = "w"', "passwords is missing"),
        ('auth = "jwt"\naudience = "x"', "jwks_url or public_keys must be set"),
        ('auth = "jwt"\njwks_url = "https://k.example.com"', "audience is missing"),
        ('auth = "jwt"\naudience = "x"\njwks_url = "http://k.example.com"', "https://"),
        ('auth = "jwt"\naudience = "x"\npublic_keys = ["x"]', "is not a key"),
        (f'secrets = ["{FOREIGN_KEY}"]\nusername = "w"', "username is not used"),
        (f'secrets = ["{FOREIGN_KEY}"]\nfields = {{ "A" = "b" }}', "fields"),
    ],
)
def test_what_does_not_go_together_stops_the_start(tmp_path, lines, says):
    """One line that names the key."""
    file = tmp_path / "leaver.toml"
    file.write_text(f'[policy]\ntimezone = "UTC"\n[sources.w]\nkind = "workday"\n{lines}\n')

    with pytest.raises(ValueError, match=r"sources\.w") as told:
        load(file, environ={})

    assert says in str(told.value)


def test_pems_come_from_a_file_one_after_another(tmp_path):
    """As openssl writes them."""
    keys, file = tmp_path / "keys.pem", tmp_path / "leaver.toml"
    keys.write_text(pem(ED25519) + pem(P256))
    file.write_text(
        '[policy]\ntimezone = "UTC"\n[sources.w]\nkind = "workday"\nauth = "jwt"\naudience = "x"\n'
    )

    found = load(file, environ={"LEAVER_SOURCES__W__PUBLIC_KEYS_FILE": str(keys)})

    assert [key.reveal().strip() for key in found.sources["w"].credentials] == [
        pem(ED25519).strip(), pem(P256).strip()
    ]  # fmt: skip
