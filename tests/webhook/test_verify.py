"""Signatures: the published vectors, and what must never pass for one."""

import base64
import hashlib
import hmac
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.webhook.receiving import SAMPLES
from webhook.verify import (
    Rejected,
    sign_bamboohr,
    sign_standard,
    standard_key,
    time_of,
    verify_bamboohr,
    verify_okta,
    verify_standard,
)

# github.com/fusebit/integrations, tests of bamboohr-connector: a delivery captured in 2022.
CAPTURED = (
    b"123b929362d51613054f71e5e5d4bf2c",
    "1658248023",
    "56491dd9c2b352bc5f4fc627159aae20ddff9c8cb19f239a6de6771dc5310bac",
    "capture-2022.json",
)
# Our own, derived from the recipe.
OWN_KEY = b"0123456789abcdef0123456789abcdef"
OWN_EVENT = (
    OWN_KEY,
    "1764000000",
    "2f98fd0698ff27c0d859a05a761343144608f206ddd811e9afb89cab7e834120",
    "event.json",
)
OWN_FIELDS = (
    OWN_KEY,
    "1764000000",
    "3afa79af54bd82bfcddac57d3c8a477543284cea3e9daaf5f2985f4185a0e787",
    "terminated.json",
)

# github.com/standard-webhooks/standard-webhooks (python tests) and github.com/svix/svix-webhooks
# (worker.rs): one body signed with HMAC and with ed25519.
SPEC_BODY = (SAMPLES / "standard" / "test.json").read_bytes()
SPEC_ID, SPEC_TIME = "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330
SPEC_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
SPEC_SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
SPEC_PRIVATE = (
    "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg=="
)
SPEC_PUBLIC = "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4="
SPEC_ED25519 = (
    "v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg=="
)
SPEC_HEADERS = {
    "webhook-id": SPEC_ID,
    "webhook-timestamp": str(SPEC_TIME),
    "webhook-signature": SPEC_SIGNATURE,
}


def bamboohr_headers(timestamp: str, signature: str) -> dict[str, str]:
    return {"x-bamboohr-timestamp": timestamp, "x-bamboohr-signature": signature}


@pytest.mark.parametrize(
    ("key", "timestamp", "signature", "sample"), [CAPTURED, OWN_EVENT, OWN_FIELDS]
)
def test_bamboohr_vectors_are_right(key, timestamp, signature, sample):
    """The order (body, then timestamp) and the key's form are easy to get wrong."""
    body = (SAMPLES / "bamboohr" / sample).read_bytes()

    signed = verify_bamboohr(bamboohr_headers(timestamp, signature), body, [key])

    assert signed.at == datetime.fromtimestamp(int(timestamp), UTC)


@pytest.mark.parametrize(
    ("key", "timestamp", "signature", "sample"), [CAPTURED, OWN_EVENT, OWN_FIELDS]
)
def test_bamboohr_signs_like_the_vectors(key, timestamp, signature, sample):
    """`leaver send` must be taken for the HR system."""
    body = (SAMPLES / "bamboohr" / sample).read_bytes()

    headers = sign_bamboohr(body, key, at=datetime.fromtimestamp(int(timestamp), UTC))

    assert headers == {"X-BambooHR-Timestamp": timestamp, "X-BambooHR-Signature": signature}


@pytest.mark.parametrize(
    ("secret", "signature"),
    [
        (SPEC_SECRET, SPEC_SIGNATURE),
        (SPEC_PUBLIC, SPEC_ED25519),
        (SPEC_PRIVATE, SPEC_ED25519),
    ],
)
def test_standard_vectors_are_right(secret, signature):
    """v1 and v1a, as the specification's own tests have them."""
    signed = verify_standard(
        SPEC_HEADERS | {"webhook-signature": signature}, SPEC_BODY, [standard_key(secret)]
    )

    assert (signed.at, signed.event_id) == (datetime.fromtimestamp(SPEC_TIME, UTC), SPEC_ID)


@pytest.mark.parametrize(
    ("secret", "signature"), [(SPEC_SECRET, SPEC_SIGNATURE), (SPEC_PRIVATE, SPEC_ED25519)]
)
def test_standard_signs_like_the_vectors(secret, signature):
    """ed25519 signatures are deterministic, so both can be compared."""
    at = datetime.fromtimestamp(SPEC_TIME, UTC)

    headers = sign_standard(SPEC_BODY, standard_key(secret), event_id=SPEC_ID, at=at)

    assert headers["webhook-signature"] == signature


def test_standard_vector_of_svix_is_right():
    """docs.svix.com, verifying by hand: with headers that begin with svix-."""
    headers = {
        "svix-id": "msg_loFOjxBNrRLzqYUf",
        "svix-timestamp": "1731705121",
        "svix-signature": "v1,rAvfW3dJ/X/qxhsaXPOyyCGmRKsaKWcsNccKXlIktD0=",
    }
    body = (SAMPLES / "standard" / "ping.json").read_bytes()

    signed = verify_standard(headers, body, [standard_key("whsec_plJ3nmyCDGBKInavdOK15jsl")])

    assert signed.event_id == "msg_loFOjxBNrRLzqYUf"


def test_the_specifications_wrong_signature_fails():
    """The negative example of the same suite: two characters differ."""
    wrong = SPEC_SIGNATURE.replace("1OE=", "1OA=")

    with pytest.raises(Rejected, match="signature_wrong"):
        verify_standard(
            SPEC_HEADERS | {"webhook-signature": wrong}, SPEC_BODY, [standard_key(SPEC_SECRET)]
        )


@pytest.mark.parametrize(
    ("key", "message", "digest"),
    [
        (
            b"\x0b" * 20,
            b"Hi There",
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
        ),
        (
            b"Jefe",
            b"what do ya want for nothing?",
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
        ),
    ],
)
def test_hmac_sha256_is_that_of_rfc_4231(key, message, digest):
    """Test cases 1 and 2, cut in two: body and timestamp are signed without anything between."""
    body, timestamp = message[:-5], message[-5:].decode()

    signed = verify_bamboohr(bamboohr_headers(timestamp, digest), body, [key])

    assert signed.key == "1"


def test_any_active_key_will_do_and_is_named():
    """While keys are changed, both are in use; the record shows when the old one no longer is."""
    key, timestamp, signature, sample = OWN_FIELDS
    body = (SAMPLES / "bamboohr" / sample).read_bytes()

    signed = verify_bamboohr(bamboohr_headers(timestamp, signature), body, [b"newer", key])

    assert signed.key == "2"


@pytest.mark.parametrize(
    "signature",
    [
        f"v1,bm9uc2Vuc2U= {SPEC_SIGNATURE}",
        f"{SPEC_SIGNATURE} v1,bm9uc2Vuc2U=",
        f"v2,whatever {SPEC_SIGNATURE}",
        f"v1,not*base64 {SPEC_SIGNATURE}",
        f"v1 , {SPEC_SIGNATURE}",
        f"v1,bm9uc2Vuc2U=,{SPEC_SIGNATURE}",
        f"{SPEC_ED25519} {SPEC_SIGNATURE}",
    ],
    ids=["after", "before", "other version", "no base64", "empty", "joined", "other scheme"],
)
def test_one_right_signature_among_others_is_enough(signature):
    """A sender that rotates its key sends several; a server joins two headers with a comma."""
    headers = SPEC_HEADERS | {"webhook-signature": signature}

    assert verify_standard(headers, SPEC_BODY, [standard_key(SPEC_SECRET)]).key == "1"


def test_more_signatures_than_anybody_needs_are_refused():
    """Each one costs time with each key."""
    headers = SPEC_HEADERS | {"webhook-signature": " ".join([SPEC_SIGNATURE] * 17)}

    with pytest.raises(Rejected, match="signature_malformed"):
        verify_standard(headers, SPEC_BODY, [standard_key(SPEC_SECRET)])


@pytest.mark.parametrize(
    ("signature", "secret"), [(SPEC_SIGNATURE, SPEC_PUBLIC), (SPEC_ED25519, SPEC_SECRET)]
)
def test_a_signature_of_one_scheme_is_never_tried_as_the_other(signature, secret):
    """A public key is public: were it taken for an HMAC key, anybody could sign."""
    with pytest.raises(Rejected, match="signature_wrong"):
        verify_standard(
            SPEC_HEADERS | {"webhook-signature": signature}, SPEC_BODY, [standard_key(secret)]
        )


def test_a_public_key_is_no_hmac_key():
    """The same attack, made in earnest: the label says v1a, the signature is an HMAC."""
    public = base64.b64decode(SPEC_PUBLIC.removeprefix("whpk_"))
    message = f"{SPEC_ID}.{SPEC_TIME}.".encode() + SPEC_BODY
    forged = base64.b64encode(hmac.new(public, message, hashlib.sha256).digest()).decode()

    for version in ("v1", "v1a"):
        headers = SPEC_HEADERS | {"webhook-signature": f"{version},{forged}"}
        with pytest.raises(Rejected):
            verify_standard(headers, SPEC_BODY, [standard_key(SPEC_PUBLIC)])


def test_a_dot_cannot_move_the_id_into_the_timestamp():
    """id "a.5" at 6 and id "a" at "5.6" would be signed alike."""
    key = b"test-key-not-a-secret"
    headers = sign_standard(b"{}", key, event_id="a.5", at=datetime.fromtimestamp(6, UTC))

    with pytest.raises(Rejected, match="signature_malformed"):
        verify_standard(headers, b"{}", [key])


@pytest.mark.parametrize(
    "timestamp",
    [
        "",
        "+1614265330",
        "1614265330.0",
        "1_614_265_330",
        "١٦١٤٢٦٥٣٣٠",
        "nan",
        "1e9",
        "-1",
        "1" * 13,
    ],
)
def test_a_standard_timestamp_is_plain_digits(timestamp):
    """int() and float() read all of these, so a lax verifier would sign something else."""
    headers = sign_standard(SPEC_BODY, b"k" * 24, event_id=SPEC_ID, at=datetime.now(UTC))

    with pytest.raises(Rejected):
        verify_standard(headers | {"webhook-timestamp": timestamp}, SPEC_BODY, [b"k" * 24])


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("1764000000", datetime(2025, 11, 24, 16, 0, tzinfo=UTC)),
        ("2026-01-31T18:42:00+0000", datetime(2026, 1, 31, 18, 42, tzinfo=UTC)),
        ("2026-01-31T18:42:00Z", datetime(2026, 1, 31, 18, 42, tzinfo=UTC)),
        ("2026-01-31T18:42:00-07:00", datetime(2026, 2, 1, 1, 42, tzinfo=UTC)),
        ("2026-01-31T18:42:00", None),  # Whose time would it be?
        ("9999-12-31T23:59:59-14:00", None),
        ("yesterday", None),
    ],
)
def test_both_forms_of_a_timestamp_are_read(text, at):
    """BambooHR's documentation shows seconds in one place and ISO-8601 in another."""
    assert time_of(text) == at


def test_a_timestamp_beyond_all_calendars_is_far_ahead():
    """Twelve digits are more than a datetime can hold; that is no reason to fail."""
    assert time_of("999999999999") == datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)


@pytest.mark.parametrize(
    "secret",
    ["whsec_###", "test-key-not-a-secret", "whpk_dG9vIHNob3J0", "whsk_dG9vIHNob3J0"],
)
def test_what_is_no_standard_key_is_refused_without_showing_it(secret):
    """A mistyped key would refuse every event; it must stop the start, and never reach a log."""
    with pytest.raises(ValueError, match="is not a key of Standard Webhooks") as caught:
        standard_key(secret)

    assert secret not in str(caught.value)


def test_a_public_key_cannot_sign():
    """`leaver send` says which key it needs."""
    with pytest.raises(ValueError, match="whsk_"):
        sign_standard(b"{}", standard_key(SPEC_PUBLIC), event_id="1", at=datetime.now(UTC))


text_in_headers = st.text(st.characters(max_codepoint=255), max_size=100)


@given(st.dictionaries(st.sampled_from(list(SPEC_HEADERS)), text_in_headers), st.binary())
def test_no_headers_break_the_standard_verifier(headers, body):
    """Whatever a stranger sends is Rejected, nothing else: anything else would be a 5xx."""
    with pytest.raises(Rejected):
        verify_standard(headers, body, [standard_key(SPEC_SECRET), standard_key(SPEC_PUBLIC)])


@given(
    st.dictionaries(
        st.sampled_from(["x-bamboohr-timestamp", "x-bamboohr-signature"]),
        text_in_headers | st.from_regex("[0-9a-f]{64}", fullmatch=True),
    ),
    st.binary(),
)
def test_no_headers_break_the_bamboohr_verifier(headers, body):
    """The same for BambooHR's."""
    with pytest.raises(Rejected):
        verify_bamboohr(headers, body, [b"test-key-not-a-secret"])


def test_no_changed_digit_of_a_bamboohr_signature_passes():
    """Every digit counts."""
    key, timestamp, signature, sample = OWN_FIELDS
    body = (SAMPLES / "bamboohr" / sample).read_bytes()

    for place, digit in enumerate(signature):
        other = "0" if digit != "0" else "1"
        changed = signature[:place] + other + signature[place + 1 :]
        with pytest.raises(Rejected, match="signature_wrong"):
            verify_bamboohr(bamboohr_headers(timestamp, changed), body, [key])


@given(st.integers(0, 31), st.integers(1, 255))
def test_no_changed_byte_of_a_signature_passes(place, change):
    """Neither in HMAC nor in ed25519, wherever it is."""
    for secret, signature in ((SPEC_SECRET, SPEC_SIGNATURE), (SPEC_PUBLIC, SPEC_ED25519)):
        version, _, text = signature.partition(",")
        raw = bytearray(base64.b64decode(text))
        raw[place] ^= change
        changed = f"{version},{base64.b64encode(raw).decode()}"

        with pytest.raises(Rejected, match="signature_wrong"):
            verify_standard(
                SPEC_HEADERS | {"webhook-signature": changed}, SPEC_BODY, [standard_key(secret)]
            )


@given(st.binary(), st.integers(0, 10**11), st.from_regex(r"[!-\-/-~]{1,256}", fullmatch=True))
def test_what_is_signed_is_verified(body, seconds, event_id):
    """The signer and the verifier agree about every body, id and time."""
    at = datetime.fromtimestamp(seconds, UTC)
    event_id = event_id.replace(",", "") or "x"

    for secret in (SPEC_SECRET, SPEC_PRIVATE):
        key = standard_key(secret)
        headers = sign_standard(body, key, event_id=event_id, at=at)
        assert verify_standard(headers, body, [key]).at == at
    headers = {k.lower(): v for k, v in sign_bamboohr(body, OWN_KEY, at=at).items()}
    assert verify_bamboohr(headers, body, [OWN_KEY]).at == at


@pytest.mark.parametrize("given", ["", "a", "key-", "Key-1", "key-1,key-1", "\u00e9", "\udce9"])
def test_only_the_very_text_of_a_secret_opens_the_door_of_okta(given):
    """Okta sends it as it was entered; whatever else comes is refused, and nothing else happens."""
    with pytest.raises(Rejected):
        verify_okta({"authorization": given}, b"{}", [b"key-1", b"key-2"])


def test_the_secret_that_matches_is_told():
    """It shows when an old one is unused.  A comma in it is no second header."""
    signed = verify_okta({"authorization": "key,2"}, b"{}", [b"key-1", b"key,2"])

    assert (signed.key, signed.at, signed.event_id) == ("2", None, None)
