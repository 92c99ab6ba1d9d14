"""BambooHR: who has left, in all the forms its webhooks may have."""

import json
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import pytest

from tests.webhook.receiving import BAMBOOHR_KEYS, NOW, SAMPLES
from tests.webhook.sources.conformance import JANE, PEOPLE, SignedSourceConformance
from webhook.sources import bamboohr
from webhook.sources.base import Termination, sign
from webhook.verify import Signed, sign_bamboohr

FORM = "application/x-www-form-urlencoded"


def signed(body: bytes, *, at: datetime = NOW, key: int = 0, content_type="application/json"):
    secret = (*BAMBOOHR_KEYS, "test-key-of-a-stranger")[key]
    return {"Content-Type": content_type} | sign_bamboohr(body, secret.encode(), at=at)


def employee(**changes: Any) -> dict[str, Any]:
    """Jane has left; `changes` are her fields, and None takes one away."""
    fields = {
        "Status": "Inactive",
        "Employment Status": "Terminated",
        "Work Email": JANE.email,
        "Termination Date": "2026-11-20",
    } | changes
    given = {name: value for name, value in fields.items() if value is not None}
    return {"id": JANE.employee_id, "action": "Updated", "fields": given}


def body_of(*employees: Any) -> bytes:
    return json.dumps({"employees": employees}).encode()


def post(receiver, body: bytes, content_type="application/json"):
    answer = receiver.post("bamboohr", signed(body, content_type=content_type), body)
    assert answer.status_code == 202
    return answer.json


def outcome(receiver, body: bytes) -> tuple[str, str]:
    """What became of the only element."""
    post(receiver, body)
    (element,) = receiver.rows("elements")
    return element.kind, element.reason


class TestConformance(SignedSourceConformance):
    source = "bamboohr"
    signature_headers = ("x-bamboohr-signature", "x-bamboohr-timestamp")
    other_events = (
        body_of(employee() | {"action": "Created"}),
        body_of(employee() | {"action": "Deleted"}),
        b'{"type":"employee.created","data":{"companyId":"1","employeeId":"2"}}',
        b'{"type":"employee.deleted","data":{"companyId":"1","employeeId":"2"}}',
        b'{"type":"company.updated","data":{"companyId":"1"}}',
        b'{"type":"company-integrations.updated","data":{"companyId":"1"}}',
    )

    def person(self, who: Termination) -> dict[str, Any]:
        body = json.loads(sign(bamboohr, [who], self.settings, now=NOW)[1])
        person: dict[str, Any] = body["employees"][0]
        return person

    def without_email(self, person):
        return person | {"fields": person["fields"] | {"Company E-Mail": {"value": ""}}}

    def body_of(self, people):
        return body_of(*people)

    def signed(self, body, *, at=NOW, key=0):
        return signed(body, at=at, key=key)

    @pytest.fixture(autouse=True)
    def as_configured(self, receiver):
        self.settings = receiver.settings.sources["bamboohr"]


@pytest.mark.parametrize(
    ("sample", "outcome_"),
    [
        ("terminated.json", ("leaver", "")),
        ("capture-2022.json", ("ignored", "not_a_termination")),
        ("bare-values.json", ("ignored", "not_a_termination")),
        ("event.json", ("lookup", "")),
    ],
)
def test_samples_are_understood(receiver, sample, outcome_):
    """Bodies from outside, byte for byte."""
    assert outcome(receiver, (SAMPLES / "bamboohr" / sample).read_bytes()) == outcome_


@pytest.mark.parametrize(
    ("status", "employment", "outcome_"),
    [
        ("Inactive", "Terminated", ("leaver", "")),
        (" inactive ", "TERMINATED", ("leaver", "")),
        ("Inactive", "Suspended", ("ignored", "not_a_termination")),
        ("Inactive", "Full-Time", ("ignored", "not_a_termination")),
        ("Active", "Terminated", ("ignored", "not_a_termination")),
        ("Active", None, ("ignored", "not_a_termination")),
        (None, "Full-Time", ("ignored", "not_a_termination")),
        (None, None, ("ignored", "not_a_termination")),
        ("Inactive", None, ("quarantined", "unreadable")),
        (None, "Terminated", ("quarantined", "unreadable")),
        ("Inactive", "", ("quarantined", "unreadable")),
        ("Inactive", {"value": None}, ("quarantined", "unreadable")),
        ("Inactive", ["Terminated"], ("quarantined", "unreadable")),
        ("Inactive", "Not Terminated", ("ignored", "not_a_termination")),
    ],
)
def test_only_inactive_and_terminated_is_a_leaver(receiver, status, employment, outcome_):
    """Inactive alone may be maternity leave; what cannot be told is shown to a person."""
    person = employee(**{"Status": status, "Employment Status": employment})

    assert outcome(receiver, body_of(person)) == outcome_


def test_a_changed_status_that_is_not_posted_is_shown(receiver):
    """The webhook watches the status and does not send it: every leaver would be missed."""
    person = {"id": "1", "changedFields": ["First Name", "Employment Status"], "fields": {}}

    assert outcome(receiver, body_of(person)) == ("quarantined", "unreadable")


@pytest.mark.parametrize(
    "fields",
    [
        {
            "status": {"value": "Inactive"},
            "employmentHistoryStatus": {"value": "Terminated"},
            "workEmail": {"value": JANE.email},
        },
        {
            "STATUS": "Inactive",
            "employment status": "Terminated",
            "Company E-Mail": {"value": JANE.email},
        },
        {
            "status": "Inactive",
            "Employment Status": "Terminated",
            "employmentHistoryStatus": {"value": "Terminated"},
            "Work Email": "old@example.com",
            "company e-mail": JANE.email,
        },
    ],
    ids=["wrapped", "own name", "own name goes first"],
)
def test_fields_are_found_under_their_names(receiver, fields):
    """Names are chosen by whoever made the webhook."""
    post(receiver, body_of({"id": 67890, "fields": fields}))

    (leaver,) = receiver.rows("leavers")
    assert (leaver.email, leaver.employee_id) == (JANE.email, "67890")


def test_a_field_that_comes_twice_with_two_values_is_shown(receiver):
    """Which one would count?"""
    person = employee(status="Active")

    assert outcome(receiver, body_of(person)) == ("quarantined", "unreadable")


@pytest.mark.parametrize(
    ("email", "reason"),
    [
        (None, "missing_email"),
        ("", "missing_email"),
        ("  ", "missing_email"),
        ({"value": None}, "missing_email"),
        ("jane", "bad_email"),
        ("jane@example.com, anna@example.com", "bad_email"),
        ("Jane <jane@example.com>", "bad_email"),
        (["jane@example.com"], "bad_email"),
    ],
)
def test_a_leaver_without_a_plain_address_is_shown(receiver, email, reason):
    """Nothing is guessed: the wrong account is worse than a late one."""
    person = employee(**{"Work Email": email})

    assert outcome(receiver, body_of(person)) == ("quarantined", reason)


@pytest.mark.parametrize(
    "termination_date", ["20.11.2026", "2026-02-30", "0001-01-01", "9999-12-31", 7]
)
def test_a_date_that_cannot_be_read_is_shown(receiver, termination_date):
    """It may lie ahead."""
    person = employee(**{"Termination Date": termination_date})

    assert outcome(receiver, body_of(person)) == ("quarantined", "bad_date")


@pytest.mark.parametrize("termination_date", ["2026-11-20", "2026-11-23", "0000-00-00", "", None])
def test_who_is_terminated_already_is_cut_off_now(receiver, termination_date):
    """BambooHR sends when the change takes effect, so a date that has come needs no end of day."""
    post(receiver, body_of(employee(**{"Termination Date": termination_date})))

    assert receiver.rows("leavers")[0].cutoff == NOW
    assert {row.state for row in receiver.rows("jobs")} == {"queued"}


def test_a_date_ahead_is_waited_for_until_its_last_moment(receiver):
    """The last day of work is a day of work, in the zone of the policy."""
    post(receiver, body_of(employee(**{"Termination Date": "2026-11-30"})))

    (leaver,) = receiver.rows("leavers")
    assert leaver.cutoff == datetime(2026, 11, 30, 23, 0, tzinfo=UTC)
    assert (leaver.hr_date, leaver.hr_zone) == (date(2026, 11, 30), "Europe/Berlin")
    assert {row.state for row in receiver.rows("jobs")} == {"scheduled"}


def test_a_source_without_targets_of_its_own_means_all(receiver):
    """Forgetting one would leave an account open."""
    post(receiver, body_of(employee()))

    assert {row.target for row in receiver.rows("jobs")} == {"cloud", "labs"}


def thin(changed: Any = None, *, event="employee.updated", employee_id: Any = "1") -> bytes:
    """An event-based body: which fields of whom have changed."""
    data = {"companyId": "9", "employeeId": employee_id, "changedFields": changed}
    given = {name: value for name, value in data.items() if value is not None}
    return json.dumps({"type": event, "data": given}).encode()


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (thin(["status"]), "lookup"),
        (thin(["firstName", "employmentHistoryStatus"]), "lookup"),
        (thin(["Termination Date"]), "lookup"),
        (thin(), "lookup"),
        (thin([]), "lookup"),
        (thin("status"), "lookup"),
        (thin({"0": "status"}), "lookup"),
        (thin(["status"], employee_id=67890), "lookup"),
        (thin(event="employee_with_fields.updated"), "lookup"),
        (thin(["firstName"]), "ignored"),
        (thin(["workEmail"]), "ignored"),
        (thin(["status"], event="employee.deleted"), "ignored"),
        (thin(["status"], event="company.updated"), "ignored"),
        (thin(["status"], employee_id=""), "quarantined"),
        (thin(["status"], employee_id=["1"]), "quarantined"),
    ],
)
def test_an_event_that_may_be_about_leaving_is_looked_up(receiver, body, kind):
    """It has no values: what is in doubt is asked, and what cannot be a termination is not."""
    assert outcome(receiver, body)[0] == kind


def test_a_lookup_is_a_job_at_the_hr_system(receiver):
    """It can be held, replayed and explained as any other, and the sender hears its id."""
    answer = post(receiver, (SAMPLES / "bamboohr" / "event.json").read_bytes())

    (job,) = receiver.rows("jobs")
    assert (answer["status"], answer["elements"]["lookup"]) == ("accepted", 1)
    assert answer["jobs"] == [job.id] == receiver.bell.rung
    assert (job.action, job.target, job.state) == ("lookup", "hr:bamboohr", "queued")
    (leaver,) = receiver.rows("leavers")
    assert (leaver.kind, leaver.employee_id, leaver.email) == ("lookup", "67890", "")


def test_an_event_without_an_api_to_ask_is_quarantined_with_what_helps(receiver):
    """Such webhooks are what BambooHR recommends; ignoring them would be silence."""
    without = receiver.settings.sources["bamboohr"].model_copy(update={"api": None})
    where = {"zone": ZoneInfo("UTC"), "now": NOW, "signed": Signed("1", NOW, None)}

    (doubtful,) = bamboohr.parse(thin(["status"]), "application/json", without, **where)
    (other,) = bamboohr.parse(thin(["firstName"]), "application/json", without, **where)

    assert (doubtful.kind, other.kind) == ("quarantined", "ignored")
    assert "sources.X.api" in doubtful.detail


def test_of_ten_thousand_changes_of_names_only_ten_terminations_are_looked_up(receiver):
    """A company that renames everybody must not have BambooHR asked ten thousand times."""
    settings = receiver.settings.sources["bamboohr"]
    where = {"zone": ZoneInfo("UTC"), "now": NOW, "signed": Signed("1", NOW, None)}
    bodies = [
        thin(["status"] if number % 1001 == 500 else ["firstName"], employee_id=str(number))
        for number in range(10_010)
    ]

    found = [bamboohr.parse(body, "application/json", settings, **where) for body in bodies]

    kinds = Counter(element.kind.value for elements in found for element in elements)
    assert kinds == {"ignored": 10_000, "lookup": 10}


def test_an_event_in_a_form_is_read(receiver):
    """The example of the documentation: somebody's first name changed; and one of a status."""
    body = (SAMPLES / "bamboohr" / "event.form").read_bytes()

    assert post(receiver, body, FORM)["status"] == "ignored"
    status = post(receiver, body.replace(b"firstName", b"status"), FORM)
    assert status["elements"]["lookup"] == 1


def form_of(prefix: str, value: Any) -> list[tuple[str, str]]:
    """Nested values with bracketed names, as PHP's http_build_query writes them."""
    if not isinstance(value, dict | list):
        return [(prefix, str(value))]
    items = value.items() if isinstance(value, dict) else enumerate(value)
    return [pair for name, inner in items for pair in form_of(f"{prefix}[{name}]", inner)]


@pytest.mark.parametrize("wrapped", [True, False])
def test_a_form_of_many_employees_is_read(receiver, wrapped):
    """Form Post is the other encoding that the webhook's settings offer."""
    people = [
        employee(**{"Work Email": who.email}) | {"id": who.employee_id} for who in PEOPLE[:12]
    ]
    if wrapped:
        for person in people:
            person["fields"] = {name: {"value": v} for name, v in person["fields"].items()}
    body = urlencode(form_of("employees", people)).encode()

    answer = post(receiver, body, FORM)

    assert answer["elements"]["leaver"] == 12
    assert {row.email for row in receiver.rows("leavers")} == {who.email for who in PEOPLE[:12]}


@pytest.mark.parametrize(
    "body",
    [
        b"employees=1&employees[0][id]=2",
        b"employees[0][id]=1&employees[0][id]=2",
        b"employees[0]]=1",
        b"employees[" + b"0][" * 40 + b"0]=1",
        b"employees[1][id]=1",
        b"=1",
        b"%ff=1",
        b"\xff",
        b"no pairs",
    ],
)
def test_a_form_that_cannot_be_read_is_kept(receiver, body):
    """The names BambooHR uses there are not documented; another form is for a person to see."""
    assert post(receiver, body, FORM)["status"] == "quarantined"


def test_two_terminations_of_one_person_are_two_leavers(receiver):
    """Terminated, taken back, terminated again: the second one is no repetition."""
    first = employee() | {"timestamp": "2026-11-20T10:00:00+0000"}
    second = employee() | {"timestamp": "2026-11-23T10:00:00+0000"}

    post(receiver, body_of(first))
    post(receiver, body_of(second))

    assert len(receiver.rows("leavers")) == 2


def said(status: str, employment: str | None, hour: int, **changes: Any) -> bytes:
    """What BambooHR sends of Jane at that hour of today."""
    values = {"Status": status, "Employment Status": employment} | changes
    return body_of(employee(**values) | {"timestamp": f"2026-11-23T{hour:02}:00:00+0000"})


LEFT = said("Inactive", "Terminated", 8)
LEAVES = said("Inactive", "Terminated", 8, **{"Termination Date": "2026-11-30"})


@pytest.mark.parametrize("fields", [{}, {"Work Email": None, "Termination Date": None}])
def test_who_is_active_again_is_held(receiver, fields):
    """A rehire keeps the employee's id; the account is needed again."""
    left = post(receiver, LEFT)

    answer = post(receiver, said("Active", "Full-Time", 9, **fields))

    assert (answer["status"], answer["elements"]["ignored"]) == ("ignored", 1)
    assert answer["jobs"] == left["jobs"]
    assert {(row.state, row.reason) for row in receiver.rows("jobs")} == {("held", "rehired")}


@pytest.mark.parametrize("left", [LEFT, LEAVES], ids=["already", "later"])
def test_active_before_the_termination_changes_nothing(receiver, left):
    """Its delivery came late; BambooHR tries for hours."""
    before = said("Active", "Full-Time", 7)
    jobs = post(receiver, left)["jobs"]
    states = [row.state for row in receiver.rows("jobs")]

    answer = post(receiver, before)

    assert (answer["status"], answer["jobs"]) == ("ignored", [])
    assert [(row.id, row.state) for row in receiver.rows("jobs")] == list(
        zip(jobs, states, strict=True)
    )


@pytest.mark.parametrize(
    ("status", "employment"), [("Active", "Terminated"), ("Inactive", "Suspended")]
)
def test_what_does_not_clearly_say_active_holds_nothing(receiver, status, employment):
    """The halves of a termination may come apart, and somebody on leave has not come back."""
    post(receiver, LEFT)

    post(receiver, said(status, employment, 9))

    assert {row.state for row in receiver.rows("jobs")} == {"queued"}


def test_somebody_who_never_was_to_leave_has_no_job(receiver):
    """Nearly all that BambooHR sends is of this sort."""
    answer = post(receiver, said("Active", "Full-Time", 9))

    assert (answer["status"], answer["jobs"]) == ("ignored", [])
    assert answer["elements"] == {"leaver": 0, "lookup": 0, "ignored": 1, "quarantined": 0}
    assert not receiver.rows("jobs")
    assert [row.email for row in receiver.rows("leavers")] == [""]


def test_leaving_again_after_a_rehire_is_another_job(receiver):
    """Also with the very same bytes, where BambooHR gives no time."""
    post(receiver, body_of(employee()))
    receiver.clock.pass_by(timedelta(hours=1))
    active = body_of(employee(Status="Active", **{"Employment Status": "Full-Time"}))
    receiver.post("bamboohr", signed(active, at=receiver.clock.now), active)
    receiver.clock.pass_by(timedelta(hours=1))

    again = body_of(employee())
    receiver.post("bamboohr", signed(again, at=receiver.clock.now), again)

    assert sorted(row.state for row in receiver.rows("jobs")) == ["held"] * 2 + ["queued"] * 2


def test_a_second_rehire_holds_the_second_job(receiver):
    """Also with the very same bytes: a rehire that is lost costs somebody who works here."""
    left, active = (
        body_of(employee()),
        body_of(employee(Status="Active", **{"Employment Status": "X"})),
    )

    for body in (left, active, left, active):
        receiver.clock.pass_by(timedelta(hours=1))
        receiver.post("bamboohr", signed(body, at=receiver.clock.now), body)

    assert [row.state for row in receiver.rows("jobs")] == ["held"] * 4


def test_what_we_send_is_what_we_read(receiver):
    """`leaver send` must reach the same end as BambooHR itself, under the customer's own names."""
    settings = receiver.settings.sources["bamboohr"]
    headers, body = sign(bamboohr, PEOPLE[:3], settings, now=NOW)

    answer = receiver.post("bamboohr", headers, body)

    assert answer.json["elements"]["leaver"] == 3
